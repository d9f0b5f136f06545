/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/handle.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int error_set(struct store_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	code = code < 0 ? -code : code;
	if (err) {
		err->code = -code;
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return -code;
}

int error_from(struct store *s, struct store_error *err, int code)
{
	return error_set(err, code, "%s: %s", s->path, s->why[0] ? s->why : strerror(-code));
}

/* What a full disk looks like depends on who noticed: SQLite's own code, or an I/O error with one of these. */
static bool errno_is_full(int e)
{
	return e == ENOSPC || e == EDQUOT || e == EFBIG;
}

static int errno_of(sqlite3 *db)
{
	int rc = sqlite3_errcode(db) & 0xff, e = sqlite3_system_errno(db);

	switch (rc) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_IOERR:
		return errno_is_full(e) ? ENOSPC : EIO;
	case SQLITE_CANTOPEN:
		return e == ENOENT || e == EACCES || e == EISDIR || e == EMFILE ? e : EACCES;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return EACCES;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ENODATA;
	case SQLITE_NOMEM:
		return ENOMEM;
	default:
		return EIO;
	}
}

int sql_failed(struct store *s)
{
	int code = errno_of(s->db);

	switch (code) {
	case ENOSPC:
		snprintf(s->why, sizeof(s->why), "no space left: free some on its disk, or give a larger --max-size");
		break;
	case ENODATA:
		snprintf(s->why, sizeof(s->why), "truncated or corrupt (%s): keep a copy, try sqlite3's .recover",
			 sqlite3_errmsg(s->db));
		break;
	case EBUSY:
		snprintf(s->why, sizeof(s->why), "locked by another program: try again");
		break;
	default:
		snprintf(s->why, sizeof(s->why), "%s", sqlite3_errmsg(s->db));
	}
	return -code;
}

sqlite3_stmt *sql_get(struct store *s, const char *literal)
{
	struct cached_stmt *slot;

	for (size_t i = 0; i < s->cache.n; i++) {
		if (s->cache.v[i].text == literal) {
			sqlite3_clear_bindings(s->cache.v[i].stmt);
			return s->cache.v[i].stmt;
		}
	}
	slot = vec_push(&s->cache);
	if (!slot) {
		snprintf(s->why, sizeof(s->why), "out of memory");
		return NULL;
	}
	if (sqlite3_prepare_v3(s->db, literal, -1, SQLITE_PREPARE_PERSISTENT, &slot->stmt, NULL) != SQLITE_OK) {
		sql_failed(s);
		s->cache.n--;
		return NULL;
	}
	slot->text = literal;
	return slot->stmt;
}

int sql_step(struct store *s, sqlite3_stmt *q)
{
	int rc = sqlite3_step(q), ret;

	if (rc == SQLITE_ROW)
		return 1;
	ret = rc == SQLITE_DONE ? 0 : sql_failed(s);
	sqlite3_reset(q);
	return ret;
}

int sql_run(struct store *s, sqlite3_stmt *q)
{
	int rc;

	if (!q)
		return -EIO;
	while ((rc = sql_step(s, q)) > 0)
		;
	return rc;
}

int sql_exec(struct store *s, const char *text)
{
	return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_failed(s);
}

void sql_rollback(struct store *s)
{
	for (size_t i = 0; i < s->cache.n; i++)
		sqlite3_reset(s->cache.v[i].stmt);
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

int64_t sql_int(struct store *s, const char *literal, int64_t fallback)
{
	sqlite3_stmt *q = sql_get(s, literal);
	int64_t v = fallback;

	if (!q || sql_step(s, q) <= 0)
		return fallback;
	if (sqlite3_column_type(q, 0) != SQLITE_NULL)
		v = sqlite3_column_int64(q, 0);
	sqlite3_reset(q);
	return v;
}

void bind_text(sqlite3_stmt *q, int i, const char *text)
{
	if (text)
		sqlite3_bind_text(q, i, text, -1, SQLITE_STATIC);
}

void bind_real(sqlite3_stmt *q, int i, double v)
{
	if (isfinite(v))
		sqlite3_bind_double(q, i, v);
}

void bind_id(sqlite3_stmt *q, int i, uint32_t id)
{
	if (id)
		sqlite3_bind_int64(q, i, id);
}

int64_t store_files_bytes(const char *path)
{
	static const char *const suffix[] = {"", "-wal", "-shm"};
	char name[4096];
	struct stat st;
	int64_t bytes = 0;

	for (size_t i = 0; i < sizeof(suffix) / sizeof(*suffix); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffix[i]);
		if (stat(name, &st) == 0)
			bytes += st.st_size;
	}
	return bytes;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/load_row.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

int load_corrupt(struct load *l, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(l->s->why, sizeof(l->s->why), "is corrupt: %s; copy the file again from its source", what);
	return -ENODATA;
}

int load_note(struct load *l, struct map *m, sqlite3_stmt *q, const char *what, uint32_t id)
{
	int64_t row = sqlite3_column_int64(q, 0);
	uint32_t *at;

	if (row < 1)
		return load_corrupt(l, "%s has the number %lld", what, (long long)row);
	at = id == WIN_NONE ? NULL : map_put(m, &row, NULL);
	if (!at)
		return -ENOMEM;
	*at = id;
	return 0;
}

int load_refer(struct load *l, const struct map *m, sqlite3_stmt *q, int col, const char *what, uint32_t *ret)
{
	int64_t row = sqlite3_column_int64(q, col);
	const uint32_t *id = map_get(m, &row);

	*ret = WIN_NONE;
	if (!id)
		return load_corrupt(l, "a row refers to %s %lld, which is not there", what, (long long)row);
	*ret = *id;
	return 0;
}

int load_refer_known(struct load *l, const struct map *m, sqlite3_stmt *q, int col, const char *what, uint32_t *ret)
{
	*ret = WIN_NONE;
	return sqlite3_column_type(q, col) == SQLITE_NULL || sqlite3_column_int64(q, col) == 0 ? 0 :
	       load_refer(l, m, q, col, what, ret);
}

const char *load_text(sqlite3_stmt *q, int col)
{
	return (const char *)sqlite3_column_text(q, col);
}

const char *load_keep(struct load *l, sqlite3_stmt *q, int col)
{
	const char *text = load_text(q, col);

	return text ? arena_strdup(&l->w->arena, text) : NULL;
}

double load_real(sqlite3_stmt *q, int col)
{
	return sqlite3_column_type(q, col) == SQLITE_NULL ? NAN : sqlite3_column_double(q, col);
}

int load_each(struct load *l, sqlite3_stmt *q, int (*each)(struct load *l, sqlite3_stmt *q))
{
	int rc = q ? 0 : -EIO;

	while (rc == 0 && (rc = sql_step(l->s, q)) > 0)
		rc = each(l, q);
	if (rc < 0 && q)
		sqlite3_reset(q);
	return rc;
}

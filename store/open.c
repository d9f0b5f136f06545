/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening.  A file is looked at as plain bytes before SQLite gets to see it, so that a foreign one is never written to and
 * gets no -wal, -shm or .lock beside it.
 */
#include "store/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/lock.h"
#include "store/open.h"
#include "store/retain.h"
#include "store/wall.h"

extern const char schema_001[];

#define HEADER_BYTES 100          /* of a database file: https://sqlite.org/fileformat2.html, section 1.3 */
#define HEADER_MAGIC "SQLite format 3"

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int header_check(const char *path, const uint8_t *h, off_t size, struct store_error *err)
{
	uint32_t page = (uint32_t)h[16] << 8 | h[17];

	if (memcmp(h, HEADER_MAGIC, sizeof(HEADER_MAGIC)) != 0)
		return error_set(err, EMEDIUMTYPE, "%s: not a recording (not a database at all): give another file with --db", path);
	if (be32(h + 68) != STORE_APPLICATION_ID)
		return error_set(err, EMEDIUMTYPE, "%s: a database of another program, not a recording: give another file with --db",
				 path);
	if (be32(h + 60) != STORE_USER_VERSION)
		return error_set(err, EPROTO, "%s: a recording of schema %u, this program reads schema %d: use the version that wrote it",
				 path, be32(h + 60), STORE_USER_VERSION);
	page = page == 1 ? 65536 : page;
	if (page < 512 || size % page != 0 || size < (off_t)page)
		return error_set(err, ENODATA, "%s: truncated: its size is not a whole number of pages; copy it again from its source",
				 path);
	return 0;
}

/* Looks at the file without SQLite. 0 (a recording, as far as its header says), 1 (empty), or negative. */
static int file_check(const char *path, struct store_error *err)
{
	uint8_t h[HEADER_BYTES];
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;

	if (fd < 0)
		return error_set(err, errno, errno == ENOENT ? "%s: no such file" :
				 errno == EACCES ? "%s: may not be read: become root, or join the group that owns it" :
				 "%s: cannot be opened", path);
	rc = fstat(fd, &st) < 0 ? -errno : 0;
	n = rc || !S_ISREG(st.st_mode) ? 0 : pread(fd, h, sizeof(h), 0);
	close(fd);
	if (rc || n < 0)
		return error_set(err, EIO, "%s: cannot be read", path);
	if (S_ISDIR(st.st_mode))
		return error_set(err, EISDIR, "%s: is a directory: give a file", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EMEDIUMTYPE, "%s: not a regular file", path);
	if (st.st_size == 0)
		return 1;
	if (n < HEADER_BYTES)
		return error_set(err, EMEDIUMTYPE, "%s: not a recording (too short to be one): give another file with --db", path);
	return header_check(path, h, st.st_size, err);
}

/* "file:" URI of a path, with what means something in a URI escaped; caller frees. */
static char *uri_of(const char *path, const char *query)
{
	static const char hex[] = "0123456789ABCDEF";
	char *uri = malloc(5 + 3 * strlen(path) + strlen(query) + 1), *out = uri;

	if (!uri)
		return NULL;
	out = stpcpy(out, "file:");
	for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
		if (*p <= ' ' || *p >= 127 || strchr("%?#", *p)) {
			*out++ = '%';
			*out++ = hex[*p >> 4];
			*out++ = hex[*p & 15];
		} else {
			*out++ = (char)*p;
		}
	}
	strcpy(out, query);
	return uri;
}

char *store_uri(const char *path, const char *query)
{
	/* Without a directory in front, "file:a/b" would be fine but "file://…" would name a host. */
	char *full = realpath(path, NULL), *uri;

	uri = uri_of(full ? full : path, query);
	free(full);
	return uri;
}

/* Nobody is writing, and nothing waits in a -wal: the main file alone is the recording, and reading it may leave no trace. */
bool store_file_settled(const char *path)
{
	char name[4096];
	struct stat st;

	snprintf(name, sizeof(name), "%s-wal", path);
	return (stat(name, &st) < 0 || st.st_size == 0) && lock_holder(path) == 0;
}

static struct store *handle_new(const char *path, struct store_error *err)
{
	struct store *s = calloc(1, sizeof(*s));

	if (s)
		s->path = strdup(path);
	if (!s || !s->path) {
		free(s);
		error_set(err, ENOMEM, "%s: out of memory", path);
		return NULL;
	}
	s->lock_fd = s->inotify_fd = -1;
	dict_init(&s->dict);
	return s;
}

static void db_close(struct store *s)
{
	for (size_t i = 0; i < s->cache.n; i++)
		sqlite3_finalize(s->cache.v[i].stmt);
	s->cache.n = 0;
	sqlite3_close(s->db);
	s->db = NULL;
}

/* The file was removed: what SQLite kept beside it belongs to nothing any more. */
static void companions_remove(const struct store *s)
{
	static const char *const suffix[] = {"-wal", "-shm"};
	char name[4096];

	for (size_t i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s%s", s->path, suffix[i]);
		unlink(name);
	}
}

void store_close(struct store *s)
{
	if (!s)
		return;
	db_close(s);        /* the last connection checkpoints and removes -wal and -shm */
	if (s->ino && access(s->path, F_OK) < 0 && errno == ENOENT)
		companions_remove(s);
	if (s->created)     /* a recorder that could not begin leaves no empty recording behind */
		unlink(s->path);
	if (s->inotify_fd >= 0)
		close(s->inotify_fd);
	lock_release(s->lock_fd, s->path);
	dict_done(&s->dict);
	sweep_done(&s->sweep);
	vec_done(&s->cache);
	vec_done(&s->blob);
	free(s->path);
	free(s);
}

/* By a URI always, ours: SQLite may be built to take a path that begins with "file:" for one, or ":memory:" for no file. */
static int db_open(struct store *s, const char *query, int flags, const char *vfs)
{
	char *uri = store_uri(s->path, query);
	int rc = uri ? sqlite3_open_v2(uri, &s->db, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, vfs) : SQLITE_NOMEM;

	free(uri);
	if (rc != SQLITE_OK)
		return s->db ? sql_failed(s) : -ENOMEM;
	sqlite3_busy_timeout(s->db, BUSY_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return 0;
}

/* Reads through SQLite what the header said already: proves that the file is no torn copy and that it may be read. */
static int db_probe(struct store *s)
{
	sqlite3_stmt *q;
	int rc;

	q = sql_get(s, "SELECT count(*) FROM tick WHERE id = 0");
	if (!q)
		return sqlite3_errcode(s->db) == SQLITE_ERROR ? -ENODATA : sql_failed(s);
	rc = sql_step(s, q);
	sqlite3_reset(q);
	return rc < 0 ? rc : 0;
}

/* A copy that lost its tail: the header says how many pages there should be, where it is up to date. */
static int db_whole(struct store *s)
{
	int64_t pages = sql_int(s, "PRAGMA page_count", 0);
	struct stat st;

	if (!s->immutable || stat(s->path, &st) < 0 || pages * STORE_PAGE <= st.st_size)
		return 0;
	snprintf(s->why, sizeof(s->why), "truncated: %lld of %lld bytes are there; copy it again from its source",
		 (long long)st.st_size, (long long)pages * STORE_PAGE);
	return -ENODATA;
}

static int header_pages_check(const char *path, struct store_error *err)
{
	uint8_t h[HEADER_BYTES];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && fstat(fd, &st) == 0 && pread(fd, h, sizeof(h), 0) == HEADER_BYTES;

	if (fd >= 0)
		close(fd);
	if (ok && memcmp(h + 24, h + 92, 4) == 0 && (int64_t)be32(h + 28) * STORE_PAGE > st.st_size)
		return error_set(err, ENODATA, "%s: truncated: %lld of %lld bytes are there; copy it again from its source", path,
				 (long long)st.st_size, (long long)be32(h + 28) * STORE_PAGE);
	return 0;
}

static int reader_connect(struct store *s, bool immutable)
{
	int rc = db_open(s, immutable ? STORE_URI_IMMUTABLE : STORE_URI_READ, SQLITE_OPEN_READONLY, NULL);

	s->immutable = immutable;
	return rc ? rc : db_probe(s);
}

int store_reconnect(struct store *s)
{
	int rc = reader_connect(s, store_file_settled(s->path));

	/* Nobody may create -shm here: read-only media, or a directory of somebody else. */
	if ((rc == -EACCES || rc == -EIO) && !s->immutable && lock_holder(s->path) == 0) {
		db_close(s);
		rc = reader_connect(s, true);
	}
	return rc ? rc : db_whole(s);
}

int store_refresh(struct store *s)
{
	if (!s->immutable || store_file_settled(s->path))
		return 0;
	db_close(s);
	return store_reconnect(s);
}

struct store *store_open_reader(const char *path, struct store_error *err)
{
	struct store *s;
	int rc = file_check(path, err);

	if (rc == 1)
		error_set(err, ENODATA, "%s: is empty: nothing was recorded into it", path);
	if (rc || (store_file_settled(path) && header_pages_check(path, err) < 0))
		return NULL;
	s = handle_new(path, err);
	if (!s)
		return NULL;
	rc = store_reconnect(s);
	if (rc == 0)
		return s;
	error_from(s, err, rc);
	store_close(s);
	return NULL;
}

/* A symbolic link that somebody else made may lead a root process anywhere. And a hard link is a second name, with a
 * -wal of its own: SQLite calls that a way to corrupt a database. */
static int link_check(const char *path, struct store_error *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return 0;
	if (S_ISREG(st.st_mode) && st.st_nlink > 1)
		return error_set(err, EMLINK, "%s: has another name too (hard link): remove one of them first", path);
	if (!S_ISLNK(st.st_mode) || st.st_uid == geteuid())
		return 0;
	return error_set(err, ELOOP, "%s: a symbolic link of another user: give the file that it names", path);
}

/* 0: it is a recording already, 1: it is missing or empty, negative. */
static int writer_check(const char *path, struct store_error *err)
{
	int rc = link_check(path, err);

	if (rc < 0)
		return rc;
	return access(path, F_OK) < 0 && errno == ENOENT ? 1 : file_check(path, err);
}

static int writer_lock(struct store *s, struct store_error *err)
{
	uint32_t pid;
	int fd = lock_take(s->path, &pid);

	if (fd >= 0) {
		s->lock_fd = fd;
		return 0;
	}
	if (fd == -EBUSY)
		return error_set(err, EBUSY, "%s: process %u is writing it: stop that one (rootle stop), or give another file with --db",
				 s->path, pid);
	return error_set(err, fd, fd == -ENOENT ? "%s: its directory does not exist: create it first" :
			 fd == -EACCES || fd == -EROFS ? "%s: may not be written: become root, or give another file with --db" :
			 fd == -ENOSPC ? "%s: no space left on its disk: free some" : "%s: its .lock file cannot be made", s->path);
}

static int schema_create(struct store *s)
{
	int rc = sql_exec(s, "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = DELETE; "
			     "BEGIN EXCLUSIVE");

	if (rc == 0)
		rc = sql_exec(s, schema_001);
	if (rc == 0)
		rc = sql_exec(s, "COMMIT");
	if (rc < 0)
		sql_rollback(s);
	return rc;
}

int store_create_plain(const char *path, struct store **ret, struct store_error *err)
{
	struct store *s = *ret = handle_new(path, err);
	int rc;

	if (!s)
		return -ENOMEM;
	rc = db_open(s, STORE_URI_WRITE, SQLITE_OPEN_READWRITE, NULL);
	if (rc == 0)
		rc = schema_create(s);
	if (rc == 0)
		return 0;
	error_from(s, err, rc);
	store_close(s);
	return rc;
}

/* Under another name first: kill -9 in the middle leaves no half-made recording, and its leftover is removed here. */
static int writer_create(struct store *s, struct store_error *err)
{
	struct store *fresh;
	char *temp;
	int rc;

	if (asprintf(&temp, "%s.new", s->path) < 0)
		return error_set(err, ENOMEM, "%s: out of memory", s->path);
	unlink(temp);
	rc = file_create(temp);
	if (rc < 0) {
		error_set(err, rc, "%s: cannot be created: %s", s->path, strerror(-rc));
	} else {
		close(rc);
		rc = store_create_plain(temp, &fresh, err);
	}
	if (rc == 0) {
		store_close(fresh);
		rc = rename(temp, s->path) < 0 ? error_set(err, errno, "%s: cannot be created", s->path) : 0;
		s->created = rc == 0;
	}
	unlink(temp);
	free(temp);
	return rc;
}

/* The most frames that wait in the -wal before they go into the main file. */
static int wal_frames(const struct store_limits *l)
{
	int64_t frames = l->max_bytes / 32 / STORE_PAGE;

	return l->max_bytes == 0 || frames > 1000 ? 1000 : frames < 32 ? 32 : (int)frames;
}

static int writer_configure(struct store *s)
{
	char text[256];
	int rc;

	snprintf(text, sizeof(text), "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = OFF; "
		 "PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = %d; PRAGMA journal_size_limit = %lld",
		 wal_frames(&s->limits), 2ll * wal_frames(&s->limits) * STORE_PAGE);
	rc = sql_exec(s, text);
	if (rc == 0)
		rc = db_probe(s);
	if (rc == 0)
		s->last_tick_id = sql_int(s, "SELECT max(id) FROM tick", 0);
	return rc;
}

static int file_remember(struct store *s, struct store_error *err)
{
	struct stat st;

	if (stat(s->path, &st) < 0)
		return error_set(err, errno, "%s: cannot be opened: %s", s->path, strerror(errno));
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return 0;
}

bool store_is_there(const struct store *s)
{
	struct stat st;

	return stat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino;
}

static int writer_start(struct store *s, struct store_error *err)
{
	int rc = wall_register(), state;

	if (rc < 0)
		return error_set(err, ENOMEM, "%s: out of memory", s->path);
	state = writer_check(s->path, err);        /* again, now that nobody else writes */
	if (state == 1)
		state = writer_create(s, err);
	if (state < 0)
		return state;
	rc = db_open(s, STORE_URI_WRITE, SQLITE_OPEN_READWRITE, WALL_VFS);
	if (rc == 0)
		rc = writer_configure(s);
	if (rc == 0)
		rc = retain_open(s);
	return rc < 0 ? error_from(s, err, rc) : file_remember(s, err);
}

struct store *store_open_writer(const char *path, const struct store_limits *limits, struct store_error *err)
{
	struct store *s;
	int rc;

	if (limits && limits->max_bytes && limits->max_bytes < STORE_MIN_BYTES) {
		error_set(err, EINVAL, "%s: a recording needs at least %lldK: give a larger --max-size", path, STORE_MIN_BYTES / 1024);
		return NULL;
	}
	rc = writer_check(path, err);
	s = rc < 0 ? NULL : handle_new(path, err);
	if (!s)
		return NULL;
	s->writer = true;
	if (limits)
		s->limits = *limits;
	rc = writer_lock(s, err);
	if (rc == 0)
		rc = writer_start(s, err);
	if (rc == 0)
		return s;
	store_close(s);
	return NULL;
}

int store_open_beside(const char *path, struct store **ret, struct store_error *err)
{
	int rc = wall_register() < 0 ? error_set(err, ENOMEM, "%s: out of memory", path) : link_check(path, err);

	if (rc == 0)
		rc = file_check(path, err);
	if (rc == 1)
		return error_set(err, ENODATA, "%s: is empty: nothing was recorded into it", path);
	*ret = rc < 0 ? NULL : handle_new(path, err);
	if (!*ret)
		return rc < 0 ? rc : -ENOMEM;
	rc = db_open(*ret, STORE_URI_WRITE, SQLITE_OPEN_READWRITE, WALL_VFS);
	if (rc == 0) {
		/* The writer grows the main file by itself (wall.c): nobody else may checkpoint meanwhile. */
		sqlite3_db_config((*ret)->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, lock_holder(path) != 0, NULL);
		sqlite3_wal_autocheckpoint((*ret)->db, 0);
		rc = db_probe(*ret);
	}
	if (rc == 0)
		return 0;
	error_from(*ret, err, rc);
	store_close(*ret);
	return rc;
}

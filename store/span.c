/* SPDX-License-Identifier: BSD-2-Clause */
/* What there is in a recording, waiting for more, and the small writes: meta and marks. */
#include "store/handle.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/lock.h"
#include "store/open.h"
#include "store/rows.h"

#define POLL_MS 250       /* between two looks where inotify tells nothing */
#define SETTLE_MS 4       /* from the last write to the -wal to the commit being visible through -shm */

/* By the index on t_ns alone: a long recording is asked twice a second. Imported spans may be all there is. */
int span_range(struct store *s, int64_t *first_ns, int64_t *last_ns)
{
	sqlite3_stmt *q = sql_get(s, "SELECT ifnull((SELECT min(t_ns) FROM tick), (SELECT min(t_ns) FROM span)), "
				     "ifnull((SELECT max(t_ns + dur_ns) FROM tick WHERE t_ns >= (SELECT max(t_ns) FROM tick) - 3600000000000), "
				     "(SELECT max(t_ns + dur_ns) FROM span WHERE t_ns >= (SELECT max(t_ns) FROM span) - 3600000000000))");
	int rc = q ? sql_step(s, q) : -EIO;

	if (rc <= 0)
		return rc < 0 ? rc : -EIO;
	*first_ns = sqlite3_column_int64(q, 0);
	*last_ns = sqlite3_column_int64(q, 1);
	sqlite3_reset(q);
	if (*first_ns >= 0)
		return 0;
	snprintf(s->why, sizeof(s->why), "is corrupt: a time before 1970; copy the file again from its source");
	return -ENODATA;
}

int store_span(struct store *s, struct store_span *ret, struct store_error *err)
{
	int rc = store_refresh(s);

	*ret = (struct store_span){0};
	if (rc == 0)
		rc = span_range(s, &ret->first_ns, &ret->last_ns);
	if (rc < 0)
		return error_from(s, err, rc);
	ret->ticks = (uint64_t)sql_int(s, "SELECT count(*) FROM tick", 0);
	ret->file_bytes = store_files_bytes(s->path);
	ret->writer_pid = s->writer ? (uint32_t)getpid() : lock_holder(s->path);
	return 0;
}

uint32_t store_writer_pid(const char *path)
{
	return lock_holder(path);
}

char *store_meta(struct store *s, const char *key)
{
	sqlite3_stmt *q = store_refresh(s) == 0 ? sql_get(s, "SELECT value FROM meta WHERE key = ?1") : NULL;
	char *value = NULL;

	if (!q)
		return NULL;
	bind_text(q, 1, key);
	if (sql_step(s, q) > 0) {
		value = strdup((const char *)sqlite3_column_text(q, 0));
		sqlite3_reset(q);
	}
	return value;
}

int store_put_meta(struct store *s, const char *key, const char *value, struct store_error *err)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO meta(key, value) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value");
	int rc;

	bind_text(q, 1, key);
	bind_text(q, 2, value);
	rc = sql_run(s, q);
	return rc < 0 ? error_from(s, err, rc) : 0;
}

int store_mark(const char *path, int64_t unix_ns, const char *text, struct store_error *err)
{
	struct event_row row = {.t_ns = unix_ns, .kind = "mark", .detail = text, .source = SOURCE_RECORDED};
	struct store *s;
	int rc = store_open_beside(path, &s, err);

	if (rc < 0)
		return rc;
	rc = row_event(s, &row);
	if (rc == -EACCES)
		snprintf(s->why, sizeof(s->why), "may not be written: become root, or the user that records");
	if (rc < 0)
		error_from(s, err, rc);
	store_close(s);
	return rc;
}

/* Waits until something was written, or a while. */
static void wait_for_write(struct store *s, int timeout_ms)
{
	struct pollfd fd = {.fd = s->inotify_fd, .events = POLLIN};
	char name[4096], drain[4096];

	if (s->inotify_fd < 0)
		fd.fd = s->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	snprintf(name, sizeof(name), "%s-wal", s->path);
	/* Again each time: the -wal may have been made anew. Where it is the same, this changes nothing. */
	if (fd.fd >= 0)
		inotify_add_watch(fd.fd, name, IN_MODIFY);
	if (poll(&fd, fd.fd >= 0, timeout_ms < POLL_MS ? timeout_ms : POLL_MS) > 0) {
		while (read(fd.fd, drain, sizeof(drain)) > 0)
			;
		poll(NULL, 0, SETTLE_MS);
	}
}

int store_wait(struct store *s, int64_t *last_ns, int timeout_ms, struct store_error *err)
{
	uint64_t end_ns = clock_ts_ns() + (uint64_t)timeout_ms * NS_PER_MS, now_ns;

	for (;;) {
		int rc = store_refresh(s);
		int64_t newest;

		if (rc < 0)
			return error_from(s, err, rc);
		newest = sql_int(s, "SELECT t_ns + dur_ns FROM tick ORDER BY t_ns DESC LIMIT 1", 0);
		if (newest > *last_ns) {
			*last_ns = newest;
			return 1;
		}
		now_ns = clock_ts_ns();
		if (now_ns >= end_ns)
			return 0;
		wait_for_write(s, (int)((end_ns - now_ns) / NS_PER_MS) + 1);
	}
}

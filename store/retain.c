/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/retain.h"

#include <errno.h>
#include <stdio.h>

#include "store/handle.h"
#include "store/wall.h"

#define RESERVE_MIN (384 * 1024ll)        /* of max_bytes, for -wal and -shm; else an eighth of it */
#define AGE_SLICE 16                      /* ticks pruned by age in one put */
#define TIDY_PUTS 64                      /* puts between two looks for processes that no tick refers to */
#define SLACK_PAGES 24                    /* what a put may take beside its rows: a page split in each table and index */
#define SHRINK_PAGES 256                  /* pages given back in one transaction */

static int64_t page_count(struct store *s)
{
	return sql_int(s, "PRAGMA page_count", 0);
}

static int64_t free_pages(struct store *s)
{
	return sql_int(s, "PRAGMA freelist_count", 0);
}

/* Deletes a tick with its rows. */
static int tick_delete(struct store *s, int64_t id)
{
	static const char *const sql[] = {
		"DELETE FROM requests WHERE tick = ?1", "DELETE FROM outcome WHERE tick = ?1", "DELETE FROM tcp WHERE tick = ?1",
		"DELETE FROM downstream WHERE tick = ?1", "DELETE FROM tls WHERE tick = ?1", "DELETE FROM point WHERE tick = ?1",
		"DELETE FROM log WHERE tick = ?1", "DELETE FROM process_tick WHERE tick = ?1",
		"DELETE FROM cgroup_tick WHERE tick = ?1", "DELETE FROM profile WHERE tick = ?1",
		"DELETE FROM loss WHERE tick = ?1", "DELETE FROM tick WHERE id = ?1",
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(sql) / sizeof(*sql); i++) {
		sqlite3_stmt *q = sql_get(s, sql[i]);

		sqlite3_bind_int64(q, 1, id);
		rc = sql_run(s, q);
	}
	return rc;
}

/* Events and spans have no tick: they go with the ticks of their time. */
static int events_delete(struct store *s, int64_t before_ns)
{
	static const char *const sql[] = {"DELETE FROM event WHERE source < 2 AND t_ns < ?1",
					  "DELETE FROM span WHERE source < 2 AND t_ns < ?1"};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(sql) / sizeof(*sql); i++) {
		sqlite3_stmt *q = sql_get(s, sql[i]);

		sqlite3_bind_int64(q, 1, before_ns);
		rc = sql_run(s, q);
	}
	return rc;
}

/* The oldest recorded tick that ended by end_ns goes. 1: it went, 0: there is none, negative. */
static int oldest_delete(struct store *s, int64_t end_ns)
{
	sqlite3_stmt *q = sql_get(s, "SELECT id, t_ns + dur_ns FROM tick WHERE source < 2 ORDER BY t_ns LIMIT 1");
	int64_t id, end;
	int rc = q ? sql_step(s, q) : -EIO;

	if (rc <= 0)
		return rc;
	id = sqlite3_column_int64(q, 0);
	end = sqlite3_column_int64(q, 1);
	sqlite3_reset(q);
	if (end > end_ns)
		return 0;
	rc = tick_delete(s, id);
	if (rc == 0)
		rc = events_delete(s, end);
	return rc < 0 ? rc : 1;
}

static int imported_fill(struct store *s)
{
	snprintf(s->why, sizeof(s->why), "imported rows fill --max-size: give a larger one, or record into another file");
	return -ENOSPC;
}

/* Free pages that are certainly enough for so many bytes of rows. */
static int64_t pages_for(int64_t bytes)
{
	return bytes / STORE_PAGE * 5 / 4 + SLACK_PAGES;
}

int retain_room(struct store *s, int64_t bytes)
{
	int64_t need = pages_for(bytes), most = s->max_pages;
	int rc;

	while (most && free_pages(s) + most - page_count(s) < need) {
		rc = oldest_delete(s, INT64_MAX);
		if (rc <= 0)
			return rc < 0 ? rc : imported_fill(s);
	}
	return 0;
}

int retain_squeeze(struct store *s, int64_t bytes, int most)
{
	int gone = 0, rc = 1;

	while (gone < most && free_pages(s) < pages_for(bytes)) {
		rc = oldest_delete(s, INT64_MAX);
		if (rc <= 0)
			break;
		gone++;
	}
	return rc < 0 ? rc : gone;
}

/* Processes that ended their activity before the first tick. */
static int tidy(struct store *s)
{
	return sql_exec(s, "DELETE FROM process WHERE source < 2 AND last_ns < "
			   "(SELECT min(t_ns) FROM tick WHERE source < 2) - 120000000000");
}

int retain_age(struct store *s, int64_t now_ns)
{
	int rc = 1;

	if (s->limits.keep_ns > 0)
		for (int i = 0; rc > 0 && i < AGE_SLICE; i++)
			rc = oldest_delete(s, now_ns - s->limits.keep_ns);
	if (rc >= 0 && s->puts % TIDY_PUTS == TIDY_PUTS - 1)
		rc = tidy(s);
	return rc < 0 ? rc : 0;
}

int retain_relieve(struct store *s)
{
	int rc;

	sqlite3_busy_timeout(s->db, 0);
	rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	return rc == SQLITE_OK ? 0 : -ENOSPC;
}

static int64_t reserve_bytes(int64_t max_bytes)
{
	return max_bytes / 8 < RESERVE_MIN ? RESERVE_MIN : max_bytes / 8;
}

/* A slice of giving pages back: deletes while too much is in use, then moves the rest to the front. */
static int shrink_slice(struct store *s)
{
	char text[64];
	int rc = sql_exec(s, "BEGIN IMMEDIATE"), more = 1;

	for (int i = 0; rc == 0 && more > 0 && i < AGE_SLICE && page_count(s) - free_pages(s) > s->max_pages - SLACK_PAGES; i++) {
		more = oldest_delete(s, INT64_MAX);
		rc = more < 0 ? more : 0;
	}
	snprintf(text, sizeof(text), "PRAGMA incremental_vacuum(%d)", SHRINK_PAGES);
	if (rc == 0)
		rc = sql_exec(s, text);
	if (rc == 0)
		rc = sql_exec(s, "COMMIT");
	if (rc < 0)
		sql_rollback(s);
	else if (more == 0)
		rc = imported_fill(s);
	return rc;
}

static int shrink(struct store *s)
{
	int rc = 0;

	while (rc == 0 && page_count(s) > s->max_pages) {
		rc = shrink_slice(s);
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	}
	return rc;
}

int retain_open(struct store *s)
{
	char text[64];
	int rc;

	if (!s->limits.max_bytes)
		return 0;
	s->max_pages = (s->limits.max_bytes - reserve_bytes(s->limits.max_bytes)) / STORE_PAGE;
	rc = shrink(s);
	if (rc < 0)
		return rc;
	snprintf(text, sizeof(text), "PRAGMA max_page_count = %lld", (long long)s->max_pages);
	rc = sql_exec(s, text);
	wall_set(s->db, s->limits.max_bytes);
	return rc;
}

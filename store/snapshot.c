/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Snapshot: a new file into which the wanted rows are copied, redacted on the way, so that nothing that was taken out is
 * ever written, not even to a free page.
 */
#include "store/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/redact.h"
#include "store/open.h"
#include "store/scrub.h"

#define TEXT_MAX 8192             /* of a redacted value */

/* ?1, ?2: the range. */
#define TICKS "(SELECT id FROM src.tick WHERE t_ns < ?2 AND t_ns + dur_ns > ?1)"

/* It was recorded with the values of operations. */
#define IS_RAW "EXISTS (SELECT 1 FROM src.meta WHERE key = 'raw')"

static const char *const copy_table[] = {
	"INSERT INTO meta SELECT key, scrub_text(value) FROM src.meta WHERE key <> 'raw'",
	"INSERT INTO service SELECT * FROM src.service",
	"INSERT INTO edge SELECT * FROM src.edge",
	"INSERT INTO op SELECT id, text FROM src.op WHERE NOT " IS_RAW,
	/* operations that differed by values only are numbered, because each has rows of its own */
	"WITH p AS (SELECT r.op, min(e.protocol) AS lo, max(e.protocol) AS hi FROM src.requests r JOIN src.edge e ON e.id = r.edge GROUP BY r.op), "
	"t AS (SELECT o.id, scrub_op(CASE WHEN p.lo = p.hi THEN p.lo END, o.text) AS text FROM src.op o LEFT JOIN p ON p.op = o.id), "
	"n AS (SELECT id, text, row_number() OVER (PARTITION BY text ORDER BY id) AS k FROM t) "
	"INSERT OR IGNORE INTO op SELECT id, CASE WHEN k = 1 THEN text ELSE text || ' (' || k || ')' END FROM n WHERE " IS_RAW,
	"INSERT INTO series SELECT * FROM src.series",
	"INSERT INTO pattern SELECT id, service, template, level, scrub_text(sample) FROM src.pattern",
	"INSERT INTO process SELECT id, pid, start_ns, ppid, service, comm, exe, scrub_cmdline(cmdline), cgroup, end_ns, last_ns, source "
	"FROM src.process WHERE start_ns < ?2 AND last_ns + 60000000000 >= ?1",
	"INSERT INTO cgroup SELECT * FROM src.cgroup",
	"INSERT OR REPLACE INTO frame SELECT id, scrub_frame(name) FROM src.frame",
	"INSERT OR REPLACE INTO stack SELECT * FROM src.stack",
	"INSERT INTO tick SELECT * FROM src.tick WHERE t_ns < ?2 AND t_ns + dur_ns > ?1",
	"INSERT INTO requests SELECT * FROM src.requests WHERE tick IN " TICKS,
	"INSERT INTO outcome SELECT * FROM src.outcome WHERE tick IN " TICKS,
	"INSERT INTO downstream SELECT * FROM src.downstream WHERE tick IN " TICKS,
	"INSERT INTO tcp SELECT * FROM src.tcp WHERE tick IN " TICKS,
	"INSERT INTO tls SELECT * FROM src.tls WHERE tick IN " TICKS,
	"INSERT INTO point SELECT * FROM src.point WHERE tick IN " TICKS,
	"INSERT INTO log SELECT * FROM src.log WHERE tick IN " TICKS,
	"INSERT INTO process_tick SELECT * FROM src.process_tick WHERE tick IN " TICKS,
	"INSERT INTO cgroup_tick SELECT * FROM src.cgroup_tick WHERE tick IN " TICKS,
	"INSERT INTO profile SELECT * FROM src.profile WHERE tick IN " TICKS,
	"INSERT INTO loss SELECT * FROM src.loss WHERE tick IN " TICKS,
	"INSERT INTO event SELECT id, t_ns, service, kind, scrub_text(detail), scrub_text(version_before), scrub_text(version_after), "
	"scrub_text(actor), pid, source FROM src.event WHERE t_ns >= ?1 AND t_ns < ?2",
	"INSERT INTO span SELECT * FROM src.span WHERE trace IN "
	"(SELECT trace FROM src.span WHERE t_ns < ?2 AND t_ns + dur_ns >= ?1)",
};

static void scrub_fn(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	char *(*scrub)(char *, size_t, const char *) = sqlite3_user_data(ctx);
	const char *text = (const char *)sqlite3_value_text(argv[0]);
	char buf[TEXT_MAX];

	if (text)
		sqlite3_result_text(ctx, scrub(buf, sizeof(buf), text), -1, SQLITE_TRANSIENT);
}

static void scrub_op_fn(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *protocol = (const char *)sqlite3_value_text(argv[0]), *op = (const char *)sqlite3_value_text(argv[1]);
	char buf[TEXT_MAX];

	if (op)
		sqlite3_result_text(ctx, buf, (int)redact_op(buf, sizeof(buf), protocol, op), SQLITE_TRANSIENT);
}

static int attach(struct store *out, const struct store *s)
{
	char *uri = store_uri(s->path, s->immutable ? STORE_URI_IMMUTABLE : STORE_URI_READ);
	sqlite3_stmt *q;
	int rc;

	if (!uri)
		return -ENOMEM;
	q = sql_get(out, "ATTACH ?1 AS src");
	bind_text(q, 1, uri);
	rc = sql_run(out, q);
	free(uri);
	return rc;
}

static int copy_rows(struct store *out, int64_t since_ns, int64_t until_ns)
{
	int rc = sql_exec(out, "BEGIN");

	for (size_t i = 0; rc == 0 && i < sizeof(copy_table) / sizeof(*copy_table); i++) {
		sqlite3_stmt *q = sql_get(out, copy_table[i]);

		if (q && sqlite3_bind_parameter_count(q) == 2) {
			sqlite3_bind_int64(q, 1, since_ns);
			sqlite3_bind_int64(q, 2, until_ns);
		}
		rc = sql_run(out, q);
	}
	if (rc == 0)
		rc = sql_exec(out, "COMMIT");
	if (rc < 0)
		sql_rollback(out);
	return rc;
}

static int snapshot_fill(struct store *out, const struct store *s, int64_t since_ns, int64_t until_ns)
{
	int rc = attach(out, s);

	sqlite3_create_function(out->db, "scrub_text", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, (void *)scrub_text, scrub_fn, NULL, NULL);
	sqlite3_create_function(out->db, "scrub_cmdline", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, (void *)scrub_cmdline, scrub_fn, NULL,
				NULL);
	sqlite3_create_function(out->db, "scrub_frame", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, (void *)scrub_frame, scrub_fn, NULL, NULL);
	sqlite3_create_function(out->db, "scrub_op", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, scrub_op_fn, NULL, NULL);
	if (rc == 0)
		rc = copy_rows(out, since_ns, until_ns);
	return rc;
}

/* An empty file of ours beside the target, named in temp. */
static int temp_create(char *temp, size_t cap, const char *to, struct store_error *err)
{
	int fd;

	if ((size_t)snprintf(temp, cap, "%s.XXXXXX", to) >= cap)
		return error_set(err, ENAMETOOLONG, "%s: too long a name", to);
	fd = mkostemp(temp, O_CLOEXEC);       /* mode 0600 */
	if (fd < 0)
		return error_set(err, errno, "%s: cannot be created: %s", to, strerror(errno));
	close(fd);
	return 0;
}

/* link() refuses a name that is taken, whoever took it and since when. */
static int publish(const char *temp, const char *to, struct store_error *err)
{
	if (link(temp, to) == 0)
		return 0;
	return error_set(err, errno, errno == EEXIST ? "%s: exists already: give a new name" : "%s: cannot be created", to);
}

int store_snapshot(struct store *s, const char *to, int64_t since_ns, int64_t until_ns, struct store_error *err)
{
	char temp[4096];
	struct store *out;
	struct stat st;
	int rc = store_refresh(s);

	if (rc < 0)
		return error_from(s, err, rc);
	if (lstat(to, &st) == 0)
		return error_set(err, EEXIST, "%s: exists already: give a new name", to);
	rc = temp_create(temp, sizeof(temp), to, err);
	if (rc < 0)
		return rc;
	rc = store_create_plain(temp, &out, err);
	if (rc == 0) {
		rc = snapshot_fill(out, s, since_ns, until_ns);
		if (rc < 0)
			error_from(out, err, rc);
		store_close(out);
	}
	if (rc == 0)
		rc = publish(temp, to, err);
	unlink(temp);
	return rc;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/roll.h"

#include <errno.h>
#include <math.h>

#include "store/fold.h"
#include "store/handle.h"
#include "store/rows.h"

#define SLICES 2                  /* tables a put: a bucket of ten ticks has seven, so this also catches up after a pause */

/* The raw ticks of the bucket: ?2 its start, ?3 its end, ?4 the newest tick that goes in.  ?1 is the row it becomes. */
#define RAW "t.source = 0 AND t.t_ns >= ?2 AND t.t_ns < ?3 AND t.id <= ?4"
#define RAW_IDS "(SELECT t.id FROM tick t WHERE " RAW ")"
/* The value of x in the last tick: whole numbers below 2^31. */
#define LAST(x) "max((t.id << 31) | ifnull(" x ", 0)) & 0x7fffffff"
/* Any of the names of x that are there; they have no comma. */
#define ANY(x) "substr(group_concat(" x "), 1, instr(group_concat(" x ") || ',', ',') - 1)"

static int run(struct store *s, const char *sql)
{
	sqlite3_stmt *q = sql_get(s, sql);

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, s->roll.tick);
	sqlite3_bind_int64(q, 2, s->roll.bucket_ns);
	sqlite3_bind_int64(q, 3, s->roll.bucket_ns + ROLL_NS);
	sqlite3_bind_int64(q, 4, s->roll.last);
	return sql_run(s, q);
}

/* The requests of one edge and operation, being summed. */
struct sum { struct requests_row row; struct hist hist; };

static double plus(double a, sqlite3_stmt *q, int col)
{
	if (sqlite3_column_type(q, col) == SQLITE_NULL)
		return a;
	return (isnan(a) ? 0 : a) + sqlite3_column_double(q, col);
}

static void sum_begin(struct sum *u, int64_t tick, int64_t edge, int64_t op)
{
	hist_reset(&u->hist);
	u->row = (struct requests_row){.tick = tick, .edge = edge, .op = op, .errors = NAN, .waits = NAN, .sum_ns = NAN, .begun = NAN, .first_ns = NAN,
				       .bytes_request = NAN, .bytes_response = NAN, .rows = NAN, .hist = &u->hist};
	for (int i = 0; i < TIMED_NUMBERS; i++)
		u->row.timed[i] = NAN;
}

static int sum_end(struct store *s, struct sum *u)
{
	int rc;

	if (!u->row.edge)
		return 0;
	quantiles_ns(&u->hist, u->row.p_ns);
	rc = row_requests(s, &u->row);
	return rc == -EEXIST ? 0 : rc;
}

static int sum_add(struct store *s, struct sum *u, sqlite3_stmt *q)
{
	int64_t edge = sqlite3_column_int64(q, 0), op = sqlite3_column_int64(q, 1);
	int rc;

	if (edge != u->row.edge || op != u->row.op) {
		rc = sum_end(s, u);
		if (rc < 0)
			return rc;
		sum_begin(u, s->roll.tick, edge, op);
	}
	u->row.count = plus(u->row.count, q, 2);
	u->row.errors = plus(u->row.errors, q, 3);
	u->row.sum_ns = plus(u->row.sum_ns, q, 4);
	u->row.bytes_request = plus(u->row.bytes_request, q, 5);
	u->row.bytes_response = plus(u->row.bytes_response, q, 6);
	u->row.rows = plus(u->row.rows, q, 7);
	u->row.waits = plus(u->row.waits, q, 9);
	u->row.begun = plus(u->row.begun, q, 10);
	u->row.first_ns = plus(u->row.first_ns, q, 11);
	for (int i = 0; i < TIMED_NUMBERS; i++)
		u->row.timed[i] = plus(u->row.timed[i], q, 12 + i);
	if (sqlite3_column_type(q, 8) == SQLITE_BLOB)
		return hist_decode(&u->hist, sqlite3_column_blob(q, 8), (size_t)sqlite3_column_bytes(q, 8));
	return 0;
}

static int roll_requests(struct store *s)
{
	sqlite3_stmt *q = sql_get(s, "SELECT r.edge, r.op, r.count, r.errors, r.sum_ns, r.bytes_request, r.bytes_response, r.rows, r.hist, "
				     "r.waits, r.begun, r.first_ns, " TIMED_COLUMNS " FROM tick t "
				     "JOIN requests r ON r.tick = t.id WHERE " RAW " ORDER BY r.edge, r.op");
	struct sum u = {0};
	int rc;

	if (!q)
		return -EIO;
	hist_init(&u.hist);
	sqlite3_bind_int64(q, 2, s->roll.bucket_ns);
	sqlite3_bind_int64(q, 3, s->roll.bucket_ns + ROLL_NS);
	sqlite3_bind_int64(q, 4, s->roll.last);
	while ((rc = sql_step(s, q)) > 0) {
		rc = sum_add(s, &u, q);
		if (rc < 0)
			break;
	}
	sqlite3_reset(q);
	if (rc == 0)
		rc = sum_end(s, &u);
	hist_done(&u.hist);
	return rc < 0 ? rc : run(s, "DELETE FROM requests WHERE tick IN " RAW_IDS);
}

/* What becomes of the other tables' rows, and the rows' end. */
static const struct { const char *fold, *drop; } step_table[] = {
	{"INSERT OR IGNORE INTO point SELECT ?1, p.series, sum(p.value * t.dur_ns) / sum(t.dur_ns), max(p.lim) "
	 "FROM tick t JOIN point p ON p.tick = t.id WHERE " RAW " GROUP BY p.series",
	 "DELETE FROM point WHERE tick IN " RAW_IDS},
	{"INSERT OR IGNORE INTO tcp SELECT ?1, c.edge, sum(c.opened), sum(c.closed), sum(c.refused), sum(c.timeouts), sum(c.resets), "
	 "sum(c.retrans), " LAST("c.open") ", " LAST("c.inflight") ", max(c.oldest_ns), CAST(avg(c.srtt_us) AS INTEGER), "
	 "sum(c.bytes_out), sum(c.bytes_in), "
	 "CAST(sum(c.connect_p50_us * c.opened) / sum(iif(c.connect_p50_us IS NULL, NULL, c.opened)) AS INTEGER), max(c.connect_max_us), "
	 "min(c.min_rtt_us), sum(c.resets_callee), sum(c.retrans_callee), " LAST("c.connecting") ", "
	 "max(c.caller_send_queue_bytes), max(c.caller_recv_queue_bytes), sum(c.caller_zero_windows), sum(c.caller_zero_window_us), "
	 "max(c.callee_send_queue_bytes), max(c.callee_recv_queue_bytes), sum(c.callee_zero_windows), sum(c.callee_zero_window_us) "
	 "FROM tick t JOIN tcp c ON c.tick = t.id WHERE " RAW " GROUP BY c.edge",
	 "DELETE FROM tcp WHERE tick IN " RAW_IDS},
	{"INSERT OR IGNORE INTO outcome SELECT ?1, edge, op, status, detail, error, sum(count) "
	 "FROM tick t JOIN outcome o ON o.tick = t.id WHERE " RAW " GROUP BY edge, op, status, detail, error",
	 "DELETE FROM outcome WHERE tick IN " RAW_IDS},
	{"INSERT OR IGNORE INTO downstream SELECT ?1, edge, op, callee, sum(count), sum(ns) "
	 "FROM tick t JOIN downstream x ON x.tick = t.id WHERE " RAW " GROUP BY edge, op, callee",
	 "DELETE FROM downstream WHERE tick IN " RAW_IDS},
	/* of several certificates subject and source are those of the earliest end: bare columns beside the only min() or max() */
	{"INSERT OR IGNORE INTO tls SELECT ?1, edge, version, sni, result, sender, sum(count), " ANY("alpn") ", subject, "
	 "min(not_after_s), cert_source "
	 "FROM tick t JOIN tls h ON h.tick = t.id WHERE " RAW " GROUP BY edge, version, sni, result, sender",
	 "DELETE FROM tls WHERE tick IN " RAW_IDS},
	{"INSERT OR IGNORE INTO process_tick SELECT ?1, p.process, sum(p.cpu_s), sum(p.runq_wait_s), sum(p.disk_wait_s), "
	 "sum(p.read_bytes), sum(p.write_bytes), max(p.rss_bytes), " LAST("p.threads") ", " LAST("p.fds") ", "
	 LAST("p.connections") ", char(" LAST("unicode(p.state)") ") FROM tick t JOIN process_tick p ON p.tick = t.id WHERE " RAW
	 " GROUP BY p.process",
	 "DELETE FROM process_tick WHERE tick IN " RAW_IDS},
	{"INSERT OR IGNORE INTO cgroup_tick SELECT ?1, c.cgroup, sum(c.cpu_s), sum(c.throttled_s), max(c.quota_cores), "
	 "max(c.mem_bytes), max(c.mem_limit_bytes), sum(c.read_bytes), sum(c.write_bytes), sum(c.periods_throttled), max(c.pids) "
	 "FROM tick t JOIN cgroup_tick c ON c.tick = t.id WHERE " RAW " GROUP BY c.cgroup",
	 "DELETE FROM cgroup_tick WHERE tick IN " RAW_IDS},
	{"INSERT OR IGNORE INTO log SELECT ?1, l.pattern, sum(l.count), sum(l.baseline_count) "
	 "FROM tick t JOIN log l ON l.tick = t.id WHERE " RAW " GROUP BY l.pattern",
	 "DELETE FROM log WHERE tick IN " RAW_IDS},
	{"INSERT OR IGNORE INTO loss SELECT ?1, l.stage, l.reason, sum(l.count) "
	 "FROM tick t JOIN loss l ON l.tick = t.id WHERE " RAW " GROUP BY l.stage, l.reason",
	 "DELETE FROM loss WHERE tick IN " RAW_IDS},
	{"UPDATE tick SET (events, lost, weight) = (SELECT ifnull(sum(t.events), 0), ifnull(sum(t.lost), 0), "
	 "CASE min(t.weight) WHEN 0 THEN 0 ELSE max(t.weight) END FROM tick t WHERE " RAW ") "
	 "WHERE id = ?1",
	 "DELETE FROM tick AS t WHERE " RAW},
};

#define CODED_STEPS 2             /* requests and profile */
#define STEPS (CODED_STEPS + sizeof(step_table) / sizeof(*step_table))

/* The row that the bucket becomes: events stays NULL until everything is in it, which tells a bucket left half-done by a
 * kill -9 from a finished one. */
static int bucket_begin(struct store *s)
{
	sqlite3_stmt *q = sql_get(s, "SELECT id FROM tick t WHERE t_ns >= ?1 AND t_ns < ?2 AND source = 1 AND events IS NULL");
	int rc;

	if (!q)
		return -EIO;
	s->roll.last = s->last_tick_id;
	sqlite3_bind_int64(q, 1, s->roll.bucket_ns);
	sqlite3_bind_int64(q, 2, s->roll.bucket_ns + ROLL_NS);
	rc = sql_step(s, q);
	if (rc > 0) {
		s->roll.tick = sqlite3_column_int64(q, 0);
		sqlite3_reset(q);
		return 0;
	}
	if (rc == 0)
		rc = run(s, "INSERT INTO tick(id, t_ns, dur_ns, source) SELECT min(t.id) + 1, min(t.t_ns), "
			    "max(t.t_ns + t.dur_ns) - min(t.t_ns), 1 FROM tick t WHERE " RAW);
	s->roll.tick = sqlite3_last_insert_rowid(s->db);
	return rc;
}

static int bucket_step(struct store *s)
{
	unsigned step = s->roll.step;
	int rc = step == 0 ? bucket_begin(s) : 0;

	if (rc == 0 && step < CODED_STEPS)
		rc = step == 0 ? roll_requests(s) : fold_roll(s);
	else if (rc == 0)
		rc = run(s, step_table[step - CODED_STEPS].fold);
	if (rc == 0 && step >= CODED_STEPS)
		rc = run(s, step_table[step - CODED_STEPS].drop);
	s->roll.step = (step + 1) % STEPS;
	return rc;
}

static int64_t bucket_of(int64_t t_ns)
{
	return t_ns - (t_ns % ROLL_NS + ROLL_NS) % ROLL_NS;
}

int roll_slice(struct store *s, int64_t now_ns)
{
	int rc = 0;

	for (int i = 0; rc == 0 && s->limits.raw_ns > 0 && i < SLICES; i++) {
		int64_t oldest = sql_int(s, "SELECT min(t_ns) FROM tick WHERE source = 0", INT64_MAX), bucket;

		if (oldest == INT64_MAX)
			break;
		bucket = bucket_of(oldest);
		if (bucket + ROLL_NS > now_ns - s->limits.raw_ns)
			break;
		if (bucket != s->roll.bucket_ns)
			s->roll.step = 0;
		s->roll.bucket_ns = bucket;
		rc = bucket_step(s);
	}
	return rc;
}

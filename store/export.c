/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Export as ndjson.  A query's columns are the keys of its lines: what is NULL is left out (except "from"), "t" and
 * other keys of time_keys[] come as nanoseconds and go out as seconds, a blob is a histogram.
 */
#include "store/handle.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "store/open.h"
#include "store/rows.h"

#define IN_RANGE "t.t_ns < ?2 AND t.t_ns + t.dur_ns > ?1"
#define FROM_TICK(table, alias) "FROM tick t JOIN " table " " alias " ON " alias ".tick = t.id "
#define EDGE_KEYS "a.name AS \"from\", b.name AS \"to\", e.protocol, nullif(e.port, 0) AS port"
#define EDGE_JOIN "JOIN service b ON b.id = e.dst LEFT JOIN service a ON a.id = e.src "

static const char *const query_table[] = {
	"SELECT 'meta' AS type, 'ndjson/1' AS schema, (SELECT value FROM meta WHERE key = 'node') AS node, "
	"ifnull((SELECT value FROM meta WHERE key = 'source'), 'rootle') AS source, "
	/* the usual one: the first tick is shorter, and all of them are some µs off */
	"round((SELECT dur_ns FROM tick ORDER BY dur_ns LIMIT 1 OFFSET (SELECT count(*) / 2 FROM tick)) / 1e9, 3) AS interval_s",
	"SELECT 'fact' AS type, key, value FROM meta WHERE key NOT IN ('node', 'source') ORDER BY key",
	"SELECT 'service' AS type, name AS service, kind, node, image, exe, why FROM service ORDER BY id",
	"SELECT 'edge' AS type, " EDGE_KEYS " FROM edge e " EDGE_JOIN "WHERE e.src NOT NULL ORDER BY e.id",
	"SELECT 'tick' AS type, t.t_ns AS t, t.dur_ns AS dur_s, t.events, t.lost, t.weight FROM tick t "
	"WHERE " IN_RANGE " ORDER BY t.t_ns, t.id",
	"SELECT 'requests' AS type, t.t_ns AS t, t.dur_ns AS dur_s, " EDGE_KEYS ", o.text AS op, r.count, r.errors, "
	"r.waits, r.sum_ns / 1e6 / nullif(r.count - ifnull(r.waits, 0), 0) AS avg_ms, r.p50_ns / 1e6 AS p50_ms, "
	"r.p90_ns / 1e6 AS p90_ms, r.p95_ns / 1e6 AS p95_ms, r.p99_ns / 1e6 AS p99_ms, r.begun, r.first_ns, r.hist, "
	"r.sum_ns, r.bytes_request, r.bytes_response, r.rows, " TIMED_COLUMNS " "
	FROM_TICK("requests", "r") "JOIN edge e ON e.id = r.edge " EDGE_JOIN "LEFT JOIN op o ON o.id = r.op WHERE " IN_RANGE
	" ORDER BY t.t_ns, t.id",
	"SELECT 'tcp' AS type, t.t_ns AS t, t.dur_ns AS dur_s, " EDGE_KEYS ", c.opened, c.closed, c.refused, c.timeouts, c.resets, "
	"c.retrans, c.open, c.inflight, c.oldest_ns, c.srtt_us, c.bytes_out, c.bytes_in, c.connect_p50_us, c.connect_max_us, "
	"c.min_rtt_us, c.resets_callee, c.retrans_callee, c.connecting, "
	"c.caller_send_queue_bytes, c.caller_recv_queue_bytes, c.caller_zero_windows, c.caller_zero_window_us, "
	"c.callee_send_queue_bytes, c.callee_recv_queue_bytes, c.callee_zero_windows, c.callee_zero_window_us "
	FROM_TICK("tcp", "c") "JOIN edge e ON e.id = c.edge " EDGE_JOIN "WHERE " IN_RANGE " ORDER BY t.t_ns, t.id",
	"SELECT 'outcome' AS type, t.t_ns AS t, t.dur_ns AS dur_s, " EDGE_KEYS ", o.text AS op, nullif(x.status, 0) AS status, "
	"nullif(x.detail, '') AS detail, x.error, x.count "
	FROM_TICK("outcome", "x") "JOIN edge e ON e.id = x.edge " EDGE_JOIN "LEFT JOIN op o ON o.id = x.op WHERE " IN_RANGE
	" ORDER BY t.t_ns, t.id",
	"SELECT 'downstream' AS type, t.t_ns AS t, t.dur_ns AS dur_s, " EDGE_KEYS ", o.text AS op, ca.name AS called_from, "
	"cb.name AS called_to, c.protocol AS called_protocol, nullif(c.port, 0) AS called_port, x.count, x.ns "
	FROM_TICK("downstream", "x") "JOIN edge e ON e.id = x.edge " EDGE_JOIN "LEFT JOIN op o ON o.id = x.op "
	"JOIN edge c ON c.id = x.callee JOIN service cb ON cb.id = c.dst LEFT JOIN service ca ON ca.id = c.src WHERE " IN_RANGE
	" ORDER BY t.t_ns, t.id",
	"SELECT 'tls' AS type, t.t_ns AS t, t.dur_ns AS dur_s, " EDGE_KEYS ", nullif(h.version, '') AS version, "
	"nullif(h.sni, '') AS sni, h.result, nullif(h.sender, '') AS sender, h.count, h.alpn, h.subject, h.not_after_s, h.cert_source "
	FROM_TICK("tls", "h") "JOIN edge e ON e.id = h.edge " EDGE_JOIN "WHERE " IN_RANGE " ORDER BY t.t_ns, t.id",
	"SELECT 'resource' AS type, t.t_ns AS t, t.dur_ns AS dur_s, s.name AS service, x.metric, x.device, p.value, "
	"p.lim AS \"limit\" "
	FROM_TICK("point", "p") "JOIN series x ON x.id = p.series JOIN service s ON s.id = x.service WHERE " IN_RANGE
	" ORDER BY t.t_ns, t.id",
	"SELECT 'log' AS type, t.t_ns AS t, t.dur_ns AS dur_s, s.name AS service, x.template, x.level, x.sample, l.count, "
	"l.baseline_count " FROM_TICK("log", "l") "JOIN pattern x ON x.id = l.pattern JOIN service s ON s.id = x.service WHERE "
	IN_RANGE " ORDER BY t.t_ns, t.id",
	"SELECT 'profile' AS type, t.t_ns AS t, t.dur_ns AS dur_s, s.name AS \"for\", nullif(p.pid, 0) AS pid, p.samples, "
	"(WITH RECURSIVE up(id, text) AS (SELECT k.parent, f.name FROM stack k JOIN frame f ON f.id = k.frame WHERE k.id = p.stack "
	"UNION ALL SELECT k.parent, f.name || ';' || up.text FROM up JOIN stack k ON k.id = up.id JOIN frame f ON f.id = k.frame) "
	"SELECT text FROM up WHERE id = 0) AS stack " FROM_TICK("profile", "p") "LEFT JOIN service s ON s.id = p.service WHERE " IN_RANGE
	" ORDER BY t.t_ns, t.id",
	"SELECT 'loss' AS type, t.t_ns AS t, t.dur_ns AS dur_s, l.stage, l.reason, l.count " FROM_TICK("loss", "l") "WHERE " IN_RANGE
	" ORDER BY t.t_ns, t.id",
	"SELECT 'process' AS type, p.pid, p.start_ns AS start, p.ppid, s.name AS service, p.comm, p.exe, p.cmdline, p.cgroup, "
	"p.end_ns AS \"end\", p.last_ns AS last FROM process p LEFT JOIN service s ON s.id = p.service "
	"WHERE p.start_ns < ?2 AND p.last_ns + 60000000000 >= ?1 ORDER BY p.id",
	"SELECT 'process_tick' AS type, t.t_ns AS t, t.dur_ns AS dur_s, x.pid, x.start_ns AS start, p.cpu_s, p.runq_wait_s, "
	"p.disk_wait_s, p.read_bytes, p.write_bytes, p.rss_bytes, p.threads, p.fds, p.connections, p.state "
	FROM_TICK("process_tick", "p") "JOIN process x ON x.id = p.process WHERE " IN_RANGE " ORDER BY t.t_ns, t.id",
	"SELECT 'cgroup_tick' AS type, t.t_ns AS t, t.dur_ns AS dur_s, x.path, s.name AS service, c.cpu_s, c.throttled_s, "
	"c.quota_cores, c.mem_bytes, c.mem_limit_bytes, c.read_bytes, c.write_bytes, c.periods_throttled, c.pids "
	FROM_TICK("cgroup_tick", "c") "JOIN cgroup x ON x.id = c.cgroup LEFT JOIN service s ON s.id = x.service WHERE " IN_RANGE
	" ORDER BY t.t_ns, t.id",
	"SELECT 'event' AS type, e.t_ns AS t, s.name AS \"for\", e.kind, e.detail, e.version_before, e.version_after, e.actor, e.pid "
	"FROM event e LEFT JOIN service s ON s.id = e.service WHERE e.t_ns >= ?1 AND e.t_ns < ?2 ORDER BY e.t_ns, e.id",
	"SELECT 'span' AS type, p.trace, p.span, p.parent, s.name AS service, o.text AS op, p.t_ns AS t, p.dur_ns / 1e6 AS dur_ms, "
	"p.status, p.method, p.confidence, a.name AS \"from\", e.protocol, nullif(e.port, 0) AS port, p.error, p.detail, " PART_COLUMNS " "
	"FROM span p JOIN service s ON s.id = p.service LEFT JOIN op o ON o.id = p.op LEFT JOIN edge e ON e.id = p.edge "
	"LEFT JOIN service a ON a.id = e.src "
	"WHERE p.t_ns < ?2 AND p.t_ns + p.dur_ns >= ?1 ORDER BY p.t_ns, p.id",
};

static bool one_of(const char *key, const char *const *list)
{
	while (*list && strcmp(*list, key) != 0)
		list++;
	return *list;
}

/* Seconds with as many of six decimals as are needed: exact, where a double would not be. */
static void put_seconds(struct json *j, const char *key, int64_t ns)
{
	int64_t us = ns / 1000, s = us / 1000000, rest = us % 1000000;
	char text[48];
	int n;

	if (rest < 0) {
		s--;
		rest += 1000000;
	}
	/* before 1970: -1.25 s is (-2, 750000) here */
	if (s < 0 && rest) {
		n = snprintf(text, sizeof(text), "-%lld.%06lld", (long long)(-s - 1), (long long)(1000000 - rest));
	} else {
		n = snprintf(text, sizeof(text), "%lld.%06lld", (long long)s, (long long)rest);
	}
	while (text[n - 1] == '0')
		text[--n] = '\0';
	if (text[n - 1] == '.')
		text[--n] = '\0';
	json_raw(j, key, text);
}

/* The shortest text that reads back as the same double. */
static void put_real(struct json *j, const char *key, double v)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	json_raw(j, key, isfinite(v) ? text : "null");
}

static int put_hist(struct json *j, const char *key, const void *blob, int n)
{
	struct hist h;
	int rc;

	hist_init(&h);
	rc = hist_decode(&h, blob, (size_t)n);
	json_array(j, key);
	for (size_t i = 0; rc == 0 && i < h.n; i++) {
		json_array(j, NULL);
		put_real(j, NULL, (double)hist_bucket_high(h.cell[i].bucket) / 1e3);
		json_uint(j, NULL, h.cell[i].count);
		json_array_end(j);
	}
	json_array_end(j);
	hist_done(&h);
	return rc;
}

static int put_column(struct json *j, sqlite3_stmt *q, int col)
{
	static const char *const time_keys[] = {"t", "dur_s", "start", "end", "last", NULL};
	static const char *const null_keys[] = {"from", "for", NULL};
	const char *key = sqlite3_column_name(q, col), *name = strcmp(key, "for") == 0 ? "service" : key;

	switch (sqlite3_column_type(q, col)) {
	case SQLITE_INTEGER:
		if (one_of(key, time_keys))
			put_seconds(j, key, sqlite3_column_int64(q, col));
		else
			json_int(j, key, sqlite3_column_int64(q, col));
		break;
	case SQLITE_FLOAT:
		put_real(j, key, sqlite3_column_double(q, col));
		break;
	case SQLITE_BLOB:
		return put_hist(j, key, sqlite3_column_blob(q, col), sqlite3_column_bytes(q, col));
	case SQLITE_NULL:
		if (one_of(key, null_keys))
			json_null(j, name);
		break;
	default:
		json_stringn(j, name, (const char *)sqlite3_column_text(q, col), (size_t)sqlite3_column_bytes(q, col));
	}
	return 0;
}

struct out { int (*line)(void *arg, const char *text, size_t n); void *arg; struct json j; };

static int put_line(struct out *o, sqlite3_stmt *q)
{
	struct json *j = &o->j;
	int rc = 0;

	json_reset(j);
	json_object(j, NULL);
	for (int i = 0; rc == 0 && i < sqlite3_column_count(q); i++)
		rc = put_column(j, q, i);
	json_object_end(j);
	if (rc < 0)
		return -ENODATA;
	if (j->failed || j->len + 1 >= j->cap)
		return -ENOMEM;
	j->buf[j->len] = '\n';          /* in place of the NUL; json_reset() begins the next line */
	return o->line(o->arg, j->buf, j->len + 1);
}

static int export_query(struct store *s, const char *sql, int64_t since_ns, int64_t until_ns, struct out *o, bool *stopped)
{
	sqlite3_stmt *q = sql_get(s, sql);
	int rc;

	if (!q)
		return -EIO;
	if (sqlite3_bind_parameter_count(q) == 2) {
		sqlite3_bind_int64(q, 1, since_ns);
		sqlite3_bind_int64(q, 2, until_ns);
	}
	while ((rc = sql_step(s, q)) > 0) {
		rc = put_line(o, q);
		if (rc < 0) {
			*stopped = rc != -ENODATA && rc != -ENOMEM;
			break;
		}
	}
	sqlite3_reset(q);
	return rc;
}

int store_export_ndjson(struct store *s, int64_t since_ns, int64_t until_ns,
			int (*line)(void *arg, const char *text, size_t n), void *arg, struct store_error *err)
{
	struct out o = {.line = line, .arg = arg};
	bool stopped = false;
	int rc = store_refresh(s);

	if (rc == 0)
		rc = sql_exec(s, "BEGIN");
	json_init(&o.j, false);
	for (size_t i = 0; rc == 0 && i < sizeof(query_table) / sizeof(*query_table); i++)
		rc = export_query(s, query_table[i], since_ns, until_ns, &o, &stopped);
	sql_rollback(s);
	json_done(&o.j);
	if (rc < 0 && stopped)
		error_set(err, rc, "%s: the export was stopped: %s", s->path, strerror(-rc));
	else if (rc < 0)
		error_from(s, err, rc);
	return rc;
}

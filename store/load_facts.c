/* SPDX-License-Identifier: BSD-2-Clause */
/* What was counted and measured in each tick. */
#include "store/load_row.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "store/rows.h"

static int load_hist(struct load *l, sqlite3_stmt *q, int col, struct win_requests *v)
{
	struct hist *h = window_hist(l->w);

	if (!h)
		return -ENOMEM;
	v->hist = h;
	return hist_decode(h, sqlite3_column_blob(q, col), (size_t)sqlite3_column_bytes(q, col));
}

static int load_requests(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	struct win_requests *v;
	uint32_t edge, op = WIN_NONE;
	int rc = load_refer(l, &l->edges, q, 0, "edge", &edge);

	if (rc == 0)
		rc = load_refer_known(l, &l->ops, q, 1, "operation", &op);
	v = rc < 0 ? NULL : vec_push(&l->w->requests);
	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	v->t_ns = t->t_ns;
	v->dur_ns = t->dur_ns;
	v->edge = edge;
	v->op = op;
	v->count = sqlite3_column_double(q, 2);
	v->errors = load_real(q, 3);
	v->waits = sqlite3_column_double(q, 13);                /* NULL is 0 */
	v->avg_ms = v->count > v->waits ? load_real(q, 4) / (v->count - v->waits) / 1e6 : NAN;
	v->p50_ms = load_real(q, 5) / 1e6;
	v->p90_ms = load_real(q, 6) / 1e6;
	v->p95_ms = load_real(q, 7) / 1e6;
	v->p99_ms = load_real(q, 8) / 1e6;
	v->bytes_request = load_real(q, 9);
	v->bytes_response = load_real(q, 10);
	v->rows = load_real(q, 11);
	v->begun = sqlite3_column_double(q, 14);
	v->first_ns = sqlite3_column_double(q, 15);
	v->timing.count = sqlite3_column_double(q, 16);
	v->timing.total_ns = sqlite3_column_double(q, 17);
	for (int i = 0; i < TIME_PARTS; i++)
		v->timing.part_ns[i] = sqlite3_column_double(q, 18 + i);
	return what & LOAD_HISTS && sqlite3_column_type(q, 12) == SQLITE_BLOB ? load_hist(l, q, 12, v) : 0;
}

static int load_outcome(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	struct win_outcome *v;
	uint32_t edge, op = WIN_NONE;
	int rc = load_refer(l, &l->edges, q, 0, "edge", &edge);

	if (rc == 0)
		rc = load_refer_known(l, &l->ops, q, 1, "operation", &op);
	v = rc < 0 ? NULL : vec_push(&l->w->outcomes);
	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	*v = (struct win_outcome){
		.t_ns = t->t_ns, .dur_ns = t->dur_ns, .edge = edge, .op = op, .status = sqlite3_column_int(q, 2),
		.detail = load_keep(l, q, 3), .error = load_keep(l, q, 4), .count = sqlite3_column_double(q, 5),
	};
	return v->detail && v->error ? 0 : load_corrupt(l, "an outcome lacks a part of its key");
}

static int load_downstream(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	struct win_downstream *v;
	uint32_t edge, callee = 0, op = WIN_NONE;
	int rc = load_refer(l, &l->edges, q, 0, "edge", &edge);

	if (rc == 0)
		rc = load_refer_known(l, &l->ops, q, 1, "operation", &op);
	if (rc == 0)
		rc = load_refer(l, &l->edges, q, 2, "edge", &callee);
	v = rc < 0 ? NULL : vec_push(&l->w->downstream);
	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	*v = (struct win_downstream){
		.t_ns = t->t_ns, .dur_ns = t->dur_ns, .edge = edge, .op = op, .callee = callee,
		.count = sqlite3_column_double(q, 3), .ns = sqlite3_column_double(q, 4),
	};
	return 0;
}

/* Four columns. */
static struct win_side side_of(sqlite3_stmt *q, int col)
{
	return (struct win_side){
		.send_queue_bytes = load_real(q, col), .recv_queue_bytes = load_real(q, col + 1),
		.zero_windows = load_real(q, col + 2), .zero_window_us = load_real(q, col + 3),
	};
}

static int load_tcp(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	uint32_t edge;
	int rc = load_refer(l, &l->edges, q, 0, "edge", &edge);
	struct win_tcp *v = rc < 0 ? NULL : vec_push(&l->w->tcp);

	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	*v = (struct win_tcp){
		.t_ns = t->t_ns, .dur_ns = t->dur_ns, .edge = edge,
		.opened = load_real(q, 1), .closed = load_real(q, 2),
		.refused = load_real(q, 3), .timeouts = load_real(q, 4),
		.resets = load_real(q, 5), .retrans = load_real(q, 6),
		.open = load_real(q, 7), .inflight = load_real(q, 8),
		.oldest_ms = load_real(q, 9) / 1e6, .srtt_us = load_real(q, 10),
		.bytes_out = load_real(q, 11), .bytes_in = load_real(q, 12),
		.connect_p50_us = load_real(q, 13), .connect_max_us = load_real(q, 14),
		.min_rtt_us = load_real(q, 15), .resets_callee = load_real(q, 16),
		.retrans_callee = load_real(q, 17), .connecting = load_real(q, 18),
		.caller = side_of(q, 19), .callee = side_of(q, 23),
	};
	return 0;
}

static int load_tls(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	uint32_t edge;
	int rc = load_refer(l, &l->edges, q, 0, "edge", &edge);
	struct win_tls *v = rc < 0 ? NULL : vec_push(&l->w->tls);

	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	*v = (struct win_tls){
		.t_ns = t->t_ns, .dur_ns = t->dur_ns, .edge = edge,
		.version = load_keep(l, q, 1), .sni = load_keep(l, q, 2), .result = load_keep(l, q, 3), .sender = load_keep(l, q, 4),
		.count = sqlite3_column_double(q, 5), .alpn = load_keep(l, q, 6), .subject = load_keep(l, q, 7),
		.not_after_s = sqlite3_column_int64(q, 8), .source = load_keep(l, q, 9),
	};
	if (!v->version || !v->sni || !v->result || !v->sender)
		return load_corrupt(l, "a handshake lacks a part of its key");
	return 0;
}

static int load_point(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	uint32_t series;
	int rc = load_refer(l, &l->series, q, 0, "series", &series);
	struct win_point *v = rc < 0 ? NULL : vec_push(&l->w->points);

	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	v->t_ns = t->t_ns;
	v->dur_ns = t->dur_ns;
	v->series = series;
	v->value = sqlite3_column_double(q, 1);
	v->limit = load_real(q, 2);
	return 0;
}

static int load_log(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	uint32_t service;
	int rc = load_refer(l, &l->services, q, 0, "service", &service);
	struct win_log *v = rc < 0 ? NULL : vec_push(&l->w->logs);

	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	v->t_ns = t->t_ns;
	v->dur_ns = t->dur_ns;
	v->service = service;
	v->template = load_keep(l, q, 1);
	v->level = load_keep(l, q, 2);
	v->sample = load_keep(l, q, 3);
	v->count = sqlite3_column_double(q, 4);
	v->baseline_count = load_real(q, 5);
	return 0;
}

static int load_pause(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	struct win_pause *v = vec_push(&l->w->pauses);

	if (!v)
		return -ENOMEM;
	*v = (struct win_pause){.t_ns = t->t_ns, .dur_ns = t->dur_ns, .s = sqlite3_column_double(q, 0) / 1000};
	return 0;
}

static int load_loss(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	const char *stage = load_text(q, 0), *reason = load_text(q, 1);
	struct win_loss *v;

	if (!stage || !reason)
		return load_corrupt(l, "a loss has no name");
	for (size_t i = 0; i < l->w->coverage.loss.n; i++) {
		v = &l->w->coverage.loss.v[i];
		if (strcmp(v->stage, stage) == 0 && strcmp(v->reason, reason) == 0) {
			v->count += sqlite3_column_double(q, 2);
			return 0;
		}
	}
	v = vec_push(&l->w->coverage.loss);
	if (!v)
		return -ENOMEM;
	v->stage = load_keep(l, q, 0);
	v->reason = load_keep(l, q, 1);
	v->count = sqlite3_column_double(q, 2);
	return 0;
}

static int load_profile(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	uint32_t service, stack = WIN_NONE;
	int64_t pid = sqlite3_column_int64(q, 1);
	int rc = load_refer_known(l, &l->services, q, 0, "service", &service);
	struct win_profile *v;

	if (rc == 0)
		rc = load_stack(l, sqlite3_column_int64(q, 2), &stack);
	v = rc < 0 ? NULL : vec_push(&l->w->profile);
	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	*v = (struct win_profile){
		.t_ns = t->t_ns, .dur_ns = t->dur_ns, .service = service, .pid = pid > 0 && pid <= INT32_MAX ? (uint32_t)pid : 0,
		.stack = stack, .samples = sqlite3_column_double(q, 3),
	};
	return 0;
}

/* The facts of a tick: one seek a table and tick, then rows in order. */
static const struct {
	unsigned what;
	int (*row)(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what);
	const char *sql;
} fact_table[] = {
	{LOAD_REQUESTS, load_requests, "SELECT edge, op, count, errors, sum_ns, p50_ns, p90_ns, p95_ns, p99_ns, bytes_request, "
				       "bytes_response, rows, hist, waits, begun, first_ns, " TIMED_COLUMNS " "
				       "FROM requests WHERE tick = ?1"},
	{LOAD_TCP, load_tcp, "SELECT edge, opened, closed, refused, timeouts, resets, retrans, open, inflight, oldest_ns, srtt_us, "
			     "bytes_out, bytes_in, connect_p50_us, connect_max_us, min_rtt_us, resets_callee, retrans_callee, "
			     "connecting, caller_send_queue_bytes, caller_recv_queue_bytes, caller_zero_windows, "
			     "caller_zero_window_us, callee_send_queue_bytes, callee_recv_queue_bytes, callee_zero_windows, "
			     "callee_zero_window_us FROM tcp WHERE tick = ?1"},
	{LOAD_OUTCOMES, load_outcome, "SELECT edge, op, status, detail, error, count FROM outcome WHERE tick = ?1"},
	{LOAD_DOWNSTREAM, load_downstream, "SELECT edge, op, callee, count, ns FROM downstream WHERE tick = ?1"},
	{LOAD_TCP, load_tls, "SELECT edge, version, sni, result, sender, count, alpn, subject, not_after_s, "
			     "cert_source FROM tls WHERE tick = ?1"},
	{LOAD_POINTS, load_point, "SELECT series, value, lim FROM point WHERE tick = ?1"},
	{LOAD_LOGS, load_log, "SELECT p.service, p.template, p.level, p.sample, l.count, l.baseline_count FROM log l "
			      "JOIN pattern p ON p.id = l.pattern WHERE l.tick = ?1"},
	{LOAD_PROFILE, load_profile, "SELECT service, pid, stack, samples FROM profile WHERE tick = ?1"},
	{LOAD_PROFILE, load_pause, "SELECT count FROM loss WHERE tick = ?1 AND stage = 'profile' AND reason = 'paused_ms'"},
	{~0u, load_loss, "SELECT stage, reason, count FROM loss WHERE tick = ?1"},
};

int load_facts(struct load *l, unsigned what)
{
	int rc = 0;

	for (size_t f = 0; rc == 0 && f < sizeof(fact_table) / sizeof(*fact_table); f++) {
		sqlite3_stmt *q = what & fact_table[f].what || fact_table[f].what == ~0u ? sql_get(l->s, fact_table[f].sql) : NULL;

		for (size_t i = 0; q && rc == 0 && i < l->ticks.n; i++) {
			sqlite3_bind_int64(q, 1, l->ticks.v[i].id);
			while ((rc = sql_step(l->s, q)) > 0)
				if ((rc = fact_table[f].row(l, q, &l->ticks.v[i], what)) < 0)
					break;
			if (rc < 0)
				sqlite3_reset(q);
		}
	}
	return rc;
}

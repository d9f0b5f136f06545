/* SPDX-License-Identifier: BSD-2-Clause */
/* From rows to a window. */
#include "store/handle.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/demangle.h"
#include "store/coverage.h"
#include "store/open.h"
#include "store/rows.h"

struct interval { int64_t id, t_ns, dur_ns; };

struct load {
	struct store *s;
	struct window *w;
	int64_t since_ns, until_ns;
	VEC(struct interval) ticks;
	struct map services, edges, ops, series, stacks;   /* int64_t row id → uint32_t id in the window */
};

/* The file says what it cannot mean: whoever reads the window relies on its numbers. */
__attribute__((format(printf, 2, 3)))
static int corrupt(struct load *l, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(l->s->why, sizeof(l->s->why), "is corrupt: %s; copy the file again from its source", what);
	return -ENODATA;
}

/* Notes which id in the window the row of this statement's first column got. */
static int note(struct load *l, struct map *m, sqlite3_stmt *q, const char *what, uint32_t id)
{
	int64_t row = sqlite3_column_int64(q, 0);
	uint32_t *at;

	if (row < 1)
		return corrupt(l, "%s has the number %lld", what, (long long)row);
	at = id == WIN_NONE ? NULL : map_put(m, &row, NULL);
	if (!at)
		return -ENOMEM;
	*at = id;
	return 0;
}

/* What a column refers to, in *ret. */
static int refer(struct load *l, const struct map *m, sqlite3_stmt *q, int col, const char *what, uint32_t *ret)
{
	int64_t row = sqlite3_column_int64(q, col);
	const uint32_t *id = map_get(m, &row);

	*ret = WIN_NONE;
	if (!id)
		return corrupt(l, "a row refers to %s %lld, which is not there", what, (long long)row);
	*ret = *id;
	return 0;
}

/* The same where NULL (or 0) says "not known". */
static int refer_known(struct load *l, const struct map *m, sqlite3_stmt *q, int col, const char *what, uint32_t *ret)
{
	*ret = WIN_NONE;
	return sqlite3_column_type(q, col) == SQLITE_NULL || sqlite3_column_int64(q, col) == 0 ? 0 :
	       refer(l, m, q, col, what, ret);
}

static const char *text_of(sqlite3_stmt *q, int col)
{
	return (const char *)sqlite3_column_text(q, col);
}

/* The window's copy of a column: NULL stays NULL. */
static const char *keep_text(struct load *l, sqlite3_stmt *q, int col)
{
	const char *text = text_of(q, col);

	return text ? arena_strdup(&l->w->arena, text) : NULL;
}

static double real_of(sqlite3_stmt *q, int col)
{
	return sqlite3_column_type(q, col) == SQLITE_NULL ? NAN : sqlite3_column_double(q, col);
}

static void keep_first(const char **at, const char *text)
{
	if (!*at)
		*at = text;
}

static int load_service(struct load *l, sqlite3_stmt *q)
{
	const char *name = text_of(q, 1);
	uint32_t id = name ? window_service(l->w, name) : WIN_NONE;
	struct win_service *v;

	if (!name)
		return corrupt(l, "a service has no name");
	if (id == WIN_NONE)
		return -ENOMEM;
	v = &l->w->services.v[id];
	keep_first(&v->kind, keep_text(l, q, 2));
	keep_first(&v->exe, keep_text(l, q, 3));
	keep_first(&v->why, keep_text(l, q, 4));
	keep_first(&v->image, keep_text(l, q, 5));
	keep_first(&v->node, keep_text(l, q, 6));
	return note(l, &l->services, q, "a service", id);
}

static int load_edge(struct load *l, sqlite3_stmt *q)
{
	uint32_t from, to = WIN_NONE;
	int rc = refer_known(l, &l->services, q, 1, "service", &from);

	if (rc == 0)
		rc = refer(l, &l->services, q, 2, "service", &to);
	return rc < 0 ? rc : note(l, &l->edges, q, "an edge",
				  window_edge(l->w, from, to, text_of(q, 3), (uint32_t)sqlite3_column_int(q, 4)));
}

static int load_op(struct load *l, sqlite3_stmt *q)
{
	const char *text = text_of(q, 1);

	return text ? note(l, &l->ops, q, "an operation", window_op(l->w, text)) : corrupt(l, "an operation has no text");
}

static int load_series(struct load *l, sqlite3_stmt *q)
{
	const char *metric = text_of(q, 2);
	uint32_t service = WIN_NONE;
	int rc = metric ? refer(l, &l->services, q, 1, "service", &service) : corrupt(l, "a series has no metric");

	return rc < 0 ? rc : note(l, &l->series, q, "a series", window_series(l->w, service, metric, text_of(q, 3)));
}

static int load_tick(struct load *l, sqlite3_stmt *q)
{
	struct interval *v = vec_push(&l->ticks);
	struct win_coverage *c = &l->w->coverage;

	if (!v)
		return -ENOMEM;
	v->id = sqlite3_column_int64(q, 0);
	v->t_ns = sqlite3_column_int64(q, 1);
	v->dur_ns = sqlite3_column_int64(q, 2);
	if (v->dur_ns < 0 || v->t_ns > INT64_MAX - v->dur_ns)
		return corrupt(l, "an interval of %lld ns", (long long)v->dur_ns);
	if (sqlite3_column_type(q, 3) != SQLITE_NULL) {
		c->events = (isnan(c->events) ? 0 : c->events) + sqlite3_column_double(q, 3);
		c->lost_events = (isnan(c->lost_events) ? 0 : c->lost_events) + sqlite3_column_double(q, 4);
	}
	if (sqlite3_column_type(q, 5) != SQLITE_NULL) {
		double weight = sqlite3_column_double(q, 5);

		c->weight = fmax(isnan(c->weight) ? 1 : c->weight, weight);
		c->blind_s += weight < 1 ? (double)v->dur_ns / NS_PER_S : 0;
	}
	return 0;
}

/* Runs each(l, row) for the rows of a statement. */
static int each_row(struct load *l, sqlite3_stmt *q, int (*each)(struct load *l, sqlite3_stmt *q))
{
	int rc = q ? 0 : -EIO;

	while (rc == 0 && (rc = sql_step(l->s, q)) > 0)
		rc = each(l, q);
	if (rc < 0 && q)
		sqlite3_reset(q);
	return rc;
}

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
	int rc = refer(l, &l->edges, q, 0, "edge", &edge);

	if (rc == 0)
		rc = refer_known(l, &l->ops, q, 1, "operation", &op);
	v = rc < 0 ? NULL : vec_push(&l->w->requests);
	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	v->t_ns = t->t_ns;
	v->dur_ns = t->dur_ns;
	v->edge = edge;
	v->op = op;
	v->count = sqlite3_column_double(q, 2);
	v->errors = real_of(q, 3);
	v->waits = sqlite3_column_double(q, 13);                /* NULL is 0 */
	v->avg_ms = v->count > v->waits ? real_of(q, 4) / (v->count - v->waits) / 1e6 : NAN;
	v->p50_ms = real_of(q, 5) / 1e6;
	v->p90_ms = real_of(q, 6) / 1e6;
	v->p95_ms = real_of(q, 7) / 1e6;
	v->p99_ms = real_of(q, 8) / 1e6;
	v->bytes_request = real_of(q, 9);
	v->bytes_response = real_of(q, 10);
	v->rows = real_of(q, 11);
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
	int rc = refer(l, &l->edges, q, 0, "edge", &edge);

	if (rc == 0)
		rc = refer_known(l, &l->ops, q, 1, "operation", &op);
	v = rc < 0 ? NULL : vec_push(&l->w->outcomes);
	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	*v = (struct win_outcome){
		.t_ns = t->t_ns, .dur_ns = t->dur_ns, .edge = edge, .op = op, .status = sqlite3_column_int(q, 2),
		.detail = keep_text(l, q, 3), .error = keep_text(l, q, 4), .count = sqlite3_column_double(q, 5),
	};
	return v->detail && v->error ? 0 : corrupt(l, "an outcome lacks a part of its key");
}

/* Four columns. */
static struct win_side side_of(sqlite3_stmt *q, int col)
{
	return (struct win_side){
		.send_queue_bytes = real_of(q, col), .recv_queue_bytes = real_of(q, col + 1),
		.zero_windows = real_of(q, col + 2), .zero_window_us = real_of(q, col + 3),
	};
}

static int load_tcp(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	uint32_t edge;
	int rc = refer(l, &l->edges, q, 0, "edge", &edge);
	struct win_tcp *v = rc < 0 ? NULL : vec_push(&l->w->tcp);

	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	*v = (struct win_tcp){
		.t_ns = t->t_ns, .dur_ns = t->dur_ns, .edge = edge,
		.opened = real_of(q, 1), .closed = real_of(q, 2),
		.refused = real_of(q, 3), .timeouts = real_of(q, 4),
		.resets = real_of(q, 5), .retrans = real_of(q, 6),
		.open = real_of(q, 7), .inflight = real_of(q, 8),
		.oldest_ms = real_of(q, 9) / 1e6, .srtt_us = real_of(q, 10),
		.bytes_out = real_of(q, 11), .bytes_in = real_of(q, 12),
		.connect_p50_us = real_of(q, 13), .connect_max_us = real_of(q, 14),
		.min_rtt_us = real_of(q, 15), .resets_callee = real_of(q, 16),
		.retrans_callee = real_of(q, 17), .connecting = real_of(q, 18),
		.caller = side_of(q, 19), .callee = side_of(q, 23),
	};
	return 0;
}

static int load_tls(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	uint32_t edge;
	int rc = refer(l, &l->edges, q, 0, "edge", &edge);
	struct win_tls *v = rc < 0 ? NULL : vec_push(&l->w->tls);

	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	*v = (struct win_tls){
		.t_ns = t->t_ns, .dur_ns = t->dur_ns, .edge = edge,
		.version = keep_text(l, q, 1), .sni = keep_text(l, q, 2), .result = keep_text(l, q, 3), .sender = keep_text(l, q, 4),
		.count = sqlite3_column_double(q, 5), .alpn = keep_text(l, q, 6), .subject = keep_text(l, q, 7),
		.not_after_s = sqlite3_column_int64(q, 8), .source = keep_text(l, q, 9),
	};
	if (!v->version || !v->sni || !v->result || !v->sender)
		return corrupt(l, "a handshake lacks a part of its key");
	return 0;
}

static int load_point(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	uint32_t series;
	int rc = refer(l, &l->series, q, 0, "series", &series);
	struct win_point *v = rc < 0 ? NULL : vec_push(&l->w->points);

	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	v->t_ns = t->t_ns;
	v->dur_ns = t->dur_ns;
	v->series = series;
	v->value = sqlite3_column_double(q, 1);
	v->limit = real_of(q, 2);
	return 0;
}

static int load_log(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	uint32_t service;
	int rc = refer(l, &l->services, q, 0, "service", &service);
	struct win_log *v = rc < 0 ? NULL : vec_push(&l->w->logs);

	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	v->t_ns = t->t_ns;
	v->dur_ns = t->dur_ns;
	v->service = service;
	v->template = keep_text(l, q, 1);
	v->level = keep_text(l, q, 2);
	v->sample = keep_text(l, q, 3);
	v->count = sqlite3_column_double(q, 4);
	v->baseline_count = real_of(q, 5);
	return 0;
}

static int load_loss(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	const char *stage = text_of(q, 0), *reason = text_of(q, 1);
	struct win_loss *v;

	if (!stage || !reason)
		return corrupt(l, "a loss has no name");
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
	v->stage = keep_text(l, q, 0);
	v->reason = keep_text(l, q, 1);
	v->count = sqlite3_column_double(q, 2);
	return 0;
}

static int load_event(struct load *l, sqlite3_stmt *q)
{
	uint32_t service;
	int rc = refer_known(l, &l->services, q, 1, "service", &service);
	struct win_event *v = rc < 0 ? NULL : vec_push(&l->w->events);

	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	v->t_ns = sqlite3_column_int64(q, 0);
	v->service = service;
	v->kind = keep_text(l, q, 2);
	v->detail = keep_text(l, q, 3);
	v->version_before = keep_text(l, q, 4);
	v->version_after = keep_text(l, q, 5);
	v->actor = keep_text(l, q, 6);
	v->pid = (uint32_t)sqlite3_column_int64(q, 7);
	return 0;
}

static int load_process(struct load *l, sqlite3_stmt *q)
{
	uint32_t service;
	int rc = refer_known(l, &l->services, q, 3, "service", &service);
	struct win_process *v = rc < 0 ? NULL : vec_push(&l->w->processes);

	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	v->pid = (uint32_t)sqlite3_column_int64(q, 0);
	v->start_ns = sqlite3_column_int64(q, 1);
	v->ppid = (uint32_t)sqlite3_column_int64(q, 2);
	v->service = service;
	v->comm = keep_text(l, q, 4);
	v->exe = keep_text(l, q, 5);
	v->cmdline = keep_text(l, q, 6);
	v->cgroup = keep_text(l, q, 7);
	v->end_ns = sqlite3_column_int64(q, 8);
	return 0;
}

#define STACK_DEPTH_MAX 512

struct stack_step { int64_t row; const char *frame; };

/* The frames from a row up to the outermost, or to one that is in the window already: *known, else WIN_NONE. */
static int stack_climb(struct load *l, int64_t row, struct stack_step *steps, size_t *n, uint32_t *known)
{
	const uint32_t *there = NULL;
	int rc = 0;

	for (*n = 0; rc == 0 && row && !(there = map_get(&l->stacks, &row));) {
		sqlite3_stmt *q = sql_get(l->s, "SELECT k.parent, f.name FROM stack k JOIN frame f ON f.id = k.frame WHERE k.id = ?1");
		int64_t parent;

		if (!q)
			return -EIO;
		sqlite3_bind_int64(q, 1, row);
		rc = sql_step(l->s, q);
		parent = rc > 0 ? sqlite3_column_int64(q, 0) : -1;
		if (rc == 0 || (rc > 0 && (parent < 0 || parent >= row || *n == STACK_DEPTH_MAX || !text_of(q, 1))))
			rc = corrupt(l, "stack %lld has no frame, or no end", (long long)row);
		if (rc > 0) {
			steps[*n] = (struct stack_step){row, keep_text(l, q, 1)};
			rc = steps[(*n)++].frame ? 0 : -ENOMEM;
		}
		sqlite3_reset(q);
		row = parent;
	}
	*known = there ? *there : WIN_NONE;
	return rc;
}

static int load_stack(struct load *l, int64_t row, uint32_t *ret)
{
	struct stack_step steps[STACK_DEPTH_MAX];
	char name[DEMANGLED_MAX];
	size_t n;
	int rc = stack_climb(l, row, steps, &n, ret);

	while (rc == 0 && n-- > 0) {
		uint32_t *at;

		*ret = window_stack(l->w, *ret, demangle(name, sizeof(name), steps[n].frame));
		at = *ret == WIN_NONE ? NULL : map_put(&l->stacks, &steps[n].row, NULL);
		if (!at)
			return -ENOMEM;
		*at = *ret;
	}
	return rc == 0 && *ret == WIN_NONE ? corrupt(l, "a sample has no stack") : rc;
}

static int load_profile(struct load *l, sqlite3_stmt *q, const struct interval *t, unsigned what)
{
	uint32_t service, stack = WIN_NONE;
	int64_t pid = sqlite3_column_int64(q, 1);
	int rc = refer_known(l, &l->services, q, 0, "service", &service);
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
				       "bytes_response, rows, hist, waits, begun, first_ns, " TIMED_COLUMNS " FROM requests WHERE tick = ?1"},
	{LOAD_TCP, load_tcp, "SELECT edge, opened, closed, refused, timeouts, resets, retrans, open, inflight, oldest_ns, srtt_us, "
			     "bytes_out, bytes_in, connect_p50_us, connect_max_us, min_rtt_us, resets_callee, retrans_callee, "
			     "connecting, caller_send_queue_bytes, caller_recv_queue_bytes, caller_zero_windows, "
			     "caller_zero_window_us, callee_send_queue_bytes, callee_recv_queue_bytes, callee_zero_windows, "
			     "callee_zero_window_us FROM tcp WHERE tick = ?1"},
	{LOAD_OUTCOMES, load_outcome, "SELECT edge, op, status, detail, error, count FROM outcome WHERE tick = ?1"},
	{LOAD_TCP, load_tls, "SELECT edge, version, sni, result, sender, count, alpn, subject, not_after_s, cert_source FROM tls WHERE tick = ?1"},
	{LOAD_POINTS, load_point, "SELECT series, value, lim FROM point WHERE tick = ?1"},
	{LOAD_LOGS, load_log, "SELECT p.service, p.template, p.level, p.sample, l.count, l.baseline_count FROM log l "
			      "JOIN pattern p ON p.id = l.pattern WHERE l.tick = ?1"},
	{LOAD_PROFILE, load_profile, "SELECT service, pid, stack, samples FROM profile WHERE tick = ?1"},
	{~0u, load_loss, "SELECT stage, reason, count FROM loss WHERE tick = ?1"},
};

static int load_facts(struct load *l, unsigned what)
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

static int load_ranged(struct load *l, const char *sql, int (*each)(struct load *l, sqlite3_stmt *q))
{
	sqlite3_stmt *q = sql_get(l->s, sql);

	sqlite3_bind_int64(q, 1, l->since_ns);
	sqlite3_bind_int64(q, 2, l->until_ns);
	return each_row(l, q, each);
}

static int load_names(struct load *l, unsigned what)
{
	int rc = each_row(l, sql_get(l->s, "SELECT id, name, kind, exe, why, image, node FROM service"), load_service);

	if (rc == 0)
		rc = each_row(l, sql_get(l->s, "SELECT id, src, dst, protocol, port FROM edge"), load_edge);
	if (rc == 0 && what & LOAD_REQUESTS)
		rc = each_row(l, sql_get(l->s, "SELECT id, text FROM op"), load_op);
	if (rc == 0 && what & LOAD_POINTS)
		rc = each_row(l, sql_get(l->s, "SELECT id, service, metric, device FROM series"), load_series);
	return rc;
}

#define TICKS_IN "t_ns < ?2 AND t_ns + dur_ns > ?1"

static int load_rows(struct load *l, unsigned what)
{
	int rc = load_names(l, what);

	if (rc == 0)
		rc = load_ranged(l, "SELECT id, t_ns, dur_ns, events, ifnull(lost, 0), weight FROM tick WHERE " TICKS_IN " ORDER BY t_ns",
				 load_tick);
	if (rc == 0)
		rc = load_facts(l, what);
	if (rc == 0 && what & LOAD_EVENTS)
		rc = load_ranged(l, "SELECT t_ns, service, kind, detail, version_before, version_after, actor, pid FROM event "
				    "WHERE t_ns >= ?1 AND t_ns < ?2 ORDER BY t_ns, id", load_event);
	if (rc == 0 && what & LOAD_PROCESSES)
		rc = load_ranged(l, "SELECT pid, start_ns, ppid, service, comm, exe, cmdline, cgroup, end_ns FROM process "
				    "WHERE start_ns < ?2 AND last_ns + 60000000000 >= ?1 ORDER BY start_ns, id", load_process);
	return rc;
}

/* Ranges grow when several files are read as one. */
static int set_ranges(struct load *l, bool fresh)
{
	struct window *w = l->w;
	int64_t first_ns, last_ns;
	int rc = span_range(l->s, &first_ns, &last_ns);

	if (rc < 0 || last_ns == 0)
		return rc;
	if (fresh || first_ns < w->first_ns)
		w->first_ns = first_ns;
	if (fresh || last_ns > w->last_ns)
		w->last_ns = last_ns;
	w->since_ns = l->since_ns > w->first_ns ? l->since_ns : w->first_ns;
	w->until_ns = l->until_ns < w->last_ns ? l->until_ns : w->last_ns;
	if (w->until_ns < w->since_ns)
		w->until_ns = w->since_ns;
	return 0;
}

static double profile_hz(struct store *s)
{
	char *text = store_meta(s, "profile_hz");
	double hz = text ? strtod(text, NULL) : NAN;

	free(text);
	return hz >= 1 && hz <= 1e6 ? hz : NAN;
}

static void load_done(struct load *l)
{
	vec_done(&l->ticks);
	map_done(&l->services);
	map_done(&l->edges);
	map_done(&l->ops);
	map_done(&l->series);
	map_done(&l->stacks);
}

int store_load(struct store *s, int64_t since_ns, int64_t until_ns, unsigned what, struct window *w, struct store_error *err)
{
	struct load l = {.s = s, .w = w, .since_ns = since_ns, .until_ns = until_ns};
	struct map *const maps[] = {&l.services, &l.edges, &l.ops, &l.series, &l.stacks};
	bool fresh = w->last_ns == 0;
	int rc = store_refresh(s);

	if (rc == 0)
		rc = sql_exec(s, "BEGIN");
	if (rc < 0)
		return error_from(s, err, rc);
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++)
		map_init(maps[i], sizeof(int64_t), sizeof(uint32_t), 0);
	if (fresh)
		w->coverage.events = w->coverage.lost_events = w->coverage.weight = NAN;
	rc = set_ranges(&l, fresh);
	if (rc == 0)
		rc = load_rows(&l, what);
	if (rc == 0)
		rc = coverage_notes(s, since_ns, until_ns, w);
	if (rc == 0 && what & LOAD_PROFILE && isnan(w->profile_hz))
		w->profile_hz = profile_hz(s);
	if (rc == 0 && !w->node) {
		char *node = store_meta(s, "node");

		w->node = node ? arena_strdup(&w->arena, node) : NULL;
		free(node);
	}
	sql_rollback(s);
	load_done(&l);
	window_sort(w);
	if (rc == -EINVAL)
		snprintf(s->why, sizeof(s->why), "is corrupt: a histogram cannot be read; copy the file again from its source");
	return rc < 0 ? error_from(s, err, rc == -EINVAL ? -ENODATA : rc) : 0;
}

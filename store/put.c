/* SPDX-License-Identifier: BSD-2-Clause */
/* The writer: one tick, one transaction. */
#include "store/handle.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "store/fold.h"
#include "store/open.h"
#include "store/retain.h"
#include "store/roll.h"
#include "store/rows.h"

#define TIGHT_PUTS 64             /* puts that a full disk is remembered for */

/* Rough size of a tick in the file, bytes, rather too large: what room must be made for. */
static int64_t tick_bytes(const struct tick *t)
{
	int64_t n = 4096;

	n += 96 * (int64_t)t->requests.n + 112 * (int64_t)t->tcp.n + 160 * (int64_t)t->tls.n + 64 * (int64_t)(t->outcomes.n + t->downstream.n) + 32 * (int64_t)t->points.n;
	n += 256 * (int64_t)t->event.n + 100 * (int64_t)t->processes.n + 80 * (int64_t)t->cgroups.n + 48 * (int64_t)t->loss.n;
	n += 384 * (int64_t)t->spans.n;
	n += 512 * (int64_t)(t->services.n + t->edges.n + t->ops.n + t->stacks.n);
	for (size_t i = 0; i < t->requests.n; i++)
		n += 4 * (int64_t)t->requests.v[i].hist.n;
	return n;
}

static int put_head(struct store *s, const struct tick *t)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO tick(id, t_ns, dur_ns, source, events, lost, weight) "
				     "VALUES(?1, ?2, ?3, 0, ?4, ?5, ?6)");

	if (!q)
		return -EIO;
	/* Even numbers: the odd one after a bucket's first tick is the bucket's, when it is rolled up. */
	s->last_tick_id = s->last_tick_id / 2 * 2 + 2;
	sqlite3_bind_int64(q, 1, s->last_tick_id);
	sqlite3_bind_int64(q, 2, whole_us(t->unix_ns));
	sqlite3_bind_int64(q, 3, whole_us(t->dur_ns) > 0 ? whole_us(t->dur_ns) : 1000);
	sqlite3_bind_int64(q, 4, (int64_t)t->events);
	sqlite3_bind_int64(q, 5, (int64_t)t->lost);
	sqlite3_bind_int64(q, 6, t->weight);
	return sql_run(s, q);
}

static int put_requests(struct store *s, const struct tick_requests *r)
{
	struct requests_row row = {
		.tick = s->last_tick_id, .edge = dict_edge(s, r->edge), .op = dict_op(s, r->op),
		.count = (double)r->count, .errors = (double)r->errors, .waits = (double)r->waits,
		.sum_ns = r->waits < r->count ? (double)r->sum_ns : NAN,
		.begun = (double)r->begun, .first_ns = (double)r->first_ns,
		.bytes_request = (double)r->bytes_request, .bytes_response = (double)r->bytes_response,
		.rows = (double)r->rows, .hist = &r->hist,
	};

	if (row.edge < 0 || row.op < 0)
		return (int)(row.edge < 0 ? row.edge : row.op);
	row.timed[0] = (double)r->timing.count;
	row.timed[1] = (double)r->timing.total_ns;
	for (int i = 0; i < TIME_PARTS; i++)
		row.timed[2 + i] = (double)r->timing.part_ns[i];
	quantiles_ns(&r->hist, row.p_ns);
	return row_requests(s, &row);
}

static int put_outcome(struct store *s, const struct tick_outcome *o)
{
	struct outcome_row row = {
		.tick = s->last_tick_id, .edge = dict_edge(s, o->edge), .op = dict_op(s, o->op), .status = o->status,
		.detail = o->detail, .error = o->error, .count = (double)o->count,
	};

	if (row.edge < 0 || row.op < 0)
		return (int)(row.edge < 0 ? row.edge : row.op);
	return row_outcome(s, &row);
}

static int put_downstream(struct store *s, const struct tick_downstream *d)
{
	struct downstream_row row = {
		.tick = s->last_tick_id, .edge = dict_edge(s, d->edge), .op = dict_op(s, d->op), .callee = dict_edge(s, d->callee),
		.count = (double)d->count, .ns = (double)d->ns,
	};

	if (row.edge < 0 || row.op < 0 || row.callee < 0)
		return (int)(row.edge < 0 ? row.edge : row.op < 0 ? row.op : row.callee);
	return row_downstream(s, &row);
}

static double known(uint64_t v)
{
	return v == UINT64_MAX ? NAN : (double)v;
}

/* A time of 0 µs is one that was not measured. */
static double time_us(uint32_t v)
{
	return v ? v : NAN;
}

static int put_tcp(struct store *s, const struct tick_tcp *c)
{
	struct tcp_row row = {
		.tick = s->last_tick_id, .edge = dict_edge(s, c->edge),
		.v = {c->opened, c->closed, c->refused, c->timeouts, c->resets, c->retrans, c->open, c->inflight,
		      c->oldest_ns ? (double)c->oldest_ns : NAN, time_us(c->srtt_us),
		      (double)c->bytes_out, (double)c->bytes_in, time_us(c->connect_p50_us), time_us(c->connect_max_us),
		      time_us(c->min_rtt_us), c->resets_callee, c->retrans_callee, c->connecting,
		      known(c->caller.send_queue_bytes), known(c->caller.recv_queue_bytes),
		      known(c->caller.zero_windows), known(c->caller.zero_window_us),
		      known(c->callee.send_queue_bytes), known(c->callee.recv_queue_bytes),
		      known(c->callee.zero_windows), known(c->callee.zero_window_us)},
	};

	return row.edge < 0 ? (int)row.edge : row_tcp(s, &row);
}

static int put_tls(struct store *s, const struct tick_tls *h)
{
	struct tls_row row = {
		.tick = s->last_tick_id, .edge = dict_edge(s, h->edge), .version = h->version, .sni = h->sni, .result = h->result,
		.sender = h->by, .count = (double)h->count, .alpn = h->alpn, .subject = h->subject, .not_after_s = h->not_after_s, .source = h->source,
	};

	return row.edge < 0 ? (int)row.edge : row_tls(s, &row);
}

static int put_point(struct store *s, const struct tick_point *p)
{
	int64_t series;

	if (!isfinite(p->value))
		return 0;        /* not known: no row */
	series = dict_series(s, p->service, p->metric, p->device);
	return series < 0 ? (int)series : row_point(s, s->last_tick_id, series, p->value, p->limit);
}

/* The process that an exit is about is the youngest of its pid. */
static int note_exit(struct store *s, const struct tick_event *e)
{
	sqlite3_stmt *q = sql_get(s, "UPDATE process SET end_ns = ?2 WHERE id = (SELECT id FROM process WHERE pid = ?1 "
				     "AND start_ns <= ?2 ORDER BY start_ns DESC LIMIT 1)");

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, e->pid);
	sqlite3_bind_int64(q, 2, whole_us(e->unix_ns));
	return sql_run(s, q);
}

static int put_event(struct store *s, const struct tick_event *e)
{
	struct event_row row = {
		.t_ns = e->unix_ns, .kind = e->kind, .detail = e->detail, .version_before = e->version_before,
		.version_after = e->version_after, .actor = e->actor, .pid = e->pid, .source = SOURCE_RECORDED,
	};
	int rc;

	row.service = e->service == ID_NONE ? 0 : dict_service(s, e->service);
	rc = row.service < 0 ? (int)row.service : row_event(s, &row);
	return rc == 0 && e->pid && strcmp(e->kind, "exit") == 0 ? note_exit(s, e) : rc;
}

static int put_process(struct store *s, const struct tick_process *p, int64_t t_ns)
{
	struct process_tick_row row = {
		.tick = s->last_tick_id, .process = dict_process(s, p, whole_us(t_ns), false),
		.v = {p->cpu_s, p->runq_wait_s, p->disk_wait_s, (double)p->read_bytes, (double)p->write_bytes,
		      (double)p->rss_bytes, p->threads, p->fds, p->connections},
		.state = {p->state, '\0'},
	};

	int rc = row.process < 0 ? (int)row.process : row_process_tick(s, &row);

	if (rc != -EEXIST)
		return rc;
	/* Two processes of one pid in one tick: they began within a second of each other and are two all the same. */
	row.process = dict_process(s, p, whole_us(t_ns), true);
	return row.process < 0 ? (int)row.process : row_process_tick(s, &row);
}

static int put_cgroup(struct store *s, const struct tick_cgroup *g)
{
	struct cgroup_tick_row row = {
		.tick = s->last_tick_id, .cgroup = dict_cgroup(s, g),
		.v = {g->cpu_s, g->throttled_s, g->quota_cores, (double)g->mem_bytes, g->mem_limit_bytes, (double)g->read_bytes,
		      (double)g->write_bytes, g->periods_throttled, g->pids},
	};

	return row.cgroup < 0 ? (int)row.cgroup : row_cgroup_tick(s, &row);
}

static int put_stack(struct store *s, const struct tick_stack *k)
{
	struct profile_row row = {
		.service = k->service == ID_NONE ? 0 : dict_service(s, k->service), .pid = k->pid,
		.stack = dict_stack(s, k->frames), .samples = (int64_t)k->samples,
	};
	int rc;

	if (row.service < 0 || row.stack < 0)
		return (int)(row.service < 0 ? row.service : row.stack);
	rc = row_profile(s, s->last_tick_id, &row);
	return rc < 0 ? rc : sweep_keep(s, SWEEP_STACK, row.stack);
}

/* The callee of an edge, by its row. */
static int64_t callee_of(struct store *s, int64_t edge)
{
	sqlite3_stmt *q = sql_get(s, "SELECT dst FROM edge WHERE id = ?1");
	int64_t id;
	int rc;

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, edge);
	rc = sql_step(s, q);
	id = rc > 0 ? sqlite3_column_int64(q, 0) : rc < 0 ? rc : -EINVAL;
	sqlite3_reset(q);
	return id;
}

static int put_span(struct store *s, const struct tick_span *p)
{
	char trace[20], id[20], parent[20], status[16];
	struct span_row row = {
		.trace = trace, .span = id, .parent = p->parent ? parent : NULL, .edge = dict_edge(s, p->edge), .op = dict_op(s, p->op),
		.t_ns = p->unix_ns, .dur_ns = (int64_t)p->dur_ns, .status = p->status ? status : NULL, .error = p->error,
		.detail = p->detail && *p->detail ? p->detail : NULL, .method = p->parent ? p->method : NULL,
		.confidence = p->parent ? p->confidence : NAN, .source = SOURCE_RECORDED,
	};

	if (row.edge < 0 || row.op < 0)
		return (int)(row.edge < 0 ? row.edge : row.op);
	row.service = callee_of(s, row.edge);
	if (row.service < 0)
		return (int)row.service;
	snprintf(trace, sizeof(trace), "%016" PRIx64, p->trace);
	snprintf(id, sizeof(id), "%016" PRIx64, p->id);
	snprintf(parent, sizeof(parent), "%016" PRIx64, p->parent);
	snprintf(status, sizeof(status), "%d", p->status);
	for (int i = 0; i < TIME_PARTS; i++)
		row.part_ns[i] = p->timed ? (double)p->part_ns[i] : NAN;
	return row_span(s, &row);
}

/* Calls put(s, &row, …) for each row of a vector while rc is 0. */
#define EACH(rc, vec, call)                                            \
	for (size_t i = 0; (rc) == 0 && i < (vec).n; i++) {            \
		const __typeof__(*(vec).v) *row = &(vec).v[i];         \
		(rc) = (call);                                         \
	}

/* Services and edges are worth their rows before any fact refers to them. */
static int put_names(struct store *s, const struct tick *t)
{
	int rc = 0;

	EACH(rc, t->services, (int)(dict_service(s, row->id) < 0 ? dict_service(s, row->id) : 0));
	EACH(rc, t->edges, (int)(dict_edge(s, row->id) < 0 ? dict_edge(s, row->id) : 0));
	return rc;
}

static int put_rows(struct store *s, const struct tick *t)
{
	int rc = put_head(s, t);

	if (rc == 0)
		rc = put_names(s, t);
	EACH(rc, t->requests, put_requests(s, row));
	EACH(rc, t->tcp, put_tcp(s, row));
	EACH(rc, t->outcomes, put_outcome(s, row));
	EACH(rc, t->downstream, put_downstream(s, row));
	EACH(rc, t->tls, put_tls(s, row));
	EACH(rc, t->points, put_point(s, row));
	EACH(rc, t->processes, put_process(s, row, t->unix_ns));
	EACH(rc, t->cgroups, put_cgroup(s, row));
	EACH(rc, t->stacks, put_stack(s, row));
	EACH(rc, t->event, put_event(s, row));
	EACH(rc, t->spans, put_span(s, row));
	EACH(rc, t->loss, row_loss(s, s->last_tick_id, row->stage, row->reason, (double)row->count));
	return rc;
}

/* One try. *oldest: in, most ticks that may go because the disk is full; out, how many went. */
static int put_once(struct store *s, const struct tick *t, int *oldest)
{
	int64_t last = s->last_tick_id, now_ns = t->unix_ns + t->dur_ns;
	struct roll roll = s->roll;
	int rc = sql_exec(s, "BEGIN IMMEDIATE"), most = *oldest;

	*oldest = 0;
	if (rc == 0)
		rc = retain_room(s, tick_bytes(t));
	if (rc == 0 && most)
		*oldest = rc = retain_squeeze(s, tick_bytes(t), most);
	if (rc >= 0)
		rc = put_rows(s, t);
	if (rc == 0)
		rc = retain_age(s, now_ns);
	if (rc == 0)
		rc = roll_slice(s, now_ns);
	if (rc == 0)
		rc = sweep_slice(s);
	if (rc == 0)
		rc = sql_exec(s, "COMMIT");
	if (rc == 0)
		return 0;
	sql_rollback(s);
	dict_forget(&s->dict);
	sweep_reset(s);
	s->last_tick_id = last;
	s->roll = roll;
	return rc;
}

/* The disk is full. A try that fails is undone with all it pruned, so the number of ticks that have to go is found by trying,
 * twice as many each time; the next tick is tried without again, which is how the window grows as soon as there is space. */
static int put_into_full(struct store *s, const struct tick *t)
{
	int rc = retain_relieve(s), most = 0, gone = 0;

	if (rc == 0)
		rc = put_once(s, t, &gone);
	while (rc == -ENOSPC && gone == most) {
		gone = most = most ? 2 * most : 1;
		rc = put_once(s, t, &gone);
	}
	if (rc == 0 && gone)
		s->tight_until = s->puts + TIGHT_PUTS;
	return rc;
}

int store_put_tick(struct store *s, const struct tick *t, struct store_error *err)
{
	int rc;

	if (!store_is_there(s))
		return error_set(err, ESTALE, "%s: was removed or replaced while it was being recorded; start the recorder again",
				 s->path);
	rc = dict_absorb(&s->dict, t);
	s->why[0] = '\0';
	if (rc < 0)
		return error_from(s, err, rc);
	rc = put_once(s, t, &(int){0});
	if (rc == -ENOSPC)
		rc = put_into_full(s, t);
	if (rc == -EINVAL)
		snprintf(s->why, sizeof(s->why), "a fact refers to a service, edge or operation that was never defined");
	s->puts++;
	if (rc < 0)
		return error_from(s, err, rc);
	s->created = false;
	return 0;
}

bool store_is_tight(const struct store *s)
{
	return s->puts < s->tight_until;
}

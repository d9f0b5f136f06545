/* SPDX-License-Identifier: BSD-2-Clause */
/* model_tick(): settles what waited for the end of the interval, writes the rows, and only then lets go of the facts. */
#include "model/internal.h"

#include <errno.h>
#include <stdlib.h>

#define SPARSE_TICKS 10              /* an edge on which nothing happens has a row that often */

static int put_services(struct model *m, struct tick *t)
{
	uint32_t id;

	for (id = 0; id < m->services.n; id++) {
		const struct service *s = service_at(m, id);
		struct tick_service *r;

		if (s->sent)
			continue;
		r = vec_push(&t->services);
		if (!r)
			return -ENOMEM;
		*r = (struct tick_service){
			.id = id,
			.name = arena_strdup(&t->arena, intern_text(&m->names, id)),
			.kind = arena_strdup(&t->arena, s->kind ? s->kind : "app"),
			.exe = s->exe ? arena_strdup(&t->arena, s->exe) : NULL,
			.image = s->image ? arena_strdup(&t->arena, s->image) : NULL,
			.why = arena_strdup(&t->arena, s->why ? s->why : "executable"),
		};
		if (!r->name || !r->kind || !r->why)
			return -ENOMEM;
	}
	return 0;
}

static int put_edges(struct model *m, struct tick *t)
{
	uint32_t id;

	for (id = 0; id < m->edges.n; id++) {
		const struct edge *e = &m->edges.v[id];
		struct tick_edge *r = e->sent ? NULL : vec_push(&t->edges);

		if (!e->sent && !r)
			return -ENOMEM;
		if (r)
			*r = (struct tick_edge){.id = id, .from = e->from, .to = e->to, .port = e->port,
						.protocol = edge_protocol(e)};
	}
	return 0;
}

static int put_op(struct model *m, struct tick *t, uint32_t id)
{
	struct tick_op *r = vec_push(&t->ops);

	if (!r)
		return -ENOMEM;
	*r = (struct tick_op){.id = id, .text = arena_strdup(&t->arena, intern_text(&m->ops, id))};
	return r->text ? 0 : -ENOMEM;
}

static int put_ops(struct model *m, struct tick *t)
{
	uint32_t id;
	int err = 0;

	if (!m->other_sent && (m->lost_ops || m->lost_rows))
		err = put_op(m, t, 0);
	for (id = m->ops_sent + 1; id < m->ops.n && !err; id++)
		err = put_op(m, t, id);
	return err;
}

static int put_outcomes(struct tick *t, const struct agg_key *k, const struct outcomes *o)
{
	for (size_t i = 0; i < o->v.n; i++) {
		const struct outcome *x = &o->v.v[i];
		struct tick_outcome *r = vec_push(&t->outcomes);

		if (!r)
			return -ENOMEM;
		*r = (struct tick_outcome){
			.edge = k->id, .op = k->op, .status = x->status, .error = req_error_name(x->error),
			.detail = arena_strdup(&t->arena, x->detail), .count = x->count,
		};
		if (!r->detail)
			return -ENOMEM;
	}
	return 0;
}

/* The histograms change hands at the end; until then both have them. */
static int put_requests(struct model *m, struct tick *t)
{
	const void *key;
	size_t it = 0;
	void *value;

	while (map_next(&m->aggs, &it, &key, &value)) {
		const struct agg_key *k = key;
		const struct agg *a = value;
		struct tick_requests *r = vec_push(&t->requests);

		if (!r)
			return -ENOMEM;
		*r = (struct tick_requests){
			.edge = k->id, .op = k->op, .count = a->count, .errors = a->errors, .sum_ns = a->sum_ns,
			.bytes_request = a->bytes_request, .bytes_response = a->bytes_response, .rows = a->rows,
			.waits = a->waits, .begun = a->begun, .first_ns = a->first_ns, .timing = a->timing, .hist = a->hist,
		};
		if (put_outcomes(t, k, &a->outcomes))
			return -ENOMEM;
	}
	return 0;
}

static int by_number(const void *pa, const void *pb)
{
	const uint32_t *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

static uint32_t median(const struct edge *e)
{
	uint32_t v[SRTT_MAX];

	if (!e->nsrtt)
		return 0;
	memcpy(v, e->srtt, sizeof(v));
	qsort(v, e->nsrtt, sizeof(*v), by_number);
	return v[e->nsrtt / 2];
}

static bool edge_due(const struct model *m, const struct edge *e)
{
	return e->active || e->inflight || e->connecting || e->open != e->open_sent ||
	       (e->open && m->tick_no - e->row_sent >= SPARSE_TICKS);
}

static int put_tcp(struct model *m, struct tick *t, uint64_t ts_ns)
{
	uint32_t id;

	for (id = 0; id < m->edges.n; id++) {
		struct edge *e = &m->edges.v[id];
		struct tick_tcp *r;

		if (!edge_due(m, e))
			continue;
		r = vec_push(&t->tcp);
		if (!r)
			return -ENOMEM;
		*r = (struct tick_tcp){
			.edge = id, .opened = e->opened, .closed = e->closed, .refused = e->refused, .timeouts = e->timeouts,
			.resets = e->resets, .retrans = e->retrans, .open = e->open, .inflight = e->inflight,
			.oldest_ns = e->oldest_ns && ts_ns > e->oldest_ns ? ts_ns - e->oldest_ns : 0,
			.srtt_us = median(e), .bytes_out = e->bytes_out, .bytes_in = e->bytes_in,
		};
		health_row(m, e, r);
	}
	return 0;
}

static const char *copy(struct tick *t, const char *s)
{
	return s ? arena_strdup(&t->arena, s) : NULL;
}

static int put_events(struct model *m, struct tick *t, uint64_t ts_ns)
{
	int64_t end_ns = t->unix_ns + t->dur_ns;
	size_t i;

	for (i = 0; i < m->notes.n; i++) {
		const struct note *n = &m->notes.v[i];
		struct tick_event *e = vec_push(&t->event);
		struct proc *p = n->service == NONE && n->pid ? proc_known(m, n->pid) : NULL;

		if (!e)
			return -ENOMEM;
		*e = (struct tick_event){
			.unix_ns = n->ts_ns ? end_ns - ((int64_t)ts_ns - (int64_t)n->ts_ns) : n->unix_ns,
			.service = p ? proc_service_find(m, p) : n->service,
			.kind = copy(t, n->kind ? n->kind : ""), .detail = copy(t, n->detail ? n->detail : ""),
			.version_before = copy(t, n->before), .version_after = copy(t, n->after),
			.actor = copy(t, n->actor), .pid = n->pid,
		};
		if (!e->kind || !e->detail)
			return -ENOMEM;
	}
	return 0;
}

static int put_loss(struct model *m, struct tick *t)
{
	size_t i;

	loss_own(m);
	for (i = 0; i < m->losses.n; i++) {
		const struct loss *l = &m->losses.v[i];
		struct tick_loss *r;

		if (l->total == l->told)
			continue;
		r = vec_push(&t->loss);
		if (!r)
			return -ENOMEM;
		*r = (struct tick_loss){.stage = l->stage, .reason = l->reason, .count = l->total - l->told};
		t->lost += l->events ? r->count : 0;
	}
	return 0;
}

static void sum_open(struct model *m)
{
	size_t i;

	for (i = 0; i < m->services.n; i++)
		service_at(m, (uint32_t)i)->open = 0;
	for (i = 0; i < m->edges.n; i++) {
		const struct edge *e = &m->edges.v[i];

		service_at(m, e->from)->open += e->open;
		service_at(m, e->to)->open += e->open;
	}
}

/* Owners, edges and events that waited for the end of the interval. May be done twice. */
static void settle(struct model *m, uint64_t ts_ns, int64_t unix_ns)
{
	size_t i;

	if (!m->named) {
		m->named = true;
		listeners_decide(m);
	}
	listeners_refresh(m);
	for (i = 0; i < m->edges.n; i++) {
		m->edges.v[i].inflight = m->edges.v[i].connecting = 0;
		m->edges.v[i].oldest_ns = 0;
	}
	conns_end_flows(m, ts_ns);
	wholes_settle(m);
	requests_settle(m);
	trace_settle(m, ts_ns);
	handshakes_settle(m, ts_ns, unix_ns);
	conns_settle(m);
	life_decide(m, ts_ns);
	usage_sum(m);
	sum_open(m);
}

static void commit_edges(struct model *m, const struct tick *t)
{
	size_t i;

	for (i = 0; i < t->tcp.n; i++) {
		struct edge *e = &m->edges.v[t->tcp.v[i].edge];

		e->open_sent = e->open;
		e->row_sent = m->tick_no;
	}
	for (i = 0; i < m->edges.n; i++) {
		struct edge *e = &m->edges.v[i];

		e->sent = true;
		e->active = false;
		e->nsrtt = 0;
		e->opened = e->closed = e->refused = e->timeouts = e->resets = e->retrans = 0;
		e->bytes_out = e->bytes_in = 0;
		health_reset(e);
	}
}

static void commit(struct model *m, const struct tick *t, uint64_t ts_ns)
{
	size_t i;

	commit_edges(m, t);
	for (i = 0; i < m->services.n; i++) {
		struct service *s = service_at(m, (uint32_t)i);

		s->sent = true;
		s->restarts = s->forks = 0;
		s->tick_rx = s->tick_tx = s->tick_retrans = 0;
	}
	m->other_sent |= m->lost_ops || m->lost_rows;
	m->ops_sent = (uint32_t)m->ops.n - 1;
	requests_commit(m);
	map_reset(&m->handshakes);
	vec_reset(&m->notes);
	arena_reset(&m->note_text);
	m->life_events = m->forks = 0;
	for (i = 0; i < m->losses.n; i++)
		m->losses.v[i].told = m->losses.v[i].total;
	m->events = 0;
	m->passed = false;
	listeners_reset(m);
	weight_commit(m);
	readings_commit(m);
	stacks_commit(m);
	downstream_commit(m);
	trace_commit(m);
	conn_flush(m, ts_ns);
	conn_reap(m, ts_ns);
	procs_expire(m, ts_ns);
}

/* The histograms are still the model's. */
static void undo(struct tick *t)
{
	size_t i;

	for (i = 0; i < t->requests.n; i++)
		hist_init(&t->requests.v[i].hist);
	tick_free(t);
}

static int put_all(struct model *m, struct tick *t, uint64_t ts_ns)
{
	int err = put_requests(m, t);

	err = err ? err : put_tcp(m, t, ts_ns);
	err = err ? err : handshakes_build(m, t);
	err = err ? err : points_build(m, t);
	err = err ? err : processes_build(m, t);
	err = err ? err : cgroups_build(m, t);
	err = err ? err : stacks_build(m, t);
	err = err ? err : trace_build(m, t, ts_ns);
	err = err ? err : downstream_build(m, t);
	err = err ? err : put_events(m, t, ts_ns);
	err = err ? err : put_loss(m, t);
	/* last: the rows above may have made services known */
	err = err ? err : put_services(m, t);
	err = err ? err : put_edges(m, t);
	return err ? err : put_ops(m, t);
}

struct tick *model_tick(struct model *m, uint64_t ts_ns, int64_t unix_ns, int64_t dur_ns)
{
	struct tick *t = tick_new(unix_ns, dur_ns);

	if (!t)
		return NULL;
	if (ts_ns > m->now_ns)
		m->now_ns = ts_ns;
	m->tick_no++;
	settle(m, ts_ns, unix_ns);
	if (put_all(m, t, ts_ns)) {
		undo(t);
		return NULL;
	}
	t->events = m->events;
	t->weight = weight_of_tick(m);
	commit(m, t, ts_ns);
	return t;
}

void model_end(struct model *m)
{
	m->ending = true;
}

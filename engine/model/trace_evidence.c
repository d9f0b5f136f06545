/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/trace_evidence.h"

#include "model/internal.h"
#include "model/trace.h"

#define RUN_MAX 128                    /* reads or writes in a row */
#define OPENING_MAX 16                 /* acts of a connection before its first request */
#define CHAIN_MAX 32                   /* calls one after the other, of one request */
#define LATE_NS (150 * 1000ull)       /* a thread that goes on with what it has read has written by then, mostly */
#define PENDING EVIDENCE_PENDING

unsigned evidence_kind(const struct guess *g)
{
	return g->place * 18u + g->connect * 9u + g->act * 3u + (g->ordered ? 1 : g->weak ? 2 : 0);
}

bool trace_may_cause(const struct trace *t, const struct hop *parent, const struct hop *child)
{
	const struct act *read = trace_act_at(t, parent->read), *asked = trace_act_at(t, child->asked), *got;

	if (!read || !asked || read->pid != asked->pid || read->ts_ns > asked->ts_ns)
		return false;
	got = trace_act_at(t, child->got);
	return (got ? got->ts_ns : child->end_ns) <= parent->end_ns;
}

bool trace_is_cause(const struct trace *t, uint32_t parent, const struct hop *child)
{
	const struct hop *p = trace_hop_at(t, parent);

	return p && trace_may_cause(t, p, child);
}

static bool is_serving(const struct model *m, const struct act *a, uint32_t serial)
{
	uint32_t reading = conn_at(m, a->conn)->reader.act;
	const struct act *r = trace_act_at(&m->trace, reading);

	return r && r->conn == a->conn && (int32_t)(serial - reading) >= 0;
}

static struct guess before(const struct model *m, uint32_t asked, unsigned depth);

/* Before its first request a connection goes on with what connect() was part of. */
static uint32_t opened_for(const struct model *m, uint32_t serial, unsigned depth)
{
	const struct act *a = trace_act_at(&m->trace, serial);

	for (unsigned n = 0; n < OPENING_MAX && a && !a->connect; n++) {
		serial = a->on_conn;
		a = trace_act_at(&m->trace, serial);
	}
	return a && a->connect && depth < CHAIN_MAX ? before(m, serial, depth + 1).hop : 0;
}

/* What a thread that has read this goes on with. */
static uint32_t context(const struct model *m, const struct act *r, uint32_t serial, unsigned depth)
{
	const struct hop *h = trace_hop_at(&m->trace, r->hop);

	if (r->shared)
		return 0;
	if (!h && r->opening)
		return opened_for(m, serial, depth);
	if (!h)
		return is_serving(m, r, serial) ? PENDING : 0;
	if (r->server)
		return r->hop;
	return h->decided ? h->parent : PENDING;
}

/* Acts in a row, all reads or all writes, around or up to one of them. */
struct run { uint32_t n, at; uint32_t act[RUN_MAX]; };

/* Does it go on with the act next to it? More of the same message is no act of its own. */
static bool same_kind(const struct act *a, const struct act *next)
{
	return next && next->tid == a->tid && next->write == a->write;
}

static uint32_t run_begin(const struct trace *t, uint32_t id)
{
	const struct act *a = trace_act_at(t, id);

	for (uint32_t n = 0; n < RUN_MAX && same_kind(a, trace_act_at(t, a->before)); n++) {
		id = a->before;
		a = trace_act_at(t, id);
	}
	return id;
}

/* From its first act on; what is repeated on one connection counts once. at: where `mark` is in it. */
static bool run_read(const struct trace *t, uint32_t id, uint32_t mark, struct run *r)
{
	const struct act *a = trace_act_at(t, id), *last;

	r->n = r->at = 0;
	while (a) {
		last = r->n ? trace_act_at(t, r->act[r->n - 1]) : NULL;
		if (!last || last->conn != a->conn || last->server != a->server) {
			if (r->n == RUN_MAX)
				return false;
			r->act[r->n++] = id;
		}
		if (id == mark)
			r->at = r->n - 1;
		id = a->after;
		if (!same_kind(a, trace_act_at(t, id)))
			return true;
		a = trace_act_at(t, id);
	}
	return false;
}

/* A thread that runs one goroutine after the other writes for the next one behind what it wrote for the one that it read for, or
 * after it has waited. */
static uint8_t place_of(const struct act *r, const struct act *w, bool behind)
{
	return w->ts_ns - r->ts_ns > LATE_NS ? 2 : behind;
}

/* What the writer of a request, or who connected, had read. */
static struct guess before(const struct model *m, uint32_t asked, unsigned depth)
{
	const struct trace *t = &m->trace;
	const struct act *w = trace_act_at(t, asked), *a;
	struct run writes, reads;
	uint32_t first = run_begin(t, asked), last = trace_act_at(t, first)->before, of;
	struct guess g = {.connect = w->connect};

	a = trace_act_at(t, last);
	if (!a || !run_read(t, first, asked, &writes) || !run_read(t, run_begin(t, last), last, &reads))
		return g;
	of = reads.n - 1;
	if (reads.n > 1) {
		g.ordered = reads.n == writes.n;
		g.weak = !g.ordered;
		of = g.ordered ? writes.at : of;
	}
	a = trace_act_at(t, reads.act[of]);
	g.hop = context(m, a, reads.act[of], depth);
	g.act = a->server ? 0 : a->conn == w->conn ? 2 : 1;
	g.place = place_of(a, w, !g.ordered && writes.at);
	return g;
}

static struct guess backward(const struct model *m, const struct hop *h, unsigned depth)
{
	const struct trace *t = &m->trace;
	const struct act *a = trace_act_at(t, h->got), *w;
	struct run reads, writes;
	struct guess g = {0};
	uint32_t of = 0;

	if (!a || a->shared || depth >= CHAIN_MAX || !run_read(t, run_begin(t, h->got), h->got, &reads))
		return g;
	w = trace_act_at(t, trace_act_at(t, reads.act[reads.n - 1])->after);
	if (!w)
		return g;
	for (of = reads.act[reads.n - 1]; same_kind(a, trace_act_at(t, trace_act_at(t, of)->after));)
		of = trace_act_at(t, of)->after;
	of = trace_act_at(t, of)->after;
	if (!trace_act_at(t, of) || !run_read(t, of, of, &writes))
		return g;
	if (reads.n > 1) {
		g.ordered = reads.n == writes.n;
		g.weak = !g.ordered;
		if (g.weak && reads.at != reads.n - 1)
			return g;
	}
	w = trace_act_at(t, writes.act[g.ordered ? reads.at : 0]);
	g.place = place_of(a, w, false);
	if (w->server) {
		g.hop = w->hop && !w->shared ? w->hop : 0;
	} else {
		const struct hop *next = trace_hop_at(t, w->hop);

		if (next && next->asked && next != h) {
			struct guess further = backward(m, next, depth + 1);

			g.hop = further.hop;
			g.act = w->conn == h->conn ? 2 : 1;
			g.ordered |= further.ordered;
			g.weak |= further.weak;
		}
	}
	return g;
}

struct guess evidence_forward(const struct model *m, const struct hop *h)
{
	return before(m, h->asked, 0);
}

struct guess evidence_backward(const struct model *m, const struct hop *h)
{
	return backward(m, h, 0);
}

uint32_t evidence_only(const struct model *m, const struct hop *h)
{
	const struct act *w = trace_act_at(&m->trace, h->asked), *r = trace_act_at(&m->trace, w->open);

	return r ? context(m, r, w->open, 0) : 0;
}

uint32_t evidence_handed(const struct trace *t, const struct hop *h)
{
	const struct act *w = trace_act_at(t, h->asked), *r, *next;

	for (unsigned n = 0; n < CHAIN_MAX; n++) {
		r = trace_act_at(t, w->after);
		while (r && r->tid == w->tid && !r->server && !r->write && r->conn == w->conn && !r->shared) {
			next = trace_act_at(t, r->after);
			if (!next || next->tid != w->tid || next->write)
				break;
			r = next;
		}
		if (!r || r->tid != w->tid || r->server || r->write || r->conn != w->conn)
			return 0;
		w = trace_act_at(t, r->after);
		if (!w || w->tid != r->tid || !w->write)
			return 0;
		if (w->server)
			return w->shared ? 0 : w->hop;
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/trace_evidence.h"

#include "model/internal.h"
#include "model/trace.h"

#define ROW_MAX 128                    /* reads or writes in a row */
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

/* A run as it is now: so many entries from its first act to its last, the entry that an act is in. */
struct row { uint32_t n, at, begin, last; };

static bool row_of(const struct trace *t, uint32_t id, struct row *r)
{
	const struct act *a = trace_act_at(t, id), *first = a ? trace_act_at(t, a->run.begin) : NULL, *last;

	last = first ? trace_act_at(t, first->run.last) : NULL;
	if (!last || last->run.at >= ROW_MAX)
		return false;
	*r = (struct row){.n = last->run.at + 1, .at = a->run.at, .begin = a->run.begin, .last = first->run.last};
	return true;
}

/* The first act of an entry. */
static uint32_t row_entry(const struct trace *t, const struct row *r, uint32_t at)
{
	const struct act *a = trace_act_at(t, r->begin);
	uint32_t id = r->begin;

	if (at == r->n - 1)
		return trace_act_at(t, r->last)->run.entry;
	for (; a && a->run.at < at; a = trace_act_at(t, id))
		id = a->after;
	return id;
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
	const struct act *w = trace_act_at(t, asked), *first = trace_act_at(t, w->run.begin), *a;
	struct guess g = {.connect = w->connect};
	struct row writes, reads;
	uint32_t of;

	if (!first || !row_of(t, asked, &writes) || !row_of(t, first->before, &reads))
		return g;
	of = reads.n - 1;
	if (reads.n > 1) {
		g.ordered = reads.n == writes.n;
		g.weak = !g.ordered;
		of = g.ordered ? writes.at : of;
	}
	of = row_entry(t, &reads, of);
	a = trace_act_at(t, of);
	if (!a)
		return g;
	g.hop = context(m, a, of, depth);
	g.act = a->server ? 0 : a->conn == w->conn ? 2 : 1;
	g.place = place_of(a, w, !g.ordered && writes.at);
	return g;
}

static struct guess backward(const struct model *m, const struct hop *h, unsigned depth)
{
	const struct trace *t = &m->trace;
	const struct act *a = trace_act_at(t, h->got), *w;
	struct row reads, writes;
	struct guess g = {0};

	if (!a || a->shared || depth >= CHAIN_MAX || !row_of(t, h->got, &reads) ||
	    !row_of(t, trace_act_at(t, reads.last)->after, &writes))
		return g;
	if (reads.n > 1) {
		g.ordered = reads.n == writes.n;
		g.weak = !g.ordered;
		if (g.weak && reads.at != reads.n - 1)
			return g;
	}
	w = trace_act_at(t, row_entry(t, &writes, g.ordered ? reads.at : 0));
	if (!w)
		return g;
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

/* The last read of the answer to what was written; NULL: the thread did something else. */
static const struct act *answer_read(const struct trace *t, const struct act *w)
{
	const struct act *r = trace_act_at(t, w->after), *last;
	struct row row;

	if (!r || r->tid != w->tid || r->server || r->write || r->conn != w->conn || !row_of(t, w->after, &row) || row.n > 1)
		return NULL;
	last = trace_act_at(t, row.last);
	return r->shared || last->shared ? NULL : last;
}

uint32_t evidence_handed(const struct trace *t, const struct hop *h)
{
	const struct act *w = trace_act_at(t, h->asked), *r;

	for (unsigned n = 0; n < CHAIN_MAX; n++) {
		r = answer_read(t, w);
		w = r ? trace_act_at(t, r->after) : NULL;
		if (!w || w->tid != r->tid || !w->write)
			return 0;
		if (w->server)
			return w->shared ? 0 : w->hop;
	}
	return 0;
}

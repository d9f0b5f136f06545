/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links: which hop caused which.  Where requests carry ids these decide; all other evidence looks at no payload:
 *
 *	thread  between its read of the request and its write of the answer a thread did nothing for any other request
 *	turn    what the writer of the request had read last (forward), and what was written next after the answer was read
 *		(backward). An event loop reads several sockets and then writes several: where it reads as many as it writes, the
 *		first write is of the first read, and so on
 *	queue   a thread called, read the answer and then answered a request that another thread had read
 *	alone   the process was serving one request only when it wrote
 *
 * The read of an answer goes on with what the request of that answer was part of.  Forward and backward are independent, and where
 * both name the same request they have not been seen to be wrong; so how often they do says for each process how far either may be
 * trusted where the other is silent, or names another.  That is kept by kinds: whether the read was of a request, or of an answer
 * on the same connection that is written to now (of a pool whose users wait for a free one it says little), and whether it was
 * the only one, one of a run in order, or one of a run out of step.
 *
 * A parent is served by the process that calls, read before the child was written, and ends after it: so no cycles.
 */
#include "model/trace.h"
#include "model/internal.h"

#define SETTLE_NS (200 * NS_PER_MS)    /* the read of an answer, and what it causes, come after the hop */
#define WAIT_NS (60 * NS_PER_S)        /* for what may be the parent to end */
#define SCAN_MAX 512                   /* acts of a thread between its read and its answer */
#define RUN_MAX 128                    /* reads or writes in a row */
#define CHAIN_MAX 32                   /* calls one after the other, of one request */
#define SAMPLES_MIN 12
#define SAMPLES_MAX 4000
#define PRIOR_RIGHT 1.8f               /* before anything is known */
#define PRIOR_WRONG 0.2f
#define TRUST 0.97f                    /* for a link by one side alone */

const struct link_method_info link_method_table[LINK_METHODS] = {
	[LINK_NONE] = {NULL, 0, "no request is known to have caused it"},
	[LINK_ID] = {"id", 1.0f, "an identifier in the request"},
	[LINK_THREAD] = {"thread", 0.99f, "a thread that did nothing else between request and answer"},
	[LINK_TURN] = {"turn", 0.98f, "read last before it was written, and answered next after its answer was read"},
	[LINK_ALONE] = {"alone", 0.97f, "the only request that its process was serving"},
	[LINK_ORDER] = {"order", 0.97f, "as many reads as writes in one turn of an event loop, in that order"},
	[LINK_QUEUE] = {"queue", 0.97f, "a thread that called and then answered what another thread had read"},
};

#define PENDING UINT32_MAX             /* what may be the parent has not ended */

struct guess {
	uint32_t hop;                  /* 0: none; PENDING */
	bool ordered;                  /* by the order in a run */
	bool weak;                     /* of a run of which the order says nothing */
	uint8_t act;                   /* 0: a request or its answer, 1: of a call, 2: of a call on the same connection */
};

static unsigned kind_of(const struct guess *g)
{
	return g->act * 3u + (g->ordered ? 1 : g->weak ? 2 : 0);
}

static bool is_serving(const struct model *m, const struct act *a, uint32_t serial)
{
	const struct act *r = trace_act_at(&m->trace, conn_at(m, a->conn)->reading);

	return r && r->conn == a->conn && (int32_t)(serial - conn_at(m, a->conn)->reading) >= 0;
}

/* May it have caused the child? */
static bool may_cause(const struct trace *t, const struct hop *parent, const struct hop *child)
{
	const struct act *read = trace_act_at(t, parent->read), *asked = trace_act_at(t, child->asked), *got;

	if (!read || !asked || read->pid != asked->pid || read->ts_ns > asked->ts_ns)
		return false;
	got = trace_act_at(t, child->got);
	return (got ? got->ts_ns : child->end_ns) <= parent->end_ns;
}

/* What a thread that has read this goes on with. */
static uint32_t context(const struct model *m, const struct act *r, uint32_t serial)
{
	const struct hop *h = trace_hop_at(&m->trace, r->hop);

	if (r->shared)
		return 0;
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

/* What the writer of the request had read. */
static struct guess forward(const struct model *m, const struct hop *h)
{
	const struct trace *t = &m->trace;
	struct run writes, reads;
	uint32_t first = run_begin(t, h->asked), before, of;
	const struct act *a = trace_act_at(t, first);
	struct guess g = {0};

	before = a->before;
	a = trace_act_at(t, before);
	if (!a || !run_read(t, first, h->asked, &writes) || !run_read(t, run_begin(t, before), before, &reads))
		return g;
	of = reads.n - 1;
	if (reads.n > 1) {
		g.ordered = reads.n == writes.n;
		g.weak = !g.ordered;
		of = g.ordered ? writes.at : of;
	}
	a = trace_act_at(t, reads.act[of]);
	g.hop = context(m, a, reads.act[of]);
	g.act = a->server ? 0 : a->conn == h->conn ? 2 : 1;
	return g;
}

/* What was written after the answer was read: the answer to its cause, or the next call of it. */
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

static void link_to(struct trace *t, uint32_t child, uint32_t parent, enum link_method method, float confidence)
{
	struct hop *h = trace_hop_at(t, child), *p = trace_hop_at(t, parent);

	h->decided = true;
	if (confidence < LINK_FLOOR) {
		t->below_floor++;
		return;
	}
	h->parent = parent;
	h->method = (uint8_t)method;
	h->confidence = confidence;
	h->next = p->child;
	p->child = child;
	t->by_method[method]++;
	if (p->kept && t->nlate < TRACE_LATE)
		t->late[t->nlate++] = child;
}

/* The acts of the thread from the read of a request to its answer; false where one of them is of another request. link: what it
 * called becomes its children. */
static bool thread_scan(struct trace *t, const struct hop *parent, uint32_t serial, bool link)
{
	const struct act *read = trace_act_at(t, parent->read), *a = read;
	uint32_t id, n;

	for (n = 0; n < SCAN_MAX; n++) {
		struct hop *h;

		id = a->after;
		a = trace_act_at(t, id);
		if (!a || a->tid != read->tid)
			return false;
		if (id == parent->answered)
			return true;
		if (a->server) {
			if (a->conn != read->conn)
				return false;
			continue;
		}
		h = trace_hop_at(t, a->hop);
		if (a->shared || (h && (int32_t)(h->asked - parent->read) < 0))
			return false;
		if (link && h && a->write && h->asked == id && !h->decided && may_cause(t, parent, h))
			link_to(t, a->hop, serial, LINK_THREAD, link_method_table[LINK_THREAD].confidence);
	}
	return false;
}

static void link_thread(struct trace *t, uint32_t serial)
{
	const struct hop *h = trace_hop_at(t, serial);
	const struct act *read = trace_act_at(t, h->read), *answered = trace_act_at(t, h->answered);

	if (!read || !answered || read->tid != answered->tid || !read->first || read->shared)
		return;
	if (thread_scan(t, h, serial, false))
		thread_scan(t, h, serial, true);
}

static float trust(const struct record *r)
{
	return (r->right + PRIOR_RIGHT) / (r->right + r->wrong + PRIOR_RIGHT + PRIOR_WRONG);
}

static bool is_trusted(const struct record *r)
{
	return r->right + r->wrong >= SAMPLES_MIN && trust(r) >= TRUST;
}

static void record_add(struct record *r, float right)
{
	r->right += right;
	r->wrong += 1 - right;
	if (r->right + r->wrong < SAMPLES_MAX)
		return;
	r->right /= 2;
	r->wrong /= 2;
}

/* Of two that disagree, one is right: how sure is it that it is the first? */
static float first_right(float first, float second)
{
	float a = first * (1 - second), b = second * (1 - first);

	return a + b > 0 ? a / (a + b) : 0.5f;
}

/* They agree, then both are right; or one is wrong, the likelier the less it is trusted. */
static void learn(struct record *f, struct record *b, bool agree)
{
	float right = agree ? 1 : first_right(trust(f), trust(b));

	record_add(f, right);
	record_add(b, agree ? 1 : 1 - right);
}

static bool is_cause(const struct trace *t, uint32_t parent, const struct hop *child)
{
	const struct hop *p = trace_hop_at(t, parent);

	return p && may_cause(t, p, child);
}

/* The only request that the process was serving. */
static uint32_t only(const struct model *m, const struct hop *h)
{
	const struct act *w = trace_act_at(&m->trace, h->asked), *r = trace_act_at(&m->trace, w->open);

	return r ? context(m, r, w->open) : 0;
}

/* A thread called, waited for the answer, perhaps called again, and answered. */
static uint32_t handed(const struct trace *t, const struct hop *h)
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

/* By the ids that requests carry. PENDING: whose it is has not ended. */
static uint32_t carried(struct trace *t, const struct hop *h)
{
	const struct act *asked = trace_act_at(t, h->asked);
	const struct carrier *x = trace_carrier(t, h->carried, asked->pid);

	if (!h->carried || x->id != h->carried || x->pid != asked->pid || x->several)
		return 0;
	return is_cause(t, x->hop, h) ? x->hop : 0;
}

/* Forward and backward, weighed. */
static bool link_weighed(struct trace *t, struct hop *h, uint32_t serial, struct guess *f, struct guess *b)
{
	struct actor *p = trace_actor(t, trace_act_at(t, h->asked)->pid);
	struct record *rf = &p->forward[kind_of(f)], *rb = &p->backward[kind_of(b)];
	enum link_method method = f->ordered || b->ordered ? LINK_ORDER : LINK_TURN;
	float of_table = link_method_table[method].confidence, first;

	if (f->hop && b->hop) {
		first = first_right(trust(rf), trust(rb));
		learn(rf, rb, f->hop == b->hop);
		if (f->hop == b->hop)
			link_to(t, serial, f->hop, method, of_table);
		else if (first >= TRUST && is_trusted(rf))
			link_to(t, serial, f->hop, method, first * of_table);
		else if (1 - first >= TRUST && is_trusted(rb))
			link_to(t, serial, b->hop, method, (1 - first) * of_table);
	} else if (f->hop && is_trusted(rf)) {
		link_to(t, serial, f->hop, method, trust(rf) * of_table);
	} else if (b->hop && is_trusted(rb)) {
		link_to(t, serial, b->hop, method, trust(rb) * of_table);
	} else if (b->hop && b->hop == handed(t, h)) {
		link_to(t, serial, b->hop, LINK_QUEUE, link_method_table[LINK_QUEUE].confidence);
	}
	return h->decided;
}

/* True where nothing more will become known of it. */
static bool link_turn(struct model *m, struct hop *h, uint32_t serial, bool final)
{
	struct trace *t = &m->trace;
	const struct act *asked = trace_act_at(t, h->asked);
	uint32_t one = only(m, h), by_id = carried(t, h);
	struct guess f, b;

	if (by_id) {
		link_to(t, serial, by_id, LINK_ID, link_method_table[LINK_ID].confidence);
		return true;
	}
	if (one == PENDING && !final)
		return false;
	if (is_cause(t, one, h)) {
		link_to(t, serial, one, LINK_ALONE, link_method_table[LINK_ALONE].confidence);
		return true;
	}
	f = forward(m, h);
	b = backward(m, h, 0);
	if ((f.hop == PENDING || b.hop == PENDING) && !final)
		return false;
	f.hop = is_cause(t, f.hop, h) ? f.hop : 0;
	b.hop = is_cause(t, b.hop, h) ? b.hop : 0;
	if (link_weighed(t, h, serial, &f, &b))
		return true;
	if (!final && trace_actor(t, asked->pid)->open)
		return false;
	t->ambiguous++;
	return h->decided = true;
}

/* True where it is decided. */
static bool link_hop(struct model *m, uint32_t serial, uint64_t now_ns)
{
	struct hop *h = trace_hop_at(&m->trace, serial);
	const struct act *asked;

	if (h->decided)
		return true;
	asked = trace_act_at(&m->trace, h->asked);
	m->trace.acts_lost += h->asked && !asked;
	if (!asked || !asked->nopen) {
		h->decided = true;              /* the caller serves nobody that we know of */
		return true;
	}
	return link_turn(m, h, serial, m->ending || h->end_ns + WAIT_NS < now_ns || m->trace.nhops - serial > TRACE_HOPS / 2);
}

void trace_link(struct model *m, uint64_t now_ns)
{
	struct trace *t = &m->trace;
	uint32_t serial, end;

	if (!t->hop)
		return;
	if (t->nhops - t->undecided >= TRACE_HOPS)
		t->undecided = t->nhops - TRACE_HOPS + 1;
	for (end = t->undecided + 1; (int32_t)(t->nhops - end) >= 0; end++)
		if (!m->ending && trace_hop_at(t, end) && trace_hop_at(t, end)->end_ns + SETTLE_NS > now_ns)
			break;
	for (serial = t->scanned + 1; (int32_t)(end - serial) > 0; serial++)
		if (trace_hop_at(t, serial))
			link_thread(t, serial);
	t->scanned = end - 1;
	for (serial = t->undecided + 1; (int32_t)(end - serial) > 0; serial++)
		if (trace_hop_at(t, serial) && link_hop(m, serial, now_ns) && serial == t->undecided + 1)
			t->undecided = serial;
}

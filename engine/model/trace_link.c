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
 *	shape   each request makes this call once (trace_shape.h), and of those that were open only one lacked it
 *
 * The read of an answer goes on with what the request of that answer was part of.  Forward and backward are independent, and where
 * both name the same request they have not been seen to be wrong; so how often they do says for each process how far either may be
 * trusted where the other is silent, or names another.  That is kept by kinds: whether the read was of a request, or of an answer
 * on the same connection that is written to now (of a pool whose users wait for a free one it says little), and whether it was
 * the only one, one of a run in order, or one of a run out of step, and whether it came before a write or a connect().
 *
 * A connection that is opened for a call is written to turns later, when it is there: connect() is what tells of the cause.
 *
 * A parent is served by the process that calls, read before the child was written, and ends after it: so no cycles.
 */
#include "model/trace.h"
#include "model/internal.h"

#define SETTLE_NS (200 * NS_PER_MS)    /* the read of an answer, and what it causes, come after the hop */
#define WEIGHED_NS (1000 * NS_PER_MS)  /* certain links are made first */
#define WAIT_NS (60 * NS_PER_S)        /* for what may be the parent to end */
#define SCAN_MAX 512                   /* acts of a thread between its read and its answer */
#define RUN_MAX 128                    /* reads or writes in a row */
#define OPENING_MAX 16                 /* acts of a connection before its first request */
#define CHAIN_MAX 32                   /* calls one after the other, of one request */
#define SAMPLES_MIN 12
#define SAMPLES_MAX 4000
#define PRIOR_RIGHT 1.8f               /* before anything is known */
#define PRIOR_WRONG 0.2f
#define ONE_SIDED 0.93f                /* said by one, and the request lacks the call */
#define ORDER_DOUBT 8                  /* disagreements that are taken to have been */
#define AGREED_LEAST 0.55f             /* of two witnesses that chance cannot make agree so often */
#define TRUST 0.97f                    /* for a link by one side alone */

const struct link_method_info link_method_table[LINK_METHODS] = {
	[LINK_NONE] = {NULL, 0, "no request is known to have caused it"},
	[LINK_ID] = {"id", 1.0f, "an identifier in the request"},
	[LINK_THREAD] = {"thread", 0.99f, "a thread that did nothing else between request and answer"},
	[LINK_TURN] = {"turn", 0.98f, "read last before it was written, and answered next after its answer was read"},
	[LINK_ALONE] = {"alone", 0.97f, "the only request that its process was serving"},
	[LINK_ORDER] = {"order", 0.97f, "as many reads as writes in one turn of an event loop, in that order"},
	[LINK_QUEUE] = {"queue", 0.97f, "a thread that called and then answered what another thread had read"},
	[LINK_SHAPE] = {"shape", 0.95f, "the only request that had not made this call yet, where each makes it once"},
};

#define PENDING UINT32_MAX             /* what may be the parent has not ended */

struct guess {
	uint32_t hop;                  /* 0: none; PENDING */
	bool ordered;                  /* by the order in a run */
	bool weak;                     /* of a run of which the order says nothing */
	uint8_t act;                   /* 0: a request or its answer, 1: of a call, 2: of a call on the same connection */
	bool connect;                  /* of connect() */
};

static unsigned kind_of(const struct guess *g)
{
	return g->connect * 9u + g->act * 3u + (g->ordered ? 1 : g->weak ? 2 : 0);
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

/* It was not so sure. It may find another parent, where it is in no tick yet. */
static void unlink_from(struct trace *t, uint32_t child)
{
	struct hop *h = trace_hop_at(t, child), *p = trace_hop_at(t, h->parent), *s;
	uint32_t *at = &p->child;

	while (*at != child && (s = trace_hop_at(t, *at)))
		at = &s->next;
	if (*at != child || h->kept)
		return;
	*at = h->next;
	if ((int32_t)(t->undecided - child) >= 0)
		t->undecided = child - 1;
	t->by_method[h->method]--;
	h->parent = h->next = 0;
	h->method = LINK_NONE;
	h->confidence = 0;
	h->decided = h->weighed = false;
	h->doubted = true;
}

/* One that was less certain has to go, where there can be only one. */
static void learn_certain(struct model *m, struct hop *parent, const struct hop *child)
{
	uint32_t other = shape_child(&m->trace, parent, child);

	shape_learn(&m->trace, parent, child);
	if (other && !trace_hop_at(&m->trace, other)->certain && shape_is_once(m, child))
		unlink_from(&m->trace, other);
}

/* certain: by two witnesses, or by one that needs none; what is not may be taken back for what is. */
static void link_to(struct model *m, uint32_t child, uint32_t parent, enum link_method method, float confidence, bool certain)
{
	struct trace *t = &m->trace;
	struct hop *h = trace_hop_at(t, child), *p = trace_hop_at(t, parent);

	h->decided = true;
	if (confidence < LINK_FLOOR) {
		t->below_floor++;
		return;
	}
	if (certain && h->edge != NONE)
		learn_certain(m, p, h);
	h->certain = certain;
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
static bool thread_scan(struct model *m, const struct hop *parent, uint32_t serial, bool link)
{
	struct trace *t = &m->trace;
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
			link_to(m, a->hop, serial, LINK_THREAD, link_method_table[LINK_THREAD].confidence, true);
	}
	return false;
}

static void link_thread(struct model *m, uint32_t serial)
{
	struct trace *t = &m->trace;
	const struct hop *h = trace_hop_at(t, serial);
	const struct act *read = trace_act_at(t, h->read), *answered = trace_act_at(t, h->answered);

	if (!read || !answered || read->tid != answered->tid || !read->first || read->shared)
		return;
	if (thread_scan(m, h, serial, false))
		thread_scan(m, h, serial, true);
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

	return r ? context(m, r, w->open, 0) : 0;
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

/* Of a call that each request makes once: one that has made it is not the cause of another. Where neither of the two is
 * certain none is taken: false. */
static bool is_free(struct trace *t, struct hop *h, struct guess *g, struct record *r)
{
	const struct hop *p = trace_hop_at(t, g->hop);
	uint32_t other = p ? shape_child(t, p, h) : 0;

	if (!other)
		return true;
	g->hop = 0;
	if (trace_hop_at(t, other)->certain) {
		record_add(r, 0);
		return true;
	}
	unlink_from(t, other);
	return false;
}

/* Are forward and backward of this process more than chance? Of an event loop that reads and writes in batches they are
 * not, and the order within a run is first to be doubted. */
static bool is_credible(const struct record *both, bool ordered)
{
	return both->right >= AGREED_LEAST * (both->right + both->wrong + (ordered ? ORDER_DOUBT : 0));
}

/* The two witnesses disagree, or one is silent. */
static void link_weighed(struct model *m, struct hop *h, uint32_t serial, struct guess *f, struct guess *b)
{
	struct trace *t = &m->trace;
	struct actor *p = trace_actor(t, trace_act_at(t, h->asked)->pid);
	struct record *rf = &p->forward[kind_of(f)], *rb = &p->backward[kind_of(b)];
	enum link_method method = f->ordered || b->ordered ? LINK_ORDER : LINK_TURN;
	float of_table = link_method_table[method].confidence, first;
	bool once = shape_is_once(m, h) && is_credible(&p->both, method == LINK_ORDER), free = true;

	if (once) {
		free = is_free(t, h, f, rf);
		free = is_free(t, h, b, rb) && free;
		if (!free || h->doubted)
			return;
	}
	if (f->hop && b->hop) {
		first = first_right(trust(rf), trust(rb));
		if (first >= TRUST && is_trusted(rf))
			link_to(m, serial, f->hop, method, first * of_table, false);
		else if (1 - first >= TRUST && is_trusted(rb))
			link_to(m, serial, b->hop, method, (1 - first) * of_table, false);
	} else if (f->hop && (once || (is_trusted(rf) && shape_is_agreed(t, h)))) {
		link_to(m, serial, f->hop, method, once ? ONE_SIDED : trust(rf) * of_table, false);
	} else if (b->hop && (once || (is_trusted(rb) && shape_is_agreed(t, h)))) {
		link_to(m, serial, b->hop, method, once ? ONE_SIDED : trust(rb) * of_table, false);
	}
}

/* One after the other over all hops that are not decided: certain links, those by one witness, those that are left. */
enum pass { PASS_SURE, PASS_WEIGHED, PASS_SHAPE, PASS_AGAIN, PASSES };

/* What needs no second witness, or has one. SURE: it is linked; WAIT: for what may be the parent to end; else what is said. */
enum sure { SURE, WAIT, UNSURE };

/* Do the two agree? It counts once. False: so little is known of this process that the other hops of this tick are heard first. */
static bool judge(struct trace *t, struct hop *h, struct actor *p, const struct guess *f, const struct guess *b)
{
	bool agree = f->hop == b->hop, known = h->judged || p->both.right + p->both.wrong >= SAMPLES_MIN;

	if (h->judged || !f->hop || !b->hop)
		return known;
	h->judged = true;
	learn(&p->forward[kind_of(f)], &p->backward[kind_of(b)], agree);
	record_add(&p->both, agree);
	shape_agree(t, h, agree);
	return known;
}

static enum sure link_sure(struct model *m, struct hop *h, uint32_t serial, bool final, struct guess *f, struct guess *b)
{
	struct trace *t = &m->trace;
	struct actor *p = trace_actor(t, trace_act_at(t, h->asked)->pid);
	uint32_t one = only(m, h), by_id = carried(t, h);
	enum link_method method;

	if (by_id) {
		link_to(m, serial, by_id, LINK_ID, link_method_table[LINK_ID].confidence, true);
		return SURE;
	}
	if (one == PENDING && !final)
		return WAIT;
	if (is_cause(t, one, h)) {
		link_to(m, serial, one, LINK_ALONE, link_method_table[LINK_ALONE].confidence, true);
		return SURE;
	}
	*f = before(m, h->asked, 0);
	*b = backward(m, h, 0);
	if ((f->hop == PENDING || b->hop == PENDING) && !final)
		return WAIT;
	f->hop = is_cause(t, f->hop, h) ? f->hop : 0;
	b->hop = is_cause(t, b->hop, h) ? b->hop : 0;
	method = f->ordered || b->ordered ? LINK_ORDER : LINK_TURN;
	if (judge(t, h, p, f, b) && f->hop && f->hop == b->hop && is_credible(&p->both, method == LINK_ORDER)) {
		link_to(m, serial, f->hop, method, link_method_table[method].confidence, true);
		return SURE;
	}
	if (!f->hop && b->hop && b->hop == handed(t, h)) {
		link_to(m, serial, b->hop, LINK_QUEUE, link_method_table[LINK_QUEUE].confidence, true);
		return SURE;
	}
	return UNSURE;
}

/* The only request that lacks this call; true where nothing more will become known. */
static bool link_shape(struct model *m, struct hop *h, uint32_t serial, bool final)
{
	uint32_t one;

	if (!shape_is_once(m, h))
		return true;
	one = shape_only(m, h, serial, final);
	if (one == SHAPE_OPEN)
		return false;
	if (is_cause(&m->trace, one, h))
		link_to(m, serial, one, LINK_SHAPE, link_method_table[LINK_SHAPE].confidence, false);
	return true;
}

static void link_hop(struct model *m, uint32_t serial, uint64_t now_ns, enum pass pass)
{
	struct trace *t = &m->trace;
	struct hop *h = trace_hop_at(t, serial);
	const struct act *asked = trace_act_at(t, h->asked);
	bool final = m->ending || h->end_ns + WAIT_NS < now_ns || t->nhops - serial > TRACE_HOPS / 2;
	struct guess f = {0}, b = {0};

	t->acts_lost += h->asked && !asked;
	if (!asked || !asked->nopen) {
		h->decided = true;              /* the caller serves nobody that we know of */
		return;
	}
	if (pass <= PASS_WEIGHED) {
		if (link_sure(m, h, serial, final, &f, &b) != UNSURE || pass == PASS_SURE)
			return;
		h->weighed = final || h->end_ns + WEIGHED_NS <= now_ns;
		if (h->weighed)
			link_weighed(m, h, serial, &f, &b);
	} else if (h->weighed && link_shape(m, h, serial, final) && !h->decided && pass == PASS_AGAIN) {
		t->ambiguous++;
		h->decided = true;
	}
}

static void link_pass(struct model *m, uint32_t end, uint64_t now_ns, enum pass pass)
{
	struct trace *t = &m->trace;

	for (uint32_t serial = t->undecided + 1; (int32_t)(end - serial) > 0; serial++) {
		const struct hop *h = trace_hop_at(t, serial);

		if (h && !h->decided)
			link_hop(m, serial, now_ns, pass);
	}
}

void trace_link(struct model *m, uint64_t now_ns)
{
	struct trace *t = &m->trace;
	uint32_t serial, end;
	enum pass pass;

	if (!t->hop)
		return;
	if (t->nhops - t->undecided >= TRACE_HOPS)
		t->undecided = t->nhops - TRACE_HOPS + 1;
	for (end = t->undecided + 1; (int32_t)(t->nhops - end) >= 0; end++)
		if (!m->ending && trace_hop_at(t, end) && trace_hop_at(t, end)->end_ns + SETTLE_NS > now_ns)
			break;
	for (serial = t->scanned + 1; (int32_t)(end - serial) > 0; serial++)
		if (trace_hop_at(t, serial))
			link_thread(m, serial);
	t->scanned = end - 1;
	for (pass = PASS_SURE; pass < PASSES; pass++)
		link_pass(m, end, now_ns, pass);
	while ((int32_t)(end - t->undecided - 1) > 0 &&
	       (!trace_hop_at(t, t->undecided + 1) || trace_hop_at(t, t->undecided + 1)->decided))
		t->undecided++;
}

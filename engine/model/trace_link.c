/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links: which hop caused which.  Where requests carry ids these decide; all other evidence looks at no payload:
 *
 *	thread  between its read of the request and its write of the answer a thread did nothing for any other request
 *	turn    what the writer of the request had read last (forward), and what was written next after the answer was read
 *		(backward). An event loop reads several sockets and then writes several: where it reads as many as it writes, the
 *		first write is of the first read, and so on
 *	queue   a thread called, read the answer and then answered a request that another thread had read
 *		Of goroutines neither is evidence: which thread goes on with one is chance. So for `thread` who reads requests is
 *		nearly always who answers them, and for `queue` nearly never
 *	alone   the process was serving one request only when it wrote
 *	shape   each request makes this call once (trace_shape.h), and of those that were open only one lacked it
 *
 * The read of an answer goes on with what the request of that answer was part of.  Forward and backward are independent, and where
 * both name the same request they have not been seen to be wrong; so how often they do says for each process how far either may be
 * trusted where the other is silent, or names another.  That is kept by kinds: whether the read was of a request, or of an answer
 * on the same connection that is written to now (of a pool whose users wait for a free one it says little), and whether it was
 * the only one, one of a run in order, or one of a run out of step, whether it came before a write or a connect(), and whether
 * that was the next that the thread did, or came behind another write, or late: goroutines move, and threads go on with others.
 *
 * Two that each chose from a run are believed only where they agree nearly always.  A witness that is alone is put to the test
 * where requests make the call once: one that names at random names many that have made it already.
 *
 * A connection that is opened for a call is written to turns later, when it is there: connect() is what tells of the cause.
 *
 * A parent is served by the process that calls, read before the child was written, and ends after it: so no cycles.
 */
#include "model/trace.h"
#include "model/internal.h"
#include "model/trace_evidence.h"

#define SETTLE_NS (200 * NS_PER_MS)    /* the read of an answer, and what it causes, come after the hop */
#define WEIGHED_NS (1000 * NS_PER_MS)  /* certain links are made first */
#define WAIT_NS (60 * NS_PER_S)        /* for what may be the parent to end */
#define SURE_ROUNDS 16
#define SCAN_MAX 512                   /* acts of a thread between its read and its answer */
#define ONE_SIDED 0.93f                /* said by one, and the request lacks the call */

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
	h->parent = h->next = 0;
	h->method = LINK_NONE;
	h->confidence = 0;
	h->decided = h->weighed = false;
	h->doubted = true;
}

/* It has no cause, or none that is known. */
static void link_none(struct trace *t, uint32_t serial)
{
	struct hop *h = trace_hop_at(t, serial);

	h->decided = true;
	if (h->due)
		trace_late(t, serial);
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

	if (confidence < LINK_FLOOR) {
		t->below_floor++;
		link_none(t, child);
		return;
	}
	h->decided = true;
	if (certain && h->edge != NONE)
		learn_certain(m, p, h);
	h->certain = certain;
	h->parent = parent;
	h->method = (uint8_t)method;
	h->confidence = confidence;
	h->next = p->child;
	p->child = child;
	if (p->kept || h->due)
		trace_late(t, child);
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
		if (link && h && a->write && h->asked == id && !h->decided && trace_may_cause(t, parent, h))
			link_to(m, a->hop, serial, LINK_THREAD, link_method_table[LINK_THREAD].confidence, true);
	}
	return false;
}

static void link_thread(struct model *m, uint32_t serial)
{
	struct trace *t = &m->trace;
	const struct hop *h = trace_hop_at(t, serial);
	const struct act *read = trace_act_at(t, h->read), *answered = trace_act_at(t, h->answered);
	struct record *same;

	if (!read || !answered)
		return;
	same = &actor_of(&t->actors, read->pid, t->nacts)->same;
	trust_add(same, read->tid == answered->tid);
	if (read->tid != answered->tid || !read->first || read->shared || !trust_is_rule(same))
		return;
	if (thread_scan(m, h, serial, false))
		thread_scan(m, h, serial, true);
}

/* Of a call that each request makes once: one that has made it is not the cause of another. Where neither of the two is
 * certain none is taken: false. only: of the witness, where it is the only one. */
static bool is_free(struct trace *t, struct hop *h, struct guess *g, struct record *r, struct record *only)
{
	const struct hop *p = trace_hop_at(t, g->hop);
	uint32_t other = p ? shape_child(t, p, h) : 0;

	if (p && only && !h->claimed) {
		h->claimed = true;
		trust_add(only, !other);
	}
	if (!other)
		return true;
	g->hop = 0;
	if (trace_hop_at(t, other)->certain) {
		trust_add(r, 0);
		return true;
	}
	unlink_from(t, other);
	return false;
}

/* One witness has spoken, or both and they disagree. */
struct witness { struct guess *g; struct record *with, *only; };

static void link_by_one(struct model *m, uint32_t serial, const struct witness *s, enum link_method method, bool once)
{
	const struct hop *h = trace_hop_at(&m->trace, serial);

	if (s->g->weak)
		return;                         /* it has only chosen one of those that were read */
	if (once && trust_is_borne_out(s->only, s->g->place))
		link_to(m, serial, s->g->hop, method, ONE_SIDED, false);
	else if (!once && trust_is_enough(s->with) && shape_is_agreed(&m->trace, h))
		link_to(m, serial, s->g->hop, method, trust_of(s->with) * link_method_table[method].confidence, false);
}

static void link_likelier(struct model *m, uint32_t serial, const struct witness *f, const struct witness *b, enum link_method method)
{
	float of_table = link_method_table[method].confidence, first = trust_first(trust_of(f->with), trust_of(b->with));

	if (first >= TRUST_LEAST && trust_is_enough(f->with))
		link_to(m, serial, f->g->hop, method, first * of_table, false);
	else if (1 - first >= TRUST_LEAST && trust_is_enough(b->with))
		link_to(m, serial, b->g->hop, method, (1 - first) * of_table, false);
}

/* The two witnesses disagree, or one is silent. */
static void link_weighed(struct model *m, struct hop *h, uint32_t serial, struct guess *forward, struct guess *backward)
{
	struct trace *t = &m->trace;
	struct actor *p = actor_of(&t->actors, trace_act_at(t, h->asked)->pid, t->nacts);
	unsigned kf = evidence_kind(forward), kb = evidence_kind(backward);
	struct witness f = {forward, &p->forward[kf], &p->forward_only[kf]}, b = {backward, &p->backward[kb], &p->backward_only[kb]};
	enum link_method method = forward->ordered || backward->ordered ? LINK_ORDER : LINK_TURN;
	bool once = shape_is_once(m, h) && trust_is_credible(&p->both, method == LINK_ORDER), free = true;

	if (once) {
		bool alone = !forward->hop != !backward->hop;

		free = is_free(t, h, forward, f.with, alone ? f.only : NULL);
		free = is_free(t, h, backward, b.with, alone ? b.only : NULL) && free;
		if (!free || h->doubted)
			return;
	}
	if (forward->hop && backward->hop)
		link_likelier(m, serial, &f, &b, method);
	else if (forward->hop || backward->hop)
		link_by_one(m, serial, forward->hop ? &f : &b, method, once);
}

/* One after the other over all hops that are not decided: certain links, those by one witness, those that are left. */
enum pass { PASS_SURE, PASS_WEIGHED, PASS_SHAPE, PASS_AGAIN, PASSES };

/* What needs no second witness, or has one. SURE: it is linked; WAIT: for what may be the parent to end; else what is said. */
enum sure { SURE, WAIT, UNSURE };

/* From a run of several. */
static bool is_chosen(const struct guess *g)
{
	return g->ordered || g->weak;
}

/* Do the two agree? It counts once. False: so little is known of this process that the other hops of this tick are heard first. */
static bool judge(struct trace *t, struct hop *h, struct actor *p, const struct guess *f, const struct guess *b)
{
	bool agree = f->hop == b->hop, known = h->judged || p->both.right + p->both.wrong >= TRUST_SAMPLES_MIN;

	if (h->judged || !f->hop || !b->hop)
		return known;
	h->judged = true;
	trust_learn(&p->forward[evidence_kind(f)], &p->backward[evidence_kind(b)], agree);
	trust_add(&p->both, agree);
	if (is_chosen(f) && is_chosen(b))
		trust_add(&p->chosen[f->ordered && b->ordered], agree);
	shape_agree(t, h, agree);
	return known;
}

static bool is_agreed(const struct actor *p, const struct guess *f, const struct guess *b, enum link_method method)
{
	if (is_chosen(f) && is_chosen(b) && !trust_is_credible_chosen(&p->chosen[f->ordered && b->ordered]))
		return false;
	return trust_is_credible(&p->both, method == LINK_ORDER) &&
	       trust_is_agreement(&p->forward[evidence_kind(f)], &p->backward[evidence_kind(b)]);
}

static enum sure link_sure(struct model *m, struct hop *h, uint32_t serial, bool final, struct guess *f, struct guess *b)
{
	struct trace *t = &m->trace;
	struct actor *p = actor_of(&t->actors, trace_act_at(t, h->asked)->pid, t->nacts);
	uint32_t one = evidence_only(m, h), by_id = carriers_cause(t, h);
	enum link_method method;

	if (by_id) {
		link_to(m, serial, by_id, LINK_ID, link_method_table[LINK_ID].confidence, true);
		return SURE;
	}
	if (one == EVIDENCE_PENDING && !final)
		return WAIT;
	if (trace_is_cause(t, one, h)) {
		link_to(m, serial, one, LINK_ALONE, link_method_table[LINK_ALONE].confidence, true);
		return SURE;
	}
	*f = evidence_forward(m, h);
	*b = evidence_backward(m, h);
	if ((f->hop == EVIDENCE_PENDING || b->hop == EVIDENCE_PENDING) && !final)
		return WAIT;
	f->hop = trace_is_cause(t, f->hop, h) ? f->hop : 0;
	b->hop = trace_is_cause(t, b->hop, h) ? b->hop : 0;
	method = f->ordered || b->ordered ? LINK_ORDER : LINK_TURN;
	if (judge(t, h, p, f, b) && f->hop && f->hop == b->hop && is_agreed(p, f, b, method)) {
		link_to(m, serial, f->hop, method, link_method_table[method].confidence, true);
		return SURE;
	}
	if (!f->hop && b->hop && trust_is_exception(&p->same) && b->hop == evidence_handed(t, h)) {
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
	if (trace_is_cause(&m->trace, one, h))
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
		link_none(t, serial);           /* the caller serves nobody that we know of */
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
		link_none(t, serial);
		if (m->o.all_traces && (int32_t)(t->chosen - serial) >= 0)
			trace_late(t, serial);
	}
}

/* How many it has decided. */
static uint32_t link_pass(struct model *m, uint32_t end, uint64_t now_ns, enum pass pass)
{
	struct trace *t = &m->trace;
	uint32_t decided = 0;

	for (uint32_t serial = t->undecided + 1; (int32_t)(end - serial) > 0; serial++) {
		const struct hop *h = trace_hop_at(t, serial);

		if (!h || h->decided)
			continue;
		link_hop(m, serial, now_ns, pass);
		decided += h->decided;
	}
	return decided;
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
	shape_tick(t);
	/* what a hop waits for may have ended behind it, and be decided by now */
	for (unsigned n = 0; n < SURE_ROUNDS && link_pass(m, end, now_ns, PASS_SURE); n++)
		;
	for (pass = PASS_WEIGHED; pass < PASSES; pass++)
		link_pass(m, end, now_ns, pass);
	while ((int32_t)(end - t->undecided - 1) > 0 &&
	       (!trace_hop_at(t, t->undecided + 1) || trace_hop_at(t, t->undecided + 1)->decided))
		t->undecided++;
}

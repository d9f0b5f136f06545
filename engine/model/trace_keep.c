/* SPDX-License-Identifier: BSD-2-Clause */
/* Which traces a tick has: those with a failure, the slowest of each operation at the root, and a few by chance; whole ones. */
#include "model/trace.h"
#include "model/internal.h"

#include <errno.h>

#define FAILED_MAX 24                  /* traces with a failure, in one tick */
#define SLOWEST_MAX 48                 /* operations at the root of which one is kept, in one tick */
#define CHANCE_MAX 6                   /* others, in one tick */
#define SPANS_MAX 8192                 /* rows of one tick */
#define TREE_MAX 256                   /* rows of one trace in one tick */
#define DEPTH_MAX 64
#define SHAPE_AGE_TICKS 64

struct slowest { uint32_t edge, op, serial; uint64_t ns; };

struct choice {
	struct slowest slowest[SLOWEST_MAX];
	uint32_t nslowest;
	uint32_t failed[FAILED_MAX], nfailed, due;
	uint32_t chance[CHANCE_MAX], nchance, roots;
};

void trace_settle(struct model *m, uint64_t now_ns)
{
	struct trace *t = &m->trace;
	uint32_t serial;

	for (serial = t->placed + 1; t->hop && (int32_t)(t->nhops - serial) >= 0; serial++) {
		struct hop *h = trace_hop_at(t, serial);

		if (h && h->edge == NONE)
			h->edge = conn_edge(m, h->conn, true);
		if (h && h->edge != NONE)
			shape_count(m, h);
	}
	t->placed = t->nhops;
	if (t->hop && ++t->ticks % SHAPE_AGE_TICKS == 0)
		shape_age(t);
	trace_link(m, now_ns);
	trace_times(m, now_ns);
}

static uint64_t hop_ns(const struct hop *h)
{
	return h->end_ns > h->begin_ns ? h->end_ns - h->begin_ns : 0;
}

static uint32_t root_of(const struct trace *t, uint32_t serial)
{
	const struct hop *h = trace_hop_at(t, serial);

	for (unsigned n = 0; n < DEPTH_MAX && h && h->parent && trace_hop_at(t, h->parent); n++) {
		serial = h->parent;
		h = trace_hop_at(t, serial);
	}
	return serial;
}

static bool is_root(const struct hop *h)
{
	return h && h->decided && !h->parent && h->edge != NONE;
}

static void choose_slowest(struct choice *c, const struct hop *h, uint32_t serial)
{
	struct slowest *s = c->slowest, *end = s + c->nslowest;

	while (s < end && (s->edge != h->edge || s->op != h->op))
		s++;
	if (s == end) {
		if (c->nslowest == SLOWEST_MAX)
			return;
		*s = (struct slowest){.edge = h->edge, .op = h->op};
		c->nslowest++;
	}
	if (!s->serial || hop_ns(h) > s->ns) {
		s->serial = serial;
		s->ns = hop_ns(h);
	}
}

/* Its cause is not known yet: it is kept when that is. */
static void put_off(struct trace *t, struct choice *c, struct hop *root)
{
	if (root->due)
		return;
	if (c->due < FAILED_MAX) {
		root->due = true;
		c->due++;
	} else {
		t->spans_full++;
	}
}

/* A trace with many failures is one. */
static void choose_failed(struct trace *t, struct choice *c, uint32_t serial)
{
	uint32_t root = root_of(t, serial);

	if (!trace_hop_at(t, root)->decided) {
		put_off(t, c, trace_hop_at(t, root));
		return;
	}
	for (uint32_t i = 0; i < c->nfailed; i++)
		if (c->failed[i] == root)
			return;
	if (c->nfailed < FAILED_MAX)
		c->failed[c->nfailed++] = root;
	else
		t->spans_full++;
}

/* Each root of the tick has the same chance (reservoir). */
static void choose_chance(struct trace *t, struct choice *c, uint32_t serial)
{
	uint32_t at = c->roots++;

	if (c->nchance < CHANCE_MAX)
		c->chance[c->nchance++] = serial;
	else if ((at = (uint32_t)(trace_random(t) % c->roots)) < CHANCE_MAX)
		c->chance[at] = serial;
}

static void choose(struct trace *t, struct choice *c, uint32_t serial)
{
	const struct hop *h = trace_hop_at(t, serial);

	if (h->edge == NONE)
		return;
	if (h->failed)
		choose_failed(t, c, serial);
	if (!is_root(h))
		return;
	if (!h->no_latency)
		choose_slowest(c, h, serial);
	choose_chance(t, c, serial);
}

static int span_put(struct tick *t, const struct trace *tr, const struct hop *h, uint64_t now_ns)
{
	const struct hop *parent = trace_hop_at(tr, h->parent);
	struct tick_span *s = vec_push(&t->spans);

	if (!s)
		return -ENOMEM;
	*s = (struct tick_span){
		.trace = h->trace, .id = h->id, .parent = parent ? parent->id : 0, .edge = h->edge, .op = h->op,
		.unix_ns = t->unix_ns + t->dur_ns - (int64_t)(now_ns - h->begin_ns), .dur_ns = h->timing.count ? h->timing.total_ns : hop_ns(h), .status = h->status,
		.error = req_error_name((enum req_error)h->error), .detail = arena_strdup(&t->arena, h->detail),
		.method = parent ? link_method_table[h->method].name : NULL, .confidence = parent ? h->confidence : 0,
		.timed = h->timing.count > 0,
	};
	memcpy(s->part_ns, h->timing.part_ns, sizeof(s->part_ns));
	return s->detail ? 0 : -ENOMEM;
}

/* A hop and all that it caused, each below its cause. What was put in a tick already is left out. */
static int tree_put(struct model *m, struct tick *t, uint32_t root, uint64_t trace, uint64_t now_ns)
{
	uint32_t stack[TREE_MAX], n = 0, rows = 0;
	int err = 0;

	stack[n++] = root;
	while (n && !err) {
		struct hop *h = trace_hop_at(&m->trace, stack[--n]);
		uint32_t child;

		if (!h || h->edge == NONE)
			continue;
		if (!h->kept && (rows == TREE_MAX || t->spans.n >= SPANS_MAX)) {
			m->trace.spans_full++;
			continue;
		}
		h->trace = trace;
		if (!h->kept)
			err = span_put(t, &m->trace, h, now_ns);
		rows += !h->kept;
		h->kept = true;
		for (child = h->child; trace_hop_at(&m->trace, child); child = trace_hop_at(&m->trace, child)->next)
			if (n < TREE_MAX)
				stack[n++] = child;
			else
				m->trace.spans_full++;
	}
	return err;
}

static int keep(struct model *m, struct tick *t, uint32_t root, uint64_t now_ns)
{
	struct hop *h = trace_hop_at(&m->trace, root);

	if (!h)
		return 0;
	return tree_put(m, t, root, h->trace ? h->trace : trace_random(&m->trace), now_ns);
}

void trace_late(struct trace *t, uint32_t serial)
{
	if (t->nlate < TRACE_LATE)
		t->late[t->nlate++] = serial;
	else
		t->spans_full++;
}

/* What was linked to a request whose trace is in an earlier tick, or found to have no cause, or was put off. */
static int keep_late(struct model *m, struct tick *t, struct choice *c, uint64_t now_ns)
{
	struct trace *tr = &m->trace;
	int err = 0;

	for (uint32_t i = 0; i < tr->nlate && !err; i++) {
		const struct hop *h = trace_hop_at(tr, tr->late[i]), *parent = h ? trace_hop_at(tr, h->parent) : NULL;

		if (parent && parent->trace)
			err = tree_put(m, t, tr->late[i], parent->trace, now_ns);
		else if (h && h->due && h->edge != NONE)
			choose_failed(tr, c, tr->late[i]);
		else if (is_root(h))
			err = keep(m, t, tr->late[i], now_ns);
	}
	return err;
}

static int keep_chosen(struct model *m, struct tick *t, const struct choice *c, uint64_t now_ns)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < c->nfailed && !err; i++)
		err = keep(m, t, c->failed[i], now_ns);
	for (i = 0; i < c->nslowest && !err; i++)
		err = keep(m, t, c->slowest[i].serial, now_ns);
	for (i = 0; i < c->nchance && !err; i++)
		err = keep(m, t, c->chance[i], now_ns);
	return err;
}

int trace_build(struct model *m, struct tick *t, uint64_t now_ns)
{
	struct trace *tr = &m->trace;
	struct choice c = {0};
	uint32_t serial;
	int err;

	if (!tr->hop)
		return 0;
	err = keep_late(m, t, &c, now_ns);
	for (serial = tr->chosen + 1; (int32_t)(tr->nhops - serial) >= 0; serial++) {
		const struct hop *h = trace_hop_at(tr, serial);

		if (h && !m->ending && h->end_ns + TRACE_LINKED_NS > now_ns)
			break;
		if (!m->o.all_traces && h)
			choose(tr, &c, serial);
		else if (is_root(h) && !err)
			err = keep(m, t, serial, now_ns);
	}
	tr->choosing = serial - 1;
	return err ? err : keep_chosen(m, t, &c, now_ns);
}

void trace_commit(struct model *m)
{
	m->trace.chosen = m->trace.choosing;
	m->trace.nlate = 0;
}

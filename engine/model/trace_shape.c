/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/trace_shape.h"

#include "model/internal.h"
#include "model/trace.h"

#define DIFFERED_MOST 0.02f
#define REQUESTS_MIN 24                /* before they say anything */
#define LEAST 0.8f                     /* calls a request: some were not seen, some requests make none */
#define MOST 1.02f
#define TWICE_MOST 0.02f               /* of requests whose links are certain, */
#define TWICE_CHANCE 2                 /* and so many more, where there are as many calls as requests: links that are wrong */
#define CHILDREN_MAX 64                /* of one request are looked at */
#define AHEAD_MAX 1024                 /* hops that ended after a call are looked at for what may have caused it */
#define LOOKS_MAX 400000               /* of them all in one tick: some 10 ms */

uint32_t shape_kind(const char *op)
{
	uint32_t x = 2166136261u;              /* FNV-1a */

	for (; *op; op++)
		if (*op < '0' || *op > '9')
			x = (x ^ (uint8_t)*op) * 16777619u;
	return x;
}

static struct shape_call *call_of(const struct trace *t, const struct hop *h)
{
	struct shapes *s = t->shapes;

	return &s->call[(h->edge * 0x9e3779b1u ^ h->kind) % SHAPE_CALLS];
}

static struct shape_service *service_of(const struct trace *t, uint32_t service)
{
	return &t->shapes->service[service % SHAPE_SERVICES];
}

static void count_request(struct shape_service *s, uint32_t service, uint32_t kind)
{
	uint32_t i;

	if (s->service != service)
		*s = (struct shape_service){.service = service};
	for (i = 0; i < s->n && s->kind[i] != kind; i++)
		;
	if (i == SHAPE_KINDS) {
		s->many = true;
		return;
	}
	if (i == s->n)
		s->kind[s->n++] = kind;
	s->count[i]++;
}

static void count_call(struct shape_call *c, const struct hop *h)
{
	if (c->edge != h->edge || c->kind != h->kind)
		*c = (struct shape_call){.edge = h->edge, .kind = h->kind};
	c->count++;
}

void shape_count(struct model *m, const struct hop *h)
{
	struct trace *t = &m->trace;
	const struct act *asked = trace_act_at(t, h->asked);
	uint32_t to = m->edges.v[h->edge].to;

	if (trace_act_at(t, h->read))
		count_request(service_of(t, to), to, h->kind);
	if (asked && asked->nopen)
		count_call(call_of(t, h), h);
}

static bool is_call(const struct shape_call *c, const struct hop *h)
{
	return c->edge == h->edge && c->kind == h->kind;
}

static bool is_caller(const struct shape_call *c, uint32_t kind)
{
	uint32_t i;

	for (i = 0; i < c->ncallers && c->caller[i] != kind; i++)
		;
	return i < c->ncallers;
}

uint32_t shape_child(const struct trace *t, const struct hop *parent, const struct hop *child)
{
	uint32_t id = parent->child;

	for (unsigned n = 0; n < CHILDREN_MAX; n++) {
		const struct hop *h = trace_hop_at(t, id);

		if (!h)
			return 0;
		if (h->edge == child->edge && h->kind == child->kind)
			return id;
		id = h->next;
	}
	return 0;
}

void shape_learn(struct trace *t, const struct hop *parent, const struct hop *child)
{
	struct shape_call *c = call_of(t, child);
	const struct hop *other = trace_hop_at(t, shape_child(t, parent, child));

	if (!is_call(c, child))
		return;
	c->once += !other;
	c->twice += other && other->certain;
	if (is_caller(c, parent->kind))
		return;
	if (c->ncallers == SHAPE_KINDS)
		c->many = true;
	else
		c->caller[c->ncallers++] = parent->kind;
}

void shape_agree(struct trace *t, const struct hop *child, bool agree)
{
	struct shape_call *c = call_of(t, child);

	if (!is_call(c, child))
		return;
	c->agreed += agree;
	c->differed += !agree;
}

bool shape_is_agreed(const struct trace *t, const struct hop *child)
{
	const struct shape_call *c = call_of(t, child);

	return is_call(c, child) && c->agreed >= REQUESTS_MIN && c->differed <= DIFFERED_MOST * c->agreed;
}

/* How many requests came of the kinds that make the call; where no link is known yet, of the only kind that there is. */
static float requests_of(const struct shape_service *s, const struct shape_call *c)
{
	float sum = 0;

	if (s->many || c->many || (!c->ncallers && s->n != 1))
		return 0;
	for (uint32_t i = 0; i < s->n; i++)
		if (!c->ncallers || is_caller(c, s->kind[i]))
			sum += s->count[i];
	return sum;
}

bool shape_is_once(const struct model *m, const struct hop *child)
{
	const struct trace *t = &m->trace;
	const struct shape_call *c = call_of(t, child);
	const struct act *asked = trace_act_at(t, child->asked);
	const struct shape_service *s;
	float requests;
	uint32_t from;

	if (child->edge == NONE || !asked || !is_call(c, child) || c->twice > TWICE_MOST * c->once + TWICE_CHANCE)
		return false;
	if (c->once >= REQUESTS_MIN && c->twice <= TWICE_MOST * c->once)
		return true;
	from = m->edges.v[child->edge].from;
	s = service_of(t, from);
	if (s->service != from)
		return false;
	requests = requests_of(s, c);
	/* calls are ahead of the requests that they are for by those in flight */
	return requests >= REQUESTS_MIN && c->count >= requests * LEAST && c->count <= requests * MOST + asked->nopen + 1;
}

/* Was the process that called serving it then? */
static bool was_open(const struct trace *t, const struct hop *h, const struct act *asked)
{
	const struct act *read = trace_act_at(t, h->read);

	return read && read->pid == asked->pid && read->ts_ns <= asked->ts_ns && h->end_ns >= asked->ts_ns;
}

/* The hop before the first that ended after the call was made. */
static uint32_t ended_before(const struct trace *t, uint32_t serial, const struct act *asked)
{
	const struct hop *h;
	uint32_t n;

	for (n = 0; n < AHEAD_MAX && (h = trace_hop_at(t, serial)) && h->end_ns >= asked->ts_ns; n++)
		serial--;
	t->shapes->looks += n;
	return serial;
}

uint32_t shape_only(const struct model *m, const struct hop *child, uint32_t serial, bool final)
{
	const struct trace *t = &m->trace;
	const struct shape_call *c = call_of(t, child);
	const struct act *asked = trace_act_at(t, child->asked);
	uint32_t open = 0, found = 0, id;

	if (asked->crowded)
		return 0;
	if (t->shapes->looks > LOOKS_MAX)
		return final ? 0 : SHAPE_OPEN;
	id = ended_before(t, serial, asked);
	for (unsigned n = 0; open < asked->nopen && n < 2 * AHEAD_MAX && id != t->nhops; n++) {
		const struct hop *h = trace_hop_at(t, ++id);

		t->shapes->looks++;
		if (!h || !was_open(t, h, asked))
			continue;
		open++;
		if ((c->ncallers && !is_caller(c, h->kind)) || h->end_ns < child->end_ns || shape_child(t, h, child))
			continue;
		if (found)
			return 0;
		found = id;
	}
	if (open == asked->nopen)
		return found;
	return final ? 0 : SHAPE_OPEN;
}

void shape_tick(struct trace *t)
{
	t->shapes->looks = 0;
}

void shape_age(struct trace *t)
{
	for (uint32_t i = 0; i < SHAPE_SERVICES; i++)
		for (uint32_t k = 0; k < t->shapes->service[i].n; k++)
			t->shapes->service[i].count[k] /= 2;
	for (uint32_t i = 0; i < SHAPE_CALLS; i++) {
		struct shape_call *c = &t->shapes->call[i];

		c->count /= 2;
		c->once /= 2;
		c->twice /= 2;
		c->agreed /= 2;
		c->differed /= 2;
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The rings of hops and acts, and which act belongs to which hop. */
#include "model/trace.h"
#include "model/internal.h"

#include <stdio.h>
#include <stdlib.h>

#define LOOK_MAX 128                   /* acts of one connection looked at for a hop */
#define LATE_MAX 64                    /* hops of one connection whose answer one read may be */
#define OPENING_DIALLED 1              /* nothing was written yet, */
#define OPENING_ASKED 2                /* or what was is the first request */
#define CHANCE 509                     /* of hops that cause nothing and are caused by nothing we keep one in so many */

struct hop *trace_hop_at(const struct trace *t, uint32_t serial)
{
	if (!serial || !t->hop || t->nhops - serial >= TRACE_HOPS)
		return NULL;
	return &t->hop[serial % TRACE_HOPS];
}

struct act *trace_act_at(const struct trace *t, uint32_t serial)
{
	if (!serial || !t->act || t->nacts - serial >= TRACE_ACTS)
		return NULL;
	return &t->act[serial % TRACE_ACTS];
}

uint64_t trace_random(struct trace *t)
{
	uint64_t z = t->seed += 0x9e3779b97f4a7c15ull;         /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	z ^= z >> 31;
	return z ? z : 1;
}

static bool trace_begin(struct model *m)
{
	struct trace *t = &m->trace;

	if (t->hop)
		return true;
	t->hop = calloc(TRACE_HOPS, sizeof(*t->hop));
	t->act = calloc(TRACE_ACTS, sizeof(*t->act));
	t->shapes = calloc(1, sizeof(*t->shapes));
	if (!t->hop || !t->act || !t->shapes) {
		trace_done(m);
		return false;
	}
	t->seed = m->now_ns ^ (uint64_t)m->self << 32;
	return true;
}

void trace_done(struct model *m)
{
	free(m->trace.hop);
	free(m->trace.act);
	free(m->trace.shapes);
	m->trace.hop = NULL;
	m->trace.act = NULL;
	m->trace.shapes = NULL;
}

/* The answer of a hop that ended was read: of several in flight on one connection, of all that ended before. */
static void got(struct trace *t, const struct conn *c, struct act *a, uint32_t serial)
{
	uint32_t id = c->hop, n;

	for (n = 0; n < LATE_MAX; n++) {
		struct hop *h = trace_hop_at(t, id);

		if (!h || h->got)
			return;
		if (h->end_ns <= a->ts_ns) {
			h->got = serial;
			a->shared |= a->hop != 0;
			a->hop = a->hop ? a->hop : id;
		}
		id = h->before;
	}
}

/* The writer of an answer is told of after it has passed. */
static void answered(struct trace *t, const struct conn *c, struct act *a, uint32_t serial)
{
	struct hop *h = trace_hop_at(t, c->hop);

	if (h && !h->answered && h->end_ns <= a->ts_ns) {
		h->answered = serial;
		a->hop = c->hop;
	}
}

static struct act *act_new(struct trace *t, uint32_t tid)
{
	uint32_t *last = actor_last(&t->actors, tid, t->nacts);
	struct act *a, *before;

	if (++t->nacts == 0)
		t->nacts = 1;
	a = &t->act[t->nacts % TRACE_ACTS];
	*a = (struct act){.tid = tid, .before = *last};
	before = trace_act_at(t, *last);
	if (before && before->tid == tid)
		before->after = t->nacts;
	else
		a->before = 0;
	*last = t->nacts;
	return a;
}

/* The run that the act goes on with, or begins. */
static void run_extend(const struct trace *t, struct act *a, uint32_t serial)
{
	const struct act *before = trace_act_at(t, a->before), *entry;
	struct act *first;

	if (!before || before->write != a->write) {
		a->run = (struct run){.begin = serial, .last = serial, .entry = serial};
		return;
	}
	a->run = before->run;
	entry = trace_act_at(t, a->run.entry);
	if (!entry || entry->conn != a->conn || entry->server != a->server) {
		a->run.entry = serial;
		a->run.at++;
	}
	first = trace_act_at(t, a->run.begin);
	if (first)
		first->run.last = serial;
}

/* Up to the first answer a read may be of the handshake, which may end in another thread than requests are served by. */
static bool may_be_handshake(const struct conn *c)
{
	return c->plain ? !c->hop : c->flow && flow_proto(c->flow) == PROTO_TLS;
}

static bool in_flight(const struct conn *c)
{
	uint64_t oldest_ns;

	return conn_flow(c) && flow_inflight(conn_flow(c), &oldest_ns);
}

/* Where it is not known what is said, the first that the server says is the answer; else that may be its head, or not of it. */
static void serve(struct model *m, struct conn *c, struct act *a, uint32_t serial)
{
	struct trace *t = &m->trace;

	if (may_be_handshake(c) ? a->write || c->reader.tid != a->tid : a->write && !in_flight(c))
		reader_ends(&t->actors, &c->reader);
	if (!a->write && !c->reader.act) {
		a->begins = true;
		a->first = reader_begins(&t->actors, &c->reader, a->pid, a->tid, serial);
	}
	if (conn_flow(c) && flow_is_crowded(conn_flow(c)))
		actor_crowd(&t->actors, a->pid, serial, a->ts_ns);
}

/* What its process serves. */
static void act_among(struct trace *t, struct act *a)
{
	struct serving s = actor_serves(&t->actors, a->pid, t->nacts, a->ts_ns);

	a->nopen = s.open;
	a->open = s.only;
	a->crowded = s.crowded;
}

static void act_put(struct model *m, uint32_t conn, unsigned end, uint32_t pid, uint32_t tid, uint64_t ts_ns, bool write)
{
	struct conn *c = conn_at(m, conn);
	struct trace *t = &m->trace;
	struct act *a = act_new(t, tid);

	a->ts_ns = ts_ns;
	a->pid = pid;
	a->conn = conn;
	a->on_conn = c->act;
	a->server = end != c->client;
	a->write = write;
	run_extend(t, a, t->nacts);
	a->opening = !a->server && c->dialled && !c->hop;
	c->act = t->nacts;
	c->acted |= (uint8_t)(1u << end);
	if (a->server)
		serve(m, c, a, t->nacts);
	act_among(t, a);
	if (a->server && write)
		answered(t, c, a, t->nacts);
	else if (!a->server && !write)
		got(t, c, a, t->nacts);
}

/* connect() stands for what is written first, but whether that is for the only request shows only then. False: what is now the only
 * one was read after it, so the connection was kept for others, and the write stands for itself. */
static bool is_opening(struct trace *t, struct conn *c, uint64_t ts_ns)
{
	struct act *a = c->opening == OPENING_DIALLED ? trace_act_at(t, c->dialled) : NULL, now;

	c->opening = OPENING_ASKED;
	if (!a)
		return true;
	now = (struct act){.pid = a->pid, .ts_ns = ts_ns};
	act_among(t, &now);
	a->open = now.open;
	a->crowded |= now.crowded;
	return !now.open || (int32_t)(now.open - c->dialled) < 0;
}

void trace_act(struct model *m, uint32_t conn, unsigned end, uint32_t pid, uint32_t tid, uint64_t ts_ns, bool write)
{
	struct conn *c = conn_at(m, conn);

	if (!tid || !trace_begin(m))
		return;
	if (end == c->client && c->opening && write && is_opening(&m->trace, c, ts_ns))
		return;
	if (end == c->client)
		c->opening = 0;
	act_put(m, conn, end, pid, tid, ts_ns, write);
}

void trace_connect(struct model *m, uint32_t conn, const struct ev_conn *e)
{
	struct conn *c = conn_at(m, conn);

	if (!e->tid || !m->trace.act || !actor_is_known(&m->trace.actors, e->tgid))
		return;
	act_put(m, conn, c->client, e->tgid, e->tid, e->h.ts_ns, true);
	trace_act_at(&m->trace, c->act)->connect = true;
	c->dialled = c->act;
	c->opening = OPENING_DIALLED;
}

void trace_connect_moved(struct model *m, uint32_t conn, const struct conn *old)
{
	struct conn *c = conn_at(m, conn);
	struct act *a = trace_act_at(&m->trace, old->dialled);

	if (!a || c->act)
		return;
	a->conn = conn;
	c->act = c->dialled = old->dialled;
	c->opening = old->opening;
	c->acted |= (uint8_t)(1u << c->client);
}

void trace_io(struct model *m, uint32_t conn, unsigned end, const struct ev_io *e)
{
	if (e->dir == DIR_IN || actor_is_known(&m->trace.actors, e->tgid))
		trace_act(m, conn, end, e->tgid, e->tid, e->h.ts_ns, e->dir == DIR_OUT);
}

void trace_answered(struct model *m, uint32_t conn, const struct request *r)
{
	struct conn *c = conn_at(m, conn);

	if (c->reader.act && r->error != REQ_ABORTED && !in_flight(c))
		reader_ends(&m->trace.actors, &c->reader);
}

void trace_conn_gone(struct model *m, uint32_t conn)
{
	struct conn *c = conn_at(m, conn);
	const struct end *server = &c->end[!c->client];

	if (server->cookie && !server->closed)
		reader_is_left(&m->trace.actors, &c->reader, m->now_ns);
	else
		reader_ends(&m->trace.actors, &c->reader);
}

/* Of the acts on a hop's connection the ones that are its own. Times are of the segments: a segment that left in the context of
 * its writer has the time of the act, one whose writer was told of later has passed before it. The bytes of a UNIX stream are seen
 * when they are read, so there it is the last write before. */
struct own { uint32_t asked, asked_before, read, read_before, answered, answered_before, got; };

static void own_client(struct own *o, const struct hop *h, const struct act *a, uint32_t serial)
{
	if (!a->write)
		o->got = a->ts_ns >= h->end_ns ? serial : o->got;
	else if (a->ts_ns >= h->sent_ns && a->ts_ns <= h->end_ns)
		o->asked = serial;
	else if (a->ts_ns < h->sent_ns && !o->asked_before)
		o->asked_before = serial;
}

static void own_server(struct own *o, const struct hop *h, const struct act *a, uint32_t serial)
{
	uint32_t *in = a->write ? &o->answered : &o->read, *before = a->write ? &o->answered_before : &o->read_before;
	uint64_t from = a->write ? h->first_ns : h->sent_ns, to = a->write ? h->end_ns : h->first_ns;

	if (a->ts_ns >= from && a->ts_ns <= to)
		*in = serial;
	else if (a->ts_ns < from && !*before)
		*before = serial;
}

/* Of plaintext, of which it is not known when it was on the wire: the read that began the request which is answered. */
static void own_plain(struct own *o, const struct hop *h, const struct act *a, uint32_t serial)
{
	if (a->write)
		own_server(o, h, a, serial);
	else if (a->ts_ns <= h->first_ns && a->begins && !o->read)
		o->read = serial;
	else if (a->ts_ns <= h->first_ns && !o->read_before)
		o->read_before = serial;
}

static void claim(struct trace *t, uint32_t serial, uint32_t hop)
{
	struct act *a = trace_act_at(t, serial);

	if (!a)
		return;
	a->shared |= a->hop && a->hop != hop;
	a->hop = a->hop ? a->hop : hop;
}

static uint32_t own_of(const struct trace *t, uint32_t in, uint32_t before, uint64_t since_ns)
{
	const struct act *a = trace_act_at(t, before);

	if (in)
		return in;
	return a && !a->hop && a->ts_ns >= since_ns ? before : 0;
}

static void hop_acts(struct trace *t, const struct conn *c, struct hop *h, uint32_t hop)
{
	uint64_t since_ns = c->l4 == L4_UNIX || c->plain ? 0 : h->begin_ns;
	struct own o = {0};
	uint32_t id = c->act, n;

	for (n = 0; n < LOOK_MAX; n++) {
		struct act *a = trace_act_at(t, id);

		if (!a || a->ts_ns < since_ns || (o.asked_before && o.read_before && a->ts_ns < h->begin_ns))
			break;
		if (a->server)
			(c->plain ? own_plain : own_server)(&o, h, a, id);
		else
			own_client(&o, h, a, id);
		if (!a->server && !a->write && !a->hop && a->ts_ns >= h->begin_ns && a->ts_ns < h->end_ns)
			a->hop = hop;           /* the begin of its answer */
		id = a->on_conn;
	}
	h->asked = own_of(t, o.asked, o.asked_before, 0);
	if (!h->asked && !c->hop && trace_act_at(t, c->dialled))
		h->asked = c->dialled;
	h->read = own_of(t, o.read, o.read_before, 0);
	h->answered = own_of(t, o.answered, o.answered_before, h->begin_ns);
	h->got = o.got;
	claim(t, h->got, hop);
	claim(t, h->asked, hop);
	claim(t, h->read, hop);
	claim(t, h->answered, hop);
}

static struct hop *hop_new(struct model *m)
{
	struct trace *t = &m->trace;
	struct hop *h;

	if (++t->nhops == 0)
		t->nhops = 1;
	h = &t->hop[t->nhops % TRACE_HOPS];
	t->hops_lost += h->id && !h->decided;
	trace_time_lost(m, h);
	*h = (struct hop){.id = trace_random(t)};
	return h;
}

/* Requests that cause none and are caused by none are many: of these only what may be chosen is taken in. */
static bool is_wanted(struct model *m, const struct conn *c, bool failed, bool slowest)
{
	struct trace *t = &m->trace;

	return m->o.all_traces || c->acted || failed || slowest || trace_random(t) % CHANCE == 0;
}

uint32_t trace_request(struct model *m, uint32_t conn, const struct request *r, uint32_t edge, uint32_t op, bool failed,
		       bool slowest)
{
	struct conn *c = conn_at(m, conn);
	struct trace *t = &m->trace;
	struct hop *h;

	if (m->o.by_address || c->l4 == L4_UDP || !trace_begin(m) || !is_wanted(m, c, failed, slowest))
		return 0;
	h = hop_new(m);
	h->begin_ns = r->begin_ns;
	h->sent_ns = r->sent_ns;
	h->first_ns = r->first_ns ? r->first_ns : r->end_ns;
	h->end_ns = r->end_ns;
	h->conn = conn;
	h->edge = edge;
	h->op = op;
	h->kind = shape_kind(r->op);
	h->callee = c->end[!c->client].owner;
	h->before = c->hop;
	h->status = r->status;
	h->error = (uint8_t)r->error;
	h->failed = failed;
	h->no_latency = r->no_latency;
	snprintf(h->detail, sizeof(h->detail), "%s", r->detail ? r->detail : "");
	h->ids = r->ids;
	hop_acts(t, c, h, t->nhops);
	carriers_note(t, t->nhops);
	c->hop = t->nhops;
	return t->nhops;
}

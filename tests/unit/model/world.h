/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world: a little node for the tests of the model: processes with names, records about their sockets, and a stand-in for
 * engine/proto that takes "Q" segments for requests and "R" segments for responses, so that what is tested is the model.
 * With WORLD_REAL_FLOW defined the real one is linked.
 */
#ifndef TEST_MODEL_WORLD_H
#define TEST_MODEL_WORLD_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "proto/flow.h"

#define S 1000000000ull
#define MS 1000000ull
#define NETNS 77u

struct world {
	struct model *m;
	struct process_ident process[64];
	size_t nprocesses;
	uint64_t now;               /* monotonic; the wall clock is 1000 s further */
	uint8_t shift;              /* that segments are read at */
	int wished;                 /* last wish */
	uint64_t wished_cookie;
};

static const struct process_ident *world_resolve(void *arg, uint32_t pid)
{
	struct world *w = arg;
	size_t i;

	for (i = w->nprocesses; i-- > 0;)
		if (w->process[i].pid == pid)
			return &w->process[i];
	return NULL;
}

static void world_wish(void *arg, uint64_t cookie, int wish)
{
	struct world *w = arg;

	w->wished = wish;
	w->wished_cookie = cookie;
}

static struct certificate_resolver world_certificates;      /* none, where the test does not set it */

static void world_init(struct world *w, uint32_t max_connections, uint32_t max_ops)
{
	struct model_options o = {.node = "testnode", .max_connections = max_connections, .max_ops = max_ops,
				  .wish = world_wish};

	memset(w, 0, sizeof(*w));
	w->now = 100 * S;
	o.ident.resolve = world_resolve;
	o.ident.arg = w;
	o.wish_arg = w;
	o.certificates = world_certificates;
	w->m = model_new(&o);
	cr_assert_not_null(w->m);
}

static inline int64_t wall(uint64_t ts)
{
	return (int64_t)(ts + 1000 * S);
}

static struct process_ident *process(struct world *w, uint32_t pid, uint32_t ppid, const char *service, const char *version)
{
	struct process_ident *p = &w->process[w->nprocesses++];

	cr_assert_lt(w->nprocesses, 64);
	*p = (struct process_ident){
		.pid = pid, .ppid = ppid, .start_ticks = w->now / (10 * MS), .start_unix_ns = wall(w->now), .comm = service,
		.exe = "/bin/exe", .cmdline = service, .cgroup = "/grp", .service = service, .kind = "app", .why = "executable",
		.version = version, .netns = NETNS,
	};
	return p;
}

struct sock {
	uint64_t cookie;
	uint32_t pid, netns;
	const char *laddr;
	uint16_t lport;
	const char *raddr;
	uint16_t rport;
	uint8_t role;
	uint32_t tid;
};

static inline void ip4(uint8_t ip[16], const char *text)
{
	unsigned a = 0, b = 0, c = 0, d = 0;

	memset(ip, 0, 16);
	ip[10] = ip[11] = 0xff;
	sscanf(text, "%u.%u.%u.%u", &a, &b, &c, &d);
	ip[12] = (uint8_t)a;
	ip[13] = (uint8_t)b;
	ip[14] = (uint8_t)c;
	ip[15] = (uint8_t)d;
}

static struct ev_conn conn_record(struct world *w, const struct sock *s, uint8_t what)
{
	struct ev_conn e = {
		.h = {.ts_ns = w->now, .size = sizeof(e), .type = EV_CONN}, .cookie = s->cookie, .netns = s->netns ? s->netns : NETNS,
		.tgid = s->pid, .tid = s->tid, .lport = s->lport, .rport = s->rport, .what = what, .role = s->role, .family = 4,
	};

	ip4(e.laddr, s->laddr);
	ip4(e.raddr, s->raddr ? s->raddr : "0.0.0.0");
	return e;
}

static inline void conn(struct world *w, const struct sock *s, uint8_t what)
{
	struct ev_conn e = conn_record(w, s, what);

	model_event(w->m, &e.h);
}

/* The kernel's count of segments of this socket that were sent again, with a record of any kind. */
static inline void conn_retrans(struct world *w, const struct sock *s, uint8_t what, uint32_t retrans)
{
	struct ev_conn e = conn_record(w, s, what);

	e.retrans = retrans;
	model_event(w->m, &e.h);
}

static inline void listening(struct world *w, uint64_t cookie, uint32_t pid, const char *addr, uint16_t port)
{
	struct sock s = {.cookie = cookie, .pid = pid, .laddr = addr, .lport = port};

	conn(w, &s, CONN_LISTEN);
}

static inline void unlisten(struct world *w, uint64_t cookie, uint32_t pid, const char *addr, uint16_t port)
{
	struct sock s = {.cookie = cookie, .pid = pid, .laddr = addr, .lport = port};

	conn(w, &s, CONN_UNLISTEN);
}

static inline void data(struct world *w, uint64_t cookie, uint8_t dir, uint32_t seq, const char *text)
{
	size_t n = strlen(text);
	struct ev_data *e = calloc(1, sizeof(*e) + n);

	*e = (struct ev_data){.h = {.ts_ns = w->now, .size = (uint32_t)(sizeof(*e) + n), .type = EV_DATA}, .cookie = cookie,
			      .seq = seq, .len = (uint32_t)n, .head = (uint16_t)n, .dir = dir, .shift = w->shift};
	memcpy(e->payload, text, n);
	model_event(w->m, &e->h);
	free(e);
}

static inline void proc_event(struct world *w, uint8_t what, uint32_t pid, uint32_t from, int32_t code)
{
	struct ev_proc e = {.h = {.ts_ns = w->now, .size = sizeof(e), .type = EV_PROC}, .tgid = pid, .from = from, .code = code,
			    .what = what, .comm = "comm"};

	model_event(w->m, &e.h);
}

/* A second passes; the tick of it. The caller frees. */
static inline struct tick *tick(struct world *w)
{
	struct tick *t;

	w->now += S;
	t = model_tick(w->m, w->now, wall(w->now - S), (int64_t)S);
	cr_assert_not_null(t);
	return t;
}

static inline void pass(struct world *w)
{
	tick_free(tick(w));
}

/* A world with two processes that have been there before: 10, "app", and 20. */
static inline void world_app_and(struct world *w, const char *other)
{
	world_init(w, 0, 0);
	process(w, 10, 1, "app", NULL);
	process(w, 20, 1, other, NULL);
	pass(w);
}

/* Names by number, gathered over ticks. */
struct names { char service[256][96]; struct tick_edge edge[256]; char op[512][64]; char protocol[256][16]; };

static inline void learn(struct names *n, const struct tick *t)
{
	size_t i;

	for (i = 0; i < t->services.n; i++)
		snprintf(n->service[t->services.v[i].id], sizeof(n->service[0]), "%s", t->services.v[i].name);
	for (i = 0; i < t->edges.n; i++) {
		n->edge[t->edges.v[i].id] = t->edges.v[i];
		snprintf(n->protocol[t->edges.v[i].id], sizeof(n->protocol[0]), "%s", t->edges.v[i].protocol);
	}
	for (i = 0; i < t->ops.n; i++)
		snprintf(n->op[t->ops.v[i].id], sizeof(n->op[0]), "%s", t->ops.v[i].text);
}

/* "client -> server:80" */
static inline const char *edge_text(const struct names *n, uint32_t edge)
{
	static char text[256];
	const struct tick_edge *e = &n->edge[edge];

	snprintf(text, sizeof(text), "%s -> %s :%u", n->service[e->from], n->service[e->to], e->port);
	return text;
}

static inline const struct tick_tcp *tcp_of(const struct names *n, const struct tick *t, const char *edge)
{
	size_t i;

	for (i = 0; i < t->tcp.n; i++)
		if (!strcmp(edge_text(n, t->tcp.v[i].edge), edge))
			return &t->tcp.v[i];
	return NULL;
}

static inline const struct tick_point *point_of(const struct names *n, const struct tick *t, const char *service,
						enum metric_id metric)
{
	size_t i;

	for (i = 0; i < t->points.n; i++)
		if (t->points.v[i].metric == metric && !t->points.v[i].device &&
		    !strcmp(n->service[t->points.v[i].service], service))
			return &t->points.v[i];
	return NULL;
}

static inline const struct tick_event *event_of(const struct tick *t, const char *kind)
{
	size_t i;

	for (i = 0; i < t->event.n; i++)
		if (!strcmp(t->event.v[i].kind, kind))
			return &t->event.v[i];
	return NULL;
}

static inline uint64_t loss_of(const struct tick *t, const char *reason)
{
	size_t i;

	for (i = 0; i < t->loss.n; i++)
		if (!strcmp(t->loss.v[i].reason, reason))
			return t->loss.v[i].count;
	return 0;
}

#ifndef WORLD_REAL_FLOW
/*
 * The stand-in for engine/proto: a segment "Q…" from the client is a request with the rest as its operation, "R" a response,
 * "E" a response that is an error. Bytes seen before are dropped by sequence number, and a "Q" from the server's side means
 * that the roles were taken the wrong way round: as the contract of flow.h says. An operation "~…" waits by intent.
 */
struct flow {
	struct flow_pool *pool;
	void *user;
	char op[8][64];
	uint64_t begin[8];
	unsigned head, n;
	uint32_t next[2];
	bool known[2], swapped, deaf;
};

struct flow *flow_new(struct flow_pool *pool, uint16_t server_port, bool mid)
{
	struct flow *f = calloc(1, sizeof(*f));

	f->pool = pool;
	return f;
}

void flow_free(struct flow *f)
{
	free(f);
}

void flow_set_user(struct flow *f, void *user)
{
	f->user = user;
}

void *flow_user(const struct flow *f)
{
	return f->user;
}

static void finish(struct flow *f, uint64_t end, enum req_error error)
{
	struct request r = {.proto = PROTO_REDIS, .op = f->op[f->head % 8], .error = error, .begin_ns = f->begin[f->head % 8],
			    .end_ns = end, .bytes_request = 1, .bytes_response = 2,
			    .no_latency = f->op[f->head % 8][0] == '~'};

	f->head++;
	f->n--;
	if (f->pool->on_request)
		f->pool->on_request(f->pool->arg, f, &r);
}

void flow_segment(struct flow *f, const struct segment *s)
{
	enum proto_dir dir = s->dir;

	f->pool->segments++;
	if (f->known[dir] && (int32_t)(s->seq - f->next[dir]) < 0) {
		f->pool->duplicates++;
		return;
	}
	f->known[dir] = true;
	f->next[dir] = s->seq + s->len;
	if (!f->n && s->head[0] == 'Q')
		f->swapped = dir == FROM_SERVER;
	if (s->head[0] == 'D')
		f->deaf = true;
	if (s->head[0] == 'Q') {
		unsigned i = (f->head + f->n++) % 8;

		snprintf(f->op[i], sizeof(f->op[i]), "%.*s", (int)s->head_len - 1, s->head + 1);
		f->begin[i] = s->ts_ns;
	} else if ((s->head[0] == 'R' || s->head[0] == 'E') && f->n) {
		finish(f, s->ts_ns, s->head[0] == 'R' ? REQ_OK : REQ_SERVER_ERROR);
	}
}

void flow_close(struct flow *f, uint64_t ts_ns)
{
	while (f->n)
		finish(f, ts_ns, REQ_ABORTED);
}

enum proto_id flow_proto(const struct flow *f)
{
	return f->head ? PROTO_REDIS : PROTO_UNKNOWN;
}

bool flow_swapped(const struct flow *f)
{
	return f->swapped;
}

bool flow_is_deaf(const struct flow *f)
{
	return f->deaf;
}

bool flow_wants_whole(const struct flow *f)
{
	return false;
}

uint32_t flow_inflight(const struct flow *f, uint64_t *oldest_ns)
{
	*oldest_ns = f->n ? f->begin[f->head % 8] : 0;
	return f->n;
}

bool flow_is_crowded(const struct flow *f)
{
	return f->n > 1;
}

#endif /* WORLD_REAL_FLOW */

#endif

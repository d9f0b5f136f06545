/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario: a little shop, request by request, as a recording of one-second ticks would have it:
 *
 *	external client → nginx → checkout → inventory → postgres (three statements)
 *	                                   → payments
 *	batch: a process that serves nobody        web-1: the node
 *
 * Each service has a state; `healthy` holds until the fault, `faulty` from then on.  A test changes what its fault changes.
 * The noise is drawn from the seed, so that a failure repeats.
 */
#ifndef TEST_EXPLAIN_SCENARIO_H
#define TEST_EXPLAIN_SCENARIO_H

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/metric.h"
#include "model/window.h"

enum shop_service { SHOP_CLIENT, SHOP_NGINX, SHOP_CHECKOUT, SHOP_INVENTORY, SHOP_POSTGRES, SHOP_PAYMENTS, SHOP_BATCH, SHOP_NODE, SHOP_MAX };
enum shop_edge { SHOP_TO_NGINX, SHOP_TO_CHECKOUT, SHOP_TO_INVENTORY, SHOP_TO_POSTGRES, SHOP_TO_PAYMENTS, SHOP_EDGES };
#define SHOP_OPS 3
#define SHOP_SECOND 1000000000ll

struct shop_state {
	double own_ms;            /* median of its own time a request */
	double error_share;       /* raised by itself; callers pass them on */
	bool refuses, hangs;
	double cpu, throttled, runq, disk_wait, disk_read, disk_write, mem, stopped, psi_cpu, psi_io;
};

struct shop {
	uint64_t seed;
	int seconds, fault_s;     /* length; the fault begins at fault_s (beyond the length: never) */
	int heal_s;               /* 0: it stays */
	double rate[2];           /* requests a second, before and during */
	struct shop_state state[2][SHOP_MAX];
	double op_factor[2][SHOP_OPS];   /* of each statement's time */
	int calls_a_request[2];   /* statements that inventory runs for one request */
	int64_t start_ns;
	struct window *w;
	uint32_t service[SHOP_MAX], edge[SHOP_EDGES], op[SHOP_OPS];
	double open;              /* requests that wait for something that hangs */
};

static inline double shop_uniform(struct shop *p)
{
	p->seed ^= p->seed << 13;
	p->seed ^= p->seed >> 7;
	p->seed ^= p->seed << 17;
	return (double)(p->seed >> 11) / 9007199254740992.0;
}

/* A latency around its median with the long tail that real ones have. */
static inline double shop_draw(struct shop *p, double median)
{
	double g = sqrt(-2 * log(shop_uniform(p) + 1e-12)) * cos(6.283185307 * shop_uniform(p));

	return median * exp(0.35 * g);
}

static inline double shop_noise(struct shop *p, double v)
{
	return v * (0.85 + 0.3 * shop_uniform(p));
}

static inline void shop_init(struct shop *p, uint64_t seed)
{
	static const double own[SHOP_MAX] = {[SHOP_NGINX] = 0.3, [SHOP_CHECKOUT] = 4, [SHOP_INVENTORY] = 2, [SHOP_POSTGRES] = 0.6,
					     [SHOP_PAYMENTS] = 3};
	static const double cpu[SHOP_MAX] = {[SHOP_NGINX] = 0.03, [SHOP_CHECKOUT] = 0.25, [SHOP_INVENTORY] = 0.15,
					     [SHOP_POSTGRES] = 0.1, [SHOP_PAYMENTS] = 0.1, [SHOP_BATCH] = 0.01};
	int i, k;

	memset(p, 0, sizeof(*p));
	p->seed = seed * 2654435761u + 88172645463325252ull;
	p->seconds = 150;
	p->fault_s = 90;
	p->rate[0] = p->rate[1] = 60;
	p->start_ns = 1767345000ll * SHOP_SECOND;
	for (k = 0; k < 2; k++) {
		p->calls_a_request[k] = 2;
		for (i = 0; i < SHOP_OPS; i++)
			p->op_factor[k][i] = 1 + i;
		for (i = 0; i < SHOP_MAX; i++)
			p->state[k][i] = (struct shop_state){.own_ms = own[i], .cpu = cpu[i], .runq = 0.005, .disk_wait = 0.01,
							     .disk_write = 2e5, .mem = 8e7, .psi_cpu = 0.02, .psi_io = 0.01,
							     .error_share = i == SHOP_CHECKOUT ? 0.001 : 0};
	}
}

static inline void shop_names(struct shop *p)
{
	static const char *const name[SHOP_MAX] = {"external:10.0.0.9", "nginx", "checkout.py", "inventory.py", "postgres", "payments",
						   "backup.sh", "web-1"};
	static const char *const kind[SHOP_MAX] = {"external", "proxy", "app", "app", "db", "app", "app", "node"};
	static const char *const op[SHOP_OPS] = {"SELECT … FROM stock WHERE sku = ?", "SELECT … FROM price WHERE sku = ?",
						 "UPDATE stock SET n = ? WHERE sku = ?"};
	int i;

	p->w = window_new();
	for (i = 0; i < SHOP_MAX; i++) {
		p->service[i] = window_service(p->w, name[i]);
		p->w->services.v[p->service[i]].kind = kind[i];
		p->w->services.v[p->service[i]].exe = i == SHOP_CLIENT ? NULL : "/usr/bin/x";
	}
	p->edge[SHOP_TO_NGINX] = window_edge(p->w, p->service[SHOP_CLIENT], p->service[SHOP_NGINX], "http", 80);
	p->edge[SHOP_TO_CHECKOUT] = window_edge(p->w, p->service[SHOP_NGINX], p->service[SHOP_CHECKOUT], "http", 8000);
	p->edge[SHOP_TO_INVENTORY] = window_edge(p->w, p->service[SHOP_CHECKOUT], p->service[SHOP_INVENTORY], "http", 8001);
	p->edge[SHOP_TO_POSTGRES] = window_edge(p->w, p->service[SHOP_INVENTORY], p->service[SHOP_POSTGRES], "postgres", 5432);
	p->edge[SHOP_TO_PAYMENTS] = window_edge(p->w, p->service[SHOP_CHECKOUT], p->service[SHOP_PAYMENTS], "http", 8002);
	for (i = 0; i < SHOP_OPS; i++)
		p->op[i] = window_op(p->w, op[i]);
}

/* What one second saw on one edge and operation. */
struct shop_cell { double count, errors; struct hist *hist; };
struct shop_tick { struct shop_cell cell[SHOP_EDGES][SHOP_OPS]; double refused[SHOP_EDGES]; double open[SHOP_EDGES]; };

static inline void shop_count(struct shop *p, struct shop_tick *t, int edge, int op, double ms, bool failed)
{
	struct shop_cell *c = &t->cell[edge][op];

	if (!c->hist)
		c->hist = window_hist(p->w);
	c->count++;
	c->errors += failed;
	hist_add(c->hist, (uint64_t)(ms * 1e6), 1);
}

/* One call; the time it took, < 0 where it never ends. *failed is set where it failed. */
static inline double shop_call(struct shop *p, struct shop_tick *t, int k, int edge, int op, bool *failed)
{
	static const int callee[SHOP_EDGES] = {SHOP_NGINX, SHOP_CHECKOUT, SHOP_INVENTORY, SHOP_POSTGRES, SHOP_PAYMENTS};
	const struct shop_state *st = &p->state[k][callee[edge]];
	double ms = shop_draw(p, st->own_ms), sub = 0;
	bool broke = shop_uniform(p) < st->error_share;
	int i;

	if (st->refuses) {
		t->refused[edge]++;
		*failed = true;
		return 0.2;
	}
	if (st->hangs) {
		t->open[edge]++;
		return -1;
	}
	if (edge == SHOP_TO_NGINX)
		sub = shop_call(p, t, k, SHOP_TO_CHECKOUT, 0, &broke);
	if (edge == SHOP_TO_INVENTORY)
		for (i = 0; i < p->calls_a_request[k] && sub >= 0; i++) {
			double one = shop_call(p, t, k, SHOP_TO_POSTGRES, (int)(shop_uniform(p) * SHOP_OPS), &broke);

			sub = one < 0 ? -1 : sub + one;
		}
	if (edge == SHOP_TO_CHECKOUT) {
		double inventory = shop_call(p, t, k, SHOP_TO_INVENTORY, 0, &broke);
		double payments = inventory < 0 ? -1 : shop_call(p, t, k, SHOP_TO_PAYMENTS, 0, &broke);

		sub = payments < 0 ? -1 : inventory + payments;
	}
	if (sub < 0) {
		t->open[edge]++;
		return -1;
	}
	if (edge == SHOP_TO_POSTGRES)
		ms *= p->op_factor[k][op];
	shop_count(p, t, edge, op, ms + sub, broke);
	*failed |= broke;
	return ms + sub;
}

static inline void shop_point(struct shop *p, int64_t t_ns, int who, enum metric_id m, double value, double limit)
{
	struct win_point *x = vec_push(&p->w->points);

	*x = (struct win_point){.t_ns = t_ns, .dur_ns = SHOP_SECOND, .value = value, .limit = limit,
				.series = window_series(p->w, p->service[who], metric_name(m), NULL)};
}

static inline void shop_resources(struct shop *p, int64_t t_ns, int k)
{
	int i;

	for (i = SHOP_NGINX; i < SHOP_NODE; i++) {
		const struct shop_state *s = &p->state[k][i];

		shop_point(p, t_ns, i, M_CPU_CORES, shop_noise(p, s->cpu), NAN);
		shop_point(p, t_ns, i, M_CPU_THROTTLED_S, shop_noise(p, s->throttled), s->throttled > 0 ? 0.2 : NAN);
		shop_point(p, t_ns, i, M_RUNQ_WAIT_S, shop_noise(p, s->runq), NAN);
		shop_point(p, t_ns, i, M_DISK_WAIT_S, shop_noise(p, s->disk_wait), NAN);
		shop_point(p, t_ns, i, M_DISK_READ_BYTES, shop_noise(p, s->disk_read), NAN);
		shop_point(p, t_ns, i, M_DISK_WRITE_BYTES, shop_noise(p, s->disk_write), NAN);
		shop_point(p, t_ns, i, M_MEM_BYTES, s->mem, 2e8);
		shop_point(p, t_ns, i, M_STOPPED, s->stopped, NAN);
	}
	shop_point(p, t_ns, SHOP_NODE, M_PSI_CPU_SOME_S, shop_noise(p, p->state[k][SHOP_NODE].psi_cpu), NAN);
	shop_point(p, t_ns, SHOP_NODE, M_PSI_IO_SOME_S, shop_noise(p, p->state[k][SHOP_NODE].psi_io), NAN);
}

static inline void shop_flush(struct shop *p, const struct shop_tick *t, int64_t t_ns, double stuck_s)
{
	int e, o;

	for (e = 0; e < SHOP_EDGES; e++) {
		struct win_tcp *tcp = vec_push(&p->w->tcp);

		*tcp = (struct win_tcp){.t_ns = t_ns, .dur_ns = SHOP_SECOND, .edge = p->edge[e], .refused = t->refused[e],
					.open = 4, .inflight = t->open[e] > 0 ? p->open : 0,
					.oldest_ms = t->open[e] > 0 ? stuck_s * 1e3 : NAN, .srtt_us = shop_noise(p, 60)};
		for (o = 0; o < SHOP_OPS; o++) {
			const struct shop_cell *c = &t->cell[e][o];
			struct win_requests *r;

			if (!c->hist)
				continue;
			r = vec_push(&p->w->requests);
			*r = (struct win_requests){
				.t_ns = t_ns, .dur_ns = SHOP_SECOND, .edge = p->edge[e],
				.op = e == SHOP_TO_POSTGRES ? p->op[o] : WIN_NONE, .count = c->count, .errors = c->errors,
				.avg_ms = NAN, .p50_ms = NAN, .p90_ms = NAN, .p95_ms = NAN, .p99_ms = NAN,
				.bytes_request = NAN, .bytes_response = NAN, .rows = NAN, .hist = c->hist,
			};
			if (c->errors > 0)
				*vec_push(&p->w->outcomes) = (struct win_outcome){t_ns, SHOP_SECOND, r->edge, r->op, 503,
										  "server_error", "", c->errors};
		}
	}
}

/* Plays the shop from its start to its end. The window is the caller's to free. */
static inline struct window *shop_play(struct shop *p)
{
	int i, n;

	if (!p->w)
		shop_names(p);
	for (i = 0; i < p->seconds; i++) {
		int64_t t_ns = p->start_ns + i * SHOP_SECOND;
		int k = i >= p->fault_s && (!p->heal_s || i < p->heal_s);
		struct shop_tick t = {0};

		for (n = (int)(shop_noise(p, p->rate[k]) + 0.5); n > 0; n--) {
			bool failed = false;

			shop_call(p, &t, k, SHOP_TO_NGINX, 0, &failed);
		}
		p->open = t.open[SHOP_TO_NGINX] > 0 ? p->open + t.open[SHOP_TO_NGINX] : 0;
		shop_flush(p, &t, t_ns, i - p->fault_s + 1);
		shop_resources(p, t_ns, k);
	}
	p->w->since_ns = p->w->first_ns = p->start_ns;
	p->w->until_ns = p->w->last_ns = p->start_ns + p->seconds * SHOP_SECOND;
	p->w->coverage.events = NAN;
	p->w->coverage.lost_events = NAN;
	window_sort(p->w);
	return p->w;
}

static inline struct win_event *shop_event(struct shop *p, int second, int who, const char *kind, const char *before,
					   const char *after)
{
	struct win_event *e;

	if (!p->w)
		shop_names(p);
	e = vec_push(&p->w->events);
	*e = (struct win_event){.t_ns = p->start_ns + second * SHOP_SECOND, .service = p->service[who], .kind = kind,
				.version_before = before, .version_after = after, .detail = "pid 4711"};
	return e;
}

#endif

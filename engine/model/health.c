/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Health of TCP connections beyond counts: connect times, queues, closed windows, the least round trip.
 *
 * A pass over the sockets (EV_HEALTH … HEALTH_PASS) comes once a tick: what it does not tell of has nothing queued.  In a tick
 * without one queues are not known.
 */
#include "model/internal.h"

#include <stdlib.h>

#define US 1000u

/* ---- records ---- */

static struct strain *strain_of(struct conn *c)
{
	if (!c->strain)
		c->strain = calloc(1, sizeof(*c->strain));
	return c->strain;
}

/* The window that an end offers: totals of the kernel, of which the new part is this tick's. */
static void take_window(struct strain *s, unsigned end, const struct ev_health *e, unsigned dir)
{
	uint64_t since = e->zero_since_ns[dir], ns = e->zero_ns[dir];

	if (since && e->h.ts_ns > since)
		ns += e->h.ts_ns - since;
	if (ns > s->zero_told_ns[end]) {
		s->tick_zero_ns[end] += ns - s->zero_told_ns[end];
		s->zero_told_ns[end] = ns;
	}
	if (e->zero_windows[dir] > s->zero_told[end]) {
		s->tick_zeros[end] += e->zero_windows[dir] - s->zero_told[end];
		s->zero_told[end] = e->zero_windows[dir];
	}
}

static void take_strain(struct conn *c, unsigned end, const struct ev_health *e)
{
	bool any = e->send_queue || e->recv_queue || e->zero_windows[DIR_OUT] || e->zero_windows[DIR_IN];
	struct strain *s = any || c->strain ? strain_of(c) : NULL;

	if (!s)
		return;
	s->send_queue[end] = e->send_queue;
	s->recv_queue[end] = e->recv_queue;
	take_window(s, end, e, DIR_OUT);
	/* a peer on this node speaks for itself */
	if (!c->end[!end].cookie)
		take_window(s, !end, e, DIR_IN);
}

static void take_socket(struct model *m, const struct ev_health *e)
{
	unsigned end;
	uint32_t id = conn_by_cookie(m, e->cookie, &end);
	struct conn *c;

	if (id == NONE)
		return;                 /* its announcement was lost, which is counted with its next segment */
	c = conn_at(m, id);
	if (e->h.ts_ns > c->last_ns)
		c->last_ns = e->h.ts_ns;
	if (e->srtt_us)
		c->end[end].srtt_us = e->srtt_us;
	if (e->min_rtt_us)
		c->end[end].min_rtt_us = e->min_rtt_us;
	socket_totals(c, end, e->bytes_out, e->bytes_in);
	take_strain(c, end, e);
	conn_touch(m, id);
}

/* What is told from now on is told by another pass than the last that ended. */
static void pass_begin(struct model *m)
{
	m->pass += !m->pass_begun;
	m->pass_begun = true;
}

void health_event(struct model *m, const struct ev_health *e)
{
	m->windows |= !(e->flags & HEALTH_NO_WINDOWS);
	if (e->what == HEALTH_LISTENER) {
		pass_begin(m);
		listener_health(m, e);
	} else if (e->what == HEALTH_PASS) {
		pass_begin(m);
		m->pass_begun = false;
		m->passed = true;
	} else if (e->what == HEALTH_SOCKET) {
		take_socket(m, e);
	} else {
		m->bad_records++;
	}
}

/* ---- connecting ---- */

void health_syn(struct conn *c, uint64_t ts_ns)
{
	if (!c->syn_ns)
		c->syn_ns = ts_ns;
}

void health_connected(struct conn *c, unsigned end, uint64_t ts_ns)
{
	if (!c->syn_ns || end != c->client)
		return;
	c->tick_connect_ns = ts_ns > c->syn_ns ? ts_ns - c->syn_ns : 1;
	c->syn_ns = 0;
}

/* Most programs give up long before the kernel would. Whoever closes a socket whose SYN had to be sent again waited in vain for a
 * second or more; one who closes it sooner may just have been quicker elsewhere. Payload, where the record of its answer was lost,
 * says that it was answered. */
void health_ended(struct conn *c, unsigned end)
{
	bool answered = c->open || c->counted[0] || c->counted[1];

	if (c->syn_ns && !answered && end == c->client && c->end[end].retrans && c->timeouts < UINT8_MAX)
		c->timeouts++;
	c->syn_ns = 0;
}

/* ---- rows ---- */

static void fold_strain(struct edge *e, struct strain *s, unsigned client)
{
	unsigned side;

	for (side = CALLER; side <= CALLEE; side++) {
		unsigned end = side == CALLER ? client : !client;

		e->side[side].send_queue += s->send_queue[end];
		e->side[side].recv_queue += s->recv_queue[end];
		e->side[side].zero_ns += s->tick_zero_ns[end];
		e->side[side].zeros += s->tick_zeros[end];
		s->send_queue[end] = s->recv_queue[end] = s->tick_zeros[end] = 0;
		s->tick_zero_ns[end] = 0;
	}
}

void health_fold(struct edge *e, struct conn *c)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		uint32_t rtt = c->end[i].min_rtt_us;

		if (rtt && (!e->min_rtt_us || rtt < e->min_rtt_us))
			e->min_rtt_us = rtt;
	}
	e->side[CALLER].here |= c->end[c->client].cookie != 0;
	e->side[CALLEE].here |= c->end[!c->client].cookie != 0;
	e->resets_callee += c->resets[!c->client];
	e->retrans_callee += c->end[!c->client].tick_retrans;
	if (c->tick_connect_ns) {
		hist_add(&e->connect, c->tick_connect_ns, 1);
		if (c->tick_connect_ns > e->connect_max_ns)
			e->connect_max_ns = c->tick_connect_ns;
		c->tick_connect_ns = 0;
	}
	if (c->strain)
		fold_strain(e, c->strain, c->client);
}

static uint32_t us_of(double ns)
{
	return ns >= (double)UINT32_MAX * US ? UINT32_MAX : (uint32_t)(ns / US);
}

static struct tick_side side_row(const struct model *m, const struct edge *e, const struct side *s)
{
	bool tcp = e->l4 == L4_TCP, looked = tcp && m->passed && s->here;

	return (struct tick_side){
		.send_queue_bytes = looked ? s->send_queue : UINT64_MAX,
		.recv_queue_bytes = looked ? s->recv_queue : UINT64_MAX,
		.zero_windows = tcp && m->windows ? s->zeros : UINT64_MAX,
		.zero_window_us = tcp && m->windows ? s->zero_ns / US : UINT64_MAX,
	};
}

void health_row(const struct model *m, const struct edge *e, struct tick_tcp *r)
{
	r->connect_max_us = us_of((double)e->connect_max_ns);
	r->connect_p50_us = us_of(hist_quantile(&e->connect, 0.5));
	if (r->connect_p50_us > r->connect_max_us)      /* the middle of a bucket */
		r->connect_p50_us = r->connect_max_us;
	r->min_rtt_us = e->min_rtt_us;
	r->resets_callee = e->resets_callee;
	r->retrans_callee = e->retrans_callee;
	r->connecting = e->connecting;
	r->caller = side_row(m, e, &e->side[CALLER]);
	r->callee = side_row(m, e, &e->side[CALLEE]);
}

void health_reset(struct edge *e)
{
	unsigned i;

	e->min_rtt_us = e->resets_callee = e->retrans_callee = 0;
	e->connect_max_ns = 0;
	hist_reset(&e->connect);
	for (i = 0; i < 2; i++)
		e->side[i] = (struct side){.here = e->side[i].here};
}

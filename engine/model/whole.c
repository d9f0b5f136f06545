/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole of a request's time: when its caller had read the response the kernel tells later, with the caller's next segment, at
 * the close, or in its pass over the sockets each second.  Until then a finished request waits here, the newest of each connection;
 * what nobody told of for two ticks was not known.
 */
#include "model/internal.h"

#define WHOLE_TICKS 2

static unsigned client_end(const struct conn *c)
{
	/* the flow may be gone before the last read is told of */
	return c->flow_client ^ (unsigned)(c->flow && flow_swapped(c->flow));
}

static struct timing_ends ends_of(const struct conn *c)
{
	unsigned client = client_end(c);

	return (struct timing_ends){.caller = c->end[client].cookie, .callee = c->end[!client].cookie};
}

/* A hop's calls may still become known, so its time is added up later. */
static void whole_done(struct model *m, uint32_t conn, uint32_t op, uint32_t hop, const struct timing *t, bool final)
{
	struct timing *sum;

	if (trace_hop_at(&m->trace, hop)) {
		trace_told(m, hop, t);
		return;
	}
	sum = t->count ? request_timing(m, conn, op, final) : NULL;
	if (sum)
		timing_merge(sum, t);
}

static void whole_take(struct model *m, uint32_t conn, const struct timing_got *got, bool final)
{
	struct conn *c = conn_at(m, conn);
	struct whole *w = &m->wholes.v[c->whole - 1], *last = &m->wholes.v[m->wholes.n - 1];
	struct whole x = *w;

	if (got)
		timing_got(&x.timing, x.end_ns, got);
	*w = *last;
	conn_at(m, last->conn)->whole = c->whole;
	c->whole = 0;
	m->wholes.n--;
	whole_done(m, conn, x.op, x.hop, &x.timing, final);
}

void whole_drop(struct model *m, uint32_t conn)
{
	if (conn_at(m, conn)->whole)
		whole_take(m, conn, NULL, true);
}

void whole_request(struct model *m, uint32_t conn, uint32_t op, uint32_t hop, struct flow *f, const struct request *r)
{
	struct conn *c = conn_at(m, conn);
	struct timing_ends ends;
	struct timing t;
	struct whole *w;

	if (c->whole)
		whole_take(m, conn, NULL, false);
	if (c->l4 == L4_UDP)            /* it has no hop either */
		return;
	ends = f == c->flow ? ends_of(c) : (struct timing_ends){0};
	t = timing_of(r, ends);
	w = t.count && ends.caller && m->wholes.n < WHOLES_MAX ? vec_push(&m->wholes) : NULL;
	if (!w) {
		m->lost_wholes += t.count && ends.caller;
		whole_done(m, conn, op, hop, &t, false);
		return;
	}
	*w = (struct whole){
		.conn = conn, .op = op, .hop = hop, .end_seq = r->end_seq, .tick = m->tick_no, .end_ns = r->end_ns, .timing = t,
	};
	c->whole = (uint32_t)m->wholes.n;
}

void whole_read(struct model *m, uint32_t conn, unsigned end, uint32_t seq, const struct timing_got *got)
{
	const struct conn *c = conn_at(m, conn);

	if (c->whole && end == client_end(c) && m->wholes.v[c->whole - 1].end_seq == seq)
		whole_take(m, conn, got, false);
}

void wholes_settle(struct model *m)
{
	for (size_t i = m->wholes.n; i > 0; i--)
		if (m->ending || m->tick_no - m->wholes.v[i - 1].tick >= WHOLE_TICKS)
			whole_take(m, m->wholes.v[i - 1].conn, NULL, false);
}

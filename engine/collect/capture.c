/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/capture_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SERVED_MAX 16384
/* A copy comes right after its original. What is sent again comes a round trip later at the least, and nearly always with another
 * identification. */
#define COPY_NUMBERED_NS (200 * NS_PER_MS)
#define COPY_NS (5 * NS_PER_MS)

struct capture *capture_new(source_fn *fn, void *arg)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fn = fn;
	c->arg = arg;
	c->free = c->closed_head = c->closed_tail = CAPTURE_NONE;
	map_init(&c->conns, sizeof(struct capture_key), sizeof(uint32_t), CAPTURE_CONNECTIONS + 1);
	map_init(&c->served, sizeof(struct capture_place), 1, SERVED_MAX);
	map_init(&c->pairs, sizeof(struct capture_key), sizeof(struct capture_pair), CAPTURE_PAIRS);
	return c;
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	capture_table_done(c);
	map_done(&c->served);
	map_done(&c->pairs);
	vec_done(&c->touched);
	free(c);
}

unsigned capture_key_of(const struct capture_packet *p, struct capture_key *key)
{
	int order = memcmp(p->saddr, p->daddr, 16);
	unsigned sender = order > 0 || (!order && p->sport > p->dport);

	*key = (struct capture_key){0};
	memcpy(key->end[sender].ip, p->saddr, 16);
	memcpy(key->end[!sender].ip, p->daddr, 16);
	key->end[sender].port = p->sport;
	key->end[!sender].port = p->dport;
	return sender;
}

/* Captured before, at another place. */
static bool is_copy(struct capture *c, uint64_t ts_ns, const struct capture_packet *p)
{
	struct capture_copy *x = &c->copy[p->print % COPIES];
	uint64_t within = p->numbered ? COPY_NUMBERED_NS : COPY_NS;
	bool copy = x->print == p->print && x->ts_ns + within >= ts_ns;

	if (!copy)
		*x = (struct capture_copy){p->print, ts_ns};
	return copy;
}

void capture_take(struct capture *c, uint64_t ts_ns, const struct capture_packet *p)
{
	/* an acknowledgement alone counts as nothing: twice does no harm */
	if ((p->l4 == L4_UDP || p->len || p->flags & (TCP_SYN | TCP_FIN | TCP_RST)) && is_copy(c, ts_ns, p)) {
		c->n.copies++;
		return;
	}
	if (p->cap < p->len && p->l4 == L4_TCP)
		c->n.cut_segments++;
	if (p->l4 == L4_TCP) {
		c->n.segments++;
		capture_tcp(c, ts_ns, p);
	} else {
		c->n.datagrams++;
		capture_udp(c, ts_ns, p);
	}
}

void capture_tick(struct capture *c, uint64_t ts_ns)
{
	capture_tcp_tick(c, ts_ns);
	capture_udp_tick(c, ts_ns);
}

void capture_wish(struct capture *c, uint64_t cookie, int wish)
{
	uint32_t id = (uint32_t)(cookie >> 1) % CAPTURE_CONNECTIONS;
	struct capture_conn *x = id < c->high ? capture_conn_at(c, id) : NULL;

	if (x && x->used && x->first_cookie == (cookie & ~1ull))
		x->half[cookie & 1].deaf = wish == WISH_NONE;
}

void capture_counters(const struct capture *c, struct capture_counters *ret)
{
	*ret = c->n;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams: DNS with its bytes, all others as totals of each pair of addresses. */
#include "collect/capture_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "collect/udp_counts.h"

#define PACKET_LOAD(ctx, offset, to, n) (-1)    /* only what looks at a header that was loaded is of use here */
#include "bpf/udp.h"

#define SILENT_NS (30 * NS_PER_S)
#define HEAD_MAX 4096u

/* One socket is at a place, as far as anybody can see. Its sign keeps it apart from the cookies of connections. */
static uint64_t cookie_of(const struct capture_place *p)
{
	return hash_bytes(p, sizeof(*p)) | 1ull << 63;
}

static struct udp_packet look_of(const struct capture_packet *p)
{
	struct udp_packet u = {.sport = p->sport, .dport = p->dport, .len = p->len};

	memcpy(u.head, p->payload, p->cap < UDP_HEAD ? p->cap : UDP_HEAD);
	return u;
}

static void tell_dns(struct capture *c, uint64_t ts_ns, const struct capture_packet *p, const struct capture_place *from)
{
	uint32_t head = p->cap < HEAD_MAX ? p->cap : HEAD_MAX;
	struct ev_datagram *d = (struct ev_datagram *)c->record;

	*d = (struct ev_datagram){
		.h = {.ts_ns = ts_ns, .size = (uint32_t)(sizeof(*d) + head), .type = EV_DATAGRAM},
		.cookie = cookie_of(from), .lport = p->sport, .rport = p->dport, .len = p->len, .head = (uint16_t)head,
		.dir = DIR_OUT, .flags = head < p->len ? DATA_CUT : 0,
	};
	memcpy(d->laddr, p->saddr, 16);
	memcpy(d->raddr, p->daddr, 16);
	memcpy(d->payload, p->payload, head);
	c->fn(c->arg, &d->h);
}

static void tell_pair(struct capture *c, const struct capture_key *key, const struct capture_pair *x, uint8_t what, uint64_t ts_ns)
{
	const struct capture_place *l = &key->end[0], *r = &key->end[1];
	struct ev_conn e = {
		.h = {.ts_ns = ts_ns, .size = sizeof(e), .type = EV_CONN},
		.cookie = cookie_of(l), .lport = l->port, .rport = r->port, .what = what,
		.role = udp_role(l->port, r->port, x->first ? DIR_IN : DIR_OUT), .l4 = L4_UDP, .quic = x->quic,
		.family = memcmp(l->ip, "\0\0\0\0\0\0\0\0\0\0\377\377", 12) ? 6 : 4,
		.bytes_out = x->bytes[0], .bytes_in = x->bytes[1],
	};

	memcpy(e.laddr, l->ip, 16);
	memcpy(e.raddr, r->ip, 16);
	c->fn(c->arg, &e.h);
}

/* Pairs that are silent go; where all are busy the new one is not counted. */
static void pairs_make_room(struct capture *c, uint64_t silent_ns, uint64_t ts_ns)
{
	VEC(struct capture_key) silent = {0};
	const void *key;
	void *value;
	size_t it = 0;

	while (map_next(&c->pairs, &it, &key, &value)) {
		struct capture_pair *x = value;
		struct capture_key *slot = x->last_ns + silent_ns < ts_ns && !x->touched ? vec_push(&silent) : NULL;

		if (slot)
			*slot = *(const struct capture_key *)key;
	}
	for (size_t i = 0; i < silent.n; i++) {
		tell_pair(c, &silent.v[i], map_get(&c->pairs, &silent.v[i]), CONN_CLOSE, ts_ns);
		map_del(&c->pairs, &silent.v[i]);
	}
	vec_done(&silent);
}

static struct capture_pair *pair_of(struct capture *c, const struct capture_key *key, unsigned from, uint64_t ts_ns)
{
	struct capture_pair *x;
	bool fresh;

	if (c->pairs.n >= CAPTURE_PAIRS)
		pairs_make_room(c, 0, ts_ns);
	x = map_put(&c->pairs, key, &fresh);
	if (x && fresh)
		x->first = (uint8_t)from;
	return x;
}

void capture_udp(struct capture *c, uint64_t ts_ns, const struct capture_packet *p)
{
	struct udp_packet look = look_of(p);
	struct capture_pair *x;
	struct capture_key key;
	unsigned from = capture_key_of(p, &key);

	if (p->cap >= UDP_HEAD && p->sport && p->dport && p->len <= UINT16_MAX && udp_is_dns(&look)) {
		tell_dns(c, ts_ns, p, &key.end[from]);
		return;
	}
	x = pair_of(c, &key, from, ts_ns);
	if (!x) {
		c->n.forgotten++;
		return;
	}
	x->bytes[from] += p->len;
	x->last_ns = ts_ns;
	x->touched = true;
	x->quic |= udp_is_quic(&look);
}

void capture_udp_tick(struct capture *c, uint64_t ts_ns)
{
	const void *key;
	void *value;
	size_t it = 0;

	while (map_next(&c->pairs, &it, &key, &value)) {
		struct capture_pair *x = value;

		if (x->touched)
			tell_pair(c, key, x, CONN_OWNER, ts_ns);
		x->touched = false;
	}
	pairs_make_room(c, SILENT_NS, ts_ns);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/capture_packet.h"

#include <string.h>

#include "base/map.h"
#include "bpf/event.h"
#include "collect/fragments.h"

#define TUNNELS_MAX 8
#define TAGS_MAX 8                      /* VLAN tags or MPLS labels of one packet */
#define EXTENSIONS_MAX 12

enum {                                  /* LINKTYPE_*, and what libpcap calls them as DLT_* on some system */
	LINK_NULL = 0, LINK_ETHERNET = 1, LINK_PPP = 9, LINK_RAW_12 = 12, LINK_RAW_14 = 14, LINK_PPP_HDLC = 50, LINK_RAW = 101,
	LINK_LOOP = 108, LINK_SLL = 113, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_SLL2 = 276,
};

enum {                                  /* EtherType */
	TYPE_IPV4 = 0x0800, TYPE_BRIDGED = 0x6558, TYPE_VLAN = 0x8100, TYPE_IPV6 = 0x86dd, TYPE_MPLS = 0x8847, TYPE_MPLS_MC = 0x8848,
	TYPE_PPPOE = 0x8864, TYPE_QINQ = 0x88a8, TYPE_ERSPAN = 0x88be, TYPE_VLAN_9100 = 0x9100,
};

enum { IP_IPIP = 4, IP_TCP = 6, IP_UDP = 17, IP_IPV6 = 41, IP_GRE = 47 };

/* What is left of a packet: cap bytes were captured of len. */
struct rest {
	const uint8_t *p;
	uint32_t cap, len;
	struct fragments *fragments;
	uint64_t ts_ns;
	unsigned tunnels;
};

static int at_ethernet(struct rest r, struct capture_packet *ret);
static int at_type(struct rest r, uint16_t type, struct capture_packet *ret);
static int at_ip(struct rest r, struct capture_packet *ret);

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool step(struct rest *r, uint32_t n)
{
	if (r->cap < n)
		return false;
	r->p += n;
	r->cap -= n;
	r->len -= n;
	return true;
}

/* No more than n bytes belong to it: the rest is padding. */
static void limit(struct rest *r, uint32_t n)
{
	if (n < r->len)
		r->len = n;
	if (r->cap > r->len)
		r->cap = r->len;
}

static bool enter_tunnel(struct rest *r)
{
	return r->tunnels++ < TUNNELS_MAX;
}

/* The time of a TCP timestamp option (RFC 7323), 0: none. */
static uint32_t tcp_time(const uint8_t *p, uint32_t n)
{
	uint32_t i = 0;

	while (i < n && p[i]) {
		if (p[i] == 1) {
			i++;
			continue;
		}
		if (i + 2 > n || p[i + 1] < 2 || i + p[i + 1] > n)
			return 0;
		if (p[i] == 8 && p[i + 1] == 10)
			return be32(p + i + 2);
		i += p[i + 1];
	}
	return 0;
}

/* What a copy has in common with its original: not the hop count, nor the checksum of IP. */
static uint64_t print_of(const struct capture_packet *c, uint32_t id, uint32_t time, uint16_t sum)
{
	struct { uint8_t saddr[16], daddr[16]; uint32_t seq, ack, len, id, time; uint16_t sport, dport, window, sum; uint32_t flags; } key;

	memset(&key, 0, sizeof(key));
	memcpy(key.saddr, c->saddr, 16);
	memcpy(key.daddr, c->daddr, 16);
	key.seq = c->seq;
	key.ack = c->ack;
	key.len = c->len;
	key.id = id;
	key.time = time;
	key.sport = c->sport;
	key.dport = c->dport;
	key.window = c->window;
	key.sum = sum;
	key.flags = c->flags;
	return hash_bytes(&key, sizeof(key));
}

static int at_tcp(struct rest r, uint32_t id, struct capture_packet *ret)
{
	const uint8_t *h = r.p;
	uint32_t data, options;

	if (r.cap < 20)
		return -1;
	data = (uint32_t)(h[12] >> 4) * 4;
	if (data < 20 || data > r.len)
		return -1;
	options = (data < r.cap ? data : r.cap) - 20;
	ret->l4 = L4_TCP;
	ret->sport = be16(h);
	ret->dport = be16(h + 2);
	ret->seq = be32(h + 4);
	ret->ack = be32(h + 8);
	ret->flags = h[13];
	ret->window = be16(h + 14);
	ret->len = r.len - data;
	ret->cap = r.cap > data ? r.cap - data : 0;
	ret->payload = h + (r.cap > data ? data : r.cap);
	ret->print = print_of(ret, id, tcp_time(h + 20, options), be16(h + 16));
	return 1;
}

/* RFC 7348: VXLAN; RFC 8926: Geneve; 3GPP TS 29.281: GTP-U. -1: it is not what its port says. */
static int in_udp(struct rest r, uint16_t port, struct capture_packet *ret)
{
	const uint8_t *h = r.p;
	uint32_t n = 8;

	if (r.cap < 8 || !enter_tunnel(&r))
		return -1;
	if (port == 4789 || port == 8472)
		return h[0] == 8 && !h[1] && step(&r, n) ? at_ethernet(r, ret) : -1;
	if (port == 6081) {
		uint16_t type = be16(h + 2);

		n += (h[0] & 63u) * 4;
		return !(h[0] >> 6) && step(&r, n) ? at_type(r, type, ret) : -1;
	}
	n += h[0] & 7 ? 4 : 0;
	return h[0] >> 4 == 3 && h[1] == 255 && !(h[0] & 4) && step(&r, n) ? at_ip(r, ret) : -1;
}

static bool is_tunnel_port(uint16_t port)
{
	return port == 4789 || port == 8472 || port == 6081 || port == 2152;
}

static int at_udp(struct rest r, uint32_t id, struct capture_packet *ret)
{
	const uint8_t *h = r.p;
	struct capture_packet inner;
	uint32_t len;

	if (!step(&r, 8))
		return -1;
	len = be16(h + 4);
	if (len && len < 8)
		return -1;
	if (len)
		limit(&r, len - 8);
	if (is_tunnel_port(be16(h + 2)) && in_udp(r, be16(h + 2), &inner) > 0) {
		*ret = inner;
		return 1;
	}
	ret->l4 = L4_UDP;
	ret->sport = be16(h);
	ret->dport = be16(h + 2);
	ret->payload = r.p;
	ret->cap = r.cap;
	ret->len = r.len;
	ret->seq = ret->ack = ret->window = ret->flags = 0;
	ret->print = print_of(ret, id, 0, be16(h + 6));
	return 1;
}

/* RFC 2784, 2890. ERSPAN: type I has no header of its own, type II has one of 8 bytes and GRE a sequence number. */
static int at_gre(struct rest r, struct capture_packet *ret)
{
	const uint8_t *h = r.p;
	uint16_t flags, type;
	uint32_t n = 4;

	if (r.cap < 4 || !enter_tunnel(&r))
		return -1;
	flags = be16(h);
	type = be16(h + 2);
	if (flags & 0x4007)             /* routing, or another version */
		return 0;
	n += (flags & 0x8000 ? 4u : 0) + (flags & 0x2000 ? 4u : 0) + (flags & 0x1000 ? 4u : 0);
	if (type == TYPE_ERSPAN && flags & 0x1000)
		n += 8;
	if (!step(&r, n))
		return -1;
	return type == TYPE_ERSPAN || type == TYPE_BRIDGED ? at_ethernet(r, ret) : at_type(r, type, ret);
}

static int at_protocol(struct rest r, uint8_t protocol, uint32_t id, struct capture_packet *ret)
{
	ret->numbered = id != 0;
	switch (protocol) {
	case IP_TCP:
		return at_tcp(r, id, ret);
	case IP_UDP:
		return at_udp(r, id, ret);
	case IP_GRE:
		return at_gre(r, ret);
	case IP_IPIP:
	case IP_IPV6:
		return enter_tunnel(&r) ? at_ip(r, ret) : 0;
	}
	return 0;
}

static int at_fragment(struct rest r, const struct capture_packet *a, uint8_t protocol, uint32_t id, uint32_t offset, bool more,
		       struct capture_packet *ret)
{
	struct fragment x = {.id = id, .protocol = protocol, .more = more, .offset = offset, .p = r.p, .n = r.cap};
	uint32_t n;

	if (!r.fragments || r.cap < r.len)
		return offset ? 0 : at_protocol(r, protocol, id, ret);
	memcpy(x.saddr, a->saddr, 16);
	memcpy(x.daddr, a->daddr, 16);
	r.p = fragments_put(r.fragments, &x, r.ts_ns, &n);
	if (!r.p)
		return 0;
	r.cap = r.len = n;
	r.fragments = NULL;             /* what is in it must stay while it is looked at */
	return at_protocol(r, protocol, id, ret);
}

static void mapped(uint8_t to[16], const uint8_t from[4])
{
	memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	memcpy(to + 12, from, 4);
}

static int at_ipv4(struct rest r, struct capture_packet *ret)
{
	const uint8_t *h = r.p;
	uint32_t header, offset;
	uint16_t total;

	if (r.cap < 20)
		return -1;
	header = (h[0] & 15u) * 4;
	total = be16(h + 2);
	if (header < 20 || (total && total < header))
		return -1;
	if (total)
		limit(&r, total);
	if (!step(&r, header))
		return -1;
	mapped(ret->saddr, h + 12);
	mapped(ret->daddr, h + 16);
	offset = (be16(h + 6) & 0x1fffu) * 8;
	if (offset || h[6] & 0x20)
		return at_fragment(r, ret, h[9], be16(h + 4), offset, h[6] & 0x20, ret);
	return at_protocol(r, h[9], be16(h + 4), ret);
}

static int at_ipv6(struct rest r, struct capture_packet *ret)
{
	const uint8_t *h = r.p;
	uint8_t next;

	if (!step(&r, 40))
		return -1;
	if (be16(h + 4))
		limit(&r, be16(h + 4));
	next = h[6];
	memcpy(ret->saddr, h + 8, 16);
	memcpy(ret->daddr, h + 24, 16);
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		const uint8_t *x = r.p;

		if (next == 44) {       /* fragment */
			if (!step(&r, 8))
				return -1;
			if (be16(x + 2) & 0xfff9)
				return at_fragment(r, ret, x[0], be32(x + 4), be16(x + 2) & 0xfff8u, x[3] & 1, ret);
		} else if (next == 0 || next == 43 || next == 51 || next == 60) {
			if (r.cap < 8 || !step(&r, next == 51 ? (x[1] + 2u) * 4 : (x[1] + 1u) * 8))
				return -1;
		} else {
			return at_protocol(r, next, 0, ret);
		}
		next = x[0];
	}
	return 0;
}

static int at_ip(struct rest r, struct capture_packet *ret)
{
	if (!r.cap)
		return -1;
	return r.p[0] >> 4 == 4 ? at_ipv4(r, ret) : r.p[0] >> 4 == 6 ? at_ipv6(r, ret) : 0;
}

/* The protocol field of PPP (RFC 1661), which may be one byte long. */
static int at_ppp(struct rest r, struct capture_packet *ret)
{
	uint16_t protocol;

	if (r.cap >= 2 && r.p[0] == 0xff && r.p[1] == 3)
		step(&r, 2);
	if (r.cap < 2)
		return -1;
	protocol = r.p[0] & 1 ? r.p[0] : be16(r.p);
	step(&r, r.p[0] & 1 ? 1 : 2);
	return protocol == 0x21 || protocol == 0x57 ? at_ip(r, ret) : 0;
}

static int at_mpls(struct rest r, struct capture_packet *ret)
{
	for (int i = 0; i < TAGS_MAX; i++) {
		const uint8_t *label = r.p;

		if (!step(&r, 4))
			return -1;
		if (label[2] & 1)
			return at_ip(r, ret);
	}
	return 0;
}

static int at_type(struct rest r, uint16_t type, struct capture_packet *ret)
{
	for (int i = 0; i < TAGS_MAX; i++) {
		switch (type) {
		case TYPE_IPV4:
		case TYPE_IPV6:
			return at_ip(r, ret);
		case TYPE_VLAN:
		case TYPE_QINQ:
		case TYPE_VLAN_9100:
			if (!step(&r, 4))
				return -1;
			type = be16(r.p - 2);
			break;
		case TYPE_PPPOE:
			return step(&r, 6) ? at_ppp(r, ret) : -1;
		case TYPE_MPLS:
		case TYPE_MPLS_MC:
			return at_mpls(r, ret);
		case TYPE_BRIDGED:
			return enter_tunnel(&r) ? at_ethernet(r, ret) : 0;
		default:
			return 0;
		}
	}
	return 0;
}

static int at_ethernet(struct rest r, struct capture_packet *ret)
{
	return step(&r, 14) ? at_type(r, be16(r.p - 2), ret) : -1;
}

bool capture_link_known(int link)
{
	switch (link) {
	case LINK_NULL: case LINK_ETHERNET: case LINK_PPP: case LINK_RAW_12: case LINK_RAW_14: case LINK_PPP_HDLC: case LINK_RAW:
	case LINK_LOOP: case LINK_SLL: case LINK_IPV4: case LINK_IPV6: case LINK_SLL2:
		return true;
	}
	return false;
}

static int at_link(struct rest r, int link, struct capture_packet *ret)
{
	switch (link) {
	case LINK_ETHERNET:
		return at_ethernet(r, ret);
	case LINK_NULL:                 /* the address family in some machine's numbers and order: IP says itself which it is */
	case LINK_LOOP:
		return step(&r, 4) ? at_ip(r, ret) : -1;
	case LINK_SLL:
		return step(&r, 16) ? at_type(r, be16(r.p - 2), ret) : -1;
	case LINK_SLL2:
		return step(&r, 20) ? at_type(r, be16(r.p - 20), ret) : -1;
	case LINK_PPP:
	case LINK_PPP_HDLC:
		return at_ppp(r, ret);
	}
	return at_ip(r, ret);
}

int capture_packet_parse(int link, const uint8_t *p, uint32_t cap, uint32_t len, struct fragments *f, uint64_t ts_ns,
			 struct capture_packet *ret)
{
	return at_link((struct rest){.p = p, .cap = cap, .len = len < cap ? cap : len, .fragments = f, .ts_ns = ts_ns}, link, ret);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* packets: makes packets by hand, for the tests of captures. */
#ifndef ROOTLE_TESTS_PACKETS_H
#define ROOTLE_TESTS_PACKETS_H

#include <stdint.h>
#include <string.h>

struct packet_bytes { uint8_t v[4096]; uint32_t n; };

static inline void put(struct packet_bytes *b, const void *p, uint32_t n)
{
	memcpy(b->v + b->n, p, n);
	b->n += n;
}

static inline void put8(struct packet_bytes *b, unsigned v)
{
	b->v[b->n++] = (uint8_t)v;
}

static inline void put16(struct packet_bytes *b, unsigned v)
{
	put8(b, v >> 8);
	put8(b, v & 255);
}

static inline void put32(struct packet_bytes *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b, v & 65535);
}

static inline void put_ethernet(struct packet_bytes *b, unsigned type)
{
	put(b, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	put16(b, type);
}

/* 10.0.0.from → 10.0.0.to, n bytes behind the header */
static inline void put_ipv4(struct packet_bytes *b, unsigned from, unsigned to, unsigned protocol, unsigned id, unsigned fragment, unsigned n)
{
	put16(b, 0x4500);
	put16(b, 20 + n);
	put16(b, id);
	put16(b, fragment);
	put8(b, 64);
	put8(b, protocol);
	put16(b, 0);
	put32(b, 0x0a000000 + from);
	put32(b, 0x0a000000 + to);
}

static inline void put_ipv6(struct packet_bytes *b, unsigned from, unsigned to, unsigned next, unsigned n)
{
	static const uint8_t net[15] = {0xfd};

	put32(b, 0x60000000);
	put16(b, n);
	put8(b, next);
	put8(b, 64);
	put(b, net, 15);
	put8(b, from);
	put(b, net, 15);
	put8(b, to);
}

static inline void put_tcp(struct packet_bytes *b, unsigned sport, unsigned dport, uint32_t seq, uint32_t ack, unsigned flags, unsigned window)
{
	put16(b, sport);
	put16(b, dport);
	put32(b, seq);
	put32(b, ack);
	put8(b, 5 << 4);
	put8(b, flags);
	put16(b, window);
	put32(b, 0);
}

static inline void put_udp(struct packet_bytes *b, unsigned sport, unsigned dport, unsigned n)
{
	put16(b, sport);
	put16(b, dport);
	put16(b, 8 + n);
	put16(b, 0);
}

#endif

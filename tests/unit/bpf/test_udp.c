/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A packet in memory of exactly its size, so that a load behind its end is seen. */
struct bytes { uint8_t *v; uint32_t n; };

static int bytes_load(void *ctx, uint32_t offset, void *to, uint32_t n)
{
	struct bytes *b = ctx;

	if (offset > b->n || n > b->n - offset)
		return -14;
	memcpy(to, b->v + offset, n);
	return 0;
}

#define PACKET_LOAD(ctx, offset, to, n) bytes_load(ctx, offset, to, n)
#include "bpf/udp.h"

static uint8_t *put(struct bytes *b, uint32_t n)
{
	b->v = realloc(b->v, b->n + n);
	cr_assert(b->v);
	memset(b->v + b->n, 0, n);
	b->n += n;
	return b->v + b->n - n;
}

static void put_ipv4(struct bytes *b, uint8_t options)
{
	uint8_t *p = put(b, 20 + options);

	p[0] = 0x45 + options / 4;
	p[9] = 17;
	memcpy(p + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
}

static void put_udp(struct bytes *b, uint16_t sport, uint16_t dport, const void *payload, uint32_t n)
{
	uint8_t *p = put(b, 8);

	p[0] = sport >> 8, p[1] = sport & 255, p[2] = dport >> 8, p[3] = dport & 255;
	memcpy(put(b, n), payload, n);
}

/* The same from a copy of every length: none may read behind it. */
static int parse(struct bytes *b, struct udp_packet *p)
{
	for (uint32_t n = 0; n < b->n; n++) {
		struct bytes cut = { malloc(n ? n : 1), n };
		struct udp_packet q;

		memcpy(cut.v, b->v, n);
		if (udp_parse(&cut, n, &q))
			cr_assert_leq(q.offset + q.len, n);
		free(cut.v);
	}
	return udp_parse(b, b->n, p);
}

Test(udp, ipv4)
{
	struct udp_packet p;

	for (uint8_t options = 0; options <= 40; options += 4) {
		struct bytes b = {0};

		put_ipv4(&b, options);
		put_udp(&b, 4000, 53, "0123456789abcdef", 16);
		cr_assert_eq(parse(&b, &p), 1);
		cr_expect_eq(p.sport, 4000);
		cr_expect_eq(p.dport, 53);
		cr_expect_eq(p.offset, 28u + options);
		cr_expect_eq(p.len, 16);
		cr_expect_eq(memcmp(p.head, "0123456789ab", 12), 0);
		cr_expect_eq(memcmp(p.saddr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1", 16), 0);
		free(b.v);
	}
}

Test(udp, ipv6_and_extension_headers)
{
	struct udp_packet p;
	struct bytes b = {0};
	uint8_t *h = put(&b, 40);

	h[0] = 0x60;
	h[6] = 60;
	h[23] = 1;
	h[39] = 2;
	h = put(&b, 16);
	h[0] = 17;
	h[1] = 1;
	put_udp(&b, 1, 2, "x", 1);
	cr_assert_eq(parse(&b, &p), 1);
	cr_expect_eq(p.offset, 64);
	cr_expect_eq(p.len, 1);
	cr_expect_eq(p.head[0], 'x');
	cr_expect_eq(p.saddr[15], 1);
	cr_expect_eq(p.daddr[15], 2);
	free(b.v);
}

Test(udp, empty_small_and_fragments)
{
	struct udp_packet p;
	struct bytes b = {0};

	put_ipv4(&b, 0);
	put_udp(&b, 1, 2, "", 0);
	cr_assert_eq(parse(&b, &p), 1);
	cr_expect_eq(p.len, 0);
	b.v[6] = 0x20;                          /* the first of several has the ports */
	cr_expect_eq(udp_parse(&b, b.n, &p), 1);
	b.v[7] = 1;
	cr_expect_eq(udp_parse(&b, b.n, &p), 0);
	b.v[7] = 0;
	b.v[9] = 6;
	cr_expect_eq(udp_parse(&b, b.n, &p), 0);
	b.v[9] = 17;
	b.v[0] = 0x44;
	cr_expect_eq(udp_parse(&b, b.n, &p), 0);
	free(b.v);
}

static struct udp_packet said(uint16_t sport, uint16_t dport, const char *head, uint32_t len)
{
	struct udp_packet p = { .sport = sport, .dport = dport, .len = len };

	memcpy(p.head, head, UDP_HEAD);
	return p;
}

Test(udp, dns)
{
	static const char ask[] = "\xab\xcd\1\0\0\1\0\0\0\0\0\1", told[] = "\xab\xcd\x81\x83\0\1\0\0\0\1\0\1";
	static const char update[] = "\xab\xcd\x28\0\0\1\0\0\0\2\0\0", zero[] = "\xab\xcd\1\x40\0\1\0\0\0\0\0\0";
	struct { struct udp_packet p; int want; } cases[] = {
		{ said(4000, 53, ask, 40), 1 }, { said(53, 4000, told, 100), 1 }, { said(53, 4000, told, 11), 0 },
		{ said(4000, 53, update, 40), 1 }, { said(4000, 53, zero, 40), 0 }, { said(4000, 10053, ask, 40), 1 },
		{ said(10053, 4000, told, 40), 1 }, { said(4000, 10053, update, 40), 0 }, { said(5353, 5353, ask, 40), 0 },
		{ said(4000, 5355, ask, 40), 0 }, { said(4000, 10053, "\xc3\0\0\0\1\x08\0\0\0\0\0", 1200), 0 },
		{ said(4000, 10053, "\xab\xcd\1\0\0\2\0\0\0\0\0", 40), 0 }, { said(4000, 10053, ask, 4097), 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(udp_is_dns(&cases[i].p), cases[i].want, "case %zu", i);
}

Test(udp, quic)
{
	struct { struct udp_packet p; int want; } cases[] = {
		{ said(4000, 443, "\xc3\0\0\0\1\x08\0\0\0\0\0", 1200), 1 }, { said(4000, 8443, "\xc3\0\0\0\1\x08\0\0\0\0\0", 1200), 1 },
		{ said(4000, 8443, "\xd3\x6b\x33\x43\xcf\x08\0\0\0\0\0", 1200), 1 },
		{ said(4000, 8443, "\xc3\xff\0\0\x1d\x08\0\0\0\0\0", 1200), 1 }, { said(8443, 4000, "\x80\0\0\0\0\x08\0\0\0\0\0", 40), 0 },
		{ said(4000, 8443, "\xc3\0\0\0\2\x08\0\0\0\0\0", 1200), 0 }, { said(4000, 8443, "\x43\0\0\0\1\x08\0\0\0\0\0", 1200), 0 },
		{ said(443, 4000, "\x43\1\2\3\4\5\6\7\x08\x09\x0a", 60), 1 }, { said(443, 4000, "\x16\xfe\xff\0\0\0\0\0\0\0\0", 60), 0 },
		{ said(4000, 443, "\xc3\0\0\0\1\x08\0\0\0\0\0", 20), 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(udp_is_quic(&cases[i].p), cases[i].want, "case %zu", i);
}

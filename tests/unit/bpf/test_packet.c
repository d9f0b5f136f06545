/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A packet in memory of exactly its size, so that a load behind its end is seen. */
struct bytes { uint8_t *v; uint32_t n, loads; };

static int bytes_load(void *ctx, uint32_t offset, void *to, uint32_t n)
{
	struct bytes *b = ctx;

	b->loads++;
	if (offset > b->n || n > b->n - offset)
		return -14;
	memcpy(to, b->v + offset, n);
	return 0;
}

#define PACKET_LOAD(ctx, offset, to, n) bytes_load(ctx, offset, to, n)
#include "bpf/packet.h"
#include "bpf/seq.h"

enum { FIN = 1, SYN = 2, ACK = 16 };

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
	p[6] = 0x40;            /* don't fragment */
	p[9] = 6;
}

static void put_ipv6(struct bytes *b, uint8_t next)
{
	uint8_t *p = put(b, 40);

	p[0] = 0x60;
	p[6] = next;
}

static void put_ext(struct bytes *b, uint8_t next, uint8_t units, uint32_t n)
{
	uint8_t *p = put(b, n);

	p[0] = next;
	p[1] = units;
}

static void put_tcp(struct bytes *b, uint32_t seq, uint8_t options, uint8_t flags)
{
	uint8_t *p = put(b, 20 + options);

	for (int i = 0; i < 4; i++)
		p[4 + i] = seq >> (24 - 8 * i);
	p[12] = (5 + options / 4) << 4;
	p[13] = flags;
}

static void put_payload(struct bytes *b, uint32_t n)
{
	memset(put(b, n), 'x', n);
}

static int parse(struct bytes *b, struct packet *p)
{
	return packet_parse(b, b->n, p);
}

static void expect_segment(struct bytes *b, uint32_t offset, uint32_t len, uint32_t seq)
{
	struct packet p = {0};

	cr_assert_eq(parse(b, &p), 1);
	cr_expect_eq(p.offset, offset, "at %u, not %u", p.offset, offset);
	cr_expect_eq(p.len, len, "%u bytes, not %u", p.len, len);
	cr_expect_eq(p.seq, seq);
	free(b->v);
}

Test(packet, ipv4_in_one_load)
{
	struct bytes b = {0};

	put_ipv4(&b, 0);
	put_tcp(&b, 0x12345678, 0, ACK);
	put_payload(&b, 100);
	expect_segment(&b, 40, 100, 0x12345678);
	cr_expect_eq(b.loads, 1);
}

Test(packet, every_length_of_options)
{
	for (uint8_t ip = 0; ip <= 40; ip += 4) {
		for (uint8_t tcp = 0; tcp <= 40; tcp += 4) {
			struct bytes b = {0};

			put_ipv4(&b, ip);
			put_tcp(&b, 7, tcp, ACK);
			put_payload(&b, 3);
			expect_segment(&b, 40 + ip + tcp, 3, 7);
		}
	}
}

Test(packet, ipv6_with_extension_headers)
{
	struct bytes plain = {0}, chain = {0}, auth = {0};

	put_ipv6(&plain, 6);
	put_tcp(&plain, 9, 12, ACK);
	put_payload(&plain, 5);
	expect_segment(&plain, 72, 5, 9);

	put_ipv6(&chain, 0);
	put_ext(&chain, 43, 0, 8);      /* hop-by-hop */
	put_ext(&chain, 60, 2, 24);     /* routing */
	put_ext(&chain, 6, 1, 16);      /* destination options */
	put_tcp(&chain, 9, 0, ACK);
	put_payload(&chain, 5);
	expect_segment(&chain, 40 + 48 + 20, 5, 9);

	put_ipv6(&auth, 51);
	put_ext(&auth, 6, 4, 24);       /* counts in words of 4 bytes, less 2 */
	put_tcp(&auth, 9, 0, ACK);
	put_payload(&auth, 5);
	expect_segment(&auth, 40 + 24 + 20, 5, 9);
}

static int arrival(const struct bytes *b, uint32_t *end)
{
	return packet_arrival(b->v, b->v + b->n, b->n, end);
}

Test(packet, tells_where_the_payload_that_came_ends)
{
	for (int v6 = 0; v6 < 2; v6++)
		for (uint8_t options = 0; options <= 40; options += 4) {
			struct bytes b = {0};
			uint32_t end = 0;

			v6 ? put_ipv6(&b, 6) : put_ipv4(&b, 0);
			put_tcp(&b, 0xfffffff0, options, ACK);
			cr_expect_eq(arrival(&b, &end), 0, "an acknowledgement");
			put_payload(&b, 0x20);
			cr_assert_eq(arrival(&b, &end), 1);
			cr_expect_eq(end, 0x10, "%x", end);
			for (uint32_t n = 0; n < (v6 ? 60 : 40); n++) {
				uint8_t *cut = malloc(n ? n : 1);

				memcpy(cut, b.v, n);
				cr_expect_eq(packet_arrival(cut, cut + n, b.n, &end), 0, "%u bytes of it", n);
				free(cut);
			}
			b.v[v6 ? 6 : 9] = 17;
			cr_expect_eq(arrival(&b, &end), 0, "UDP");
			free(b.v);
		}
}

Test(packet, gives_up_on_endless_headers)
{
	struct packet p;

	for (int n = 5; n <= 8; n++) {
		struct bytes b = {0};

		put_ipv6(&b, 60);
		for (int i = 0; i < n; i++)
			put_ext(&b, i == n - 1 ? 6 : 60, 0, 8);
		put_tcp(&b, 9, 0, ACK);
		put_payload(&b, 5);
		cr_expect_eq(parse(&b, &p), n <= PACKET_EXT_MAX, "%d headers", n);
		free(b.v);
	}
}

Test(packet, what_is_not_tcp)
{
	struct bytes b = {0};
	struct packet p;

	put_ipv4(&b, 0);
	put_tcp(&b, 1, 0, ACK);
	put_payload(&b, 10);
	for (int protocol = 0; protocol < 256; protocol++) {
		b.v[9] = protocol;
		cr_expect_eq(parse(&b, &p), protocol == 6, "%d", protocol);
	}
	b.v[9] = 6;
	for (int version = 0; version < 16; version++) {
		b.v[0] = version << 4 | 5;
		if (version != 6)
			cr_expect_eq(parse(&b, &p), version == 4, "%d", version);
	}
	for (int words = 0; words < 5; words++) {
		b.v[0] = 0x40 | words;
		cr_expect_eq(parse(&b, &p), 0, "a header of %d words", words);
	}
	free(b.v);
}

Test(packet, fragments_are_left_alone)
{
	static const struct { uint8_t hi, lo; int is; } cases[] = {
		{0x40, 0, 1}, {0x00, 0, 1}, {0x20, 0, 0}, {0x20, 9, 0}, {0x00, 9, 0}, {0x01, 0, 0}, {0x1f, 0xff, 0}, {0x80, 0, 1},
	};
	struct bytes v4 = {0}, v6 = {0};
	struct packet p;

	put_ipv4(&v4, 0);
	put_tcp(&v4, 1, 0, ACK);
	put_payload(&v4, 10);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		v4.v[6] = cases[i].hi;
		v4.v[7] = cases[i].lo;
		cr_expect_eq(parse(&v4, &p), cases[i].is, "%02x%02x", cases[i].hi, cases[i].lo);
	}
	put_ipv6(&v6, 44);
	put_ext(&v6, 6, 0, 8);
	put_tcp(&v6, 1, 0, ACK);
	put_payload(&v6, 10);
	cr_expect_eq(parse(&v6, &p), 0);
	free(v4.v);
	free(v6.v);
}

/* However short: never a load behind the end that is taken for good, never a payload that is not there. */
Test(packet, cut_anywhere)
{
	struct bytes v4 = {0}, v6 = {0};
	struct packet p;

	put_ipv4(&v4, 8);
	put_tcp(&v4, 1, 8, ACK);
	put_ipv6(&v6, 60);
	put_ext(&v6, 6, 1, 16);
	put_tcp(&v6, 1, 8, ACK);
	for (uint32_t n = 0; n <= v4.n; n++) {
		struct bytes b = {.v = memcpy(malloc(n + !n), v4.v, n), .n = n};

		cr_expect_eq(parse(&b, &p) > 0, n == v4.n, "%u of %u bytes", n, v4.n);
		if (n == v4.n)
			cr_expect_eq(p.len, 0);
		free(b.v);
	}
	for (uint32_t n = 0; n <= v6.n; n++) {
		struct bytes b = {.v = memcpy(malloc(n + !n), v6.v, n), .n = n};

		cr_expect_eq(parse(&b, &p) > 0, n == v6.n, "%u of %u bytes", n, v6.n);
		free(b.v);
	}
	free(v4.v);
	free(v6.v);
}

/* Where the packet claims to be longer than what can be loaded, it says so. */
Test(packet, cannot_be_loaded)
{
	struct bytes b = {0};
	struct packet p;

	put_ipv4(&b, 8);
	cr_expect_eq(packet_parse(&b, 200, &p), -1);
	put_tcp(&b, 1, 0, ACK);
	cr_expect_eq(packet_parse(&b, 200, &p), 1);
	cr_expect_eq(p.len, 200 - 48u);
	free(b.v);
}

Test(packet, impossible_data_offsets)
{
	struct bytes b = {0};
	struct packet p;

	put_ipv4(&b, 0);
	put_tcp(&b, 1, 0, ACK);
	put_payload(&b, 4);
	for (int words = 0; words < 16; words++) {
		b.v[32] = words << 4;
		cr_expect_eq(parse(&b, &p), words == 5 || words == 6, "%d words", words);
	}
	free(b.v);
}

/* A SYN takes a number of its own: data on it begins behind (RFC 7413). */
Test(packet, sequence_of_the_first_byte)
{
	static const struct { uint32_t seq; uint8_t flags; uint32_t want; } cases[] = {
		{100, ACK, 100}, {100, SYN, 101}, {0xffffffff, SYN | ACK, 0}, {0xffffffff, FIN | ACK, 0xffffffff},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = {0};

		put_ipv4(&b, 0);
		put_tcp(&b, cases[i].seq, 0, cases[i].flags);
		put_payload(&b, 4);
		expect_segment(&b, 40, 4, cases[i].want);
	}
}

/* Both ends of a connection, in IPv4, in IPv6, and in IPv6 that is IPv4, have the same pair. */
Test(packet, pair_is_the_same_both_ways)
{
	static const uint8_t a[4] = {10, 0, 0, 1}, b[4] = {10, 0, 9, 200}, mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct packet p[2], p6[2];

	for (int way = 0; way < 2; way++) {
		struct bytes v4 = {0}, v6 = {0};

		put_ipv4(&v4, 4);
		memcpy(v4.v + 12, way ? b : a, 4);
		memcpy(v4.v + 16, way ? a : b, 4);
		put_ipv6(&v6, 6);
		memcpy(v6.v + 8, mapped, 12);
		memcpy(v6.v + 20, way ? b : a, 4);
		memcpy(v6.v + 24, mapped, 12);
		memcpy(v6.v + 36, way ? a : b, 4);
		put_tcp(&v4, 1, 0, ACK);
		put_tcp(&v6, 1, 0, ACK);
		v4.v[24 + (way ? 0 : 2)] = v6.v[40 + (way ? 0 : 2)] = 0x1f;     /* port 0x1f90 of b, 0x0090 of a */
		v4.v[25] = v4.v[27] = v6.v[41] = v6.v[43] = 0x90;
		cr_assert_eq(parse(&v4, &p[way]), 1);
		cr_assert_eq(parse(&v6, &p6[way]), 1);
		free(v4.v);
		free(v6.v);
	}
	cr_expect_eq(p[0].pair, p[1].pair);
	cr_expect_eq(p[0].pair, p6[0].pair);
	cr_expect_eq(p[0].pair, p6[1].pair);
	cr_expect_eq(p[0].pair, sample_pair(0x0a000001, 0x0a0009c8, 0x0090, 0x1f90));
}

Test(seq, order_across_the_wrap)
{
	cr_expect_eq(seq_diff(5, 5), 0);
	cr_expect_eq(seq_diff(6, 5), 1);
	cr_expect_eq(seq_diff(5, 6), -1);
	cr_expect_eq(seq_diff(3, 0xfffffffe), 5);
	cr_expect_eq(seq_diff(0xfffffffe, 3), -5);
	cr_expect_eq(seq_diff(0x7fffffff, 0), INT32_MAX);
	cr_expect_eq(seq_diff(0x80000000, 0), INT32_MIN);
}

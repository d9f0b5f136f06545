/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "bpf/event.h"
#include "collect/capture_packet.h"
#include "collect/fragments.h"
#include "packets.h"

enum { ETHERNET = 1, RAW = 101, LOOP = 108, SLL = 113, SLL2 = 276 };

/* What is behind the captured bytes must not be read: they are copied to the end of a block of their own size. */
static int parse_cut(int link, const struct packet_bytes *b, uint32_t cap, struct fragments *f, struct capture_packet *ret)
{
	uint8_t *p = malloc(cap ? cap : 1);

	memcpy(p, b->v, cap);
	int got = capture_packet_parse(link, p, cap, b->n, f, 1, ret);

	if (got > 0 && ret->cap)
		ret->payload = b->v + (ret->payload - p);
	free(p);
	return got;
}

static int parse(int link, const struct packet_bytes *b, struct capture_packet *ret)
{
	return parse_cut(link, b, b->n, NULL, ret);
}

static void put_hello(struct packet_bytes *b)
{
	put_ipv4(b, 1, 2, 6, 7, 0, 25);
	put_tcp(b, 40000, 80, 100, 200, TCP_ACK, 512);
	put(b, "hello", 5);
}

static void expect_hello(int got, const struct capture_packet *p)
{
	cr_assert_eq(got, 1);
	cr_assert_eq(p->l4, L4_TCP);
	cr_assert_eq(p->sport, 40000);
	cr_assert_eq(p->dport, 80);
	cr_assert_eq(p->saddr[15], 1);
	cr_assert_eq(p->daddr[15], 2);
	cr_assert_eq(p->seq, 100);
	cr_assert_eq(p->ack, 200);
	cr_assert_eq(p->flags, TCP_ACK);
	cr_assert_eq(p->window, 512);
	cr_assert_eq(p->len, 5);
	cr_assert_eq(p->cap, 5);
	cr_assert_arr_eq(p->payload, "hello", 5);
}

Test(capture_packet, links)
{
	static const struct { int link; unsigned zeros; } links[] = {{SLL, 14}, {LOOP, 4}, {RAW, 0}, {12, 0}, {0, 4}};
	struct capture_packet p;

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct packet_bytes b = {.n = links[i].zeros};

		if (links[i].link == SLL)
			put16(&b, 0x800);
		put_hello(&b);
		expect_hello(parse(links[i].link, &b, &p), &p);
		cr_assert(capture_link_known(links[i].link));
	}
	cr_assert_not(capture_link_known(105));
}

Test(capture_packet, cooked_2_has_its_type_first)
{
	struct packet_bytes b = {0};
	struct capture_packet p;

	put16(&b, 0x800);
	b.n += 18;
	put_hello(&b);
	expect_hello(parse(SLL2, &b, &p), &p);
}

Test(capture_packet, padding_is_no_payload)
{
	struct packet_bytes b = {0};
	struct capture_packet p;

	put_ethernet(&b, 0x800);
	put_hello(&b);
	b.n += 11;
	expect_hello(parse(ETHERNET, &b, &p), &p);
}

Test(capture_packet, vlans_pppoe_mpls)
{
	struct packet_bytes vlan = {0}, pppoe = {0}, mpls = {0};
	struct capture_packet p;

	put_ethernet(&vlan, 0x88a8);
	put32(&vlan, 0x00018100);
	put32(&vlan, 0x00020800);
	put_hello(&vlan);
	expect_hello(parse(ETHERNET, &vlan, &p), &p);
	put_ethernet(&pppoe, 0x8864);
	put32(&pppoe, 0x11000001);
	put16(&pppoe, 47);
	put16(&pppoe, 0x21);
	put_hello(&pppoe);
	expect_hello(parse(ETHERNET, &pppoe, &p), &p);
	put_ethernet(&mpls, 0x8847);
	put32(&mpls, 0x00010040);
	put32(&mpls, 0x00011140);
	put_hello(&mpls);
	expect_hello(parse(ETHERNET, &mpls, &p), &p);
}

Test(capture_packet, tunnels)
{
	struct packet_bytes vxlan = {0}, gre = {0}, erspan = {0}, ipip = {0}, gtp = {0};
	struct capture_packet p;

	put_ipv4(&vxlan, 9, 8, 17, 0, 0, 75);
	put_udp(&vxlan, 50000, 4789, 67);
	put32(&vxlan, 0x08000000);
	put32(&vxlan, 0x00002a00);
	put_ethernet(&vxlan, 0x800);
	put_hello(&vxlan);
	expect_hello(parse(RAW, &vxlan, &p), &p);

	put_ipv4(&gre, 9, 8, 47, 0, 0, 53);
	put16(&gre, 0x2000);
	put16(&gre, 0x800);
	put32(&gre, 1);
	put_hello(&gre);
	expect_hello(parse(RAW, &gre, &p), &p);

	put_ipv4(&erspan, 9, 8, 47, 0, 0, 75);
	put16(&erspan, 0x1000);
	put16(&erspan, 0x88be);
	put32(&erspan, 1);
	put32(&erspan, 0x10000000);
	put32(&erspan, 0);
	put_ethernet(&erspan, 0x800);
	put_hello(&erspan);
	expect_hello(parse(RAW, &erspan, &p), &p);

	put_ipv4(&ipip, 9, 8, 4, 0, 0, 45);
	put_hello(&ipip);
	expect_hello(parse(RAW, &ipip, &p), &p);

	put_ipv4(&gtp, 9, 8, 17, 0, 0, 61);
	put_udp(&gtp, 2152, 2152, 53);
	put32(&gtp, 0x30ff002d);
	put32(&gtp, 1);
	put_hello(&gtp);
	expect_hello(parse(RAW, &gtp, &p), &p);
}

Test(capture_packet, what_only_looks_like_a_tunnel_is_a_datagram)
{
	struct packet_bytes b = {0};
	struct capture_packet p;

	put_ipv4(&b, 9, 8, 17, 0, 0, 16);
	put_udp(&b, 50000, 4789, 8);
	put32(&b, 0x08000000);
	put32(&b, 0);
	cr_assert_eq(parse(RAW, &b, &p), 1);
	cr_assert_eq(p.l4, L4_UDP);
	cr_assert_eq(p.dport, 4789);
	cr_assert_eq(p.len, 8);
}

Test(capture_packet, extension_headers)
{
	struct packet_bytes b = {0};
	struct capture_packet p;

	put_ipv6(&b, 1, 2, 0, 16 + 25);
	put32(&b, 0x3c000104);
	put32(&b, 0);
	put32(&b, 0x06000104);
	put32(&b, 0);
	put_tcp(&b, 40000, 80, 100, 200, TCP_ACK, 512);
	put(&b, "hello", 5);
	expect_hello(parse(RAW, &b, &p), &p);
}

Test(capture_packet, the_snap_length_is_a_hole)
{
	struct packet_bytes b = {0};
	struct capture_packet p;

	put_hello(&b);
	cr_assert_eq(parse_cut(RAW, &b, b.n - 3, NULL, &p), 1);
	cr_assert_eq(p.len, 5);
	cr_assert_eq(p.cap, 2);
	cr_assert_eq(parse_cut(RAW, &b, 40, NULL, &p), 1);
	cr_assert_eq(p.cap, 0);
	cr_assert_eq(parse_cut(RAW, &b, 39, NULL, &p), -1);
}

/* What the network card is to cut has no length yet. */
Test(capture_packet, no_length)
{
	struct packet_bytes b = {0};
	struct capture_packet p;

	put_hello(&b);
	b.v[2] = b.v[3] = 0;
	expect_hello(parse(RAW, &b, &p), &p);
}

Test(capture_packet, a_copy_has_the_same_print)
{
	struct packet_bytes a = {0}, copy = {0}, again = {0};
	struct capture_packet p, q, r;

	put_hello(&a);
	put_hello(&copy);
	copy.v[8]--;                    /* one hop on */
	put_hello(&again);
	again.v[5]++;                   /* sent again: another identification */
	cr_assert_eq(parse(RAW, &a, &p), 1);
	cr_assert_eq(parse(RAW, &copy, &q), 1);
	cr_assert_eq(parse(RAW, &again, &r), 1);
	cr_assert_eq(p.print, q.print);
	cr_assert_neq(p.print, r.print);
	cr_assert(p.numbered);
}

static int put_fragment(struct fragments *f, const uint8_t *datagram, unsigned from, unsigned n, bool more, struct capture_packet *ret)
{
	struct packet_bytes b = {0};

	put_ipv4(&b, 1, 2, 17, 77, from / 8 | (more ? 0x2000 : 0), n);
	put(&b, datagram + from, n);
	return capture_packet_parse(RAW, b.v, b.n, b.n, f, 1, ret);
}

Test(capture_packet, fragments_in_any_order)
{
	struct fragments *f = fragments_new();
	struct packet_bytes whole = {0};
	struct capture_packet p;

	put_udp(&whole, 53, 5000, 100);
	for (unsigned i = 0; i < 100; i++)
		put8(&whole, i);
	cr_assert_eq(put_fragment(f, whole.v, 80, 28, false, &p), 0);
	cr_assert_eq(put_fragment(f, whole.v, 0, 40, true, &p), 0);
	cr_assert_eq(put_fragment(f, whole.v, 0, 40, true, &p), 0);
	cr_assert_eq(fragments_lost(f), 1);
	cr_assert_eq(put_fragment(f, whole.v, 40, 40, true, &p), 1);
	cr_assert_eq(p.sport, 53);
	cr_assert_eq(p.len, 100);
	cr_assert_arr_eq(p.payload, whole.v + 8, 100);
	cr_assert_eq(fragments_lost(f), 0);
	fragments_free(f);
}

Test(capture_packet, every_prefix_is_survived)
{
	struct packet_bytes b = {0};
	struct capture_packet p;

	put_ethernet(&b, 0x8100);
	put32(&b, 0x00010800);
	put_ipv4(&b, 9, 8, 47, 0, 0, 49);
	put16(&b, 0);
	put16(&b, 0x800);
	put_hello(&b);
	for (uint32_t n = 0; n <= b.n; n++)
		cr_assert_eq(parse_cut(ETHERNET, &b, n, NULL, &p), n < b.n - 5 ? -1 : 1, "%u", n);
}

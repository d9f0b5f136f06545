/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side's packet parsers and copy plan over any bytes: no load outside of the packet is asked for without
 * being noticed, the payload lies within the packet, and what would be copied lies within the payload and a record.
 * A packet is a TCP segment, a datagram, or neither.
 * The first two bytes are how much longer than the rest the packet claims to be: a fragmented skb may refuse a load.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct input { const uint8_t *v; size_t n; };

static int input_load(void *ctx, uint32_t offset, void *to, uint32_t n)
{
	const struct input *in = ctx;

	if (offset > in->n || n > in->n - offset)
		return -14;
	memcpy(to, in->v + offset, n);
	return 0;
}

#define PACKET_LOAD(ctx, offset, to, n) input_load(ctx, offset, to, n)
#include "bpf/copy.h"
#include "bpf/udp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int good)
{
	if (!good)
		abort();
}

static void check_plan(uint32_t len, uint32_t wish, uint32_t small)
{
	struct copy_credit c = {.left = len / 2, .since_ns = 1};
	struct copy_plan p = copy_plan(len, wish, small, &c, 2);

	expect(p.head <= len && p.tail <= len - p.head && p.tail <= COPY_TAIL);
	expect(p.tail == 0 || p.head + p.tail <= UINT16_MAX);
	expect(p.head <= COPY_WHOLE_MAX);
}

static int check_datagram(struct input *in, uint32_t total)
{
	struct udp_packet p = {0};

	if (!udp_parse(in, total, &p))
		return 0;
	expect(p.offset >= 28 && p.offset <= total && p.len == total - p.offset);
	expect(!udp_is_dns(&p) || p.len >= UDP_HEAD);
	expect(!udp_is_quic(&p) || p.len > 20);
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet p = {0};
	struct input in;
	uint32_t total;
	int datagram;

	if (size < 2)
		return 0;
	in = (struct input){data + 2, size - 2};
	total = (uint32_t)in.n + data[0] * 256u + data[1];
	datagram = check_datagram(&in, total);
	if (packet_parse(&in, total, &p) <= 0)
		return 0;
	expect(!datagram);
	expect(p.offset >= 40 && p.offset <= total && p.len == total - p.offset);
	expect(sample_takes(p.pair, 0));
	for (uint32_t wish = WISH_AUTO; wish <= WISH_WHOLE; wish++) {
		check_plan(p.len, wish, 0);
		check_plan(p.len, wish, 1);
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* bytes: a packet in memory of exactly its size, so that a load behind its end is seen; PACKET_LOAD of the tests of bpf/. */
#ifndef TEST_BPF_BYTES_H
#define TEST_BPF_BYTES_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

/* n more bytes, of zero. */
static uint8_t *put(struct bytes *b, uint32_t n)
{
	b->v = realloc(b->v, b->n + n);
	cr_assert(b->v);
	memset(b->v + b->n, 0, n);
	b->n += n;
	return b->v + b->n - n;
}

static uint8_t *put_ipv4(struct bytes *b, uint8_t protocol, uint8_t options)
{
	uint8_t *p = put(b, 20 + options);

	p[0] = 0x45 + options / 4;
	p[6] = 0x40;            /* don't fragment */
	p[9] = protocol;
	return p;
}

static uint8_t *put_ipv6(struct bytes *b, uint8_t next)
{
	uint8_t *p = put(b, 40);

	p[0] = 0x60;
	p[6] = next;
	return p;
}

static void put_ext(struct bytes *b, uint8_t next, uint8_t units, uint32_t n)
{
	uint8_t *p = put(b, n);

	p[0] = next;
	p[1] = units;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments as hostile as they come: any order, overlaps, holes, cuts, both directions, any protocol, little memory.
 * Input: byte 0 port and mid, then segments: direction and flags, sequence step (signed), length, captured head and tail.
 */
#include "oracle.h"

static const uint8_t *segment_read(struct segment *s, const uint8_t *p, const uint8_t *end, uint32_t seq[2])
{
	uint32_t left, head = p[3], tail = p[4] & 31;

	s->dir = (enum proto_dir)(p[0] & 1);
	s->fin = (p[0] & 0xe) == 0xe;
	s->seq = seq[s->dir] + (uint32_t)((p[0] & 0x30) == 0x30 ? (int8_t)p[1] : 0);
	p += 5;
	left = (uint32_t)(end - p);
	s->head_len = head < left ? head : left;
	s->tail_len = tail < left - s->head_len ? tail : left - s->head_len;
	s->head = p;
	s->tail = p + s->head_len;
	s->len = s->head_len + s->tail_len + (p[-5] & 0x40 ? p[-3] : 0);
	seq[s->dir] = s->seq + s->len;
	return s->tail + s->tail_len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t ports[] = {80, 5432, 6379, 0};
	struct oracle o = {.pool = {.limit_bytes = 20000}};
	const uint8_t *p = data + 1, *end = data + size;
	uint32_t seq[2] = {UINT32_MAX - 50, UINT32_MAX - 50};
	struct segment s = {.ts_ns = 1000};
	struct flow *f;

	if (!size)
		return 0;
	o.pool.on_request = oracle_note;
	o.pool.arg = &o;
	f = flow_new(&o.pool, ports[data[0] & 3], data[0] & 4);
	while (end - p > 5) {
		s.ts_ns += p[0] & 0x80 ? 400000000 : 10;
		p = segment_read(&s, p, end, seq);
		flow_segment(f, &s);
		if (o.pool.held_bytes > o.pool.limit_bytes)
			abort();
	}
	flow_close(f, s.ts_ns);
	flow_free(f);
	if (o.pool.held_bytes)
		abort();
	return 0;
}

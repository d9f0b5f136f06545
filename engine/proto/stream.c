/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/stream.h"

#include <stdlib.h>
#include <string.h>

/* Behind a hole so much is held before the hole is called lost. Reordering between CPUs is a matter of microseconds and
 * a few segments; a retransmission of a segment lost on the wire takes 200 ms (the least RTO of Linux) or a round trip. */
#define STUCK_PIECES 128
#define STUCK_BYTES (64 * 1024)
#define STUCK_NS 1000000000ull

void *pool_realloc(struct flow_pool *p, void *old, size_t old_n, size_t n)
{
	void *x;

	if (!n) {
		free(old);
		p->held_bytes -= old_n;
		return NULL;
	}
	if (n > old_n && p->held_bytes + (n - old_n) > p->limit_bytes)
		return NULL;
	x = realloc(old, n);
	if (x)
		p->held_bytes += n - old_n;
	return x;
}

void segment_trim(struct segment *s, uint32_t n)
{
	uint32_t hole = segment_hole(s), h = n < s->head_len ? n : s->head_len, t;

	s->seq += n;
	s->len -= n;
	s->head_len -= h;
	if (h)
		s->head += h;
	n -= h;
	t = n > hole ? n - hole : 0;
	if (t) {
		s->tail += t;
		s->tail_len -= t;
	}
	if (!s->head_len && s->tail_len == s->len) {
		s->head = s->tail;
		s->head_len = s->tail_len;
		s->tail_len = 0;
	}
}

/* The first n bytes only. */
static struct segment segment_front(const struct segment *s, uint32_t n)
{
	struct segment f = *s;
	uint32_t behind = s->len - n;

	if (!behind)
		return f;
	f.len = n;
	f.fin = false;
	f.head_len = s->head_len < n ? s->head_len : n;
	f.tail_len = s->tail_len > behind ? s->tail_len - behind : 0;
	return f;
}

static struct piece *piece_new(struct flow_pool *p, const struct segment *s)
{
	size_t size = sizeof(struct piece) + s->head_len + s->tail_len;
	struct piece *x = pool_realloc(p, NULL, 0, size);

	if (!x)
		return NULL;
	x->size = size;
	x->s = *s;
	if (s->head_len)
		memcpy(x->bytes, s->head, s->head_len);
	if (s->tail_len)
		memcpy(x->bytes + s->head_len, s->tail, s->tail_len);
	x->s.head = x->bytes;
	x->s.tail = x->bytes + s->head_len;
	return x;
}

void piece_free(struct piece *x, struct flow_pool *p)
{
	if (x)
		pool_realloc(p, x, x->size, 0);
}

static void piece_insert(struct stream *st, struct flow_pool *p, struct piece **at, const struct segment *s)
{
	struct piece *x = piece_new(p, s);

	if (!x) {
		p->lost_memory += s->len;
		return;
	}
	x->next = *at;
	*at = x;
	st->pieces++;
	st->piece_bytes += s->head_len + s->tail_len;
}

void stream_queue(struct stream *st, struct flow_pool *p, const struct segment *s)
{
	struct segment rest = *s;
	struct piece **at = &st->first;

	while (rest.len) {
		struct segment part = rest;
		uint32_t n = rest.len;

		while (*at && (int32_t)((*at)->s.seq + (*at)->s.len - rest.seq) <= 0)
			at = &(*at)->next;
		if (*at && (int32_t)((*at)->s.seq - rest.seq) <= 0) {
			uint32_t seen = (*at)->s.seq + (*at)->s.len - rest.seq;

			p->duplicates++;
			segment_trim(&rest, seen < rest.len ? seen : rest.len);
			continue;
		}
		if (*at && (int32_t)((*at)->s.seq - (rest.seq + rest.len)) < 0)
			n = (*at)->s.seq - rest.seq;
		part = segment_front(&rest, n);
		piece_insert(st, p, at, &part);
		segment_trim(&rest, n);
	}
}

struct piece *stream_take(struct stream *st)
{
	struct piece *x = st->first;

	if (!x || x->s.seq != st->next)
		return NULL;
	st->first = x->next;
	st->pieces--;
	st->piece_bytes -= x->s.head_len + x->s.tail_len;
	return x;
}

bool stream_is_stuck(const struct stream *st, uint64_t now_ns)
{
	return st->first && (st->pieces > STUCK_PIECES || st->piece_bytes > STUCK_BYTES ||
			     now_ns > st->first->s.ts_ns + STUCK_NS);
}

bool stream_keep(struct stream *st, struct flow_pool *p, const uint8_t *b, size_t n, size_t limit)
{
	uint32_t cap = st->cap ? st->cap : 256;
	uint8_t *buf;

	if (!n)
		return true;
	if (st->len + n > limit)
		return false;
	while (cap < st->len + n)
		cap *= 2;
	if (cap != st->cap) {
		buf = pool_realloc(p, st->buf, st->cap, cap);
		if (!buf)
			return false;
		st->buf = buf;
		st->cap = cap;
	}
	memcpy(st->buf + st->len, b, n);
	st->split = st->len;
	st->len += (uint32_t)n;
	return true;
}

void stream_drop(struct stream *st, struct flow_pool *p, size_t n)
{
	st->len -= (uint32_t)n;
	st->split -= n < st->split ? (uint32_t)n : st->split;
	if (st->len) {
		memmove(st->buf, st->buf + n, st->len);
		return;
	}
	/* an idle flow holds no buffer */
	pool_realloc(p, st->buf, st->cap, 0);
	st->buf = NULL;
	st->cap = 0;
}

void stream_done(struct stream *st, struct flow_pool *p)
{
	struct piece *x;

	while ((x = st->first)) {
		st->first = x->next;
		piece_free(x, p);
	}
	st->pieces = st->piece_bytes = 0;
	st->skip = 0;
	stream_drop(st, p, st->len);
}

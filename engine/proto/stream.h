/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream: one direction of a flow put in order by sequence number.  Knows pieces that came too early and bytes that a
 * parser has left; knows no protocol.
 */
#ifndef ROOTLE_PROTO_STREAM_H
#define ROOTLE_PROTO_STREAM_H

#include "proto/flow.h"

/* A segment, or a part of one, that waits: for a hole before it to be filled, or for the other direction. */
struct piece {
	struct piece *next;
	size_t size;               /* of this allocation */
	struct segment s;          /* head and tail point into bytes[] */
	uint8_t bytes[];
};

struct stream {
	struct piece *first;       /* ascending, disjoint, all at or behind `next` */
	uint32_t pieces, piece_bytes;
	uint32_t next;             /* sequence number of the next byte in order */
	bool begun;                /* `next` is known */
	bool waiting;              /* the parser could go on with buf, but no request waits */
	bool ended;                /* FIN has passed */
	bool at_start;             /* the first byte of buf was the first of its segment */
	uint8_t *buf;              /* bytes the parser has left */
	uint32_t len, cap;
	uint32_t split;            /* offset in buf of the first byte of the last segment */
	uint64_t kept_ns;          /* time of buf[0] */
	uint64_t skip;             /* bytes to come that the parser does not want */
	uint64_t last_ns;          /* of the last byte in order */
	uint64_t rd_ts_ns, arr_ns;
	uint32_t tid, rd_tid, rd_seq;   /* of the last segment in order */
	struct flow_waits waits;   /* of the last segment in order that knew them */
};

/* realloc() with the pool's account; n == 0 frees. NULL past the bound (p is then unchanged). */
void *pool_realloc(struct flow_pool *p, void *old, size_t old_n, size_t n);

/* Cuts n bytes off the front, n <= s->len; of what was captured of the segment what lies behind stays. */
void segment_trim(struct segment *s, uint32_t n);
/* Bytes between head and tail that were not captured. */
static inline uint32_t segment_hole(const struct segment *s)
{
	return s->len - s->head_len - s->tail_len;
}

/* Queues a copy of those parts of s that are not queued yet. What memory does not allow becomes a hole. */
void stream_queue(struct stream *st, struct flow_pool *p, const struct segment *s);
/* The first piece, taken out, where it is next in order; else NULL. Give it back with piece_free(). */
struct piece *stream_take(struct stream *st);
void piece_free(struct piece *x, struct flow_pool *p);
/* The hole before the first piece will not be filled any more. now_ns: the latest time seen. */
bool stream_is_stuck(const struct stream *st, uint64_t now_ns);

/* Appends to the bytes left over: false past `limit` or out of memory. */
bool stream_keep(struct stream *st, struct flow_pool *p, const uint8_t *b, size_t n, size_t limit);
void stream_drop(struct stream *st, struct flow_pool *p, size_t n);
void stream_done(struct stream *st, struct flow_pool *p);

#endif

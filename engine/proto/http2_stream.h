/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http2_stream: the open streams of an HTTP/2 connection, by id, in the memory that the sink allows.  Knows what has been seen
 * of each; knows no frames.
 */
#ifndef ROOTLE_PROTO_HTTP2_STREAM_H
#define ROOTLE_PROTO_HTTP2_STREAM_H

#include "proto/proto.h"

enum {                              /* h2_stream.seen */
	H2_ASKED = 1,               /* its request has been reported, or is lost */
	H2_HEAD = 2,                /* the head of its final response has come */
	H2_ANSWERED = 4,            /* so has the end */
	H2_REPORTED = 8,            /* a tunnel: its response has been reported, what flows is no body */
	H2_GRPC = 16,
	H2_TUNNEL = 32,             /* CONNECT */
	H2_ROWS_LOST = 64,          /* messages are not counted any more */
	H2_STATUS_LOST = 128,       /* fields of the response that may have been its status could not be read */
};

struct h2_stream {
	uint32_t id;                /* 0: a free slot */
	uint8_t seen;
	uint8_t prefix;             /* bytes of the prefix of a gRPC message that were seen, 0..4 */
	int16_t status;             /* 0: unknown */
	int32_t grpc_status;        /* -1: none yet */
	uint32_t message;           /* bytes of the gRPC message still to come; while in the prefix its length so far */
	uint32_t rows;              /* gRPC messages of the response */
	uint64_t begin_ns, end_ns;  /* of the response */
	uint64_t bytes;             /* of the response */
	uint64_t sent_bytes;        /* of the request, not reported yet */
	uint64_t sent_ns;           /* when the last of them came */
};

struct h2_streams {
	struct h2_stream *slot;     /* cap slots; a stream lies at or behind the slot of its id */
	uint32_t n, cap;            /* cap: 0 or a power of two */
	uint32_t early;             /* of n: answered before their request was seen */
};

/* NULL: there is none. Valid until a stream is added or taken away. */
struct h2_stream *h2_stream_find(const struct h2_streams *t, uint32_t id);
/* A new stream, zeroed but for its id and grpc_status; there must be none of that id. NULL: past the bound. */
struct h2_stream *h2_stream_add(struct h2_streams *t, struct proto_sink *s, uint32_t id);
void h2_stream_remove(struct h2_streams *t, struct h2_stream *st);
void h2_streams_clear(struct h2_streams *t, struct proto_sink *s);

#endif

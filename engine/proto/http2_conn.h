/* SPDX-License-Identifier: BSD-2-Clause */
/* http2_conn: the state of an HTTP/2 connection, shared by the files of http2. Nobody else includes it. */
#ifndef ROOTLE_PROTO_HTTP2_CONN_H
#define ROOTLE_PROTO_HTTP2_CONN_H

#include "proto/http2_frame.h"
#include "proto/http2_head.h"
#include "proto/http2_hpack.h"
#include "proto/http2_stream.h"

enum h2_step {
	H2_STEP_PREFACE = 0,
	H2_STEP_FRAME,
	H2_STEP_DATA,           /* inside the payload of DATA */
	H2_STEP_LOST,           /* where frames begin is not known */
};

struct h2_side {
	uint8_t step;
	bool in_block;          /* CONTINUATION must follow */
	bool pushed;            /* the block is a promise */
	bool broken;            /* the rest of the block cannot be read */
	bool ends;              /* the frame or block now ends its stream */
	uint8_t errors;         /* blocks that could not be read */
	uint32_t stream;        /* of the frame or block now */
	uint32_t left, pad;     /* of DATA: payload and padding still to come */
	uint32_t block_bytes, fragments;
	uint64_t block_ns;      /* first byte of the block */
	struct hpack hpack;
	struct h2_head head;
};

struct http2 {
	struct h2_side side[2];
	struct h2_streams streams;
	uint32_t last;          /* highest stream that the client has opened */
	bool begun, mid;
};

/* http2_request.c: what the frames mean for the streams. 0, or PROTO_BAD. */

/* The upgrade from HTTP/1.1: the request that waits is stream 1. */
int h2_upgraded(struct http2 *h, struct proto_sink *s);
/* The header block of a side is complete. */
int h2_block_end(struct http2 *h, enum proto_dir dir, uint64_t end_ns, struct proto_sink *s);
/* A frame of DATA is complete. */
void h2_data_end(struct http2 *h, enum proto_dir dir, uint64_t end_ns, struct proto_sink *s);
/* Takes what it can of `have` bytes of DATA of which `left` are to come: how many are done with, maybe more than `have`; 0: it
 * needs more. */
size_t h2_data_take(struct http2 *h, enum proto_dir dir, const uint8_t *p, size_t have, size_t left, struct proto_sink *s);
/* Bytes of the DATA now were not seen: its messages cannot be counted. */
void h2_data_lost(struct http2 *h, enum proto_dir dir);
void h2_reset(struct http2 *h, enum proto_dir dir, uint32_t id, uint32_t code, uint64_t ns, struct proto_sink *s);
/* The server will not look at streams above `last`. */
void h2_goaway(struct http2 *h, uint32_t last, uint64_t ns, struct proto_sink *s);
/* The connection ended: responses that have begun are not complete. */
void h2_cut_off(struct http2 *h, uint64_t ns, struct proto_sink *s);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow: one TCP connection as seen from outside: segments in, requests out.
 *
 * A flow puts segments in order by sequence number (lost, repeated, overlapping, reordered, seen from either end or from
 * both), infers the protocol, runs its parser over each direction, pairs responses with requests, and hands every
 * finished request to the caller.  It asks no clock and does no I/O.
 *
 * Memory: a flow holds a few hundred bytes while idle; bytes kept for reordering and for unfinished messages are bounded
 * by flow_limits, and all flows together by struct flow_pool.  Past a bound bytes are dropped, counted, and reported to the
 * parser as a gap.
 */
#ifndef ROOTLE_PROTO_FLOW_H
#define ROOTLE_PROTO_FLOW_H

#include "proto/proto.h"

struct request;
struct flow;

#define FLOW_WAITS 9               /* kinds of waits, PART_* of bpf/event.h; the flow only carries them */

/* What a thread has waited for, from its read of the socket until it wrote a segment. */
struct flow_waits {
	uint64_t read_ns, until_ns;   /* until_ns 0: not known */
	uint32_t wait[FLOW_WAITS], woken;
};

/* What all flows of one process share. The counters are the accounting of loss of this stage. */
struct flow_pool {
	size_t limit_bytes;        /* all flows' buffers and states together; in: set by the caller */
	size_t held_bytes;         /* now */
	uint64_t segments, bytes;  /* given to flow_segment() */
	uint64_t duplicates;       /* segments or parts seen before (retransmission, other end): not loss */
	uint64_t lost_bytes;       /* holes reported to a parser that it had not skipped */
	uint64_t lost_memory;      /* bytes dropped for want of memory (part of lost_bytes) */
	uint64_t requests;         /* handed to on_request */
	uint64_t unpaired;         /* responses without a request (joined in the middle, or after a gap) */
	uint64_t lost_requests;    /* requests that could not be paired because of a hole */
	uint64_t broken;           /* messages that a parser did not understand; what had come behind them is in lost_bytes */
	uint64_t given_up;         /* flows whose parsing was given up */
	bool raw;                  /* in: operations keep their values */
	bool no_ids;               /* in: nobody wants to know the ids that requests carry */
	/* Called for each finished request; the struct and its strings are valid during the call. */
	void (*on_request)(void *arg, struct flow *f, const struct request *r);
	/* The same for each TLS handshake that ended, well or not; NULL: not wanted. */
	void (*on_handshake)(void *arg, struct flow *f, const struct tls_handshake *h);
	void *arg;
};

/* One request and its response. Times are of the segments on the wire, CLOCK_MONOTONIC. */
struct request {
	enum proto_id proto;
	const char *op;            /* normalised, NUL-terminated, valid UTF-8 */
	int status;                /* protocol's own, 0 for none */
	enum req_error error;
	const char *detail;        /* SQLSTATE, error word; NULL for none */
	uint64_t begin_ns;         /* first byte of the request */
	uint64_t sent_ns;          /* last byte of the request */
	uint64_t first_ns;         /* first byte of the response; 0 where aborted before */
	uint64_t end_ns;           /* last byte of the response, or the time of the abort */
	uint64_t bytes_request, bytes_response, rows;
	bool no_latency;           /* end_ns - begin_ns is none: it waits by intent, or nobody answers */
	uint32_t client_tid;       /* thread that wrote the segment of the request's last byte; 0 unknown */
	uint32_t server_tid;       /* thread that wrote the segment of the response's last byte; 0 unknown */
	uint32_t server_read_tid;  /* thread that had read the socket before it wrote the response; 0 unknown */
	uint64_t server_read_ns;   /* and when; 0 unknown */
	uint64_t arrived_ns;       /* when the last byte of the request had come to the server's socket; 0 unknown */
	uint64_t read_ns;          /* server_read_ns where that is known to be the read of this request, else 0 */
	uint32_t end_seq;          /* one past the segment of the response's last byte */
	struct flow_waits waits;   /* of the thread, where the one that read wrote the response too, and had no other in hand */
	struct trace_ids ids;      /* that it carries; all 0 where the pool wants none */
};

/* A segment as the caller saw it. The bytes are valid during the call only. */
struct segment {
	enum proto_dir dir;
	uint64_t ts_ns;
	uint32_t seq;              /* of the first payload byte */
	uint32_t len;              /* payload bytes on the wire */
	const uint8_t *head;       /* first head_len bytes */
	uint32_t head_len;
	const uint8_t *tail;       /* last tail_len bytes, where the middle was not copied; head_len + tail_len <= len */
	uint32_t tail_len;
	bool fin;
	uint32_t tid;              /* writer; 0 unknown */
	uint32_t rd_tid;           /* last reader of the writing socket */
	uint32_t rd_seq;           /* which had read as far as here (0 unknown), */
	uint64_t rd_ts_ns;         /* then; 0: nothing yet */
	uint64_t arr_ns;           /* and when the last byte of that had come; 0 unknown */
	struct flow_waits waits;   /* of the writer since then */
};

/* server_port: of the side that accepted (weak prior). mid: the connection existed before we looked. NULL: no memory. */
struct flow *flow_new(struct flow_pool *pool, uint16_t server_port, bool mid);
void flow_free(struct flow *f);

/* The caller's own pointer, for on_request. */
void flow_set_user(struct flow *f, void *user);
void *flow_user(const struct flow *f);

void flow_segment(struct flow *f, const struct segment *s);
/* The connection ended (reset, close): unfinished requests come out as REQ_ABORTED. */
void flow_close(struct flow *f, uint64_t ts_ns);

enum proto_id flow_proto(const struct flow *f);
/* The roles had been guessed the wrong way round (joined in the middle; the bytes say so): the caller's FROM_CLIENT is
 * the server. Once true it stays; the flow turns the directions itself. */
bool flow_swapped(const struct flow *f);
/* No more bytes are wanted (given up, or encrypted): the caller may tell the kernel. */
bool flow_is_deaf(const struct flow *f);
/* Of cut segments more is wanted (proto_ops.whole). */
bool flow_wants_whole(const struct flow *f);
/* Is more than one request in flight? */
bool flow_is_crowded(const struct flow *f);
/* Requests sent and not answered yet, and when the oldest began (0: none); not those that wait by intent. */
uint32_t flow_inflight(const struct flow *f, uint64_t *oldest_ns);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* flow_private: what the files of flow share. Nobody else includes it. */
#ifndef ROOTLE_PROTO_FLOW_PRIVATE_H
#define ROOTLE_PROTO_FLOW_PRIVATE_H

#include "proto/flow.h"
#include "proto/pairing.h"
#include "proto/stream.h"

/* Bytes that a parser may leave, per direction: the head of a message must fit. */
#define KEEP_MAX (64 * 1024)
/* Of an undecided flow, per direction. */
#define KEEP_UNDECIDED 2048
/* A parser's own memory (tables of prepared statements), where its row does not say more. */
#define STATE_MAX (64 * 1024)

struct flow {
	struct proto_sink sink;         /* first: the parser's view of this struct */
	struct flow_pool *pool;
	void *user;
	const struct proto_ops *ops;    /* NULL: undecided, or deaf */
	void *state;
	struct stream dir[2];           /* by role, after turning */
	struct pairing queue;
	char *text;                     /* of an operation that nobody answers */
	uint32_t text_cap;
	size_t state_held;              /* bytes that the parser took through sink.realloc */
	uint64_t now_ns;                /* latest time seen */
	uint64_t first_ns;              /* first response byte since the last response */
	uint64_t read_ns;               /* the server's last read when it wrote that byte */
	uint64_t arrived_ns;            /* and when what it had read by then had come */
	uint32_t read_tid, read_seq;
	uint32_t asked_seq[2];          /* begin and end of the segments of the newest request */
	uint64_t said_ns;               /* end of the newest response */
	bool asked;                     /* asked_seq is known */
	uint64_t failed;                /* bit per proto_id: was tried, was not it */
	uint16_t server_port;
	uint32_t good, bad;             /* messages that the parser understood, and that it did not */
	uint8_t misses;                 /* beginnings that nobody recognised */
	bool mid, swapped, deaf, encrypted;
	bool piped;                     /* the client has sent a request before the previous one was answered */
	bool doubt;                     /* requests after a hole whose responses cannot be told from those of lost ones */
	bool switching;                 /* the parser has said PROTO_SWITCH */
};

/* flow_sink.c: what parsers report */
extern const struct proto_sink flow_sink;
void flow_emit(struct flow *f, const struct waiting *w, const struct proto_response *r);
/* The oldest n waiting requests are lost. */
void flow_forget(struct flow *f, uint32_t n);

/* flow_infer.c: the protocol that the bytes kept so far are, and whether the roles are the other way round; NULL: none.
 * *more: more bytes could tell. */
const struct proto_ops *flow_infer(const struct flow *f, bool *swapped, bool *more);

#endif

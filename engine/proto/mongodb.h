/* SPDX-License-Identifier: BSD-2-Clause */
/* mongodb: what the files of its parser share: messages (mongodb.c), what they say (mongodb_body.c). Nobody else includes it. */
#ifndef ROOTLE_PROTO_MONGODB_H
#define ROOTLE_PROTO_MONGODB_H

#include "proto/bson.h"
#include "proto/mongodb_names.h"
#include "proto/proto.h"

enum {
	MONGODB_OP_REPLY = 1, MONGODB_OP_UPDATE = 2001, MONGODB_OP_INSERT = 2002, MONGODB_OP_QUERY = 2004,
	MONGODB_OP_GET_MORE = 2005, MONGODB_OP_DELETE = 2006, MONGODB_OP_KILL_CURSORS = 2007, MONGODB_OP_COMPRESSED = 2012,
	MONGODB_OP_MSG = 2013,
};

enum { MONGODB_MORE_TO_COME = 1 << 1, MONGODB_EXHAUST_ALLOWED = 1 << 16 };

/* What a request's message says. */
struct mongodb_call {
	char op[128];
	size_t op_len;
	bool oneway, waits;
};

/* What a reply's message says. */
struct mongodb_result {
	int64_t code;
	enum req_error error;
	const char *detail;
	uint64_t rows;
	bool more_to_come;
	const uint8_t *batch;      /* the first document's element of a batch, where the bytes hold its beginning; NULL: none */
	size_t batch_n;            /* of all of the batch on the wire, its end included */
};

/* The message of an opcode without its header, of which n bytes are here. False where it says nothing that is known. */
bool mongodb_call_read(struct mongodb_call *c, uint32_t opcode, const uint8_t *p, size_t n, bool raw);
void mongodb_result_read(struct mongodb_result *r, uint32_t opcode, const uint8_t *p, size_t n);
/* The beginning of a compressed message (behind its header), at most cap bytes, into out: its length, or -1. */
ssize_t mongodb_unpack(uint8_t *out, size_t cap, uint32_t *opcode, const uint8_t *p, size_t n);
/* How sure the bytes of a direction are MongoDB, as proto_ops.infer(). */
int mongodb_infer(enum proto_dir dir, const uint8_t *p, size_t n);

#endif

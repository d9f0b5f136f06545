/* SPDX-License-Identifier: BSD-2-Clause */
/* amqp: what the files of AMQP 0-9-1 share: the state of a connection, a frame, and who reads which part of it. */
#ifndef ROOTLE_PROTO_AMQP_H
#define ROOTLE_PROTO_AMQP_H

#include "proto/amqp_names.h"
#include "proto/statements.h"

#define AMQP_OP_MAX 112

/* A message whose body has not passed: begun by a method, then a frame with its head, then those with its body. */
struct amqp_content {
	uint32_t method;           /* AMQP_METHOD(); 0: none is open */
	bool body;                 /* the head was there */
	uint64_t left;             /* of the body */
	uint64_t begin_ns, bytes;
	uint16_t status;           /* Basic.Return */
	bool redelivered;
	uint16_t op_len;
	char op[AMQP_OP_MAX];
	struct trace_ids ids;
};

struct amqp_channel {
	uint16_t id;
	bool confirms;             /* publications are answered, */
	uint64_t published;        /* by number: that of the last one, */
	uint64_t confirmed;        /* and all up to this one have been */
	struct amqp_content content[2];
};

struct amqp {
	bool lost[2];
	bool opaque;               /* of a version that is not read */
	bool passing[2];           /* a frame with a body passes, */
	uint16_t passing_id[2];    /* of this channel */
	struct amqp_channel *channels;
	uint32_t n, cap, oldest;
	struct statements consumers; /* channel and consumer tag -> "DELIVER queue"; the empty tag: the Consume that waits */
};

struct amqp_frame {
	uint8_t type;
	uint16_t channel;
	size_t size;               /* of all */
	const uint8_t *p;          /* payload, */
	size_t n;                  /* as much of it as there is */
};

/* Past the bound the oldest channel is forgotten; NULL: no memory. */
struct amqp_channel *amqp_channel(struct amqp *a, uint16_t id, struct proto_sink *s);
/* A method of dir, begun and ended with the frame. */
void amqp_method_read(struct amqp *a, enum proto_dir dir, const struct amqp_frame *f, const struct proto_bytes *b, struct proto_sink *s);
/* Of the table of headers among the properties of a content head, of n bytes that may be cut. */
void amqp_headers_read(struct trace_ids *ids, const uint8_t *p, size_t n);
/* The message of dir is complete with the bytes before end_ns. */
void amqp_content_end(struct amqp_channel *c, enum proto_dir dir, uint64_t end_ns, struct proto_sink *s);

#endif

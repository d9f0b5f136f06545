/* SPDX-License-Identifier: BSD-2-Clause */
/* redis: what the files of the Redis parser share: commands (redis.c), replies (redis_reply.c). Nobody else includes it. */
#ifndef ROOTLE_PROTO_REDIS_H
#define ROOTLE_PROTO_REDIS_H

#include "proto/proto.h"
#include "proto/redis_names.h"

#define REDIS_LINE_MAX (32 * 1024)
#define REDIS_NAME_MAX 32
#define REDIS_BULK_MAX (1ll << 40)
#define REDIS_ELEMENTS_MAX (1ll << 40)

/* Tags of requests: 0, or of (UN)SUBSCRIBE the number of its channels, each of which is confirmed on its own. */
#define REDIS_TAG_CHANNELS 0x7f
#define REDIS_TAG_UNSUBSCRIBE 0x80

struct redis {
	/* client */
	bool lost[2];
	bool open;                 /* a command is being read */
	bool opaque;               /* MONITOR, SYNC: the server talks on without being asked */
	bool subscribed;           /* RESP2: arrays may be messages */
	bool off;                  /* CLIENT REPLY OFF: nothing is answered */
	bool skip_next, skip;      /* CLIENT REPLY SKIP: the next command is not answered; this one is not */
	bool waits;                /* XREAD says BLOCK */
	uint8_t arg;               /* arguments read, the name included; stops at 15 */
	uint8_t argument;          /* of CLIENT REPLY: enum replies */
	uint8_t op_len;
	enum redis_kind kind;
	char op[2 * REDIS_NAME_MAX + 1];
	int64_t args;              /* bulk strings still to come */
	int64_t channels;          /* arguments behind the name */
	uint64_t c_begin, c_bytes;
	/* server */
	bool reply;                /* a reply is being read */
	bool push;                 /* it answers nothing */
	bool confirm;              /* it says that one channel is (un)subscribed */
	bool torn;                 /* it has a hole, and ends where a segment ends with a line */
	int64_t left;              /* elements still to come */
	uint64_t s_begin, s_bytes, rows;
	uint64_t group_begin, group_bytes;
	uint32_t group;            /* channels confirmed of the oldest request */
	uint32_t waiting;          /* requests that are not answered */
	enum req_error error;
	const char *detail;
};

/* A decimal line "<type><number>\r\n" at p: its length; 0 incomplete; PROTO_BAD. */
ssize_t redis_number(const uint8_t *p, size_t n, int64_t *v);

/* redis_reply.c: bytes of the server that begin a reply or go on with one, as proto_ops.parse(). */
ssize_t redis_replies(struct redis *r, const struct proto_bytes *b, struct proto_sink *s);
/* n bytes of replies are lost, as proto_ops.gap(). */
void redis_replies_gap(struct redis *r, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s);
/* How sure the bytes of a server are Redis, as proto_ops.infer(). */
int redis_infer_reply(const uint8_t *p, size_t n);

#endif

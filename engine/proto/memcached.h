/* SPDX-License-Identifier: BSD-2-Clause */
/* memcached: what the files of its parser share: the connection (memcached.c), the two protocols. Nobody else includes it. */
#ifndef ROOTLE_PROTO_MEMCACHED_H
#define ROOTLE_PROTO_MEMCACHED_H

#include "proto/proto.h"

#define MEMCACHED_LINE_MAX 2048
#define MEMCACHED_VALUE_MAX (1u << 30)

enum memcached_quiet { MEMCACHED_LOUD = 0, MEMCACHED_QUIET_GET, MEMCACHED_QUIET_CHANGE };

struct memcached {
	bool lost[2];
	bool known, binary;        /* which of the two protocols: one for the whole connection */
	bool opaque;               /* watch: the server talks on */
	/* client */
	bool open;                 /* the command's name and sizes are read, its end is not */
	bool line;                 /* and neither is the end of its line */
	bool oneway, waits;
	uint8_t tag;
	char op[80];
	uint8_t op_len;
	uint64_t c_begin, c_bytes;
	uint32_t quiet;            /* changes that wait and will hardly be answered */
	/* server */
	bool reply;                /* a reply is being read */
	bool torn;                 /* it has a hole; the end of its text will be seen */
	bool last;                 /* binary: the body now skipped is the reply's last */
	uint32_t waiting;          /* requests not answered */
	uint64_t s_begin, s_bytes, rows;
	int status;
	enum req_error error;
	const char *detail;
};

/* A request: r->op, tag, times and bytes; end_ns: of its last byte. */
void memcached_request(struct memcached *r, uint64_t end_ns, struct proto_sink *s);
/* The oldest request is answered with what r says. */
void memcached_answer(struct memcached *r, uint64_t end_ns, struct proto_sink *s);
/* The oldest was quiet, and something behind it is answered: it had nothing to say. */
bool memcached_silent(struct memcached *r, uint64_t at_ns, struct proto_sink *s);
/* The operation: the command's name; with the key where the user wants values. */
void memcached_op(struct memcached *r, const char *name, size_t n, const uint8_t *key, size_t key_n, struct proto_sink *s);
void memcached_reply_begin(struct memcached *r, uint64_t begin_ns);

/* The two protocols: as the functions of proto_ops, called where the direction is not lost. quiet: is a request with that
 * tag answered only where there is something to say? tag -1: no. */
int memcached_text_infer(enum proto_dir dir, const uint8_t *p, size_t n);
ssize_t memcached_text_client(struct memcached *r, const struct proto_bytes *b, struct proto_sink *s);
ssize_t memcached_text_server(struct memcached *r, const struct proto_bytes *b, struct proto_sink *s);
enum memcached_quiet memcached_text_quiet(int tag);
/* Does the tail of a reply end it? */
bool memcached_text_ends(const struct proto_bytes *b);

int memcached_binary_infer(enum proto_dir dir, const uint8_t *p, size_t n);
ssize_t memcached_binary_client(struct memcached *r, const struct proto_bytes *b, struct proto_sink *s);
ssize_t memcached_binary_server(struct memcached *r, const struct proto_bytes *b, struct proto_sink *s);
enum memcached_quiet memcached_binary_quiet(int tag);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proto: what a wire protocol is to rootle.  One file and one row of proto_table[] (proto.c) each.
 *
 * A protocol is a set of pure functions on bytes and a per-connection state of fixed size.  It never asks the time,
 * never touches a socket, and takes memory only through the bounded allocator it is handed.  It watches, so bytes may be
 * missing: it is told how many (gap), and it may itself declare bytes that it does not need to see (skip).
 *
 * Both directions of a connection share one state.  Direction is by role: FROM_CLIENT bytes hold requests,
 * FROM_SERVER bytes responses.
 */
#ifndef ROOTLE_PROTO_PROTO_H
#define ROOTLE_PROTO_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum proto_dir { FROM_CLIENT = 0, FROM_SERVER = 1 };

enum proto_id {            /* stored by name, never by number */
	PROTO_UNKNOWN = 0, /* not decided yet, or given up: a plain TCP edge */
	PROTO_HTTP,
	PROTO_POSTGRES,
	PROTO_REDIS,
	PROTO_TLS,         /* recognised as encrypted; no requests */
	PROTO_MAX
};

/* Bytes in order, without a hole. ts of the byte at offset i: i < fresh ? ts_old_ns : ts_new_ns (bytes kept from earlier
 * segments, and bytes of the segment that just came). */
struct proto_bytes {
	const uint8_t *p;
	size_t n;
	size_t fresh;
	uint64_t ts_old_ns, ts_new_ns;
};

enum req_error {           /* class of failure; stored by name */
	REQ_OK = 0,
	REQ_CLIENT_ERROR,  /* the request was wrong: HTTP 4xx, SQLSTATE 22/23/42, Redis -ERR wrong type */
	REQ_SERVER_ERROR,  /* the server failed: HTTP 5xx, SQLSTATE 53/57/58/XX, Redis -LOADING -OOM */
	REQ_ABORTED,       /* the connection closed before the response was complete */
};

/* How a parser reports what it found. `id` matches a response to its request where the protocol has ids; parsers of
 * ordered protocols pass 0 and responses match in order. */
struct proto_sink {
	/* A request is complete. op: normalised operation, no literals, not NUL-terminated. Where a protocol has requests
	 * that get no response of their own (Redis SUBSCRIBE pushes, PostgreSQL Terminate), they are not reported. */
	void (*request)(struct proto_sink *s, uint64_t id, const char *op, size_t op_len,
			uint64_t begin_ns, uint64_t end_ns, uint64_t bytes);
	/* A response is complete. status: protocol's own (HTTP code, 0 for none); detail: SQLSTATE, error word, or NULL. */
	void (*response)(struct proto_sink *s, uint64_t id, int status, enum req_error error, const char *detail,
			 uint64_t begin_ns, uint64_t end_ns, uint64_t bytes, uint64_t rows);
	/* Bounded memory for the state: like realloc; n == 0 frees; NULL past the connection's bound. */
	void *(*realloc)(struct proto_sink *s, void *p, size_t old, size_t n);
};

/* returned by parse() instead of a count */
#define PROTO_BAD (-1)          /* not this protocol, or broken beyond use */

struct proto_ops {
	enum proto_id id;
	const char *name;       /* as in ndjson: "http" "postgres" "redis" … */
	const uint16_t *ports;  /* weak prior, 0-terminated */
	size_t state_size;

	/* 0..100: how sure the first bytes of a direction are this protocol; 0 no, negative: too few bytes to tell.
	 * Never more than 50 for a guess that random bytes could pass. */
	int (*infer)(enum proto_dir dir, const uint8_t *p, size_t n);

	/* state is zeroed. mid: the connection was joined in the middle. */
	void (*init)(void *state, bool mid);
	void (*done)(void *state, struct proto_sink *s);

	/*
	 * Takes bytes of one direction. Returns how many it is done with: 0..n; the rest comes again with more behind it.
	 * More than n: the bytes behind are of no interest (a body): that many are skipped, seen or not, and parse() is
	 * called again when they have passed (perhaps with n == 0, so that it can say when a body ended; ts_new_ns is then
	 * the time of the last skipped byte). PROTO_BAD gives this connection up for this protocol.
	 */
	ssize_t (*parse)(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s);

	/*
	 * n bytes of dir that were not skipped are lost; the next parse() of dir begins behind them, perhaps in the middle
	 * of a message. tail: the last bytes before the end of the hole that were seen after all (may be 0 long). The
	 * parser resynchronises: it reports nothing it is not sure of. PROTO_BAD where it cannot.
	 */
	int (*gap)(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s);

	/* dir ended (FIN): a body that runs to the end of the connection is complete now. May be NULL. */
	void (*end)(void *state, enum proto_dir dir, uint64_t ts_ns, struct proto_sink *s);
};

/* All protocols, in the order in which inference asks them; terminated by NULL. */
extern const struct proto_ops *const proto_table[];

/* By id or by name; NULL where there is none. */
const struct proto_ops *proto_by_id(enum proto_id id);
const struct proto_ops *proto_by_name(const char *name);
/* Never NULL: "tcp" for PROTO_UNKNOWN. */
const char *proto_name(enum proto_id id);
const char *req_error_name(enum req_error e);   /* "ok" "client_error" "server_error" "aborted" */

#endif

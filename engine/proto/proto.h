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

#include "proto/trace_id.h"

enum proto_dir { FROM_CLIENT = 0, FROM_SERVER = 1 };

enum proto_id {            /* stored by name, never by number */
	PROTO_UNKNOWN = 0, /* not decided yet, or given up: a plain TCP edge */
	PROTO_HTTP,
	PROTO_POSTGRES,
	PROTO_REDIS,
	PROTO_TLS,         /* recognised as encrypted; no requests */
	PROTO_DNS,
	PROTO_QUIC,        /* recognised by its datagrams, which are encrypted; no requests, no row in the table */
	PROTO_HTTP2,
	PROTO_GRPC,        /* a kind of request on HTTP/2; no row */
	PROTO_MYSQL,
	PROTO_MEMCACHED,
	PROTO_MONGODB,
	PROTO_KAFKA,
	PROTO_CASSANDRA,
	PROTO_AMQP,
	PROTO_AMQP1,
	PROTO_NATS,
	PROTO_MQTT,
	PROTO_CLICKHOUSE,
	PROTO_ZOOKEEPER,
	PROTO_DUBBO2,
	PROTO_FOUNDATIONDB,
	PROTO_FASTCGI,
	PROTO_TDS,
	PROTO_LDAP,
	PROTO_SMTP,
	PROTO_MAX,
	PROTO_USER = 40,   /* the first of the user's own */
	PROTO_END = 64
};

/* Bytes in order, without a hole. ts of the byte at offset i: i < fresh ? ts_old_ns : ts_new_ns (bytes kept from earlier
 * segments, and bytes of the segment that just came). */
struct proto_bytes {
	const uint8_t *p;
	size_t n;
	size_t fresh;
	uint64_t ts_old_ns, ts_new_ns;
	bool start;        /* p is the first byte of a segment: where a lost parser may look for a message */
	bool cut;          /* a hole follows: no more bytes will come behind these, take what they give or leave it */
};

/* The time of the byte before offset `end`: when something that ends there was complete. */
static inline uint64_t proto_end_ns(const struct proto_bytes *b, size_t end)
{
	return end && end <= b->fresh ? b->ts_old_ns : b->ts_new_ns;
}

static inline uint64_t proto_begin_ns(const struct proto_bytes *b)
{
	return b->fresh ? b->ts_old_ns : b->ts_new_ns;
}

enum req_error {           /* class of failure; stored by name */
	REQ_OK = 0,
	REQ_CLIENT_ERROR,  /* the request was wrong: HTTP 4xx, SQLSTATE 22/23/42, Redis -ERR wrong type */
	REQ_SERVER_ERROR,  /* the server failed: HTTP 5xx, SQLSTATE 53/57/58/XX, Redis -LOADING -OOM */
	REQ_ABORTED,       /* the connection closed before the response was complete */
	REQ_CLASSES
};

/* A request as the parser found it. */
struct proto_request {
	uint64_t id;            /* matches a response to its request; 0 where responses come in order */
	enum proto_id proto;    /* where it is not the connection's: gRPC on HTTP/2; PROTO_UNKNOWN: the connection's */
	const char *op;         /* normalised operation, no literals, not NUL-terminated; NULL: a marker that takes its place
	                         * in the order (PostgreSQL Sync), and is never reported */
	size_t op_len;
	uint64_t begin_ns, end_ns, bytes;
	uint8_t tag;            /* the parser's own, for tag() */
	bool chained;           /* answered together with the one behind it (PostgreSQL Execute before Sync) */
	bool waits;             /* is answered when something happens (BLPOP, a long poll): its time is no latency */
	/* Nobody answers it: a publication, or a message that the server pushes (then it is reported while its direction is
	 * parsed). It is complete, from begin_ns to end_ns, and is handed on at once; no latency. The order of those that
	 * wait for a response does not know it, and grow() does not find it. */
	bool oneway;
	enum req_error error;   /* oneway only, and so are the next two */
	const char *detail;
	uint64_t rows;          /* messages */
	const struct trace_ids *ids;    /* that it carries; NULL: none */
};

struct proto_response {
	uint64_t id;
	int status;             /* protocol's own (HTTP code), 0 for none */
	enum req_error error;
	const char *detail;     /* SQLSTATE, error word, or NULL */
	uint64_t begin_ns, end_ns, bytes, rows;
	bool lasts;             /* it lasted as long as the client wanted: its time is no latency */
	const struct trace_ids *ids;    /* a server that made the id itself says so here; NULL: no */
};

struct tls_handshake;

/* What a parser is handed to report with. The requests that wait for their response are kept by the flow, so a parser of
 * an ordered protocol needs no queue of its own: it asks for the tag of the oldest. */
struct proto_sink {
	/* A request is complete, or known well enough. Requests that get no response of their own are not reported. */
	void (*request)(struct proto_sink *s, const struct proto_request *r);
	/* The request of the id, or the newest where id is 0, goes on (a body): it ended later and has so many more bytes. */
	void (*grow)(struct proto_sink *s, uint64_t id, uint64_t end_ns, uint64_t bytes);
	/* The request of the id has got a message of its response, and may get more when something happens (a stream of gRPC): until
	 * it ends it is none of those in flight. */
	void (*served)(struct proto_sink *s, uint64_t id);
	/* The oldest request (or that of the id) is answered. False: none is, those that there are were asked later than this ended;
	 * who answers several in a row stops there. */
	bool (*response)(struct proto_sink *s, const struct proto_response *r);
	/* The tag of the oldest request that waits for the response now parsed; -1: none. */
	int (*tag)(const struct proto_sink *s);
	/* Does a request of this id wait for its response? */
	bool (*has)(const struct proto_sink *s, uint64_t id);
	/* After a hole in the responses the next one is found: of the requests that began before it, all but the newest are
	 * lost, or all of them where keep is false or the client pipelines. Returns how many wait still. */
	uint32_t (*resync)(struct proto_sink *s, bool keep);
	/* A handshake is over, for better or worse (proto/tls.h). */
	void (*handshake)(struct proto_sink *s, const struct tls_handshake *h);
	/* Bounded memory for the state: like realloc; n == 0 frees; NULL past the connection's bound. */
	void *(*realloc)(struct proto_sink *s, void *p, size_t old, size_t n);
	enum proto_id next;     /* out, with PROTO_SWITCH: what is spoken from here on */
	bool turn;              /* out, from the server: what the client has said that was left goes before more of this direction */
	bool raw;               /* operations with their values: the user has asked for that */
};

/* returned by parse() and gap() instead of a count */
#define PROTO_BAD (-1)          /* not this protocol, or broken beyond use */
#define PROTO_ENCRYPTED (-2)    /* encrypted from here on; of another protocol than TLS: what is kept ends here, a ClientHello follows */
#define PROTO_AGAIN (-3)        /* parse() only: something ended with the byte before; nothing is taken, call again */
#define PROTO_SWITCH (-4)       /* parse() only: both directions speak sink->next from here on, of which nothing is taken yet; requests
				 * that wait are answered there, by their ids */
#define PROTO_OPAQUE ((ssize_t)1 << 62)  /* skip everything to come in this direction */

struct user_protocol;

struct proto_ops {
	enum proto_id id;
	const char *name;       /* as in ndjson: "http" "postgres" "redis" … */
	const uint16_t *ports;  /* weak prior, 0-terminated */
	size_t state_size;
	size_t state_max;       /* bytes that it may take through sink->realloc; 0: 64 KB */
	bool duplex;            /* each direction is parsed as it comes: there are no responses, or they name their request */
	bool whole;             /* messages follow each other within a segment: of cut segments more is wanted */
	const struct user_protocol *user;   /* the user's description (proto/user.h): the flow puts it first in the state, infer
	                         * is NULL; NULL: built in */
	bool strangers;         /* clients may be anybody: what they get wrong is not the service's error (HTTP 404) */

	/* 0..100: how sure the first bytes of a direction are this protocol; 0 no, negative: too few bytes to tell.
	 * Never more than 50 for a guess that random bytes could pass. */
	int (*infer)(enum proto_dir dir, const uint8_t *p, size_t n);

	/* state is zeroed. mid: the connection was joined in the middle. */
	void (*init)(void *state, bool mid);
	void (*done)(void *state, struct proto_sink *s);

	/*
	 * Takes bytes of one direction, one message at a time: returns how many it is done with, and is called again until
	 * it says 0; what it leaves comes again with more behind it. More than n: the bytes behind are of no interest (a
	 * body): that many are skipped, seen or not, and parse() is called when they have passed. It may be called with
	 * n == 0, so that it can say when a body ended. Responses are offered only while a request waits, or where time
	 * says that they precede the next one. PROTO_BAD gives this connection up for this protocol.
	 */
	ssize_t (*parse)(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s);

	/*
	 * n bytes of dir that were not skipped are lost, the bytes kept from before included. tail: the last of them, which
	 * were seen after all (may be 0 long); parse() goes on behind them. Returns how many bytes of the end of the tail
	 * parse() shall be given, 0..tail->n. The parser resynchronises; it reports nothing that it is not sure of.
	 */
	ssize_t (*gap)(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s);

	/* dir ended (FIN): a body that runs to the end of the connection is complete now. May be NULL. */
	void (*end)(void *state, enum proto_dir dir, uint64_t ts_ns, struct proto_sink *s);
};

/* All protocols, in the order in which inference asks them; terminated by NULL. */
extern const struct proto_ops *const proto_table[];

/* By id or by name, the user's own (proto/user.h) included; NULL where there is none. */
const struct proto_ops *proto_by_id(enum proto_id id);
const struct proto_ops *proto_by_name(const char *name);
/* Never NULL: "tcp" for PROTO_UNKNOWN. */
const char *proto_name(enum proto_id id);
const char *req_error_name(enum req_error e);   /* "ok" "client_error" "server_error" "aborted" */
/* By name; REQ_CLASSES: none is called so. */
enum req_error req_error_by_name(const char *name);

#endif

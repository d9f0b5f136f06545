/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ZooKeeper, the protocol of its clients (src/zookeeper.jute of Apache ZooKeeper, 3.4 to 3.9).
 *
 * An operation is its name and the path ("getData /config/{id}"); the session's begin is "connect".  Responses are matched by xid.
 * That exists() finds nothing is an answer, no error.  The error of a multi is that of the operation that failed.  A watch that
 * fires is "NOTIFY path", told by the server, its detail what happened.  Commands of four letters (ruok, stat), each a connection of its own,
 * and what the servers of an ensemble say to each other are not decoded.
 */
#include "proto/normalise.h"
#include "proto/protocols.h"
#include "proto/wire.h"
#include "proto/zookeeper_names.h"

#include <string.h>

#define MESSAGE_MAX (64u << 20)    /* jute.maxbuffer is 1 MB unless somebody raises it */
#define LOOK 1024                  /* as much of a message is looked at */
#define REQUEST_HEAD 8             /* xid, type */
#define RESPONSE_HEAD 16           /* xid, zxid, error */
#define CONNECT_SIZE 28            /* of a ConnectRequest, without the password */
#define CONNECTED_SIZE 20          /* of a ConnectResponse, likewise */
#define PASSWORD 16
#define TIMEOUT_MAX (24 * 3600 * 1000)
#define XID_WATCH (-1)
#define XID_PING (-2)
#define ID_CONNECT (1ull << 48)

/* What a response must be read for; part of the request's id. */
enum kind { PLAIN = 0, EXISTS, CHILDREN, MULTI, KINDS };

struct zookeeper {
	bool lost[2];
	bool begun;                /* the ConnectRequest has been there, or the connection was joined behind it */
	bool open[2];              /* a message passes */
	struct proto_request now;  /* its operation is op[] */
	struct proto_response answer;
	struct proto_request notice;
	bool is_notice;            /* what passes from the server is the notice */
	char op[160], notice_op[160];
};

static uint64_t id_of(int32_t xid, enum kind kind)
{
	return 1ull << 40 | (uint64_t)kind << 32 | (uint32_t)xid;
}

static enum kind kind_of(int32_t type)
{
	switch (type) {
	case ZK_EXISTS: return EXISTS;
	case ZK_GET_CHILDREN: case ZK_GET_CHILDREN2: case ZK_GET_EPHEMERALS: return CHILDREN;
	case ZK_MULTI: return MULTI;
	}
	return PLAIN;
}

/* A string at p: its length; -1 where it has none or does not end within n bytes. */
static int64_t string_length(const uint8_t *p, size_t n)
{
	return n < 4 || be32(p) > n - 4 ? -1 : (int64_t)be32(p);
}

/* A ConnectRequest, as far as can be seen: 1, 0, -1 more bytes will tell. */
static int is_connect(const uint8_t *p, size_t n)
{
	uint32_t len;

	if (n < 4 + CONNECT_SIZE)
		return n >= 4 && (be32(p) < CONNECT_SIZE || be32(p) > CONNECT_SIZE + PASSWORD + 1) ? 0 : -1;
	len = be32(p);
	if (be32(p + 4) || !be32(p + 16) || be32(p + 16) > TIMEOUT_MAX || be32(p + 28) > PASSWORD)
		return 0;
	return len == CONNECT_SIZE + be32(p + 28) || len == CONNECT_SIZE + be32(p + 28) + 1;
}

/* A ConnectResponse; its timeout is 0 where the session has expired. */
static int is_connected(const uint8_t *p, size_t n)
{
	uint32_t len;

	if (n < 4 + CONNECTED_SIZE)
		return n >= 4 && (be32(p) < CONNECTED_SIZE || be32(p) > CONNECTED_SIZE + PASSWORD + 1) ? 0 : -1;
	len = be32(p);
	if (be32(p + 4) || be32(p + 8) > TIMEOUT_MAX || be32(p + 20) != PASSWORD)
		return 0;
	return len == CONNECTED_SIZE + PASSWORD || len == CONNECTED_SIZE + PASSWORD + 1;
}

/* A request with a path, or a ping: 1, 0, -1 more bytes will tell. */
static int is_request(const uint8_t *p, size_t n)
{
	const struct zookeeper_op *o;
	uint32_t len;

	if (n < 4)
		return -1;
	len = be32(p);
	if (len < REQUEST_HEAD || len > MESSAGE_MAX)
		return 0;
	if (n < 4 + REQUEST_HEAD)
		return -1;
	o = zookeeper_op((int32_t)be32(p + 8));
	if (!o)
		return 0;
	if (o->type == ZK_PING || o->type == ZK_CLOSE)
		return len == REQUEST_HEAD && (o->type == ZK_CLOSE || (int32_t)be32(p + 4) == XID_PING);
	if (!o->path)
		return len > REQUEST_HEAD;
	if (n < 4 + REQUEST_HEAD + 5)
		return len < REQUEST_HEAD + 5 ? 0 : -1;
	return be32(p + 12) <= len - REQUEST_HEAD - 4 && be32(p + 12) && p[16] == '/';
}

static size_t op_write(char *op, size_t cap, const char *verb, const uint8_t *p, size_t n, bool raw)
{
	size_t k = strlen(verb);
	int64_t len = string_length(p, n);

	memcpy(op, verb, k + 1);
	if (len <= 0)
		return k;
	op[k++] = ' ';
	return k + normalise_name(op + k, cap - k, (const char *)p + 4, (size_t)len, raw);
}

/* The size of the message at b->p once as much of it is there as is looked at; 0; PROTO_BAD. */
static ssize_t message_size(const struct proto_bytes *b, uint32_t least)
{
	size_t size;

	if (b->n < 4)
		return 0;
	if (be32(b->p) < least || be32(b->p) > MESSAGE_MAX)
		return PROTO_BAD;
	size = 4 + (size_t)be32(b->p);
	if (b->n < (size < LOOK ? size : LOOK) && (!b->cut || b->n < 4 + (size_t)least))
		return 0;
	return (ssize_t)size;
}

/* Bytes of the message that are read: never more, so that it does not matter how it is split. */
static size_t looked_at(const struct proto_bytes *b, ssize_t size)
{
	size_t n = (size_t)size < LOOK ? (size_t)size : LOOK;

	return b->n < n ? b->n : n;
}

static ssize_t connect_read(struct zookeeper *z, const struct proto_bytes *b)
{
	ssize_t size = message_size(b, CONNECT_SIZE);

	if (size <= 0)
		return size;
	if (is_connect(b->p, b->n) <= 0)
		return PROTO_BAD;
	memcpy(z->op, "connect", 7);
	z->now = (struct proto_request){.id = ID_CONNECT, .op_len = 7, .begin_ns = proto_begin_ns(b), .bytes = (uint64_t)size};
	z->open[FROM_CLIENT] = z->begun = true;
	return size;
}

static ssize_t zookeeper_client(struct zookeeper *z, const struct proto_bytes *b, struct proto_sink *s)
{
	const struct zookeeper_op *o;
	int begins = z->begun ? 0 : is_connect(b->p, b->n);
	ssize_t size;
	size_t n;

	if (begins > 0)
		return connect_read(z, b);
	if (begins < 0)
		return 0;
	z->begun = true;
	size = message_size(b, REQUEST_HEAD);
	if (size <= 0)
		return size;
	o = zookeeper_op((int32_t)be32(b->p + 8));
	if (!o)
		return PROTO_BAD;
	n = looked_at(b, size) - 4 - REQUEST_HEAD;
	z->now = (struct proto_request){.id = id_of((int32_t)be32(b->p + 4), kind_of(o->type)), .begin_ns = proto_begin_ns(b),
					.bytes = (uint64_t)size};
	z->now.op_len = op_write(z->op, sizeof(z->op), o->name, b->p + 4 + REQUEST_HEAD, o->path ? n : 0, s->raw);
	z->open[FROM_CLIENT] = true;
	return size;
}

/* The results of a multi that failed are errors, each with its code: that of the one that failed, and for the others that it was
 * undone (0) or not tried (-2). */
static int32_t multi_error(const uint8_t *p, size_t n)
{
	int32_t code;

	for (; n >= 13 && (int32_t)be32(p) == -1 && !p[4]; p += 13, n -= 13) {
		code = (int32_t)be32(p + 9);
		if (code && code != -2)
			return code;
	}
	return 0;
}

/* The request that a response answers; KINDS: none. */
static enum kind asked(int32_t xid, struct proto_sink *s)
{
	enum kind k = PLAIN;

	while (k < KINDS && !s->has(s, id_of(xid, k)))
		k++;
	return k;
}

static void response_read(struct zookeeper *z, const struct proto_bytes *b, enum kind kind, ssize_t size)
{
	int32_t code = (int32_t)be32(b->p + 16);
	size_t n = looked_at(b, size) - 4 - RESPONSE_HEAD;
	const uint8_t *p = b->p + 4 + RESPONSE_HEAD;

	if (kind == MULTI && !code)
		code = multi_error(p, n);
	z->answer = (struct proto_response){.id = id_of((int32_t)be32(b->p + 4), kind), .status = code,
					    .error = zookeeper_error_class(code), .detail = zookeeper_error_name(code),
					    .begin_ns = proto_begin_ns(b), .bytes = (uint64_t)size};
	if (kind == EXISTS && code == -101)
		z->answer.error = REQ_OK;
	if (kind == CHILDREN && !code && n >= 4 && be32(p) <= MESSAGE_MAX)
		z->answer.rows = be32(p);
}

/* A watch has fired: what happened, the state of the session, the path. */
static void notice_read(struct zookeeper *z, const struct proto_bytes *b, ssize_t size, struct proto_sink *s)
{
	size_t n = looked_at(b, size) - 4 - RESPONSE_HEAD;
	const uint8_t *p = b->p + 4 + RESPONSE_HEAD;

	z->notice = (struct proto_request){.begin_ns = proto_begin_ns(b), .bytes = (uint64_t)size, .oneway = true, .rows = 1};
	z->notice.op_len = op_write(z->notice_op, sizeof(z->notice_op), "NOTIFY", p + 8, n < 8 ? 0 : n - 8, s->raw);
	if (n >= 8)
		z->notice.detail = zookeeper_event_name((int32_t)be32(p));
}

static ssize_t connected_read(struct zookeeper *z, const struct proto_bytes *b)
{
	ssize_t size = message_size(b, CONNECTED_SIZE);

	if (size <= 0)
		return size;
	if (is_connected(b->p, b->n) <= 0)
		return PROTO_BAD;
	z->answer = (struct proto_response){.id = ID_CONNECT, .begin_ns = proto_begin_ns(b), .bytes = (uint64_t)size};
	if (!be32(b->p + 8)) {
		z->answer.error = REQ_SERVER_ERROR;
		z->answer.status = -112;
		z->answer.detail = zookeeper_error_name(-112);
	}
	z->open[FROM_SERVER] = true;
	z->is_notice = false;
	return size;
}

static ssize_t zookeeper_server(struct zookeeper *z, const struct proto_bytes *b, struct proto_sink *s)
{
	enum kind kind;
	ssize_t size;
	int32_t xid;

	if (s->has(s, ID_CONNECT))
		return connected_read(z, b);
	size = message_size(b, RESPONSE_HEAD);
	if (size <= 0)
		return size;
	xid = (int32_t)be32(b->p + 4);
	z->is_notice = xid == XID_WATCH;
	kind = asked(xid, s);
	if (z->is_notice)
		notice_read(z, b, size, s);
	else if (kind != KINDS)
		response_read(z, b, kind, size);
	z->open[FROM_SERVER] = z->is_notice || kind != KINDS;
	return size;
}

/* A message has passed. */
static void passed(struct zookeeper *z, enum proto_dir dir, uint64_t end_ns, struct proto_sink *s)
{
	z->open[dir] = false;
	if (dir == FROM_CLIENT) {
		z->now.op = z->op;
		z->now.end_ns = end_ns;
		s->request(s, &z->now);
	} else if (z->is_notice) {
		z->notice.op = z->notice_op;
		z->notice.end_ns = end_ns;
		s->request(s, &z->notice);
	} else {
		z->answer.end_ns = end_ns;
		if (s->has(s, z->answer.id))
			s->response(s, &z->answer);
	}
}

/* A lost direction is found again where a segment begins with a message that is told by what it holds. */
static bool is_found(enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	int32_t xid;

	if (!b->start)
		return false;
	if (dir == FROM_CLIENT)
		return is_request(b->p, b->n) > 0 || is_connect(b->p, b->n) > 0;
	if (b->n < 4 + RESPONSE_HEAD || be32(b->p) < RESPONSE_HEAD || be32(b->p) > MESSAGE_MAX)
		return false;
	xid = (int32_t)be32(b->p + 4);
	return asked(xid, s) != KINDS || (xid == XID_WATCH && (int64_t)be64(b->p + 8) == -1);
}

static ssize_t zookeeper_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct zookeeper *z = state;

	if (z->open[dir]) {
		passed(z, dir, proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	if (!b->n)
		return 0;
	if (z->lost[dir]) {
		if (!is_found(dir, b, s))
			return (ssize_t)b->n;
		z->lost[dir] = false;
	}
	return dir == FROM_CLIENT ? zookeeper_client(z, b, s) : zookeeper_server(z, b, s);
}

static ssize_t zookeeper_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct zookeeper *z = state;

	z->lost[dir] = true;
	z->open[dir] = false;
	if (dir == FROM_CLIENT)
		z->begun = true;
	else
		s->resync(s, false);
	return 0;
}

static void zookeeper_init(void *state, bool mid)
{
	struct zookeeper *z = state;

	z->lost[0] = z->lost[1] = mid;
}

static void zookeeper_done(void *state, struct proto_sink *s)
{
}

static int infer_server(const uint8_t *p, size_t n)
{
	int r = is_connected(p, n);

	if (r > 0)
		return 90;
	if (n < 4 + RESPONSE_HEAD)
		return n >= 4 && (be32(p) < RESPONSE_HEAD || be32(p) > MESSAGE_MAX) ? 0 : -1;
	if (be32(p) == RESPONSE_HEAD && (int32_t)be32(p + 4) == XID_PING && !be32(p + 16))
		return 80;
	return r < 0 ? -1 : 0;
}

static int zookeeper_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	int connect = is_connect(p, n), request;

	if (dir == FROM_SERVER)
		return infer_server(p, n);
	if (connect > 0)
		return 95;
	request = is_request(p, n);
	if (request > 0)
		return zookeeper_op((int32_t)be32(p + 8))->path || be32(p) == REQUEST_HEAD ? 80 : 30;
	return connect < 0 || request < 0 ? -1 : 0;
}

static const uint16_t zookeeper_ports[] = {2181, 0};

const struct proto_ops proto_zookeeper = {
	.id = PROTO_ZOOKEEPER,
	.name = "zookeeper",
	.ports = zookeeper_ports,
	.state_size = sizeof(struct zookeeper),
	.duplex = true,
	.whole = true,
	.infer = zookeeper_infer,
	.init = zookeeper_init,
	.done = zookeeper_done,
	.parse = zookeeper_parse,
	.gap = zookeeper_gap,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MongoDB's wire protocol (https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/): OP_MSG, OP_COMPRESSED with
 * snappy, zlib or zstd, and the messages of old, which drivers still begin with.
 *
 * An operation is the command and its collection ("find items", "getMore items"); fields, filters and documents are not read.
 * Rows are the documents of a batch, or n; of a batch with a hole, or of a compressed one of more than UNPACKED_MAX bytes,
 * those that were seen.  A failed write (writeErrors, writeConcernError) is an error though its ok is 1.  What asks for no
 * reply is one-way.  A hello that waits for a change and a getMore that waits for documents have no latency; replies that a
 * server goes on streaming (exhaust) are not counted.  Checksums are not verified.
 */
#include "proto/mongodb.h"
#include "proto/protocols.h"
#include "proto/wire.h"

#include <string.h>

#define HEAD 16
#define MESSAGE_MAX (48000000u + 16 * 1024)
/* So much of a message is looked at. */
#define CALL_READ 1024
#define RESULT_READ 1024
#define PACKED_READ (32 * 1024)
#define UNPACKED_MAX (16 * 1024)
/* Of an element of an array: its type, its number as text, the length of the document. */
#define ELEMENT_HEAD 32
#define ID(n) ((uint64_t)1 << 32 | (n))

struct mongodb {
	bool lost[2];
	/* client */
	bool open;                 /* a request's message is passing */
	struct mongodb_call call;
	uint64_t c_begin, c_bytes;
	uint32_t c_id;
	/* server */
	bool reply;
	bool stream;               /* the last reply said that another follows, to it */
	bool streamed;             /* and this is that */
	uint32_t stream_id;        /* the reply's own id */
	uint32_t s_id;             /* the request that is answered */
	uint32_t left;             /* bytes of the message still to come */
	uint32_t batch;            /* of those, the documents of a batch */
	uint64_t s_begin, s_bytes;
	struct mongodb_result result;
};

static void mongodb_init(void *state, bool mid)
{
	struct mongodb *m = state;

	m->lost[0] = m->lost[1] = mid;
}

static void mongodb_done(void *state, struct proto_sink *s)
{
}

/* The header and so much of the message as is looked at: 1, 0 more bytes, PROTO_BAD. *n: bytes of it that are here. */
static int message_head(enum proto_dir dir, const struct proto_bytes *b, size_t *n)
{
	uint32_t len, opcode;
	size_t want;

	if (b->n < HEAD)
		return 0;
	len = le32(b->p);
	opcode = le32(b->p + 12);
	if (len < HEAD + 5 || len > MESSAGE_MAX || !mongodb_infer(dir, b->p, b->n))
		return PROTO_BAD;
	want = opcode == MONGODB_OP_COMPRESSED ? PACKED_READ : dir == FROM_CLIENT ? CALL_READ : RESULT_READ;
	if (want > len)
		want = len;
	if (b->n < want && !b->cut)
		return 0;
	*n = b->n < want ? b->n : want;
	return 1;
}

static void request_push(struct mongodb *m, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_request q = {.id = ID(m->c_id), .op = m->call.op, .op_len = m->call.op_len, .begin_ns = m->c_begin, .end_ns = end_ns,
				  .bytes = m->c_bytes, .oneway = m->call.oneway, .waits = m->call.waits};

	m->open = false;
	s->request(s, &q);
}

static void call_read(struct mongodb *m, const uint8_t *p, size_t n, struct proto_sink *s)
{
	static const char unknown[] = "(unknown command)", packed[] = "(compressed)";
	uint32_t opcode = le32(p + 12);
	uint8_t out[CALL_READ];
	ssize_t len;

	p += HEAD;
	n -= HEAD;
	if (opcode == MONGODB_OP_COMPRESSED) {
		len = mongodb_unpack(out, sizeof(out), &opcode, p, n);
		if (len > 0 && mongodb_call_read(&m->call, opcode, out, (size_t)len, s->raw))
			return;
		memset(&m->call, 0, sizeof(m->call));
		memcpy(m->call.op, packed, sizeof(packed));
		m->call.op_len = sizeof(packed) - 1;
		return;
	}
	if (mongodb_call_read(&m->call, opcode, p, n, s->raw))
		return;
	memcpy(m->call.op, unknown, sizeof(unknown));
	m->call.op_len = sizeof(unknown) - 1;
}

static ssize_t mongodb_client(struct mongodb *m, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t n = 0;
	int r;

	if (m->open)
		request_push(m, proto_end_ns(b, 0), s);
	r = message_head(FROM_CLIENT, b, &n);
	if (r <= 0)
		return r;
	call_read(m, b->p, n, s);
	m->open = true;
	m->c_begin = proto_begin_ns(b);
	m->c_bytes = le32(b->p);
	m->c_id = le32(b->p + 4);
	return (ssize_t)m->c_bytes;
}

static void respond(struct mongodb *m, uint64_t end_ns, struct proto_sink *s)
{
	const struct mongodb_result *r = &m->result;
	struct proto_response q = {.id = ID(m->s_id), .status = (int)r->code, .error = r->error, .detail = r->detail,
				   .begin_ns = m->s_begin, .end_ns = end_ns, .bytes = m->s_bytes, .rows = r->rows};

	m->reply = false;
	if (!m->streamed)
		s->response(s, &q);
}

/* One document of a batch that did not fit into what was looked at. */
static ssize_t batch_element(struct mongodb *m, const struct proto_bytes *b)
{
	struct bson d = {b->p, b->p + b->n};
	struct bson_element e;
	size_t n;

	if (!b->n)
		return 0;
	if (bson_next(&d, &e)) {
		n = (size_t)(e.value - b->p) + e.total;
		m->result.rows++;
	} else if (b->p[0] && b->n < ELEMENT_HEAD && b->n < m->batch && !b->cut) {
		return 0;
	} else {
		n = m->batch;   /* its end, or no element: what is left is skipped */
	}
	if (n > m->batch)
		n = m->batch;
	m->batch -= (uint32_t)n;
	m->left -= (uint32_t)n;
	return (ssize_t)n;
}

static void result_read(struct mongodb *m, const uint8_t *p, size_t n)
{
	uint32_t opcode = le32(p + 12);
	uint8_t out[UNPACKED_MAX];
	ssize_t len;

	if (opcode != MONGODB_OP_COMPRESSED) {
		mongodb_result_read(&m->result, opcode, p + HEAD, n - HEAD);
		return;
	}
	len = mongodb_unpack(out, sizeof(out), &opcode, p + HEAD, n - HEAD);
	mongodb_result_read(&m->result, opcode, out, len > 0 ? (size_t)len : 0);
	m->result.batch = NULL;
}

/* The message up to its batch, where it has one that goes on behind what was looked at; else all of it. */
static ssize_t reply_begin(struct mongodb *m, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t n = 0, taken;
	int r = message_head(FROM_SERVER, b, &n);

	if (r <= 0)
		return r;
	result_read(m, b->p, n);
	m->reply = true;
	m->s_begin = proto_begin_ns(b);
	m->s_bytes = m->left = le32(b->p);
	m->s_id = le32(b->p + 8);
	m->streamed = m->stream && m->s_id == m->stream_id;
	m->stream = m->result.more_to_come;
	m->stream_id = le32(b->p + 4);
	taken = m->left;
	m->batch = 0;
	if (m->result.batch) {
		size_t at = (size_t)(m->result.batch - b->p);

		if (m->result.batch_n > n - at && at + m->result.batch_n <= m->left) {
			m->batch = (uint32_t)m->result.batch_n;
			m->result.rows = 0;
			taken = at;
		}
	}
	m->result.batch = NULL;
	m->left -= (uint32_t)taken;
	return (ssize_t)taken;
}

static ssize_t mongodb_server(struct mongodb *m, const struct proto_bytes *b, struct proto_sink *s)
{
	uint32_t left;

	if (!m->reply)
		return b->n ? reply_begin(m, b, s) : 0;
	if (m->batch)
		return batch_element(m, b);
	if (m->left) {
		left = m->left;
		m->left = 0;
		return left;
	}
	respond(m, proto_end_ns(b, 0), s);
	return PROTO_AGAIN;
}

static ssize_t mongodb_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct mongodb *m = state;

	if (m->lost[dir]) {
		int sure = b->start && b->n ? mongodb_infer(dir, b->p, b->n) : 0;

		if (sure <= 0)
			return sure ? 0 : (ssize_t)b->n;
		m->lost[dir] = false;
		if (dir == FROM_SERVER)
			s->resync(s, true);
	}
	return dir == FROM_CLIENT ? mongodb_client(m, b, s) : mongodb_server(m, b, s);
}

/* A hole among the documents of a reply: the length of the message leads over it. */
static ssize_t batch_gap(struct mongodb *m, uint64_t n, const struct proto_bytes *tail)
{
	uint64_t behind;

	m->batch = 0;
	if (n <= m->left) {
		m->left -= (uint32_t)n;
		return 0;
	}
	behind = n - m->left;
	if (behind > tail->n)
		return -1;
	m->left = 0;
	return (ssize_t)behind;
}

static ssize_t mongodb_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct mongodb *m = state;
	ssize_t r = dir == FROM_SERVER && m->reply && !m->lost[dir] ? batch_gap(m, n, tail) : -1;

	if (r >= 0)
		return r;
	m->lost[dir] = true;
	if (dir == FROM_CLIENT)
		m->open = false;
	else
		m->reply = false;
	return 0;
}

static const uint16_t mongodb_ports[] = {27017, 27018, 27019, 0};

const struct proto_ops proto_mongodb = {
	.id = PROTO_MONGODB,
	.name = "mongodb",
	.ports = mongodb_ports,
	.state_size = sizeof(struct mongodb),
	.whole = true,
	.infer = mongodb_infer,
	.init = mongodb_init,
	.done = mongodb_done,
	.parse = mongodb_parse,
	.gap = mongodb_gap,
};

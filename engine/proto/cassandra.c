/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cassandra's native protocol, versions 3 to 5 (doc/native_protocol_v{3,4,5}.spec of Apache Cassandra).
 *
 * An operation is the statement without its values; of a batch its first one.  Requests and responses are matched by stream.
 * What an id of EXECUTE stands for is known where its PREPARE was seen on the same connection.  Events are nobody's.  Rows are
 * those of a page of RESULT.  Unprepared is an answer that drivers act upon, so it is no error.  In version 5 frames with
 * checksums lie around the messages once STARTUP is answered; of a frame that LZ4 has compressed the first UNPACKED_MAX bytes
 * are read, and messages behind them are not counted.  Of a long statement STATEMENT_READ bytes are read.
 */
#include "proto/cassandra.h"
#include "proto/protocols.h"
#include "proto/unpack.h"

#include <string.h>

#define STATEMENT_READ 8192
#define RESULT_READ 4096
#define PACKED_READ (60 * 1024)
#define UNPACKED_MAX (64 * 1024)
#define FRAME_TAIL 4
#define ID(stream) ((uint64_t)1 << 32 | (stream))

struct way {                       /* one direction */
	bool lost;
	bool framed;               /* version 5, behind STARTUP */
	bool in_frame;             /* in a frame's payload */
	bool open;                 /* a message is passing */
	uint32_t payload;          /* bytes of the frame's payload still to come */
	uint32_t left;             /* bytes of the message still to come, before compression */
	uint64_t begin, bytes;     /* of the message */
	struct cql_head head;
};

struct cassandra {
	struct way way[2];
	char compression;          /* 'l', 's', 0 */
	struct statements prepared;  /* by id */
	struct statements asked;     /* PREPAREs that are not answered, by stream */
	size_t op_len;
	char op[CASSANDRA_OP_MAX];
	struct trace_ids ids;        /* in the statement */
	struct cql_result result;
};

static void cassandra_init(void *state, bool mid)
{
	struct cassandra *c = state;

	c->way[0].lost = c->way[1].lost = mid;
}

static void cassandra_done(void *state, struct proto_sink *s)
{
	struct cassandra *c = state;

	statements_done(&c->prepared, s);
	statements_done(&c->asked, s);
}

static void request_read(struct cassandra *c, struct cql_bytes body, struct proto_sink *s)
{
	const struct cql_head *h = &c->way[FROM_CLIENT].head;

	if (h->opcode == CQL_STARTUP)
		c->compression = cql_compression(body);
	c->op_len = cql_operation(c->op, h, body, &c->prepared, s->raw);
	c->ids = (struct trace_ids){0};
	if (h->opcode == CQL_QUERY || h->opcode == CQL_PREPARE || h->opcode == CQL_BATCH)
		trace_ids_sql(&c->ids, (const char *)body.p, body.n);
	if (h->opcode == CQL_PREPARE && c->op_len > 8)
		statements_put(&c->asked, h->stream, c->op + 8, c->op_len - 8, s);
}

static void response_read(struct cassandra *c, struct cql_bytes body, struct proto_sink *s)
{
	const struct cql_head *h = &c->way[FROM_SERVER].head;
	const struct cql_bytes *id = &c->result.prepared;
	const char *op;

	cql_result_read(&c->result, h, body);
	op = statements_get(&c->asked, h->stream);
	if (!op)
		return;
	if (id->n)
		statements_put(&c->prepared, statement_key((const char *)id->p, id->n), op, strlen(op), s);
	statements_drop(&c->asked, h->stream, s);
}

/* The content of a message, as far as it is here. */
static void message_read(struct cassandra *c, enum proto_dir dir, struct cql_bytes body, struct proto_sink *s)
{
	const struct cql_head *h = &c->way[dir].head;
	uint8_t out[STATEMENT_READ];
	ssize_t n;

	/* in version 5 frames are compressed, not messages */
	if (h->flags & CQL_FLAG_COMPRESSED && h->version < 5) {
		n = cql_unpack(out, sizeof(out), c->compression, body);
		body = (struct cql_bytes){out, n > 0 ? (size_t)n : 0};
	}
	if (dir == FROM_CLIENT)
		request_read(c, body, s);
	else
		response_read(c, body, s);
}

static void message_end(struct cassandra *c, enum proto_dir dir, uint64_t end_ns, struct proto_sink *s)
{
	struct way *w = &c->way[dir];
	struct proto_request q = {.id = ID(w->head.stream), .op = c->op, .op_len = c->op_len, .begin_ns = w->begin, .end_ns = end_ns,
				  .bytes = w->bytes, .ids = &c->ids};
	struct proto_response r = {.id = ID(w->head.stream), .status = c->result.code, .error = c->result.error,
				   .detail = c->result.detail, .begin_ns = w->begin, .end_ns = end_ns, .bytes = w->bytes,
				   .rows = c->result.rows};
	uint8_t op = w->head.opcode;

	w->open = false;
	if (dir == FROM_CLIENT)
		s->request(s, &q);
	else if (op != CQL_EVENT)
		s->response(s, &r);
	if (w->head.version == 5 && (op == CQL_STARTUP || op == CQL_READY || op == CQL_AUTHENTICATE))
		w->framed = true;
}

static size_t content_read(enum proto_dir dir, const struct cql_head *h)
{
	size_t most = h->flags & CQL_FLAG_COMPRESSED ? PACKED_READ : dir == FROM_CLIENT ? STATEMENT_READ : RESULT_READ;

	return h->length < most ? h->length : most;
}

/* A message that begins at p; n bytes of it can be here at most, all_n are. What it took, 0 for more, PROTO_BAD. */
static ssize_t message_begin(struct cassandra *c, enum proto_dir dir, const struct proto_bytes *b, size_t most,
			     struct proto_sink *s)
{
	struct way *w = &c->way[dir];
	size_t here = b->n < most ? b->n : most, want;

	if (here < CASSANDRA_HEAD)
		return here == most ? PROTO_BAD : 0;
	if (!cql_head_read(&w->head, dir, b->p))
		return PROTO_BAD;
	want = CASSANDRA_HEAD + content_read(dir, &w->head);
	if (want > most)
		want = most;
	if (here < want && !b->cut)
		return 0;
	if (here > want)
		here = want;
	message_read(c, dir, (struct cql_bytes){b->p + CASSANDRA_HEAD, here - CASSANDRA_HEAD}, s);
	w->open = true;
	w->begin = proto_begin_ns(b);
	w->bytes = w->left = CASSANDRA_HEAD + w->head.length;
	return 1;
}

/* Messages without frames. */
static ssize_t plain_bytes(struct cassandra *c, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct way *w = &c->way[dir];
	ssize_t r;

	if (w->open) {
		message_end(c, dir, proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	r = b->n ? message_begin(c, dir, b, SIZE_MAX, s) : 0;
	return r <= 0 ? r : (ssize_t)w->left;
}

/* All that is compressed in one frame. */
static void unpacked_bytes(struct cassandra *c, enum proto_dir dir, const uint8_t *p, size_t n, const struct proto_bytes *of,
			   size_t end, struct proto_sink *s)
{
	struct way *w = &c->way[dir];
	struct proto_bytes b = *of;

	b.cut = true;
	while (n) {
		b.p = p;
		b.n = n;
		if (!w->open && (n < CASSANDRA_HEAD || message_begin(c, dir, &b, n, s) <= 0))
			return;
		if (w->left > n) {
			w->left -= (uint32_t)n;
			return;
		}
		p += w->left;
		n -= w->left;
		w->left = 0;
		message_end(c, dir, proto_end_ns(of, end), s);
	}
}

/* A frame that LZ4 has compressed: taken as a whole, or passed over where it is too long. */
static ssize_t packed_frame(struct cassandra *c, enum proto_dir dir, const struct cql_frame *f, const struct proto_bytes *b,
			    struct proto_sink *s)
{
	struct way *w = &c->way[dir];
	size_t total = (size_t)f->head + f->payload + FRAME_TAIL;
	uint8_t out[UNPACKED_MAX];
	ssize_t n;

	if (w->open && w->left > f->unpacked) {
		w->left -= f->unpacked;
		return (ssize_t)total;
	}
	if (f->payload > PACKED_READ || b->cut) {
		w->lost = true;
		return (ssize_t)total;
	}
	if (b->n < total)
		return 0;
	n = unpack_lz4(out, f->unpacked < sizeof(out) ? f->unpacked : sizeof(out), b->p + f->head, f->payload);
	if (n <= 0)
		return PROTO_BAD;
	unpacked_bytes(c, dir, out, (size_t)n, b, total, s);
	if (w->open && w->left && f->unpacked > (size_t)n)
		w->left -= w->left < f->unpacked - (uint32_t)n ? w->left : f->unpacked - (uint32_t)n;
	return (ssize_t)total;
}

static ssize_t frame_begin(struct cassandra *c, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct way *w = &c->way[dir];
	struct cql_frame f;
	int r = cql_frame_read(&f, c->compression == 'l', b->p, b->n);

	if (r <= 0)
		return r ? PROTO_BAD : 0;
	if (f.unpacked)
		return packed_frame(c, dir, &f, b, s);
	w->in_frame = true;
	w->payload = f.payload;
	return f.head;
}

/* Of the message that passes, what lies in this frame; of the frame, its end. */
static ssize_t frame_bytes(struct cassandra *c, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct way *w = &c->way[dir];
	uint32_t n;
	ssize_t r;

	if (w->open && !w->left) {
		message_end(c, dir, proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	if (!w->in_frame)
		return b->n ? frame_begin(c, dir, b, s) : 0;
	if (!w->payload) {
		w->in_frame = false;
		return FRAME_TAIL;
	}
	if (!w->open) {
		r = b->n ? message_begin(c, dir, b, w->payload, s) : 0;
		if (r <= 0)
			return r;
	}
	n = w->left < w->payload ? w->left : w->payload;
	w->left -= n;
	w->payload -= n;
	return n;
}

/* A lost direction is found again where a segment begins with a message or a frame: 1; 0 not here, -1 more bytes. */
static int way_found(struct cassandra *c, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct way *w = &c->way[dir];
	int sure = b->start && b->n ? cassandra_infer(dir, b->p, b->n) : 0;
	struct cql_head h;
	struct cql_frame f;

	if (sure <= 0)
		return sure;
	memset(w, 0, sizeof(*w));
	w->framed = !cql_head_read(&h, dir, b->p);
	if (w->framed && cql_frame_read(&f, c->compression == 'l', b->p, b->n) < 0)
		c->compression = c->compression == 'l' ? 0 : 'l';
	if (dir == FROM_SERVER)
		s->resync(s, true);
	return 1;
}

static ssize_t cassandra_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct cassandra *c = state;

	if (c->way[dir].lost) {
		int found = way_found(c, dir, b, s);

		if (found <= 0)
			return found ? 0 : (ssize_t)b->n;
	}
	return c->way[dir].framed ? frame_bytes(c, dir, b, s) : plain_bytes(c, dir, b, s);
}

static ssize_t cassandra_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct cassandra *c = state;

	c->way[dir].lost = true;
	c->way[dir].open = false;
	return 0;
}

static const uint16_t cassandra_ports[] = {9042, 9142, 0};

const struct proto_ops proto_cassandra = {
	.id = PROTO_CASSANDRA,
	.name = "cassandra",
	.ports = cassandra_ports,
	.state_size = sizeof(struct cassandra),
	.whole = true,
	.infer = cassandra_infer,
	.init = cassandra_init,
	.done = cassandra_done,
	.parse = cassandra_parse,
	.gap = cassandra_gap,
};

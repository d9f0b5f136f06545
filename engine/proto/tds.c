/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TDS 7.2 to 7.4, what SQL Server speaks ([MS-TDS]: Tabular Data Stream Protocol).
 *
 * One request per message: a batch is its SQL, sp_executesql and sp_prepexec are the statement that they carry, sp_execute the
 * statement of its handle ("(prepared statement)" where that was not seen), other procedures "EXEC name"; of several calls in one
 * message the first is the operation.  status is the number of the first error, detail a word for it.  A cancel (attention) is
 * "CANCEL"; a login that is refused is "CONNECT", one that succeeds is none.
 *
 * Departures: of a statement the part in the message's first packet is read.  A response is read from its end (tds_tokens.c): rows are
 * those that the last statements of a message say, and an error that many rows follow has no number.  A login is skipped where it is
 * encrypted, and where all is, the connection is TLS.  TDS 8 begins with TLS.  Several sessions on one connection (MARS) are opaque.
 */
#include "proto/protocols.h"
#include "proto/tds.h"
#include "proto/wire.h"

#include <string.h>

#define STATUS_END 1
#define READ_MAX 8192
#define ENCRYPT_OPTION 1
#define TLS_HANDSHAKE 0x16
#define TLS_DATA 0x17
#define SMP 0x53

enum { TAG_REQUEST = 0, TAG_PREPARES };

struct tds {
	bool lost[2];
	bool inside[2];         /* packets of the message before go on */
	bool starting;          /* the connection is being made */
	bool encrypts;          /* everything, not only the login */
	bool multiplexed, silent;
	struct statements statements;   /* by their handles; of the one that waits for its handle under no handle's key */
	uint64_t start_begin, start_end, start_bytes;
	uint64_t s_begin, s_bytes;
};

#define PENDING (UINT64_MAX)

static void tds_init(void *state, bool mid)
{
	struct tds *t = state;

	t->lost[0] = t->lost[1] = mid;
	t->starting = !mid;
}

static void tds_done(void *state, struct proto_sink *s)
{
	struct tds *t = state;

	statements_done(&t->statements, s);
}

static void start_note(struct tds *t, const struct proto_bytes *b, size_t total)
{
	if (!t->start_begin)
		t->start_begin = proto_begin_ns(b);
	t->start_end = proto_end_ns(b, total);
	t->start_bytes += total;
}

/* A record of TLS outside of any packet: the login, or all that follows. */
static ssize_t record_skip(struct tds *t, enum proto_dir dir, const struct proto_bytes *b)
{
	if (t->encrypts)
		return PROTO_ENCRYPTED;
	if (b->n < 5)
		return 0;
	if (!t->starting || b->p[1] != 3 || be16(b->p + 3) > 18 * 1024)
		return PROTO_BAD;
	if (dir == FROM_CLIENT)
		start_note(t, b, 5u + be16(b->p + 3));
	return 5 + be16(b->p + 3);
}

static void client_request(struct tds *t, const struct proto_bytes *b, size_t len, size_t n, struct proto_sink *s)
{
	struct tds_request q;
	struct proto_request r = {.begin_ns = proto_begin_ns(b), .end_ns = proto_end_ns(b, len), .bytes = len};

	tds_request_read(&q, b->p[0], b->p + TDS_HEAD, n, &t->statements, s);
	t->starting = false;
	r.op = q.op;
	r.op_len = q.op_len;
	r.ids = &q.ids;
	r.tag = q.prepares ? TAG_PREPARES : TAG_REQUEST;
	s->request(s, &r);
	if (q.prepares)
		statements_put(&t->statements, PENDING, q.statement, q.statement_len, s);
}

static void client_attention(const struct proto_bytes *b, size_t len, struct proto_sink *s)
{
	struct proto_request r = {.op = "CANCEL", .op_len = 6, .begin_ns = proto_begin_ns(b), .end_ns = proto_end_ns(b, len),
				  .bytes = len, .oneway = true};

	s->request(s, &r);
}

static ssize_t client_packet(struct tds *t, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t len = be16(b->p + 2), n = b->n < len ? b->n : len, want = len < TDS_HEAD + READ_MAX ? len : TDS_HEAD + READ_MAX;
	bool inside = t->inside[FROM_CLIENT];

	switch (b->p[0]) {
	case TDS_BATCH: case TDS_RPC: case TDS_TRANSACTION: case TDS_BULK:
		if (b->n < want && !b->cut)
			return 0;
		if (inside)
			s->grow(s, 0, proto_end_ns(b, len), len);
		else
			client_request(t, b, len, (n < want ? n : want) - TDS_HEAD, s);
		break;
	case TDS_ATTENTION:
		client_attention(b, len, s);
		t->inside[FROM_CLIENT] = false;
		return (ssize_t)len;
	default:
		start_note(t, b, len);
	}
	t->inside[FROM_CLIENT] = !(b->p[1] & STATUS_END);
	return (ssize_t)len;
}

/* The answer to the first packet: does the server want all to be encrypted? */
static bool prelogin_encrypts(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 5 <= n && p[i] != 0xff; i += 5)
		if (p[i] == ENCRYPT_OPTION && (size_t)be16(p + i + 1) < n)
			return p[be16(p + i + 1)] == 1 || p[be16(p + i + 1)] == 3;
	return false;
}

static void respond(struct tds *t, const struct tds_end *e, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_response r = {.begin_ns = t->s_begin, .end_ns = end_ns, .bytes = t->s_bytes, .rows = e->rows};

	if (e->error || e->failed) {
		r.status = (int)(e->error & INT32_MAX);
		r.detail = tds_error(e->error, e->severity, &r.error);
		r.rows = 0;
	} else if (e->cancelled) {
		r.error = REQ_SERVER_ERROR;
		r.detail = "cancelled";
	}
	s->response(s, &r);
}

/* The whole message has passed, its last packet at p. */
static void server_message(struct tds *t, const uint8_t *p, size_t n, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_request connect = {.op = "CONNECT", .op_len = 7, .begin_ns = t->start_begin, .end_ns = t->start_end,
					.bytes = t->start_bytes};
	struct tds_end e;
	const char *op = statements_get(&t->statements, PENDING);
	char copy[TDS_OP_MAX];
	int tag = s->tag(s);

	tds_end_read(&e, p, n);
	if (t->starting && tag < 0) {
		if (!n || (p[0] == 0 && !e.error)) {
			t->encrypts = prelogin_encrypts(p, n);
		} else if (e.error && t->start_begin) {
			s->request(s, &connect);
			respond(t, &e, end_ns, s);
		}
		return;
	}
	if (tag < 0)
		return;
	if (tag == TAG_PREPARES && op) {
		size_t len = strnlen(op, sizeof(copy));

		memcpy(copy, op, len);
		if (e.has_handle)
			statements_put(&t->statements, e.handle, copy, len, s);
		statements_drop(&t->statements, PENDING, s);
	}
	respond(t, &e, end_ns, s);
}

static ssize_t server_packet(struct tds *t, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t len = be16(b->p + 2);
	bool last = b->p[1] & STATUS_END;

	if (last && b->n < len)
		return 0;
	if (!t->inside[FROM_SERVER]) {
		t->s_begin = proto_begin_ns(b);
		t->s_bytes = 0;
	}
	t->s_bytes += len;
	t->inside[FROM_SERVER] = !last;
	if (last)
		server_message(t, b->p + TDS_HEAD, len - TDS_HEAD, proto_end_ns(b, len), s);
	return (ssize_t)len;
}

static ssize_t packet(struct tds *t, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	if (t->multiplexed)
		return PROTO_OPAQUE;
	if (!b->n)
		return 0;
	if (b->p[0] == TLS_DATA || b->p[0] == TLS_HANDSHAKE || b->p[0] == 0x14 || b->p[0] == 0x15)
		return record_skip(t, dir, b);
	if (b->p[0] == SMP && !t->inside[dir]) {
		t->multiplexed = true;
		return PROTO_OPAQUE;
	}
	if (b->n < TDS_HEAD)
		return 0;
	/* the server wraps its side of the handshake as the client does */
	if (dir == FROM_SERVER && b->p[0] == TDS_PRELOGIN && t->starting && be16(b->p + 2) >= TDS_HEAD)
		return be16(b->p + 2);
	if (!tds_is_head(dir, b->p, b->n))
		return PROTO_BAD;
	return dir == FROM_CLIENT ? client_packet(t, b, s) : server_packet(t, b, s);
}

/* A lost direction is found where a segment begins with a packet: of the client the first of a message. */
static ssize_t packet_lost(struct tds *t, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	bool head = b->start && tds_is_head(dir, b->p, b->n);

	if (!head || (dir == FROM_CLIENT && b->p[6] > 1) || (dir == FROM_SERVER && s->tag(s) < 0))
		return (ssize_t)b->n;
	t->lost[dir] = false;
	t->inside[dir] = false;
	if (dir == FROM_SERVER)
		s->resync(s, true);
	return packet(t, dir, b, s);
}

static ssize_t tds_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct tds *t = state;

	return t->lost[dir] ? packet_lost(t, dir, b, s) : packet(t, dir, b, s);
}

/* The tail of what is lost may be the end of the message that was waited for. */
static ssize_t tds_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct tds *t = state;
	struct tds_end e;

	t->starting = false;
	t->lost[dir] = true;
	if (dir == FROM_CLIENT) {
		statements_drop(&t->statements, PENDING, s);
		return 0;
	}
	if (!t->inside[dir])
		t->s_begin = 0;
	t->s_bytes += n;
	if (s->tag(s) < 0 || !tds_end_read(&e, tail->p, tail->n))
		return 0;
	s->resync(s, true);
	if (!t->s_begin)
		t->s_begin = proto_begin_ns(tail);
	if (s->tag(s) >= 0)
		respond(t, &e, proto_end_ns(tail, tail->n), s);
	return 0;
}

static const uint16_t tds_ports[] = {1433, 0};

const struct proto_ops proto_tds = {
	.id = PROTO_TDS,
	.name = "tds",
	.ports = tds_ports,
	.state_size = sizeof(struct tds),
	.whole = true,
	.infer = tds_infer,
	.init = tds_init,
	.done = tds_done,
	.parse = tds_parse,
	.gap = tds_gap,
};

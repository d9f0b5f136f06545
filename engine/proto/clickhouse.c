/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ClickHouse, native protocol (https://clickhouse.com/docs/en/native-protocol; src/Core/ProtocolDefines.h for its revisions), 54401
 * to 54484.
 *
 * One request per query; its rows are those of the result, or those that were written.  status is the number of an exception, detail
 * its name.  "CANCEL" has no answer; a Hello that is refused is a request "CONNECT", one that succeeds is none.
 *
 * Departures: what a client sends behind a query until the answer ends is data.  Compressed blocks are skipped by their frames; one
 * of a mebibyte or more may have others behind it.  Of uncompressed blocks columns are skipped by their types; behind one that
 * clickhouse_column.c does not know (Map, Tuple, arrays of arrays) an answer ends with the last byte before the next query: its rows
 * are not known, nor whether it failed in between.  Chunked packets (54470, off by default) are opaque.  Settings are binary before
 * 54429, in a form that only ClickHouse knows of each: their end is looked for.
 */
#include "proto/clickhouse.h"
#include "proto/clickhouse_names.h"
#include "proto/normalise.h"
#include "proto/protocols.h"
#include "proto/wire.h"

#include <string.h>

#define OP_MAX 1024
#define QUERY_READ 8192
#define HELLO_MAX 4096
#define SETTINGS_MAX 1000
#define SETTINGS_BYTES_MAX 8192
#define FRAME_HEAD 25           /* a checksum, the method, two lengths */
#define FRAME_FULL (1u << 20)
#define COLUMNS_MAX 100000
#define END_OF_STREAM 5

/* the revisions from which on something is said */
enum { REV_PATCH = 54401, REV_WRITTEN = 54420, REV_SETTINGS = 54429, REV_SECRET = 54441, REV_TELEMETRY = 54442, REV_DEPTH = 54448, REV_START_TIME = 54449,
       REV_REPLICAS = 54453, REV_SERIALIZATION = 54454, REV_ADDENDUM = 54458, REV_ELAPSED = 54460, REV_TOTAL_BYTES = 54463,
       REV_AGGREGATION = 54469, REV_CHUNKED = 54470, REV_PARALLEL = 54471, REV_ROLES = 54472, REV_LINES = 54475, REV_JWT = 54476,
       REV_COMPRESSED_EVENTS = 54481 };

enum client_step { CLIENT_HELLO = 0, CLIENT_ADDENDUM, CLIENT_READY, CLIENT_LOST, CLIENT_OPAQUE };
enum server_step { SERVER_HELLO = 0, SERVER_PACKET, SERVER_FRAME, SERVER_FRAME_NEXT, SERVER_COLUMN, SERVER_VALUES, SERVER_LOST };

struct clickhouse {
	uint8_t client, server;
	bool busy;              /* a query is being answered */
	bool compressed;        /* the blocks of its answer */
	uint8_t last_byte;      /* of the server's, where its packets are lost */
	unsigned revision;      /* of the client, then of both; 0 unknown */
	uint64_t start_begin, start_end, start_bytes;
	uint64_t columns, block_rows;
	struct ch_column column;
	uint64_t rows, written;
	uint64_t s_begin, s_bytes, s_last;
};

struct query {
	const char *text;
	size_t n, whole;        /* bytes of it that are here, and that it has */
	size_t end;             /* where it ends in the packet */
	bool compressed;
	unsigned revision;
};

static bool is_printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)s[i] < ' ' && s[i] != '\n' && s[i] != '\t' && s[i] != '\r')
			return false;
	return true;
}

static bool string_fits(struct ch_reader *r, size_t most)
{
	size_t n;
	const char *s = ch_string(r, &n);

	if (s && (n > most || !is_printable(s, n)))
		r->bad = true;
	return s && !r->bad;
}

/* Names, versions and the revision that both sides begin with. */
static unsigned hello_read(struct ch_reader *r)
{
	uint64_t major, minor, revision;
	size_t n;
	const char *name;

	if (ch_number(r))
		r->bad = true;
	name = ch_string(r, &n);
	if (name && (!n || n > 128 || !is_printable(name, n)))
		r->bad = true;
	major = ch_number(r);
	minor = ch_number(r);
	revision = ch_number(r);
	if (!r->more && (major > 1000 || minor > 1000 || revision < 50000 || revision > 60000))
		r->bad = true;
	return (unsigned)revision;
}

/* Who asks: up to the revision of the client, and what the newer ones add. */
static void info_read(struct ch_reader *r, struct query *q)
{
	uint8_t kind = ch_byte(r), interface;
	unsigned known = q->revision;

	if (kind > 2)
		r->bad = true;
	if (!kind)
		return;
	string_fits(r, 4096);
	string_fits(r, 256);
	string_fits(r, 256);
	if (!known || known >= REV_START_TIME)
		ch_skip(r, 8);
	interface = ch_byte(r);
	if (!r->more && interface != 1) {
		r->bad = true;
		return;
	}
	for (int i = 0; i < 3; i++)
		string_fits(r, 4096);
	ch_number(r);
	ch_number(r);
	known = (unsigned)ch_number(r);
	if (!q->revision)
		q->revision = known;
	string_fits(r, 4096);
	if (q->revision >= REV_DEPTH)
		ch_number(r);
	ch_number(r);
	if (q->revision >= REV_TELEMETRY && ch_byte(r)) {
		ch_skip(r, 24);
		string_fits(r, 4096);
		ch_byte(r);
	}
	for (int i = 0; q->revision >= REV_REPLICAS && i < 3; i++)
		ch_number(r);
	for (int i = 0; q->revision >= REV_LINES && i < 2; i++)
		ch_number(r);
	if (q->revision >= REV_JWT && ch_byte(r))
		string_fits(r, 65536);
}

static void settings_skip(struct ch_reader *r)
{
	size_t n;

	for (int i = 0; i < SETTINGS_MAX; i++) {
		if (!ch_string(r, &n) || !n)
			return;
		ch_number(r);
		ch_string(r, &n);
	}
	r->bad = true;
}

/* An empty name ends the settings; the stage, whether blocks are compressed, and the text follow. */
static bool is_settings_end(struct ch_reader r)
{
	uint64_t stage, compression, len;
	size_t n;

	if (ch_byte(&r))
		return false;
	stage = ch_number(&r);
	compression = ch_number(&r);
	len = ch_number(&r);
	if (r.more || r.bad || stage > 4 || compression > 1 || len < 4 || len > 1u << 30)
		return false;
	n = r.n - r.at < len ? r.n - r.at : (size_t)len;
	return n >= 4 && is_printable((const char *)r.p + r.at, n < 64 ? n : 64);
}

static void settings_find_end(struct ch_reader *r)
{
	struct ch_reader at = *r;

	if (r->more || r->bad)
		return;
	for (; at.at < at.n && at.at - r->at < SETTINGS_BYTES_MAX; at.at++)
		if (is_settings_end(at)) {
			r->at = at.at + 1;
			return;
		}
	r->more = at.at == at.n;
	r->bad = !r->more;
}

/* A Query packet as far as its text: 1, 0 more bytes are needed, -1 it is none. */
static int query_read(struct query *q, const uint8_t *p, size_t n, unsigned revision)
{
	struct ch_reader r = {.p = p, .n = n};
	uint64_t stage, compression, len;

	*q = (struct query){.revision = revision};
	if (ch_number(&r) != 1)
		return -1;
	string_fits(&r, 256);
	info_read(&r, q);
	if (!r.more && q->revision < REV_PATCH)
		return -1;
	if (q->revision < REV_SETTINGS)
		settings_find_end(&r);
	else
		settings_skip(&r);
	if (q->revision >= REV_ROLES)
		string_fits(&r, 4096);
	if (q->revision >= REV_SECRET)
		ch_string(&r, &q->n);
	stage = ch_number(&r);
	compression = ch_number(&r);
	len = ch_number(&r);
	if (r.bad || (!r.more && (stage > 8 || compression > 1 || len > 1u << 30)))
		return -1;
	if (r.more)
		return 0;
	q->text = (const char *)p + r.at;
	q->n = len < n - r.at ? (size_t)len : n - r.at;
	q->whole = (size_t)len;
	q->end = r.at + (size_t)len;
	q->compressed = compression;
	if (!is_printable(q->text, q->n < 16 ? q->n : 16))
		return -1;
	return q->n == q->whole || q->n >= QUERY_READ;
}

static int infer_hello(const uint8_t *p, size_t n, bool server)
{
	struct ch_reader r = {.p = p, .n = n};
	unsigned revision = hello_read(&r);

	if (r.bad || (n > 1 && (!p[1] || p[1] > 128)))
		return 0;
	if (n > 2 && !is_printable((const char *)p + 2, n - 2 < p[1] ? n - 2 : p[1]))
		return 0;
	return r.more ? (n < 160 ? -1 : 0) : revision && (!server || n < 12 || !memcmp(p + 2, "ClickHouse", 10)) ? 95 : 0;
}

static int clickhouse_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	struct query q;

	if (!n)
		return -1;
	if (!p[0])
		return infer_hello(p, n, dir == FROM_SERVER);
	if (dir == FROM_SERVER)
		return p[0] == 2 && n > 20 && p[5] < 40 && !memcmp(p + 6, "DB::", 4) ? 90 : 0;
	if (p[0] != 1 || (n > 1 && p[1] && p[1] != 36))
		return 0;
	switch (query_read(&q, p, n, 0)) {
	case 1: return q.whole ? 85 : 0;
	case 0: return n < 1024 ? -1 : 0;
	}
	return 0;
}

static void clickhouse_init(void *state, bool mid)
{
	struct clickhouse *c = state;

	if (!mid)
		return;
	c->client = CLIENT_LOST;
	c->server = SERVER_PACKET;
}

static void clickhouse_done(void *state, struct proto_sink *s)
{
}

static void respond(struct clickhouse *c, int code, uint64_t end_ns, struct proto_sink *s)
{
	static const int server[] = {
		159 /* timeout */, 160 /* too slow */, 164 /* read-only */, 202 /* too many queries */, 209, 210 /* network */,
		225 /* no ZooKeeper */, 241 /* memory */, 242 /* table read-only */, 243 /* space */, 252 /* too many parts */,
		279 /* connections */, 285 /* too few replicas */, 319 /* unknown status of insert */, 394 /* cancelled */,
		439 /* threads */, 999 /* ZooKeeper */, 1001 /* of the library */, 1002,
	};
	struct proto_response r = {.status = code, .begin_ns = c->s_begin ? c->s_begin : end_ns, .end_ns = end_ns, .bytes = c->s_bytes};

	r.rows = code ? 0 : c->rows ? c->rows : c->written;
	if (code) {
		r.error = REQ_CLIENT_ERROR;
		r.detail = clickhouse_error_name(code);
		for (size_t i = 0; i < sizeof(server) / sizeof(*server); i++)
			if (server[i] == code)
				r.error = REQ_SERVER_ERROR;
	}
	s->response(s, &r);
	c->busy = false;
	c->server = SERVER_PACKET;
	c->rows = c->written = c->s_begin = c->s_bytes = 0;
}

/* An answer whose packets could not be followed ended with the last byte, where that ends a stream. */
static void respond_lost(struct clickhouse *c, struct proto_sink *s)
{
	if (c->busy && c->server == SERVER_LOST && c->s_last && c->last_byte == END_OF_STREAM && s->tag(s) >= 0) {
		c->rows = c->written = 0;
		respond(c, 0, c->s_last, s);
	}
}

static void client_request(struct clickhouse *c, const char *op, size_t n, const struct trace_ids *ids, const struct proto_bytes *b,
			   size_t total, struct proto_sink *s)
{
	struct proto_request r = {.op = op, .op_len = n, .begin_ns = proto_begin_ns(b), .end_ns = proto_end_ns(b, total),
				  .bytes = total, .ids = ids};

	respond_lost(c, s);
	s->request(s, &r);
	c->busy = true;
	c->server = SERVER_PACKET;
	c->rows = c->written = c->s_begin = c->s_bytes = c->s_last = 0;
}

static ssize_t client_hello(struct clickhouse *c, const struct proto_bytes *b)
{
	struct ch_reader r = {.p = b->p, .n = b->n};
	unsigned revision = hello_read(&r);

	for (int i = 0; i < 3; i++)
		string_fits(&r, HELLO_MAX);
	if (r.bad || b->n > HELLO_MAX)
		return PROTO_BAD;
	if (r.more)
		return 0;
	c->revision = revision;
	c->client = CLIENT_ADDENDUM;
	c->start_begin = proto_begin_ns(b);
	c->start_end = proto_end_ns(b, r.at);
	c->start_bytes = r.at;
	return (ssize_t)r.at;
}

/* What newer clients say once they know that the server is newer too. */
static ssize_t client_addendum(struct clickhouse *c, const struct proto_bytes *b)
{
	struct ch_reader r = {.p = b->p, .n = b->n};
	bool chunked = false;
	const char *s;
	size_t n;

	if (c->revision >= REV_ADDENDUM)
		string_fits(&r, HELLO_MAX);
	for (int i = 0; c->revision >= REV_CHUNKED && i < 2; i++) {
		s = ch_string(&r, &n);
		chunked = chunked || (s && n == 7 && !memcmp(s, "chunked", 7));
	}
	if (c->revision >= REV_PARALLEL)
		ch_number(&r);
	if (r.bad || b->n > 64 * 1024)
		return PROTO_BAD;
	if (r.more)
		return 0;
	c->client = chunked ? CLIENT_OPAQUE : CLIENT_READY;
	return r.at ? (ssize_t)r.at : PROTO_AGAIN;
}

static ssize_t client_query(struct clickhouse *c, const struct proto_bytes *b, struct proto_sink *s)
{
	char op[OP_MAX];
	struct trace_ids ids = {0};
	struct query q;
	int r = query_read(&q, b->p, b->n, c->revision);
	size_t n;

	if (r < 0)
		return PROTO_BAD;
	if (!r && !(b->cut && q.text))
		return b->n < 60 * 1024 ? 0 : PROTO_BAD;
	c->revision = q.revision;
	c->compressed = q.compressed;
	n = normalise_sql(op, sizeof(op), SQL_CLICKHOUSE, q.text, q.n < QUERY_READ ? q.n : QUERY_READ, s->raw);
	trace_ids_sql(&ids, q.text, q.n < QUERY_READ ? q.n : QUERY_READ);
	client_request(c, op, n, &ids, b, q.end, s);
	return (ssize_t)q.end;
}

/* Behind a query: its data, or that nobody wants its answer any more. */
static ssize_t client_data(struct clickhouse *c, const struct proto_bytes *b, struct proto_sink *s)
{
	struct proto_request cancel = {.op = "CANCEL", .op_len = 6, .begin_ns = proto_begin_ns(b), .end_ns = proto_end_ns(b, b->n),
				       .bytes = 1, .oneway = true};

	if (b->start && b->n == 1 && b->p[0] == 3)
		s->request(s, &cancel);
	else
		s->grow(s, 0, proto_end_ns(b, b->n), b->n);
	/* what answers is what comes behind the data */
	c->s_begin = 0;
	return (ssize_t)b->n;
}

static ssize_t client_ready(struct clickhouse *c, const struct proto_bytes *b, struct proto_sink *s)
{
	struct query q;
	int query;

	if (!b->n)
		return 0;
	if (c->busy && c->server == SERVER_LOST && b->start && b->p[0] == 1) {
		query = query_read(&q, b->p, b->n, c->revision);
		if (query > 0)
			return client_query(c, b, s);
		if (!query && b->n < HELLO_MAX)
			return 0;
	}
	if (c->busy)
		return client_data(c, b, s);
	switch (b->p[0]) {
	case 1:
		return client_query(c, b, s);
	case 4:
		client_request(c, "PING", 4, NULL, b, 1, s);
		return 1;
	case 2: case 3:         /* late: the answer has ended */
		return (ssize_t)b->n;
	}
	return PROTO_BAD;
}

static ssize_t clickhouse_client(struct clickhouse *c, const struct proto_bytes *b, struct proto_sink *s)
{
	struct query q;

	switch (c->client) {
	case CLIENT_HELLO:
		return b->n ? client_hello(c, b) : 0;
	case CLIENT_ADDENDUM:
		return b->n ? client_addendum(c, b) : 0;
	case CLIENT_LOST:
		if (!b->start || query_read(&q, b->p, b->n, c->revision) <= 0)
			return (ssize_t)b->n;
		c->client = CLIENT_READY;
		s->resync(s, false);
		return client_query(c, b, s);
	case CLIENT_READY:
		return client_ready(c, b, s);
	}
	return PROTO_OPAQUE;
}

/* An exception and those that it comes of: the number of the first. */
static int exception_read(struct ch_reader *r)
{
	int code = 0;
	size_t n;

	for (int i = 0; i < 16; i++) {
		uint32_t number = 0;

		for (int k = 0; k < 4; k++)
			number |= (uint32_t)ch_byte(r) << 8 * k;
		code = i ? code : (int)number;
		for (int k = 0; k < 3; k++)
			ch_string(r, &n);
		if (!ch_byte(r) || r->more)
			break;
	}
	return code ? code : 1;
}

static void progress_read(struct clickhouse *c, struct ch_reader *r)
{
	uint64_t written = 0;

	ch_number(r);
	ch_number(r);
	ch_number(r);
	if (c->revision >= REV_TOTAL_BYTES)
		ch_number(r);
	if (c->revision >= REV_WRITTEN) {
		written = ch_number(r);
		ch_number(r);
	}
	if (c->revision >= REV_ELAPSED)
		ch_number(r);
	if (!r->more)
		c->written += written;
}

static void profile_read(struct clickhouse *c, struct ch_reader *r)
{
	uint64_t rows = ch_number(r);

	ch_number(r);
	ch_number(r);
	ch_byte(r);
	ch_number(r);
	ch_byte(r);
	if (c->revision >= REV_AGGREGATION) {
		ch_byte(r);
		ch_number(r);
	}
	if (!r->more)
		c->rows = rows;
}

/* The head of a block: what it is about, its columns and rows. */
static void block_begin(struct clickhouse *c, struct ch_reader *r, bool compressed)
{
	size_t n;
	uint64_t columns, rows, field = 0;

	ch_string(r, &n);
	if (compressed) {
		c->server = r->more ? SERVER_PACKET : SERVER_FRAME;
		return;
	}
	for (int i = 0; i < 8 && (field = ch_number(r)); i++)
		ch_skip(r, field == 2 ? 4 : 1);
	columns = ch_number(r);
	rows = ch_number(r);
	if (field || columns > COLUMNS_MAX)
		r->bad = true;
	if (r->more || r->bad)
		return;
	c->columns = columns;
	c->block_rows = rows;
	c->server = columns ? SERVER_COLUMN : SERVER_PACKET;
}

static ssize_t server_refuses(struct clickhouse *c, const struct proto_bytes *b, int code, size_t total, struct proto_sink *s)
{
	struct proto_request r = {.op = "CONNECT", .op_len = 7, .begin_ns = c->start_begin, .end_ns = c->start_end,
				  .bytes = c->start_bytes};

	if (!c->start_begin)
		return (ssize_t)total;
	c->s_begin = proto_begin_ns(b);
	c->s_bytes = total;
	s->request(s, &r);
	respond(c, code, proto_end_ns(b, total), s);
	return (ssize_t)total;
}

static ssize_t server_hello(struct clickhouse *c, const struct proto_bytes *b, struct proto_sink *s)
{
	struct ch_reader r = {.p = b->p, .n = b->n};
	bool refused = b->p[0] == 2;
	unsigned revision = 0;
	int code = 0;

	if (refused) {
		ch_byte(&r);
		code = exception_read(&r);
	} else {
		revision = hello_read(&r);
	}
	if (r.bad)
		return PROTO_BAD;
	if (r.more)
		return 0;
	c->server = SERVER_PACKET;
	if (refused)
		return server_refuses(c, b, code, r.at, s);
	if (revision < c->revision)
		c->revision = revision;
	/* the rest says nothing that is needed, and the server waits now */
	return (ssize_t)b->n;
}

/* One packet but for its block's data. */
static ssize_t server_packet(struct clickhouse *c, const struct proto_bytes *b, struct proto_sink *s)
{
	struct ch_reader r = {.p = b->p, .n = b->n};
	uint64_t type = ch_number(&r);
	int code = 0;
	size_t n;

	switch (type) {
	case 1: case 7: case 8:
		block_begin(c, &r, c->compressed);
		break;
	case 10: case 14:
		block_begin(c, &r, c->compressed && c->revision >= REV_COMPRESSED_EVENTS);
		break;
	case 2: code = exception_read(&r); break;
	case 3: progress_read(c, &r); break;
	case 6: profile_read(c, &r); break;
	case 11: ch_string(&r, &n); ch_string(&r, &n); break;
	case 17: ch_string(&r, &n); break;
	case 4: case END_OF_STREAM: break;
	default: r.bad = true;
	}
	if (r.bad || (r.more && b->n > 48 * 1024))
		return PROTO_BAD;
	if (r.more)
		return 0;
	c->s_bytes += r.at;
	if (type == 2 || type == 4 || type == END_OF_STREAM)
		respond(c, code, proto_end_ns(b, r.at), s);
	return (ssize_t)r.at;
}

static bool is_frame(const uint8_t *p)
{
	uint32_t size = le32(p + 17), opened = le32(p + 21);

	return (p[16] == 0x02 || p[16] == 0x82 || p[16] == 0x90 || p[16] == 0x92) && size >= 9 && size < 1u << 30 && opened < 1u << 30;
}

/* Are these short bytes packets up to the end of the answer? */
static bool is_end(const struct clickhouse *c, const uint8_t *p, size_t n)
{
	struct clickhouse copy = *c;
	struct ch_reader r = {.p = p, .n = n};

	while (!r.more && !r.bad && r.at < n) {
		switch (ch_byte(&r)) {
		case 2: exception_read(&r); return !r.more && r.at == n;
		case 3: progress_read(&copy, &r); break;
		case 6: profile_read(&copy, &r); break;
		case END_OF_STREAM: return r.at == n;
		default: return false;
		}
	}
	return false;
}

static ssize_t server_frame(struct clickhouse *c, const struct proto_bytes *b)
{
	uint32_t size, opened;

	if (c->server == SERVER_FRAME_NEXT && b->n < FRAME_HEAD && !is_end(c, b->p, b->n))
		return 0;
	if (c->server == SERVER_FRAME_NEXT) {
		c->server = b->n >= FRAME_HEAD && is_frame(b->p) ? SERVER_FRAME : SERVER_PACKET;
		if (c->server == SERVER_PACKET)
			return PROTO_AGAIN;
	}
	if (b->n < FRAME_HEAD)
		return 0;
	if (!is_frame(b->p))
		return PROTO_BAD;
	size = le32(b->p + 17);
	opened = le32(b->p + 21);
	c->server = opened >= FRAME_FULL ? SERVER_FRAME_NEXT : SERVER_PACKET;
	c->s_bytes += 16 + (uint64_t)size;
	return 16 + (ssize_t)size;
}

static ssize_t server_column(struct clickhouse *c, const struct proto_bytes *b)
{
	struct ch_reader r = {.p = b->p, .n = b->n};
	size_t name, type;
	const char *text;
	uint8_t custom = 0;

	ch_string(&r, &name);
	text = ch_string(&r, &type);
	if (c->revision >= REV_SERIALIZATION)
		custom = ch_byte(&r);
	if (r.bad || (r.more && b->n > 16 * 1024))
		return PROTO_BAD;
	if (r.more)
		return 0;
	if (custom || !ch_column_init(&c->column, text, type, c->block_rows))
		return PROTO_BAD;
	c->server = SERVER_VALUES;
	c->s_bytes += r.at;
	return (ssize_t)r.at;
}

static ssize_t server_values(struct clickhouse *c, const struct proto_bytes *b)
{
	bool done;
	ssize_t r = ch_column_skip(&c->column, b->p, b->n, &done);

	if (r < 0)
		return PROTO_BAD;
	c->s_bytes += (uint64_t)r;
	if (done)
		c->server = --c->columns ? SERVER_COLUMN : SERVER_PACKET;
	return done && !r ? PROTO_AGAIN : r;
}

static ssize_t server_lost(struct clickhouse *c, const struct proto_bytes *b)
{
	c->server = SERVER_LOST;
	if (!b->n)
		return 0;
	c->s_last = proto_end_ns(b, b->n);
	c->last_byte = b->p[b->n - 1];
	c->s_bytes += b->n;
	return (ssize_t)b->n;
}

static ssize_t clickhouse_server(struct clickhouse *c, const struct proto_bytes *b, struct proto_sink *s)
{
	ssize_t r = PROTO_BAD;

	if (c->client == CLIENT_OPAQUE)
		return PROTO_OPAQUE;
	if (c->server == SERVER_HELLO)
		return b->n ? server_hello(c, b, s) : 0;
	if (!c->busy || s->tag(s) < 0)
		return (ssize_t)b->n;
	if (!b->n && c->server != SERVER_VALUES)
		return 0;
	if (!c->s_begin && b->n)
		c->s_begin = proto_begin_ns(b);
	switch (c->server) {
	case SERVER_PACKET: r = server_packet(c, b, s); break;
	case SERVER_FRAME: case SERVER_FRAME_NEXT: r = server_frame(c, b); break;
	case SERVER_COLUMN: r = server_column(c, b); break;
	case SERVER_VALUES: r = server_values(c, b); break;
	}
	return r == PROTO_BAD ? server_lost(c, b) : r;
}

static ssize_t clickhouse_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	return dir == FROM_CLIENT ? clickhouse_client(state, b, s) : clickhouse_server(state, b, s);
}

static ssize_t clickhouse_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct clickhouse *c = state;

	if (c->client == CLIENT_OPAQUE)
		return 0;
	if (dir == FROM_CLIENT) {
		/* what is lost behind a query may be its data */
		if (!c->busy)
			c->client = CLIENT_LOST;
		return 0;
	}
	c->s_bytes += n - tail->n;
	c->server = SERVER_LOST;
	return (ssize_t)tail->n;
}

static void clickhouse_end(void *state, enum proto_dir dir, uint64_t ts_ns, struct proto_sink *s)
{
	if (dir == FROM_SERVER)
		respond_lost(state, s);
}

static const uint16_t clickhouse_ports[] = {9000, 0};

const struct proto_ops proto_clickhouse = {
	.id = PROTO_CLICKHOUSE,
	.name = "clickhouse",
	.ports = clickhouse_ports,
	.state_size = sizeof(struct clickhouse),
	.whole = true,
	.infer = clickhouse_infer,
	.init = clickhouse_init,
	.done = clickhouse_done,
	.parse = clickhouse_parse,
	.gap = clickhouse_gap,
	.end = clickhouse_end,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PostgreSQL, frontend/backend protocol 3 (https://www.postgresql.org/docs/current/protocol.html).
 *
 * One request per Query and per Execute; a Parse without an Execute before its Sync is "PREPARE ...".  The requests of an
 * extended batch are chained up to its Sync, a marker in their order, which ReadyForQuery answers.  After an error the
 * server skips to Sync: those requests are reported as failed with the same SQLSTATE, for they were not done.
 * Of a long statement the first QUERY_READ bytes are read.  Joined in the middle, the names of statements are unknown:
 * "(prepared statement)".  Replication and CopyBoth are opaque.
 */
#include "proto/normalise.h"
#include "proto/normalise_out.h"
#include "proto/postgres_names.h"
#include "proto/protocols.h"
#include "proto/wire.h"

#include <string.h>

#define QUERY_READ 8192
#define NAMES_READ 512
#define TEXT_READ 512
#define MESSAGE_MAX (1u << 30)
#define STARTUP_MAX 10000
#define OP_MAX 1024
#define CODE_V3 3
#define CODE_CANCEL 80877102
#define CODE_SSL 80877103
#define CODE_GSS 80877104

enum { TAG_QUERY = 0, TAG_EXECUTE, TAG_PREPARE, TAG_SYNC };

enum step { STEP_START = 0, STEP_ASKED, STEP_MESSAGES, STEP_OPAQUE, STEP_LOST };

struct postgres {
	uint8_t step;               /* client */
	bool server_lost;
	bool asked;                 /* SSLRequest: the server answers with one byte */
	bool refused;               /* it said no: a startup packet must follow */
	bool parsed, executed;      /* in this batch */
	bool batch;                 /* a batch has begun */
	struct pg_names statements; /* prepared statement -> fingerprint */
	struct pg_names portals;    /* portal -> fingerprint */
	uint64_t c_begin, c_bytes;  /* of the messages since the last request */
	char prepare[128];          /* of the last Parse, for "PREPARE ..." */
	/* server */
	char sqlstate[6];           /* error of the batch; "" none */
	uint64_t rows;
	uint64_t s_begin, s_bytes;
};

static bool is_type(enum proto_dir dir, uint8_t c)
{
	return c && strchr(dir == FROM_CLIENT ? "QPBEDHCSXFdcfp" : "RSKZTDCEINA123tnsVvGHWdc", c);
}

/* The least and the most that a message of this type can have as length field; 0: not a type. */
static bool length_fits(enum proto_dir dir, uint8_t c, uint32_t len)
{
	if (len < 4 || len > MESSAGE_MAX || !is_type(dir, c))
		return false;
	if (dir == FROM_CLIENT)
		return memchr("HSXc", c, 4) ? len == 4 : c == 'Q' ? len > 4 : c == 'E' ? len >= 9 && len < 600 :
		       c == 'P' ? len >= 8 : c == 'B' ? len >= 12 : c == 'D' || c == 'C' ? len >= 6 && len < 600 : true;
	if (c == 'Z')
		return len == 5;
	if (memchr("123nsIc", c, 7))
		return len == 4;
	if (c == 'C')
		return len > 5 && len < 80;
	if (c == 'K')
		return len >= 12 && len <= 300;
	return c == 'T' || c == 't' || c == 'D' ? len >= 6 : c == 'R' ? len >= 8 && len < 4096 : len > 4;
}

/* The message itself, where it is whole and short, looks as it must. */
static bool content_fits(enum proto_dir dir, const uint8_t *p, size_t n)
{
	switch (p[0]) {
	case 'Z':
		return n < 6 || p[5] == 'I' || p[5] == 'T' || p[5] == 'E';
	case 'Q':
		return p[n - 1] == '\0' && (n == 6 || p[5] >= '\t');
	case 'C':
		return p[n - 1] == '\0' && (dir == FROM_CLIENT ? p[5] == 'S' || p[5] == 'P' : p[5] >= 'A' && p[5] <= 'Z');
	case 'E':
		return dir == FROM_CLIENT || (p[n - 1] == '\0' && p[5] == 'S');
	default:
		return true;
	}
}

/* Whole messages from p on: how many, and *end, where they end; -1 where the bytes are none. */
static int messages_walk(enum proto_dir dir, const uint8_t *p, size_t n, size_t *end, uint8_t *last)
{
	size_t off = 0;
	int count = 0;

	while (n - off >= 5) {
		uint32_t len = be32(p + off + 1);

		if (!length_fits(dir, p[off], len))
			return -1;
		if (len + 1 > n - off)
			break;
		if (!content_fits(dir, p + off, len + 1))
			return -1;
		*last = p[off];
		off += len + 1;
		count++;
	}
	if (off < n && !is_type(dir, p[off]))
		return -1;
	*end = off;
	return count;
}

static int infer_startup(const uint8_t *p, size_t n)
{
	uint32_t len, code;

	if (p[0])
		return 0;
	if (n < 8)
		return n > 1 && p[1] ? 0 : -1;
	len = be32(p);
	code = be32(p + 4);
	if (len == 8 && (code == CODE_SSL || code == CODE_GSS))
		return 100;
	if (len == 16 && code == CODE_CANCEL)
		return 100;
	return code >> 16 == CODE_V3 && len > 8 && len <= STARTUP_MAX ? 95 : 0;
}

static int postgres_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	size_t end = 0;
	uint8_t last = 0;
	int count;

	if (!n)
		return -1;
	if (dir == FROM_CLIENT && !p[0])
		return infer_startup(p, n);
	if (!is_type(dir, p[0]))
		return 0;
	if (n < 5)
		return n > 1 && p[1] > 0x40 ? 0 : -1;
	count = messages_walk(dir, p, n, &end, &last);
	if (count < 0)
		return 0;
	if (end == n)
		return last == 'Z' ? 95 : last == 'Q' || last == 'S' ? 80 : 45;
	return count ? 45 : -1;
}

static void postgres_init(void *state, bool mid)
{
	struct postgres *g = state;

	g->step = mid ? STEP_LOST : STEP_START;
	g->server_lost = mid;
}

static void postgres_done(void *state, struct proto_sink *s)
{
	struct postgres *g = state;

	pg_names_done(&g->statements, s);
	pg_names_done(&g->portals, s);
}

/* The string at *off, NUL-terminated within n bytes; NULL where its end is not here. */
static const char *string_next(const uint8_t *p, size_t n, size_t *off)
{
	const uint8_t *s = p + *off, *nul = *off < n ? memchr(s, 0, n - *off) : NULL;

	if (!nul)
		return NULL;
	*off += (size_t)(nul - s) + 1;
	return (const char *)s;
}

static bool wants_replication(const uint8_t *p, size_t n)
{
	size_t off = 8;
	const char *k, *v;

	while ((k = string_next(p, n, &off)) && *k && (v = string_next(p, n, &off)))
		if (!strcmp(k, "replication"))
			return strcmp(v, "false") && strcmp(v, "off") && strcmp(v, "no") && strcmp(v, "0");
	return false;
}

static ssize_t client_startup(struct postgres *g, const struct proto_bytes *b)
{
	uint32_t len, code;

	if (b->n < 8)
		return 0;
	len = be32(b->p);
	code = be32(b->p + 4);
	if (len < 8 || len > STARTUP_MAX)
		return PROTO_BAD;
	if (code == CODE_CANCEL) {
		g->step = STEP_OPAQUE;
		return PROTO_OPAQUE;
	}
	if (b->n < len)
		return 0;
	if (code == CODE_SSL || code == CODE_GSS) {
		g->step = STEP_ASKED;
		g->asked = true;
		return (ssize_t)len;
	}
	if (code >> 16 != CODE_V3)
		return PROTO_BAD;
	g->step = wants_replication(b->p, len) ? STEP_OPAQUE : STEP_MESSAGES;
	return (ssize_t)len;
}

static void request_push(struct postgres *g, const char *op, size_t n, uint8_t tag, uint64_t end_ns,
			 struct proto_sink *s)
{
	struct proto_request r = {.op = op, .op_len = n, .tag = tag, .begin_ns = g->c_begin, .end_ns = end_ns,
				  .bytes = g->c_bytes, .chained = tag == TAG_EXECUTE || tag == TAG_PREPARE};

	s->request(s, &r);
	g->batch = false;
	g->c_bytes = 0;
}

static void client_query(struct postgres *g, const uint8_t *p, size_t n, uint64_t end_ns, struct proto_sink *s)
{
	char op[OP_MAX];
	size_t off = 0;

	if (string_next(p, n, &off))
		n = off - 1;
	n = normalise_sql(op, sizeof(op), SQL_POSTGRES, (const char *)p, n, s->raw);
	request_push(g, op, n, TAG_QUERY, end_ns, s);
}

static void client_parse(struct postgres *g, const uint8_t *p, size_t n, struct proto_sink *s)
{
	size_t off = 0, begin;
	const char *name = string_next(p, n, &off);
	struct out prepare = {.p = g->prepare, .cap = sizeof(g->prepare)};
	char op[OP_MAX];

	g->parsed = true;
	g->prepare[0] = '\0';
	if (!name)
		return;
	begin = off;
	if (string_next(p, n, &off))
		n = off - 1;
	n = normalise_sql(op, sizeof(op), SQL_POSTGRES, (const char *)p + begin, n - begin, s->raw);
	out_text(&prepare, op, n);
	out_end(&prepare);
	pg_names_put(&g->statements, name, op, n, s);
}

static void client_bind(struct postgres *g, const uint8_t *p, size_t n, struct proto_sink *s)
{
	size_t off = 0;
	const char *portal = string_next(p, n, &off), *name = portal ? string_next(p, n, &off) : NULL, *op;

	if (!name)
		return;
	op = pg_names_get(&g->statements, name);
	if (op)
		pg_names_put(&g->portals, portal, op, strlen(op), s);
	else
		pg_names_drop(&g->portals, portal, s);
}

static void client_execute(struct postgres *g, const uint8_t *p, size_t n, uint64_t end_ns, struct proto_sink *s)
{
	size_t off = 0;
	const char *portal = string_next(p, n, &off), *op = portal ? pg_names_get(&g->portals, portal) : NULL;

	if (!op)
		op = "(prepared statement)";
	g->executed = true;
	request_push(g, op, strlen(op), TAG_EXECUTE, end_ns, s);
}

static void client_close(struct postgres *g, const uint8_t *p, size_t n, struct proto_sink *s)
{
	size_t off = 1;
	const char *name = string_next(p, n, &off);

	if (name)
		pg_names_drop(*p == 'S' ? &g->statements : &g->portals, name, s);
}

static void client_sync(struct postgres *g, uint64_t end_ns, struct proto_sink *s)
{
	char op[sizeof(g->prepare) + 8];
	uint64_t begin = g->c_begin;

	if (g->parsed && !g->executed && g->prepare[0]) {
		size_t n = strlen(g->prepare);

		memcpy(op, "PREPARE ", 8);
		memcpy(op + 8, g->prepare, n);
		request_push(g, op, n + 8, TAG_PREPARE, end_ns, s);
	}
	g->c_begin = begin;
	request_push(g, NULL, 0, TAG_SYNC, end_ns, s);
	g->parsed = g->executed = false;
}

static void client_message(struct postgres *g, uint8_t type, const uint8_t *p, size_t n, uint64_t end_ns,
			   struct proto_sink *s)
{
	switch (type) {
	case 'Q': client_query(g, p, n, end_ns, s); break;
	case 'P': client_parse(g, p, n, s); break;
	case 'B': client_bind(g, p, n, s); break;
	case 'E': client_execute(g, p, n, end_ns, s); break;
	case 'C': client_close(g, p, n, s); break;
	case 'S': client_sync(g, end_ns, s); break;
	case 'F': request_push(g, "FUNCTION CALL", 13, TAG_QUERY, end_ns, s); break;
	}
}

/* How much of a message's content is read; the rest is skipped. */
static size_t content_read(enum proto_dir dir, uint8_t type, size_t len)
{
	size_t most = 0;

	if (dir == FROM_CLIENT)
		most = type == 'Q' || type == 'P' ? QUERY_READ : type == 'B' || type == 'E' || type == 'C' ? NAMES_READ : 0;
	else
		most = type == 'C' || type == 'E' || type == 'Z' ? TEXT_READ : 0;
	return len < most ? len : most;
}

/* The header of a message and how much of it to read: bytes to have, 0 for more, PROTO_BAD. */
static ssize_t message_head(enum proto_dir dir, const struct proto_bytes *b, size_t *content, size_t *total)
{
	uint32_t len;

	if (b->n < 5)
		return b->n && !is_type(dir, b->p[0]) ? PROTO_BAD : 0;
	len = be32(b->p + 1);
	if (!length_fits(dir, b->p[0], len))
		return PROTO_BAD;
	*total = (size_t)len + 1;
	*content = content_read(dir, b->p[0], len - 4);
	if (b->n >= 5 + *content)
		return 1;
	if (!b->cut || b->n < 6)
		return 0;
	*content = b->n - 5;
	return 1;
}

static ssize_t client_messages(struct postgres *g, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t content = 0, total = 0;
	ssize_t r = message_head(FROM_CLIENT, b, &content, &total);
	uint8_t type;

	if (r <= 0)
		return r;
	type = b->p[0];
	if (!g->batch) {
		g->batch = true;
		g->c_begin = proto_begin_ns(b);
		g->c_bytes = 0;
	}
	g->c_bytes += total;
	client_message(g, type, b->p + 5, content, proto_end_ns(b, total), s);
	if (strchr("dcfpX", type))
		g->batch = false;
	return (ssize_t)total;
}

static ssize_t client_lost(struct postgres *g, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t end = 0;
	uint8_t last = 0;

	if (!b->start || !b->n || !strchr("QPBEDCSHF", b->p[0]) || messages_walk(FROM_CLIENT, b->p, b->n, &end, &last) < 0)
		return (ssize_t)b->n;
	g->step = STEP_MESSAGES;
	g->batch = g->parsed = g->executed = false;
	return client_messages(g, b, s);
}

static ssize_t postgres_client(struct postgres *g, const struct proto_bytes *b, struct proto_sink *s)
{
	switch (g->step) {
	case STEP_START:
		return b->n >= 5 && b->p[0] && !g->refused ? client_lost(g, b, s) : client_startup(g, b);
	case STEP_ASKED:
		return 0;
	case STEP_MESSAGES:
		return client_messages(g, b, s);
	case STEP_LOST:
		return client_lost(g, b, s);
	}
	return PROTO_OPAQUE;
}

/* SQLSTATE classes: appendix A of the manual. The server failed, or what was asked was wrong. */
static enum req_error sqlstate_class(const char *c)
{
	static const char server[][3] = {"53", "54", "57", "58", "F0", "XX", "08", "25", "40", "55"};

	for (size_t i = 0; i < sizeof(server) / sizeof(*server); i++)
		if (!memcmp(c, server[i], 2))
			return REQ_SERVER_ERROR;
	return REQ_CLIENT_ERROR;
}

static void server_error(struct postgres *g, const uint8_t *p, size_t n)
{
	size_t off = 0;
	const char *f;

	if (g->sqlstate[0])
		return;
	memcpy(g->sqlstate, "XX000", 6);
	while (off < n && (f = string_next(p, n, &off)) && *f) {
		if (*f != 'C' || strlen(f) != 6)
			continue;
		for (int i = 0; i < 5; i++)
			if (!((f[i + 1] >= '0' && f[i + 1] <= '9') || (f[i + 1] >= 'A' && f[i + 1] <= 'Z')))
				return;
		memcpy(g->sqlstate, f + 1, 6);
		return;
	}
}

/* "INSERT 0 5", "SELECT 3": the last number of a command tag; 0 where there is none. */
static uint64_t tag_rows(const uint8_t *p, size_t n)
{
	uint64_t rows = 0;
	size_t off = 0;
	const char *t = string_next(p, n, &off), *sp = t ? strrchr(t, ' ') : NULL;

	while (sp && *++sp >= '0' && *sp <= '9' && rows < UINT64_MAX / 16)
		rows = rows * 10 + (uint64_t)(*sp - '0');
	return rows;
}

static void respond(struct postgres *g, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_response r = {
		.error = g->sqlstate[0] ? sqlstate_class(g->sqlstate) : REQ_OK,
		.detail = g->sqlstate[0] ? g->sqlstate : NULL,
		.begin_ns = g->s_begin ? g->s_begin : end_ns,
		.end_ns = end_ns,
		.bytes = g->s_bytes,
		.rows = g->rows,
	};

	s->response(s, &r);
	g->s_begin = 0;
	g->s_bytes = 0;
	g->rows = 0;
}

/* ReadyForQuery: everything up to the Sync, or the one Query, is answered. */
static void server_ready(struct postgres *g, uint64_t end_ns, struct proto_sink *s)
{
	int tag;

	while ((tag = s->tag(s)) >= 0) {
		respond(g, end_ns, s);
		if (tag == TAG_QUERY || tag == TAG_SYNC)
			break;
	}
	g->sqlstate[0] = '\0';
	g->rows = 0;
	g->s_begin = 0;
	g->s_bytes = 0;
}

static void server_message(struct postgres *g, uint8_t type, const uint8_t *p, size_t n, uint64_t end_ns,
			   struct proto_sink *s)
{
	bool execute = s->tag(s) == TAG_EXECUTE;

	switch (type) {
	case 'C':
		g->rows += tag_rows(p, n);
		/* fallthrough */
	case 'I': case 's':
		if (execute)
			respond(g, end_ns, s);
		break;
	case 'E':
		server_error(g, p, n);
		if (execute)
			respond(g, end_ns, s);
		break;
	case 'Z':
		server_ready(g, end_ns, s);
		break;
	case 'W':
		g->step = STEP_OPAQUE;
		break;
	}
}

static ssize_t server_messages(struct postgres *g, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t content = 0, total = 0;
	ssize_t r = message_head(FROM_SERVER, b, &content, &total);
	uint8_t type;

	if (r <= 0)
		return r;
	type = b->p[0];
	/* these come whenever the server likes */
	if (strchr("NAS", type))
		return (ssize_t)total;
	if (!g->s_begin)
		g->s_begin = proto_begin_ns(b);
	g->s_bytes += total;
	server_message(g, type, b->p + 5, content, proto_end_ns(b, total), s);
	return (ssize_t)total;
}

/* Where whole messages begin that end with the bytes, the last of them ReadyForQuery; b->n: nowhere. */
static size_t ready_search(const struct proto_bytes *b)
{
	const uint8_t *z = b->n >= 6 ? b->p + b->n - 6 : NULL;
	size_t i, end = 0;
	uint8_t last = 0;

	if (!z || z[0] != 'Z' || be32(z + 1) != 5 || !content_fits(FROM_SERVER, z, 6))
		return b->n;
	for (i = b->n > TEXT_READ ? b->n - TEXT_READ : 0; i < b->n - 6; i++)
		if (messages_walk(FROM_SERVER, b->p + i, b->n - i, &end, &last) > 0 && end == b->n - i)
			return i;
	return b->n - 6;
}

/* Until a message is found for sure: a segment that begins with one, or one that ends with ReadyForQuery. */
static ssize_t server_lost(struct postgres *g, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t i, end = 0;
	uint8_t last = 0;
	bool whole = b->start && messages_walk(FROM_SERVER, b->p, b->n, &end, &last) > 0;

	i = whole ? 0 : ready_search(b);
	if (i == b->n)
		return (ssize_t)b->n;
	if (i)
		return (ssize_t)i;
	g->server_lost = false;
	s->resync(s, true);
	return server_messages(g, b, s);
}

static ssize_t postgres_server(struct postgres *g, const struct proto_bytes *b, struct proto_sink *s)
{
	if (g->step == STEP_OPAQUE)
		return PROTO_OPAQUE;
	if (g->asked) {
		if (!b->n)
			return 0;
		if (b->p[0] == 'S' || b->p[0] == 'G')
			return PROTO_ENCRYPTED;
		g->asked = false;
		g->refused = true;
		g->step = STEP_START;
		return b->p[0] == 'N' ? 1 : PROTO_AGAIN;
	}
	return g->server_lost ? server_lost(g, b, s) : server_messages(g, b, s);
}

static ssize_t postgres_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	return dir == FROM_CLIENT ? postgres_client(state, b, s) : postgres_server(state, b, s);
}

static ssize_t postgres_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail,
			    struct proto_sink *s)
{
	struct postgres *g = state;

	if (g->step == STEP_OPAQUE)
		return 0;
	if (dir == FROM_CLIENT) {
		g->step = STEP_LOST;
		return 0;
	}
	g->asked = false;
	g->server_lost = true;
	g->s_bytes += n - tail->n;
	return (ssize_t)tail->n;
}

/* FATAL: the server closes without ReadyForQuery. */
static void postgres_end(void *state, enum proto_dir dir, uint64_t ts_ns, struct proto_sink *s)
{
	struct postgres *g = state;

	if (dir == FROM_SERVER && g->sqlstate[0])
		while (s->tag(s) >= 0)
			respond(g, ts_ns, s);
}

static const uint16_t postgres_ports[] = {5432, 5433, 6432, 0};

const struct proto_ops proto_postgres = {
	.id = PROTO_POSTGRES,
	.name = "postgres",
	.ports = postgres_ports,
	.state_size = sizeof(struct postgres),
	.whole = true,
	.infer = postgres_infer,
	.init = postgres_init,
	.done = postgres_done,
	.parse = postgres_parse,
	.gap = postgres_gap,
	.end = postgres_end,
};

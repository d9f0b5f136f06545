/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PostgreSQL, frontend/backend protocol 3.0 to 3.2 (https://www.postgresql.org/docs/current/protocol.html).
 *
 * One request per Query, however many statements it holds: its operation is all of them, its rows are their sum.  One request per
 * Execute, a portal's further rows (PortalSuspended) included.  A Parse is part of the first Execute of its statement in the same
 * batch, and else a request "PREPARE ..."; a batch that only describes or closes is "DESCRIBE ..." or "CLOSE ...".  The requests
 * of a batch are chained up to its Sync, a marker in their order, which ReadyForQuery answers.  After an error the server skips
 * to Sync: those requests are reported as failed with the same SQLSTATE, for they were not done.
 * A start-up that the server refuses is a request "CONNECT", one that succeeds is none.  A cancel request on its own connection is
 * "CANCEL", without an answer; a notification is "DELIVER channel".
 *
 * Of a long statement the first QUERY_READ bytes are read.  Joined in the middle, the names of statements are unknown:
 * "(prepared statement)"; after a loss those with a name are believed to mean what they did, the unnamed one is not.
 * From CopyBothResponse on (START_REPLICATION) a connection is opaque, and one under GSSAPI is from the beginning.
 */
#include "proto/normalise.h"
#include "proto/normalise_out.h"
#include "proto/postgres_message.h"
#include "proto/postgres_sql.h"
#include "proto/protocols.h"
#include "proto/statements.h"
#include "proto/wire.h"

#include <string.h>

#define QUERY_READ 8192
#define NAMES_READ 512
#define TEXT_READ 512
#define OP_MAX 1024
#define UNKNOWN "(prepared statement)"

enum { TAG_QUERY = 0, TAG_EXECUTE, TAG_PREPARE, TAG_SYNC };

enum step { STEP_START = 0, STEP_ASKED, STEP_MESSAGES, STEP_OPAQUE, STEP_LOST };

struct postgres {
	uint8_t step;               /* client */
	bool server_lost;
	bool asked;                 /* SSLRequest: the server answers with one byte */
	bool refused;               /* it said no: a startup packet must follow */
	bool starting;              /* the start-up packet is not answered by ReadyForQuery yet */
	bool batch;                 /* a batch has begun */
	bool pushed;                /* and has given a request */
	char kind;                  /* what the batch is about that is no request yet: 'P' 'D' 'C', '\0' nothing */
	struct statements statements; /* prepared statement -> fingerprint */
	struct statements portals;  /* portal -> fingerprint */
	uint64_t parsed, bound;     /* the statements of the last Parse and the last Bind of this batch; 0 none */
	uint64_t c_begin, c_bytes;  /* of the messages since the last request */
	uint64_t p_end, p_bytes;    /* of those up to the last Parse and its Describe */
	uint64_t start_begin, start_end, start_bytes;
	char pending[128];          /* fingerprint of what `kind` is about */
	struct trace_ids ids;       /* of the next request */
	/* server */
	char sqlstate[6];           /* error of the batch; "" none */
	bool parse_done;            /* ParseComplete has come since the last response */
	uint64_t rows, data_rows;
	uint64_t s_begin, s_bytes;
};

static void postgres_init(void *state, bool mid)
{
	struct postgres *g = state;

	g->step = mid ? STEP_LOST : STEP_START;
	g->server_lost = mid;
}

static void postgres_done(void *state, struct proto_sink *s)
{
	struct postgres *g = state;

	statements_done(&g->statements, s);
	statements_done(&g->portals, s);
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

static void start_note(struct postgres *g, const struct proto_bytes *b, uint32_t len)
{
	if (!g->starting) {
		g->start_begin = proto_begin_ns(b);
		g->start_bytes = 0;
	}
	g->starting = true;
	g->start_end = proto_end_ns(b, len);
	g->start_bytes += len;
}

static ssize_t client_cancel(struct postgres *g, const struct proto_bytes *b, uint32_t len, struct proto_sink *s)
{
	struct proto_request r = {.op = "CANCEL", .op_len = 6, .begin_ns = proto_begin_ns(b), .end_ns = proto_end_ns(b, len),
				  .bytes = len, .oneway = true};

	if (len < 16 || len > PG_CANCEL_MAX)
		return PROTO_BAD;
	if (b->n < len)
		return 0;
	s->request(s, &r);
	g->step = STEP_OPAQUE;
	return PROTO_OPAQUE;
}

static ssize_t client_startup(struct postgres *g, const struct proto_bytes *b, struct proto_sink *s)
{
	uint32_t len, code;

	if (b->n < 8)
		return 0;
	len = be32(b->p);
	code = be32(b->p + 4);
	if (len < 8 || len > PG_STARTUP_MAX)
		return PROTO_BAD;
	if (code == PG_CANCEL)
		return client_cancel(g, b, len, s);
	if (b->n < len)
		return 0;
	if (code == PG_SSL || code == PG_GSS) {
		start_note(g, b, len);
		g->step = STEP_ASKED;
		g->asked = true;
		return (ssize_t)len;
	}
	if (code >> 16 != PG_V3)
		return PROTO_BAD;
	start_note(g, b, len);
	g->step = STEP_MESSAGES;
	return (ssize_t)len;
}

static void request_push(struct postgres *g, const char *op, size_t n, uint8_t tag, uint64_t end_ns,
			 struct proto_sink *s)
{
	struct proto_request r = {.op = op, .op_len = n, .tag = tag, .begin_ns = g->c_begin, .end_ns = end_ns,
				  .bytes = g->c_bytes, .chained = tag == TAG_EXECUTE || tag == TAG_PREPARE, .ids = &g->ids};

	s->request(s, &r);
	g->ids = (struct trace_ids){0};
	g->batch = false;
	g->pushed = true;
	g->c_bytes = 0;
}

/* What the batch has parsed, described or closed and not executed is a request of its own. */
static void pending_push(struct postgres *g, uint64_t end_ns, struct proto_sink *s)
{
	char op[sizeof(g->pending) + 16];
	struct out o = {.p = op, .cap = sizeof(op)};
	const char *verb = g->kind == 'P' ? "PREPARE " : g->kind == 'D' ? "DESCRIBE " : "CLOSE ";

	out_text(&o, verb, strlen(verb));
	out_text(&o, g->pending, strlen(g->pending));
	request_push(g, op, out_end(&o), TAG_PREPARE, end_ns, s);
	g->kind = '\0';
	g->parsed = 0;
}

/* The statement parsed before is not the one that this message, of `total` bytes, is about. */
static void pending_end(struct postgres *g, const struct proto_bytes *b, size_t total, struct proto_sink *s)
{
	if (g->kind != 'P')
		return;
	g->c_bytes = g->p_bytes;
	pending_push(g, g->p_end, s);
	g->batch = true;
	g->c_begin = proto_begin_ns(b);
	g->c_bytes = total;
}

static void pending_set(struct postgres *g, char kind, const char *op, size_t n)
{
	struct out o = {.p = g->pending, .cap = sizeof(g->pending)};

	g->kind = kind;
	out_text(&o, op, n);
	out_end(&o);
}

/* Of the statement that the next request is about. */
static void ids_read(struct postgres *g, const char *sql, size_t n)
{
	g->ids = (struct trace_ids){0};
	trace_ids_sql(&g->ids, sql, n);
}

static void client_query(struct postgres *g, const uint8_t *p, size_t n, uint64_t end_ns, struct proto_sink *s)
{
	char op[OP_MAX];
	size_t off = 0;
	const char *executes;

	if (string_next(p, n, &off))
		n = off - 1;
	ids_read(g, (const char *)p, n);
	executes = postgres_sql(&g->statements, (const char *)p, n, s);
	if (executes) {
		request_push(g, executes, strlen(executes), TAG_QUERY, end_ns, s);
		return;
	}
	n = normalise_sql(op, sizeof(op), SQL_POSTGRES, (const char *)p, n, s->raw);
	request_push(g, op, n, TAG_QUERY, end_ns, s);
}

static void client_parse(struct postgres *g, const struct proto_bytes *b, const uint8_t *p, size_t n, size_t total,
			 struct proto_sink *s)
{
	size_t off = 0, begin;
	const char *name = string_next(p, n, &off), *executes;
	char op[OP_MAX];

	pending_end(g, b, total, s);
	if (!name)
		return;
	begin = off;
	if (string_next(p, n, &off))
		n = off - 1;
	ids_read(g, (const char *)p + begin, n - begin);
	executes = postgres_sql(&g->statements, (const char *)p + begin, n - begin, s);
	if (executes) {
		n = strnlen(executes, sizeof(op));
		memcpy(op, executes, n);
	} else {
		n = normalise_sql(op, sizeof(op), SQL_POSTGRES, (const char *)p + begin, n - begin, s->raw);
	}
	g->parsed = statement_key(name, strlen(name));
	g->bound = 0;
	g->p_end = proto_end_ns(b, total);
	g->p_bytes = g->c_bytes;
	pending_set(g, 'P', op, n);
	statements_put(&g->statements, g->parsed, op, n, s);
}

static void client_bind(struct postgres *g, const struct proto_bytes *b, const uint8_t *p, size_t n, size_t total,
			struct proto_sink *s)
{
	size_t off = 0;
	const char *portal = string_next(p, n, &off), *name = portal ? string_next(p, n, &off) : NULL, *op;
	uint64_t key;

	if (!name)
		return;
	key = statement_key(portal, strlen(portal));
	g->bound = statement_key(name, strlen(name));
	if (g->bound != g->parsed)
		pending_end(g, b, total, s);
	op = statements_get(&g->statements, g->bound);
	if (op)
		statements_put(&g->portals, key, op, strlen(op), s);
	else
		statements_drop(&g->portals, key, s);
}

static void client_execute(struct postgres *g, const struct proto_bytes *b, const uint8_t *p, size_t n, size_t total,
			   struct proto_sink *s)
{
	size_t off = 0;
	const char *portal = string_next(p, n, &off), *op;

	if (g->bound != g->parsed)
		pending_end(g, b, total, s);
	op = portal ? statements_get(&g->portals, statement_key(portal, strlen(portal))) : NULL;
	if (!op)
		op = UNKNOWN;
	g->kind = '\0';
	g->parsed = 0;
	request_push(g, op, strlen(op), TAG_EXECUTE, proto_end_ns(b, total), s);
}

/* Describe or Close: 'S' or 'P', and a name. */
static void client_named(struct postgres *g, char kind, const struct proto_bytes *b, const uint8_t *p, size_t n, size_t total,
			 struct proto_sink *s)
{
	size_t off = 1;
	const char *name = n ? string_next(p, n, &off) : NULL, *op;
	struct statements *t = n && *p == 'S' ? &g->statements : &g->portals;
	uint64_t key;

	if (!name)
		return;
	key = statement_key(name, strlen(name));
	op = statements_get(t, key);
	if (g->kind == 'P') {
		g->p_end = proto_end_ns(b, total);
		g->p_bytes = g->c_bytes;
	} else if (!g->kind || g->kind == 'C') {
		pending_set(g, kind, op ? op : UNKNOWN, op ? strlen(op) : sizeof(UNKNOWN) - 1);
	}
	if (kind == 'C')
		statements_drop(t, key, s);
}

static void client_sync(struct postgres *g, uint64_t end_ns, struct proto_sink *s)
{
	uint64_t begin = g->c_begin;

	if (g->kind == 'P' || (g->kind && !g->pushed))
		pending_push(g, end_ns, s);
	g->c_begin = begin;
	request_push(g, NULL, 0, TAG_SYNC, end_ns, s);
	g->kind = '\0';
	g->pushed = false;
	g->parsed = g->bound = 0;
}

static void client_message(struct postgres *g, const struct proto_bytes *b, size_t n, size_t total, struct proto_sink *s)
{
	const uint8_t *p = b->p + 5;
	uint64_t end_ns = proto_end_ns(b, total);

	switch (b->p[0]) {
	case 'Q': client_query(g, p, n, end_ns, s); break;
	case 'P': client_parse(g, b, p, n, total, s); break;
	case 'B': client_bind(g, b, p, n, total, s); break;
	case 'E': client_execute(g, b, p, n, total, s); break;
	case 'D': case 'C': client_named(g, (char)b->p[0], b, p, n, total, s); break;
	case 'S': client_sync(g, end_ns, s); break;
	case 'F': request_push(g, "FUNCTION CALL", 13, TAG_QUERY, end_ns, s); break;
	/* rows of COPY belong to the request that began it */
	case 'd': case 'c': case 'f': s->grow(s, 0, end_ns, total); break;
	}
}

/* How much of a message's content is read; the rest is skipped. */
static size_t content_read(enum proto_dir dir, uint8_t type, size_t len)
{
	size_t most = 0;

	if (dir == FROM_CLIENT)
		most = type == 'Q' || type == 'P' ? QUERY_READ : memchr("BEDC", type, 4) ? NAMES_READ : 0;
	else
		most = memchr("CEZA", type, 4) ? TEXT_READ : 0;
	return len < most ? len : most;
}

/* The header of a message and how much of it to read: bytes to have, 0 for more, PROTO_BAD. */
static ssize_t message_head(enum proto_dir dir, const struct proto_bytes *b, size_t *content, size_t *total)
{
	uint32_t len;

	if (b->n < 5)
		return b->n && !pg_is_type(dir, b->p[0]) ? PROTO_BAD : 0;
	len = be32(b->p + 1);
	if (!pg_length_fits(dir, b->p[0], len))
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
	client_message(g, b, content, total, s);
	if (strchr("dcfpX", type))
		g->batch = false;
	return (ssize_t)total;
}

static ssize_t client_lost(struct postgres *g, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t end = 0;
	uint8_t last = 0;

	if (!b->start || !b->n || !strchr("QPBEDCSHF", b->p[0]) || pg_messages_walk(FROM_CLIENT, b->p, b->n, &end, &last) < 0)
		return (ssize_t)b->n;
	g->step = STEP_MESSAGES;
	g->batch = g->pushed = false;
	g->kind = '\0';
	g->parsed = g->bound = 0;
	return client_messages(g, b, s);
}

static ssize_t postgres_client(struct postgres *g, const struct proto_bytes *b, struct proto_sink *s)
{
	switch (g->step) {
	case STEP_START:
		return b->n >= 5 && b->p[0] && !g->refused ? client_lost(g, b, s) : client_startup(g, b, s);
	case STEP_ASKED:
		return 0;
	case STEP_MESSAGES:
		return client_messages(g, b, s);
	case STEP_LOST:
		return client_lost(g, b, s);
	}
	return PROTO_OPAQUE;
}

/* SQLSTATE classes: appendix A of the manual. The server failed or refused for its own reasons, or what was asked was wrong. */
static enum req_error sqlstate_class(const char *c)
{
	static const char server[][6] = {"53", "54", "57", "58", "F0", "XX", "08", "40", "55", "72", "HV",
					 "25006", "25P03", "25P04"};

	for (size_t i = 0; i < sizeof(server) / sizeof(*server); i++)
		if (!memcmp(c, server[i], strlen(server[i])))
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

static bool respond(struct postgres *g, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_response r = {
		.error = g->sqlstate[0] ? sqlstate_class(g->sqlstate) : REQ_OK,
		.detail = g->sqlstate[0] ? g->sqlstate : NULL,
		.begin_ns = g->s_begin ? g->s_begin : end_ns,
		.end_ns = end_ns,
		.bytes = g->s_bytes,
		.rows = g->rows,
	};

	g->s_begin = 0;
	g->s_bytes = 0;
	g->rows = g->data_rows = 0;
	g->parse_done = false;
	return s->response(s, &r);
}

/* ReadyForQuery: everything up to the Sync, or the one Query, is answered. */
static void server_ready(struct postgres *g, uint64_t end_ns, struct proto_sink *s)
{
	int tag;

	while ((tag = s->tag(s)) >= 0) {
		if (!respond(g, end_ns, s) || tag == TAG_QUERY || tag == TAG_SYNC)
			break;
	}
	g->sqlstate[0] = '\0';
	g->rows = g->data_rows = 0;
	g->parse_done = g->starting = false;
	g->s_begin = 0;
	g->s_bytes = 0;
}

/* ParseComplete, or the first message of what comes behind a statement that was only prepared. */
static void server_parsed(struct postgres *g, bool again, uint64_t end_ns, struct proto_sink *s)
{
	if (g->parse_done && s->tag(s) == TAG_PREPARE)
		respond(g, end_ns, s);
	g->parse_done = again;
}

static void server_failed(struct postgres *g, const uint8_t *p, size_t n, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_request r = {.op = "CONNECT", .op_len = 7, .begin_ns = g->start_begin, .end_ns = g->start_end,
				  .bytes = g->start_bytes};
	bool connects = g->starting && s->tag(s) < 0;

	if (!g->sqlstate[0])
		server_parsed(g, false, end_ns, s);
	server_error(g, p, n);
	if (connects)
		s->request(s, &r);
	g->starting = false;
	if (connects || s->tag(s) == TAG_EXECUTE)
		respond(g, end_ns, s);
}

/* NotificationResponse: a process, a channel, a payload. */
static void server_notification(const uint8_t *p, size_t n, const struct proto_bytes *b, size_t total, struct proto_sink *s)
{
	size_t off = 4, len;
	const char *channel = n > 4 ? string_next(p, n, &off) : NULL;
	char op[128] = "DELIVER ";
	struct proto_request r = {.op = op, .begin_ns = proto_begin_ns(b), .end_ns = proto_end_ns(b, total), .bytes = total,
				  .oneway = true, .rows = 1};

	if (!channel)
		return;
	len = strlen(op);
	r.op_len = len + normalise_name(op + len, sizeof(op) - len, channel, strlen(channel), s->raw);
	s->request(s, &r);
}

static void server_message(struct postgres *g, uint8_t type, const uint8_t *p, size_t n, uint64_t end_ns,
			   struct proto_sink *s)
{
	bool execute = s->tag(s) == TAG_EXECUTE;

	switch (type) {
	case '1':
		server_parsed(g, true, end_ns, s);
		break;
	case '2':
		server_parsed(g, g->parse_done && s->tag(s) != TAG_PREPARE, end_ns, s);
		break;
	case 'D':
		g->data_rows++;
		break;
	case 'G':
		/* what answers is what comes behind the rows of COPY */
		g->s_begin = 0;
		break;
	case 'C':
		g->rows += tag_rows(p, n);
		/* fallthrough */
	case 'I': case 's':
		if (type == 's')
			g->rows = g->data_rows;
		if (execute)
			respond(g, end_ns, s);
		break;
	case 'E':
		server_failed(g, p, n, end_ns, s);
		break;
	case 'Z':
		server_ready(g, end_ns, s);
		break;
	case 'W':
		if (s->tag(s) >= 0)
			respond(g, end_ns, s);
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
	if (type == 'A')
		server_notification(b->p + 5, content, b, total, s);
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

	if (!z || z[0] != 'Z' || be32(z + 1) != 5 || !pg_content_fits(FROM_SERVER, z, 6))
		return b->n;
	for (i = b->n > TEXT_READ ? b->n - TEXT_READ : 0; i < b->n - 6; i++)
		if (pg_messages_walk(FROM_SERVER, b->p + i, b->n - i, &end, &last) > 0 && end == b->n - i)
			return i;
	return b->n - 6;
}

/* Until a message is found for sure: a segment that begins with one, or one that ends with ReadyForQuery. */
static ssize_t server_lost(struct postgres *g, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t i, end = 0;
	uint8_t last = 0;
	bool whole = b->start && pg_messages_walk(FROM_SERVER, b->p, b->n, &end, &last) > 0;

	i = whole ? 0 : ready_search(b);
	if (i == b->n)
		return (ssize_t)b->n;
	if (i)
		return (ssize_t)i;
	g->server_lost = false;
	s->resync(s, true);
	return server_messages(g, b, s);
}

/* One byte answers SSLRequest; a server that knows no such thing, or has no room, answers with an error and closes. */
static ssize_t server_answers(struct postgres *g, uint8_t answer)
{
	g->asked = false;
	switch (answer) {
	case 'S':
		return PROTO_ENCRYPTED;
	case 'G':
		g->step = STEP_OPAQUE;
		return PROTO_OPAQUE;
	case 'N':
		g->refused = true;
		g->step = STEP_START;
		return 1;
	}
	return answer == 'E' ? PROTO_AGAIN : PROTO_BAD;
}

static ssize_t postgres_server(struct postgres *g, const struct proto_bytes *b, struct proto_sink *s)
{
	if (g->step == STEP_OPAQUE)
		return PROTO_OPAQUE;
	if (g->asked && b->n)
		return server_answers(g, b->p[0]);
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
		statements_drop(&g->statements, statement_key("", 0), s);
		statements_done(&g->portals, s);
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
		while (s->tag(s) >= 0 && respond(g, ts_ns, s))
			;
}

static const uint16_t postgres_ports[] = {5432, 5433, 6432, 0};

const struct proto_ops proto_postgres = {
	.id = PROTO_POSTGRES,
	.name = "postgres",
	.ports = postgres_ports,
	.state_size = sizeof(struct postgres),
	.whole = true,
	.infer = pg_infer,
	.init = postgres_init,
	.done = postgres_done,
	.parse = postgres_parse,
	.gap = postgres_gap,
	.end = postgres_end,
};

/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/cassandra.h"
#include "proto/normalise.h"
#include "proto/unpack.h"
#include "proto/wire.h"

#include <string.h>
#include <strings.h>

#define COLUMNS_MAX 4096
#define TYPE_DEPTH 8

enum { RESULT_VOID = 1, RESULT_ROWS, RESULT_KEYSPACE, RESULT_PREPARED, RESULT_SCHEMA };

enum { ROWS_GLOBAL = 1, ROWS_MORE = 2, ROWS_NO_METADATA = 4, ROWS_CHANGED = 8 };

/* n bytes off the front; NULL where they are not here: then nothing more is. */
static const uint8_t *take(struct cql_bytes *c, size_t n)
{
	const uint8_t *p = c->p;

	if (n > c->n) {
		c->n = 0;
		return NULL;
	}
	c->p += n;
	c->n -= n;
	return p;
}

static bool take16(struct cql_bytes *c, uint16_t *v)
{
	const uint8_t *p = take(c, 2);

	if (p)
		*v = be16(p);
	return p;
}

static bool take32(struct cql_bytes *c, uint32_t *v)
{
	const uint8_t *p = take(c, 4);

	if (p)
		*v = be32(p);
	return p;
}

/* [string], [short bytes]: their length is in front. */
static bool take_short(struct cql_bytes *c, struct cql_bytes *v)
{
	uint16_t n;

	if (!take16(c, &n))
		return false;
	v->n = n;
	v->p = take(c, n);
	return v->p;
}

/* [bytes]: null where the length is negative. */
static bool take_bytes(struct cql_bytes *c, struct cql_bytes *v)
{
	uint32_t n;

	if (!take32(c, &n))
		return false;
	v->n = (int32_t)n < 0 ? 0 : n;
	v->p = take(c, v->n);
	return v->p;
}

/* [long string], of which the end may be missing. */
static bool take_statement(struct cql_bytes *c, struct cql_bytes *v)
{
	uint32_t n;

	if (!take32(c, &n) || !n)
		return false;
	v->n = n < c->n ? n : c->n;
	v->p = take(c, v->n);
	return v->n;
}

/* A custom payload and, from the server, the id of a trace and warnings stand before the content. */
static bool prefix_skip(const struct cql_head *h, bool server, struct cql_bytes *c)
{
	struct cql_bytes v;
	uint16_t n = 0;

	if (server && h->flags & CQL_FLAG_TRACING && !take(c, 16))
		return false;
	if (server && h->flags & CQL_FLAG_WARNING && take16(c, &n))
		while (n && take_short(c, &v))
			n--;
	if (!n && h->flags & CQL_FLAG_PAYLOAD && take16(c, &n))
		while (n && take_short(c, &v) && take_bytes(c, &v))
			n--;
	return !n;
}

static size_t op_copy(char *op, const char *s)
{
	size_t n = strlen(s);

	memcpy(op, s, n + 1);
	return n;
}

static size_t op_statement(char *op, size_t at, struct cql_bytes *c, bool raw)
{
	struct cql_bytes cql;

	if (!take_statement(c, &cql))
		return at;
	return at + normalise_sql(op + at, CASSANDRA_OP_MAX - at, SQL_POSTGRES, (const char *)cql.p, cql.n, raw);
}

static size_t op_prepared(char *op, size_t at, struct cql_bytes *c, const struct statements *prepared)
{
	const char *known = NULL;
	struct cql_bytes id;

	if (take_short(c, &id))
		known = statements_get(prepared, statement_key((const char *)id.p, id.n));
	if (!known || at + strlen(known) >= CASSANDRA_OP_MAX)
		known = "(prepared statement)";
	return at + op_copy(op + at, known);
}

/* The first statement stands for the others. */
static size_t op_batch(char *op, struct cql_bytes *c, const struct statements *prepared, bool raw)
{
	size_t at = op_copy(op, "BATCH ");
	const uint8_t *head = take(c, 4);

	if (!head || !be16(head + 1))
		return at - 1;
	return head[3] ? op_prepared(op, at, c, prepared) : op_statement(op, at, c, raw);
}

size_t cql_operation(char *op, const struct cql_head *h, struct cql_bytes c, const struct statements *prepared, bool raw)
{
	if (!prefix_skip(h, false, &c))
		c.n = 0;
	switch (h->opcode) {
	case CQL_STARTUP:
		return op_copy(op, "STARTUP");
	case CQL_OPTIONS:
		return op_copy(op, "OPTIONS");
	case CQL_REGISTER:
		return op_copy(op, "REGISTER");
	case CQL_AUTH_RESPONSE:
		return op_copy(op, "AUTH_RESPONSE");
	case CQL_QUERY:
		return c.n ? op_statement(op, 0, &c, raw) : op_copy(op, "(statement)");
	case CQL_PREPARE:
		return op_statement(op, op_copy(op, "PREPARE "), &c, raw);
	case CQL_EXECUTE:
		return op_prepared(op, 0, &c, prepared);
	default:
		return op_batch(op, &c, prepared, raw);
	}
}

char cql_compression(struct cql_bytes c)
{
	struct cql_bytes key, value;
	uint16_t n = 0;

	take16(&c, &n);
	for (; n && take_short(&c, &key) && take_short(&c, &value); n--) {
		if (key.n != 11 || memcmp(key.p, "COMPRESSION", 11))
			continue;
		if (value.n == 3 && !strncasecmp((const char *)value.p, "lz4", 3))
			return 'l';
		if (value.n == 6 && !strncasecmp((const char *)value.p, "snappy", 6))
			return 's';
	}
	return 0;
}

/* The type of a column; false where it is not here as a whole, or too deep. */
static bool type_skip(struct cql_bytes *c, int depth)
{
	struct cql_bytes v;
	uint16_t type, n = 0;
	bool named;

	if (!depth || !take16(c, &type))
		return false;
	switch (type) {
	case 0x00:
		return take_short(c, &v);
	case 0x20: case 0x22:
		n = 1;
		break;
	case 0x21:
		n = 2;
		break;
	case 0x30:
		if (!take_short(c, &v) || !take_short(c, &v))
			return false;
		/* fallthrough */
	case 0x31:
		if (!take16(c, &n))
			return false;
		break;
	}
	for (named = type == 0x30; n; n--)
		if ((named && !take_short(c, &v)) || !type_skip(c, depth - 1))
			return false;
	return true;
}

static bool columns_skip(struct cql_bytes *c, uint32_t flags, uint32_t columns)
{
	struct cql_bytes v;

	if (flags & ROWS_GLOBAL && (!take_short(c, &v) || !take_short(c, &v)))
		return false;
	for (; columns; columns--) {
		if (!(flags & ROWS_GLOBAL) && (!take_short(c, &v) || !take_short(c, &v)))
			return false;
		if (!take_short(c, &v) || !type_skip(c, TYPE_DEPTH))
			return false;
	}
	return true;
}

static uint64_t rows_read(struct cql_bytes *c)
{
	uint32_t flags, columns, rows;
	struct cql_bytes v;

	if (!take32(c, &flags) || !take32(c, &columns) || columns > COLUMNS_MAX)
		return 0;
	if ((flags & ROWS_MORE && !take_bytes(c, &v)) || (flags & ROWS_CHANGED && !take_short(c, &v)))
		return 0;
	if (!(flags & ROWS_NO_METADATA) && !columns_skip(c, flags, columns))
		return 0;
	return take32(c, &rows) && rows < INT32_MAX ? rows : 0;
}

void cql_result_read(struct cql_result *r, const struct cql_head *h, struct cql_bytes c)
{
	uint32_t v;

	memset(r, 0, sizeof(*r));
	if (!prefix_skip(h, true, &c) || (h->opcode != CQL_ERROR && h->opcode != CQL_RESULT) || !take32(&c, &v))
		return;
	if (h->opcode == CQL_ERROR) {
		r->code = (int32_t)v;
		r->detail = cql_error_name(r->code, &r->error);
	} else if (v == RESULT_ROWS) {
		r->rows = rows_read(&c);
	} else if (v == RESULT_PREPARED && !take_short(&c, &r->prepared)) {
		r->prepared.n = 0;
	}
}

ssize_t cql_unpack(uint8_t *out, size_t cap, char how, struct cql_bytes c)
{
	if (how == 's')
		return unpack_snappy(out, cap, c.p, c.n);
	return how == 'l' && take(&c, 4) ? unpack_lz4(out, cap, c.p, c.n) : -1;
}

static const struct {
	int32_t code;
	enum req_error error;
	const char *name;
} errors[] = {
	{0x0000, REQ_SERVER_ERROR, "ServerError"}, {0x000a, REQ_CLIENT_ERROR, "ProtocolError"},
	{0x0100, REQ_CLIENT_ERROR, "AuthenticationError"}, {0x1000, REQ_SERVER_ERROR, "Unavailable"},
	{0x1001, REQ_SERVER_ERROR, "Overloaded"}, {0x1002, REQ_SERVER_ERROR, "IsBootstrapping"},
	{0x1003, REQ_SERVER_ERROR, "TruncateError"}, {0x1100, REQ_SERVER_ERROR, "WriteTimeout"},
	{0x1200, REQ_SERVER_ERROR, "ReadTimeout"}, {0x1300, REQ_SERVER_ERROR, "ReadFailure"},
	{0x1400, REQ_SERVER_ERROR, "FunctionFailure"}, {0x1500, REQ_SERVER_ERROR, "WriteFailure"},
	{0x1600, REQ_SERVER_ERROR, "CDCWriteFailure"}, {0x1700, REQ_SERVER_ERROR, "CASWriteUnknown"},
	{0x2000, REQ_CLIENT_ERROR, "SyntaxError"}, {0x2100, REQ_CLIENT_ERROR, "Unauthorized"},
	{0x2200, REQ_CLIENT_ERROR, "Invalid"}, {0x2300, REQ_CLIENT_ERROR, "ConfigError"},
	/* what a client asks again after preparing it again */
	{0x2400, REQ_CLIENT_ERROR, "AlreadyExists"}, {0x2500, REQ_OK, "Unprepared"},
};

const char *cql_error_name(int32_t code, enum req_error *error)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i].code == code) {
			*error = errors[i].error;
			return errors[i].name;
		}
	*error = REQ_SERVER_ERROR;
	return "Error";
}

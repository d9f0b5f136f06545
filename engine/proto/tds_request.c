/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/tds.h"
#include "proto/normalise.h"
#include "proto/wire.h"

#include <string.h>
#include <strings.h>

#define TEXT_MAX 4096
#define TYPE_INT4 0x38
#define TYPE_INTN 0x26
#define TYPE_NTEXT 0x63
#define TYPE_VARCHAR 0xa7
#define TYPE_NVARCHAR 0xe7

enum { SP_EXECUTESQL = 10, SP_PREPARE = 11, SP_EXECUTE = 12, SP_PREPEXEC = 13, SP_PREPEXECRPC = 14, SP_UNPREPARE = 15,
       SP_CURSOROPEN = 2, SP_CURSORPREPEXEC = 5 };

static const char *const procedures[] = {
	NULL, "sp_cursor", "sp_cursoropen", "sp_cursorprepare", "sp_cursorexecute", "sp_cursorprepexec", "sp_cursorunprepare",
	"sp_cursorfetch", "sp_cursoroption", "sp_cursorclose", "sp_executesql", "sp_prepare", "sp_execute", "sp_prepexec",
	"sp_prepexecrpc", "sp_unprepare",
};

#define PROCEDURES (sizeof(procedures) / sizeof(*procedures))

/* A parameter: where its value lies. */
struct value {
	const uint8_t *p;
	size_t n;
	bool wide;              /* UTF-16 */
	bool chunked;           /* in parts with their lengths before them */
};

/* UTF-16LE to UTF-8, what is none to '?'; the bytes written. */
static size_t text_narrow(char *out, size_t cap, const uint8_t *p, size_t n)
{
	size_t o = 0;

	for (size_t i = 0; i + 1 < n && o + 4 < cap; i += 2) {
		uint32_t c = le16(p + i), low;

		if (c >= 0xd800 && c < 0xdc00 && i + 3 < n && (low = le16(p + i + 2)) >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			i += 2;
		} else if (c >= 0xd800 && c < 0xe000) {
			c = '?';
		}
		if (c < 0x80) {
			out[o++] = (char)c;
		} else if (c < 0x800) {
			out[o++] = (char)(0xc0 | c >> 6);
			out[o++] = (char)(0x80 | (c & 0x3f));
		} else if (c < 0x10000) {
			out[o++] = (char)(0xe0 | c >> 12);
			out[o++] = (char)(0x80 | (c >> 6 & 0x3f));
			out[o++] = (char)(0x80 | (c & 0x3f));
		} else {
			out[o++] = (char)(0xf0 | c >> 18);
			out[o++] = (char)(0x80 | (c >> 12 & 0x3f));
			out[o++] = (char)(0x80 | (c >> 6 & 0x3f));
			out[o++] = (char)(0x80 | (c & 0x3f));
		}
	}
	return o;
}

static size_t sql_read(char *op, struct trace_ids *ids, const uint8_t *p, size_t n, bool wide, bool raw)
{
	char text[TEXT_MAX];

	if (!wide) {
		trace_ids_sql(ids, (const char *)p, n);
		return normalise_sql(op, TDS_OP_MAX, SQL_TDS, (const char *)p, n, raw);
	}
	n = text_narrow(text, sizeof(text), p, n);
	trace_ids_sql(ids, text, n);
	return normalise_sql(op, TDS_OP_MAX, SQL_TDS, text, n, raw);
}

/* Behind the headers that all messages have since TDS 7.2: their length before them, itself included. */
static size_t headers_skip(const uint8_t *p, size_t n)
{
	size_t len = n >= 4 ? le32(p) : 0;

	return n >= 22 && len >= 4 && len <= 512 && len <= n && le32(p + 4) >= 6 && le32(p + 4) <= len - 4 && le16(p + 8) <= 3 ? len : 0;
}

/* The parameter at *off, cut at n; false where it is of a type that statements and handles do not have. */
static bool value_next(const uint8_t *p, size_t n, size_t *off, struct value *v)
{
	size_t i = *off, size, length;
	uint8_t type;

	*v = (struct value){0};
	if (i >= n)
		return false;
	i += 1 + 2 * (size_t)p[i] + 1;
	if (i >= n)
		return false;
	type = p[i++];
	if (type == TYPE_INT4 || type == TYPE_INTN) {
		i += type == TYPE_INTN;
		length = type == TYPE_INT4 ? 4 : i < n ? p[i++] : 0;
	} else if (type == TYPE_NTEXT) {
		if (i + 13 > n)
			return false;
		length = le32(p + i + 9);
		i += 13;
	} else if (type == TYPE_NVARCHAR || type == TYPE_VARCHAR) {
		if (i + 9 > n)
			return false;
		size = le16(p + i);
		v->chunked = size == 0xffff;
		i += 7;
		length = v->chunked ? 0 : le16(p + i);
		length = length == 0xffff ? 0 : length;
		i += v->chunked ? 8 : 2;
		if (v->chunked && i + 4 <= n) {
			/* the first part is enough; a parameter behind it is found where there is one part only */
			length = le32(p + i);
			i += 4;
		}
	} else {
		return false;
	}
	if (i > n)
		return false;
	v->wide = type == TYPE_NTEXT || type == TYPE_NVARCHAR;
	v->p = p + i;
	v->n = length < n - i ? length : n - i;
	*off = length < n - i ? i + length : n;
	if (v->chunked && *off + 4 <= n && length)
		*off += 4;
	return true;
}

/* The statement in the parameter with that index. */
static size_t statement_read(char *op, struct trace_ids *ids, const uint8_t *p, size_t n, unsigned index, bool raw)
{
	struct value v;
	size_t off = 0;

	for (unsigned i = 0; i <= index; i++)
		if (!value_next(p, n, &off, &v))
			return 0;
	return sql_read(op, ids, v.p, v.n, v.wide, raw);
}

static void op_set(struct tds_request *r, const char *verb, const char *op, size_t n)
{
	size_t len = strlen(verb);

	memcpy(r->op, verb, len);
	n = n < TDS_OP_MAX - len ? n : TDS_OP_MAX - len - 1;
	memcpy(r->op + len, op, n);
	r->op_len = len + n;
}

static void handle_read(struct tds_request *r, unsigned procedure, const uint8_t *p, size_t n, struct statements *statements,
			struct proto_sink *s)
{
	static const char unknown[] = "(prepared statement)";
	struct value v;
	size_t off = 0;
	bool known = value_next(p, n, &off, &v) && v.n == 4;
	const char *op = known ? statements_get(statements, le32(v.p)) : NULL;

	op = op ? op : unknown;
	op_set(r, procedure == SP_UNPREPARE ? "UNPREPARE " : "", op, strlen(op));
	if (procedure == SP_UNPREPARE && known)
		statements_drop(statements, le32(v.p), s);
}

/* Procedures of the server's own that carry or name a statement: it is the operation. */
static void procedure_read(struct tds_request *r, unsigned procedure, const uint8_t *p, size_t n, struct statements *statements,
			   struct proto_sink *s)
{
	static const uint8_t where[PROCEDURES] = {[SP_EXECUTESQL] = 1, [SP_PREPARE] = 3, [SP_PREPEXEC] = 3, [SP_CURSOROPEN] = 2,
						  [SP_CURSORPREPEXEC] = 4};

	if (procedure == SP_EXECUTE || procedure == SP_UNPREPARE) {
		handle_read(r, procedure, p, n, statements, s);
		return;
	}
	if (where[procedure])
		r->statement_len = statement_read(r->statement, &r->ids, p, n, where[procedure] - 1u, s->raw);
	if (!r->statement_len) {
		op_set(r, "EXEC ", procedures[procedure], strlen(procedures[procedure]));
		return;
	}
	r->prepares = procedure == SP_PREPARE || procedure == SP_PREPEXEC;
	op_set(r, procedure == SP_PREPARE ? "PREPARE " : "", r->statement, r->statement_len);
}

static void rpc_read(struct tds_request *r, const uint8_t *p, size_t n, struct statements *statements, struct proto_sink *s)
{
	char name[256];
	size_t len = n >= 2 ? le16(p) : 0, off = len == 0xffff ? 4 : 2 + 2 * len;
	unsigned procedure = 0;

	op_set(r, "EXEC", "", 0);
	if (n < off + 2 || !len)
		return;
	if (len == 0xffff) {
		procedure = le16(p + 2);
	} else {
		len = text_narrow(name, sizeof(name), p + 2, 2 * len);
		for (size_t i = 1; i < PROCEDURES; i++)
			if (len == strlen(procedures[i]) && !strncasecmp(name, procedures[i], len))
				procedure = (unsigned)i;
	}
	if (procedure && procedure < PROCEDURES) {
		procedure_read(r, procedure, p + off + 2, n - off - 2, statements, s);
	} else if (le16(p) != 0xffff) {
		op_set(r, "EXEC ", "", 0);
		r->op_len = 5 + normalise_name(r->op + 5, TDS_OP_MAX - 5, name, len, s->raw);
	}
}

static void transaction_read(struct tds_request *r, const uint8_t *p, size_t n)
{
	static const char *const verbs[] = {[5] = "BEGIN TRANSACTION", [6] = "PROMOTE TRANSACTION", [7] = "COMMIT TRANSACTION",
					    [8] = "ROLLBACK TRANSACTION", [9] = "SAVE TRANSACTION"};
	unsigned type = n >= 2 ? le16(p) : 0;
	const char *verb = type < sizeof(verbs) / sizeof(*verbs) && verbs[type] ? verbs[type] : "DISTRIBUTED TRANSACTION";

	op_set(r, verb, "", 0);
}

void tds_request_read(struct tds_request *r, uint8_t type, const uint8_t *p, size_t n, struct statements *statements,
		      struct proto_sink *s)
{
	size_t off = headers_skip(p, n);

	r->op_len = r->statement_len = 0;
	r->prepares = false;
	r->ids = (struct trace_ids){0};
	switch (type) {
	case TDS_BATCH:
		r->op_len = sql_read(r->op, &r->ids, p + off, n - off, true, s->raw);
		break;
	case TDS_RPC:
		rpc_read(r, p + off, n - off, statements, s);
		break;
	case TDS_TRANSACTION:
		transaction_read(r, p + off, n - off);
		break;
	default:
		op_set(r, "BULK LOAD", "", 0);
	}
}

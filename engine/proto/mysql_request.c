/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/mysql.h"
#include "proto/normalise.h"
#include "proto/wire.h"

#include <string.h>

#define ATTRIBUTES_MAX 64
#define LAST_PREPARED UINT32_MAX        /* MariaDB: the statement whose number the client does not know yet */

uint64_t mysql_number(const uint8_t *p, size_t n, size_t *off)
{
	size_t i = *off, more;
	uint64_t v = 0;

	if (i >= n) {
		*off = n + 1;
		return 0;
	}
	more = p[i] < 0xfb ? 0 : p[i] == 0xfc ? 2 : p[i] == 0xfd ? 3 : p[i] == 0xfe ? 8 : 0;
	*off = i + 1 + more;
	if (!more)
		return p[i] < 0xfb ? p[i] : 0;
	if (*off > n) {
		*off = n + 1;
		return 0;
	}
	for (; more; more--)
		v = v << 8 | p[i + more];
	return v;
}

static void string_skip(const uint8_t *p, size_t n, size_t *off)
{
	uint64_t len = mysql_number(p, n, off);

	*off = *off > n || len > n - *off ? n + 1 : *off + (size_t)len;
}

/* The value of an attribute, by its type. */
static void value_skip(unsigned type, const uint8_t *p, size_t n, size_t *off)
{
	static const uint8_t sizes[16] = {[1] = 1, [2] = 2, [3] = 4, [4] = 4, [5] = 8, [8] = 8, [9] = 4, [13] = 2};

	type &= 0xff;
	if (type == 6)
		return;
	if (type < 16 && sizes[type])
		*off += sizes[type];
	else
		string_skip(p, n, off);     /* times have one byte of length, which is such a number too */
}

/* Where the text of a query begins behind its attributes (MySQL 8); past n: nowhere. */
static size_t attributes_skip(const uint8_t *p, size_t n)
{
	unsigned types[ATTRIBUTES_MAX];
	size_t off = 1, nulls;
	uint64_t count = mysql_number(p, n, &off);

	mysql_number(p, n, &off);
	if (!count || off > n)
		return off;
	nulls = off;
	off += (size_t)(count + 7) / 8 + 1;
	if (count > ATTRIBUTES_MAX || off > n || p[off - 1] != 1)
		return n + 1;
	for (size_t i = 0; i < count; i++) {
		if (off + 2 > n)
			return n + 1;
		types[i] = le16(p + off);
		off += 2;
		string_skip(p, n, &off);
	}
	for (size_t i = 0; i < count && off <= n; i++)
		if (!(p[nulls + i / 8] >> i % 8 & 1))
			value_skip(types[i], p, n, &off);
	return off;
}

static size_t query_text(const struct mysql *m, const uint8_t *p, size_t n)
{
	bool attributes = m->known ? m->caps & MYSQL_ATTRIBUTES : n > 2 && p[1] <= 8 && p[2] == 1;

	return attributes ? attributes_skip(p, n) : 1;
}

static size_t query_op(const struct mysql *m, char *op, const uint8_t *p, size_t n, bool raw)
{
	size_t off = query_text(m, p, n);

	if (off > n)
		return (size_t)(stpcpy(op, "(query)") - op);
	return normalise_sql(op, MYSQL_OP_MAX, SQL_MYSQL, (const char *)p + off, n - off, raw);
}

/* The statement that an EXECUTE or FETCH names. */
static const char *statement_of(const struct mysql *m, const uint8_t *p, size_t n)
{
	uint32_t id = n >= 5 ? le32(p + 1) : 0;
	const char *op = NULL;

	if (n >= 5 && id == LAST_PREPARED)
		op = statements_get(&m->pending, m->prepared % 32);
	if (!op && n >= 5)
		op = statements_get(&m->statements, id == LAST_PREPARED ? m->last_id : id);
	return op ? op : MYSQL_UNKNOWN;
}

static size_t command_op(struct mysql *m, const char *name, char *op, const uint8_t *p, size_t n, struct proto_sink *s)
{
	const char *text;
	size_t len;

	switch (p[0]) {
	case COM_QUERY:
		return query_op(m, op, p, n, s->raw);
	case COM_STMT_PREPARE:
		len = (size_t)(stpcpy(op, "PREPARE ") - op);
		n = normalise_sql(op + len, MYSQL_OP_MAX - len, SQL_MYSQL, (const char *)p + 1, n - 1, s->raw);
		statements_put(&m->pending, ++m->prepared % 32, op + len, n, s);
		return len + n;
	case COM_STMT_EXECUTE: case COM_STMT_BULK_EXECUTE:
		return (size_t)(stpcpy(op, statement_of(m, p, n)) - op);
	case COM_STMT_FETCH:
		text = statement_of(m, p, n);
		len = (size_t)(stpcpy(op, "FETCH ") - op);
		n = strnlen(text, MYSQL_OP_MAX - len);
		memcpy(op + len, text, n);
		return len + n;
	case COM_INIT_DB:
		len = (size_t)(stpcpy(op, "USE ") - op);
		return len + normalise_name(op + len, MYSQL_OP_MAX - len, (const char *)p + 1, n - 1, s->raw);
	default:
		return (size_t)(stpcpy(op, name) - op);
	}
}

/* What no answer comes to. */
static void command_silent(struct mysql *m, const char *name, const uint8_t *p, size_t n, uint64_t begin_ns, uint64_t end_ns,
			   size_t total, struct proto_sink *s)
{
	struct proto_request r = {.op = name, .op_len = strlen(name), .begin_ns = begin_ns, .end_ns = end_ns, .bytes = total,
				  .oneway = true};

	switch (p[0]) {
	case COM_STMT_SEND_LONG_DATA:
		m->c_bytes += total;
		break;
	case COM_STMT_CLOSE:
		if (n >= 5)
			statements_drop(&m->statements, le32(p + 1), s);
		break;
	case COM_BINLOG_DUMP: case COM_BINLOG_DUMP_GTID: case COM_TABLE_DUMP:
		s->request(s, &r);
		m->opaque = true;
		break;
	}
}

void mysql_request(struct mysql *m, const uint8_t *p, size_t n, uint64_t begin_ns, uint64_t end_ns, size_t total,
		   struct proto_sink *s)
{
	enum mysql_answer answer;
	const char *name = mysql_command(p[0], &answer);
	char op[MYSQL_OP_MAX];
	struct trace_ids ids = {0};
	struct proto_request r = {.op = op, .begin_ns = begin_ns, .end_ns = end_ns, .ids = &ids};

	m->grows = answer != ANSWER_NONE;
	if (answer == ANSWER_NONE) {
		command_silent(m, name, p, n, begin_ns, end_ns, total, s);
		return;
	}
	r.op_len = command_op(m, name, op, p, n, s);
	if (p[0] == COM_QUERY || p[0] == COM_STMT_PREPARE)
		trace_ids_sql(&ids, (const char *)p + 1, n - 1);
	r.tag = (uint8_t)((unsigned)answer | m->prepared % 32 << 3);
	r.bytes = m->c_bytes + total;
	m->c_bytes = 0;
	s->request(s, &r);
	if (p[0] == COM_CHANGE_USER || p[0] == COM_RESET_CONNECTION) {
		statements_done(&m->statements, s);
		statements_done(&m->pending, s);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/mysql.h"
#include "proto/wire.h"

#include <string.h>

#define TEXT_READ 64
#define FLAG_MORE_RESULTS 0x0008
#define FLAG_CURSOR 0x0040
#define PROGRESS 0xffff         /* MariaDB: an "error" that says how far it is */
#define EOF_BYTES 5

size_t mysql_response_read(const struct mysql *m, size_t len, bool has_first, uint8_t first)
{
	size_t most = m->state == STATE_FIRST || (has_first && first >= 0xfe) ? TEXT_READ : 1;

	return len < most ? len : most;
}

static void respond(struct mysql *m, uint64_t end_ns, struct proto_response *r, struct proto_sink *s)
{
	r->begin_ns = m->s_begin ? m->s_begin : end_ns;
	r->end_ns = end_ns;
	r->bytes = m->s_bytes;
	r->rows = m->rows;
	s->response(s, r);
	m->state = STATE_FIRST;
	m->s_begin = m->s_bytes = m->rows = 0;
}

static void respond_ok(struct mysql *m, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_response r = {0};

	respond(m, end_ns, &r, s);
}

void mysql_failed(struct mysql *m, const uint8_t *p, size_t n, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_response r = {.status = le16(p + 1)};
	char sqlstate[6] = "";

	if (n >= 9 && p[3] == '#')
		for (int i = 0; i < 5 && ((p[4 + i] >= '0' && p[4 + i] <= '9') || (p[4 + i] >= 'A' && p[4 + i] <= 'Z')); i++)
			sqlstate[i] = (char)p[4 + i];
	r.detail = mysql_error((unsigned)r.status, sqlstate, &r.error);
	if (!r.detail && sqlstate[4])
		r.detail = sqlstate;
	m->rows = 0;
	respond(m, end_ns, &r, s);
}

/* The end of one result; others may follow. */
static void result_end(struct mysql *m, unsigned flags, uint64_t end_ns, struct proto_sink *s)
{
	m->state = STATE_FIRST;
	if (!(flags & FLAG_MORE_RESULTS))
		respond_ok(m, end_ns, s);
}

/* OK: its name, rows affected, an id, flags. */
static unsigned ok_flags(const uint8_t *p, size_t n, uint64_t *affected)
{
	size_t off = 1;

	*affected = mysql_number(p, n, &off);
	mysql_number(p, n, &off);
	return off + 2 <= n ? le16(p + off) : 0;
}

static void result_begin(struct mysql *m, const uint8_t *p, size_t n)
{
	bool optional = m->known && m->caps & MYSQL_OPTIONAL_METADATA;
	size_t off = optional;
	uint64_t columns = mysql_number(p, n, &off);

	if (optional && !p[0])
		columns = 0;
	if (m->known && m->mariadb & MARIADB_CACHE_METADATA && off < n && !p[off])
		columns = 0;
	m->left = (uint32_t)columns;
	m->columns_end = false;
	m->state = columns ? STATE_COLUMNS : STATE_ROWS;
}

static void first_result(struct mysql *m, const uint8_t *p, size_t n, uint64_t end_ns, struct proto_sink *s)
{
	uint64_t affected;
	unsigned flags;

	if (p[0] == 0x00 && (n >= 7 || !(m->known && m->caps & MYSQL_OPTIONAL_METADATA))) {
		flags = ok_flags(p, n, &affected);
		m->rows += affected;
		result_end(m, flags, end_ns, s);
	} else if (p[0] == 0xfb) {
		m->file = true;
		m->s_begin = 0;         /* what answers is what comes behind the file */
	} else if (p[0] == 0xfe && n <= EOF_BYTES) {
		result_end(m, n == EOF_BYTES ? le16(p + 3) : 0, end_ns, s);
	} else {
		result_begin(m, p, n);
	}
}

static void first_prepared(struct mysql *m, unsigned key, const uint8_t *p, size_t n, uint64_t end_ns, struct proto_sink *s)
{
	const char *op = statements_get(&m->pending, key);
	unsigned columns, parameters;

	if (n < 9)
		return;
	m->last_id = le32(p + 1);
	columns = le16(p + 5);
	parameters = le16(p + 7);
	if (op)
		statements_put(&m->statements, m->last_id, op, strlen(op), s);
	else
		statements_drop(&m->statements, m->last_id, s);
	m->left = columns + parameters;
	m->ends = m->known && !(m->caps & MYSQL_DEPRECATE_EOF) ? !!columns + !!parameters : 0;
	if (m->known && m->caps & MYSQL_OPTIONAL_METADATA && n >= 13 && !p[12])
		m->left = m->ends = 0;
	/* unknown: such an end may follow behind the answer */
	m->stray = m->left && !m->known;
	m->state = STATE_DEFINITIONS;
	if (!m->left && !m->ends)
		respond_ok(m, end_ns, s);
}

static void definition(struct mysql *m, const uint8_t *p, size_t n, uint64_t end_ns, struct proto_sink *s)
{
	if (p[0] == 0xfe && n <= EOF_BYTES)
		m->ends -= m->ends > 0;
	else
		m->left -= m->left > 0;
	if (!m->left && !m->ends)
		respond_ok(m, end_ns, s);
}

/* A row, or the end of the columns or rows: EOF, or OK under its name where the client asked for that. */
static void row(struct mysql *m, enum mysql_answer answer, const uint8_t *p, size_t n, size_t len, uint64_t end_ns,
		struct proto_sink *s)
{
	uint64_t affected;
	unsigned flags;

	if (p[0] != 0xfe || len >= MYSQL_SPLIT) {
		m->rows += answer != ANSWER_FIELDS;
		m->columns_end = true;
		return;
	}
	flags = n == EOF_BYTES ? le16(p + 3) : ok_flags(p, n, &affected);
	if (n == EOF_BYTES && !m->columns_end && answer == ANSWER_RESULT && !(m->known && m->caps & MYSQL_DEPRECATE_EOF)) {
		m->columns_end = true;
		if (flags & FLAG_CURSOR)
			result_end(m, flags, end_ns, s);
		return;
	}
	result_end(m, flags, end_ns, s);
}

static void first(struct mysql *m, unsigned tag, const uint8_t *p, size_t n, size_t len, uint64_t end_ns, struct proto_sink *s)
{
	switch (tag & 7) {
	case ANSWER_PREPARED:
		first_prepared(m, tag >> 3, p, n, end_ns, s);
		break;
	case ANSWER_ROWS: case ANSWER_FIELDS:
		m->state = STATE_ROWS;
		row(m, tag & 7, p, n, len, end_ns, s);
		break;
	case ANSWER_TEXT:
		respond_ok(m, end_ns, s);
		break;
	case ANSWER_LOGIN:
		if (!p[0])
			respond_ok(m, end_ns, s);
		break;
	default:
		first_result(m, p, n, end_ns, s);
	}
}

void mysql_response(struct mysql *m, const uint8_t *p, size_t n, size_t total, uint64_t begin_ns, uint64_t end_ns,
		    struct proto_sink *s)
{
	int tag = s->tag(s);
	size_t len = total - MYSQL_HEAD;
	bool stray = m->stray && m->state == STATE_FIRST && n == EOF_BYTES && p[0] == 0xfe;

	m->stray = m->stray && m->state != STATE_FIRST;
	if (tag < 0 || stray || !n)
		return;
	if (!m->s_begin)
		m->s_begin = begin_ns;
	m->s_bytes += total;
	if (p[0] == 0xff && n >= 3 && (m->state != STATE_COLUMNS && m->state != STATE_DEFINITIONS)) {
		if (le16(p + 1) == PROGRESS)
			return;
		if ((tag & 7) == ANSWER_PREPARED)
			statements_drop(&m->pending, (unsigned)tag >> 3, s);
		mysql_failed(m, p, n, end_ns, s);
		return;
	}
	switch (m->state) {
	case STATE_FIRST:
		first(m, (unsigned)tag, p, n, len, end_ns, s);
		break;
	case STATE_COLUMNS:
		if (!--m->left)
			m->state = STATE_ROWS;
		break;
	case STATE_ROWS:
		row(m, tag & 7, p, n, len, end_ns, s);
		break;
	case STATE_DEFINITIONS:
		definition(m, p, n, end_ns, s);
		break;
	}
}

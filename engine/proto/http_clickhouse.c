/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/http_clickhouse.h"
#include "proto/normalise.h"

#include <string.h>
#include <strings.h>

#define SQL_MAX 2048            /* of a statement so much is read */
#define WORD_MAX 9              /* letters of the longest first word */

static const char *const first_words[] = {"SELECT", "INSERT", "WITH", "CREATE", "ALTER", "DROP", "SHOW", "DESCRIBE", "DESC", "EXISTS",
	"SET", "SYSTEM", "OPTIMIZE", "TRUNCATE", "RENAME", "KILL", "USE", "EXPLAIN", "ATTACH", "DETACH", "DELETE", "UPDATE",
	"GRANT", "REVOKE", "CHECK", "BACKUP", "RESTORE", "EXCHANGE", "WATCH", "UNDROP"};

static size_t blanks(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n' || p[i] == '('))
		i++;
	return i;
}

/* Does the text begin as a statement does? 1 yes, 0 no, -1 too short to tell. */
static int starts_sql(const char *p, size_t n)
{
	size_t i = blanks(p, n), k = 0;

	while (i + k < n && ((p[i + k] | 0x20) >= 'a' && (p[i + k] | 0x20) <= 'z') && k <= WORD_MAX)
		k++;
	if (i + k == n && k <= WORD_MAX)
		return -1;
	if (!blanks(p + i + k, n - i - k))
		return 0;
	for (size_t w = 0; w < sizeof(first_words) / sizeof(*first_words); w++)
		if (strlen(first_words[w]) == k && !strncasecmp(first_words[w], p + i, k))
			return 1;
	return 0;
}

/* The value of the parameter `query`, encoded; NULL: there is none. */
static const char *query_value(const char *target, size_t tn, size_t *n)
{
	const char *p = memchr(target, '?', tn), *end = target + tn, *next;

	for (; p && ++p < end; p = next) {
		next = memchr(p, '&', (size_t)(end - p));
		if (end - p >= 6 && !memcmp(p, "query=", 6)) {
			*n = (size_t)((next ? next : end) - p - 6);
			return p + 6;
		}
	}
	return NULL;
}

static int hex(char c)
{
	char l = (char)(c | 0x20);

	return c >= '0' && c <= '9' ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* Takes the encoding of URLs off up to cap bytes; how many. */
static size_t url_decode(char *out, size_t cap, const char *p, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < n && used < cap; i++) {
		char c = p[i] == '+' ? ' ' : p[i];

		if (c == '%' && i + 2 < n && hex(p[i + 1]) >= 0 && hex(p[i + 2]) >= 0) {
			c = (char)(hex(p[i + 1]) << 4 | hex(p[i + 2]));
			i += 2;
		}
		out[used++] = c;
	}
	return used;
}

int clickhouse_where(const struct http_head *h, const char *method, size_t mn, const char *target, size_t tn)
{
	bool post = mn == 4 && !memcmp(method, "POST", 4);
	size_t n;

	if (!tn || *target != '/' || (tn > 1 && target[1] != '?'))
		return CLICKHOUSE_NO;
	if (query_value(target, tn, &n))
		return CLICKHOUSE_QUERY;
	/* what waits for the server's leave is not waited for here, unless it is known whose it is */
	if (!post || h->packed || h->upgrade || (h->expects && !h->clickhouse) || (h->length <= 0 && !h->chunked))
		return CLICKHOUSE_NO;
	return CLICKHOUSE_BODY;
}

/* "INSERT INTO t FORMAT JSONEachRow" and then data, which is no SQL: bytes of the statement. */
static size_t statement_length(const char *sql, size_t n)
{
	size_t i = blanks(sql, n), k;

	if (n - i < 6 || strncasecmp(sql + i, "INSERT", 6))
		return n;
	for (; i + 8 < n; i++) {
		if (strncasecmp(sql + i, " FORMAT ", 8) && strncasecmp(sql + i, "\nFORMAT ", 8))
			continue;
		for (k = i + 8; k < n && ((sql[k] | 0x20) >= 'a' || (sql[k] >= '0' && sql[k] <= '9')) && sql[k] > ' '; k++)
			;
		return k;
	}
	return n;
}

static ssize_t op_of(char *out, size_t cap, const char *sql, size_t n, bool raw)
{
	return (ssize_t)normalise_sql(out, cap, SQL_CLICKHOUSE, sql, statement_length(sql, n), raw);
}

ssize_t clickhouse_query_op(char *out, size_t cap, const struct http_head *h, const char *target, size_t tn, bool raw)
{
	char sql[SQL_MAX];
	size_t n = 0;
	const char *v = query_value(target, tn, &n);

	if (!v || !n)
		return 0;
	n = url_decode(sql, sizeof(sql), v, n);
	return starts_sql(sql, n) > 0 || h->clickhouse ? op_of(out, cap, sql, n, raw) : 0;
}

ssize_t clickhouse_body_op(char *out, size_t cap, const struct http_head *h, const uint8_t *p, size_t n, uint64_t whole, bool raw)
{
	const char *sql = (const char *)p;
	size_t wanted = whole < SQL_MAX ? (size_t)whole : SQL_MAX;
	int sure = h->clickhouse ? 1 : starts_sql(sql, n);

	if (sure <= 0)
		return sure < 0 && n < wanted ? -1 : 0;
	return n < wanted ? -1 : op_of(out, cap, sql, wanted, raw);
}

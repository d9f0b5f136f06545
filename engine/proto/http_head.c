/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/http_head.h"

#include <string.h>
#include <strings.h>

#define METHOD_MAX 24           /* the longest that is registered has 17 characters */
#define TARGET_MAX 8192         /* a longer one is taken for one before its end is seen */

/* Those of RFC 9110, RFC 5789, WebDAV and its relatives, UPnP, caches: what follows them need not be seen. */
static bool is_method(const uint8_t *p, size_t n)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "CONNECT",
		"TRACE", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH",
		"PURGE", "MKCALENDAR", "SUBSCRIBE", "UNSUBSCRIBE", "NOTIFY", "M-SEARCH", "LINK", "UNLINK", "QUERY"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (strlen(methods[i]) == n && !memcmp(methods[i], p, n))
			return true;
	return false;
}

/* RFC 9110, 5.6.2 */
static bool is_token(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i], l = c | 0x20;

		if (!(l >= 'a' && l <= 'z') && !(c >= '0' && c <= '9') && (!c || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return n > 0;
}

int http_is_request_line(const uint8_t *p, size_t n)
{
	const uint8_t *lf = memchr(p, '\n', n), *end;

	if (!lf)
		return n > TARGET_MAX ? 1 : -1;
	end = lf > p && lf[-1] == '\r' ? lf - 1 : lf;
	return end - p > 10 && !memcmp(end - 9, " HTTP/1.", 8) && end[-1] >= '0' && end[-1] <= '9';
}

int http_starts_request(const uint8_t *p, size_t n)
{
	const uint8_t *sp = memchr(p, ' ', n < METHOD_MAX + 1 ? n : METHOD_MAX + 1);

	if (!sp)
		return n && n <= METHOD_MAX && is_token(p, n) ? -1 : 0;
	if (!is_token(p, (size_t)(sp - p)))
		return 0;
	if ((size_t)(sp - p) + 1 == n)
		return -1;
	if (sp[1] <= ' ' || sp[1] == 0x7f)
		return 0;
	if (is_method(p, (size_t)(sp - p)))
		return 1;
	return n > TARGET_MAX ? 0 : http_is_request_line(p, n);
}

int http_starts_response(const uint8_t *p, size_t n)
{
	static const char want[] = "HTTP/1.";
	size_t k = n < 7 ? n : 7;

	if (memcmp(p, want, k))
		return 0;
	if (n < 13)
		return -1;
	return (p[7] == '0' || p[7] == '1') && p[8] == ' ' && p[9] >= '1' && p[9] <= '9' && p[10] >= '0' && p[10] <= '9' &&
	       p[11] >= '0' && p[11] <= '9' && (p[12] == ' ' || p[12] == '\r' || p[12] == '\n');
}

size_t http_head_length(const struct proto_bytes *b, uint32_t *scanned)
{
	size_t i = *scanned > 3 ? *scanned - 3 : 0;
	const uint8_t *lf;

	while (i < b->n && (lf = memchr(b->p + i, '\n', b->n - i))) {
		size_t at = (size_t)(lf - b->p) + 1;

		if (at < b->n && b->p[at] == '\n')
			return at + 1;
		if (at + 1 < b->n && b->p[at] == '\r' && b->p[at + 1] == '\n')
			return at + 2;
		i = at;
	}
	*scanned = (uint32_t)b->n;
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value of a field "name: value" where its name is `name`. Folded lines (RFC 9112, 5.2) are part of it. */
static const char *field_value(const char *line, size_t n, const char *name, size_t *len)
{
	size_t k = strlen(name);

	if (n <= k || strncasecmp(line, name, k))
		return NULL;
	while (k < n && (line[k] == ' ' || line[k] == '\t'))
		k++;
	if (k == n || line[k] != ':')
		return NULL;
	line += k + 1;
	n -= k + 1;
	while (n && is_space(*line))
		line++, n--;
	while (n && is_space(line[n - 1]))
		n--;
	*len = n;
	return line;
}

/* A number, or several times the same ("5, 5"). */
static int64_t length_value(const char *v, size_t n)
{
	const char *comma = memchr(v, ',', n);
	int64_t x = 0;

	if (comma)
		n = (size_t)(comma - v);
	if (!n || n > 18)
		return -2;
	for (size_t i = 0; i < n; i++) {
		if (v[i] < '0' || v[i] > '9')
			return -2;
		x = x * 10 + (v[i] - '0');
	}
	return x;
}

static bool ends_in(const char *v, size_t n, const char *word)
{
	size_t k = strlen(word);

	return n >= k && !strncasecmp(v + n - k, word, k) && (n == k || is_space(v[n - k - 1]) || v[n - k - 1] == ',');
}

static bool has_word(const char *v, size_t n, const char *word)
{
	for (;;) {
		const char *comma = memchr(v, ',', n);
		size_t k = comma ? (size_t)(comma - v) : n, end = k;

		while (end && is_space(v[end - 1]))
			end--;
		if (ends_in(v, end, word))
			return true;
		if (!comma)
			return false;
		v += k + 1;
		n -= k + 1;
	}
}

static uint64_t digits_value(const char *v, size_t n)
{
	uint64_t x = 0;

	for (size_t i = 0; i < n && i < 18 && v[i] >= '0' && v[i] <= '9'; i++)
		x = x * 10 + (uint64_t)(v[i] - '0');
	return x;
}

/* "key":"123" of X-ClickHouse-Summary. */
static uint64_t summary_value(const char *v, size_t n, const char *key)
{
	const char *at = memmem(v, n, key, strlen(key));

	if (!at)
		return 0;
	at += strlen(key);
	return digits_value(at, n - (size_t)(at - v));
}

static void clickhouse_field(struct http_head *h, const char *line, size_t n)
{
	const char *v;
	size_t len;

	if (n < 14 || strncasecmp(line, "x-clickhouse-", 13))
		return;
	h->clickhouse = true;
	if ((v = field_value(line, n, "x-clickhouse-exception-code", &len))) {
		h->exception = (int)(digits_value(v, len < 9 ? len : 9));
	} else if ((v = field_value(line, n, "x-clickhouse-summary", &len))) {
		h->rows = summary_value(v, len, "\"result_rows\":\"");
		if (!h->rows)
			h->rows = summary_value(v, len, "\"written_rows\":\"");
		if (!h->rows)
			h->rows = summary_value(v, len, "\"read_rows\":\"");
	}
}

static void field(struct http_head *h, const char *line, size_t n)
{
	const char *v;
	size_t len;

	if (trace_ids_may(line, n))
		trace_ids_line(&h->ids, line, n);
	switch (*line | 0x20) {
	case 'c':
		if ((v = field_value(line, n, "content-length", &len)))
			h->length = length_value(v, len);
		else if ((v = field_value(line, n, "content-encoding", &len)))
			h->packed = !ends_in(v, len, "identity");
		break;
	case 't':
		/* several of them are one list: the last word counts */
		if ((v = field_value(line, n, "transfer-encoding", &len))) {
			h->chunked = ends_in(v, len, "chunked");
			h->coded = !h->chunked && !ends_in(v, len, "identity");
		}
		break;
	case 'u':
		if ((v = field_value(line, n, "upgrade", &len)))
			h->upgrade = has_word(v, len, "h2c") ? UPGRADE_H2C : UPGRADE_OTHER;
		break;
	case 'e':
		h->expects |= field_value(line, n, "expect", &len) != NULL;
		break;
	case 'x':
		clickhouse_field(h, line, n);
		break;
	}
}

struct http_head http_head_read(const uint8_t *p, size_t n)
{
	struct http_head h = {.length = -1};
	const uint8_t *lf = memchr(p, '\n', n);

	while (lf && ++lf < p + n) {
		const uint8_t *next = memchr(lf, '\n', (size_t)(p + n - lf));

		while (next && next + 1 < p + n && (next[1] == ' ' || next[1] == '\t'))
			next = memchr(next + 1, '\n', (size_t)(p + n - next - 1));
		if (!next)
			break;
		if (next > lf)
			field(&h, (const char *)lf, (size_t)(next - lf));
		lf = next;
	}
	return h;
}

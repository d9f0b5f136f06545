/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define DEPTH_MAX 63

void json_init(struct json *j, bool pretty)
{
	*j = (struct json){.pretty = pretty};
}

void json_done(struct json *j)
{
	free(j->buf);
	json_init(j, j->pretty);
}

void json_reset(struct json *j)
{
	j->len = 0;
	j->depth = 0;
	j->is_array = j->has_item = 0;
	j->failed = false;
	if (j->buf)
		j->buf[0] = '\0';
}

static bool reserve(struct json *j, size_t more)
{
	size_t cap = j->cap ? j->cap : 256;
	char *grown;

	if (j->failed)
		return false;
	if (j->len + more + 1 <= j->cap)
		return true;
	while (cap < j->len + more + 1)
		cap *= 2;
	grown = realloc(j->buf, cap);
	if (!grown) {
		j->failed = true;
		return false;
	}
	j->buf = grown;
	j->cap = cap;
	return true;
}

static void put(struct json *j, const char *s, size_t n)
{
	if (!reserve(j, n))
		return;
	memcpy(j->buf + j->len, s, n);
	j->len += n;
	j->buf[j->len] = '\0';
}

static void put_text(struct json *j, const char *s)
{
	put(j, s, strlen(s));
}

static void newline(struct json *j)
{
	uint32_t i;

	if (!j->pretty)
		return;
	put(j, "\n", 1);
	for (i = 0; i < j->depth; i++)
		put(j, "  ", 2);
}

/* RFC 8259, 7: beyond U+FFFF a pair of surrogates. */
static void put_code(struct json *j, uint32_t cp)
{
	char esc[16];

	if (cp > 0xffff)
		snprintf(esc, sizeof(esc), "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10), 0xdc00 + (cp & 0x3ff));
	else
		snprintf(esc, sizeof(esc), "\\u%04x", cp);
	put_text(j, esc);
}

/* What a terminal would act on is not there as it is: JSON is looked at, too. */
static void put_escaped(struct json *j, const char *s, size_t n)
{
	size_t i = 0;

	put(j, "\"", 1);
	while (i < n) {
		unsigned char c = (unsigned char)s[i];
		uint32_t cp = c;
		size_t len = utf8_decode(s + i, n - i, &cp);

		if (c == '"' || c == '\\') {
			char esc[2] = {'\\', (char)c};

			put(j, esc, 2);
		} else if (c == '\n') {
			put(j, "\\n", 2);
		} else if (c == '\t') {
			put(j, "\\t", 2);
		} else if (!len || utf8_unsafe(cp)) {
			put_code(j, cp);
		} else {
			put(j, s + i, len);
		}
		i += len ? len : 1;
	}
	put(j, "\"", 1);
}

/* Comma, indentation and key before any value. */
static void lead(struct json *j, const char *key)
{
	uint64_t bit = (uint64_t)1 << j->depth;

	assert((j->depth && !(j->is_array & bit)) == (key != NULL));
	if (j->depth) {
		if (j->has_item & bit)
			put(j, ",", 1);
		j->has_item |= bit;
		newline(j);
	}
	if (key) {
		put_escaped(j, key, strlen(key));
		put(j, j->pretty ? ": " : ":", j->pretty ? 2 : 1);
	}
}

static void begin(struct json *j, const char *key, bool array)
{
	uint64_t bit;

	lead(j, key);
	put(j, array ? "[" : "{", 1);
	assert(j->depth < DEPTH_MAX);
	j->depth++;
	bit = (uint64_t)1 << j->depth;
	j->is_array = array ? j->is_array | bit : j->is_array & ~bit;
	j->has_item &= ~bit;
}

static void end(struct json *j, bool array)
{
	uint64_t bit = (uint64_t)1 << j->depth;
	bool empty = !(j->has_item & bit);

	assert(j->depth && array == !!(j->is_array & bit));
	j->depth--;
	if (!empty)
		newline(j);
	put(j, array ? "]" : "}", 1);
}

void json_object(struct json *j, const char *key)
{
	begin(j, key, false);
}

void json_object_end(struct json *j)
{
	end(j, false);
}

void json_array(struct json *j, const char *key)
{
	begin(j, key, true);
}

void json_array_end(struct json *j)
{
	end(j, true);
}

void json_stringn(struct json *j, const char *key, const char *s, size_t n)
{
	lead(j, key);
	put_escaped(j, s, n);
}

void json_string(struct json *j, const char *key, const char *s)
{
	if (s)
		json_stringn(j, key, s, strlen(s));
	else
		json_null(j, key);
}

void json_number(struct json *j, const char *key, double v)
{
	char text[48];

	if (!isfinite(v)) {
		json_null(j, key);
		return;
	}
	if (fabs(v) < 9007199254740992.0 && v == floor(v))
		snprintf(text, sizeof(text), "%" PRId64, (int64_t)v);
	else if (fabs(v) >= 1e-4 && fabs(v) < 1e15)
		snprintf(text, sizeof(text), "%.6f", v);
	else
		snprintf(text, sizeof(text), "%.6g", v);
	if (strchr(text, '.') && !strchr(text, 'e')) {
		size_t n = strlen(text);

		while (text[n - 1] == '0')
			text[--n] = '\0';
		if (text[n - 1] == '.')
			text[n - 1] = '\0';
	}
	lead(j, key);
	put_text(j, text);
}

void json_int(struct json *j, const char *key, int64_t v)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, v);
	lead(j, key);
	put_text(j, text);
}

void json_uint(struct json *j, const char *key, uint64_t v)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	lead(j, key);
	put_text(j, text);
}

void json_bool(struct json *j, const char *key, bool v)
{
	lead(j, key);
	put_text(j, v ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
	lead(j, key);
	put_text(j, "null");
}

void json_time(struct json *j, const char *key, int64_t unix_ns)
{
	char text[40];

	if (unix_ns <= 0)
		json_null(j, key);
	else
		json_string(j, key, time_rfc3339(text, sizeof(text), unix_ns));
}

void json_raw(struct json *j, const char *key, const char *text)
{
	lead(j, key);
	put_text(j, text);
}

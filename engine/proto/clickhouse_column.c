/* SPDX-License-Identifier: BSD-2-Clause */
/* Columns of the Native format: https://clickhouse.com/docs/en/native-protocol/columns. */
#include "proto/clickhouse.h"
#include "proto/wire.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX (1ull << 40)

enum step { STEP_PREFIX = 0, STEP_OFFSETS, STEP_LAST_OFFSET, STEP_DICTIONARY, STEP_KEYS, STEP_COUNT, STEP_INDEXES, STEP_NULLS,
	    STEP_VALUES, STEP_DONE };

uint8_t ch_byte(struct ch_reader *r)
{
	if (r->more || r->at >= r->n) {
		r->more = true;
		return 0;
	}
	return r->p[r->at++];
}

uint64_t ch_number(struct ch_reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t c = ch_byte(r);

		v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return v;
	}
	r->bad = true;
	return 0;
}

void ch_skip(struct ch_reader *r, uint64_t n)
{
	if (r->more || n > r->n - r->at)
		r->more = true;
	else
		r->at += n;
}

const char *ch_string(struct ch_reader *r, size_t *n)
{
	uint64_t len = ch_number(r);
	const char *s = (const char *)r->p + r->at;

	*n = 0;
	if (len > 1u << 30)
		r->bad = true;
	ch_skip(r, len);
	if (r->more || r->bad)
		return NULL;
	*n = (size_t)len;
	return s;
}

static bool strip(const char **s, size_t *n, const char *prefix)
{
	size_t len = strlen(prefix);

	if (*n <= len || memcmp(*s, prefix, len))
		return false;
	*s += len;
	*n -= len;
	return true;
}

/* The bytes of a value; 0 strings, -1 not known. */
static int size_of(const char *s, size_t n)
{
	static const struct {
		const char *name;
		int size;
	} types[] = {
		{"UInt8", 1}, {"UInt16", 2}, {"UInt32", 4}, {"UInt64", 8}, {"UInt128", 16}, {"UInt256", 32}, {"Int8", 1}, {"Int16", 2},
		{"Int32", 4}, {"Int64", 8}, {"Int128", 16}, {"Int256", 32}, {"Float32", 4}, {"Float64", 8}, {"BFloat16", 2},
		{"Bool", 1}, {"Date", 2}, {"Date32", 4}, {"DateTime", 4}, {"DateTime64", 8}, {"UUID", 16}, {"IPv4", 4}, {"IPv6", 16},
		{"Enum8", 1}, {"Enum16", 2}, {"Nothing", 1}, {"String", 0},
	};
	size_t word = 0;
	long digits;

	while (word < n && s[word] != '(' && s[word] != ')')
		word++;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strlen(types[i].name) == word && !memcmp(types[i].name, s, word))
			return types[i].size;
	if (word >= 8 && !memcmp(s, "Interval", 8))
		return 8;
	digits = word + 1 < n && s[word] == '(' && s[word + 1] >= '1' && s[word + 1] <= '9' ? s[word + 1] - '0' : 0;
	for (size_t i = word + 2; digits && i < n && s[i] >= '0' && s[i] <= '9' && digits < 100000; i++)
		digits = digits * 10 + s[i] - '0';
	if (digits && word == 11 && !memcmp(s, "FixedString", 11))
		return (int)digits;
	if (digits && word == 7 && !memcmp(s, "Decimal", 7))
		return digits <= 9 ? 4 : digits <= 18 ? 8 : digits <= 38 ? 16 : 32;
	return -1;
}

bool ch_column_init(struct ch_column *c, const char *type, size_t n, uint64_t rows)
{
	int size;

	*c = (struct ch_column){.rows = rows};
	c->array = strip(&type, &n, "Array(");
	c->dictionary = strip(&type, &n, "LowCardinality(");
	c->nullable = strip(&type, &n, "Nullable(");
	size = size_of(type, n);
	if (size < 0 || rows > ROWS_MAX)
		return false;
	c->size = (uint32_t)size;
	/* what a dictionary holds for NULL is a value like any other */
	c->step = c->dictionary ? STEP_PREFIX : c->array ? STEP_OFFSETS : c->nullable ? STEP_NULLS : STEP_VALUES;
	if (!rows)
		c->step = STEP_DONE;
	return true;
}

/* Strings as far as they are there: at least one, or 0. */
static ssize_t strings_skip(uint64_t *left, const uint8_t *p, size_t n)
{
	struct ch_reader r = {.p = p, .n = n};
	size_t at = 0;

	while (*left) {
		uint64_t len = ch_number(&r);

		if (r.bad || len > 1u << 30)
			return -1;
		if (r.more)
			break;
		--*left;
		at = r.at + (size_t)len;
		if (at >= n)
			break;
		r.at = at;
	}
	return (ssize_t)at;
}

static ssize_t values_skip(struct ch_column *c, uint8_t next, const uint8_t *p, size_t n)
{
	ssize_t r;

	if (!c->size) {
		r = strings_skip(&c->rows, p, n);
		if (!c->rows)
			c->step = next;
		return r;
	}
	c->step = next;
	return (ssize_t)(c->rows * c->size);
}

/* The head of a dictionary: what its indexes are, and how many keys follow. */
static ssize_t dictionary_begin(struct ch_column *c, const uint8_t *p, size_t n)
{
	if (n < 16)
		return 0;
	if ((le64(p) & 0xff) > 3 || !(le64(p) & 0x200) || le64(p) & 0x100 || le64(p + 8) > ROWS_MAX)
		return -1;
	c->index_size = (uint8_t)(1u << (le64(p) & 3));
	c->rows = le64(p + 8);
	c->step = c->rows ? STEP_KEYS : STEP_COUNT;
	return 16;
}

static ssize_t count_read(struct ch_column *c, const uint8_t *p, size_t n, uint8_t next)
{
	if (n < 8)
		return 0;
	c->rows = le64(p);
	if (c->rows > ROWS_MAX)
		return -1;
	c->step = c->rows ? next : STEP_DONE;
	return 8;
}

static ssize_t step(struct ch_column *c, const uint8_t *p, size_t n)
{
	uint64_t rows = c->rows;

	switch (c->step) {
	case STEP_PREFIX:
		c->step = c->array ? STEP_OFFSETS : STEP_DICTIONARY;
		return 8;
	case STEP_OFFSETS:
		c->step = STEP_LAST_OFFSET;
		return (ssize_t)(rows - 1) * 8;
	case STEP_LAST_OFFSET:
		return count_read(c, p, n, c->dictionary ? STEP_DICTIONARY : c->nullable ? STEP_NULLS : STEP_VALUES);
	case STEP_DICTIONARY:
		return dictionary_begin(c, p, n);
	case STEP_KEYS:
		return values_skip(c, STEP_COUNT, p, n);
	case STEP_COUNT:
		return count_read(c, p, n, STEP_INDEXES);
	case STEP_INDEXES:
		c->step = STEP_DONE;
		return (ssize_t)(rows * c->index_size);
	case STEP_NULLS:
		c->step = STEP_VALUES;
		return (ssize_t)rows;
	default:
		return values_skip(c, STEP_DONE, p, n);
	}
}

ssize_t ch_column_skip(struct ch_column *c, const uint8_t *p, size_t n, bool *done)
{
	size_t off = 0;

	while (c->step != STEP_DONE && off <= n) {
		uint8_t before = c->step;
		ssize_t r = step(c, p + off, n - off);

		if (r < 0)
			return -1;
		off += (size_t)r;
		if (!r && c->step == before)
			break;
		/* what is skipped ends behind the bytes: the rest is looked at when they have passed */
		if (off >= n)
			break;
	}
	*done = c->step == STEP_DONE;
	return (ssize_t)off;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/bson.h"
#include "proto/wire.h"

#include <string.h>

#define DOCUMENT_MAX (64u << 20)

bool bson_open(struct bson *d, const uint8_t *p, size_t n)
{
	uint32_t len;

	if (n < 5)
		return false;
	len = le32(p);
	if (len < 5 || len > DOCUMENT_MAX)
		return false;
	d->p = p + 4;
	d->end = p + (len < n ? len : n);
	return true;
}

/* The length of a value that n bytes are here of; 0: none, or more bytes are needed to tell. Regular expressions (two
 * strings) end the walk where they are cut. */
static size_t value_length(uint8_t type, const uint8_t *p, size_t n)
{
	const uint8_t *nul;

	switch (type) {
	case 0x01: case 0x09: case 0x11: case 0x12:
		return 8;
	case 0x08:
		return 1;
	case 0x10:
		return 4;
	case 0x07:
		return 12;
	case 0x13:
		return 16;
	case 0x02: case 0x0d: case 0x0e:
		return n < 4 || le32(p) > DOCUMENT_MAX ? 0 : 4 + (size_t)le32(p);
	case 0x03: case 0x04: case 0x0f:
		return n < 4 || le32(p) < 5 || le32(p) > DOCUMENT_MAX ? 0 : le32(p);
	case 0x05:
		return n < 4 || le32(p) > DOCUMENT_MAX ? 0 : 5 + (size_t)le32(p);
	case 0x0c:
		return n < 4 || le32(p) > DOCUMENT_MAX ? 0 : 16 + (size_t)le32(p);
	case 0x0b:
		nul = memchr(p, 0, n);
		nul = nul ? memchr(nul + 1, 0, n - (size_t)(nul + 1 - p)) : NULL;
		return nul ? (size_t)(nul + 1 - p) : 0;
	}
	return 0;
}

static bool has_no_value(uint8_t type)
{
	return type == 0x06 || type == 0x0a || type == 0xff || type == 0x7f;
}

bool bson_next(struct bson *d, struct bson_element *e)
{
	const uint8_t *nul;
	size_t here;

	if (d->end - d->p < 2 || !*d->p)
		return false;
	e->type = d->p[0];
	nul = memchr(d->p + 1, 0, (size_t)(d->end - d->p) - 1);
	if (!nul)
		return false;
	e->name = (const char *)d->p + 1;
	e->value = nul + 1;
	here = (size_t)(d->end - e->value);
	e->total = value_length(e->type, e->value, here);
	if (!e->total && !has_no_value(e->type))
		return false;
	e->n = e->total < here ? e->total : here;
	d->p = e->value + e->n;
	return true;
}

const char *bson_string(const struct bson_element *e, size_t *n)
{
	if (e->type != BSON_STRING || e->n < 5 || e->n < e->total || e->value[e->n - 1])
		return NULL;
	*n = e->n - 5;
	return (const char *)e->value + 4;
}

bool bson_number(const struct bson_element *e, int64_t *v)
{
	uint64_t bits;
	double d;

	if (e->n < e->total)
		return false;
	switch (e->type) {
	case BSON_DOUBLE:
		bits = le64(e->value);
		memcpy(&d, &bits, sizeof(d));
		if (!(d > -9e18 && d < 9e18))
			return false;
		*v = (int64_t)d;
		return true;
	case BSON_INT32:
		*v = (int32_t)le32(e->value);
		return true;
	case BSON_INT64:
		*v = (int64_t)le64(e->value);
		return true;
	case BSON_BOOL:
		*v = e->value[0];
		return true;
	}
	return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bson: the elements of a document (https://bsonspec.org), one after the other, without going into them.  The bytes may be the
 * beginning of the document only: what is cut off is not found.  Nothing is allocated or copied.
 */
#ifndef ROOTLE_PROTO_BSON_H
#define ROOTLE_PROTO_BSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BSON_DOUBLE = 0x01, BSON_STRING = 0x02, BSON_DOCUMENT = 0x03, BSON_ARRAY = 0x04, BSON_BOOL = 0x08, BSON_INT32 = 0x10,
	BSON_INT64 = 0x12,
};

struct bson_element {
	uint8_t type;
	const char *name;          /* NUL-terminated */
	const uint8_t *value;
	size_t n;                  /* of the value, as far as it is here */
	size_t total;              /* of the value, as it is on the wire */
};

struct bson {
	const uint8_t *p, *end;    /* of what is not read yet */
};

/* A document at p, of which n bytes are here; false where it is none. */
bool bson_open(struct bson *d, const uint8_t *p, size_t n);
/* The next element; false at the end, where the bytes end, and where they are no BSON. A value that is cut is the last. */
bool bson_next(struct bson *d, struct bson_element *e);
/* The string of a whole string element; NULL where it is none. */
const char *bson_string(const struct bson_element *e, size_t *n);
/* A number or boolean as an integer; false where it is none. */
bool bson_number(const struct bson_element *e, int64_t *v);

#endif

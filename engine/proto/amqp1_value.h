/* SPDX-License-Identifier: BSD-2-Clause */
/* amqp1_value: values as AMQP 1.0 encodes them (part 1, types). They may be cut: what is not there reads as null. */
#ifndef ROOTLE_PROTO_AMQP1_VALUE_H
#define ROOTLE_PROTO_AMQP1_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct amqp1_value {
	uint8_t code;              /* the constructor, 0x40 for null */
	bool described;
	uint64_t type;             /* its descriptor, where that is a number; else 0 */
	const uint8_t *p;          /* the data, for variable and compound types behind their size */
	size_t n;                  /* as much of it as there is */
	uint32_t count;            /* elements of a list or map */
};

/* Values one after the other. */
struct amqp1_cursor {
	const uint8_t *p;
	size_t n;
	uint32_t left;             /* elements that follow, at most */
};

/* The next value, or null behind the last one. False: what follows cannot be read. */
bool amqp1_next(struct amqp1_cursor *c, struct amqp1_value *v);
/* The elements of a list or map; none for anything else. */
struct amqp1_cursor amqp1_elements(const struct amqp1_value *v);
/* The element at index i of a list; null where it has none. */
struct amqp1_value amqp1_element(const struct amqp1_value *list, unsigned i);

static inline bool amqp1_is_null(const struct amqp1_value *v)
{
	return v->code == 0x40;
}

/* Of any unsigned type, fallback for others and null. */
uint64_t amqp1_number(const struct amqp1_value *v, uint64_t fallback);
bool amqp1_bool(const struct amqp1_value *v);
/* A string or a symbol. */
bool amqp1_is_text(const struct amqp1_value *v);

#endif

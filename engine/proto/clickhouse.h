/* SPDX-License-Identifier: BSD-2-Clause */
/* clickhouse: what the files of ClickHouse's native protocol share. Nobody else includes it. */
#ifndef ROOTLE_PROTO_CLICKHOUSE_H
#define ROOTLE_PROTO_CLICKHOUSE_H

#include "proto/proto.h"

/* A reader of numbers and strings: once it is past the end, `more` stays set and all it gives is 0. */
struct ch_reader {
	const uint8_t *p;
	size_t n, at;
	bool more, bad;
};

uint64_t ch_number(struct ch_reader *r);
uint8_t ch_byte(struct ch_reader *r);
void ch_skip(struct ch_reader *r, uint64_t n);
/* The string's bytes within r->p, and its length; NULL where it is not all there. */
const char *ch_string(struct ch_reader *r, size_t *n);

/* What is left of a column of a block: its values in the order in which they lie. */
struct ch_column {
	uint64_t rows;
	uint32_t size;          /* of a value; 0: strings */
	bool dictionary;        /* LowCardinality */
	bool array, nullable;
	uint8_t step;
	uint8_t index_size;     /* of the dictionary's indexes */
};

/* Understands a type's name; false: values of this type cannot be skipped. */
bool ch_column_init(struct ch_column *c, const char *type, size_t n, uint64_t rows);
/* Skips a piece of the column at p: how many bytes, past n where they are not all there yet; 0: more bytes are needed; -1: it is
 * broken. *done: the column is. */
ssize_t ch_column_skip(struct ch_column *c, const uint8_t *p, size_t n, bool *done);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * statements: what a connection's prepared statements, portals or handles mean: key -> fingerprint, bounded.  A key is the
 * protocol's number, or statement_key() of its name.  Past the bound the oldest goes, and what it meant is unknown.
 */
#ifndef ROOTLE_PROTO_STATEMENTS_H
#define ROOTLE_PROTO_STATEMENTS_H

#include "proto/proto.h"

struct statement {
	uint64_t key;
	char *op;
	uint32_t size;          /* of op, its NUL included */
};

struct statements {
	struct statement *v;
	uint32_t n, cap, oldest;
};

uint64_t statement_key(const char *name, size_t n);
/* Remembers; what does not fit is forgotten. op may be a string of another table, never of this one. */
void statements_put(struct statements *t, uint64_t key, const char *op, size_t n, struct proto_sink *s);
/* The fingerprint, or NULL; valid until the next put or drop. */
const char *statements_get(const struct statements *t, uint64_t key);
void statements_drop(struct statements *t, uint64_t key, struct proto_sink *s);
/* Forgets all; the table can be used again. */
void statements_done(struct statements *t, struct proto_sink *s);

#endif

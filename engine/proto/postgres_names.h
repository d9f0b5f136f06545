/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postgres_names: what a connection's prepared statements or portals mean: name -> fingerprint, bounded.  Past the bound
 * the oldest goes; its executions are then "(prepared statement)".
 */
#ifndef ROOTLE_PROTO_POSTGRES_NAMES_H
#define ROOTLE_PROTO_POSTGRES_NAMES_H

#include "proto/proto.h"

struct pg_name {
	uint64_t hash;          /* of the name */
	char *op;
	uint32_t size;          /* of op, its NUL included */
};

struct pg_names {
	struct pg_name *v;
	uint32_t n, cap, oldest;
};

/* Remembers; what does not fit is forgotten. */
void pg_names_put(struct pg_names *t, const char *name, const char *op, size_t n, struct proto_sink *s);
/* The fingerprint, or NULL; valid until the next put or drop. */
const char *pg_names_get(const struct pg_names *t, const char *name);
void pg_names_drop(struct pg_names *t, const char *name, struct proto_sink *s);
void pg_names_done(struct pg_names *t, struct proto_sink *s);

#endif

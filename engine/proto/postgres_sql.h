/* SPDX-License-Identifier: BSD-2-Clause */
/* postgres_sql: what SQL itself says of prepared statements, whose names are those of the protocol. */
#ifndef ROOTLE_PROTO_POSTGRES_SQL_H
#define ROOTLE_PROTO_POSTGRES_SQL_H

#include "proto/statements.h"

/* Notes what PREPARE, DEALLOCATE and DISCARD ALL do to the statements. The fingerprint of what EXECUTE runs, NULL for any other
 * text or an unknown name; valid as statements_get() says. */
const char *postgres_sql(struct statements *t, const char *sql, size_t n, struct proto_sink *s);

#endif

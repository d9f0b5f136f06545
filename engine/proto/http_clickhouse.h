/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_clickhouse: is an HTTP request one to ClickHouse, and what does it ask?  The SQL is the parameter `query`, or the body of a POST to
 * "/", or both, the body then being data.  Without a header of ClickHouse's own its first word tells.
 */
#ifndef ROOTLE_PROTO_HTTP_CLICKHOUSE_H
#define ROOTLE_PROTO_HTTP_CLICKHOUSE_H

#include "proto/http_head.h"

enum { CLICKHOUSE_NO = 0, CLICKHOUSE_QUERY, CLICKHOUSE_BODY };

/* Of a head: whether and where the SQL may be. */
int clickhouse_where(const struct http_head *h, const char *method, size_t mn, const char *target, size_t tn);
/* The operation from the target's parameter, or from the beginning of a body (or of its first chunk) of `whole` bytes, n of which are
 * here; 0: it is no SQL; -1: more of the body is wanted. Its length. */
ssize_t clickhouse_query_op(char *out, size_t cap, const struct http_head *h, const char *target, size_t tn, bool raw);
ssize_t clickhouse_body_op(char *out, size_t cap, const struct http_head *h, const uint8_t *p, size_t n, uint64_t whole,
			   bool raw);

#endif

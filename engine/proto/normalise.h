/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * normalise: operations without their values, so that what people would call the same operation is the same string.
 * Pure functions from bytes to a caller's buffer; never allocate. The result is valid UTF-8, NUL-terminated, cut at cap - 1
 * (a cut ends in "…"); the return value is its length.
 */
#ifndef ROOTLE_PROTO_NORMALISE_H
#define ROOTLE_PROTO_NORMALISE_H

#include <stddef.h>
#include <stdint.h>

/* SQL: literals (numbers, strings, dollar quotes, casts of them), comments and excess space go; $1, ? and literals become ?;
 * IN lists and VALUES rows collapse; keywords upper case; identifiers as they are; ends of lists of columns stay. */
size_t normalise_sql(char *out, size_t cap, const char *sql, size_t n);
/* "METHOD /path": no query, no fragment; path segments that are numbers, UUIDs, hashes, dates or long tokens become {id}. */
size_t normalise_http(char *out, size_t cap, const char *method, size_t mn, const char *target, size_t tn);
/* "VERB name": labels of the wire format (n bytes, uncompressed) in lower case; those that are numbers, hashes or addresses become
 * {id}, several in a row one. verb NULL: "TYPE<type>" (RFC 3597). */
size_t normalise_dns(char *out, size_t cap, const char *verb, unsigned type, const uint8_t *name, size_t n);

#endif

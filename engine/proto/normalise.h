/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * normalise: operations without their values, so that what people would call the same operation is the same string.
 * Pure functions from bytes to a caller's buffer; never allocate. The result is valid UTF-8, NUL-terminated, cut at cap - 1
 * (a cut ends in "…"); the return value is its length.
 */
#ifndef ROOTLE_PROTO_NORMALISE_H
#define ROOTLE_PROTO_NORMALISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * raw: the user wants operations with their values (proto_sink.raw): the text as it is, but cleaned to one line. Everything that may
 * go into an operation is written by a function of this file, so that a parser never decides that by itself.
 */

enum sql_dialect { SQL_POSTGRES, SQL_MYSQL, SQL_TDS, SQL_CLICKHOUSE };

/* SQL: literals (numbers, strings, dollar quotes, casts of them), comments and excess space go; $1, ? and literals become ?;
 * IN lists and VALUES rows collapse; keywords upper case; identifiers as they are; ends of lists of columns stay; numbered names
 * of savepoints and cursors become ?. */
size_t normalise_sql(char *out, size_t cap, enum sql_dialect dialect, const char *sql, size_t n, bool raw);
/* "METHOD /path": no query, no fragment; path segments, or words of them, that are numbers, UUIDs, hashes, dates, tokens or long
 * titles become {id}. raw: with query. */
size_t normalise_http(char *out, size_t cap, const char *method, size_t mn, const char *target, size_t tn, bool raw);
/* The same for Elasticsearch and OpenSearch, whose paths name an index and an action ("_search"): dates, numbers and the like go from
 * the names of indices, the identity of a document becomes {id}. 0: it is none of theirs. */
size_t normalise_elasticsearch(char *out, size_t cap, const char *method, size_t mn, const char *target, size_t tn);
/* "VERB name": labels of the wire format (n bytes, uncompressed) in lower case; those that are numbers, hashes or addresses become
 * {id}, several in a row one. verb NULL: "TYPE<type>" (RFC 3597). */
size_t normalise_dns(char *out, size_t cap, const char *verb, unsigned type, const uint8_t *name, size_t n, bool raw);
/* The name of a queue, topic, table, collection, index, or a path of such: words between / . : - _ that are values become {id};
 * numbers of up to two digits stay ("retry-2"). */
size_t normalise_name(char *out, size_t cap, const char *name, size_t n, bool raw);
/* Untrusted text as one line. For what only sink->raw shows, and for what a parser has made without values. */
size_t normalise_raw(char *out, size_t cap, const char *text, size_t n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_id: the ids that requests carry for tracers and logs, wherever a protocol puts them: fields of a head, metadata, comments
 * of SQL.  They are kept as hashes of fixed size, never as text, and nothing here allocates.
 *
 * An id says which request caused which only together with where it was seen: of two hops with one id the one into a process is the
 * parent of the one out of it.  Ids are claims of whoever sends them: they may be repeated, wrong, or the same for all.
 *
 * Sources: W3C Trace Context 1, B3 (openzipkin/b3-propagation), Jaeger's and Datadog's client libraries, AWS X-Ray's tracing header,
 * SkyWalking's sw8, sqlcommenter.
 */
#ifndef ROOTLE_PROTO_TRACE_ID_H
#define ROOTLE_PROTO_TRACE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a request says of its own; 0: nothing. Formats that write one id differently (128 or 64 bits, in decimal) come to one hash. */
struct trace_ids {
	uint64_t trace;         /* the same for all requests of one trace */
	uint64_t span;          /* new at each hop, where who sends it has a tracer; the same on all hops, where it only passes it on */
	uint64_t parent;        /* the span of the request that caused it, where the format says so (B3, Jaeger) */
	uint64_t request;       /* X-Request-ID and its like: the same on all hops */
	uint8_t trace_rank, request_rank;       /* which field they are of: of several the same one counts, in whichever order they come */
};

static inline bool trace_ids_any(const struct trace_ids *ids)
{
	return ids->trace_rank | ids->request_rank;
}

/* May a field of this name, or a line that begins with it, be read? Most are not; the callers ask first, for speed. */
static inline bool trace_ids_may(const char *name, size_t n)
{
	if (n < 2)
		return false;
	switch (((uint8_t)name[0] | 0x20) << 8 | ((uint8_t)name[1] | 0x20)) {
	case 'x' << 8 | ('-' | 0x20):
	case 'x' << 8 | ('_' | 0x20):
	case 'b' << 8 | ('3' | 0x20):
	case 's' << 8 | 'w':
	case 'u' << 8 | 'b':
	case 'e' << 8 | 'l':
		return true;
	case 't' << 8 | 'r':
		return n > 5 && (name[2] | 0x20) == 'a' && (name[3] | 0x20) == 'c';
	case 'r' << 8 | 'e':
		return n > 5 && (name[2] | 0x20) == 'q';
	case 'c' << 8 | 'o':
		return n > 5 && (name[2] | 0x20) == 'r';
	}
	return false;
}

/* A field of a head, a parameter or metadata; names are compared without case. */
void trace_ids_field(struct trace_ids *ids, const char *name, size_t name_n, const char *value, size_t value_n);
/* Is it the name of a field that is read? */
bool trace_ids_knows(const char *name, size_t n);
/* A line "name: value" without its end. */
void trace_ids_line(struct trace_ids *ids, const char *line, size_t n);
/* What comments of a statement say: key='value' (sqlcommenter), key:value (Marginalia). */
void trace_ids_sql(struct trace_ids *ids, const char *sql, size_t n);
/* What ids does not have yet, from more of the same request (its response). */
void trace_ids_merge(struct trace_ids *ids, const struct trace_ids *more);

#endif

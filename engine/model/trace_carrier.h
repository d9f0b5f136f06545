/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_carrier: which request into a process came with an id, for what the process calls with it.  The id nearest to the
 * call is asked first: the span that the call names as its parent, the span that was passed on as it came, the trace, the id of
 * the request.  An id that came with several requests says nothing, and the next one is asked: requests of one trace have
 * spans of their own.
 *
 * A table of a fixed size over the ring of hops, probed in line; what finds no room is counted.
 */
#ifndef ROOTLE_MODEL_TRACE_CARRIER_H
#define ROOTLE_MODEL_TRACE_CARRIER_H

#include <stdint.h>

struct hop;
struct trace;

#define CARRIERS 65536u         /* more than the three ids of each hop of the ring */

/* hop: serial number of the last request that came with it; tag: of the id and the process. */
struct carrier { uint32_t hop; uint32_t tag : 31, several : 1; };

struct carriers { struct carrier v[CARRIERS]; uint64_t lost; };

/* A hop whose read is known, if any, with its ids. */
void carriers_note(struct trace *t, uint32_t hop);
/* The hop whose id the call carries, and which may have caused it; 0: none, or several. */
uint32_t carriers_cause(struct trace *t, const struct hop *call);

#endif

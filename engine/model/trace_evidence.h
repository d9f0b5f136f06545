/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_evidence: what the reads and writes of threads say of the cause of a call.  Witnesses name a request, or none; how
 * far each may be believed is trace_trust.h's, and what is linked is trace_link.c's.  Nothing here changes anything.
 */
#ifndef ROOTLE_MODEL_TRACE_EVIDENCE_H
#define ROOTLE_MODEL_TRACE_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

struct hop;
struct model;
struct trace;

#define EVIDENCE_PENDING UINT32_MAX     /* what may be the parent has not ended */

struct guess {
	uint32_t hop;                  /* serial number; 0: none; EVIDENCE_PENDING */
	bool ordered;                  /* by the order in a run */
	bool weak;                     /* of a run of which the order says nothing */
	uint8_t act;                   /* 0: a request or its answer, 1: of a call, 2: of a call on the same connection */
	bool connect;                  /* of connect() */
	uint8_t place;                 /* of the write after the read: 0 next, 1 behind another write, 2 LATE_NS after it */
};

/* Of TRACE_KINDS. */
unsigned evidence_kind(const struct guess *g);
/* Was the parent read before the child was written, by the same process, and does it end after it? */
bool trace_may_cause(const struct trace *t, const struct hop *parent, const struct hop *child);
bool trace_is_cause(const struct trace *t, uint32_t parent, const struct hop *child);
/* What the thread had read before it wrote the call, or connected for it. */
struct guess evidence_forward(const struct model *m, const struct hop *h);
/* What was written after the answer was read: the answer to its cause, or the next call of it. */
struct guess evidence_backward(const struct model *m, const struct hop *h);
/* The only request that the process was serving; EVIDENCE_PENDING. */
uint32_t evidence_only(const struct model *m, const struct hop *h);
/* A thread called, waited for the answer, perhaps called again, and answered. */
uint32_t evidence_handed(const struct trace *t, const struct hop *h);

#endif

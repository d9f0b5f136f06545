/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_trust: how far a kind of evidence of a process may be believed, as two witnesses that know nothing of each other
 * have agreed or not.  Counts decay by halves, so that what a process did long ago does not speak for ever.
 */
#ifndef ROOTLE_MODEL_TRACE_TRUST_H
#define ROOTLE_MODEL_TRACE_TRUST_H

#include <stdbool.h>

/* How often a kind of evidence of a process was right and wrong, decaying, as far as the other evidence tells. */
struct record { float right, wrong; };

#define TRUST_LEAST 0.97f              /* for a link by one side alone */
#define TRUST_SAMPLES_MIN 12           /* before a record says anything */

/* How likely the next is right: 0 to 1. */
float trust_of(const struct record *r);
bool trust_is_enough(const struct record *r);
/* right: 1, or 0, or how sure that is */
void trust_add(struct record *r, float right);
/* It is nearly always so, nearly never so; both before it is known. */
bool trust_is_rule(const struct record *r);
bool trust_is_exception(const struct record *r);
/* Of two that disagree, one is right: how sure is it that it is the first? */
float trust_first(float first, float second);
/* They agree, then both are right; or one is wrong, the likelier the less it is trusted. */
void trust_learn(struct record *f, struct record *b, bool agree);
/* Two that agree: are these good enough for that to be no chance? */
bool trust_is_agreement(const struct record *f, const struct record *b);
/* Are forward and backward of a process more than chance? Of an event loop that reads and writes in batches they are not,
 * and the order within a run is first to be doubted. */
bool trust_is_credible(const struct record *both, bool ordered);
/* The same of those that each chose from a run, where chance makes them agree more often. */
bool trust_is_credible_chosen(const struct record *chosen);
/* Of a witness that is alone: has what it named nearly never made the call already? One that names at random would often meet such. behind: of what
 * did not come next after the read, which needs to be seen right for longer. */
bool trust_is_borne_out(const struct record *only, bool behind);

#endif

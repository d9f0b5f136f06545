/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outcome: how the requests of one operation ended, where it is worth a word: errors, and what has a status or a name of its own
 * (a redirect, a miss).  Plain success is not told: it is what is left.
 */
#ifndef ROOTLE_MODEL_OUTCOME_H
#define ROOTLE_MODEL_OUTCOME_H

#include "base/vec.h"
#include "proto/flow.h"

/* Kinds of one operation in one tick; what comes past it counts as one that has no status and no name. */
#define OUTCOMES_MAX 16

struct outcome {
	int status;                /* protocol's own; 0: none */
	enum req_error error;
	char detail[32];           /* SQLSTATE, error word; "" none */
	uint64_t count;
};

struct outcomes { VEC(struct outcome) v; };

/* Is it worth a word? */
bool outcome_is_told(const struct request *r);
/*
 * What counts as an error of the service.  A request that the client got wrong does not: a crawler's 404s are not an
 * incident.  Except where the status means overload or a timeout (408, 429, 499: gave up waiting), and except in protocols
 * whose clients are programs of ours: a query that is wrong is a fault of the system that is looked at.  o NULL: not known.
 */
bool outcome_is_error(const struct proto_ops *o, enum req_error class, int status);
/* 0, or -ENOMEM. */
int outcome_add(struct outcomes *o, const struct request *r, uint64_t count);
int outcomes_merge(struct outcomes *into, const struct outcomes *from);
void outcomes_done(struct outcomes *o);

#endif

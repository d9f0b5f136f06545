/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sweep: names that nothing refers to any more go: edges, operations, series, cgroups, stacks, frames and, behind
 * them, services.
 *
 * No index leads from a name to its facts, so a pass marks what the facts of each tick refer to, one tick a put, from the
 * newest back to the oldest, and then deletes what it did not meet, one table a put.  What came in since the pass began is
 * known to the writer's dictionary (dict.h) and stays; where that is forgotten, or rows come in past it (an import), the pass
 * begins anew.  Backwards, because a bucket that is rolled up takes an id behind those that go into it.  A file with
 * imported rows keeps all names.
 */
#ifndef ROOTLE_STORE_SWEEP_H
#define ROOTLE_STORE_SWEEP_H

#include <stdint.h>

#include "base/vec.h"

struct store;

enum sweep_table { SWEEP_EDGE, SWEEP_OP, SWEEP_SERIES, SWEEP_CGROUP, SWEEP_STACK, SWEEP_FRAME, SWEEP_SERVICE,
	SWEEP_TABLES };

struct sweep {
	int64_t tick;                          /* the last one that was looked at; 0: begin */
	unsigned table;                        /* to be deleted from next; 0 while ticks are looked at */
	VEC(uint8_t) used[SWEEP_TABLES];       /* by id */
};

/* In a transaction: the next slice. 0 or negative. */
int sweep_slice(struct store *s);
/* A row that came in refers to this name, which the dictionary may not remember: it stays in this pass. 0 or -ENOMEM. */
int sweep_keep(struct store *s, enum sweep_table table, int64_t id);
/* To be called when the dictionary is forgotten or rows came in past it. */
void sweep_reset(struct store *s);
void sweep_done(struct sweep *w);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fold: fewer rows of a profile that say the same at a coarser grain: the rarest stacks become "(other)" below the caller
 * that they have, so that every caller that is left still has its whole share; samples are never lost.
 */
#ifndef ROOTLE_STORE_FOLD_H
#define ROOTLE_STORE_FOLD_H

#include "base/vec.h"
#include "store/store.h"

#define STACK_OTHER 1             /* stack.id and frame.id of "(other)" without a caller */

struct profile_row { int64_t service, pid, stack, samples; };
struct profile_rows { VEC(struct profile_row) list; };

/* Rows of one service. At most `most` are left, or one for each stack that cannot be shortened. 0 or negative with s->why. */
int fold_rows(struct store *s, struct profile_rows *rows, size_t most);

/* The bucket being rolled up: its rows of each service, folded; those of its ticks go. 0 or negative. */
int fold_roll(struct store *s);

#endif

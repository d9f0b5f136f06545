/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * retain: what keeps a recording within its limits: pruning by age and by size.
 *
 * The main file may have max_pages pages; the rest of max_bytes is for -wal and -shm.  Before rows go in, the oldest
 * recorded ticks are deleted until the free pages and those that the file may still grow by hold them.  The wall
 * (wall.h) stands behind that.  Imported rows are never pruned: where they fill the file, puts fail with -ENOSPC.
 */
#ifndef ROOTLE_STORE_RETAIN_H
#define ROOTLE_STORE_RETAIN_H

#include "store/store.h"

/* Sets the limits up and, where the file is larger than they allow, shrinks it. */
int retain_open(struct store *s);
/* In a transaction: makes room for about `bytes` of rows. 0, or -ENOSPC where only imported rows are left. */
int retain_room(struct store *s, int64_t bytes);
/* In a transaction: a slice of pruning by age; now_ns is the end of the newest tick. */
int retain_age(struct store *s, int64_t now_ns);
/*
 * The disk is full, whatever the limits say.  Outside of transactions: writes what is in the -wal to the main file, so that
 * the next frames go over the old ones.  0, or -ENOSPC where a reader still needs them: pruning would not help then.
 */
int retain_relieve(struct store *s);
/* In a transaction: up to `most` of the oldest recorded ticks go, fewer where `bytes` of rows fit into free pages before.
 * How many went, or negative. */
int retain_squeeze(struct store *s, int64_t bytes, int most);

#endif

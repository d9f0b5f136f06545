/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * roll: recorded ticks older than limits.raw_ns become intervals of 10 s.
 *
 * Counts and sums stay exact, histograms are merged.  A point's value becomes the mean over the time that it was known
 * (which keeps a rate's total and a gauge's level), its limit the highest; what is said of the end of an interval (open,
 * inflight, threads …) is that of the last tick, memory the highest.  One table a put, so that no put is long.
 */
#ifndef ROOTLE_STORE_ROLL_H
#define ROOTLE_STORE_ROLL_H

#include "store/store.h"

/* In a transaction: the next slices, where there is a bucket old enough; now_ns is the end of the newest tick. */
int roll_slice(struct store *s, int64_t now_ns);

#endif

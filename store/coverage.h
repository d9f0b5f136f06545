/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coverage: what a recording says of itself was not seen, as sentences for win_coverage.notes: time without a
 * recording, records that were lost, connections that were left out for the budget, probes that were absent.  Facts of
 * the file only, in a fixed order, NOTES_MAX a file at most.
 */
#ifndef ROOTLE_STORE_COVERAGE_H
#define ROOTLE_STORE_COVERAGE_H

#include "store/store.h"

#define NOTES_MAX 8

/* In a read transaction: adds the notes of [since, until). A note that is there already (of another
 * file) is not repeated. 0 or negative. */
int coverage_notes(struct store *s, int64_t since_ns, int64_t until_ns, struct window *w);

#endif

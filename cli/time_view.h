/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * time_view: where the time of requests goes, as requests, edges and services show it with --time: what it takes on the mean, a
 * bar of the parts and the largest of them; calls by callee in place of their sum.
 */
#ifndef ROOTLE_CLI_TIME_VIEW_H
#define ROOTLE_CLI_TIME_VIEW_H

#include "base/json.h"
#include "model/summary.h"
#include "rows.h"

/* The columns behind the names, and their cells of a row whose calls these are. */
#define TIME_COLUMNS {"TIMED", true}, {"MEAN", true}, {"BAR"}, {"PARTS", false, true}
void time_cells(struct table *t, const struct window *w, const struct win_timing *timing, const struct sum_call *calls, size_t n);
/* Prints n rows and, for people, what the letters of their bars mean, and frees. */
void time_end(struct rows_table *t, size_t n);
/* "time": {timed, timed_ns, NAME_ns of each part, unknown_ns, downstream: [{to, protocol, port, count, ns}]}; null: nothing is
 * known. */
void json_time_parts(struct json *j, const struct window *w, const struct win_timing *timing, const struct sum_call *calls,
		     size_t n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * waterfall: one trace drawn in time: a line a hop with its service, operation, bar, duration and status, indented below what
 * caused it, and a line of what is known of it: how its parent was found, and where its time went.
 *
 *	SERVICE, OPERATION            0                 187 ms
 *	nginx GET /items/{id}         ######################     187 ms  502
 *	`- shop.py GET /items/{id}    ######################     186 ms  500
 *	     by id, 100 %: downstream 182 ms, CPU 900 us, queue 41 us, unknown 3.0 ms
 */
#ifndef ROOTLE_TUI_WATERFALL_H
#define ROOTLE_TUI_WATERFALL_H

#include "model/span_tree.h"
#include "tui/grid.h"

/* Draws the lines from `first` on into rows [row, row + rows) of g, and says how many there are in all (rows 0: nothing is drawn).
 * most: hops that are drawn, what is left is counted in the last line; 0: all. */
int waterfall_draw(const struct span_tree *t, const struct sum_trace *trace, uint32_t most, struct grid *g, int row, int rows, int first);

#endif

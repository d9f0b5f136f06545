/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view: what a screen of the terminal view is: a row of view_table[] and a file view_*.c.  A view draws the state into a
 * part of the grid; it never waits, reads keys or touches the store.
 */
#ifndef ROOTLE_TUI_VIEW_H
#define ROOTLE_TUI_VIEW_H

#include "explain/explain.h"
#include "model/summary.h"
#include "tui/grid.h"

struct top_state {
	const struct window *window;       /* the range shown; NULL before the first tick */
	const struct summary *sum;
	const struct report *report;       /* newest explanation; NULL: none yet */
	const char *filter;                /* service, NULL: all */
	int selected, first;               /* line of the view, first line shown */
	int lines;                         /* out: lines that the view has */
	const char *picked;                /* out: service of the selected line; NULL: none */
};

struct view {
	const char *name;
	/* Draws into rows [row, row + rows) of g; sets st->lines and st->picked. */
	void (*draw)(struct top_state *st, struct grid *g, int row, int rows);
};

extern const struct view view_map, view_services, view_causes, view_traces;

/* In the order of their digits, NULL behind the last. */
extern const struct view *const view_table[];

#endif

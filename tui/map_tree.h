/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_tree: the service map as a tree of calls: who calls whom, one line an edge with its rate, p95, errors and health,
 * from the clients down.  A service that several call stands once with all that it calls; the other lines refer to it.
 * Fits 80 columns at any size, since depth is all that takes width.
 */
#ifndef ROOTLE_TUI_MAP_TREE_H
#define ROOTLE_TUI_MAP_TREE_H

#include "model/summary.h"
#include "tui/grid.h"

struct map_tree_line {
	uint32_t service;          /* the callee; a root: the client itself */
	uint32_t edge;             /* WIN_NONE: a root */
	int depth;
	bool last;                 /* of its siblings */
	bool again;                /* drawn in full above: not descended into again */
	uint64_t rails;            /* bit d: a line of depth d goes on below this one */
};

struct map_tree;

/* Lays the map out; NULL: no memory. The summary is borrowed. service: as in map_wanted() (NULL: all). */
struct map_tree *map_tree_new(const struct summary *s, const char *service);
void map_tree_free(struct map_tree *m);
int map_tree_rows(const struct map_tree *m);          /* header line included */
const struct map_tree_line *map_tree_line(const struct map_tree *m, int i);

/* Draws lines from `first` on into rows [row, row + rows) ; selected < 0: none. */
void map_tree_draw(const struct map_tree *m, struct grid *g, int row, int rows, int first, int selected);

#endif

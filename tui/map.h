/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map: the service map as a tree of calls: who calls whom, one line an edge with its rate, p95, errors and health, from the
 * clients down.  A service that several call stands once with all that it calls; the other lines refer to it.  Fits 80
 * columns at any size, since depth is all that takes width.
 */
#ifndef ROOTLE_TUI_MAP_H
#define ROOTLE_TUI_MAP_H

#include "model/summary.h"
#include "tui/grid.h"

enum health { HEALTH_OK = 0, HEALTH_WARN, HEALTH_BAD };

struct map_line {
	uint32_t service;          /* the callee; a root: the client itself */
	uint32_t edge;             /* WIN_NONE: a root */
	int depth;
	bool last;                 /* of its siblings */
	bool again;                /* drawn in full above: not descended into again */
	uint64_t rails;            /* bit d: a line of depth d goes on below this one */
};

struct map_layout;

/* Lays the map out; NULL: no memory. The summary is borrowed. service: only what calls it and what it calls, directly or
 * not (NULL: all). Idle edges (no request, no connection in the range) are left out. */
struct map_layout *map_layout_new(const struct summary *s, const char *service);
void map_layout_free(struct map_layout *m);
int map_layout_rows(const struct map_layout *m);          /* header line included */
const struct map_line *map_layout_line(const struct map_layout *m, int i);

/* Draws lines from `first` on into rows [row, row + rows) ; selected < 0: none. */
void map_layout_draw(const struct map_layout *m, struct grid *g, int row, int rows, int first, int selected);

/* BAD: >= 1 % errors, refused connects, or requests that wait for over 5 s; WARN: any error, or retransmits > 1 %. */
enum health edge_health(const struct sum_edge *e);

#endif

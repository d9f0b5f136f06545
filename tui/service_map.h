/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service_map: the service map as a layered drawing: callers on the left, callees on the right, each call with its
 * rate, p95, errors and health in a row of its own at the callee.  Chooses how much is said, and what is folded, so
 * that it fits the columns and rows given: what is in trouble is never folded.  map_graph.h says what is on it,
 * layered.h where.
 */
#ifndef ROOTLE_TUI_SERVICE_MAP_H
#define ROOTLE_TUI_SERVICE_MAP_H

#include "tui/grid.h"
#include "tui/layered.h"
#include "tui/map_graph.h"

#define MAP_NODES_MAX 400      /* more are folded before anything is drawn */

/* How nodes and calls are drawn; the columns that each number takes, 0: it is left out. */
struct map_look {
	struct layered_style style;
	bool boxed;                /* with a frame, the name in its upper edge */
	bool beside;               /* the name behind the numbers, not above them */
	int protocol, rate, p95, errors;
	int name;                  /* columns of a name that are not given up */
};

struct service_map {
	struct map_graph *graph;
	struct layered *layered;   /* NULL: no drawing of it fits the columns, or too much cannot be folded; or there is nothing on it */
	const struct map_look *look;
};

/* cols 0: as wide as it likes to be; rows 0: as high. A drawing that is higher than `rows` is folded as far as can be.
 * service: as in map_wanted(). NULL: no memory. */
struct service_map *service_map_new(const struct summary *s, const char *service, int cols, int rows, bool utf8);
void service_map_free(struct service_map *m);
int service_map_rows(const struct service_map *m);         /* the legend, its last row, included */

/* The nodes in reading order, layer by layer from top to bottom: what the selection moves through. WIN_NONE: there are
 * not so many. */
uint32_t service_map_nth(const struct service_map *m, int i);

/* Draws rows from `first` on into rows [row, row + rows) of g, and the legend into the last. selected WIN_NONE: none. */
void service_map_draw(const struct service_map *m, struct grid *g, int row, int rows, int first, uint32_t selected);

/* Columns of the numbers of a call. */
int map_look_numbers(const struct map_look *k);
/* "12 services, 18 calls, 7 folded" */
void service_map_counts(const struct service_map *m, char *buf, size_t cap);

#endif

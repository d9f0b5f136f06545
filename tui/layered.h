/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layered: a directed graph → coordinates on a grid of cells, from left to right (Sugiyama's method).  Knows nothing of
 * services or terminals, does no I/O; the same input gives the same drawing.
 *
 *	layered_rank()    cycles are broken, each node gets a layer behind those that call it
 *	layered_slots()   room in each layer for its nodes and for the lines that pass: nodes * layers of memory
 *	layered_order()   the order within the layers, so that few lines cross
 *	layered_place()   rows, columns, and the lines between; may be repeated with another style
 *
 * A node is a block of cells: `head` rows, a row (or `pitch` rows) for each edge that enters it, `foot` rows.  So each
 * edge has a row of its own at its target, where its numbers stand.  All edges of a node leave at one row and part on
 * the way; on their way through a layer they take one row together.  Lines of different nodes cross at right angles and
 * share no other cell.
 */
#ifndef ROOTLE_TUI_LAYERED_H
#define ROOTLE_TUI_LAYERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/vec.h"

struct layered_node {
	int least, good, wish;     /* in: columns that it needs, those with which little is lost, and those that it would like */
	int layer;                 /* by layered_rank() */
	int x, y, w, h;            /* by layered_place() */
	int exit;                  /* the row that its lines leave at, from the top of the drawing */
	int entries;               /* edges that enter it, those without a line included */
	bool calls;                /* a line leaves it */
};

struct layered_edge {
	uint32_t from, to;         /* in */
	bool apart;                /* in: has its row at the target, and no line */
	bool back;                 /* by layered_rank(): closes a cycle, or begins where it ends: no line either */
	int y;                     /* by layered_place(): the row at the target */
};

/* From (x0, y0) to (x1, y1), x0 <= x1, y0 <= y1, one of them equal. Begins in the last column of a node, ends in the
 * first of one. */
struct layered_line { uint32_t edge; int x0, y0, x1, y1; };

struct layered_style {
	int head, foot;            /* rows above and below those of the edges */
	int body;                  /* rows between them where no edge enters: 0 or 1 */
	int pitch;                 /* rows of an edge */
};

struct layered {
	struct layered_node *node;
	struct layered_edge *edge;
	size_t nodes, edges;
	int layers;
	int width, height;         /* of the drawing as placed */
	VEC(struct layered_line) lines;
	struct arena arena, scratch_;      /* private from here */
	struct slot *slot_;
	struct link *link_;
	size_t slots_, links_;
	uint32_t **order_;         /* by layer: its slots from top to bottom */
	size_t *order_n_;
	size_t *channel_;          /* by layer: its first link; links are sorted by the layer they leave */
	uint32_t *pass_;           /* by node and layer: the slot of its lines there */
};

/* Room for the input, zeroed: the caller fills node[].least, .good, .wish and edge[].from, .to, .apart. NULL: no memory. */
struct layered *layered_new(size_t nodes, size_t edges);
void layered_free(struct layered *l);

/* In this order; each 0 or -ENOMEM. */
int layered_rank(struct layered *l);
int layered_slots(struct layered *l);
int layered_order(struct layered *l);
/* cols 0: as wide as it likes to be. A drawing that does not fit them is as narrow as it can be. */
int layered_place(struct layered *l, const struct layered_style *style, int cols);

/* Rows and columns that a drawing in this style has at least; after layered_slots(), costs next to nothing. */
void layered_least(const struct layered *l, const struct layered_style *style, int *cols, int *rows);
/* Pairs of edges that cross in the order found. */
size_t layered_crossings(const struct layered *l);

#endif

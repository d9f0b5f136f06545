/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of layered share. */
#ifndef ROOTLE_TUI_LAYERED_PRIVATE_H
#define ROOTLE_TUI_LAYERED_PRIVATE_H

#include "tui/layered.h"

#define NONE UINT32_MAX

/* A place in a layer: a node, or the row in which the lines of `node` pass through to later layers. */
struct slot {
	uint32_t node;
	bool pass;
	int layer, pos;
	int y, h;
	double key;
};

/* From a slot to one of the next layer. */
struct link {
	uint32_t from, to;
	uint32_t edge;             /* that ends here; NONE: it goes on from the slot `to` */
	int entry;                 /* which row of `to` */
};

int slot_exit(const struct layered *l, const struct layered_style *style, const struct slot *s);
int link_row(const struct layered *l, const struct layered_style *style, const struct link *k);

/* Parts of layered_place(): y of every slot, then x and the lines. */
int layered_rows(struct layered *l, const struct layered_style *style);
int layered_route(struct layered *l, const struct layered_style *style, int cols);

#endif

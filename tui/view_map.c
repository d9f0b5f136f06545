/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/map.h"
#include "tui/view.h"

static void draw(struct top_state *st, struct grid *g, int row, int rows)
{
	struct map_layout *m = map_layout_new(st->sum, st->filter);
	const struct map_line *l;

	if (!m)
		return;
	st->lines = map_layout_rows(m) - 1;
	l = map_layout_line(m, st->selected);
	st->picked = l ? st->window->services.v[l->service].name : NULL;
	map_layout_draw(m, g, row, rows, st->first, st->selected);
	if (!st->lines)
		grid_put(g, row + 1, 2, 0, STYLE_DIM, st->filter ? "no connection of this service here" : "no connection seen yet");
	map_layout_free(m);
}

const struct view view_map = {"map", draw};

/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/service_map.h"
#include "tui/map_tree.h"
#include "tui/view.h"

static void draw_nothing(const struct top_state *st, struct grid *g, int row)
{
	grid_put(g, row + 1, 2, 0, STYLE_DIM, st->filter ? "no connection of this service here" : "no connection seen yet");
}

/* So that the selected node is seen, in the middle where that can be. */
static int scroll(const struct service_map *m, uint32_t selected, int rows)
{
	const struct layered_node *n = &m->layered->node[selected];
	int hidden = service_map_rows(m) - rows, first = n->y + n->h / 2 - rows / 2;

	return hidden <= 0 || first < 0 ? 0 : first > hidden ? hidden : first;
}

static void draw_layers(struct top_state *st, struct grid *g, int row, int rows, const struct service_map *m)
{
	uint32_t selected;

	st->lines = (int)m->graph->nodes;
	if (st->selected >= st->lines)
		st->selected = st->lines - 1;
	selected = service_map_nth(m, st->selected);
	if (m->graph->node[selected].service != WIN_NONE)
		st->picked = st->window->services.v[m->graph->node[selected].service].name;
	service_map_draw(m, g, row, rows, scroll(m, selected, rows), selected);
}

/* Where there are too many layers for the columns. */
static void draw_tree(struct top_state *st, struct grid *g, int row, int rows)
{
	struct map_tree *m = map_tree_new(st->sum, st->filter);
	const struct map_tree_line *l;

	if (!m)
		return;
	st->lines = map_tree_rows(m) - 1;
	l = map_tree_line(m, st->selected);
	st->picked = l ? st->window->services.v[l->service].name : NULL;
	map_tree_draw(m, g, row, rows, st->first, st->selected);
	map_tree_free(m);
}

static void draw(struct top_state *st, struct grid *g, int row, int rows)
{
	struct service_map *m = service_map_new(st->sum, st->filter, g->cols, rows, g->utf8);

	if (!m)
		return;
	if (m->layered)
		draw_layers(st, g, row, rows, m);
	else if (m->graph->nodes)
		draw_tree(st, g, row, rows);
	else
		draw_nothing(st, g, row);
	service_map_free(m);
}

const struct view view_map = {"map", draw};

/* SPDX-License-Identifier: BSD-2-Clause */
/* The traces of the range, the slowest first, and below them the selected one in time. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "tui/view.h"
#include "tui/waterfall.h"

#define LIST_SHARE 3              /* one of so many rows is the list's, as long as it has more */
#define COL_TIME 10
#define COL_TOOK 9
#define COL_HOPS 6
#define COL_ERR 5
#define COL_STATUS 10
#define NUMBERS (COL_TOOK + COL_HOPS + COL_ERR + COL_STATUS)

static int slowest_first(const void *pa, const void *pb)
{
	const struct sum_trace *a = pa, *b = pb;

	if (a->dur_ns != b->dur_ns)
		return a->dur_ns > b->dur_ns ? -1 : 1;
	return a->t_ns < b->t_ns ? -1 : a->t_ns > b->t_ns;
}

static bool touches(const struct span_tree *tree, const struct sum_trace *t, uint32_t service)
{
	for (uint32_t i = 0; i < t->n; i++) {
		const struct win_span *s = &tree->window->spans.v[tree->nodes.v[t->first + i].span];

		if (s->service == service || (s->edge != WIN_NONE && tree->window->edges.v[s->edge].from == service))
			return true;
	}
	return false;
}

/* The wanted ones in front, in their order; how many. */
static int arrange(struct span_tree *tree, const char *filter)
{
	uint32_t service = filter ? window_find_service(tree->window, filter) : WIN_NONE;
	size_t n = 0;

	for (size_t i = 0; i < tree->traces.n; i++)
		if (!filter || (service != WIN_NONE && touches(tree, &tree->traces.v[i], service)))
			tree->traces.v[n++] = tree->traces.v[i];
	if (n)
		qsort(tree->traces.v, n, sizeof(*tree->traces.v), slowest_first);
	return (int)n;
}

static void draw_titles(struct grid *g, int row, int numbers)
{
	grid_put(g, row, 0, 0, STYLE_TITLE, "time");
	grid_put(g, row, COL_TIME, 0, STYLE_TITLE, "service, operation");
	grid_right(g, row, numbers, COL_TOOK, STYLE_TITLE, "took");
	grid_right(g, row, numbers + COL_TOOK, COL_HOPS, STYLE_TITLE, "hops");
	grid_right(g, row, numbers + COL_TOOK + COL_HOPS, COL_ERR, STYLE_TITLE, "err");
	grid_put(g, row, numbers + COL_TOOK + COL_HOPS + COL_ERR + 1, 0, STYLE_TITLE, "status");
}

static void draw_trace(struct grid *g, int row, int numbers, const struct window *w, const struct sum_trace *t)
{
	const struct win_span *root = &w->spans.v[t->root];
	const char *end = root->detail ? root->detail : root->status;
	enum style style = t->errors ? STYLE_BAD : STYLE_PLAIN;
	char text[512];

	grid_put(g, row, 0, COL_TIME - 1, STYLE_DIM, time_clock(text, sizeof(text), t->t_ns));
	snprintf(text, sizeof(text), "%s %s", w->services.v[root->service].name, root->op == WIN_NONE ? "" : w->ops.v[root->op]);
	grid_put(g, row, COL_TIME, numbers - COL_TIME, STYLE_PLAIN, text);
	grid_right(g, row, numbers, COL_TOOK, STYLE_PLAIN, ms_format(text, sizeof(text), (double)t->dur_ns / 1e6));
	snprintf(text, sizeof(text), "%u", t->n);
	grid_right(g, row, numbers + COL_TOOK, COL_HOPS, STYLE_PLAIN, text);
	snprintf(text, sizeof(text), "%u", t->errors);
	grid_right(g, row, numbers + COL_TOOK + COL_HOPS, COL_ERR, style, text);
	grid_put(g, row, numbers + COL_TOOK + COL_HOPS + COL_ERR + 1, COL_STATUS - 1, style, end ? end : "");
}

static void draw_list(struct top_state *st, struct grid *g, const struct span_tree *tree, int row, int rows)
{
	int numbers = g->cols > NUMBERS + COL_TIME + 10 ? g->cols - NUMBERS : COL_TIME + 10;
	int first = st->selected >= st->first + rows ? st->selected - rows + 1 : st->first;

	draw_titles(g, row, numbers);
	for (int i = 0; i < rows && first + i < st->lines; i++) {
		draw_trace(g, row + 1 + i, numbers, st->window, &tree->traces.v[first + i]);
		if (first + i == st->selected)
			grid_row_style(g, row + 1 + i, STYLE_SELECTED);
	}
}

static void draw(struct top_state *st, struct grid *g, int row, int rows)
{
	struct span_tree *tree = st->window ? span_tree_new(st->window) : NULL;
	const struct sum_trace *picked;
	int list;

	st->picked = NULL;
	st->lines = tree ? arrange(tree, st->filter) : 0;
	if (!st->lines) {
		grid_put(g, row, 2, 0, STYLE_DIM, st->filter ? "no trace of this service here" : "no trace seen yet");
		span_tree_free(tree);
		return;
	}
	picked = &tree->traces.v[st->selected < st->lines ? st->selected : st->lines - 1];
	st->picked = st->window->services.v[st->window->spans.v[picked->root].service].name;
	list = rows / LIST_SHARE < st->lines ? rows / LIST_SHARE : st->lines;
	draw_list(st, g, tree, row, list);
	waterfall_draw(tree, picked, 0, g, row + list + 2, rows - list - 2, 0);
	span_tree_free(tree);
}

const struct view view_traces = {"traces", draw};

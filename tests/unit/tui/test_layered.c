/* SPDX-License-Identifier: BSD-2-Clause */
/* Properties that every drawing has, on graphs made by chance: the same ones in each run. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tui/layered.h"

static uint64_t seed;

static uint32_t chance(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static const struct layered_style styles[] = {{1, 1, 1, 1}, {1, 0, 0, 1}, {0, 0, 1, 1}, {1, 1, 1, 2}};
#define STYLES (sizeof(styles) / sizeof(styles[0]))

/* Mostly forward edges, some backward, some to itself, some twice, some without a line. */
static struct layered *random_graph(uint64_t number)
{
	uint32_t i, nodes, edges;
	struct layered *l;

	seed = number * 2654435761u + 1;
	nodes = 1 + chance(60);
	edges = chance(3 * nodes + 1);
	l = layered_new(nodes, edges);
	for (i = 0; i < nodes; i++) {
		l->node[i].least = 6 + (int)chance(8);
		l->node[i].good = l->node[i].least + (int)chance(6);
		l->node[i].wish = l->node[i].good + (int)chance(10);
	}
	for (i = 0; i < edges; i++) {
		uint32_t a = chance(nodes), b = chance(nodes);
		bool turn = a > b && chance(20);

		l->edge[i] = (struct layered_edge){.from = turn ? b : a, .to = turn ? a : b, .apart = !chance(15)};
	}
	return l;
}

static void lay_out(struct layered *l, const struct layered_style *style, int cols)
{
	cr_assert_eq(layered_rank(l), 0);
	cr_assert_eq(layered_slots(l), 0);
	cr_assert_eq(layered_order(l), 0);
	cr_assert_eq(layered_place(l, style, cols), 0);
}

/* ---- the properties ---- */

static void nodes_do_not_overlap(const struct layered *l)
{
	for (size_t i = 0; i < l->nodes; i++) {
		const struct layered_node *a = &l->node[i];

		cr_assert(a->x >= 0 && a->y >= 0 && a->x + a->w <= l->width && a->y + a->h <= l->height && a->w >= a->least);
		for (size_t k = i + 1; k < l->nodes; k++) {
			const struct layered_node *b = &l->node[k];

			cr_assert(a->x + a->w <= b->x || b->x + b->w <= a->x || a->y + a->h <= b->y || b->y + b->h <= a->y);
		}
	}
}

static void each_edge_has_a_row_of_its_own(const struct layered *l, const struct layered_style *style)
{
	for (size_t i = 0; i < l->edges; i++) {
		const struct layered_edge *e = &l->edge[i];
		const struct layered_node *to = &l->node[e->to];

		cr_assert(e->y >= to->y + style->head && e->y + style->pitch <= to->y + to->h - style->foot);
		for (size_t k = i + 1; k < l->edges; k++)
			cr_assert(l->edge[k].to != e->to || abs(l->edge[k].y - e->y) >= style->pitch);
		if (!e->back)
			cr_assert_lt(l->node[e->from].layer, to->layer);
	}
}

static bool on_line(const struct layered_line *line, int x, int y)
{
	return x >= line->x0 && x <= line->x1 && y >= line->y0 && y <= line->y1;
}

/* Follows the lines of an edge from where it leaves to where it arrives. */
static void each_edge_is_drawn(const struct layered *l)
{
	for (uint32_t i = 0; i < l->edges; i++) {
		const struct layered_edge *e = &l->edge[i];
		const struct layered_node *from = &l->node[e->from];
		int x = from->x + from->w - 1, y = from->exit;
		size_t lines = 0;

		for (size_t k = 0; k < l->lines.n; k++) {
			const struct layered_line *line = &l->lines.v[k];

			if (line->edge != i)
				continue;
			lines++;
			cr_assert(on_line(line, x, y), "edge %u breaks off at %d,%d", i, x, y);
			cr_assert(line->x0 == line->x1 || line->y0 == line->y1);
			x = line->x1;
			y = y == line->y0 ? line->y1 : line->y0;
		}
		cr_assert_eq(lines > 0, !e->back && !e->apart);
		cr_assert(!lines || (x == l->node[e->to].x && y == e->y), "edge %u ends at %d,%d", i, x, y);
	}
}

/* Of two nodes' lines only one may lie along a cell, only one across it, and neither may turn where they meet. */
static void lines_can_be_told_apart(const struct layered *l)
{
	size_t cells = (size_t)l->width * (size_t)l->height;
	uint32_t *along = calloc(cells, 4), *across = calloc(cells, 4);

	for (size_t i = 0; i < l->lines.n; i++) {
		const struct layered_line *line = &l->lines.v[i];
		uint32_t *of = line->y0 == line->y1 ? along : across, node = l->edge[line->edge].from + 1;

		for (int y = line->y0; y <= line->y1; y++)
			for (int x = line->x0; x <= line->x1; x++) {
				uint32_t *cell = &of[y * l->width + x];

				cr_assert(!*cell || *cell == node, "two lines at %d,%d", x, y);
				*cell = node;
			}
	}
	for (size_t i = 0; i < l->lines.n; i++) {
		const struct layered_line *line = &l->lines.v[i];
		const uint32_t *other = line->y0 == line->y1 ? across : along;
		uint32_t node = l->edge[line->edge].from + 1, first = other[line->y0 * l->width + line->x0],
			 last = other[line->y1 * l->width + line->x1];

		cr_assert((!first || first == node) && (!last || last == node), "a line turns on another");
	}
	free(along);
	free(across);
}

static void lines_keep_off_nodes(const struct layered *l)
{
	for (size_t i = 0; i < l->lines.n; i++)
		for (size_t k = 0; k < l->nodes; k++) {
			const struct layered_line *a = &l->lines.v[i];
			const struct layered_node *n = &l->node[k];

			/* the first and the last column are where lines begin and end */
			cr_assert(a->x1 < n->x + 1 || a->x0 > n->x + n->w - 2 || a->y1 < n->y || a->y0 >= n->y + n->h);
		}
}

static bool same(const struct layered *a, const struct layered *b)
{
	return a->width == b->width && a->height == b->height && a->lines.n == b->lines.n &&
	       !memcmp(a->node, b->node, a->nodes * sizeof(*a->node)) && !memcmp(a->edge, b->edge, a->edges * sizeof(*a->edge)) &&
	       (!a->lines.n || !memcmp(a->lines.v, b->lines.v, a->lines.n * sizeof(*a->lines.v)));
}

Test(layered, drawings_of_graphs_made_by_chance)
{
	for (uint64_t number = 0; number < 400; number++) {
		struct layered *l = random_graph(number), *again = random_graph(number);
		int cols, rows;

		lay_out(l, &styles[number % STYLES], number % 3 ? 160 : 0);
		lay_out(again, &styles[number % STYLES], number % 3 ? 160 : 0);
		nodes_do_not_overlap(l);
		each_edge_has_a_row_of_its_own(l, &styles[number % STYLES]);
		each_edge_is_drawn(l);
		lines_can_be_told_apart(l);
		lines_keep_off_nodes(l);
		layered_least(l, &styles[number % STYLES], &cols, &rows);
		cr_assert(cols <= l->width && rows <= l->height);
		cr_assert(same(l, again), "graph %lu is not drawn the same way twice", number);
		layered_free(l);
		layered_free(again);
	}
}

Test(layered, placed_again_in_another_style_it_is_as_if_it_were_the_first_time)
{
	for (uint64_t number = 0; number < 40; number++) {
		struct layered *l = random_graph(number), *again = random_graph(number);

		lay_out(l, &styles[1], 100);
		lay_out(again, &styles[0], 0);
		cr_assert_eq(layered_place(again, &styles[1], 100), 0);
		cr_assert(same(l, again));
		layered_free(l);
		layered_free(again);
	}
}

static struct layered *graph(size_t nodes, size_t edges, const uint32_t (*ends)[2])
{
	struct layered *l = layered_new(nodes, edges);

	for (size_t i = 0; i < nodes; i++)
		l->node[i].least = l->node[i].good = l->node[i].wish = 10;
	for (size_t i = 0; i < edges; i++)
		l->edge[i] = (struct layered_edge){.from = ends[i][0], .to = ends[i][1]};
	return l;
}

Test(layered, a_chain_is_a_straight_line)
{
	static const uint32_t ends[][2] = {{0, 1}, {1, 2}, {2, 3}};
	struct layered *l = graph(4, 3, ends);

	lay_out(l, &styles[0], 80);
	cr_assert_eq(l->layers, 4);
	cr_assert_eq(l->height, 3);
	cr_assert_eq(l->lines.n, 3);
	cr_assert_eq(layered_crossings(l), 0);
	layered_free(l);
}

Test(layered, a_planar_graph_is_drawn_without_crossings)
{
	/* as given, each of them crosses all others */
	static const uint32_t ends[][2] = {{0, 4}, {1, 4}, {1, 5}, {2, 6}, {3, 7}, {4, 11}, {5, 10}, {6, 9}, {7, 8}};
	struct layered *l = graph(12, 9, ends);

	lay_out(l, &styles[0], 80);
	cr_assert_eq(layered_crossings(l), 0);
	layered_free(l);
}

Test(layered, cycles_are_broken_where_the_clients_come_in)
{
	static const uint32_t ends[][2] = {{1, 2}, {2, 3}, {3, 1}, {0, 1}, {3, 3}};
	struct layered *l = graph(4, 5, ends);

	lay_out(l, &styles[0], 0);
	cr_assert(l->edge[2].back && l->edge[4].back && !l->edge[0].back && !l->edge[1].back && !l->edge[3].back);
	cr_assert_eq(l->node[3].layer, 3);
	layered_free(l);
}

Test(layered, lines_that_would_lie_on_each_other_are_parted)
{
	/* side by side, each calls what stands beside the other */
	static const uint32_t ends[][2] = {{0, 3}, {1, 2}, {0, 2}, {1, 3}};

	for (size_t i = 0; i < STYLES; i++) {
		struct layered *l = graph(4, 4, ends);

		lay_out(l, &styles[i], 0);
		lines_can_be_told_apart(l);
		layered_free(l);
	}
}

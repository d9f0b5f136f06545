/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_tui_layered: what it takes to lay out graphs like those of services, and how many lines cross.
 *
 *	bench_tui_layered [NODES [EDGES]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tui/layered.h"

#define GRAPHS 20
#define DEPTH 5

static uint32_t seed = 1;

static uint32_t any(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return 1e3 * (double)ts.tv_sec + 1e-6 * (double)ts.tv_nsec;
}

/* Most calls go to the next of DEPTH layers, one in eight further. */
static struct layered *graph(uint32_t nodes, uint32_t edges)
{
	struct layered *l = layered_new(nodes, edges);
	uint32_t each = nodes / DEPTH;

	for (uint32_t i = 0; l && i < nodes; i++)
		l->node[i].least = l->node[i].good = l->node[i].wish = 18;
	for (uint32_t i = 0; l && i < edges; i++) {
		uint32_t from = any(nodes - each), layer = from / each + 1 + (any(8) == 0), to;

		to = (layer < DEPTH ? layer : DEPTH - 1) * each + any(each);
		l->edge[i] = (struct layered_edge){.from = from, .to = to > from ? to : from + 1};
	}
	return l;
}

int main(int argc, char **argv)
{
	static const struct layered_style style = {1, 1, 1, 1};
	uint32_t nodes = argc > 1 ? (uint32_t)atoi(argv[1]) : 50, edges = argc > 2 ? (uint32_t)atoi(argv[2]) : nodes * 8 / 5;
	double order_ms = 0, place_ms = 0;
	size_t crossings = 0;

	if (nodes < DEPTH)
		return 2;
	for (int i = 0; i < GRAPHS; i++) {
		struct layered *l = graph(nodes, edges);
		double start = now_ms();

		if (!l || layered_rank(l) || layered_slots(l) || layered_order(l))
			return 1;
		order_ms += now_ms() - start;
		start = now_ms();
		if (layered_place(l, &style, 0))
			return 1;
		place_ms += now_ms() - start;
		crossings += layered_crossings(l);
		layered_free(l);
	}
	printf("%u nodes, %u edges: %.2f ms to order, %.2f ms to place, %zu crossings (means of %d)\n", nodes, edges, order_ms / GRAPHS,
	       place_ms / GRAPHS, crossings / GRAPHS, GRAPHS);
	return 0;
}

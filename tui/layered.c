/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/layered_private.h"

#include <errno.h>
#include <stdlib.h>

struct layered *layered_new(size_t nodes, size_t edges)
{
	struct layered *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	arena_init(&l->arena, 0);
	arena_init(&l->scratch_, 0);
	l->node = arena_alloc(&l->arena, nodes * sizeof(*l->node));
	l->edge = arena_alloc(&l->arena, edges * sizeof(*l->edge));
	l->nodes = nodes;
	l->edges = edges;
	if (l->node && l->edge)
		return l;
	layered_free(l);
	return NULL;
}

void layered_free(struct layered *l)
{
	if (!l)
		return;
	arena_done(&l->arena);
	arena_done(&l->scratch_);
	vec_done(&l->lines);
	free(l);
}

/* ---- layers ---- */

enum mark { NEW = 0, OPEN, DONE };

struct ranking {
	struct layered *l;
	uint32_t *out, *first;     /* edges by the node they leave; first[n]..first[n + 1] */
	uint32_t *order, n;        /* nodes, each before those that call it */
	uint32_t *stack, *next;    /* of the walk: nodes, and the edge of each to go on with */
	uint8_t *mark;
};

static int ranking_init(struct ranking *r, struct layered *l)
{
	struct arena *a = &l->scratch_;
	uint32_t i, n = (uint32_t)l->nodes;

	*r = (struct ranking){
		.l = l, .out = arena_alloc(a, l->edges * 4), .first = arena_alloc(a, (n + 2) * 4), .order = arena_alloc(a, n * 4),
		.stack = arena_alloc(a, n * 4), .next = arena_alloc(a, n * 4), .mark = arena_alloc(a, n),
	};
	if (!r->out || !r->first || !r->order || !r->stack || !r->next || !r->mark)
		return -ENOMEM;
	for (i = 0; i < l->edges; i++)
		r->first[l->edge[i].from + 2]++;
	for (i = 0; i < n; i++)
		r->first[i + 2] += r->first[i + 1];
	for (i = 0; i < l->edges; i++)
		r->out[r->first[l->edge[i].from + 1]++] = i;
	return 0;
}

/* Depth first; an edge to a node that is still open closes a cycle. */
static void walk(struct ranking *r, uint32_t root)
{
	uint32_t depth = 1;

	r->stack[0] = root;
	r->next[root] = r->first[root];
	r->mark[root] = OPEN;
	while (depth) {
		uint32_t v = r->stack[depth - 1], to;

		if (r->next[v] == r->first[v + 1]) {
			r->mark[v] = DONE;
			r->order[r->n++] = v;
			depth--;
			continue;
		}
		struct layered_edge *e = &r->l->edge[r->out[r->next[v]++]];

		to = e->to;
		e->back = r->mark[to] == OPEN;
		if (r->mark[to] == NEW) {
			r->mark[to] = OPEN;
			r->next[to] = r->first[to];
			r->stack[depth++] = to;
		}
	}
}

/* Those that nobody calls first; where all are in cycles, the one that calls the most beyond what calls it. */
static void walk_all(struct ranking *r)
{
	struct layered *l = r->l;
	int *surplus = arena_alloc(&l->scratch_, l->nodes * sizeof(*surplus)), *in = arena_alloc(&l->scratch_, l->nodes * sizeof(*in));
	uint32_t i, best;

	for (i = 0; surplus && in && i < l->edges; i++) {
		surplus[l->edge[i].from]++;
		surplus[l->edge[i].to]--;
		in[l->edge[i].to] += l->edge[i].from != l->edge[i].to;
	}
	for (i = 0; i < l->nodes; i++)
		if (in && !in[i])
			walk(r, i);
	do {
		best = NONE;
		for (i = 0; i < l->nodes; i++)
			if (r->mark[i] == NEW && (best == NONE || (surplus && surplus[i] > surplus[best])))
				best = i;
		if (best != NONE)
			walk(r, best);
	} while (best != NONE);
}

static void rank_forward(struct ranking *r)
{
	struct layered *l = r->l;

	for (uint32_t i = r->n; i-- > 0;) {
		uint32_t v = r->order[i];

		for (uint32_t k = r->first[v]; k < r->first[v + 1]; k++) {
			const struct layered_edge *e = &l->edge[r->out[k]];

			if (!e->back && l->node[e->to].layer <= l->node[v].layer)
				l->node[e->to].layer = l->node[v].layer + 1;
		}
		if (l->node[v].layer >= l->layers)
			l->layers = l->node[v].layer + 1;
	}
}

/* A node that nobody calls stands right before the first that it calls. */
static void rank_roots(struct ranking *r)
{
	struct layered *l = r->l;

	for (uint32_t v = 0; v < l->nodes; v++) {
		int nearest = l->layers;

		for (uint32_t k = r->first[v]; k < r->first[v + 1]; k++) {
			const struct layered_edge *e = &l->edge[r->out[k]];

			if (!e->back && l->node[e->to].layer < nearest)
				nearest = l->node[e->to].layer;
		}
		if (!l->node[v].layer && nearest < l->layers)
			l->node[v].layer = nearest - 1;
	}
}

int layered_rank(struct layered *l)
{
	struct ranking r;

	arena_reset(&l->scratch_);
	if (ranking_init(&r, l))
		return -ENOMEM;
	walk_all(&r);
	rank_forward(&r);
	rank_roots(&r);
	return 0;
}

/* ---- the whole ---- */

static int slot_rows(const struct layered *l, const struct layered_style *style, const struct slot *s)
{
	int rows = l->node[s->node].entries * style->pitch;

	return s->pass ? 1 : style->head + (rows > style->body ? rows : style->body) + style->foot;
}

int slot_exit(const struct layered *l, const struct layered_style *style, const struct slot *s)
{
	bool has_row = style->body || l->node[s->node].entries;

	return s->pass ? s->y : s->y + (has_row ? style->head : 0);
}

int link_row(const struct layered *l, const struct layered_style *style, const struct link *k)
{
	const struct slot *s = &l->slot_[k->to];

	return s->pass ? s->y : s->y + style->head + k->entry * style->pitch;
}

void layered_least(const struct layered *l, const struct layered_style *style, int *cols, int *rows)
{
	*cols = *rows = 0;
	for (int layer = 0; layer < l->layers; layer++) {
		int w = 1, h = 0;

		for (size_t i = 0; i < l->order_n_[layer]; i++) {
			const struct slot *s = &l->slot_[l->order_[layer][i]];

			h += slot_rows(l, style, s);
			if (!s->pass && l->node[s->node].least > w)
				w = l->node[s->node].least;
		}
		*cols += w + (layer > 0);
		*rows = h > *rows ? h : *rows;
	}
}

/* What the callers see: the nodes' own rows and those of their edges. */
static void publish_rows(struct layered *l, const struct layered_style *style)
{
	for (size_t i = 0; i < l->slots_; i++) {
		const struct slot *s = &l->slot_[i];
		struct layered_node *n = &l->node[s->node];

		if (s->pass)
			continue;
		n->y = s->y;
		n->h = s->h;
		n->exit = slot_exit(l, style, s);
	}
}

/* Edges that enter by a line come first, as ordered; then the others. */
static int publish_entries(struct layered *l, const struct layered_style *style)
{
	int *next = arena_alloc(&l->scratch_, l->nodes * sizeof(*next));

	if (!next)
		return -ENOMEM;
	for (size_t i = 0; i < l->links_; i++) {
		const struct link *k = &l->link_[i];

		if (k->edge == NONE)
			continue;
		l->edge[k->edge].y = link_row(l, style, k);
		next[l->edge[k->edge].to]++;
	}
	for (size_t i = 0; i < l->edges; i++) {
		struct layered_edge *e = &l->edge[i];

		if (e->back || e->apart)
			e->y = l->node[e->to].y + style->head + next[e->to]++ * style->pitch;
	}
	return 0;
}

int layered_place(struct layered *l, const struct layered_style *style, int cols)
{
	arena_reset(&l->scratch_);
	vec_reset(&l->lines);
	for (size_t i = 0; i < l->slots_; i++)
		l->slot_[i].h = slot_rows(l, style, &l->slot_[i]);
	if (layered_rows(l, style))
		return -ENOMEM;
	publish_rows(l, style);
	if (publish_entries(l, style))
		return -ENOMEM;
	return layered_route(l, style, cols);
}

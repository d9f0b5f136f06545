/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots and links, and the order of the slots: sweeps over the layers that move each slot to the middle of its
 * neighbours (barycentre), then exchanges of two that stand side by side; the best order that was met is kept.  Bounded
 * by ROUNDS and SWEEPS.
 */
#include "tui/layered_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SWEEPS 8
#define ROUNDS 8             /* from other orders to begin with: an eighth less crossings at 50 nodes */
#define SLOTS_MANY 300       /* where there are more, one round has to do */
#define EXCHANGES 4

struct near { uint32_t *v; uint32_t n; };

struct ordering {
	struct layered *l;
	struct near *before, *after;       /* by slot: its neighbours */
	uint32_t *best;
};

/* ---- slots and links ---- */

static bool has_line(const struct layered_edge *e)
{
	return !e->back && !e->apart;
}

static uint32_t add_slot(struct layered *l, uint32_t node, int layer)
{
	uint32_t id = (uint32_t)l->slots_++;

	l->slot_[id] = (struct slot){.node = node, .pass = layer != l->node[node].layer, .layer = layer};
	l->pass_[(size_t)node * (size_t)l->layers + (size_t)layer] = id;
	l->order_n_[layer]++;
	return id;
}

static uint32_t slot_of(const struct layered *l, uint32_t node, int layer)
{
	return l->pass_[(size_t)node * (size_t)l->layers + (size_t)layer];
}

/* A slot for each node, and one for each layer that the lines of a node pass through. */
static int make_slots(struct layered *l)
{
	size_t cells = l->nodes * (size_t)l->layers, i;
	int *last = arena_alloc(&l->scratch_, l->nodes * sizeof(*last));

	l->pass_ = arena_alloc(&l->arena, cells * 4);
	l->order_n_ = arena_alloc(&l->arena, ((size_t)l->layers + 1) * sizeof(*l->order_n_));
	if (!last || !l->pass_ || !l->order_n_)
		return -ENOMEM;
	memset(l->pass_, 0xff, cells * 4);
	for (i = 0; i < l->edges; i++) {
		const struct layered_edge *e = &l->edge[i];

		l->node[e->to].entries++;
		l->node[e->from].calls |= has_line(e);
		if (has_line(e) && l->node[e->to].layer > last[e->from])
			last[e->from] = l->node[e->to].layer;
	}
	for (cells = i = 0; i < l->nodes; i++)
		cells += last[i] > l->node[i].layer ? (size_t)(last[i] - l->node[i].layer) : 1;
	l->slot_ = arena_alloc(&l->arena, cells * sizeof(*l->slot_));
	if (!l->slot_)
		return -ENOMEM;
	for (i = 0; i < l->nodes; i++) {
		int layer = l->node[i].layer;

		do
			add_slot(l, (uint32_t)i, layer);
		while (++layer < last[i]);
	}
	return 0;
}

static int by_channel(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return x->from != y->from ? (x->from < y->from ? -1 : 1) : x->edge < y->edge ? -1 : x->edge > y->edge;
}

static int make_links(struct layered *l)
{
	size_t *fill = arena_alloc(&l->scratch_, ((size_t)l->layers + 1) * sizeof(*fill)), i;
	struct link *unsorted = arena_alloc(&l->scratch_, (l->edges + l->slots_) * sizeof(*unsorted));

	l->channel_ = arena_alloc(&l->arena, ((size_t)l->layers + 1) * sizeof(*l->channel_));
	l->link_ = arena_alloc(&l->arena, (l->edges + l->slots_) * sizeof(*l->link_));
	if (!fill || !unsorted || !l->channel_ || !l->link_)
		return -ENOMEM;
	for (i = 0; i < l->edges; i++)
		if (has_line(&l->edge[i])) {
			int to = l->node[l->edge[i].to].layer;

			unsorted[l->links_++] = (struct link){slot_of(l, l->edge[i].from, to - 1), slot_of(l, l->edge[i].to, to), (uint32_t)i, 0};
		}
	for (i = 0; i < l->slots_; i++)
		if (l->slot_[i].pass)
			unsorted[l->links_++] = (struct link){slot_of(l, l->slot_[i].node, l->slot_[i].layer - 1), (uint32_t)i, NONE, 0};
	qsort(unsorted, l->links_, sizeof(*unsorted), by_channel);
	for (i = 0; i < l->links_; i++)
		l->channel_[l->slot_[unsorted[i].from].layer + 1]++;
	for (i = 0; i < (size_t)l->layers; i++)
		fill[i + 1] = l->channel_[i + 1] += l->channel_[i];
	for (i = 0; i < l->links_; i++)
		l->link_[fill[l->slot_[unsorted[i].from].layer]++] = unsorted[i];
	return 0;
}

/* ---- order ---- */

static int make_near(struct ordering *o)
{
	struct layered *l = o->l;
	struct arena *a = &l->scratch_;
	uint32_t *room = arena_alloc(a, 2 * l->links_ * 4);
	size_t i;

	o->before = arena_alloc(a, l->slots_ * sizeof(*o->before));
	o->after = arena_alloc(a, l->slots_ * sizeof(*o->after));
	o->best = arena_alloc(a, l->slots_ * 4);
	if (!room || !o->before || !o->after || !o->best)
		return -ENOMEM;
	for (i = 0; i < l->links_; i++) {
		o->after[l->link_[i].from].n++;
		o->before[l->link_[i].to].n++;
	}
	for (i = 0; i < l->slots_; i++) {
		o->before[i].v = room;
		o->after[i].v = room += o->before[i].n;
		room += o->after[i].n;
		o->before[i].n = o->after[i].n = 0;
	}
	for (i = 0; i < l->links_; i++) {
		const struct link *k = &l->link_[i];

		o->after[k->from].v[o->after[k->from].n++] = k->to;
		o->before[k->to].v[o->before[k->to].n++] = k->from;
	}
	return 0;
}

static int make_layers(struct layered *l)
{
	l->order_ = arena_alloc(&l->arena, ((size_t)l->layers + 1) * sizeof(*l->order_));
	if (!l->order_)
		return -ENOMEM;
	for (int i = 0; i < l->layers; i++) {
		l->order_[i] = arena_alloc(&l->arena, l->order_n_[i] * 4);
		if (!l->order_[i])
			return -ENOMEM;
		l->order_n_[i] = 0;
	}
	for (uint32_t s = 0; s < l->slots_; s++) {
		struct slot *v = &l->slot_[s];

		v->pos = (int)l->order_n_[v->layer];
		l->order_[v->layer][l->order_n_[v->layer]++] = s;
	}
	return 0;
}

/* Stable: a tie leaves the order as it was, so that names decide and not chance. */
static void sort_layer(struct layered *l, int layer)
{
	uint32_t *v = l->order_[layer];
	size_t n = l->order_n_[layer], i, k;

	for (i = 1; i < n; i++) {
		uint32_t s = v[i];

		for (k = i; k && l->slot_[v[k - 1]].key > l->slot_[s].key; k--)
			v[k] = v[k - 1];
		v[k] = s;
	}
	for (i = 0; i < n; i++)
		l->slot_[v[i]].pos = (int)i;
}

static void sweep_layer(struct ordering *o, int layer, const struct near *near)
{
	struct layered *l = o->l;

	for (size_t i = 0; i < l->order_n_[layer]; i++) {
		uint32_t s = l->order_[layer][i];
		double sum = 0;

		for (uint32_t k = 0; k < near[s].n; k++)
			sum += l->slot_[near[s].v[k]].pos;
		l->slot_[s].key = near[s].n ? sum / near[s].n : (double)l->slot_[s].pos;
	}
	sort_layer(l, layer);
}

/* Pairs of links to these neighbours that cross with u above v. */
static int crossings_of(const struct layered *l, const struct near *u, const struct near *v)
{
	int n = 0;

	for (uint32_t i = 0; i < u->n; i++)
		for (uint32_t k = 0; k < v->n; k++)
			n += l->slot_[u->v[i]].pos > l->slot_[v->v[k]].pos;
	return n;
}

static bool exchange_layer(struct ordering *o, int layer)
{
	struct layered *l = o->l;
	bool changed = false;

	for (size_t i = 0; i + 1 < l->order_n_[layer]; i++) {
		uint32_t u = l->order_[layer][i], v = l->order_[layer][i + 1];
		int now = crossings_of(l, &o->before[u], &o->before[v]) + crossings_of(l, &o->after[u], &o->after[v]);
		int then = crossings_of(l, &o->before[v], &o->before[u]) + crossings_of(l, &o->after[v], &o->after[u]);

		if (then >= now)
			continue;
		l->order_[layer][i] = v;
		l->order_[layer][i + 1] = u;
		l->slot_[v].pos--;
		l->slot_[u].pos++;
		changed = true;
	}
	return changed;
}

static void exchange(struct ordering *o)
{
	bool changed = true;

	for (int i = 0; i < EXCHANGES && changed; i++) {
		changed = false;
		for (int layer = 0; layer < o->l->layers; layer++)
			changed |= exchange_layer(o, layer);
	}
}

size_t layered_crossings(const struct layered *l)
{
	size_t n = 0;

	for (int layer = 0; layer + 1 < l->layers; layer++)
		for (size_t i = l->channel_[layer]; i < l->channel_[layer + 1]; i++)
			for (size_t k = i + 1; k < l->channel_[layer + 1]; k++) {
				int from = l->slot_[l->link_[i].from].pos - l->slot_[l->link_[k].from].pos;
				int to = l->slot_[l->link_[i].to].pos - l->slot_[l->link_[k].to].pos;

				n += (from < 0 && to > 0) || (from > 0 && to < 0);
			}
	return n;
}

static void keep_best(struct ordering *o)
{
	for (size_t i = 0; i < o->l->slots_; i++)
		o->best[i] = (uint32_t)o->l->slot_[i].pos;
}

static void use_best(struct ordering *o)
{
	struct layered *l = o->l;

	for (uint32_t i = 0; i < l->slots_; i++) {
		l->slot_[i].pos = (int)o->best[i];
		l->order_[l->slot_[i].layer][o->best[i]] = i;
	}
}

/* Another order to begin with; by chance, but by the same in every run. */
static void shuffle(struct layered *l, uint32_t seed)
{
	for (uint32_t i = 0; i < l->slots_; i++) {
		seed = seed * 1664525u + 1013904223u;
		l->slot_[i].key = seed >> 8;
	}
	for (int i = 0; i < l->layers; i++)
		sort_layer(l, i);
}

static void sweep(struct ordering *o)
{
	struct layered *l = o->l;
	size_t least = layered_crossings(l), n;
	int rounds = l->slots_ <= SLOTS_MANY ? ROUNDS : 1;

	keep_best(o);
	for (int i = 0; i < rounds * SWEEPS && least; i++) {
		if (i && i % SWEEPS == 0)
			shuffle(l, (uint32_t)i);
		for (int layer = 1; layer < l->layers && i % 2 == 0; layer++)
			sweep_layer(o, layer, o->before);
		for (int layer = l->layers - 2; layer >= 0 && i % 2; layer--)
			sweep_layer(o, layer, o->after);
		exchange(o);
		n = layered_crossings(l);
		if (n >= least)
			continue;
		least = n;
		keep_best(o);
	}
	use_best(o);
}

static int by_place(const struct layered *l, const struct link *a, const struct link *b)
{
	int from = l->slot_[a->from].pos - l->slot_[b->from].pos;

	return from ? from : a->edge < b->edge ? -1 : a->edge > b->edge;
}

/* The row of each link at its target: as the slots they come from stand. */
static void number_entries(struct layered *l)
{
	for (int layer = 0; layer + 1 < l->layers; layer++)
		for (size_t i = l->channel_[layer]; i < l->channel_[layer + 1]; i++)
			for (size_t k = l->channel_[layer]; k < l->channel_[layer + 1]; k++)
				l->link_[i].entry += l->link_[k].to == l->link_[i].to && by_place(l, &l->link_[k], &l->link_[i]) < 0;
}

int layered_slots(struct layered *l)
{
	return make_slots(l) || make_layers(l) ? -ENOMEM : 0;
}

int layered_order(struct layered *l)
{
	struct ordering o = {.l = l};

	arena_reset(&l->scratch_);
	if (make_links(l) || make_near(&o))
		return -ENOMEM;
	sweep(&o);
	number_entries(l);
	return 0;
}

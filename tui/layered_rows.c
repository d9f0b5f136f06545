/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of the slots: as near to their neighbours as the order allows, so that most lines are straight.  No drawing
 * gets higher than its fullest layer for that; only where lines could not be told apart is a slot pushed down.
 */
#include "tui/layered_private.h"

#include <errno.h>
#include <stdlib.h>

#define PASSES 6

struct wish { int pos, y; };       /* of a link: where the slot at pos would have to begin for it to be straight */

/* Slots that touch, and move as one. */
struct pool { double sum, weight; uint32_t first; };

struct aligning {
	struct layered *l;
	const struct layered_style *style;
	struct wish *wish;
	struct pool *pool;
	int *want;
	bool *wants;
};

static void pack(struct layered *l)
{
	l->height = 0;
	for (int layer = 0; layer < l->layers; layer++) {
		int y = 0;

		for (size_t i = 0; i < l->order_n_[layer]; i++) {
			struct slot *s = &l->slot_[l->order_[layer][i]];

			s->y = y;
			y += s->h;
		}
		l->height = y > l->height ? y : l->height;
	}
}

static int by_wish(const void *a, const void *b)
{
	const struct wish *x = a, *y = b;

	return x->pos != y->pos ? x->pos - y->pos : x->y - y->y;
}

static size_t wishes(const struct aligning *a, int layer, bool before, bool after)
{
	const struct layered *l = a->l;
	size_t n = 0, i;

	for (i = layer && before ? l->channel_[layer - 1] : 0; layer && before && i < l->channel_[layer]; i++) {
		const struct link *k = &l->link_[i];
		const struct slot *s = &l->slot_[k->to];

		a->wish[n++] = (struct wish){s->pos, slot_exit(l, a->style, &l->slot_[k->from]) - (link_row(l, a->style, k) - s->y)};
	}
	for (i = l->channel_[layer]; layer + 1 < l->layers && after && i < l->channel_[layer + 1]; i++) {
		const struct link *k = &l->link_[i];
		const struct slot *s = &l->slot_[k->from];

		a->wish[n++] = (struct wish){s->pos, link_row(l, a->style, k) - (slot_exit(l, a->style, s) - s->y)};
	}
	qsort(a->wish, n, sizeof(*a->wish), by_wish);
	return n;
}

/* Of each slot the middle one of its wishes: then one line at least is straight. */
static void choose(const struct aligning *a, int layer, size_t n)
{
	const struct layered *l = a->l;
	size_t i = 0, end;

	for (size_t k = 0; k < l->order_n_[layer]; k++) {
		a->want[k] = l->slot_[l->order_[layer][k]].y;
		a->wants[k] = false;
	}
	for (; i < n; i = end) {
		for (end = i; end < n && a->wish[end].pos == a->wish[i].pos; end++)
			;
		a->want[a->wish[i].pos] = a->wish[i + (end - 1 - i) / 2].y;
		a->wants[a->wish[i].pos] = true;
	}
}

/* The order and the heights are kept: least squares under a monotonic constraint (pool adjacent violators). */
static void settle(const struct aligning *a, int layer)
{
	const struct layered *l = a->l;
	size_t n = l->order_n_[layer], pools = 0, i, p = 0;
	int above = 0, total = 0;

	for (i = 0; i < n; i++) {
		const struct slot *s = &l->slot_[l->order_[layer][i]];
		double weight = !a->wants[i] ? 0.1 : s->pass ? 4 : 1;

		a->pool[pools++] = (struct pool){weight * (a->want[i] - total), weight, (uint32_t)i};
		total += s->h;
		while (pools > 1 && a->pool[pools - 2].sum * a->pool[pools - 1].weight > a->pool[pools - 1].sum * a->pool[pools - 2].weight) {
			a->pool[pools - 2].sum += a->pool[pools - 1].sum;
			a->pool[pools - 2].weight += a->pool[pools - 1].weight;
			pools--;
		}
	}
	for (i = 0; i < n; i++) {
		struct slot *s = &l->slot_[l->order_[layer][i]];

		while (p + 1 < pools && a->pool[p + 1].first <= i)
			p++;
		double y = a->pool[p].sum / a->pool[p].weight + 0.5;
		int most = l->height - total;

		s->y = above + (y < 0 ? 0 : y > most ? most : (int)y);
		above += s->h;
	}
}

static void align(const struct aligning *a)
{
	for (int i = 0; i < PASSES; i++)
		for (int k = 0; k < a->l->layers; k++) {
			int layer = i % 2 ? a->l->layers - 1 - k : k;

			choose(a, layer, wishes(a, layer, i >= 2 || i % 2 == 0, i >= 2 || i % 2));
			settle(a, layer);
		}
}

/* ---- lines that could not be told apart ---- */

/*
 * Where a line of A leaves in the row in which one of B arrives, A has to turn off before B comes in.  A circle of such
 * demands cannot be met; one of its targets has to go down a row.
 */
struct meeting {
	uint32_t *exits;           /* by row: the slot whose lines leave there */
	uint32_t *behind;          /* by slot: that must turn after it, and */
	uint32_t *target;          /* … the slot where that arrives */
	int rows;
};

static int meet(struct layered *l, const struct layered_style *style, int layer, struct meeting *m)
{
	size_t i;

	arena_reset(&l->scratch_);
	m->rows = l->height;
	m->exits = arena_alloc(&l->scratch_, ((size_t)m->rows + 1) * 4);
	m->behind = arena_alloc(&l->scratch_, l->slots_ * 4);
	m->target = arena_alloc(&l->scratch_, l->slots_ * 4);
	if (!m->exits || !m->behind || !m->target)
		return -ENOMEM;
	for (i = 0; i < (size_t)m->rows; i++)
		m->exits[i] = NONE;
	for (i = 0; i < l->slots_; i++)
		m->behind[i] = NONE;
	for (i = l->channel_[layer]; i < l->channel_[layer + 1]; i++)
		m->exits[slot_exit(l, style, &l->slot_[l->link_[i].from])] = l->link_[i].from;
	for (i = l->channel_[layer]; i < l->channel_[layer + 1]; i++) {
		uint32_t leaves = m->exits[link_row(l, style, &l->link_[i])];

		if (leaves == NONE || leaves == l->link_[i].from)
			continue;
		m->behind[leaves] = l->link_[i].from;
		m->target[leaves] = l->link_[i].to;
	}
	return 0;
}

/* The lowest slot at which a line of a circle arrives; NONE: there is no circle. */
static uint32_t find_circle(const struct layered *l, const struct meeting *m, int layer)
{
	for (size_t i = 0; i < l->order_n_[layer]; i++) {
		uint32_t s = l->order_[layer][i], lowest = NONE, at = s, steps = 0;

		while (m->behind[at] != NONE && steps++ < l->order_n_[layer]) {
			if (lowest == NONE || l->slot_[m->target[at]].pos > l->slot_[lowest].pos)
				lowest = m->target[at];
			at = m->behind[at];
			if (at == s)
				return lowest;
		}
	}
	return NONE;
}

static void push_down(struct layered *l, uint32_t slot)
{
	struct slot *s = &l->slot_[slot];
	int y = s->y + 1;

	for (size_t i = (size_t)s->pos; i < l->order_n_[s->layer]; i++) {
		struct slot *next = &l->slot_[l->order_[s->layer][i]];

		if (next->y < y)
			next->y = y;
		y = next->y + next->h;
	}
	l->height = y > l->height ? y : l->height;
}

/* Ends: at the latest when the slots of the next layer stand below all of this one. */
static int separate(struct layered *l, const struct layered_style *style)
{
	for (int layer = 0; layer + 1 < l->layers; layer++)
		for (;;) {
			struct meeting m;

			if (meet(l, style, layer, &m))
				return -ENOMEM;
			uint32_t slot = find_circle(l, &m, layer);

			if (slot == NONE)
				break;
			push_down(l, slot);
		}
	return 0;
}

int layered_rows(struct layered *l, const struct layered_style *style)
{
	struct arena *s = &l->scratch_;
	struct aligning a = {
		.l = l, .style = style, .wish = arena_alloc(s, l->links_ * sizeof(*a.wish)), .pool = arena_alloc(s, l->slots_ * sizeof(*a.pool)),
		.want = arena_alloc(s, l->slots_ * sizeof(*a.want)), .wants = arena_alloc(s, l->slots_),
	};

	if (!a.wish || !a.pool || !a.want || !a.wants)
		return -ENOMEM;
	pack(l);
	align(&a);
	return separate(l, style);
}

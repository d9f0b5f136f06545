/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between two layers each slot with lines gets a track, a column where they go up or down: lines of two slots never lie
 * on each other, and as few as possible cross.  Then the columns of all, and the lines.
 */
#include "tui/layered_private.h"

#include <errno.h>
#include <stdlib.h>

/* The lines that leave a slot. */
struct net {
	uint32_t slot;
	int exit, low, high;       /* rows: where they leave, the first and the last of all */
	bool down;
	int track;                 /* -1: not yet; straight ones have none */
	bool straight;
};

struct channel { int tracks, x, step; };      /* x: of the first track */

struct routing {
	struct layered *l;
	const struct layered_style *style;
	struct net *net;           /* by slot */
	uint32_t *sorted, n;       /* slots of the channel in the order in which they get their tracks */
	uint32_t *enters;          /* by row: the slot whose line arrives */
	struct channel *channel;   /* by layer: behind it */
	int *width, *good, *wish, *x;      /* by layer: columns of its nodes */
};

/* ---- tracks ---- */

static void gather(struct routing *r, int layer)
{
	struct layered *l = r->l;
	int row;

	r->n = 0;
	for (row = 0; row < l->height; row++)
		r->enters[row] = NONE;
	for (size_t i = l->channel_[layer]; i < l->channel_[layer + 1]; i++) {
		uint32_t s = l->link_[i].from;
		struct net *n = &r->net[s];

		row = link_row(l, r->style, &l->link_[i]);
		r->enters[row] = s;
		if (i == l->channel_[layer] || l->link_[i - 1].from != s) {
			int exit = slot_exit(l, r->style, &l->slot_[s]);

			*n = (struct net){s, exit, exit, exit, false, -1, true};
			r->sorted[r->n++] = s;
		}
		n->low = row < n->low ? row : n->low;
		n->high = row > n->high ? row : n->high;
		n->straight = n->low == n->high;
		n->down = n->high - n->exit >= n->exit - n->low;
	}
}

/* Of lines that go down the lower ones turn first, of those that go up the higher ones: so they do not cross. */
static int by_turn(const struct net *a, const struct net *b)
{
	if (a->down != b->down)
		return a->down ? -1 : 1;
	return a->down ? b->exit - a->exit : a->exit - b->exit;
}

static void sort_nets(struct routing *r)
{
	for (uint32_t i = 1; i < r->n; i++) {
		uint32_t s = r->sorted[i], k;

		for (k = i; k && by_turn(&r->net[r->sorted[k - 1]], &r->net[s]) > 0; k--)
			r->sorted[k] = r->sorted[k - 1];
		r->sorted[k] = s;
	}
}

/* The first track that it may have; -1: one that has to turn before it has none yet. */
static int least_track(const struct routing *r, const struct net *n)
{
	int least = 0;

	for (uint32_t i = 0; i < r->n; i++) {
		const struct net *o = &r->net[r->sorted[i]];

		if (o == n || o->straight || r->enters[o->exit] != n->slot)
			continue;
		if (o->track < 0)
			return -1;
		least = o->track >= least ? o->track + 1 : least;
	}
	return least;
}

static bool is_free(const struct routing *r, const struct net *n, int track)
{
	for (uint32_t i = 0; i < r->n; i++) {
		const struct net *o = &r->net[r->sorted[i]];

		/* ends of two in rows that follow on each other would read as one line */
		if (o->track == track && o->low <= n->high + 1 && n->low <= o->high + 1)
			return false;
	}
	return true;
}

static void assign_tracks(struct routing *r, int layer)
{
	struct channel *c = &r->channel[layer];
	bool progress = true;

	while (progress) {
		progress = false;
		for (uint32_t i = 0; i < r->n; i++) {
			struct net *n = &r->net[r->sorted[i]];
			int track = n->straight || n->track >= 0 ? -1 : least_track(r, n);

			if (track < 0)
				continue;
			while (!is_free(r, n, track))
				track++;
			n->track = track;
			c->tracks = track >= c->tracks ? track + 1 : c->tracks;
			progress = true;
			break;
		}
	}
}

/* ---- columns ---- */

/* air: columns beside the tracks: of one it is that before the next layer, so that a line is seen to arrive. */
static int channel_width(const struct channel *c, int air, int step)
{
	int tracks = c->tracks ? (c->tracks - 1) * step + 1 : 0, width = tracks + air;

	return width ? width : 1;
}

static int total(const struct routing *r, int air, int step)
{
	int sum = 0;

	for (int i = 0; i < r->l->layers; i++)
		sum += r->width[i] + (i + 1 < r->l->layers ? channel_width(&r->channel[i], air, step) : 0);
	return sum;
}

static void column_widths(struct routing *r)
{
	const struct layered *l = r->l;

	for (int i = 0; i < l->layers; i++)
		r->width[i] = r->good[i] = r->wish[i] = 1;
	for (size_t i = 0; i < l->nodes; i++) {
		const struct layered_node *n = &l->node[i];

		r->width[n->layer] = n->least > r->width[n->layer] ? n->least : r->width[n->layer];
		r->good[n->layer] = n->good > r->good[n->layer] ? n->good : r->good[n->layer];
		r->wish[n->layer] = n->wish > r->wish[n->layer] ? n->wish : r->wish[n->layer];
	}
}

/* What is left goes to the columns that lack the least, a cell at a time to each. */
static void widen(struct routing *r, const int *to, int left)
{
	bool given = true;

	while (given) {
		given = false;
		for (int i = 0; i < r->l->layers && left > 0; i++)
			if (r->width[i] < to[i]) {
				r->width[i]++;
				left--;
				given = true;
			}
	}
}

/* Names first, then air around the lines, then what else nodes have to say, then air between the lines. */
static void place_columns(struct routing *r, int cols)
{
	struct layered *l = r->l;
	int air = 2, step = 1, x = 0;

	column_widths(r);
	widen(r, r->good, cols ? cols - total(r, 0, 1) : INT32_MAX);
	while (air && cols && total(r, air, 1) > cols)
		air--;
	widen(r, r->wish, cols ? cols - total(r, air, 1) : INT32_MAX);
	if (air == 2 && (!cols || total(r, air, 2) <= cols))
		step = 2;
	for (int i = 0; i < l->layers; i++) {
		r->x[i] = x;
		x += r->width[i];
		r->channel[i].x = x + (air == 2);
		r->channel[i].step = step;
		x += i + 1 < l->layers ? channel_width(&r->channel[i], air, step) : 0;
	}
	l->width = x;
	for (size_t i = 0; i < l->nodes; i++) {
		l->node[i].x = r->x[l->node[i].layer];
		l->node[i].w = r->width[l->node[i].layer];
	}
}

/* ---- lines ---- */

static int add_line(struct layered *l, uint32_t edge, int x0, int y0, int x1, int y1)
{
	struct layered_line *line = vec_push(&l->lines);

	if (!line)
		return -ENOMEM;
	*line = (struct layered_line){edge, x0, y0 < y1 ? y0 : y1, x1, y0 < y1 ? y1 : y0};
	return 0;
}

/* From a slot's exit to a row of the next layer. */
static int add_lines(const struct routing *r, uint32_t edge, uint32_t slot, int row)
{
	struct layered *l = r->l;
	const struct slot *s = &l->slot_[slot];
	const struct net *n = &r->net[slot];
	const struct channel *c = &r->channel[s->layer];
	int x0 = s->pass ? r->x[s->layer] : r->x[s->layer] + r->width[s->layer] - 1, x1 = r->x[s->layer + 1];
	int turn = c->x + n->track * c->step;

	if (row == n->exit)
		return add_line(l, edge, x0, row, x1, row);
	return add_line(l, edge, x0, n->exit, turn, n->exit) || add_line(l, edge, turn, n->exit, turn, row) ||
	       add_line(l, edge, turn, row, x1, row) ? -ENOMEM : 0;
}

static int trace(const struct routing *r, uint32_t edge)
{
	struct layered *l = r->l;
	const struct layered_edge *e = &l->edge[edge];
	const uint32_t *pass = &l->pass_[(size_t)e->from * (size_t)l->layers];
	int to = l->node[e->to].layer;

	for (int layer = l->node[e->from].layer; layer < to; layer++)
		if (add_lines(r, edge, pass[layer], layer + 1 == to ? e->y : l->slot_[pass[layer + 1]].y))
			return -ENOMEM;
	return 0;
}

int layered_route(struct layered *l, const struct layered_style *style, int cols)
{
	struct arena *a = &l->scratch_;
	size_t layers = (size_t)l->layers + 1;
	struct routing r = {
		.l = l, .style = style, .net = arena_alloc(a, l->slots_ * sizeof(*r.net)), .sorted = arena_alloc(a, l->slots_ * 4),
		.enters = arena_alloc(a, ((size_t)l->height + 1) * 4), .channel = arena_alloc(a, layers * sizeof(*r.channel)),
		.width = arena_alloc(a, layers * sizeof(int)), .good = arena_alloc(a, layers * sizeof(int)),
		.wish = arena_alloc(a, layers * sizeof(int)), .x = arena_alloc(a, layers * sizeof(int)),
	};

	if (!r.net || !r.sorted || !r.enters || !r.channel || !r.width || !r.good || !r.wish || !r.x)
		return -ENOMEM;
	for (int layer = 0; layer + 1 < l->layers; layer++) {
		gather(&r, layer);
		sort_nets(&r);
		assign_tracks(&r, layer);
	}
	place_columns(&r, cols);
	for (uint32_t i = 0; i < l->edges; i++)
		if (!l->edge[i].back && !l->edge[i].apart && trace(&r, i))
			return -ENOMEM;
	return 0;
}

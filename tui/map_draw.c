/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map on the grid: first the lines, then the nodes over their ends.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tui/service_map.h"
#include "tui/map_text.h"

enum { NORTH = 1, EAST = 2, SOUTH = 4, WEST = 8 };

/* By the sides that a cell's line goes to. Trouble is doubled: it is to be seen without colour. */
static const char *const light[16] = {" ", "│", "─", "└", "│", "│", "┌", "├", "─", "┘", "─", "┴", "┐", "┤", "┬", "┼"};
static const char *const twice[16] = {" ", "║", "═", "╚", "║", "║", "╔", "╠", "═", "╝", "═", "╩", "╗", "╣", "╦", "╬"};
static const char *const plain[16] = {" ", "|", "-", "+", "|", "|", "+", "+", "-", "+", "-", "+", "+", "+", "+", "+"};
static const char *const plain_twice[16] = {" ", "#", "=", "#", "#", "#", "#", "#", "=", "#", "=", "#", "#", "#", "#", "#"};

/* Of a cell: the line along it, and the one across; of one node they join, of two they cross. */
struct ink {
	uint32_t along, across;    /* node + 1; 0: none */
	uint8_t along_sides, across_sides, along_health, across_health;
};

struct drawing {
	const struct service_map *m;
	struct grid *g;
	int row, rows, first;
	uint32_t selected;
	struct ink *ink;
};

static const char *glyph(const struct drawing *d, unsigned sides, enum health health)
{
	if (!d->g->utf8)
		return (health == HEALTH_BAD ? plain_twice : plain)[sides];
	return (health == HEALTH_BAD ? twice : light)[sides];
}

/* Clipped to the rows shown. */
static int put(const struct drawing *d, int x, int y, int width, enum style style, const char *text)
{
	int row = y - d->first;

	if (row < 0 || row >= d->rows || width < 1)
		return 0;
	return grid_put(d->g, d->row + row, x, width, style, text);
}

/* At most `width` columns; what is cut ends in a mark. */
static int put_cut(const struct drawing *d, int x, int y, int width, enum style style, const char *text)
{
	const char *mark = d->g->utf8 ? "…" : "..";
	int room = width - (int)text_width(mark);

	if ((int)text_width(text) <= width || room < 1)
		return put(d, x, y, width, style, text);
	room = put(d, x, y, room, style, text);
	return room + put(d, x + room, y, width - room, style, mark);
}

static void put_right(const struct drawing *d, int x, int y, int width, enum style style, const char *text)
{
	int used = (int)text_width(text);

	put(d, used < width ? x + width - used : x, y, used < width ? used : width, style, text);
}

static enum style line_style(const struct drawing *d, uint32_t node, enum health health)
{
	if (health != HEALTH_OK)
		return health_style(health);
	return node == d->selected ? STYLE_BOLD : STYLE_PLAIN;
}

/* ---- lines ---- */

static void ink_line(struct drawing *d, const struct layered_line *line)
{
	const struct map_edge *e = &d->m->graph->edge[line->edge];
	int width = d->m->layered->width;

	for (int x = line->x0; line->y0 == line->y1 && x <= line->x1; x++) {
		struct ink *i = &d->ink[line->y0 * width + x];

		i->along = e->from + 1;
		i->along_sides |= (uint8_t)((x > line->x0 ? WEST : 0) | (x < line->x1 ? EAST : 0));
		i->along_health = e->health;
	}
	for (int y = line->y0; line->x0 == line->x1 && y <= line->y1; y++) {
		struct ink *i = &d->ink[y * width + line->x0];

		i->across = e->from + 1;
		i->across_sides |= (uint8_t)((y > line->y0 ? NORTH : 0) | (y < line->y1 ? SOUTH : 0));
		i->across_health = e->health;
	}
}

static void put_ink(const struct drawing *d, int x, int y)
{
	const struct ink *i = &d->ink[y * d->m->layered->width + x];
	enum health health = i->along_health > i->across_health ? i->along_health : i->across_health;
	uint32_t node = i->across ? i->across - 1 : i->along - 1;

	if (i->along && i->across && i->along != i->across)      /* that which goes across runs on, the other one below it */
		put(d, x, y, 1, line_style(d, node, i->across_health), glyph(d, i->across_sides, i->across_health));
	else if (i->along || i->across)
		put(d, x, y, 1, line_style(d, node, health), glyph(d, i->along_sides | i->across_sides, health));
}

/* The healthy first, so that trouble is seen all the way. */
static void draw_lines(struct drawing *d)
{
	const struct layered *l = d->m->layered;

	for (int health = HEALTH_OK; health <= HEALTH_BAD; health++)
		for (size_t i = 0; i < l->lines.n; i++)
			if ((int)d->m->graph->edge[l->lines.v[i].edge].health == health)
				ink_line(d, &l->lines.v[i]);
	for (int y = d->first; y < l->height && y < d->first + d->rows; y++)
		for (int x = 0; x < l->width; x++)
			put_ink(d, x, y);
}

/* ---- calls ---- */

static void draw_sign(const struct drawing *d, const struct map_edge *e, int x, int y)
{
	if (e->health)
		put(d, x, y, 1, health_style(e->health), (char[]){health_sign(e->health), '\0'});
}

/* A call without a line says where it comes from. */
static void draw_far_call(const struct drawing *d, const struct map_edge *e, int x, int y, int width)
{
	bool high = d->m->look->style.pitch > 1;
	char text[MAP_TEXT], who[MAP_TEXT];
	int room = high ? width - 1 : width - 2 - (e->spoken ? 6 : 7);

	snprintf(who, sizeof(who), room < 12 ? "+%u" : "+%u callers", e->members);
	put_cut(d, x, y, room, STYLE_DIM, e->apart ? who : d->m->graph->node[e->from].name);
	put_right(d, x, y + high, width - 1, STYLE_PLAIN, e->spoken ? map_rate(text, e->rate_per_s, 6) : map_words(text, e));
	draw_sign(d, e, x + width - 1, y);
}

/* On two rows: requests, then p95 and errors. */
static void draw_high_call(const struct drawing *d, const struct map_edge *e, int x, int y)
{
	const struct map_look *k = d->m->look;
	enum style style = e->health ? health_style(e->health) : STYLE_PLAIN;
	int width = map_look_numbers(k);
	char text[MAP_TEXT];
	const char *words = map_words(text, e);

	draw_sign(d, e, x + width - 1, y);
	if (words)
		put(d, x, y + e->spoken, width - !e->spoken, style, words);
	if (e->spoken)
		put_right(d, x, y, k->rate, STYLE_PLAIN, map_rate(text, e->rate_per_s, k->rate));
	if (words)
		return;
	put_right(d, x, y + 1, 5, STYLE_PLAIN, map_time(text, e->p95_ms, 5));
	put_right(d, x + 5, y + 1, k->errors, style, map_errors(text, e, k->errors));
}

static void draw_call(const struct drawing *d, const struct map_edge *e, int x, int y)
{
	const struct map_look *k = d->m->look;
	enum style style = e->health ? health_style(e->health) : STYLE_PLAIN;
	int end = x + map_look_numbers(k);
	char text[MAP_TEXT];
	const char *words = map_words(text, e);

	draw_sign(d, e, end - 1, y);
	if (k->protocol) {
		put_cut(d, x, y, k->protocol, STYLE_DIM, e->protocol);
		x += k->protocol + 1;
	}
	if (words && !(e->spoken && k->errors)) {
		put_right(d, x, y, end - 1 - x, style, words);
		return;
	}
	put_right(d, x, y, k->rate, STYLE_PLAIN, map_rate(text, e->rate_per_s, k->rate));
	x += k->rate + 1;
	if (words) {
		put_right(d, x, y, end - 1 - x, style, words);
		return;
	}
	put_right(d, x, y, k->p95, STYLE_PLAIN, map_time(text, e->p95_ms, k->p95));
	if (k->errors)
		put_right(d, x + k->p95 + 1, y, k->errors, style, map_errors(text, e, k->errors));
}

static void draw_calls(const struct drawing *d, uint32_t node)
{
	const struct layered *l = d->m->layered;
	const struct layered_node *v = &l->node[node];
	const struct map_look *k = d->m->look;

	for (uint32_t i = 0; i < l->edges; i++) {
		const struct layered_edge *e = &l->edge[i];
		const struct map_edge *call = &d->m->graph->edge[i];
		bool far = e->back || e->apart;

		if (e->to != node)
			continue;
		put(d, v->x, e->y, 1, far ? STYLE_DIM : line_style(d, e->from, call->health), d->g->utf8 ? (far ? "»" : "►") : far ? "*" : ">");
		if (far)
			draw_far_call(d, call, v->x + 1, e->y, k->boxed ? v->w - 2 : map_look_numbers(k));
		else if (k->style.pitch > 1)
			draw_high_call(d, call, v->x + 1, e->y);
		else
			draw_call(d, call, v->x + 1, e->y);
	}
}

/* ---- nodes ---- */

static void draw_frame(const struct drawing *d, uint32_t node)
{
	const struct layered_node *v = &d->m->layered->node[node];
	enum health health = d->m->graph->node[node].health;
	enum style style = health ? health_style(health) : node == d->selected ? STYLE_BOLD : STYLE_DIM;
	int right = v->x + v->w - 1, bottom = v->y + v->h - 1;

	for (int x = v->x; x <= right; x++) {
		unsigned sides = (x > v->x ? WEST : 0) | (x < right ? EAST : 0);

		put(d, x, v->y, 1, style, glyph(d, sides | (sides == (WEST | EAST) ? 0 : SOUTH), health));
		put(d, x, bottom, 1, style, glyph(d, sides | (sides == (WEST | EAST) ? 0 : NORTH), health));
	}
	for (int y = v->y + 1; y < bottom; y++) {
		put(d, v->x, y, 1, style, glyph(d, NORTH | SOUTH, health));
		put(d, right, y, 1, style, glyph(d, NORTH | SOUTH | (v->calls && y == v->exit ? EAST : 0), health));
		for (int x = v->x + 1; x < right; x++)
			put(d, x, y, 1, STYLE_PLAIN, " ");
	}
}

/* Appends what there is room for. */
static int put_more(const struct drawing *d, int x, int y, int width, const char *text)
{
	if (1 + (int)text_width(text) > width)
		return 0;
	put(d, x, y, 1, STYLE_PLAIN, " ");
	return 1 + put(d, x + 1, y, width - 1, STYLE_DIM, text);
}

/* What else is known of a node: kind, CPU, and its requests where no single call says so. Columns used. */
static int draw_more(const struct drawing *d, uint32_t node, int x, int y, int width)
{
	const struct map_node *n = &d->m->graph->node[node];
	char text[MAP_TEXT];
	int used = 0;

	if (n->kind)
		used += put_more(d, x, y, width, n->kind);
	if (!isnan(n->cpu_cores))
		used += put_more(d, x + used, y, width - used, map_cores(text, n->cpu_cores));
	if (d->m->layered->node[node].entries > 1 && !isnan(n->rate_per_s))
		used += put_more(d, x + used, y, width - used, map_rate(text, n->rate_per_s, 6));
	return used;
}

/* The name, and as much of what else is known as there is room for. Columns used. */
static int draw_title(const struct drawing *d, uint32_t node, int x, int y, int width)
{
	const struct map_node *n = &d->m->graph->node[node];
	int used, sign = n->health ? 2 : 0;

	used = put_cut(d, x, y, width - sign, node == d->selected ? STYLE_SELECTED : STYLE_BOLD, n->name);
	if (sign)
		used += put(d, x + used, y, sign, health_style(n->health), (char[]){' ', health_sign(n->health), '\0'});
	if (d->m->look->boxed && !d->m->layered->node[node].entries) {     /* its frame has a row for that */
		draw_more(d, node, d->m->layered->node[node].x + 1, y + 1, d->m->layered->node[node].w - 2);
		return used;
	}
	return used + draw_more(d, node, x + used, y, width - used);
}

/* From the end of what is written in a row to the edge of the column, where the lines begin. */
static void draw_leader(const struct drawing *d, uint32_t node, int from)
{
	const struct layered_node *v = &d->m->layered->node[node];
	enum health health = HEALTH_OK;

	for (uint32_t i = 0; i < d->m->graph->edges; i++)
		if (d->m->graph->edge[i].from == node && !d->m->layered->edge[i].back && d->m->graph->edge[i].health > health)
			health = d->m->graph->edge[i].health;
	for (int x = from; v->calls && x < v->x + v->w; x++)
		put(d, x, v->exit, 1, line_style(d, node, health), glyph(d, EAST | WEST, health));
}

static void draw_node(const struct drawing *d, uint32_t node)
{
	const struct layered_node *v = &d->m->layered->node[node];
	const struct map_look *k = d->m->look;
	int numbers = v->entries ? map_look_numbers(k) + 1 : 0, edge = k->name > 8, x = v->x;

	if (k->boxed) {
		draw_frame(d, node);
		if (edge)
			put(d, x + 1, v->y, 1, STYLE_PLAIN, " ");
		x += 1 + edge + draw_title(d, node, x + 1 + edge, v->y, v->w - 2 - 2 * edge);
		if (edge)
			put(d, x, v->y, 1, STYLE_PLAIN, " ");
	} else if (k->beside) {
		x += numbers ? numbers + 1 : 0;
		x += draw_title(d, node, x, v->y, v->w - (x - v->x) - 1);
		draw_leader(d, node, x + 1);
	} else {
		x += !!numbers;
		x += draw_title(d, node, x, v->y, v->w - (x - v->x) - 1);
		draw_leader(d, node, numbers ? v->x + numbers + 1 : x + 1);
	}
	draw_calls(d, node);
}

/* ---- the whole ---- */

/* What the signs mean, as far as there is room, the less obvious only where they are to be seen. */
static void draw_legend(const struct drawing *d)
{
	const struct layered *l = d->m->layered;
	const char *parts[] = {d->g->utf8 ? "► requests p95 errors" : "> requests p95 errors", "! bad ~ not well", NULL, "c cores"};
	int row = d->row + d->rows, col;
	char counts[96];

	for (size_t i = 0; i < l->edges; i++)
		if (l->edge[i].back || l->edge[i].apart)
			parts[2] = d->g->utf8 ? "» no line" : "* no line";
	service_map_counts(d->m, counts, sizeof(counts));
	col = grid_put(d->g, row, 0, 0, STYLE_DIM, counts);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i] && col + 3 + (int)text_width(parts[i]) <= d->g->cols)
			col += 3 + grid_put(d->g, row, col + 3, 0, STYLE_DIM, parts[i]);
}

void service_map_draw(const struct service_map *m, struct grid *g, int row, int rows, int first, uint32_t selected)
{
	struct drawing d = {.m = m, .g = g, .row = row, .rows = rows - 1, .first = first, .selected = selected};

	if (!m->layered || rows < 1)
		return;
	d.ink = calloc((size_t)m->layered->width * (size_t)m->layered->height, sizeof(*d.ink));
	if (d.ink) {
		draw_lines(&d);
		for (uint32_t i = 0; i < m->graph->nodes; i++)
			draw_node(&d, i);
	}
	draw_legend(&d);
	free(d.ink);
}

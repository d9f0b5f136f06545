/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/map_tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tui/health.h"
#include "tui/map_select.h"

#define DEPTH_MAX 40          /* deeper chains are drawn at this depth */

struct map_tree {
	const struct summary *sum;
	VEC(struct map_tree_line) lines;
	bool *wanted;         /* by service */
	bool *drawn;          /* by service: its callees are on the map already */
	bool *called;         /* by service: somebody wanted calls it */
};

static const struct win_edge *ends(const struct map_tree *m, const struct sum_edge *e)
{
	return &m->sum->window->edges.v[e->edge];
}

static bool is_shown(const struct map_tree *m, const struct sum_edge *e)
{
	return map_edge_shown(m->sum, m->wanted, e);
}

static int by_traffic(const void *a, const void *b)
{
	const struct sum_edge *x = *(const struct sum_edge *const *)a, *y = *(const struct sum_edge *const *)b;

	if (edge_health(x) != edge_health(y))
		return (int)edge_health(y) - (int)edge_health(x);
	if (x->l.count != y->l.count)
		return x->l.count < y->l.count ? 1 : -1;
	return x->edge < y->edge ? -1 : x->edge > y->edge;
}

/* The shown edges out of a service (WIN_NONE: those without a known caller), unhealthy and busy first. Caller frees. */
static const struct sum_edge **edges_from(const struct map_tree *m, uint32_t from, size_t *n)
{
	const struct summary *s = m->sum;
	const struct sum_edge **list = malloc((s->edges.n + 1) * sizeof(*list));
	size_t i;

	*n = 0;
	for (i = 0; list && i < s->edges.n; i++)
		if (ends(m, &s->edges.v[i])->from == from && is_shown(m, &s->edges.v[i]))
			list[(*n)++] = &s->edges.v[i];
	if (list && *n)
		qsort(list, *n, sizeof(*list), by_traffic);
	return list;
}

static int add_callees(struct map_tree *m, uint32_t from, int depth, uint64_t rails)
{
	size_t n, i;
	const struct sum_edge **list = edges_from(m, from, &n);
	int err = list ? 0 : -1;

	if (from != WIN_NONE)
		m->drawn[from] = true;
	for (i = 0; !err && i < n; i++) {
		struct map_tree_line *l = vec_push(&m->lines);
		uint32_t to = ends(m, list[i])->to;
		bool last = i + 1 == n;

		if (!l) {
			err = -1;
			break;
		}
		*l = (struct map_tree_line){to, list[i]->edge, depth, last, m->drawn[to], rails};
		if (!l->again)
			err = add_callees(m, to, depth < DEPTH_MAX ? depth + 1 : depth,
					  last ? rails : rails | (uint64_t)1 << depth);
	}
	free(list);
	return err;
}

static int add_root(struct map_tree *m, uint32_t service)
{
	struct map_tree_line *l = vec_push(&m->lines);

	if (!l)
		return -1;
	*l = (struct map_tree_line){.service = service, .edge = WIN_NONE};
	return add_callees(m, service, 1, 0);
}

static int lay_out(struct map_tree *m)
{
	const struct summary *s = m->sum;
	uint32_t id;
	size_t i;

	for (i = 0; i < s->edges.n; i++)
		if (is_shown(m, &s->edges.v[i]) && ends(m, &s->edges.v[i])->from != ends(m, &s->edges.v[i])->to)
			m->called[ends(m, &s->edges.v[i])->to] = true;
	for (id = 0; id < s->window->services.n; id++) {        /* clients first: those that nobody calls */
		size_t n;
		const struct sum_edge **list = edges_from(m, id, &n);

		free(list);
		if (!list || (n && !m->called[id] && add_root(m, id)))
			return -1;
	}
	for (i = 0; i < s->edges.n; i++) {                      /* then cycles, and edges whose caller is not known */
		const struct win_edge *w = ends(m, &s->edges.v[i]);
		uint32_t root = w->from == WIN_NONE ? w->to : w->from;

		if (is_shown(m, &s->edges.v[i]) && !m->drawn[root] && add_root(m, root))
			return -1;
	}
	return 0;
}

struct map_tree *map_tree_new(const struct summary *s, const char *service)
{
	struct map_tree *m = calloc(1, sizeof(*m));
	size_t n = s->window->services.n + 1;

	if (!m)
		return NULL;
	m->sum = s;
	m->wanted = map_wanted(s, service);
	m->drawn = calloc(n, 1);
	m->called = calloc(n, 1);
	if (m->wanted && m->drawn && m->called && !lay_out(m))
		return m;
	map_tree_free(m);
	return NULL;
}

void map_tree_free(struct map_tree *m)
{
	if (!m)
		return;
	free(m->wanted);
	free(m->drawn);
	free(m->called);
	vec_done(&m->lines);
	free(m);
}

int map_tree_rows(const struct map_tree *m)
{
	return (int)m->lines.n + 1;
}

const struct map_tree_line *map_tree_line(const struct map_tree *m, int i)
{
	return i >= 0 && (size_t)i < m->lines.n ? &m->lines.v[i] : NULL;
}

/* ---- drawing ---- */

enum { RAIL = 3, COL_P95 = 9, COL_RATE = 9, COL_ERR = 7, COL_PROTO = 10, NUMBERS = COL_PROTO + COL_RATE + COL_P95 + COL_ERR + 8 };

/* Up to half of the name's columns; of what is deeper the outer rails are left out. */
static int draw_rails(struct grid *g, int row, const struct map_tree_line *l, int name)
{
	static const char *const utf8[] = {"   ", "\xe2\x94\x82  ", "\xe2\x94\x94\xe2\x94\x80 ", "\xe2\x94\x9c\xe2\x94\x80 "};
	static const char *const ascii[] = {"   ", "|  ", "`- ", "|- "};
	const char *const *part = g->utf8 ? utf8 : ascii;
	int most = name / 2 / RAIL, d = l->depth > most ? l->depth - most + 1 : 1, col = 0;

	for (; d < l->depth; d++)
		col += grid_put(g, row, col, 0, STYLE_DIM, part[l->rails >> d & 1]);
	if (l->depth)
		col += grid_put(g, row, col, 0, STYLE_DIM, part[l->last ? 2 : 3]);
	return col;
}

static void number_text(char *buf, size_t cap, double v, const char *unit)
{
	if (isnan(v))
		snprintf(buf, cap, "-");
	else
		snprintf(buf, cap, v >= 100 ? "%.0f%s" : v >= 10 ? "%.1f%s" : "%.2f%s", v, unit);
}

static void milliseconds_text(char *buf, size_t cap, double ms)
{
	if (ms >= 1000)
		number_text(buf, cap, ms / 1000, " s");
	else
		number_text(buf, cap, ms, " ms");
}

static void draw_numbers(const struct map_tree *m, struct grid *g, int row, int col, const struct sum_edge *e)
{
	const struct win_edge *w = ends(m, e);
	enum style style = health_style(edge_health(e));
	bool spoken = e->l.count > 0;
	char text[32];

	grid_put(g, row, col, COL_PROTO - 1, STYLE_DIM, w->protocol ? w->protocol : "");
	col += COL_PROTO;
	if (spoken)
		number_text(text, sizeof(text), e->l.rate_per_s, "/s");
	else
		snprintf(text, sizeof(text), "%.0f open", e->open);
	grid_right(g, row, col, COL_RATE, STYLE_PLAIN, text);
	col += COL_RATE;
	milliseconds_text(text, sizeof(text), spoken ? e->l.p95_ms : NAN);
	grid_right(g, row, col, COL_P95, STYLE_PLAIN, text);
	col += COL_P95;
	snprintf(text, sizeof(text), spoken && !isnan(e->l.error_ratio) ? "%.1f%%" : "-", 100 * e->l.error_ratio);
	grid_right(g, row, col, COL_ERR, e->l.errors > 0 ? style : STYLE_PLAIN, text);
	grid_put(g, row, col + COL_ERR + 1, 7, style, edge_health_word(e));
}

static void draw_line(const struct map_tree *m, struct grid *g, int row, const struct map_tree_line *l)
{
	const struct win_service *s = &m->sum->window->services.v[l->service];
	const struct sum_edge *e = l->edge == WIN_NONE ? NULL : summary_edge(m->sum, l->edge);
	int numbers = g->cols > NUMBERS + 20 ? g->cols - NUMBERS : 20, col = draw_rails(g, row, l, numbers);
	bool cut = text_width(s->name) > (size_t)(numbers - col - 1);

	col += grid_put(g, row, col, numbers - col - 1, e ? STYLE_PLAIN : STYLE_BOLD, s->name);
	if (cut)
		grid_put(g, row, numbers - 2, 1, STYLE_DIM, g->utf8 ? "\xe2\x80\xa6" : "~");
	else if (l->again && col + 2 < numbers)
		grid_put(g, row, col, numbers - col - 1, STYLE_DIM, g->utf8 ? " \xe2\x86\x91" : " ^");
	if (e)
		draw_numbers(m, g, row, numbers, e);
}

static void draw_header(struct grid *g, int row)
{
	int col = g->cols > NUMBERS + 20 ? g->cols - NUMBERS : 20;

	grid_put(g, row, 0, 0, STYLE_TITLE, "service");
	grid_put(g, row, col, 0, STYLE_TITLE, "protocol");
	grid_right(g, row, col += COL_PROTO, COL_RATE, STYLE_TITLE, "rate");
	grid_right(g, row, col += COL_RATE, COL_P95, STYLE_TITLE, "p95");
	grid_right(g, row, col += COL_P95, COL_ERR, STYLE_TITLE, "errors");
	grid_put(g, row, col + COL_ERR + 1, 7, STYLE_TITLE, "health");
}

void map_tree_draw(const struct map_tree *m, struct grid *g, int row, int rows, int first, int selected)
{
	int i;

	if (rows < 1)
		return;
	draw_header(g, row);
	for (i = 0; i < rows - 1 && (size_t)(first + i) < m->lines.n; i++) {
		draw_line(m, g, row + 1 + i, &m->lines.v[first + i]);
		if (first + i == selected)
			grid_row_style(g, row + 1 + i, STYLE_SELECTED);
	}
}

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

struct call { uint32_t from; const struct sum_edge *edge; };       /* from WIN_NONE: the caller is not known */

struct map_tree {
	const struct summary *sum;
	VEC(struct map_tree_line) lines;
	VEC(struct call) calls;            /* those that are shown, by caller; unhealthy and busy ones first */
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

static int by_caller(const void *a, const void *b)
{
	const struct call *c = a, *d = b;
	const struct sum_edge *x = c->edge, *y = d->edge;

	if (c->from != d->from)
		return c->from < d->from ? -1 : 1;
	if (edge_health(x) != edge_health(y))
		return (int)edge_health(y) - (int)edge_health(x);
	if (x->l.count != y->l.count)
		return x->l.count < y->l.count ? 1 : -1;
	return x->edge < y->edge ? -1 : x->edge > y->edge;
}

static int calls_sort(struct map_tree *m)
{
	for (size_t i = 0; i < m->sum->edges.n; i++) {
		const struct sum_edge *e = &m->sum->edges.v[i];
		struct call *c = is_shown(m, e) ? vec_push(&m->calls) : NULL;

		if (c)
			*c = (struct call){ends(m, e)->from, e};
		else if (is_shown(m, e))
			return -1;
	}
	if (m->calls.n)
		qsort(m->calls.v, m->calls.n, sizeof(*m->calls.v), by_caller);
	return 0;
}

/* The calls of a service: the first of them, and how many. */
static const struct call *calls_of(const struct map_tree *m, uint32_t from, size_t *n)
{
	size_t low = 0, high = m->calls.n, end;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->calls.v[mid].from < from)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < m->calls.n && m->calls.v[end].from == from; end++)
		;
	*n = end - low;
	return m->calls.v + low;
}

/* A service whose callees are being added. */
struct branch {
	const struct call *call;
	size_t n, next;
	int depth;            /* of its callees */
	uint64_t rails;
};

typedef VEC(struct branch) branches;

static int branch_open(const struct map_tree *m, branches *open, uint32_t from, int depth, uint64_t rails)
{
	struct branch *b = vec_push(open);

	if (!b)
		return -1;
	*b = (struct branch){.depth = depth, .rails = rails};
	b->call = calls_of(m, from, &b->n);
	m->drawn[from] = true;
	return 0;
}

/* One callee of the branch, and its own before the next one. */
static int branch_step(struct map_tree *m, branches *open)
{
	struct branch *b = &open->v[open->n - 1];
	const struct sum_edge *e = b->call[b->next++].edge;
	struct map_tree_line *l = vec_push(&m->lines);
	uint64_t rails = b->rails;
	bool last = b->next == b->n;
	int depth = b->depth;

	if (!l)
		return -1;
	*l = (struct map_tree_line){ends(m, e)->to, e->edge, depth, last, m->drawn[ends(m, e)->to], rails};
	if (!last)
		rails |= (uint64_t)1 << depth;
	return l->again ? 0 : branch_open(m, open, l->service, depth < DEPTH_MAX ? depth + 1 : depth, rails);
}

/* All that it calls, and what that calls; without recursion, for a chain may be of any length. */
static int add_callees(struct map_tree *m, uint32_t from)
{
	branches open = {0};
	int err = branch_open(m, &open, from, 1, 0);

	while (!err && open.n)
		if (open.v[open.n - 1].next < open.v[open.n - 1].n)
			err = branch_step(m, &open);
		else
			open.n--;
	vec_done(&open);
	return err;
}

static int add_root(struct map_tree *m, uint32_t service)
{
	struct map_tree_line *l = vec_push(&m->lines);

	if (!l)
		return -1;
	*l = (struct map_tree_line){.service = service, .edge = WIN_NONE};
	return add_callees(m, service);
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

		calls_of(m, id, &n);
		if (n && !m->called[id] && add_root(m, id))
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
	if (m->wanted && m->drawn && m->called && !calls_sort(m) && !lay_out(m))
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
	vec_done(&m->calls);
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
	else if (isnan(e->open))
		snprintf(text, sizeof(text), "-");
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

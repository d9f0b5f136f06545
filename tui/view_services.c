/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tui/view.h"

/* busiest first: by CPU, then by requests */
static int by_use(const void *a, const void *b)
{
	const struct sum_service *x = *(const struct sum_service *const *)a, *y = *(const struct sum_service *const *)b;
	double dx = isnan(x->cpu_cores) ? 0 : x->cpu_cores, dy = isnan(y->cpu_cores) ? 0 : y->cpu_cores;

	if (dx != dy)
		return dx < dy ? 1 : -1;
	if (x->in.count != y->in.count)
		return x->in.count < y->in.count ? 1 : -1;
	return x->service < y->service ? -1 : x->service > y->service;
}

static const struct sum_service **sorted(const struct top_state *st, size_t *n)
{
	const struct summary *s = st->sum;
	const struct sum_service **list = malloc((s->services.n + 1) * sizeof(*list));
	size_t i;

	*n = 0;
	for (i = 0; list && i < s->services.n; i++)
		if (!st->filter || !strcmp(st->filter, s->window->services.v[s->services.v[i].service].name))
			list[(*n)++] = &s->services.v[i];
	if (list && *n)
		qsort(list, *n, sizeof(*list), by_use);
	return list;
}

struct column { const char *title; int width; void (*text)(char *buf, size_t cap, const struct sum_service *s); };

static void number(char *buf, size_t cap, double v, const char *fmt)
{
	if (isnan(v))
		snprintf(buf, cap, "-");
	else
		snprintf(buf, cap, fmt, v);
}

static void rate(char *buf, size_t cap, const struct sum_service *s)
{
	number(buf, cap, s->in.count > 0 ? s->in.rate_per_s : NAN, "%.1f");
}

static void p95(char *buf, size_t cap, const struct sum_service *s)
{
	number(buf, cap, s->in.count > 0 ? s->in.p95_ms : NAN, "%.1f");
}

static void errors(char *buf, size_t cap, const struct sum_service *s)
{
	number(buf, cap, s->in.count > 0 ? 100 * s->in.error_ratio : NAN, "%.1f");
}

static void cpu(char *buf, size_t cap, const struct sum_service *s)
{
	number(buf, cap, s->cpu_cores, "%.2f");
}

static void runq(char *buf, size_t cap, const struct sum_service *s)
{
	number(buf, cap, s->runq_wait_s * 1000, "%.0f");
}

static void disk(char *buf, size_t cap, const struct sum_service *s)
{
	number(buf, cap, s->disk_wait_s * 1000, "%.0f");
}

static void lock(char *buf, size_t cap, const struct sum_service *s)
{
	number(buf, cap, s->futex_wait_s * 1000, "%.0f");
}

static void peers(char *buf, size_t cap, const struct sum_service *s)
{
	number(buf, cap, s->net_wait_s * 1000, "%.0f");
}

static void quota(char *buf, size_t cap, const struct sum_service *s)
{
	number(buf, cap, s->quota_wait_s * 1000, "%.0f");
}

static void stall(char *buf, size_t cap, const struct sum_service *s)
{
	number(buf, cap, s->mem_wait_s * 1000, "%.0f");
}

static void memory(char *buf, size_t cap, const struct sum_service *s)
{
	if (!(s->mem_bytes > 0))         /* unknown, or its processes are gone */
		snprintf(buf, cap, "-");
	else
		size_format(buf, cap, s->mem_bytes);
}

static const struct column columns[] = {
	{"req/s", 8, rate}, {"p95 ms", 8, p95}, {"err %", 6, errors}, {"cores", 6, cpu},
	{"runq ms/s", 10, runq}, {"disk ms/s", 10, disk}, {"memory", 9, memory},
	/* where there is room for them: what else the threads wait for */
	{"lock ms/s", 10, lock}, {"net ms/s", 9, peers}, {"quota ms/s", 11, quota}, {"stall ms/s", 11, stall},
};
#define COLUMNS_ALWAYS 7
#define NAME_WIDTH 20           /* that a column of those must leave */

static size_t columns_n(const struct grid *g)
{
	int total = NAME_WIDTH;
	size_t n = 0;

	while (n < sizeof(columns) / sizeof(*columns) && (n < COLUMNS_ALWAYS || total + columns[n].width <= g->cols))
		total += columns[n++].width;
	return n;
}

static void draw_row(const struct top_state *st, struct grid *g, int row, const struct sum_service *s, int name_width)
{
	int col = name_width;
	char text[48];
	size_t i;

	grid_put(g, row, 0, name_width - 1, STYLE_PLAIN, st->window->services.v[s->service].name);
	for (i = 0; i < columns_n(g); i++) {
		columns[i].text(text, sizeof(text), s);
		grid_right(g, row, col, columns[i].width, STYLE_PLAIN, text);
		col += columns[i].width;
	}
}

static int draw_titles(struct grid *g, int row)
{
	int total = 0, name_width, col;
	size_t i;

	for (i = 0; i < columns_n(g); i++)
		total += columns[i].width;
	col = name_width = g->cols - total > 16 ? g->cols - total : 16;
	grid_put(g, row, 0, 0, STYLE_TITLE, "service");
	for (i = 0; i < columns_n(g); col += columns[i++].width)
		grid_right(g, row, col, columns[i].width, STYLE_TITLE, columns[i].title);
	return name_width;
}

static void draw(struct top_state *st, struct grid *g, int row, int rows)
{
	int name_width = draw_titles(g, row), i;
	const struct sum_service **list;
	size_t n;

	list = sorted(st, &n);
	if (!list)
		return;
	st->lines = (int)n;
	for (i = 0; i < rows - 1 && st->first + i < st->lines; i++) {
		const struct sum_service *s = list[st->first + i];

		draw_row(st, g, row + 1 + i, s, name_width);
		if (st->first + i != st->selected)
			continue;
		grid_row_style(g, row + 1 + i, STYLE_SELECTED);
		st->picked = st->window->services.v[s->service].name;
	}
	free(list);
}

const struct view view_services = {"services", draw};

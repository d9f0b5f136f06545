/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/service_map.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define SCREEN_ROWS 48
#define NAME_GOOD 32           /* columns of a name that go before air around the lines */
#define CPU_COLUMNS 6
#define RATE_COLUMNS 7

/* In the order of preference. */
static const struct map_look looks[] = {
	/* head foot body pitch  boxed  beside  protocol rate p95 errors  name */
	{{1, 1, 1, 1}, true, false, 10, 6, 6, 5, 32},
	{{1, 1, 1, 1}, true, false, 0, 6, 6, 5, 24},
	{{1, 1, 1, 1}, true, false, 0, 5, 5, 4, 16},
	{{1, 0, 0, 1}, false, false, 0, 6, 6, 5, 24},
	{{0, 0, 1, 1}, false, true, 0, 6, 6, 5, 20},
	{{1, 0, 0, 1}, false, false, 0, 5, 5, 4, 16},
	{{0, 0, 1, 1}, false, true, 0, 5, 5, 4, 16},
	{{1, 1, 1, 1}, true, false, 0, 5, 5, 0, 12},
	{{1, 0, 0, 1}, false, false, 0, 5, 5, 0, 12},
	{{0, 0, 1, 1}, false, true, 0, 5, 5, 0, 12},
	{{1, 1, 1, 2}, true, false, 0, 5, 0, 3, 8},
	{{1, 0, 0, 2}, false, false, 0, 5, 0, 3, 8},
};
#define LOOKS (sizeof(looks) / sizeof(looks[0]))

int map_look_numbers(const struct map_look *k)
{
	return (k->protocol ? k->protocol + 1 : 0) + k->rate + (k->p95 ? 1 + k->p95 : 0) + (k->errors && k->p95 ? 1 + k->errors : 0) +
	       (k->p95 ? 1 : k->errors);
}

/* ---- fitting ---- */

/* Columns around a name: those of the frame, or those before it and behind it. */
static int around(const struct map_look *k, const struct layered_node *n)
{
	if (k->boxed)
		return k->name > 8 ? 4 : 2;
	return k->beside && n->entries ? map_look_numbers(k) + 3 : 2;
}

static void measure(struct layered *l, const struct map_graph *g, const struct map_look *k)
{
	for (uint32_t i = 0; i < g->nodes; i++) {
		const struct map_node *n = &g->node[i];
		struct layered_node *v = &l->node[i];
		int name = (int)text_width(n->name) + (n->health ? 2 : 0), frame = around(k, v);
		int numbers = v->entries ? map_look_numbers(k) + (k->boxed ? 2 : 1) : 0;
		int more = n->kind ? 1 + (int)text_width(n->kind) : 0;

		more += isnan(n->cpu_cores) ? 0 : CPU_COLUMNS;
		more += v->entries > 1 ? RATE_COLUMNS : 0;
		v->least = frame + (name < k->name ? name : k->name);
		v->least = v->least < numbers ? numbers : v->least;
		v->good = frame + (name < NAME_GOOD ? name : NAME_GOOD);
		v->wish = frame + name + more;
	}
}

static struct layered *layers_of(const struct map_graph *g)
{
	struct layered *l = layered_new(g->nodes, g->edges);

	for (uint32_t i = 0; l && i < g->edges; i++)
		l->edge[i] = (struct layered_edge){.from = g->edge[i].from, .to = g->edge[i].to, .apart = g->edge[i].apart};
	if (l && !layered_rank(l) && !layered_slots(l))
		return l;
	layered_free(l);
	return NULL;
}

struct fitting {
	struct service_map *m;
	int cols, rows;            /* 0: any */
	bool failed;
	bool ordered;              /* what m has now: put off until it may fit */
	bool hopeless;             /* not even the narrowest look has the columns, whatever is folded */
};

/* Is there a look in which what m has now fits? most: rows, 0: any number. */
static bool fits_in(struct fitting *f, int most)
{
	struct service_map *m = f->m;
	int cols, rows;

	f->hopeless = true;
	for (size_t i = 0; i < LOOKS; i++) {
		measure(m->layered, m->graph, &looks[i]);
		layered_least(m->layered, &looks[i].style, &cols, &rows);
		if (f->cols && cols > f->cols)
			continue;
		f->hopeless = false;
		if (most && rows > most)
			continue;
		f->failed |= !f->ordered && layered_order(m->layered) != 0;
		f->ordered = true;
		f->failed |= layered_place(m->layered, &looks[i].style, f->cols) != 0;
		m->look = &looks[i];
		if (f->failed || ((!f->cols || m->layered->width <= f->cols) && (!most || m->layered->height <= most)))
			return true;
	}
	return false;
}

/* Where it may be as high as it likes to be, the denser looks are for what would not fit a screen. */
static bool fits(struct fitting *f)
{
	if (!f->rows && f->cols && fits_in(f, SCREEN_ROWS))
		return true;
	return fits_in(f, f->rows);
}

static void take(struct service_map *m, struct map_graph *g)
{
	map_graph_free(m->graph);
	layered_free(m->layered);
	m->graph = g;
	m->layered = NULL;
}

/* Folds until it fits, or there is nothing left to fold. */
static bool fold(struct fitting *f)
{
	struct service_map *m = f->m;

	for (int step = -1; step < map_fold_steps; step++) {
		struct map_graph *folded = NULL;

		if (step >= 0 && map_graph_fold(m->graph, step, &folded))
			f->failed = true;
		if (folded)
			take(m, folded);
		if (f->failed || (step >= 0 && !folded) || m->graph->nodes > MAP_NODES_MAX)
			continue;
		m->layered = layers_of(m->graph);
		f->ordered = false;
		f->failed |= !m->layered;
		if (f->failed || fits(f))
			return true;
		if (f->hopeless)
			break;
	}
	return false;
}

struct service_map *service_map_new(const struct summary *s, const char *service, int cols, int rows, bool utf8)
{
	struct service_map *m = calloc(1, sizeof(*m));
	struct fitting f = {.m = m, .cols = cols, .rows = rows > 1 ? rows - 1 : 0};

	if (!m)
		return NULL;
	m->graph = map_graph_new(s, service, utf8);
	if (m->graph && !m->graph->nodes)
		return m;
	if (m->graph && !fold(&f)) {
		f.rows = 0;                /* too many are in trouble: higher, rather than to hide one */
		if (!m->layered || f.hopeless || !fits(&f)) {
			layered_free(m->layered);
			m->layered = NULL;
		}
	}
	if (m->graph && !f.failed)
		return m;
	service_map_free(m);
	return NULL;
}

void service_map_free(struct service_map *m)
{
	if (!m)
		return;
	map_graph_free(m->graph);
	layered_free(m->layered);
	free(m);
}

int service_map_rows(const struct service_map *m)
{
	return m->layered ? m->layered->height + 1 : 0;
}

uint32_t service_map_nth(const struct service_map *m, int i)
{
	const struct layered *l = m->layered;

	for (uint32_t v = 0; l && i >= 0 && v < l->nodes; v++) {
		int before = 0;

		for (uint32_t k = 0; k < l->nodes; k++)
			before += l->node[k].layer < l->node[v].layer || (l->node[k].layer == l->node[v].layer && l->node[k].y < l->node[v].y);
		if (before == i)
			return v;
	}
	return WIN_NONE;
}

void service_map_counts(const struct service_map *m, char *buf, size_t cap)
{
	uint32_t folded = map_graph_folded(m->graph);
	const struct map_graph *g = m->graph;
	int n = snprintf(buf, cap, "%u service%s, %u call%s", g->services, g->services == 1 ? "" : "s", g->calls, g->calls == 1 ? "" : "s");

	if (folded && n > 0 && (size_t)n < cap)
		snprintf(buf + n, cap - (size_t)n, ", %u folded", folded);
}

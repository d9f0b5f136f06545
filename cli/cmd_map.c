/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "exit.h"
#include "json_edge.h"
#include "map_dot.h"
#include "map_svg.h"
#include "out.h"
#include "say.h"
#include "tui/service_map.h"
#include "tui/map_tree.h"

static size_t no_memory(void)
{
	say_error(EXIT_FAILED, "out of memory");
	return ROWS_FAILED;
}

/* Draws what there is to draw to a grid of so many rows and prints it. */
static size_t print_grid(int rows, int cols, void (*draw)(const void *what, struct grid *g), const void *what)
{
	struct grid g;
	char *drawn;

	if (grid_init(&g, rows, cols, out_utf8()))
		return no_memory();
	draw(what, &g);
	drawn = grid_text(&g, out_colored());
	grid_done(&g);
	if (!drawn)
		return no_memory();
	out_bytes(drawn, strlen(drawn));
	free(drawn);
	return 1;
}

static void draw_tree(const void *what, struct grid *g)
{
	map_tree_draw(what, g, 0, g->rows, 0, -1);
}

static void draw_layers(const void *what, struct grid *g)
{
	service_map_draw(what, g, 0, g->rows, 0, WIN_NONE);
}

static size_t tree(const struct summary *s, const struct options *o, int cols)
{
	struct map_tree *m = map_tree_new(s, o->service);
	size_t n = m ? 0 : no_memory();

	if (m && map_tree_rows(m) > 1)
		n = print_grid(map_tree_rows(m), cols, draw_tree, m);
	map_tree_free(m);
	return n;
}

static size_t layers(const struct summary *s, const struct options *o, int cols, int rows)
{
	struct service_map *m = service_map_new(s, o->service, cols, rows, out_utf8());
	size_t n = m ? 0 : no_memory();

	if (m && m->layered) {
		n = print_grid(service_map_rows(m), cols, draw_layers, m);
	} else if (m && m->graph->nodes) {
		if (m->graph->nodes > MAP_NODES_MAX)
			say_note("%u services are too many to draw: the map as a tree; --service shows what is around one", m->graph->nodes);
		else
			say_note("too many calls in a row for %d columns: the map as a tree; --width says how wide it may be", cols);
		n = tree(s, o, cols);
	}
	service_map_free(m);
	return n;
}

static size_t text(const struct summary *s, const struct options *o)
{
	int cols = o->width ? (int)o->width : (int)out_columns();

	if (o->dot)
		return map_dot_print(s, o->service);
	if (o->svg)
		return map_svg_write(s, o->service, o->svg);
	return o->tree ? tree(s, o, cols) : layers(s, o, cols, o->height ? (int)o->height : (int)out_rows());
}

static void json_node(struct json *j, const struct summary *s, const struct options *o, const struct sum_service *v)
{
	const struct window *w = s->window;

	row_begin(j, "node");
	json_tick(j, s, o);
	json_string(j, "service", service_name(w, v->service));
	json_string(j, "kind", w->services.v[v->service].kind);
	json_number(j, "in_per_s", v->in.rate_per_s);
	json_number(j, "out_per_s", v->out.rate_per_s);
	json_quantiles(j, &v->in);
	json_number(j, "inflight", v->inflight);
	json_number(j, "cpu_cores", v->cpu_cores);
	json_number(j, "mem_bytes", v->mem_bytes);
	row_end(j);
}

static bool on_map(const struct summary *s, const struct options *o, uint32_t service)
{
	if (o->service && service_wanted(o, s->window, service, service))
		return true;
	for (size_t i = 0; i < s->edges.n; i++) {
		const struct win_edge *e = &s->window->edges.v[s->edges.v[i].edge];

		if ((e->from == service || e->to == service) && service_wanted(o, s->window, e->from, e->to))
			return true;
	}
	return false;
}

static size_t json(const struct summary *s, const struct options *o, struct json *j)
{
	size_t n = 0;

	for (size_t i = 0; i < s->services.n && !out_closed(); i++)
		if (on_map(s, o, s->services.v[i].service)) {
			json_node(j, s, o, &s->services.v[i]);
			n++;
		}
	for (size_t i = 0; i < s->edges.n && !out_closed(); i++) {
		const struct win_edge *e = &s->window->edges.v[s->edges.v[i].edge];

		if (service_wanted(o, s->window, e->from, e->to)) {
			json_edge(j, s, o, &s->edges.v[i]);
			n++;
		}
	}
	return n;
}

int cmd_map(const struct command *c, struct options *o, int argc, char **argv)
{
	static const struct rows rows = {
		"map/1", "no calls", LOAD_REQUESTS | LOAD_HISTS | LOAD_TCP | LOAD_POINTS, false, text, json, FILTER_MAP, .drawn = true,
	};

	if (o->json + o->dot + o->tree + (o->svg != NULL) > 1)
		return say_error(EXIT_USAGE, "%s: --json, --dot, --svg and --tree are four forms: give one", c->name);
	if (o->svg && o->follow)
		return say_error(EXIT_USAGE, "%s: --svg writes one drawing: give no --follow with it", c->name);
	return rows_command(&rows, o);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "json_edge.h"
#include "out.h"
#include "tui/map.h"

static size_t text(const struct summary *s, const struct options *o)
{
	struct map_layout *m = map_layout_new(s, o->service);
	struct grid g;
	size_t n = 0;

	if (!m)
		return 0;
	int lines = map_layout_rows(m);

	if (lines > 1 && grid_init(&g, lines, (int)out_columns(), out_utf8()) == 0) {
		map_layout_draw(m, &g, 0, lines, 0, -1);
		char *drawn = grid_text(&g, out_colored());

		if (drawn)
			out_bytes(drawn, strlen(drawn));
		free(drawn);
		grid_done(&g);
		n = (size_t)lines - 1;
	}
	map_layout_free(m);
	return n;
}

static void json_node(struct json *j, const struct window *w, const struct sum_service *v)
{
	row_begin(j, "node");
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
			json_node(j, s->window, &s->services.v[i]);
			n++;
		}
	for (size_t i = 0; i < s->edges.n && !out_closed(); i++) {
		const struct win_edge *e = &s->window->edges.v[s->edges.v[i].edge];

		if (service_wanted(o, s->window, e->from, e->to)) {
			json_edge(j, s, &s->edges.v[i]);
			n++;
		}
	}
	return n;
}

int cmd_map(const struct command *c, struct options *o, int argc, char **argv)
{
	static const struct rows rows = {
		"map/1", "no calls", LOAD_REQUESTS | LOAD_HISTS | LOAD_TCP | LOAD_POINTS, false, text, json,
	};

	return rows_command(&rows, o);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "map_svg.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "exit.h"
#include "rows.h"
#include "say.h"
#include "svg.h"
#include "tui/service_map.h"
#include "tui/map_text.h"

/* px of a cell: the layout is that of the terminal */
#define CELL_X 8
#define CELL_Y 20
#define MARGIN 12

struct svg { FILE *out; const struct service_map *m; };

static int px(int x)
{
	return MARGIN + x * CELL_X;
}

/* The middle of a row. */
static int py(int y)
{
	return MARGIN + y * CELL_Y + CELL_Y / 2;
}

static const char *class_of(enum health h)
{
	return h == HEALTH_BAD ? "bad" : h == HEALTH_WARN ? "warn" : "ok";
}

static void put_head(const struct svg *v)
{
	int width = 2 * MARGIN + v->m->layered->width * CELL_X, height = 2 * MARGIN + (v->m->layered->height + 1) * CELL_Y;

	fprintf(v->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
		"width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n<style>", width, height, width, height);
	fputs("text { font: 12px monospace; fill: #222 } .end { text-anchor: end }\n"
	      ".name { font-weight: bold } .more { fill: #666 }\n"
	      "rect { fill: #fff; stroke: #666; rx: 3px }\n"
	      "rect.warn { stroke: #b06000 } rect.bad { stroke: #c00000; stroke-width: 2.5 }\n"
	      "path { fill: none; stroke: #888; shape-rendering: crispEdges }\n"
	      "path.warn { stroke: #b06000 } path.bad { stroke: #c00000; stroke-width: 2.5 }\n"
	      "path.head { fill: #888; stroke: none; shape-rendering: auto }\n"
	      "path.head.warn { fill: #b06000 } path.head.bad { fill: #c00000 }\n"
	      "text.warn { fill: #b06000 } text.bad { fill: #c00000; font-weight: bold }</style>\n", v->out);
	fprintf(v->out, "<rect x=\"0\" y=\"0\" width=\"%d\" height=\"%d\" style=\"stroke: none\"/>\n", width, height);
}

static void put_lines(const struct svg *v, enum health health)
{
	const struct layered *l = v->m->layered;

	for (size_t i = 0; i < l->lines.n; i++) {
		const struct layered_line *line = &l->lines.v[i];

		if (v->m->graph->edge[line->edge].health == health)
			fprintf(v->out, "<path class=\"%s\" d=\"M%d %dL%d %d\"/>\n", class_of(health), px(line->x0) + CELL_X / 2, py(line->y0),
				px(line->x1) + CELL_X / 2, py(line->y1));
	}
}

/* end: what ends at x. */
static void put_text(const struct svg *v, int x, int y, bool end, const char *class, const char *text)
{
	if (!*text)
		return;
	fprintf(v->out, "<text x=\"%d\" y=\"%d\" class=\"%s%s\">", x, y + 4, class, end ? " end" : "");
	svg_put_escaped(v->out, text);
	fputs("</text>\n", v->out);
}

/* Where the number ends that is i-th of a call, the protocol not counted. */
static int number_end(const struct svg *v, int x, int i)
{
	const struct map_look *k = v->m->look;
	int cols = k->protocol + 1 + k->rate;

	cols += i > 0 ? 1 + k->p95 : 0;
	return x + (cols + (i > 1 ? 1 + k->errors : 0)) * CELL_X;
}

static void put_numbers(const struct svg *v, const struct map_edge *e, int x, int y)
{
	const char *class = class_of(e->health), *words;
	char text[MAP_TEXT];

	words = map_words(text, e);
	if (words)
		put_text(v, number_end(v, x, 2), y, true, class, words);
	if (!e->spoken)
		return;
	put_text(v, number_end(v, x, 0), y, true, class, map_rate(text, e->rate_per_s, v->m->look->rate));
	if (words)
		return;
	put_text(v, number_end(v, x, 1), y, true, class, map_time(text, e->p95_ms, v->m->look->p95));
	put_text(v, number_end(v, x, 2), y, true, class, map_errors(text, e, v->m->look->errors));
}

/* A call without a line says where it comes from instead of what it speaks. */
static void put_call(const struct svg *v, uint32_t edge)
{
	const struct layered_edge *place = &v->m->layered->edge[edge];
	const struct map_edge *e = &v->m->graph->edge[edge];
	const char *from = v->m->graph->node[e->from].name;
	int x = px(v->m->layered->node[place->to].x) + CELL_X, y = py(place->y);
	char cut[24];

	if (!place->back)
		fprintf(v->out, "<path class=\"head %s\" d=\"M%d %dl-7 -4v8z\"/>\n", class_of(e->health), x - CELL_X / 2, y);
	else
		put_text(v, x - CELL_X / 2, y, false, class_of(e->health), "\xc2\xbb");
	text_clean(cut, place->back ? sizeof(cut) / 2 : sizeof(cut), place->back ? from : e->protocol,
		   strlen(place->back ? from : e->protocol), true);
	put_text(v, x + CELL_X / 2, y, false, "more", cut);
	put_numbers(v, e, x, y);
}

static void put_node(const struct svg *v, uint32_t node)
{
	const struct layered_node *place = &v->m->layered->node[node];
	const struct map_node *n = &v->m->graph->node[node];
	int x = px(place->x) + CELL_X / 2, y = py(place->y) - CELL_Y / 2 + 2;
	char more[128], cores[MAP_TEXT], kind[64] = "";

	if (n->kind)
		text_clean(kind, sizeof(kind), n->kind, strlen(n->kind), true);
	snprintf(more, sizeof(more), "%s%s%s", kind, n->kind && !isnan(n->cpu_cores) ? " " : "",
		 isnan(n->cpu_cores) ? "" : map_cores(cores, n->cpu_cores));
	fputs("<g><title>", v->out);
	svg_put_escaped(v->out, n->name);
	fprintf(v->out, "</title><rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/></g>\n", class_of(n->health), x, y,
		(place->w - 1) * CELL_X, place->h * CELL_Y - 4);
	put_text(v, x + CELL_X, y + CELL_Y / 2, false, "name", n->name);
	put_text(v, px(place->x + place->w) - CELL_X, y + CELL_Y / 2, true, "more", more);
}

static void put_foot(const struct svg *v)
{
	char counts[96];

	service_map_counts(v->m, counts, sizeof(counts));
	put_text(v, px(0), py(v->m->layered->height), false, "more", counts);
}

static int write_all(const struct service_map *m, FILE *out)
{
	struct svg v = {out, m};
	int failed;

	put_head(&v);
	for (int h = HEALTH_OK; h <= HEALTH_BAD; h++)
		put_lines(&v, h);
	for (uint32_t i = 0; i < m->graph->nodes; i++)
		put_node(&v, i);
	for (uint32_t i = 0; i < m->graph->edges; i++)
		put_call(&v, i);
	put_foot(&v);
	fputs("</svg>\n", out);
	failed = ferror(out);
	return fclose(out) || failed;
}

size_t map_svg_write(const struct summary *s, const char *service, const char *path)
{
	struct service_map *m = service_map_new(s, service, 0, 0, true);
	size_t n = m ? m->graph->nodes + m->graph->edges : ROWS_FAILED;
	FILE *out;

	if (!m)
		say_error(EXIT_FAILED, "out of memory");
	if (!m || !m->layered) {
		if (n && n != ROWS_FAILED) {
			say_error(EXIT_FAILED, "%u services are too many to draw: --service NAME, --dot or --tree", m->graph->nodes);
			n = ROWS_FAILED;
		}
		service_map_free(m);
		return n;
	}
	out = fopen(path, "we");
	if (!out) {
		say_error(EXIT_FAILED, "%s: cannot be written: %s", path, strerror(errno));
		n = ROWS_FAILED;
	} else if (write_all(m, out)) {
		say_error(EXIT_FAILED, "%s: cannot be written", path);
		n = ROWS_FAILED;
	}
	service_map_free(m);
	return n;
}

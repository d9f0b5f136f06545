/* SPDX-License-Identifier: BSD-2-Clause */
#include "map_dot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "exit.h"
#include "out.h"
#include "rows.h"
#include "say.h"
#include "tui/map_graph.h"
#include "tui/map_text.h"

#define LABEL 1536

/* Between double quotes a quote ends the text and a backslash begins an escape; the texts of a graph have no control
 * characters. */
static void add(char *label, const char *text)
{
	size_t n = strlen(label);

	for (; *text && n + 3 < LABEL; text++) {
		if (*text == '"' || *text == '\\')
			label[n++] = '\\';
		label[n++] = *text;
	}
	label[n] = '\0';
}

static void new_line(char *label)
{
	size_t n = strlen(label);

	if (n && n + 3 < LABEL)
		strcpy(label + n, "\\n");
}

static const char *colour(enum health h)
{
	return h == HEALTH_BAD ? "#c00000" : h == HEALTH_WARN ? "#b06000" : "#404040";
}

static void print_node(uint32_t id, const struct map_node *n)
{
	char label[LABEL] = "", number[MAP_TEXT];

	add(label, n->name);
	if (n->kind) {
		new_line(label);
		add(label, n->kind);
	}
	if (!isnan(n->cpu_cores)) {
		snprintf(number, sizeof(number), "%.2f cores", n->cpu_cores);
		new_line(label);
		add(label, number);
	}
	out_line("\tn%u [label=\"%s\", color=\"%s\"%s];", id, label, colour(n->health), n->health == HEALTH_BAD ? ", penwidth=2" : "");
}

static void print_edge(const struct map_edge *e)
{
	char label[LABEL] = "", number[MAP_TEXT];

	add(label, e->protocol);
	if (e->spoken) {
		new_line(label);
		add(label, map_rate(number, e->rate_per_s, 6));
		add(label, ", p95 ");
		add(label, map_time(number, e->p95_ms, 6));
		if (e->errors > 0) {
			add(label, ", errors ");
			add(label, map_ratio(number, e->error_ratio));
		}
	}
	if (!e->spoken || e->trouble) {
		new_line(label);
		add(label, map_words(number, e));
	}
	out_line("\tn%u -> n%u [label=\"%s\", color=\"%s\"%s];", e->from, e->to, label, colour(e->health),
		 e->health == HEALTH_BAD ? ", penwidth=2" : "");
}

size_t map_dot_print(const struct summary *s, const char *service)
{
	struct map_graph *g = map_graph_new(s, service, true);
	size_t n;

	if (!g) {
		say_error(EXIT_FAILED, "out of memory");
		return ROWS_FAILED;
	}
	n = g->nodes + g->edges;
	if (n) {
		out_line("%s", "digraph map {");
		out_line("%s", "\trankdir=LR; node [shape=box, fontname=\"sans-serif\"]; edge [fontname=\"sans-serif\", fontsize=10];");
		for (uint32_t i = 0; i < g->nodes; i++)
			print_node(i, &g->node[i]);
		for (uint32_t i = 0; i < g->edges; i++)
			print_edge(&g->edge[i]);
		out_line("%s", "}");
	}
	map_graph_free(g);
	return n;
}

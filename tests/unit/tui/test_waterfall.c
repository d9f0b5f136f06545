/* SPDX-License-Identifier: BSD-2-Clause */
/* A trace drawn: every cell where it belongs, at any width, whatever the spans say. */
#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/waterfall.h"

#define MS 1000000ll

static struct win_span *span(struct window *w, const char *id, const char *parent, const char *service, int64_t t_ns, int64_t dur_ns)
{
	struct win_span *s = vec_push(&w->spans);

	*s = (struct win_span){.trace = "abc", .id = id, .parent = parent, .service = window_service(w, service), .edge = WIN_NONE, .op = WIN_NONE,
			       .t_ns = t_ns, .dur_ns = dur_ns, .confidence = NAN};
	return s;
}

static struct window *shop(void)
{
	struct window *w = window_new();
	struct win_span *s = span(w, "1", NULL, "nginx", 0, 100 * MS);

	s->op = window_op(w, "GET /items/{id}");
	s->edge = window_edge(w, window_service(w, "client"), s->service, "http", 80);
	s->status = "200";
	s = span(w, "2", "1", "shop.py", 10 * MS, 80 * MS);
	s->method = "thread";
	s->confidence = 0.95;
	s->timed = true;
	s->part_ns[TIME_CPU] = 20.0 * MS;
	s->part_ns[TIME_LOCK] = 30.0 * MS;
	s = span(w, "3", "2", "db", 50 * MS, 20 * MS);
	s->error = "server_error";
	s->detail = "57014";
	span(w, "4", "1", "log", 95 * MS, 0)->method = "order";
	return w;
}

/* Draws the first trace of the window, which goes; the caller frees. */
static char *draw(struct window *w, int cols, bool utf8, uint32_t most)
{
	struct span_tree *t;
	struct grid g;
	char *text;
	int lines;

	window_sort(w);
	t = span_tree_new(w);
	grid_init(&g, 1, cols, utf8);
	lines = waterfall_draw(t, &t->traces.v[0], most, &g, 0, 0, 0);
	grid_done(&g);
	grid_init(&g, lines, cols, utf8);
	cr_assert_eq(waterfall_draw(t, &t->traces.v[0], most, &g, 0, lines, 0), lines);
	text = grid_text(&g, false);
	grid_done(&g);
	span_tree_free(t);
	window_free(w);
	return text;
}

Test(waterfall, bars_are_where_the_time_was)
{
	char *text = draw(shop(), 70, false, 0);

	cr_assert_str_eq(text,
		"trace abc  1970-01-01T00:00:00.000Z  client -> nginx\n"
		"100 ms, 4 hops, 4 services, 1 failed\n"
		"SERVICE, OPERATION           0               100 ms     TOOK  STATUS\n"
		"nginx GET /items/{id}        ######################   100 ms  200\n"
		"|- shop.py                     ##################      80 ms\n"
		"|   by thread, 95 %: lock 30 ms, CPU 20 ms, unknown 30 ms\n"
		"| `- db                                 #####          20 ms  57014\n"
		"`- log                                           #      0 us\n"
		"    by order\n", "\n%s", text);
	free(text);
}

Test(waterfall, unicode_where_it_can)
{
	char *text;

	setlocale(LC_ALL, "C.UTF-8");
	text = draw(shop(), 70, true, 0);
	cr_assert(strstr(text, "├─ shop.py"), "%s", text);
	cr_assert(strstr(text, "│ └─"), "%s", text);
	cr_assert(strstr(text, "██"), "%s", text);
	free(text);
}

Test(waterfall, no_line_is_wider_than_the_terminal)
{
	for (int cols = 1; cols <= 200; cols += cols < 60 ? 1 : 23) {
		char *text = draw(shop(), cols, false, 0);

		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
			cr_assert_leq(strlen(line), (size_t)cols, "%d: %s", cols, line);
		free(text);
	}
}

/* Beyond what has room for its rails a hop still has its bar, and a trace without end has an end on the screen. */
Test(waterfall, deep_and_many)
{
	struct window *w = window_new();
	char *text, *line;

	for (int i = 0; i < 300; i++)
		span(w, arena_printf(&w->arena, "%d", i), i ? arena_printf(&w->arena, "%d", i - 1) : NULL, "s", i * MS, (600 - 2 * i) * MS);
	text = draw(w, 80, false, 200);
	line = strstr(text, "100 more hops");
	cr_assert(line, "%s", text);
	cr_assert_eq(line[-1], '\n');
	cr_assert_null(strstr(line, "#"));
	free(text);
}

Test(waterfall, hostile_spans)
{
	struct window *w = window_new();
	struct win_span *s;
	char *text;

	s = span(w, "a", NULL, "evil\x1b[2J\n", INT64_MIN / 4, 0);
	s->op = window_op(w, "\x1b]0;title\x07");
	s->status = "\x1b[31m";
	s->method = "\r\n";
	s->timed = true;
	s->part_ns[TIME_CPU] = NAN;
	s->part_ns[TIME_NET] = INFINITY;
	span(w, "b", "a", "far", INT64_MAX / 4, INT64_MAX / 4);
	text = draw(w, 80, false, 0);
	cr_assert_null(strchr(text, '\x1b'), "%s", text);
	cr_assert_null(strchr(text, '\r'));
	cr_assert_null(strchr(text, '\x07'));
	free(text);
}

Test(waterfall, a_part_of_the_lines)
{
	struct window *w = shop();
	struct span_tree *t;
	struct grid g;
	char *text;

	window_sort(w);
	t = span_tree_new(w);
	grid_init(&g, 4, 70, false);
	cr_assert_eq(waterfall_draw(t, &t->traces.v[0], 0, &g, 1, 2, 3), 9);
	text = grid_text(&g, false);
	cr_assert_str_eq(text, "\nnginx GET /items/{id}        ######################   100 ms  200\n"
			       "|- shop.py                     ##################      80 ms\n\n", "\n%s", text);
	free(text);
	grid_done(&g);
	span_tree_free(t);
	window_free(w);
}

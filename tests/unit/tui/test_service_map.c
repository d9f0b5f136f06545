/* SPDX-License-Identifier: BSD-2-Clause */
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tui/service_map.h"

static struct service_map *map_of(const struct window *w, const char *service, int cols, int rows)
{
	struct summary *s = summary_new(w, T0, T0 + 10 * NS_PER_S);
	struct service_map *m = service_map_new(s, service, cols, rows, true);

	cr_assert_not_null(m);
	summary_free(s);
	return m;
}

static char *text_of(const struct service_map *m, int cols, bool utf8)
{
	struct grid g;
	char *text;

	cr_assert_eq(grid_init(&g, service_map_rows(m), cols, utf8), 0);
	service_map_draw(m, &g, 0, g.rows, 0, WIN_NONE);
	text = grid_text(&g, false);
	grid_done(&g);
	return text;
}

static void expect(const char *text, const char *part)
{
	cr_assert_not_null(strstr(text, part), "no '%s' in:\n%s", part, text);
}

Test(service_map, the_shop_at_80_columns)
{
	static const char want[] =
		"+ external:10.0... + + nginx -----+ + api.js ----+                + postgres --+\n"
		"|                  +-> 50/s  12ms +-> 50/s  10ms +#---------------> 80/s 2.0ms |\n"
		"+------------------+ +------------+ +------------+## cart.py ! =#+> 20/s 1.0ms |\n"
		"                                                  #> 30/s 4.0ms!##+------------+\n"
		"                                                   #============### redis ! ===#\n"
		"                                                                 #>    refused!#\n"
		"                                                                  #============#\n"
		"6 services, 6 calls   > requests p95 errors   ! bad ~ not well   c cores\n";
	struct window *w = shop_window();
	struct service_map *m = map_of(w, NULL, 80, 24);
	char *got = text_of(m, 80, false);

	cr_assert_str_eq(got, want, "got:\n%s", got);
	free(got);
	service_map_free(m);
	window_free(w);
}

/* A gateway, what it calls, and what those call: so many of each. */
static struct window *wide_window(int n, int troubled)
{
	struct window *w = window_new();
	char app[32], store[32];

	shop_requests(w, shop_edge(w, "external:1", "gateway", "http", 1), 5, 0, 1);
	for (int i = 0; i < n; i++) {
		snprintf(app, sizeof(app), "app-%d", i);
		snprintf(store, sizeof(store), "store-%d", i % 7);
		shop_requests(w, shop_edge(w, "gateway", app, "http", 1), 5, 0, 1);
		shop_requests(w, shop_edge(w, app, store, "redis", 2), 5, i < troubled ? 1 : 0, 1);
	}
	window_sort(w);
	return w;
}

Test(service_map, what_is_in_trouble_is_never_folded)
{
	char name[32];

	for (int troubled = 0; troubled < 8; troubled++) {
		struct window *w = wide_window(60, troubled);
		struct service_map *m = map_of(w, NULL, 80, 24);
		char *got = text_of(m, 80, true);

		cr_assert_not_null(m->layered);
		expect(got, "healthy");
		for (int i = 0; i < troubled; i++) {
			snprintf(name, sizeof(name), "app-%d", i);
			expect(got, name);
		}
		cr_assert(troubled > 5 || service_map_rows(m) <= 24, "%d rows:\n%s", service_map_rows(m), got);
		free(got);
		service_map_free(m);
		window_free(w);
	}
}

/* Every service and every call is drawn, or stands in the numbers of what was folded. */
Test(service_map, nothing_is_lost)
{
	static const struct { int cols, rows; } sizes[] = {{0, 0}, {80, 0}, {200, 60}, {160, 50}, {120, 40}, {80, 24}, {60, 16}, {40, 10}};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct window *w = wide_window(60, 2);
		struct service_map *m = map_of(w, NULL, sizes[i].cols, sizes[i].rows);
		uint32_t services = 0, calls = 0;

		for (uint32_t k = 0; k < m->graph->nodes; k++)
			services += m->graph->node[k].members;
		for (uint32_t k = 0; k < m->graph->edges; k++)
			calls += m->graph->edge[k].members;
		cr_assert_eq(services, 69);
		cr_assert_eq(calls, 121);
		cr_assert(!m->layered || !sizes[i].cols || m->layered->width <= sizes[i].cols);
		service_map_free(m);
		window_free(w);
	}
}

Test(service_map, stands_still_while_only_numbers_change)
{
	struct window *before = wide_window(30, 0), *after = wide_window(30, 0);
	struct service_map *a, *b;

	for (size_t i = 0; i < after->requests.n; i++)
		after->requests.v[i].count *= 1 + (double)(i % 7);
	a = map_of(before, NULL, 160, 50);
	b = map_of(after, NULL, 160, 50);
	cr_assert_eq(a->graph->nodes, b->graph->nodes);
	for (uint32_t i = 0; i < a->graph->nodes; i++) {
		const struct layered_node *x = &a->layered->node[i], *y = &b->layered->node[i];

		cr_assert_str_eq(a->graph->node[i].name, b->graph->node[i].name);
		cr_assert(x->x == y->x && x->y == y->y && x->w == y->w && x->h == y->h);
	}
	service_map_free(a);
	service_map_free(b);
	window_free(before);
	window_free(after);
}

Test(service_map, the_order_in_which_services_were_first_seen_does_not_show)
{
	struct window *w = window_new(), *other = window_new();
	struct service_map *a, *b;
	char *x, *y;

	window_service(other, "z");
	window_service(other, "b");
	shop_requests(w, shop_edge(w, "a", "b", "http", 1), 5, 0, 1);
	shop_requests(w, shop_edge(w, "a", "c", "http", 1), 5, 0, 1);
	shop_requests(other, shop_edge(other, "a", "c", "http", 1), 5, 0, 1);
	shop_requests(other, shop_edge(other, "a", "b", "http", 1), 5, 0, 1);
	a = map_of(w, NULL, 80, 24);
	b = map_of(other, NULL, 80, 24);
	x = text_of(a, 80, true);
	y = text_of(b, 80, true);
	cr_assert_str_eq(x, y);
	free(x);
	free(y);
	service_map_free(a);
	service_map_free(b);
	window_free(w);
	window_free(other);
}

Test(service_map, clients_from_outside_are_one)
{
	struct window *w = window_new();
	struct service_map *m;
	char name[32], *got;

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "external:10.0.0.%d", i);
		shop_requests(w, shop_edge(w, name, "nginx", "http", 80), 2, 0, 1);
	}
	window_sort(w);
	m = map_of(w, NULL, 80, 24);
	got = text_of(m, 80, true);
	expect(got, "40 clients");
	expect(got, "80.0/s");
	free(got);
	service_map_free(m);
	m = map_of(w, "external:10.0.0.7", 80, 24);
	got = text_of(m, 80, true);
	expect(got, "external:10.0.0.7");
	free(got);
	service_map_free(m);
	window_free(w);
}

Test(service_map, calls_in_a_circle_and_of_nobody_known_have_their_rows)
{
	struct window *w = window_new();
	struct service_map *m;
	char *got;

	shop_requests(w, shop_edge(w, "aa", "bb", "http", 1), 5, 0, 1);
	shop_requests(w, shop_edge(w, "bb", "aa", "http", 2), 5, 0, 1);
	shop_requests(w, shop_edge(w, "cc", "cc", "http", 3), 5, 0, 1);
	shop_requests(w, window_edge(w, WIN_NONE, window_service(w, "dd"), "http", 4), 5, 0, 1);
	window_sort(w);
	m = map_of(w, NULL, 80, 24);
	got = text_of(m, 80, true);
	expect(got, "»bb");
	expect(got, "»cc");
	expect(got, "(unknown)");
	expect(got, "5 services, 4 calls");
	expect(got, "» no line");
	free(got);
	service_map_free(m);
	window_free(w);
}

Test(service_map, a_chain_that_is_too_long_for_the_columns_is_not_drawn)
{
	struct window *w = window_new();
	struct service_map *m;
	char a[32], b[32];

	for (int i = 0; i < 12; i++) {
		snprintf(a, sizeof(a), "app-%d", i);
		snprintf(b, sizeof(b), "app-%d", i + 1);
		shop_requests(w, shop_edge(w, a, b, "http", 80), 2, 0, 1);
	}
	m = map_of(w, NULL, 80, 24);
	cr_assert_null(m->layered);
	cr_assert_eq(m->graph->nodes, 13);
	service_map_free(m);
	m = map_of(w, NULL, 300, 24);
	cr_assert_not_null(m->layered);
	service_map_free(m);
	window_free(w);
}

/* Every call has its rate, its p95, its errors and a sign for them. */
Test(service_map, what_is_said_of_a_call)
{
	struct window *w = window_new();
	struct service_map *m;
	char *got;

	shop_requests(w, shop_edge(w, "a", "b", "http", 80), 1000, 40, 12);
	shop_tcp(w, shop_edge(w, "a", "c", "tcp", 81), 3, 0);
	window_sort(w);
	m = map_of(w, NULL, 120, 24);
	got = text_of(m, 120, true);
	expect(got, "►http       1.0k/s");
	expect(got, "4.0%!");
	expect(got, "12.0ms");
	expect(got, "3 open");
	free(got);
	service_map_free(m);
	window_free(w);
}

Test(service_map, names_cannot_move_the_cursor_and_small_grids_are_clipped)
{
	struct window *w = window_new();

	shop_requests(w, shop_edge(w, "evil\x1b[2J\r\n\"\\", "b\xff\xc0", "ht\x1btp", 1), 5, 0, 1);
	shop_requests(w, shop_edge(w, "b\xff\xc0", "evil\x1b[2J\r\n\"\\", "http", 1), 5, 0, 1);
	window_sort(w);
	for (int cols = 1; cols < 130; cols += 8)
		for (int rows = 0; rows < 12; rows += 3) {
			struct service_map *m = map_of(w, NULL, cols, rows);

			for (int utf8 = 0; m->layered && utf8 < 2; utf8++) {
				char *got = text_of(m, cols, utf8);

				cr_assert_null(strpbrk(got, "\x1b\r"));
				free(got);
			}
			service_map_free(m);
		}
	window_free(w);
}

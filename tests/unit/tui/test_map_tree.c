/* SPDX-License-Identifier: BSD-2-Clause */
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/map_tree.h"

static char *draw(const struct window *w, const char *service, bool utf8, int cols)
{
	struct summary *s = summary_new(w, T0, T0 + 10 * NS_PER_S);
	struct map_tree *m = map_tree_new(s, service);
	struct grid g;
	char *text;

	cr_assert_eq(grid_init(&g, map_tree_rows(m), cols, utf8), 0);
	map_tree_draw(m, &g, 0, g.rows, 0, -1);
	text = grid_text(&g, false);
	grid_done(&g);
	map_tree_free(m);
	summary_free(s);
	return text;
}

Test(map_tree, the_shop_as_a_tree_of_calls)
{
	static const char want[] =
		"service                              protocol       rate      p95 errors health\n"
		"external:10.0.0.9\n"
		"`- nginx                             http         50.0/s  12.0 ms   0.0% ok\n"
		"   `- api.js                         http         50.0/s  10.0 ms   0.0% ok\n"
		"      |- cart.py                     http         30.0/s  4.01 ms   3.3% errors\n"
		"      |  |- redis                    tcp          3 open        -      - refused\n"
		"      |  `- postgres                 postgres     20.0/s  1.00 ms   0.0% ok\n"
		"      `- postgres ^                  postgres     80.0/s  2.01 ms   0.0% ok\n";
	struct window *w = shop_window();
	char *got = draw(w, NULL, false, 80);

	cr_assert_str_eq(got, want, "got:\n%s", got);
	free(got);
	window_free(w);
}

Test(map_tree, a_filter_keeps_callers_and_callees)
{
	struct window *w = shop_window();
	char *got = draw(w, "cart.py", true, 80);

	cr_assert_not_null(strstr(got, "nginx"), "%s", got);
	cr_assert_not_null(strstr(got, "redis"), "%s", got);
	free(got);
	got = draw(w, "redis", true, 80);
	cr_assert_null(strstr(got, "postgres"), "%s", got);
	free(got);
	got = draw(w, "no such service", true, 80);
	cr_assert_null(strstr(got, "nginx"), "%s", got);
	free(got);
	window_free(w);
}

Test(map_tree, cycles_and_self_calls_end)
{
	struct window *w = window_new();
	char *got;

	shop_requests(w, shop_edge(w, "a", "b", "http", 1), 5, 0, 1);
	shop_requests(w, shop_edge(w, "b", "a", "http", 2), 5, 0, 1);
	shop_requests(w, shop_edge(w, "c", "c", "http", 3), 5, 0, 1);
	shop_requests(w, window_edge(w, WIN_NONE, window_service(w, "d"), "http", 4), 5, 0, 1);
	window_sort(w);
	got = draw(w, NULL, false, 80);
	cr_assert_not_null(strstr(got, "\na"), "%s", got);
	cr_assert_not_null(strstr(got, "\nc"), "%s", got);
	cr_assert_not_null(strstr(got, "\nd"), "%s", got);
	free(got);
	window_free(w);
}

Test(map_tree, deep_chains_leave_the_numbers_alone)
{
	struct window *w = window_new();
	char from[64], to[64], *got, *line, *rest;

	for (int i = 0; i < 60; i++) {
		snprintf(from, sizeof(from), "service-number-%d-of-the-shop", i);
		snprintf(to, sizeof(to), "service-number-%d-of-the-shop", i + 1);
		shop_requests(w, shop_edge(w, from, to, "http", 80), 10, 1, 4);
	}
	window_sort(w);
	got = draw(w, NULL, false, 80);
	line = strtok_r(got, "\n", &rest);
	line = strtok_r(NULL, "\n", &rest);
	while ((line = strtok_r(NULL, "\n", &rest))) {
		cr_assert_gt(strlen(line), 60, "%s", line);
		cr_assert_str_eq(line + 36, " http         10.0/s  4.01 ms  10.0% errors", "%s", line);
		cr_assert_neq(line[20], ' ', "no name: %s", line);
	}
	free(got);
	window_free(w);
}

/* However long a chain is, it neither takes the stack nor more than its share of time. */
Test(map_tree, a_chain_of_many_thousands)
{
	enum { MANY = 50000 };
	struct window *w = window_new();
	struct summary *s;
	struct map_tree *m;
	char from[16], to[16];

	for (int i = 0; i < MANY; i++) {
		snprintf(from, sizeof(from), "s%d", i);
		snprintf(to, sizeof(to), "s%d", i + 1);
		shop_requests(w, shop_edge(w, from, to, "http", 80), 10, 1, 4);
	}
	window_sort(w);
	s = summary_new(w, T0, T0 + 10 * NS_PER_S);
	m = map_tree_new(s, NULL);
	cr_assert_not_null(m);
	cr_assert_eq(map_tree_rows(m), MANY + 2);
	cr_assert_eq(map_tree_line(m, MANY)->depth, 40);
	map_tree_free(m);
	summary_free(s);
	window_free(w);
}

Test(map_tree, names_cannot_move_the_cursor_and_narrow_screens_are_clipped)
{
	struct window *w = window_new();
	char *got;
	int cols;

	shop_requests(w, shop_edge(w, "evil\x1b[2J\r\n", "b", "http", 1), 5, 0, 1);
	window_sort(w);
	for (cols = 1; cols < 90; cols += 8) {
		got = draw(w, NULL, true, cols);
		cr_assert_null(strpbrk(got, "\x1b\r"));
		free(got);
	}
	window_free(w);
}

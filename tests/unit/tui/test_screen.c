/* SPDX-License-Identifier: BSD-2-Clause */
#include "shop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/keys.h"
#include "tui/screen.h"
#include "tui/term.h"

static char *screen_text(const struct screen *s, struct top_state *st, int rows, int cols)
{
	struct grid g;
	char *text;

	cr_assert_eq(grid_init(&g, rows, cols, false), 0);
	screen_draw(&g, s, st);
	text = grid_text(&g, false);
	grid_done(&g);
	return text;
}

static void expect(const char *text, const char *part)
{
	cr_assert_not_null(strstr(text, part), "no '%s' in:\n%s", part, text);
}

static void incident_fill(struct report *r)
{
	struct incident *in = vec_push(&r->incidents);
	struct evidence *e;
	struct cause *c;

	*in = (struct incident){.id = "i1", .open = true, .service = "nginx", .kind = SYMPTOM_LATENCY, .since_ns = T0,
				.sentence = "nginx p95 12 ms -> 400 ms"};
	c = vec_push(&in->causes);
	*c = (struct cause){.service = "postgres", .kind = "db.slow_query", .confidence = 0.83,
			    .summary = "one statement of postgres got slower", .advice = "create the index again",
			    .refute = "rootle requests --service postgres"};
	e = vec_push(&c->evidence);
	*e = (struct evidence){.sentence = "SELECT ? p95 2 ms -> 380 ms"};
}

static void incident_done(struct report *r)
{
	vec_done(&r->incidents.v[0].causes.v[0].evidence);
	vec_done(&r->incidents.v[0].causes);
	vec_done(&r->incidents);
}

Test(screen, every_view_at_80x24)
{
	struct window *w = shop_window();
	struct summary *s = summary_new(w, T0, T0 + 10 * NS_PER_S);
	struct report r = {0};
	struct top_state st = {.window = w, .sum = s, .report = &r};
	struct screen screen = {.shown_ns = T0};
	char *text;

	incident_fill(&r);
	text = screen_text(&screen, &st, 24, 80);
	expect(text, "web-3");
	expect(text, "0.83 db.slow_query: one statement of postgres got slower");
	expect(text, "+ nginx");
	cr_assert_eq(st.lines, 6);
	cr_assert_str_eq(st.picked, "external:10.0.0.9", "callers first");
	free(text);
	screen.view = 1;
	text = screen_text(&screen, &st, 24, 80);
	expect(text, "postgres                  100.0     2.0   0.0  0.50         -         -   100 MB");
	cr_assert_str_eq(st.picked, "postgres", "busiest first");
	cr_expect_null(strstr(text, "lock ms/s"), "no room");
	free(text);
	text = screen_text(&screen, &st, 24, 120);
	expect(text, "lock ms/s net ms/s quota ms/s stall ms/s");
	expect(text, "   100 MB       250        -          -          -");
	free(text);
	screen.view = 2;
	text = screen_text(&screen, &st, 24, 80);
	expect(text, "OPEN since");
	expect(text, "advice  create the index again");
	free(text);
	screen.help = true;
	text = screen_text(&screen, &st, 40, 80);
	expect(text, "leave");
	free(text);
	incident_done(&r);
	summary_free(s);
	window_free(w);
}

/* What is selected is on the screen, however high the map is; beyond the columns there is the tree. */
Test(screen, the_map_follows_the_selection)
{
	struct window *w = window_new();
	struct screen screen = {.shown_ns = T0};
	struct top_state st = {.window = w};
	char name[32], *text;

	for (int i = 0; i < 40; i++) {                          /* all of them fail: none is folded */
		snprintf(name, sizeof(name), "app-%d", i);
		shop_requests(w, shop_edge(w, "gateway", name, "http", 1), 5, 1, 1);
	}
	st.sum = summary_new(w, T0, T0 + 10 * NS_PER_S);
	for (int i = 0; i < 41; i++) {
		st.selected = i;
		text = screen_text(&screen, &st, 24, 80);
		cr_assert_eq(st.lines, 41);
		expect(text, st.picked);
		expect(text, "41 services, 40 calls");
		free(text);
	}
	cr_assert_str_eq(st.picked, "app-9", "the last by name");
	free(screen_text(&screen, &st, 4, 12));
	text = screen_text(&screen, &st, 24, 18);
	expect(text, "|- app-17");
	free(text);
	summary_free((struct summary *)st.sum);
	window_free(w);
}

static void span(struct window *w, const char *trace, const char *id, const char *parent, const char *service, int64_t t_ns, int64_t dur_ns)
{
	*vec_push(&w->spans) = (struct win_span){.trace = trace, .id = id, .parent = parent, .service = window_service(w, service), .edge = WIN_NONE,
						 .op = window_op(w, "GET /"), .t_ns = T0 + t_ns, .dur_ns = dur_ns, .confidence = NAN,
						 .status = parent ? "500" : NULL};
}

Test(screen, traces_with_the_selected_one_in_time)
{
	struct window *w = shop_window();
	struct summary *s;
	struct top_state st = {.window = w};
	struct screen screen = {.shown_ns = T0, .view = 3};
	char *text;
	int rows, cols;

	span(w, "fast", "1", NULL, "nginx", 0, 20 * NS_PER_MS);
	span(w, "slow", "1", NULL, "api.js", 10, 80 * NS_PER_MS);
	span(w, "slow", "2", "1", "postgres", 20, 40 * NS_PER_MS);
	window_sort(w);
	st.sum = s = summary_new(w, T0, T0 + 10 * NS_PER_S);
	text = screen_text(&screen, &st, 24, 80);
	cr_assert_eq(st.lines, 2);
	cr_assert_str_eq(st.picked, "api.js", "the slowest first");
	expect(text, "api.js GET /                                80 ms     2    1");
	expect(text, "trace slow");
	expect(text, "`- postgres GET /");
	free(text);
	st.selected = 1;
	text = screen_text(&screen, &st, 24, 80);
	expect(text, "trace fast");
	free(text);
	st.filter = "postgres";
	st.selected = 0;
	free(screen_text(&screen, &st, 24, 80));
	cr_assert_eq(st.lines, 1);
	st.filter = "nobody";
	text = screen_text(&screen, &st, 24, 80);
	expect(text, "no trace of this service here");
	free(text);
	st.filter = NULL;
	for (rows = 1; rows < 30; rows += 3)
		for (cols = 1; cols < 100; cols += 9)
			free(screen_text(&screen, &st, rows, cols));
	summary_free(s);
	window_free(w);
}

Test(screen, any_size_before_the_first_tick)
{
	struct top_state st = {0};
	struct screen screen = {0};
	int rows, cols;

	for (rows = 1; rows < 30; rows += 3)
		for (cols = 1; cols < 100; cols += 9)
			free(screen_text(&screen, &st, rows, cols));
}

Test(keys, every_row_of_the_table_does_what_it_says)
{
	const struct key_row *r;

	for (r = key_table; r->keys; r++) {
		cr_assert_eq(key_request(r->key), r->request, "%s", r->keys);
		if (r->other_key)
			cr_assert_eq(key_request(r->other_key), r->request, "%s", r->keys);
	}
	cr_assert_eq(key_request('Z'), DO_NOTHING);
	cr_assert_eq(key_request(KEY_NONE_), DO_NOTHING);
}

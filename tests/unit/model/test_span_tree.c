/* SPDX-License-Identifier: BSD-2-Clause */
/* Spans, ours and anybody's, become trees: each span has one place. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/span_tree.h"

static struct win_span *span(struct window *w, const char *trace, const char *id, const char *parent, int64_t t_ns, int64_t dur_ns)
{
	struct win_span *s = vec_push(&w->spans);

	*s = (struct win_span){.trace = arena_strdup(&w->arena, trace), .id = arena_strdup(&w->arena, id),
			       .parent = parent ? arena_strdup(&w->arena, parent) : NULL, .service = window_service(w, id), .edge = WIN_NONE,
			       .op = WIN_NONE, .t_ns = t_ns, .dur_ns = dur_ns, .confidence = NAN};
	return s;
}

/* "a b(1) c(2)": ids with their depth, roots with 0, orphans with '!', the last of siblings with '.'. */
static void expect_shape(struct window *w, const char *wanted)
{
	struct span_tree *t;
	char text[512] = "";
	size_t placed = 0;

	window_sort(w);
	t = span_tree_new(w);
	cr_assert(t);
	for (size_t i = 0; i < t->traces.n; i++) {
		strcat(text, i ? " | " : "");
		placed += t->traces.v[i].n;
		for (uint32_t k = 0; k < t->traces.v[i].n; k++) {
			const struct span_node *n = &t->nodes.v[t->traces.v[i].first + k];

			sprintf(text + strlen(text), "%s%s%u%s%s", k ? " " : "", w->spans.v[n->span].id, n->depth, n->orphan ? "!" : "",
				n->last ? "." : "");
		}
	}
	cr_assert_str_eq(text, wanted);
	cr_assert_eq(placed, w->spans.n, "each span has one place");
	cr_assert_eq(t->nodes.n, w->spans.n);
	span_tree_free(t);
	window_free(w);
}

Test(span_tree, children_follow_their_parent_by_time)
{
	struct window *w = window_new();

	span(w, "t", "c", "a", 30, 10);
	span(w, "t", "a", NULL, 10, 100);
	span(w, "t", "d", "b", 22, 5);
	span(w, "t", "b", "a", 20, 10);
	span(w, "u", "x", NULL, 5, 1);
	expect_shape(w, "x0. | a0. b1 d2. c1.");
}

Test(span_tree, nothing_is_no_trace)
{
	expect_shape(window_new(), "");
}

Test(span_tree, a_parent_elsewhere_makes_a_root)
{
	struct window *w = window_new();

	span(w, "t", "a", "gone", 10, 100);
	span(w, "t", "b", NULL, 20, 10);
	span(w, "t", "c", "a", 30, 10);
	span(w, "u", "a", "b", 40, 10);
	expect_shape(w, "a0! c1. b0. | a0!.");
}

Test(span_tree, circles_are_cut_at_their_earliest)
{
	struct window *w = window_new();

	span(w, "t", "self", "self", 1, 1);
	span(w, "t", "y", "x", 10, 1);
	span(w, "t", "x", "z", 11, 1);
	span(w, "t", "z", "y", 12, 1);
	span(w, "t", "on", "x", 5, 1);
	expect_shape(w, "self0! y0!. z1. x2. on3.");
}

Test(span_tree, twins_are_both_shown)
{
	struct window *w = window_new();

	span(w, "t", "a", NULL, 1, 10);
	span(w, "t", "a", NULL, 1, 10);
	span(w, "t", "b", "a", 2, 1);
	expect_shape(w, "a0 b1. a0.");
}

/* A chain as long as it can get is walked without recursion, and fast. */
Test(span_tree, a_hundred_thousand_deep)
{
	struct window *w = window_new();
	struct span_tree *t;
	char id[16], parent[16];

	for (int i = 0; i < 100000; i++) {
		snprintf(id, sizeof(id), "%d", i);
		snprintf(parent, sizeof(parent), "%d", i + 1);
		*vec_push(&w->spans) = (struct win_span){.trace = "t", .id = arena_strdup(&w->arena, id), .t_ns = i,
							 .parent = arena_strdup(&w->arena, parent), .service = window_service(w, "s"), .edge = WIN_NONE};
	}
	window_sort(w);
	t = span_tree_new(w);
	cr_assert_eq(t->traces.n, 1);
	cr_assert_eq(t->nodes.v[99999].depth, 99999);
	cr_assert_eq(t->traces.v[0].roots, 1);
	span_tree_free(t);
	window_free(w);
}

Test(span_tree, a_trace_is_summed_up)
{
	struct window *w = window_new();
	struct span_tree *t;
	const struct sum_trace *s;

	span(w, "t", "early", "gone", 5, 2)->error = "ok";
	span(w, "t", "root", NULL, 10, 100)->status = "502";
	span(w, "t", "b", "root", 20, 10)->error = "aborted";
	span(w, "t", "late", "root", 90, 50);
	window_sort(w);
	t = span_tree_new(w);
	s = &t->traces.v[0];
	cr_assert_str_eq(s->id, "t");
	cr_assert_str_eq(w->spans.v[s->root].id, "root", "not the orphan before it");
	cr_assert_eq(s->t_ns, 10);
	cr_assert_eq(s->dur_ns, 100);
	cr_assert_eq(s->since_ns, 5);
	cr_assert_eq(s->until_ns, 140);
	cr_assert_eq(s->services, 4);
	cr_assert_eq(s->errors, 2);
	cr_assert_eq(s->roots, 2);
	span_tree_free(t);
	window_free(w);
}

Test(span_tree, the_class_of_an_end)
{
	static const struct { const char *error, *status; enum req_error class; } cases[] = {
		{"ok", "500", REQ_OK}, {"aborted", NULL, REQ_ABORTED}, {NULL, NULL, REQ_OK}, {NULL, "200", REQ_OK},
		{NULL, "404", REQ_CLIENT_ERROR}, {NULL, "503", REQ_SERVER_ERROR}, {NULL, "ERROR", REQ_SERVER_ERROR}, {NULL, "OK", REQ_OK},
		{NULL, "50x", REQ_OK}, {NULL, "", REQ_OK}, {"odd", "500", REQ_SERVER_ERROR},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_assert_eq(span_error(&(struct win_span){.error = cases[i].error, .status = cases[i].status}), cases[i].class, "case %zu", i);
}

/* What a stranger got wrong is not the service's error. */
Test(span_tree, a_miss_is_no_error)
{
	struct window *w = window_new();
	uint32_t web = window_edge(w, WIN_NONE, window_service(w, "a"), "http", 80);
	uint32_t db = window_edge(w, WIN_NONE, window_service(w, "a"), "postgres", 5432);

	cr_assert_not(span_failed(w, &(struct win_span){.edge = web, .error = "client_error", .status = "404"}));
	cr_assert(span_failed(w, &(struct win_span){.edge = web, .error = "client_error", .status = "429"}));
	cr_assert(span_failed(w, &(struct win_span){.edge = web, .error = "server_error", .status = "503"}));
	cr_assert(span_failed(w, &(struct win_span){.edge = db, .error = "client_error"}));
	cr_assert(span_failed(w, &(struct win_span){.edge = WIN_NONE, .status = "404"}));
	window_free(w);
}

Test(span_tree, what_no_part_explains)
{
	struct win_span s = {.dur_ns = 100, .timed = true, .part_ns = {[TIME_CPU] = 30, [TIME_NET] = 50}};

	cr_assert_eq(span_unknown_ns(&s), 20);
	s.part_ns[TIME_NET] = 80;
	cr_assert_eq(span_unknown_ns(&s), 0, "never below");
	s.timed = false;
	cr_assert(isnan(span_unknown_ns(&s)));
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <math.h>

#include "base/clock.h"
#include "model/summary.h"

#define T0 (1000 * NS_PER_S)

static struct win_requests *add(struct window *w, uint32_t edge, const char *op, int s, double count)
{
	struct win_requests *r = vec_push(&w->requests);

	*r = (struct win_requests){.t_ns = T0 + s * NS_PER_S, .dur_ns = NS_PER_S, .edge = edge, .op = window_op(w, op), .count = count,
				   .avg_ms = NAN, .p50_ms = NAN, .p90_ms = NAN, .p95_ms = NAN, .p99_ms = NAN,
				   .bytes_request = NAN, .bytes_response = NAN, .rows = NAN};
	return r;
}

static struct hist *hist_of(struct window *w, uint64_t ns, uint64_t count)
{
	struct hist *h = window_hist(w);

	hist_add(h, ns, count);
	return h;
}

Test(summary, counts_rates_and_merged_quantiles)
{
	struct window *w = window_new();
	uint32_t a = window_service(w, "a"), b = window_service(w, "b"), ab = window_edge(w, a, b, "http", 80), s;
	struct summary *sum;
	const struct sum_service *row;

	for (s = 0; s < 10; s++) {
		add(w, ab, "GET /x", (int)s, 90)->hist = hist_of(w, 1000000, 90);
		add(w, ab, "GET /y", (int)s, 10)->hist = hist_of(w, 50000000, 10);
		w->requests.v[w->requests.n - 1].errors = 1;
	}
	window_sort(w);
	sum = summary_new(w, T0, T0 + 5 * NS_PER_S);
	cr_assert_eq(sum->ops.n, 2);
	cr_assert_float_eq(sum->ops.v[0].l.count, 450, 0, "half of the range only, biggest first");
	cr_assert_float_eq(sum->ops.v[0].l.rate_per_s, 90, 1e-9);
	cr_assert_eq(sum->edges.n, 1);
	cr_assert_float_eq(sum->edges.v[0].l.error_ratio, 0.01, 1e-9);
	cr_assert_float_eq(sum->edges.v[0].l.p50_ms, 1, 0.02);
	cr_assert_float_eq(sum->edges.v[0].l.p95_ms, 50, 1);
	cr_assert_float_eq(sum->edges.v[0].l.avg_ms, 0.9 * 1 + 0.1 * 50, 0.1);
	row = summary_service(sum, b);
	cr_assert_float_eq(row->in.count, 500, 0);
	cr_assert_float_eq(row->out.count, 0, 0);
	cr_assert(isnan(row->cpu_cores), "unknown is not zero");
	cr_assert_float_eq(summary_service(sum, a)->out.count, 500, 0);
	cr_assert_null(summary_service(sum, 99));
	summary_free(sum);
	window_free(w);
}

static void ticks(struct window *w, int from, int to, int each)
{
	for (int s = from; s < to; s += each)
		*vec_push(&w->ticks) = (struct win_tick){T0 + s * NS_PER_S, each * NS_PER_S};
}

/* Rates are of what was recorded, not of the rows that happened to be loaded. */
Test(summary, rates_are_of_the_time_that_was_recorded)
{
	struct window *w = window_new();
	uint32_t ab = window_edge(w, window_service(w, "a"), window_service(w, "b"), "http", 80);
	struct summary *sum;

	ticks(w, 0, 40, 1);
	ticks(w, 100, 160, 1);          /* nobody recorded in between */
	ticks(w, 140, 160, 10);         /* of an import */
	add(w, ab, "GET /x", 10, 100);
	add(w, ab, "GET /x", 11, 100);
	window_sort(w);
	sum = summary_new(w, T0, T0 + 200 * NS_PER_S);
	cr_assert_float_eq(sum->edges.v[0].l.rate_per_s, 2, 1e-9);
	cr_assert_float_eq(sum->ops.v[0].l.rate_per_s, 2, 1e-9);
	summary_free(sum);
	sum = summary_new(w, T0, T0 + 20 * NS_PER_S);
	cr_assert_float_eq(sum->edges.v[0].l.rate_per_s, 10, 1e-9);
	summary_free(sum);
	window_free(w);
}

Test(summary, outcomes_are_added_up_by_operation)
{
	struct window *w = window_new();
	uint32_t ab = window_edge(w, window_service(w, "a"), window_service(w, "b"), "http", 80);
	struct summary *sum;
	const struct sum_outcome *x;
	size_t n;

	for (int s = 0; s < 4; s++) {
		add(w, ab, "GET /x", s, 10);
		*vec_push(&w->outcomes) = (struct win_outcome){T0 + s * NS_PER_S, NS_PER_S, ab, 0, 404, "client_error", "", 1};
		*vec_push(&w->outcomes) = (struct win_outcome){T0 + s * NS_PER_S, NS_PER_S, ab, 0, 503, "server_error", "", 2};
	}
	window_sort(w);
	sum = summary_new(w, T0, T0 + 3 * NS_PER_S);
	x = summary_outcomes(sum, ab, 0, &n);
	cr_assert_eq(n, 2);
	cr_assert_eq(x[0].status, 503, "the most first");
	cr_assert_float_eq(x[0].count, 6, 0, "three of four seconds");
	cr_assert_float_eq(x[1].count, 3, 0);
	cr_assert_null(summary_outcomes(sum, ab, 1, &n));
	cr_assert_eq(n, 0);
	summary_free(sum);
	window_free(w);
}

/* A long poll among fast requests neither slows them nor hides their quantiles. */
Test(summary, those_that_wait_by_intent_have_no_latency)
{
	struct window *w = window_new();
	uint32_t ab = window_edge(w, window_service(w, "a"), window_service(w, "b"), "redis", 6379);
	struct win_requests *r = add(w, ab, "BLPOP", 0, 1000);
	struct summary *sum;

	r->waits = 1000;
	add(w, ab, "GET", 0, 10)->hist = hist_of(w, 1000000, 10);
	window_sort(w);
	sum = summary_new(w, T0, T0 + NS_PER_S);
	cr_assert_float_eq(sum->edges.v[0].l.count, 1010, 0);
	cr_assert_float_eq(sum->edges.v[0].l.waits, 1000, 0);
	cr_assert_float_eq(sum->edges.v[0].l.avg_ms, 1, 0.02);
	cr_assert_float_eq(sum->edges.v[0].l.p99_ms, 1, 0.02);
	cr_assert(isnan(sum->ops.v[0].l.avg_ms), "BLPOP alone: not known");
	summary_free(sum);
	window_free(w);
}

Test(summary, imported_columns_stand_in_for_histograms)
{
	struct window *w = window_new();
	uint32_t e = window_edge(w, WIN_NONE, window_service(w, "b"), "http", 0);
	struct summary *sum;

	add(w, e, "x", 0, 30)->p95_ms = 10;
	add(w, e, "x", 1, 10)->p95_ms = 50;
	window_sort(w);
	sum = summary_new(w, T0, T0 + 10 * NS_PER_S);
	cr_assert_float_eq(sum->ops.v[0].l.p95_ms, 20, 1e-9, "weighted by requests");
	cr_assert(isnan(sum->ops.v[0].l.p50_ms));
	summary_free(sum);
	window_free(w);
}

Test(summary, points_and_tcp_rows)
{
	struct window *w = window_new();
	uint32_t b = window_service(w, "b"), e = window_edge(w, window_service(w, "a"), b, "tcp", 1), i;
	struct summary *sum;

	for (i = 0; i < 4; i++) {
		struct win_point *p = vec_push(&w->points);
		struct win_tcp *t;

		*p = (struct win_point){T0 + i * NS_PER_S, NS_PER_S, window_series(w, b, "cpu_cores", NULL), i, NAN};
		p = vec_push(&w->points);
		*p = (struct win_point){T0 + i * NS_PER_S, NS_PER_S, window_series(w, b, "mem_bytes", NULL), 100 * i, 1000};
		t = vec_push(&w->tcp);
		*t = (struct win_tcp){.t_ns = T0 + i * NS_PER_S, .dur_ns = NS_PER_S, .edge = e, .refused = 1, .open = i,
				      .oldest_ms = NAN, .srtt_us = i ? 100 : NAN};
	}
	window_sort(w);
	sum = summary_new(w, T0, T0 + 4 * NS_PER_S);
	cr_assert_float_eq(summary_service(sum, b)->cpu_cores, 1.5, 1e-9);
	cr_assert_float_eq(summary_service(sum, b)->mem_bytes, 300, 0, "newest");
	cr_assert_float_eq(summary_service(sum, b)->mem_limit_bytes, 1000, 0);
	cr_assert_float_eq(summary_service(sum, b)->refused, 4, 0);
	cr_assert_float_eq(summary_edge(sum, e)->open, 3, 0, "newest");
	cr_assert_float_eq(summary_edge(sum, e)->srtt_us, 100, 1e-9);
	summary_free(sum);
	window_free(w);
}

Test(summary, health_is_the_worst_of_the_range)
{
	struct window *w = window_new();
	uint32_t b = window_service(w, "b"), e = window_edge(w, window_service(w, "a"), b, "http", 1), i;
	struct summary *sum;

	for (i = 0; i < 4; i++) {
		struct win_tcp *t = vec_push(&w->tcp);
		struct win_point *p = vec_push(&w->points);

		*t = (struct win_tcp){.t_ns = T0 + i * NS_PER_S, .dur_ns = NS_PER_S, .edge = e, .opened = i, .connecting = i,
				      .connect_p50_us = i ? 100.0 * i : NAN, .connect_max_us = i ? 1000.0 * i : NAN,
				      .min_rtt_us = i == 2 ? 7 : 30, .resets_callee = 1,
				      .caller = {.send_queue_bytes = NAN, .recv_queue_bytes = NAN, .zero_windows = NAN},
				      .callee = {.send_queue_bytes = NAN, .recv_queue_bytes = i == 1 ? 5000 : 10, .zero_windows = 1,
						 .zero_window_us = 20}};
		*p = (struct win_point){T0 + i * NS_PER_S, NS_PER_S, window_series(w, b, "accept_queue", "0.0.0.0:1"), i == 1 ? 9 : 0, 8};
		p = vec_push(&w->points);
		*p = (struct win_point){T0 + i * NS_PER_S, NS_PER_S, window_series(w, b, "accept_overflows", "0.0.0.0:1"), 3, NAN};
	}
	window_sort(w);
	sum = summary_new(w, T0, T0 + 4 * NS_PER_S);
	cr_expect_float_eq(summary_edge(sum, e)->connect_p50_us, (100 * 1 + 200 * 2 + 300 * 3) / 6.0, 1e-9, "by connections");
	cr_expect_eq(summary_edge(sum, e)->connect_max_us, 3000);
	cr_expect_eq(summary_edge(sum, e)->connecting, 3, "newest");
	cr_expect_eq(summary_edge(sum, e)->min_rtt_us, 7);
	cr_expect_eq(summary_edge(sum, e)->resets_callee, 4);
	cr_expect(isnan(summary_edge(sum, e)->caller.send_queue_bytes) && isnan(summary_edge(sum, e)->caller.zero_windows));
	cr_expect_eq(summary_edge(sum, e)->callee.recv_queue_bytes, 5000);
	cr_expect_eq(summary_edge(sum, e)->callee.zero_windows, 4);
	cr_expect_eq(summary_edge(sum, e)->callee.zero_window_us, 80);
	cr_expect_eq(summary_service(sum, b)->accept_queue, 9);
	cr_expect_eq(summary_service(sum, b)->accept_queue_limit, 8);
	cr_expect_float_eq(summary_service(sum, b)->accept_overflows, 12, 1e-9);
	summary_free(sum);
	window_free(w);
}

Test(summary, what_no_row_knows_is_not_zero)
{
	struct window *w = window_new();
	uint32_t b = window_service(w, "b"), e = window_edge(w, window_service(w, "a"), b, "http", 1), i;
	struct summary *sum;

	for (i = 0; i < 3; i++)
		add(w, e, "x", (int)i, 10)->errors = NAN;
	window_sort(w);
	sum = summary_new(w, T0, T0 + 3 * NS_PER_S);
	cr_assert(isnan(sum->ops.v[0].l.errors) && isnan(sum->ops.v[0].l.error_ratio));
	cr_assert(isnan(sum->ops.v[0].l.bytes_request) && isnan(sum->ops.v[0].l.rows));
	cr_assert(isnan(summary_edge(sum, e)->refused) && isnan(summary_edge(sum, e)->open), "no tcp row");
	cr_assert(isnan(summary_edge(sum, e)->bytes_out_per_s) && isnan(summary_service(sum, b)->refused));
	cr_assert_eq(summary_service(sum, b)->out.count, 0);
	cr_assert(isnan(summary_service(sum, b)->out.bytes_request));
	summary_free(sum);
	w->requests.v[0].errors = 5;
	sum = summary_new(w, T0, T0 + 3 * NS_PER_S);
	cr_assert_eq(sum->ops.v[0].l.errors, 5, "what is known counts");
	cr_assert_float_eq(sum->ops.v[0].l.error_ratio, 0.5, 1e-9, "of the ten that were judged");
	summary_free(sum);
	window_free(w);
}

Test(summary, calls_are_added_up_by_callee)
{
	struct window *w = window_new();
	uint32_t a = window_service(w, "a"), b = window_service(w, "b"), c = window_service(w, "c");
	uint32_t ab = window_edge(w, a, b, "http", 80), cb = window_edge(w, c, b, "http", 80), bc = window_edge(w, b, c, "redis", 6379);
	uint32_t ba = window_edge(w, b, a, "http", 81);
	struct sum_call top[SUM_CALLS_MAX];
	struct summary *s;

	for (int i = 0; i < 3; i++) {
		*vec_push(&w->downstream) = (struct win_downstream){T0 + i * NS_PER_S, NS_PER_S, ab, 0, bc, 2, 100};
		*vec_push(&w->downstream) = (struct win_downstream){T0 + i * NS_PER_S, NS_PER_S, ab, 1, ba, 1, 700};
		*vec_push(&w->downstream) = (struct win_downstream){T0 + i * NS_PER_S, NS_PER_S, cb, 0, bc, 5, 1000};
	}
	s = summary_new(w, T0, T0 + 2 * NS_PER_S);
	cr_assert_eq(s->calls.n, 3);
	cr_assert_eq(summary_calls_of_op(s, ab, 0, top), 1);
	cr_expect_eq(top[0].count, 4);
	cr_expect_eq(top[0].ns, 200);
	cr_assert_eq(summary_calls_of_edge(s, ab, top), 2);
	cr_expect_eq(top[0].callee, ba, "what was waited for longest");
	cr_assert_eq(summary_calls_of_service(s, b, top), 2);
	cr_expect_eq(top[0].callee, bc);
	cr_expect_eq(top[0].ns, 2200);
	cr_expect_eq(summary_calls_of_service(s, c, top), 0);
	summary_free(s);
	window_free(w);
}

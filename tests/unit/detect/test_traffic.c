/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of any interval on one grid, and what departs from the normal. */
#include <criterion/criterion.h>
#include <math.h>

#include "detect/gauge.h"
#include "detect/profile.h"

#define S 1000000000ll
#define START (1700000000ll * S)

static struct win_requests *push(struct window *w, uint32_t edge, int64_t at_s, int64_t dur_s, double count, double ms)
{
	struct win_requests *r = vec_push(&w->requests);
	struct hist *h = ms > 0 ? window_hist(w) : NULL;

	*r = (struct win_requests){.t_ns = START + at_s * S, .dur_ns = dur_s * S, .edge = edge, .op = WIN_NONE, .count = count,
				   .avg_ms = NAN, .p50_ms = NAN, .p90_ms = NAN, .p95_ms = NAN, .p99_ms = NAN, .hist = h};
	if (h)
		hist_add(h, (uint64_t)(ms * 1e6), (uint64_t)count);
	return r;
}

static struct window *shop(uint32_t *edge)
{
	struct window *w = window_new();

	*edge = window_edge(w, window_service(w, "a"), window_service(w, "b"), "http", 80);
	return w;
}

Test(traffic, sums_are_exact_whatever_the_interval)
{
	uint32_t edge, i;
	struct window *w = shop(&edge);
	struct traffic t;
	double sum = 0;

	push(w, edge, 0, 10, 100, 2);
	for (i = 10; i < 30; i++)
		push(w, edge, i, 1, 10, 2);
	cr_assert_eq(traffic_init(&t, w, START, START + 30 * S), 0);
	cr_assert_eq(t.grid.bin_ns, 5 * S);
	for (i = 0; i < t.grid.bins; i++)
		sum += t.flow[edge].cell[i].count;
	cr_assert_eq(sum, 300);
	cr_assert(fabs(t.flow[edge].cell[3].p50_ms - 2) < 0.05);
	traffic_done(&t);
	window_free(w);
}

Test(traffic, long_rows_make_long_bins)
{
	uint32_t edge;
	struct window *w = shop(&edge);
	struct traffic t;
	int i;

	for (i = 0; i < 12; i++) {
		struct win_requests *r = push(w, edge, i * 300, 300, 50, 0);

		r->avg_ms = 10;
		r->p50_ms = 8;
		r->p99_ms = 40;
	}
	cr_assert_eq(traffic_init(&t, w, START, START + 3600 * S), 0);
	cr_assert_eq(t.grid.bins, 12);
	cr_assert_eq(t.flow[edge].cell[3].count, 50);
	cr_assert_eq(t.flow[edge].cell[3].mean_ms, 10);
	cr_assert_eq(t.flow[edge].cell[3].p99_ms, 40);
	traffic_done(&t);
	window_free(w);
}

static struct excess beyond(double ms, double errors, double inflight, double oldest_ms)
{
	uint8_t mark[11];
	double scratch[16];
	uint32_t edge;
	struct window *w = shop(&edge);
	struct profile p;
	struct excess x;
	struct traffic t;
	int i;

	for (i = 0; i < 50; i++)
		push(w, edge, i, 1, 60, 4 + 0.1 * (i % 7));
	for (; i < 55; i++) {
		struct win_tcp *c = vec_push(&w->tcp);

		if (ms > 0)
			push(w, edge, i, 1, 60, ms)->errors = errors / 5;
		*c = (struct win_tcp){.t_ns = START + i * S, .dur_ns = S, .edge = edge, .inflight = inflight, .oldest_ms = oldest_ms,
				      .srtt_us = NAN};
	}
	cr_assert_eq(traffic_init(&t, w, START, START + 55 * S), 0);
	for (i = 0; i < 11; i++)
		mark[i] = i < 10;
	profile_of(&p, &t.flow[edge], &t.grid, mark, 1, scratch);
	x = profile_excess(&p, &t.flow[edge].cell[10], 5);
	traffic_done(&t);
	window_free(w);
	return x;
}

Test(profile, noise_is_no_excess)
{
	struct excess x = beyond(4.4, 0, 1, 2);

	cr_assert(x.z < 3.5);
	cr_assert_eq(x.seconds, 0);
	cr_assert_eq(x.failures, 0);
	cr_assert_eq(x.stuck, 0);
}

Test(profile, slower_is_counted_in_seconds)
{
	struct excess x = beyond(54, 0, 0, 0);

	cr_assert(x.z > 5);
	cr_assert(fabs(x.seconds - 300 * 0.05) < 1.0, "%g s", x.seconds);
}

Test(profile, two_errors_are_none_five_are_five)
{
	cr_assert_eq(beyond(4.3, 2, 0, 0).failures, 0);
	cr_assert_eq(beyond(4.3, 5, 0, 0).failures, 5);
}

Test(profile, requests_that_never_end_wait_too)
{
	struct excess x = beyond(0, 0, 120, 4000);

	cr_assert(x.stuck > 100);
	cr_assert(fabs(x.seconds - 120 * 5) < 1);
	cr_assert_eq(beyond(4.3, 0, 120, 20).stuck, 0, "many at once, each short, are traffic");
}

Test(gauge, shift_and_limit)
{
	uint32_t edge;
	struct window *w = shop(&edge);
	uint32_t cpu = window_series(w, 0, "cpu_cores", NULL), mem = window_series(w, 1, "mem_bytes", NULL);
	struct gauges g;
	struct shift s;
	int i;

	for (i = 0; i < 1000; i++) {
		struct win_point *p = vec_push(&w->points);

		*p = (struct win_point){.t_ns = START + i * S, .dur_ns = S, .series = i % 2 ? cpu : mem, .limit = i == 901 ? 2 : NAN,
					.value = i % 2 ? (i > 800 ? 1 : 0.1) : (i % 10 ? 5e8 : NAN)};
	}
	cr_assert_eq(gauges_init(&g, w), 0);
	s = gauge_shift(&g, cpu, (struct span){START, START + 800 * S}, (struct span){START + 801 * S, START + 1000 * S});
	cr_assert(fabs(s.before - 0.1) < 1e-9 && fabs(s.after - 1) < 1e-9 && s.z > 10, "%g %g %g", s.before, s.after, s.z);
	s = gauge_shift(&g, mem, (struct span){START, START + 800 * S}, (struct span){START + 801 * S, START + 1000 * S});
	cr_assert_eq(s.z, 0);
	cr_assert_eq(gauge_limit(&g, cpu, (struct span){START, START + 1000 * S}), 2);
	cr_assert(isnan(gauge_limit(&g, mem, (struct span){START, START + 1000 * S})));
	cr_assert_eq(gauge_max(&g, cpu, (struct span){START, START + 700 * S}), 0.1);
	gauges_done(&g);
	window_free(w);
}

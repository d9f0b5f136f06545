/* SPDX-License-Identifier: BSD-2-Clause */
/* Which incidents are opened, and when they begin and end: by what they cost, and only where something was going on. */
#include <criterion/criterion.h>

#include "explain/explain.h"
#include "scenario.h"
#include "show.h"

static const struct question any;

static struct report *told(struct window *w)
{
	struct report *r = explain(w, &any);

	show_report(stderr, r);
	return r;
}

/* A second of one edge: requests of 5 ms of which some fail, and connects that are refused. */
static void second(struct window *w, int t, uint32_t edge, double count, double errors, double refused)
{
	struct win_tcp *tcp = vec_push(&w->tcp);
	int64_t t_ns = (1700000000ll + t) * SHOP_SECOND;

	*tcp = (struct win_tcp){.t_ns = t_ns, .dur_ns = SHOP_SECOND, .edge = edge, .refused = refused, .oldest_ms = NAN,
				.srtt_us = NAN};
	if (count > 0) {
		struct hist *h = window_hist(w);
		struct win_requests *x = vec_push(&w->requests);

		hist_add(h, 5000000, (uint64_t)count);
		*x = (struct win_requests){.t_ns = t_ns, .dur_ns = SHOP_SECOND, .edge = edge, .op = WIN_NONE, .count = count,
					   .errors = errors, .avg_ms = NAN, .p50_ms = NAN, .p90_ms = NAN, .p95_ms = NAN,
					   .p99_ms = NAN, .hist = h};
	}
}

static struct window *shop_window(uint32_t *edge)
{
	struct window *w = window_new();

	*edge = window_edge(w, WIN_NONE, window_service(w, "shop"), "http", 80);
	return w;
}

static struct report *told_of(struct window *w, int seconds)
{
	w->since_ns = w->first_ns = 1700000000ll * SHOP_SECOND;
	w->until_ns = w->last_ns = (1700000000ll + seconds) * SHOP_SECOND;
	w->coverage.events = w->coverage.lost_events = NAN;
	window_sort(w);
	return told(w);
}

static void forget(struct window *w, struct report *r)
{
	report_free(r);
	window_free(w);
}

/* Twenty seconds in which half of the requests fail cost more than a minute in which one in twenty does. */
Test(symptom, the_worse_episode_comes_first_and_both_are_told)
{
	uint32_t edge;
	struct window *w = shop_window(&edge);
	struct report *r;
	int t;

	for (t = 0; t < 500; t++) {
		bool worse = t >= 100 && t < 120, longer = t >= 300 && t < 360;

		second(w, t, edge, 100, worse ? 50 : longer ? 5 : 0, 0);
	}
	r = told_of(w, 500);
	cr_assert_eq(r->incidents.n, 2, "%zu incidents", r->incidents.n);
	cr_expect_eq(r->incidents.v[0].since_ns, (1700000000ll + 100) * SHOP_SECOND);
	cr_expect_eq(r->incidents.v[1].since_ns, (1700000000ll + 300) * SHOP_SECOND);
	cr_expect(r->incidents.v[0].severity > r->incidents.v[1].severity);
	forget(w, r);
}

Test(symptom, of_many_episodes_three_are_told)
{
	uint32_t edge;
	struct window *w = shop_window(&edge);
	struct report *r;
	int t;

	for (t = 0; t < 900; t++)
		second(w, t, edge, 100, t >= 100 && t % 100 < 10 ? 20 + t / 100 : 0, 0);
	r = told_of(w, 900);
	cr_assert_eq(r->incidents.n, 3, "%zu incidents", r->incidents.n);
	cr_expect_eq(r->incidents.v[0].since_ns, (1700000000ll + 800) * SHOP_SECOND);
	forget(w, r);
}

/* A little noise beside, so that the range is longer than the service's part of it. */
static void beside(struct window *w, int seconds)
{
	uint32_t edge = window_edge(w, WIN_NONE, window_service(w, "other"), "http", 81);
	int t;

	for (t = 0; t < seconds; t++)
		second(w, t, edge, 20, 0, 0);
}

Test(symptom, polling_until_it_starts_is_none)
{
	uint32_t edge;
	struct window *w = shop_window(&edge);
	struct report *r;
	int t;

	beside(w, 240);
	for (t = 100; t < 106; t++)
		second(w, t, edge, 0, 0, 2);
	for (t = 106; t < 115; t++)
		second(w, t, edge, 10, 0, 0);
	r = told_of(w, 240);
	cr_expect_eq(r->incidents.n, 0, "%zu incidents", r->incidents.n);
	forget(w, r);
}

Test(symptom, without_history_it_lasts_as_long_as_it_was_seen)
{
	uint32_t edge;
	struct window *w = shop_window(&edge);
	struct report *r;
	int t;

	beside(w, 240);
	for (t = 100; t < 120; t++)
		second(w, t, edge, t < 110 ? 10 : 0, t < 110 ? 10 : 0, 2);
	r = told_of(w, 240);
	cr_assert_eq(r->incidents.n, 1, "%zu incidents", r->incidents.n);
	cr_expect_not(r->incidents.v[0].open, "nothing of it was seen for two minutes");
	cr_expect_eq(r->incidents.v[0].since_ns, (1700000000ll + 100) * SHOP_SECOND);
	cr_expect_eq(r->incidents.v[0].until_ns, (1700000000ll + 120) * SHOP_SECOND);
	forget(w, r);
}

/* A restart: five connects are refused for a second, then it answers as before, only slower. */
Test(symptom, gap_of_a_restart_is_not_down)
{
	struct report *r;
	struct shop p;
	size_t i, k;

	shop_init(&p, 21);
	p.state[1][SHOP_CHECKOUT].own_ms = 60;
	shop_event(&p, 90, SHOP_CHECKOUT, "exit", NULL, NULL);
	shop_play(&p);
	for (i = 0; i < p.w->tcp.n; i++)
		if (p.w->tcp.v[i].edge == p.edge[SHOP_TO_CHECKOUT] && p.w->tcp.v[i].t_ns == p.start_ns + 90 * SHOP_SECOND)
			p.w->tcp.v[i].refused = 5;
	r = told(p.w);
	cr_assert(r->incidents.n && r->incidents.v[0].causes.n);
	for (k = 0; k < r->incidents.v[0].causes.n; k++)
		cr_expect_neq(strcmp(r->incidents.v[0].causes.v[k].kind, "dependency.down"), 0);
	forget(p.w, r);
}

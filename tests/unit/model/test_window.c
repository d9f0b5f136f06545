/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>

#include "model/metric.h"
#include "model/tick.h"
#include "model/window.h"

Test(window, names_are_found_again_and_copied)
{
	struct window *w = window_new();
	char name[32] = "nginx", op[32] = "GET /";
	uint32_t a, b, e, o;

	a = window_service(w, name);
	b = window_service(w, "postgres");
	cr_assert_neq(a, b);
	o = window_op(w, op);
	snprintf(name, sizeof(name), "overwritten");
	snprintf(op, sizeof(op), "overwritten");
	cr_assert_str_eq(w->services.v[a].name, "nginx");
	cr_assert_str_eq(w->ops.v[o], "GET /");
	cr_assert_eq(window_service(w, "nginx"), a);
	cr_assert_eq(window_find_service(w, "postgres"), b);
	cr_assert_eq(window_find_service(w, "redis"), WIN_NONE);
	cr_assert_eq(w->services.n, 2);
	cr_assert_eq(window_op(w, "nginx"), 1, "an operation may be called like a service");

	e = window_edge(w, a, b, "postgres", 5432);
	cr_assert_eq(window_edge(w, a, b, "postgres", 5432), e);
	cr_assert_neq(window_edge(w, b, a, "postgres", 5432), e);
	cr_assert_neq(window_edge(w, a, b, "postgres", 5433), e);
	cr_assert_neq(window_edge(w, a, b, "tcp", 5432), e);
	cr_assert_neq(window_edge(w, WIN_NONE, b, "postgres", 5432), e);
	cr_assert_eq(window_edge(w, WIN_NONE, b, NULL, 0), window_edge(w, WIN_NONE, b, NULL, 0));
	cr_assert_eq(w->edges.n, 6);
	window_free(w);
}

Test(window, series_tell_devices_apart)
{
	struct window *w = window_new();
	uint32_t s = window_service(w, "node");
	uint32_t a = window_series(w, s, "dev_iops", "sda"), b = window_series(w, s, "dev_iops", "sdb");

	cr_assert_neq(a, b);
	cr_assert_neq(window_series(w, s, "dev_iops", NULL), a);
	cr_assert_eq(window_series(w, s, "dev_iops", "sda"), a);
	cr_assert_str_eq(w->series.v[b].device, "sdb");
	cr_assert_null(w->series.v[2].device);
	window_free(w);
}

Test(window, sort_orders_by_time_then_by_what_the_row_is_of)
{
	const int64_t t[] = {5, 1, 3, 1};
	const uint32_t edge[] = {0, 2, 0, 1};
	struct window *w = window_new();
	size_t i;

	for (i = 0; i < 4; i++) {
		struct win_requests *r = vec_push(&w->requests);
		struct win_event *e = vec_push(&w->events);

		*r = (struct win_requests){.t_ns = t[i], .edge = edge[i], .op = WIN_NONE};
		*e = (struct win_event){.t_ns = t[i], .service = edge[i], .kind = "mark"};
	}
	window_sort(w);
	for (i = 1; i < 4; i++) {
		cr_assert_leq(w->requests.v[i - 1].t_ns, w->requests.v[i].t_ns);
		cr_assert_leq(w->events.v[i - 1].t_ns, w->events.v[i].t_ns);
	}
	cr_assert_eq(w->requests.v[0].edge, 1);
	cr_assert_eq(w->requests.v[1].edge, 2);
	window_free(w);
}

Test(window, histograms_go_with_the_window)
{
	struct window *w = window_new();
	int i;

	for (i = 0; i < 100; i++) {
		struct hist *h = window_hist(w);

		cr_assert_not_null(h);
		cr_assert_eq(hist_add(h, 1000, 3), 0);
		cr_assert_eq(h->count, 3);
	}
	window_free(w);         /* a leak fails the test */
	window_free(NULL);
}

Test(tick, frees_what_is_in_it)
{
	struct tick *t = tick_new(10, 20);
	struct tick_requests *r = vec_push(&t->requests);
	struct tick_loss *l = vec_push(&t->loss);

	cr_assert_eq(t->unix_ns, 10);
	cr_assert_eq(t->dur_ns, 20);
	hist_init(&r->hist);
	hist_add(&r->hist, 5, 1);
	l->reason = arena_strdup(&t->arena, "because");
	tick_free(t);
	tick_free(NULL);
}

Test(metric, every_row_is_whole_and_found_by_its_name)
{
	int i;

	for (i = 0; i < METRIC_MAX; i++) {
		const struct metric_info *m = &metric_table[i];

		cr_assert_eq(m->id, i);
		cr_assert(m->name && m->unit && m->what, "row %d", i);
		cr_assert_gt(m->floor, 0, "%s", m->name);
		cr_assert_eq(metric_by_name(m->name), m, "%s", m->name);
		cr_assert_str_eq(metric_name((enum metric_id)i), m->name);
	}
	cr_assert_null(metric_by_name("no such metric"));
}

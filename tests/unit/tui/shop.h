/* SPDX-License-Identifier: BSD-2-Clause */
/* A little shop as a window, for the tests of the views. */
#ifndef TEST_TUI_SHOP_H
#define TEST_TUI_SHOP_H

#include <criterion/criterion.h>
#include <math.h>

#include "base/clock.h"
#include "model/summary.h"

#define T0 (1767362700 * NS_PER_S)

static uint32_t shop_edge(struct window *w, const char *from, const char *to, const char *protocol, uint32_t port)
{
	return window_edge(w, window_service(w, from), window_service(w, to), protocol, port);
}

static void shop_requests(struct window *w, uint32_t edge, double count, double errors, double ms)
{
	struct hist *h = window_hist(w);
	struct win_requests *r;
	int s;

	hist_add(h, (uint64_t)(ms * 1e6), (uint64_t)count);
	for (s = 0; s < 10; s++) {
		r = vec_push(&w->requests);
		*r = (struct win_requests){.t_ns = T0 + s * NS_PER_S, .dur_ns = NS_PER_S, .edge = edge, .op = window_op(w, "GET /"),
					   .count = count, .errors = errors, .avg_ms = ms, .p50_ms = NAN, .p90_ms = NAN, .p95_ms = NAN,
					   .p99_ms = NAN, .bytes_request = NAN, .bytes_response = NAN, .rows = NAN, .hist = h};
	}
}

static void shop_tcp(struct window *w, uint32_t edge, double open, double refused)
{
	struct win_tcp *t = vec_push(&w->tcp);

	*t = (struct win_tcp){.t_ns = T0 + 9 * NS_PER_S, .dur_ns = NS_PER_S, .edge = edge, .open = open, .refused = refused,
			      .oldest_ms = NAN, .srtt_us = 120};
}

static void shop_point(struct window *w, const char *service, const char *metric, double value)
{
	struct win_point *p = vec_push(&w->points);

	*p = (struct win_point){.t_ns = T0, .dur_ns = 10 * NS_PER_S, .value = value, .limit = NAN,
				.series = window_series(w, window_service(w, service), metric, NULL)};
}

static struct window *shop_window(void)
{
	struct window *w = window_new();

	w->node = "web-3";
	w->coverage.events = 1000;
	w->coverage.lost_events = 0;
	shop_requests(w, shop_edge(w, "external:10.0.0.9", "nginx", "http", 80), 50, 0, 12);
	shop_requests(w, shop_edge(w, "nginx", "api.js", "http", 3000), 50, 0, 10);
	shop_requests(w, shop_edge(w, "api.js", "cart.py", "http", 5000), 30, 1, 4);
	shop_requests(w, shop_edge(w, "api.js", "postgres", "postgres", 5432), 80, 0, 2);
	shop_requests(w, shop_edge(w, "cart.py", "postgres", "postgres", 5432), 20, 0, 1);
	shop_tcp(w, shop_edge(w, "cart.py", "redis", "tcp", 6379), 3, 2);
	shop_point(w, "postgres", "cpu_cores", 0.5);
	shop_point(w, "postgres", "futex_wait_s", 0.25);
	shop_point(w, "api.js", "cpu_cores", 0.25);
	shop_point(w, "postgres", "mem_bytes", 104857600);
	window_sort(w);
	return w;
}

#endif

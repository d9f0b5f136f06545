/* SPDX-License-Identifier: BSD-2-Clause */
/* What holds for every report: quiet when nothing is wrong, the same each time, whole under odd input, and in time. */
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <time.h>

#include "explain/explain.h"
#include "scenario.h"
#include "show.h"

static const struct question any;

static char *report_text(const struct report *r)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	show_report(f, r);
	fclose(f);
	return text;
}

Test(explain, healthy_windows_are_quiet)
{
	uint64_t seed;

	for (seed = 1; seed <= 60; seed++) {
		struct report *r;
		struct shop p;

		shop_init(&p, seed);
		p.seconds = 120;
		p.fault_s = 1000;
		p.rate[0] = 20 + 7 * (double)(seed % 12);
		r = explain(shop_play(&p), &any);
		if (r->incidents.n)
			show_report(stderr, r);
		cr_assert_eq(r->incidents.n, 0, "seed %d: %zu incidents", (int)seed, r->incidents.n);
		report_free(r);
		window_free(p.w);
	}
}

Test(explain, healthy_with_deploys_is_quiet)
{
	uint64_t seed;

	for (seed = 1; seed <= 20; seed++) {
		struct report *r;
		struct shop p;

		shop_init(&p, seed);
		p.state[1][SHOP_BATCH].cpu = 0.6;          /* a cron job */
		p.state[1][SHOP_BATCH].disk_write = 5e6;
		shop_event(&p, p.fault_s, SHOP_CHECKOUT, "deploy", "v1", "v2");
		r = explain(shop_play(&p), &any);
		if (r->incidents.n)
			show_report(stderr, r);
		cr_assert_eq(r->incidents.n, 0, "seed %d", (int)seed);
		report_free(r);
		window_free(p.w);
	}
}

/* Somebody builds software on the same node: everybody waits a little for CPU and disk, and nobody is harmed. */
Test(explain, healthy_beside_a_build_is_quiet)
{
	uint64_t seed;

	for (seed = 1; seed <= 20; seed++) {
		struct report *r;
		struct shop p;
		int i;

		shop_init(&p, seed);
		for (i = SHOP_NGINX; i < SHOP_BATCH; i++) {
			p.state[1][i].own_ms *= 1.08;
			p.state[1][i].runq = 0.1;
			p.state[1][i].disk_wait = 0.05;
		}
		p.state[1][SHOP_BATCH].cpu = 1.2;
		p.state[1][SHOP_BATCH].disk_write = 2e7;
		p.state[1][SHOP_NODE].psi_cpu = 0.7;
		p.state[1][SHOP_NODE].psi_io = 0.2;
		shop_event(&p, p.fault_s, SHOP_BATCH, "start", NULL, NULL);
		r = explain(shop_play(&p), &any);
		if (r->incidents.n)
			show_report(stderr, r);
		cr_assert_eq(r->incidents.n, 0, "seed %d", (int)seed);
		report_free(r);
		window_free(p.w);
	}
}

Test(explain, load_that_ends_is_no_outage)
{
	struct report *r;
	struct shop p;

	shop_init(&p, 5);
	p.rate[1] = 0;
	r = explain(shop_play(&p), &any);
	cr_assert_eq(r->incidents.n, 0);
	report_free(r);
	window_free(p.w);
}

Test(explain, same_window_same_text)
{
	char *a, *b;
	struct report *r;
	struct shop p;

	shop_init(&p, 7);
	p.op_factor[1][0] = 60;
	shop_play(&p);
	r = explain(p.w, &any);
	a = report_text(r);
	report_free(r);
	r = explain(p.w, &any);
	b = report_text(r);
	cr_assert_str_eq(a, b);
	free(a);
	free(b);
	report_free(r);
	window_free(p.w);
}

Test(explain, heals_is_resolved)
{
	struct report *r;
	struct shop p;

	shop_init(&p, 8);
	p.seconds = 240;
	p.heal_s = 150;
	p.op_factor[1][0] = 60;
	r = explain(shop_play(&p), &any);
	cr_assert_eq(r->incidents.n, 1);
	cr_assert_not(r->incidents.v[0].open);
	cr_assert(llabs(r->incidents.v[0].until_ns - (p.start_ns + 150 * SHOP_SECOND)) <= 6 * SHOP_SECOND);
	cr_assert_str_eq(r->incidents.v[0].causes.v[0].service, "postgres");
	report_free(r);
	window_free(p.w);
}

Test(explain, without_a_baseline)
{
	struct report *r;
	struct shop p;

	shop_init(&p, 11);
	p.seconds = 60;
	p.fault_s = 0;
	p.op_factor[1][0] = 200;
	p.state[1][SHOP_POSTGRES].cpu = 1.6;
	r = explain(shop_play(&p), &any);
	cr_assert_eq(r->incidents.n, 1, "%zu incidents", r->incidents.n);
	cr_assert_str_eq(r->incidents.v[0].causes.v[0].service, "postgres");
	cr_assert_str_eq(r->incidents.v[0].causes.v[0].kind, "db.slow_query");
	cr_assert(r->incidents.v[0].causes.v[0].confidence < 0.75);
	cr_assert_eq(r->notes.n, 0);
	cr_assert_eq(strncmp(r->incidents.v[0].observations.v[0], "no baseline", 11), 0);
	cr_assert(isnan(r->incidents.v[0].before));
	report_free(r);
	window_free(p.w);
}

Test(explain, healthy_from_the_start_is_quiet)
{
	uint64_t seed;

	for (seed = 1; seed <= 20; seed++) {
		struct report *r;
		struct shop p;

		shop_init(&p, seed);
		p.seconds = (int)seed + 2;
		p.fault_s = 1000;
		r = explain(shop_play(&p), &any);
		cr_assert_eq(r->incidents.n, 0);
		report_free(r);
		window_free(p.w);
	}
}

Test(explain, asserted_symptom_always_gives_an_incident)
{
	struct question q = {.service = "nginx", .symptom = SYMPTOM_LATENCY};
	struct report *r;
	struct shop p;

	shop_init(&p, 12);
	p.fault_s = 1000;
	r = explain(shop_play(&p), &q);
	cr_assert_eq(r->incidents.n, 1);
	cr_assert_eq(r->incidents.v[0].kind, SYMPTOM_LATENCY);
	report_free(r);
	window_free(p.w);
}

Test(explain, asserted_for_one_that_was_not_seen)
{
	struct question q = {.service = "nobody", .symptom = SYMPTOM_ERRORS};
	struct window *w = window_new();
	struct report *r = explain(w, &q);

	cr_assert_eq(r->incidents.n, 1);
	cr_assert_str_eq(r->incidents.v[0].service, "nobody");
	cr_assert_eq(r->incidents.v[0].causes.n, 0);
	report_free(r);
	window_free(w);
}

Test(explain, empty_window)
{
	struct window *w = window_new();
	struct report *r = explain(w, &any);

	cr_assert_not_null(r);
	cr_assert_eq(r->incidents.n, 0);
	report_free(r);
	window_free(w);
}

Test(explain, unknown_and_zero_values)
{
	struct report *r;
	struct shop p;
	size_t i;

	shop_init(&p, 13);
	p.op_factor[1][0] = 60;
	shop_play(&p);
	for (i = 0; i < p.w->requests.n; i++) {
		struct win_requests *q = &p.w->requests.v[i];

		if (i % 3 == 0)
			q->count = q->errors = NAN;
		if (i % 3 == 1) {
			q->count = 0;
			q->hist = NULL;
		}
	}
	for (i = 0; i < p.w->points.n; i += 2)
		p.w->points.v[i].value = i % 4 ? NAN : INFINITY;
	for (i = 0; i < p.w->tcp.n; i++)
		p.w->tcp.v[i].inflight = p.w->tcp.v[i].refused = NAN;
	r = explain(p.w, &any);
	cr_assert_not_null(r);
	report_free(r);
	window_free(p.w);
}

/* pgbench on the same host: nobody calls the caller, so it is the client. */
Test(explain, chain_without_outside)
{
	struct report *r;
	struct shop p;
	size_t i, kept = 0;

	shop_init(&p, 14);
	p.op_factor[1][0] = 60;
	p.state[1][SHOP_POSTGRES].cpu = 1.2;
	shop_play(&p);
	for (i = 0; i < p.w->requests.n; i++)
		if (p.w->requests.v[i].edge == p.edge[SHOP_TO_POSTGRES])
			p.w->requests.v[kept++] = p.w->requests.v[i];
	p.w->requests.n = kept;
	r = explain(p.w, &any);
	cr_assert_eq(r->incidents.n, 1);
	cr_assert_str_eq(r->incidents.v[0].service, "postgres");
	cr_assert_str_eq(r->incidents.v[0].causes.v[0].kind, "db.slow_query");
	report_free(r);
	window_free(p.w);
}

static void resource(struct window *w, int t, const char *service, const char *metric, double value)
{
	struct win_point *x = vec_push(&w->points);

	*x = (struct win_point){.t_ns = (1700000000ll + t) * SHOP_SECOND, .dur_ns = SHOP_SECOND, .value = value, .limit = NAN,
				.series = window_series(w, window_service(w, service), metric, NULL)};
}

/* Imports of other people's measurements: latency of the front only, resources of each service, a call graph. */
Test(explain, resources_only)
{
	static const char *const name[] = {"front-end", "orders", "carts", "user", "shipping", "payment"};
	uint64_t seed;

	for (seed = 1; seed <= 12; seed++) {
		struct question q = {.service = "front-end", .symptom = SYMPTOM_LATENCY};
		struct window *w = window_new();
		const char *guilty = name[1 + seed % 5];
		const char *metric = seed % 2 ? "cpu_cores" : "mem_bytes";
		struct report *r;
		struct shop p;
		int t;
		size_t i;

		shop_init(&p, seed);
		for (i = 1; i < 6; i++)
			window_edge(w, window_service(w, "front-end"), window_service(w, name[i]), NULL, 0);
		for (t = 0; t < 600; t++) {
			double ill = t >= 300;
			struct win_requests *x = vec_push(&w->requests);

			*x = (struct win_requests){.t_ns = (1700000000ll + t) * SHOP_SECOND, .dur_ns = SHOP_SECOND,
						   .edge = window_edge(w, WIN_NONE, window_service(w, "front-end"), NULL, 0), .op = WIN_NONE,
						   .count = 50, .errors = 0, .avg_ms = shop_noise(&p, 20 + 60 * ill),
						   .p50_ms = shop_noise(&p, 18 + 50 * ill), .p90_ms = shop_noise(&p, 40 + 150 * ill),
						   .p95_ms = NAN, .p99_ms = NAN};
			for (i = 0; i < 6; i++) {
				double me = ill && !strcmp(name[i], guilty);

				resource(w, t, name[i], "cpu_cores", shop_noise(&p, 0.1 * (1 + 0.3 * ill)) + (me && seed % 2 ? 0.9 : 0));
				resource(w, t, name[i], "mem_bytes", shop_noise(&p, 2e8) + (me && seed % 2 == 0 ? 8e8 : 0));
				resource(w, t, name[i], "net_rx_bytes", shop_noise(&p, 1e6));
			}
		}
		w->since_ns = w->first_ns = 1700000000ll * SHOP_SECOND;
		w->until_ns = w->last_ns = 1700000600ll * SHOP_SECOND;
		window_sort(w);
		r = explain(w, &q);
		if (!r->incidents.v[0].causes.n || strcmp(r->incidents.v[0].causes.v[0].service, guilty) != 0)
			show_report(stderr, r);
		cr_assert(r->incidents.v[0].causes.n, "seed %d: no cause (%s %s)", (int)seed, guilty, metric);
		cr_assert_str_eq(r->incidents.v[0].causes.v[0].service, guilty);
		cr_assert_str_eq(r->incidents.v[0].causes.v[0].kind, seed % 2 ? "cpu.hot_code" : "mem.leak");
		report_free(r);
		window_free(w);
	}
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* An hour of twenty services at one-second ticks. The bound is for a build with sanitizers; a release build takes a tenth. */
Test(explain, an_hour_of_twenty_services, .timeout = 100)
{
	struct window *w = window_new();
	double began;
	struct report *r;
	struct shop p;
	int t, i, m;

	shop_init(&p, 15);
	for (t = 0; t < 3600; t++)
		for (i = 0; i < 20; i++) {
			char name[2][16];
			struct hist *h = window_hist(w);
			struct win_requests *x = vec_push(&w->requests);

			snprintf(name[0], sizeof(name[0]), i ? "s%d" : "external:1", (i - 1) / 2);
			snprintf(name[1], sizeof(name[1]), "s%d", i);
			for (m = 0; m < 40; m++)
				hist_add(h, (uint64_t)shop_draw(&p, (t > 3000 && i == 7 ? 9e7 : 2e6) + (t > 3000 && (i == 0 || i == 3 || i == 1) ? 9e7 : 0)), 1);
			*x = (struct win_requests){.t_ns = (1700000000ll + t) * SHOP_SECOND, .dur_ns = SHOP_SECOND, .op = WIN_NONE,
						   .edge = window_edge(w, window_service(w, name[0]), window_service(w, name[1]), "http", 80),
						   .count = 40, .hist = h, .avg_ms = NAN, .p50_ms = NAN, .p90_ms = NAN, .p95_ms = NAN,
						   .p99_ms = NAN};
			for (m = 0; m < 18; m++)
				resource(w, t, name[1], metric_name((enum metric_id)m), shop_noise(&p, 1));
		}
	w->services.v[window_find_service(w, "external:1")].kind = "external";
	w->since_ns = 1700000000ll * SHOP_SECOND;
	w->until_ns = 1700003600ll * SHOP_SECOND;
	window_sort(w);
	began = seconds_now();
	r = explain(w, &any);
	cr_log_info("%zu rows of requests, %zu points: %.3f s", w->requests.n, w->points.n, seconds_now() - began);
	cr_assert(seconds_now() - began < 3.0);
	cr_assert(r->incidents.n);
	cr_assert_str_eq(r->incidents.v[0].causes.v[0].service, "s7");
	report_free(r);
	window_free(w);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_store: what an hour of recording costs.  20 services × 12 metrics, 100 (edge, operation) pairs with histograms,
 * 20 TCP edges and 10 active processes a second, for 3600 seconds of recorded time as fast as it goes; then a tenth of it
 * with little activity: 4 pairs and 3 processes a second, with pauses, because a recorder finds the caches cold each second.
 *
 *	bench_store [SECONDS [FILE]]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"

#define SERVICES 20
#define METRICS 12
#define PAIRS 100
#define EDGES 20
#define T0 1700000000ll

struct activity { const char *name; uint32_t pairs, metrics, tcp, processes, pause_us; };

static const struct activity busy = {"put", PAIRS, METRICS, EDGES, 10, 0};
static const struct activity quiet = {"put, little activity", 4, 4, 4, 3, 10000};

static uint32_t seed = 1;

static uint32_t any(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void define(struct tick *t)
{
	for (uint32_t i = 0; i < SERVICES; i++) {
		struct tick_service *s = vec_push(&t->services);

		*s = (struct tick_service){.id = i, .name = arena_printf(&t->arena, "service-%u", i), .kind = "app", .why = "executable"};
	}
	for (uint32_t i = 0; i < EDGES; i++) {
		struct tick_edge *e = vec_push(&t->edges);

		*e = (struct tick_edge){.id = i, .from = i, .to = (i + 1) % SERVICES, .port = (uint16_t)(8000 + i), .protocol = "http"};
	}
	for (uint32_t i = 0; i < PAIRS; i++) {
		struct tick_op *o = vec_push(&t->ops);

		*o = (struct tick_op){.id = i, .text = arena_printf(&t->arena, "GET /items/%u/{id}", i)};
	}
}

static void add_requests(struct tick *t, uint32_t i)
{
	struct tick_requests *r = vec_push(&t->requests);

	*r = (struct tick_requests){.edge = i % EDGES, .op = i, .bytes_request = 3000, .bytes_response = 90000};
	hist_init(&r->hist);
	for (int k = 0; k < 30; k++) {
		uint64_t ns = 1000000 + any(2000000) + (any(20) == 0 ? 20000000 : 0);

		hist_add(&r->hist, ns, 1 + any(4));
		r->sum_ns += ns;
	}
	r->count = r->hist.count;
}

static struct tick *make_tick(int64_t second, const struct activity *a)
{
	struct tick *t = tick_new((T0 + second) * NS_PER_S, NS_PER_S);

	if (second == 0)
		define(t);
	t->events = 10000;
	for (uint32_t i = 0; i < a->pairs; i++)
		add_requests(t, i);
	for (uint32_t i = 0; i < a->tcp; i++)
		*vec_push(&t->tcp) = (struct tick_tcp){.edge = i, .opened = any(9), .open = 10, .srtt_us = 80 + any(40),
						       .bytes_out = any(100000), .bytes_in = any(1000000)};
	for (uint32_t i = 0; i < SERVICES * a->metrics; i++)
		*vec_push(&t->points) = (struct tick_point){.service = i / a->metrics, .metric = (enum metric_id)(i % a->metrics),
							    .value = any(100000) / 1000.0, .limit = NAN};
	for (uint32_t i = 0; i < a->processes; i++)
		*vec_push(&t->processes) = (struct tick_process){.pid = 100 + i, .ppid = 1, .start_unix_ns = T0 * NS_PER_S, .service = i,
			.comm = "worker", .exe = "/usr/bin/worker", .cmdline = "worker --serve", .cgroup = "/system.slice/w.service",
			.cpu_s = any(1000) / 1000.0, .rss_bytes = 1 << 26, .threads = 8, .fds = 20, .connections = 4, .state = 'S'};
	return t;
}

static int fail(const struct store_error *err)
{
	fprintf(stderr, "bench_store: %s\n", err->text);
	return 1;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void print_puts(const struct activity *a, double *ms, int64_t n, double cpu)
{
	double sum = 0;

	for (int64_t i = 0; i < n; i++)
		sum += ms[i];
	qsort(ms, (size_t)n, sizeof(*ms), by_size);
	printf("%s: mean %.2f ms, p50 %.2f, p99 %.2f, max %.2f; CPU %.2f ms a tick\n", a->name, sum / (double)n, ms[n / 2],
	       ms[n * 99 / 100], ms[n - 1], cpu / (double)n);
}

static int put_all(const char *path, int64_t seconds, const struct activity *a)
{
	struct store_limits limits = {.raw_ns = seconds / 4 * NS_PER_S, .keep_ns = 3600 * NS_PER_S, .max_bytes = 256ll << 20};
	struct store_error err;
	struct store *s = store_open_writer(path, &limits, &err);
	double *ms = calloc((size_t)seconds, sizeof(*ms)), cpu = 0;

	if (!s || !ms)
		return fail(&err);
	for (int64_t i = 0; i < seconds; i++) {
		struct tick *t = make_tick(i, a);
		uint64_t begin = clock_ts_ns();
		double begin_cpu = cpu_ms();

		if (store_put_tick(s, t, &err) < 0)
			return fail(&err);
		ms[i] = (double)(clock_ts_ns() - begin) / 1e6;
		cpu += cpu_ms() - begin_cpu;
		tick_free(t);
		usleep(a->pause_us);
	}
	store_close(s);
	print_puts(a, ms, seconds, cpu);
	free(ms);
	return 0;
}

static int load_all(const char *path)
{
	struct store_error err;
	struct store *s = store_open_reader(path, &err);
	struct window *w = window_new();
	struct store_span span;
	uint64_t begin = clock_ts_ns();
	double begin_cpu = cpu_ms();

	if (!s || !w || store_load(s, 0, INT64_MAX, LOAD_ALL, w, &err) < 0 || store_span(s, &span, &err) < 0)
		return fail(&err);
	printf("load: %.3f s (CPU %.3f) for %zu requests, %zu points, %zu tcp rows\n", (double)(clock_ts_ns() - begin) / 1e9,
	       (cpu_ms() - begin_cpu) / 1e3, w->requests.n, w->points.n, w->tcp.n);
	printf("file: %.1f MB for %llu ticks, %.0f KB a service and hour\n", (double)span.file_bytes / 1e6,
	       (unsigned long long)span.ticks,
	       (double)span.file_bytes / 1e3 / SERVICES / ((double)(span.last_ns - span.first_ns) / 3600e9));
	window_free(w);
	store_close(s);
	return 0;
}

int main(int argc, char **argv)
{
	char temp[] = "/tmp/bench-store-XXXXXX";
	int64_t seconds = argc > 1 ? atoll(argv[1]) : 3600;
	char *path = NULL;
	int rc;

	if (seconds < 1)
		return 2;
	if (argc > 2)
		path = strdup(argv[2]);
	else if (mkdtemp(temp) && asprintf(&path, "%s/hour.db", temp) < 0)
		path = NULL;
	if (!path)
		return 1;
	rc = put_all(path, seconds, &busy);
	if (rc == 0)
		rc = load_all(path);
	if (argc <= 2) {
		unlink(path);
		rc = rc ? rc : put_all(path, seconds / 10 + 1, &quiet);
		unlink(path);
		rmdir(temp);
	}
	free(path);
	return rc;
}

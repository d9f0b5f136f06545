/* SPDX-License-Identifier: BSD-2-Clause */
/* A directory of its own for each test, and ticks with something of everything in them. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"

#define T0 (1700000000ll * NS_PER_S)

static char dir_[64];
static char path_[128];

__attribute__((unused)) static void dir_make(void)
{
	strcpy(dir_, "/tmp/rootle-store-XXXXXX");
	cr_assert(mkdtemp(dir_), "no temporary directory");
	snprintf(path_, sizeof(path_), "%s/r.db", dir_);
}

__attribute__((unused)) static void dir_remove(void)
{
	DIR *d = opendir(dir_);
	struct dirent *e;
	char name[512];

	while (d && (e = readdir(d))) {
		snprintf(name, sizeof(name), "%s/%s", dir_, e->d_name);
		unlink(name);
	}
	if (d)
		closedir(d);
	rmdir(dir_);
}

__attribute__((unused)) static const char *in_dir(const char *name)
{
	static char full[4][256];
	static unsigned turn;
	char *at = full[turn++ % 4];

	snprintf(at, sizeof(full[0]), "%s/%s", dir_, name);
	return at;
}

__attribute__((unused)) static unsigned files_in_dir(void)
{
	DIR *d = opendir(dir_);
	struct dirent *e;
	unsigned n = 0;

	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

__attribute__((unused)) static void define(struct tick *t)
{
	static const char *const name[] = {"node", "nginx", "api.js", "postgres"}, *const kind[] = {"node", "proxy", "app", "db"};

	for (uint32_t i = 0; i < 4; i++)
		*vec_push(&t->services) = (struct tick_service){.id = i, .name = name[i], .kind = kind[i], .why = "executable"};
	*vec_push(&t->edges) = (struct tick_edge){.id = 0, .from = 1, .to = 2, .port = 3000, .protocol = "http"};
	*vec_push(&t->edges) = (struct tick_edge){.id = 1, .from = 2, .to = 3, .port = 5432, .protocol = "postgres"};
	*vec_push(&t->ops) = (struct tick_op){.id = 0, .text = "GET /items/{id}"};
	*vec_push(&t->ops) = (struct tick_op){.id = 1, .text = "SELECT … WHERE aid = ?"};
}

__attribute__((unused)) static void add_requests(struct tick *t, uint32_t edge, uint32_t op, uint64_t count, uint64_t ns)
{
	struct tick_requests *r = vec_push(&t->requests);

	*r = (struct tick_requests){.edge = edge, .op = op, .count = count, .errors = count / 10, .sum_ns = count * ns,
				    .bytes_request = 100 * count, .bytes_response = 1000 * count, .rows = count,
				    .timing = {.count = count - 1, .total_ns = (count - 1) * ns, .part_ns = {[TIME_CPU] = 1000 * count + 1,
					       [TIME_NET] = 17}}};
	hist_init(&r->hist);
	hist_add(&r->hist, ns, count - count / 10);
	if (count / 10)
		hist_add(&r->hist, 3 * ns, count / 10);
}

/* Second i: 10 + i % 7 requests on edge 0, twice that on edge 1 and four that wait. */
__attribute__((unused)) static struct tick *tick_make(int64_t i)
{
	struct tick *t = tick_new(T0 + i * NS_PER_S, NS_PER_S);

	if (i == 0)
		define(t);
	t->events = 100;
	t->lost = i % 2;
	add_requests(t, 0, 0, 10 + (uint64_t)i % 7, 2000000);
	add_requests(t, 1, 1, 2 * (10 + (uint64_t)i % 7), 700123);
	*vec_push(&t->outcomes) = (struct tick_outcome){.edge = 0, .op = 0, .status = 503, .error = "server_error", .detail = "", .count = 1};
	*vec_push(&t->outcomes) = (struct tick_outcome){.edge = 1, .op = 1, .error = "client_error", .detail = "42P01", .count = 2};
	*vec_push(&t->downstream) = (struct tick_downstream){.edge = 0, .op = 0, .callee = 1, .count = 20, .ns = 700123 + (uint64_t)i};
	t->requests.v[1].waits = 4;
	t->requests.v[1].count += 4;
	*vec_push(&t->tcp) = (struct tick_tcp){.edge = 1, .opened = 2, .closed = 1, .retrans = 3, .open = 5 + (uint32_t)i % 3,
					       .inflight = 1, .oldest_ns = 4000000, .srtt_us = 90, .bytes_out = 1000, .bytes_in = 2000,
					       .connect_p50_us = i % 2 ? 0 : 60, .connect_max_us = i % 2 ? 0 : 900 + (uint32_t)i,
					       .min_rtt_us = 30 + (uint32_t)i % 5, .resets_callee = 1, .retrans_callee = 2,
					       .connecting = (uint32_t)i % 3,
					       .caller = {.send_queue_bytes = 4096, .recv_queue_bytes = 0, .zero_windows = 0},
					       .callee = {.send_queue_bytes = UINT64_MAX, .recv_queue_bytes = UINT64_MAX,
							  .zero_windows = 2, .zero_window_us = 1500 + (uint64_t)i}};
	*vec_push(&t->tls) = (struct tick_tls){.edge = 0, .version = i % 2 ? NULL : "1.2", .sni = "shop.test", .by = i % 2 ? "server" : NULL,
					       .result = i % 2 ? "protocol_version" : "ok", .count = 3, .alpn = i ? NULL : "h2",
					       .subject = i % 2 ? NULL : "shop.test", .not_after_s = i % 2 ? 0 : 4000000000 + i,
					       .source = i % 2 ? NULL : "file /etc/shop.pem"};
	*vec_push(&t->points) = (struct tick_point){.service = 3, .metric = M_CPU_CORES, .value = 0.1 * (double)(i % 10), .limit = 2};
	*vec_push(&t->points) = (struct tick_point){.service = 0, .metric = M_DEV_BUSY_RATIO, .device = "sda", .value = 0.333333333333,
						    .limit = NAN};
	*vec_push(&t->processes) = (struct tick_process){
		.pid = 812, .ppid = 1, .start_unix_ns = T0 - 5, .service = 3, .comm = "postgres", .exe = "/usr/lib/postgres",
		.cmdline = "postgres -D /data --token hunter2", .cgroup = "/system.slice/pg.service", .cpu_s = 0.25, .read_bytes = 4096,
		.rss_bytes = 1 << 26, .threads = 4, .fds = 30, .connections = 3, .state = 'S'};
	*vec_push(&t->cgroups) = (struct tick_cgroup){.path = "/system.slice/pg.service", .service = 3, .cpu_s = 0.25, .throttled_s = 0.5,
						      .quota_cores = 1.5, .mem_bytes = 1 << 27, .mem_limit_bytes = NAN, .pids = 7};
	*vec_push(&t->stacks) = (struct tick_stack){.service = 2, .pid = 700 + (uint32_t)i % 2, .samples = 20 + (uint64_t)i % 3,
						    .frames = "main;serve;parse"};
	*vec_push(&t->stacks) = (struct tick_stack){.service = 3, .samples = 1, .frames = arena_printf(&t->arena, "main;exec;node_%d;scan",
						    (int)i % 11)};
	*vec_push(&t->stacks) = (struct tick_stack){.service = ID_NONE, .pid = 9, .samples = 2, .frames = "do_exit_[k]"};
	if (i % 5 == 0)
		*vec_push(&t->event) = (struct tick_event){.unix_ns = t->unix_ns + 1000, .service = i % 2 ? 3 : ID_NONE, .kind = "restart",
			.detail = "postgres was restarted", .version_before = "1", .version_after = "2", .actor = "bash[7]", .pid = 812};
	*vec_push(&t->spans) = (struct tick_span){.trace = 0xabcdef + (uint64_t)i, .id = 17, .edge = 0, .op = 0, .unix_ns = t->unix_ns + 5000,
						  .dur_ns = 3000123, .status = 503, .error = "server_error", .detail = ""};
	*vec_push(&t->spans) = (struct tick_span){.trace = 0xabcdef + (uint64_t)i, .id = UINT64_MAX, .parent = 17, .edge = 1, .op = 1,
						  .unix_ns = t->unix_ns + 500000, .dur_ns = 700123, .error = "client_error", .detail = "42P01",
						  .method = "thread", .confidence = 0.75f, .timed = true,
						  .part_ns = {[TIME_CPU] = 1001, [TIME_LOCK] = 17}};
	*vec_push(&t->loss) = (struct tick_loss){.stage = "kernel", .reason = "ring_data", .count = 1};
	return t;
}

__attribute__((unused)) static int put(struct store *s, int64_t i)
{
	struct store_error err = {0};
	struct tick *t = tick_make(i);
	int rc = store_put_tick(s, t, &err);

	tick_free(t);
	if (rc < 0 && rc != -ENOSPC)
		cr_assert_fail("put of second %lld: %s", (long long)i, err.text);
	return rc;
}

__attribute__((unused)) static struct store *writer(const char *path, struct store_limits limits)
{
	struct store_error err = {0};
	struct store *s = store_open_writer(path, &limits, &err);

	cr_assert(s, "%s", err.text);
	return s;
}

__attribute__((unused)) static struct store *reader(const char *path)
{
	struct store_error err = {0};
	struct store *s = store_open_reader(path, &err);

	cr_assert(s, "%s", err.text);
	return s;
}

/* A recording of n seconds, closed. */
__attribute__((unused)) static void record(const char *path, int64_t n)
{
	struct store *s = writer(path, (struct store_limits){0});
	struct store_error err;

	for (int64_t i = 0; i < n; i++)
		put(s, i);
	store_put_meta(s, "node", "box", &err);
	store_close(s);
}

__attribute__((unused)) static struct window *load(const char *path)
{
	struct store *s = reader(path);
	struct window *w = window_new();
	struct store_error err = {0};

	cr_assert_eq(store_load(s, 0, INT64_MAX, LOAD_ALL, w, &err), 0, "%s", err.text);
	store_close(s);
	return w;
}

/* The first column of a query's first row, through SQLite alone. */
__attribute__((unused)) static double query(const char *path, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *q = NULL;
	double v = NAN;

	cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK, "%s", path);
	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
	if (sqlite3_step(q) == SQLITE_ROW)
		v = sqlite3_column_double(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(db);
	return v;
}

__attribute__((unused)) static bool is_whole(const char *path)
{
	sqlite3 *db;
	sqlite3_stmt *q = NULL;
	bool ok;

	sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
	ok = sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW &&
	     strcmp((const char *)sqlite3_column_text(q, 0), "ok") == 0;
	sqlite3_finalize(q);
	sqlite3_close(db);
	return ok;
}

__attribute__((unused)) static void file_write(const char *path, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "w");

	cr_assert(f, "%s", path);
	cr_assert_eq(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

#endif

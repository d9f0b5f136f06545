/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes in comes out. */
#include "fixture.h"

TestSuite(put, .init = dir_make, .fini = dir_remove);

Test(put, a_tick_comes_back_as_it_was)
{
	struct window *w;

	record(path_, 1);
	w = load(path_);
	cr_assert_eq(w->services.n, 4);
	cr_assert_eq(w->edges.n, 2);
	cr_assert_eq(w->requests.n, 2);
	cr_assert_str_eq(w->node, "box");
	cr_assert_eq(w->first_ns, T0);
	cr_assert_eq(w->last_ns, T0 + NS_PER_S);
	cr_assert_eq(w->requests.v[0].count, 10);
	cr_assert_eq(w->requests.v[0].errors, 1);
	cr_assert_float_eq(w->requests.v[0].avg_ms, 2, 1e-9);
	cr_assert_eq(w->requests.v[0].hist->count, 10);
	cr_assert_eq(w->requests.v[0].waits, 0);
	cr_assert_eq(w->requests.v[1].waits, 4);
	cr_assert_float_eq(w->requests.v[1].avg_ms, 0.700123, 1e-9, "of those that do not wait");
	cr_assert_str_eq(w->ops.v[w->requests.v[1].op], "SELECT … WHERE aid = ?");
	cr_assert_str_eq(w->edges.v[w->requests.v[1].edge].protocol, "postgres");
	cr_assert_eq(w->tcp.v[0].retrans, 3);
	cr_assert_float_eq(w->tcp.v[0].oldest_ms, 4, 1e-9);
	cr_assert_eq(w->tcp.v[0].connect_max_us, 900);
	cr_assert_eq(w->tcp.v[0].caller.send_queue_bytes, 4096);
	cr_assert_eq(w->tcp.v[0].caller.zero_windows, 0);
	cr_assert(isnan(w->tcp.v[0].callee.recv_queue_bytes), "not known is not 0");
	cr_assert_eq(w->tcp.v[0].callee.zero_window_us, 1500);
	cr_assert_eq(w->downstream.n, 1);
	cr_assert_eq(w->downstream.v[0].edge, w->outcomes.v[0].edge);
	cr_assert_eq(w->downstream.v[0].callee, w->outcomes.v[1].edge);
	cr_assert_eq(w->downstream.v[0].count, 20);
	cr_assert_eq(w->downstream.v[0].ns, 700123);
	cr_assert_eq(w->outcomes.n, 2);
	cr_assert_eq(w->outcomes.v[0].status, 503);
	cr_assert_str_eq(w->outcomes.v[1].detail, "42P01");
	cr_assert_str_eq(w->outcomes.v[1].error, "client_error");
	cr_assert_eq(w->outcomes.v[1].count, 2);
	cr_assert_eq(w->tls.n, 1);
	cr_assert_eq(w->tls.v[0].count, 3);
	cr_assert_str_eq(w->tls.v[0].version, "1.2");
	cr_assert_str_eq(w->tls.v[0].sender, "");
	cr_assert_str_eq(w->tls.v[0].alpn, "h2");
	cr_assert_eq(w->tls.v[0].not_after_s, 4000000000);
	cr_assert_str_eq(w->tls.v[0].source, "file /etc/shop.pem");
	cr_assert_eq(w->points.n, 2);
	cr_assert_str_eq(w->series.v[w->points.v[1].series].device, "sda");
	cr_assert(isnan(w->points.v[1].limit));
	cr_assert_eq(w->points.v[1].value, 0.333333333333);
	cr_assert_eq(w->events.n, 1);
	cr_assert_eq(w->events.v[0].service, WIN_NONE);
	cr_assert_eq(w->processes.n, 1);
	cr_assert_str_eq(w->processes.v[0].comm, "postgres");
	cr_assert_eq(w->coverage.events, 100);
	cr_assert_eq(w->coverage.loss.n, 1);
	window_free(w);
}

Test(put, spans_come_back_as_they_were)
{
	const struct win_span *root, *child;
	struct window *w;

	record(path_, 2);
	w = load(path_);
	cr_assert_eq(w->spans.n, 4);
	root = &w->spans.v[0];
	child = &w->spans.v[1];
	cr_assert_str_eq(root->trace, "0000000000abcdef");
	cr_assert_str_eq(root->id, "0000000000000011");
	cr_assert_null(root->parent);
	cr_assert_null(root->method);
	cr_assert(isnan(root->confidence));
	cr_assert_not(root->timed);
	cr_assert_eq(root->t_ns, T0 + 5000);
	cr_assert_eq(root->dur_ns, 3000123);
	cr_assert_str_eq(root->status, "503");
	cr_assert_str_eq(root->error, "server_error");
	cr_assert_null(root->detail);
	cr_assert_str_eq(w->services.v[root->service].name, "api.js");
	cr_assert_str_eq(w->edges.v[root->edge].protocol, "http");
	cr_assert_str_eq(w->ops.v[root->op], "GET /items/{id}");
	cr_assert_str_eq(child->trace, root->trace);
	cr_assert_str_eq(child->id, "ffffffffffffffff");
	cr_assert_str_eq(child->parent, root->id);
	cr_assert_null(child->status);
	cr_assert_str_eq(child->detail, "42P01");
	cr_assert_str_eq(child->method, "thread");
	cr_assert_eq(child->confidence, 0.75);
	cr_assert(child->timed);
	cr_assert_eq(child->part_ns[TIME_CPU], 1001);
	cr_assert_eq(child->part_ns[TIME_LOCK], 17);
	cr_assert_eq(child->part_ns[TIME_NET], 0);
	window_free(w);
}

/* A range that begins between a request and those it caused shows the trace all the same. */
Test(put, a_trace_is_loaded_whole)
{
	struct window *w = window_new();
	struct store_error err = {0};
	struct store *s;

	record(path_, 5);
	s = reader(path_);
	cr_assert_eq(store_load(s, T0 + 2 * NS_PER_S + 4 * NS_PER_MS, T0 + 3 * NS_PER_S, LOAD_SPANS, w, &err), 0, "%s", err.text);
	cr_assert_eq(w->spans.n, 0, "nothing of it is in the range");
	cr_assert_eq(store_load(s, T0 + 2 * NS_PER_S + NS_PER_MS / 10, T0 + 2 * NS_PER_S + NS_PER_MS / 5, LOAD_SPANS, w, &err), 0, "%s", err.text);
	cr_assert_eq(w->spans.n, 2, "%zu", w->spans.n);
	cr_assert_eq(w->requests.n, 0);
	store_close(s);
	window_free(w);
}

Test(put, a_range_loads_what_overlaps_it)
{
	struct store_error err;
	struct window *w = window_new();
	struct store *s;

	record(path_, 20);
	s = reader(path_);
	cr_assert_eq(store_load(s, T0 + 5 * NS_PER_S + 1, T0 + 8 * NS_PER_S, LOAD_REQUESTS, w, &err), 0);
	cr_assert_eq(w->requests.n, 6, "seconds 5, 6 and 7, two rows each; got %zu", w->requests.n);
	cr_assert_eq(w->requests.v[0].t_ns, T0 + 5 * NS_PER_S);
	cr_assert_eq(w->points.n, 0);
	cr_assert_null(w->requests.v[0].hist);
	cr_assert_eq(w->last_ns, T0 + 20 * NS_PER_S);
	window_free(w);
	store_close(s);
}

Test(put, two_files_are_read_as_one)
{
	struct window *w = window_new();
	struct store_error err;
	char other[160];

	snprintf(other, sizeof(other), "%s/b.db", dir_);
	record(path_, 3);
	record(other, 4);
	for (int i = 0; i < 2; i++) {
		struct store *s = reader(i ? other : path_);

		cr_assert_eq(store_load(s, 0, INT64_MAX, LOAD_ALL, w, &err), 0);
		store_close(s);
	}
	cr_assert_eq(w->services.n, 4, "names are joined");
	cr_assert_eq(w->requests.n, 2 * 7);
	cr_assert_eq(w->coverage.events, 700);
	window_free(w);
}

Test(put, a_better_protocol_renames_the_edge)
{
	struct store *s = writer(path_, (struct store_limits){0});
	struct store_error err;
	struct tick *t = tick_make(0);

	t->edges.v[0].protocol = "tcp";
	cr_assert_eq(store_put_tick(s, t, &err), 0);
	tick_free(t);
	t = tick_make(1);
	*vec_push(&t->edges) = (struct tick_edge){.id = 0, .from = 1, .to = 2, .port = 3000, .protocol = "http"};
	cr_assert_eq(store_put_tick(s, t, &err), 0);
	tick_free(t);
	store_close(s);
	cr_assert_eq(query(path_, "SELECT count(*) FROM edge WHERE port = 3000"), 1);
	cr_assert_eq(query(path_, "SELECT count(*) FROM edge WHERE protocol = 'http'"), 1);
	/* The next recorder knows it as tcp first: that is the same edge, not a second one. */
	s = writer(path_, (struct store_limits){0});
	t = tick_make(0);
	t->unix_ns += 10 * NS_PER_S;
	t->edges.v[0].protocol = "tcp";
	cr_assert_eq(store_put_tick(s, t, &err), 0);
	tick_free(t);
	store_close(s);
	cr_assert_eq(query(path_, "SELECT count(*) FROM edge WHERE port = 3000"), 1);
}

Test(put, an_undefined_number_is_refused_and_nothing_stays)
{
	struct store *s = writer(path_, (struct store_limits){0});
	struct store_error err;
	struct tick *t = tick_make(0);

	add_requests(t, 99, 0, 10, 1000);
	cr_assert_eq(store_put_tick(s, t, &err), -EINVAL);
	tick_free(t);
	cr_assert_eq(query(path_, "SELECT count(*) FROM tick"), 0);
	/* What that tick defined is known all the same. */
	cr_assert_eq(put(s, 1), 0);
	store_close(s);
	cr_assert_eq(query(path_, "SELECT count(*) FROM requests"), 2);
}

Test(put, an_exit_ends_the_process)
{
	struct store *s = writer(path_, (struct store_limits){0});
	struct store_error err;
	struct tick *t = tick_make(0);
	struct window *w;

	*vec_push(&t->event) = (struct tick_event){.unix_ns = T0 + 7000, .service = 3, .kind = "exit", .pid = 812};
	cr_assert_eq(store_put_tick(s, t, &err), 0);
	tick_free(t);
	store_close(s);
	w = load(path_);
	cr_assert_eq(w->processes.v[0].end_ns, T0 + 7000);
	window_free(w);
}

Test(put, a_reader_sees_each_tick_while_it_is_written)
{
	struct store *s = writer(path_, (struct store_limits){0}), *r;
	struct store_error err;
	int64_t last = 0;

	put(s, 0);
	r = reader(path_);
	for (int64_t i = 1; i < 50; i++) {
		struct window *w = window_new();

		put(s, i);
		cr_assert_eq(store_wait(r, &last, 0, &err), 1, "second %lld is not seen", (long long)i);
		cr_assert_eq(last, T0 + (i + 1) * NS_PER_S);
		cr_assert_eq(store_load(r, 0, INT64_MAX, LOAD_REQUESTS, w, &err), 0, "%s", err.text);
		cr_assert_eq(w->requests.n, 2 * (size_t)(i + 1));
		window_free(w);
	}
	cr_assert_eq(store_wait(r, &last, 20, &err), 0);
	store_close(r);
	store_close(s);
}

Test(put, waiting_wakes_soon_after_the_commit)
{
	struct store *r;
	struct store_error err;
	uint64_t begin;
	int64_t last;
	pid_t pid;

	record(path_, 1);
	pid = fork();
	if (pid == 0) {
		struct store *s = writer(path_, (struct store_limits){0});

		put(s, 0);
		usleep(300000);
		put(s, 1);
		usleep(500000);
		_exit(0);
	}
	usleep(100000);
	r = reader(path_);
	last = T0 + NS_PER_S;
	begin = clock_ts_ns();
	cr_assert_eq(store_wait(r, &last, 5000, &err), 1);
	cr_assert_lt(clock_ts_ns() - begin, 1000 * NS_PER_MS);
	store_close(r);
	waitpid(pid, NULL, 0);
}

Test(put, a_mark_goes_beside_the_writer)
{
	struct store *s = writer(path_, (struct store_limits){0});
	struct store_error err = {0};
	struct window *w;

	put(s, 1 * 0);
	cr_assert_eq(store_mark(path_, T0 + 5000, "rolled back", &err), 0, "%s", err.text);
	put(s, 1);
	store_close(s);
	w = load(path_);
	cr_assert_eq(w->events.n, 2);
	cr_assert_str_eq(w->events.v[1].detail, "rolled back");
	window_free(w);
}

static void put_process_of(struct store *s, int64_t i, int64_t start_ns, const char *exe)
{
	struct store_error err = {0};
	struct tick *t = tick_make(i);

	t->processes.v[0].start_unix_ns = start_ns;
	t->processes.v[0].exe = exe;
	cr_assert_eq(store_put_tick(s, t, &err), 0, "%s", err.text);
	tick_free(t);
}

Test(put, an_exec_shows_at_once)
{
	struct store *s = writer(path_, (struct store_limits){0});

	put_process_of(s, 0, T0 - 5, "/bin/sh");
	put_process_of(s, 1, T0 - 5, "/usr/sbin/nginx");
	store_close(s);
	cr_assert_eq(query(path_, "SELECT count(*) FROM process"), 1);
	cr_assert_eq(query(path_, "SELECT exe = '/usr/sbin/nginx' FROM process"), 1);
}

Test(put, a_start_read_twice_is_one_process)
{
	struct store *s = writer(path_, (struct store_limits){0});
	struct store_error err = {0};
	struct tick *t;

	put_process_of(s, 0, T0 - 5, "/bin/a");
	store_close(s);
	s = writer(path_, (struct store_limits){0});
	put_process_of(s, 0, T0 - 5 + 7000, "/bin/a");
	cr_assert_eq(query(path_, "SELECT count(*) FROM process"), 1, "some µs apart");
	cr_assert_eq(query(path_, "SELECT count(*) FROM process_tick"), 2);
	put_process_of(s, 2, T0 + 1500000000, "/bin/a");
	cr_assert_eq(query(path_, "SELECT count(*) FROM process"), 2, "a later one of the same pid");
	t = tick_make(3);
	*vec_push(&t->processes) = t->processes.v[0];
	t->processes.v[1].start_unix_ns += 1000;
	cr_assert_eq(store_put_tick(s, t, &err), 0, "two of one pid in one tick: %s", err.text);
	tick_free(t);
	cr_assert_eq(query(path_, "SELECT count(*) FROM process"), 3);
	store_close(s);
}

/* Whoever connects chooses the codes of alerts and versions: many have no name of their own. */
Test(put, handshakes_that_are_called_the_same_add_up)
{
	struct store *s = writer(path_, (struct store_limits){0});
	struct tick *t = tick_make(0);
	struct tick_tls again = t->tls.v[0];
	struct store_error err;
	struct window *w;

	again.count = 4;
	*vec_push(&t->tls) = again;
	cr_assert_eq(store_put_tick(s, t, &err), 0, "%s", err.text);
	tick_free(t);
	store_close(s);
	w = load(path_);
	cr_assert_eq(w->tls.n, 1);
	cr_assert_eq(w->tls.v[0].count, 7);
	window_free(w);
}

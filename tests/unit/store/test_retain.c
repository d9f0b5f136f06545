/* SPDX-License-Identifier: BSD-2-Clause */
/* --keep, --max-size and roll-up. */
#include "fixture.h"

TestSuite(retain, .init = dir_make, .fini = dir_remove);

static int64_t files_bytes(void)
{
	static const char *const suffix[] = {"", "-wal", "-shm"};
	int64_t bytes = 0;

	for (int i = 0; i < 3; i++) {
		char name[160];
		struct stat st;

		snprintf(name, sizeof(name), "%s%s", path_, suffix[i]);
		if (stat(name, &st) == 0)
			bytes += st.st_size;
	}
	return bytes;
}

/* A burst: many operations with wide histograms. */
static int put_big(struct store *s, int64_t i, unsigned rows)
{
	struct tick *t = tick_make(i);
	struct store_error err = {0};
	int rc;

	if (i && i % 300 == 0)
		define(t);      /* a second recorder may begin here */

	for (uint32_t k = 0; k < rows; k++) {
		*vec_push(&t->ops) = (struct tick_op){.id = 10 + k, .text = arena_printf(&t->arena, "GET /burst/%u", k)};
		add_requests(t, 0, 10 + k, 100, 1000000 + k);
		for (uint64_t ns = 1000; ns < 1000000; ns += 5000)
			hist_add(&t->requests.v[t->requests.n - 1].hist, ns, 3);
	}
	rc = store_put_tick(s, t, &err);
	tick_free(t);
	cr_assert(rc == 0 || rc == -ENOSPC, "%s", err.text);
	return rc;
}

Test(retain, keep_prunes_the_oldest)
{
	struct store *s = writer(path_, (struct store_limits){.keep_ns = 10 * NS_PER_S});

	for (int64_t i = 0; i < 200; i++)
		put(s, i);
	store_close(s);
	cr_assert_eq(query(path_, "SELECT count(*) FROM tick"), 10);
	cr_assert_eq(query(path_, "SELECT min(t_ns) / 1000000000 FROM tick"), 1700000190);
	cr_assert_eq(query(path_, "SELECT count(*) FROM requests WHERE tick NOT IN (SELECT id FROM tick)"), 0);
	cr_assert_eq(query(path_, "SELECT count(*) FROM point"), 20);
	cr_assert_eq(query(path_, "SELECT count(*) FROM event"), 2);
	cr_assert_eq(query(path_, "SELECT count(*) FROM span"), 20);
	cr_assert_eq(query(path_, "SELECT count(*) FROM process"), 1);
}

Test(retain, size_holds_at_all_times)
{
	int64_t max = 2 << 20;
	struct store *s = writer(path_, (struct store_limits){.max_bytes = max});
	unsigned failed = 0;

	for (int64_t i = 0; i < 600; i++) {
		failed += put_big(s, i, i % 40 == 0 ? 200 : 5) < 0;
		cr_assert_leq(files_bytes(), max, "after second %lld: %lld bytes", (long long)i, (long long)files_bytes());
	}
	cr_assert_eq(failed, 0, "%u puts failed", failed);
	store_close(s);
	cr_assert(is_whole(path_));
	cr_assert_gt(query(path_, "SELECT count(*) FROM tick"), 30, "pruned too much");
	cr_assert_eq(query(path_, "SELECT max(t_ns) / 1000000000 FROM tick"), 1700000599);
}

Test(retain, size_holds_beside_a_long_reader)
{
	int64_t max = 4 << 20;
	struct store *s = writer(path_, (struct store_limits){.max_bytes = max});
	unsigned failed = 0;
	sqlite3 *db;

	for (int64_t i = 0; i < 100; i++)
		put_big(s, i, 20);
	sqlite3_open_v2(path_, &db, SQLITE_OPEN_READONLY, NULL);
	sqlite3_exec(db, "BEGIN; SELECT count(*) FROM tick", NULL, NULL, NULL);
	for (int64_t i = 100; i < 500; i++) {
		failed += put_big(s, i, 20) < 0;
		cr_assert_leq(files_bytes(), max, "after second %lld: %lld bytes", (long long)i, (long long)files_bytes());
	}
	cr_assert_gt(failed, 0, "the reader's snapshot should have filled the -wal");
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(db);
	for (int64_t i = 500; i < 520; i++) {
		cr_assert_eq(put_big(s, i, 20), 0, "no recovery at second %lld", (long long)i);
		cr_assert_leq(files_bytes(), max);
	}
	store_close(s);
	cr_assert(is_whole(path_));
}

Test(retain, a_larger_file_is_shrunk_when_opened)
{
	struct store *s = writer(path_, (struct store_limits){0});
	int64_t max = 2 << 20;

	for (int64_t i = 0; i < 300; i++)
		put_big(s, i, 20);
	store_close(s);
	cr_assert_gt(files_bytes(), max);
	s = writer(path_, (struct store_limits){.max_bytes = max});
	cr_assert_leq(files_bytes(), max);
	cr_assert_eq(put_big(s, 300, 20), 0);
	store_close(s);
	cr_assert_leq(files_bytes(), max);
	cr_assert(is_whole(path_));
}

Test(retain, too_small_a_limit_is_refused)
{
	struct store_limits limits = {.max_bytes = 4096};
	struct store_error err;

	cr_assert_null(store_open_writer(path_, &limits, &err));
	cr_assert_eq(err.code, -EINVAL);
	cr_assert_eq(files_in_dir(), 0);
}

Test(retain, roll_up_keeps_sums)
{
	struct store_limits limits = {.raw_ns = 60 * NS_PER_S};
	struct store *s = writer(path_, limits);
	struct window *plain, *rolled;
	double count[2] = {0}, errors[2] = {0}, hist[2] = {0}, retrans[2] = {0}, handshakes[2] = {0}, cpu[2] = {0}, timed[2] = {0};
	char other[160];

	for (int64_t i = 0; i < 300; i++)
		put(s, i);
	store_close(s);
	snprintf(other, sizeof(other), "%s/plain.db", dir_);
	record(other, 300);
	rolled = load(path_);
	plain = load(other);
	cr_assert_lt(rolled->requests.n, plain->requests.n / 2, "%zu rows of %zu", rolled->requests.n, plain->requests.n);
	for (int k = 0; k < 2; k++) {
		struct window *w = k ? rolled : plain;

		for (size_t i = 0; i < w->requests.n; i++) {
			count[k] += w->requests.v[i].count;
			errors[k] += w->requests.v[i].errors;
			timed[k] += w->requests.v[i].timing.count + w->requests.v[i].timing.total_ns +
				    w->requests.v[i].timing.part_ns[TIME_CPU];
			hist[k] += (double)w->requests.v[i].hist->count;
		}
		for (size_t i = 0; i < w->tcp.n; i++)
			retrans[k] += w->tcp.v[i].retrans;
		for (size_t i = 0; i < w->tls.n; i++)
			handshakes[k] += w->tls.v[i].count;
		for (size_t i = 0; i < w->points.n; i++)
			if (!w->series.v[w->points.v[i].series].device)
				cpu[k] += w->points.v[i].value * (double)w->points.v[i].dur_ns / 1e9;
	}
	cr_assert_eq(count[0], count[1]);
	cr_assert_eq(errors[0], errors[1]);
	cr_assert_eq(timed[0], timed[1]);
	cr_assert_gt(timed[0], 0);
	cr_assert_eq(hist[0], hist[1]);
	cr_assert_eq(retrans[0], retrans[1]);
	cr_assert_eq(handshakes[0], handshakes[1]);
	cr_assert_float_eq(cpu[0], cpu[1], 1e-6);
	cr_assert_eq(plain->coverage.events, rolled->coverage.events);
	cr_assert_eq(plain->coverage.lost_events, rolled->coverage.lost_events);
	cr_assert_eq(plain->first_ns, rolled->first_ns);
	cr_assert_eq(plain->last_ns, rolled->last_ns);
	window_free(plain);
	window_free(rolled);
	cr_assert_eq(query(path_, "SELECT count(*) FROM tick WHERE source = 1 AND dur_ns <> 10000000000"), 0);
	cr_assert_leq(query(path_, "SELECT count(*) FROM tick WHERE source = 1 AND events IS NULL"), 1, "only the last may be unfinished");
	cr_assert_eq(query(path_, "SELECT count(*) FROM process_tick WHERE state <> 'S' OR threads <> 4"), 0);
	cr_assert_eq(query(path_, "SELECT count(*) FROM tls t JOIN tick k ON k.id = t.tick WHERE source = 1 AND result = 'ok' AND "
				  "(subject <> 'shop.test' OR not_after_s % 10 <> 0 OR cert_source <> 'file /etc/shop.pem')"), 0);
	cr_assert_eq(query(path_, "SELECT count(*) FROM tcp WHERE open NOT BETWEEN 5 AND 7"), 0);
	cr_assert_eq(query(path_, "SELECT count(*) FROM tcp c JOIN tick t ON t.id = c.tick WHERE t.source = 1 AND "
				  "(connect_p50_us IS NOT 60 OR connect_max_us < 900 OR min_rtt_us IS NOT 30 OR "
				  "caller_send_queue_bytes IS NOT 4096 OR callee_send_queue_bytes NOT NULL OR resets_callee < 2)"), 0);
	cr_assert_gt(query(path_, "SELECT count(*) FROM tcp c JOIN tick t ON t.id = c.tick WHERE t.source = 1"), 0);
}

Test(retain, roll_up_goes_on_after_a_pause)
{
	struct store_limits limits = {.raw_ns = 60 * NS_PER_S};
	struct store *s;

	record(path_, 200);
	s = writer(path_, limits);
	for (int64_t i = 1000; i < 1080; i++)
		put(s, i == 1000 ? 0 : i);
	store_close(s);
	cr_assert_eq(query(path_, "SELECT count(*) FROM requests WHERE tick NOT IN (SELECT id FROM tick)"), 0);
	cr_assert_gt(query(path_, "SELECT count(*) FROM tick WHERE source = 1"), 10);
}

/* Then a hundred seconds of a recorder. Closes s. */
static void import_and_record(struct store *s, const char *text)
{
	struct import_stats stats;
	struct store_error err = {0};

	file_write(in_dir("i.ndjson"), text, strlen(text));
	cr_assert_eq(store_import_ndjson(s, in_dir("i.ndjson"), &stats, &err), 0, "%s", err.text);
	for (int64_t i = 0; i < 100; i++)
		put(s, i);
	store_close(s);
}

Test(retain, imported_rows_stay)
{
	struct store *s = writer(path_, (struct store_limits){.keep_ns = 10 * NS_PER_S, .raw_ns = 5 * NS_PER_S});
	static const char text[] = "{\"type\":\"requests\",\"t\":1000,\"dur_s\":1,\"to\":\"x\",\"count\":2}\n"
				   "{\"type\":\"event\",\"t\":1000,\"service\":\"x\",\"kind\":\"deploy\"}\n"
				   "{\"type\":\"span\",\"trace\":\"T\",\"span\":\"a\",\"service\":\"x\",\"t\":1000,\"dur_ms\":1.5}\n";

	import_and_record(s, text);
	cr_assert_eq(query(path_, "SELECT count(*) FROM tick WHERE t_ns = 1000000000000"), 1);
	cr_assert_eq(query(path_, "SELECT count(*) FROM event WHERE kind = 'deploy'"), 1);
	cr_assert_eq(query(path_, "SELECT count(*) FROM span WHERE trace = 'T'"), 1);
	cr_assert_lt(query(path_, "SELECT count(*) FROM tick"), 20);
}

/* One second of a recorder that has seen one service, edge and operation, by the names given. */
static void put_named(struct store *s, int64_t i, bool first, const char *name)
{
	struct tick *t = tick_new(T0 + i * NS_PER_S, NS_PER_S);
	struct store_error err = {0};

	if (first) {
		*vec_push(&t->services) = (struct tick_service){.id = 0, .name = arena_printf(&t->arena, "%s-caller", name)};
		*vec_push(&t->services) = (struct tick_service){.id = 1, .name = arena_printf(&t->arena, "%s-callee", name)};
		*vec_push(&t->edges) = (struct tick_edge){.id = 0, .from = 0, .to = 1, .port = 80, .protocol = "http"};
		*vec_push(&t->ops) = (struct tick_op){.id = 0, .text = arena_printf(&t->arena, "GET /%s", name)};
	}
	add_requests(t, 0, 0, 10, 1000000);
	*vec_push(&t->spans) = (struct tick_span){.trace = (uint64_t)i + 1, .id = 1, .edge = 0, .op = 0, .unix_ns = t->unix_ns, .dur_ns = 1000,
						  .error = "ok"};
	*vec_push(&t->points) = (struct tick_point){.service = 1, .metric = M_CPU_CORES, .value = 1, .limit = NAN};
	cr_assert_eq(store_put_tick(s, t, &err), 0, "%s", err.text);
	tick_free(t);
}

#define DANGLING "SELECT (SELECT count(*) FROM requests WHERE edge NOT IN (SELECT id FROM edge)) + " \
		 "(SELECT count(*) FROM requests WHERE op NOT IN (SELECT id FROM op)) + " \
		 "(SELECT count(*) FROM span WHERE edge NOT IN (SELECT id FROM edge) OR op NOT IN (SELECT id FROM op) OR " \
		 "service NOT IN (SELECT id FROM service)) + " \
		 "(SELECT count(*) FROM point WHERE series NOT IN (SELECT id FROM series)) + " \
		 "(SELECT count(*) FROM series WHERE service NOT IN (SELECT id FROM service)) + " \
		 "(SELECT count(*) FROM edge WHERE src NOT IN (SELECT id FROM service) OR dst NOT IN (SELECT id FROM service))"
#define NAMES(of) "SELECT (SELECT count(*) FROM service WHERE name LIKE '" of "%') * 1000 + (SELECT count(*) FROM edge e JOIN service s " \
		  "ON s.id = e.dst WHERE s.name LIKE '" of "%') * 100 + (SELECT count(*) FROM op WHERE text LIKE 'GET /" of "%') * 10 + " \
		  "(SELECT count(*) FROM series r JOIN service s ON s.id = r.service WHERE s.name LIKE '" of "%')"

Test(retain, names_go_with_the_last_fact_that_refers_to_them)
{
	struct store_limits limits = {.keep_ns = 100 * NS_PER_S, .raw_ns = 30 * NS_PER_S};
	struct store *s = writer(path_, limits);
	int64_t i = 0;

	for (; i < 20; i++)
		put_named(s, i, i == 0, "old");
	store_close(s);
	s = writer(path_, limits);
	for (; i < 100; i++)
		put_named(s, i, i == 20, "new");
	cr_assert_eq(query(path_, NAMES("old")), 2111, "names went before their facts: %g", query(path_, NAMES("old")));
	for (; i < 400; i++) {
		put_named(s, i, false, "new");
		cr_assert_eq(query(path_, DANGLING), 0, "after second %lld", (long long)i);
	}
	store_close(s);
	cr_assert_eq(query(path_, NAMES("old")), 0, "left over: %g", query(path_, NAMES("old")));
	cr_assert_eq(query(path_, NAMES("new")), 2111, "lost: %g", query(path_, NAMES("new")));
}

Test(retain, names_of_an_import_stay)
{
	static const char text[] = "{\"type\":\"edge\",\"from\":\"x\",\"to\":\"y\",\"protocol\":\"http\",\"port\":80}\n"
				   "{\"type\":\"requests\",\"t\":1000,\"dur_s\":1,\"to\":\"z\",\"count\":2}\n";
	struct store *s = writer(path_, (struct store_limits){.keep_ns = 10 * NS_PER_S});

	import_and_record(s, text);
	cr_assert_eq(query(path_, "SELECT count(*) FROM service WHERE name IN ('x', 'y', 'z')"), 3);
}

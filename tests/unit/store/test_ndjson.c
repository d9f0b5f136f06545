/* SPDX-License-Identifier: BSD-2-Clause */
/* Interchange: what goes out comes in again, and what is wrong is refused by line. */
#include "fixture.h"

TestSuite(ndjson, .init = dir_make, .fini = dir_remove);

static int to_file(void *arg, const char *text, size_t n)
{
	return fwrite(text, 1, n, arg) == n ? 0 : -EIO;
}

static void export_to(const char *db, const char *file)
{
	struct store *s = reader(db);
	struct store_error err = {0};
	FILE *f = fopen(file, "w");

	cr_assert_eq(store_export_ndjson(s, 0, INT64_MAX, to_file, f, &err), 0, "%s", err.text);
	fclose(f);
	store_close(s);
}

static struct import_stats import_from(const char *db, const char *file, int expect, struct store_error *err)
{
	struct store *s = writer(db, (struct store_limits){0});
	struct import_stats stats;
	int rc = store_import_ndjson(s, file, &stats, err);

	store_close(s);
	cr_assert_eq(rc, expect, "%d, not %d: %s", rc, expect, rc < 0 ? err->text : "");
	return stats;
}

static int same_file(const char *a, const char *b)
{
	char cmd[600];

	snprintf(cmd, sizeof(cmd), "LC_ALL=C; export LC_ALL; sort '%s' >'%s.s'; sort '%s' >'%s.s'; diff '%s.s' '%s.s' | head -5 >&2; "
		 "cmp -s '%s.s' '%s.s'", a, a, b, b, a, b, a, b);
	return system(cmd);
}

Test(ndjson, export_import_export_is_the_same)
{
	struct store_error err = {0};
	struct import_stats stats;

	record(path_, 60);
	export_to(path_, in_dir("1.ndjson"));
	stats = import_from(in_dir("2.db"), in_dir("1.ndjson"), 0, &err);
	cr_assert_eq(stats.unknown_keys, 0, "%llu", (unsigned long long)stats.unknown_keys);
	cr_assert_eq(stats.unknown_types, 0);
	cr_assert_eq(stats.rows, stats.lines);
	export_to(in_dir("2.db"), in_dir("2.ndjson"));
	cr_assert_eq(same_file(in_dir("1.ndjson"), in_dir("2.ndjson")), 0);
}

static void expect_refusal(const char *text, const char *where)
{
	struct store_error err = {0};

	file_write(in_dir("bad.ndjson"), text, strlen(text));
	import_from(path_, in_dir("bad.ndjson"), -EINVAL, &err);
	cr_assert(strstr(err.text, where), "%s", err.text);
	cr_assert_neq(access(path_, F_OK), 0, "%s: a file that was made for it stayed", text);
	record(in_dir("before.db"), 1);
	import_from(in_dir("before.db"), in_dir("bad.ndjson"), -EINVAL, &err);
	cr_assert_eq(query(in_dir("before.db"), "SELECT (SELECT count(*) FROM service) * 10 + (SELECT count(*) FROM tick)"), 41,
		     "%s: rows stayed", text);
	unlink(in_dir("before.db"));
}

Test(ndjson, refusals_name_the_line)
{
	expect_refusal("{\"type\":\"service\",\"service\":\"a\"}\nnot json\n", "bad.ndjson:2:");
	expect_refusal("{\"type\":\"service\"}\n", "bad.ndjson:1: \"service\" is missing");
	expect_refusal("{\"type\":\"requests\",\"t\":1,\"dur_s\":1,\"count\":1}\n", "\"to\"");
	expect_refusal("{\"type\":\"requests\",\"t\":\"x\",\"dur_s\":1,\"to\":\"a\",\"count\":1}\n", "\"t\" is not a number");
	expect_refusal("\n\n[1]\n", "bad.ndjson:3:");
	expect_refusal("{\"t\":1}\n", "\"type\"");
	expect_refusal("{\"type\":\"meta\",\"schema\":\"ndjson/9\"}\n", "ndjson/9");
	expect_refusal("{\"type\":\"requests\",\"t\":1e300,\"dur_s\":1,\"to\":\"a\",\"count\":1}\n", "Unix seconds");
	expect_refusal("{\"type\":\"requests\",\"t\":1,\"dur_s\":1,\"to\":\"a\",\"count\":1,\"hist\":[[1]]}\n", "hist");
}

#define REQUESTS(more) "{\"type\":\"service\",\"service\":\"a\"}\n{\"type\":\"requests\",\"to\":\"a\"," more "}\n"

#define SPAN(more) "{\"type\":\"span\",\"trace\":\"a\",\"span\":\"b\",\"service\":\"c\",\"t\":1," more "}\n"

Test(ndjson, numbers_that_cannot_be_are_refused)
{
	expect_refusal(REQUESTS("\"t\":1,\"dur_s\":1,\"count\":-1"), "bad.ndjson:2: \"count\" is negative");
	expect_refusal(REQUESTS("\"t\":1,\"dur_s\":1,\"count\":1,\"errors\":-1"), "bad.ndjson:2: \"errors\" is negative");
	expect_refusal(REQUESTS("\"t\":1,\"dur_s\":-1,\"count\":1"), "bad.ndjson:2: \"dur_s\" is negative");
	expect_refusal(REQUESTS("\"t\":1,\"dur_s\":1,\"count\":1,\"p95_ms\":-3"), "bad.ndjson:2: \"p95_ms\" is negative");
	expect_refusal(REQUESTS("\"t\":1,\"dur_s\":1,\"count\":1e16"), "bad.ndjson:2: \"count\" is more");
	expect_refusal(REQUESTS("\"t\":9e9,\"dur_s\":9e9,\"count\":1"), "bad.ndjson:2: \"t\" + \"dur_s\"");
	expect_refusal(SPAN("\"dur_ms\":1e300"), "dur_ms");
	expect_refusal(SPAN("\"dur_ms\":1,\"error\":\"odd\""), "\"error\" is none of");
	expect_refusal(SPAN("\"dur_ms\":1,\"confidence\":1.5"), "\"confidence\" is not in 0..1");
	expect_refusal(SPAN("\"dur_ms\":1,\"confidence\":-0.1"), "\"confidence\" is not in 0..1");
	expect_refusal(SPAN("\"dur_ms\":1,\"status\":[]"), "\"status\" is not a string");
	expect_refusal(SPAN("\"dur_ms\":1,\"port\":70000"), "\"port\" is no port");
	expect_refusal(SPAN("\"dur_ms\":-1"), "\"dur_ms\" is negative");
	expect_refusal(SPAN("\"dur_ms\":1,\"cpu_ns\":-1"), "\"cpu_ns\" is negative");
	expect_refusal("{\"type\":\"tcp\",\"t\":1,\"dur_s\":1,\"to\":\"a\",\"refused\":-1}\n", "\"refused\" is negative");
}

Test(ndjson, the_usual_interval_is_said)
{
	struct store *s = writer(path_, (struct store_limits){0});
	struct store_error err = {0};
	char line[256] = "";
	FILE *f;

	for (int64_t i = 0; i < 5; i++) {
		struct tick *t = tick_make(i);

		t->dur_ns = i == 0 ? 300 * NS_PER_MS : NS_PER_S + (i == 2 ? 1000000 : 0);
		cr_assert_eq(store_put_tick(s, t, &err), 0, "%s", err.text);
		tick_free(t);
	}
	store_close(s);
	export_to(path_, in_dir("i.ndjson"));
	f = fopen(in_dir("i.ndjson"), "r");
	cr_assert(fgets(line, sizeof(line), f));
	fclose(f);
	cr_assert(strstr(line, "\"interval_s\":1}"), "%s", line);
}

Test(ndjson, fractions_unknowns_and_twins)
{
	static const char text[] =
		"{\"type\":\"requests\",\"t\":1.25,\"dur_s\":0.5,\"from\":null,\"to\":\"b\",\"count\":2.5,\"avg_ms\":3.25,\"hist\":[[100,1],[200,2]]}\n"
		"{\"type\":\"requests\",\"t\":1.25,\"dur_s\":0.5,\"from\":null,\"to\":\"b\",\"count\":1,\"colour\":\"red\"}\n"
		"{\"type\":\"smell\",\"x\":1}\n"
		"{\"type\":\"resource\",\"t\":2,\"dur_s\":300,\"service\":\"b\",\"metric\":\"goblins\",\"value\":7}\n";
	struct import_stats stats;
	struct store_error err;
	struct window *w;

	file_write(in_dir("x.ndjson"), text, sizeof(text) - 1);
	stats = import_from(path_, in_dir("x.ndjson"), 0, &err);
	cr_assert_eq(stats.unknown_types, 1);
	cr_assert_eq(stats.unknown_keys, 1);
	cr_assert_eq(stats.rows, 3);
	w = load(path_);
	cr_assert_eq(w->requests.n, 2, "two lines of one interval and edge are two facts");
	cr_assert_eq(w->requests.v[0].t_ns, 1250000000);
	cr_assert_eq(w->requests.v[0].count + w->requests.v[1].count, 3.5);
	cr_assert_eq(w->edges.v[0].from, WIN_NONE);
	cr_assert_str_eq(w->series.v[0].metric, "goblins");
	cr_assert(isnan(w->coverage.events));
	window_free(w);
}

Test(ndjson, what_a_line_does_not_say_is_not_known)
{
	static const char text[] =
		"{\"type\":\"requests\",\"t\":1,\"dur_s\":1,\"to\":\"b\",\"count\":2}\n"
		"{\"type\":\"tcp\",\"t\":1,\"dur_s\":1,\"to\":\"b\",\"opened\":0}\n";
	struct store_error err;
	struct window *w;

	file_write(in_dir("x.ndjson"), text, sizeof(text) - 1);
	import_from(path_, in_dir("x.ndjson"), 0, &err);
	w = load(path_);
	cr_assert(isnan(w->requests.v[0].errors), "%g", w->requests.v[0].errors);
	cr_assert_eq(w->tcp.v[0].opened, 0);
	cr_assert(isnan(w->tcp.v[0].refused) && isnan(w->tcp.v[0].inflight) && isnan(w->tcp.v[0].bytes_in));
	window_free(w);
}

Test(ndjson, the_petshop_data)
{
	struct import_stats stats;
	struct store_error err;
	char cmd[512];
	uint64_t begin;

	snprintf(cmd, sizeof(cmd), "gunzip -c '%s/../../../../shared/data/petshop/high_traffic-baseline.ndjson.gz' >'%s' 2>/dev/null",
		 TEST_DIR, in_dir("p.ndjson"));
	if (system(cmd) != 0)
		cr_skip_test("no ../shared/data beside the repository");
	begin = clock_ts_ns();
	stats = import_from(path_, in_dir("p.ndjson"), 0, &err);
	cr_log_info("%llu lines in %.2f s", (unsigned long long)stats.lines, (double)(clock_ts_ns() - begin) / 1e9);
	cr_assert_eq(stats.rows, 23063);
	cr_assert_eq(query(path_, "SELECT count(*) FROM requests"), 22971);
}

/* Spans may be all that there is, with what their tracer says and nothing more. */
Test(ndjson, spans_alone_are_a_recording)
{
	static const char text[] = SPAN("\"dur_ms\":2.5,\"status\":404") SPAN("\"dur_ms\":1,\"parent\":\"gone\",\"status\":\"ERROR\",\"kind\":1");
	struct store_error err = {0};
	struct import_stats stats;
	struct window *w;

	file_write(in_dir("s.ndjson"), text, strlen(text));
	stats = import_from(path_, in_dir("s.ndjson"), 0, &err);
	cr_assert_eq(stats.unknown_keys, 1);
	w = load(path_);
	cr_assert_eq(w->first_ns, NS_PER_S);
	cr_assert_eq(w->last_ns, NS_PER_S + 2500000);
	cr_assert_eq(w->spans.n, 2);
	cr_assert_str_eq(w->spans.v[0].status, "404");
	cr_assert_str_eq(w->spans.v[1].status, "ERROR");
	cr_assert_str_eq(w->spans.v[1].parent, "gone");
	cr_assert_null(w->spans.v[0].error);
	cr_assert_eq(w->spans.v[0].edge, WIN_NONE);
	cr_assert_eq(w->spans.v[0].op, WIN_NONE);
	cr_assert(isnan(w->spans.v[0].confidence));
	cr_assert_not(w->spans.v[0].timed);
	window_free(w);
}

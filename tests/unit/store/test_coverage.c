/* SPDX-License-Identifier: BSD-2-Clause */
/* What a recording says was not seen. */
#include "fixture.h"

TestSuite(coverage, .init = dir_make, .fini = dir_remove);

static void expect_notes(int64_t since_ns, int64_t until_ns, size_t n, const char *const *want)
{
	struct store *s = reader(path_);
	struct window *w = window_new();
	struct store_error err = {0};

	cr_assert_eq(store_load(s, since_ns, until_ns, LOAD_REQUESTS, w, &err), 0, "%s", err.text);
	store_close(s);
	for (size_t i = 0; i < n && i < w->coverage.notes.n; i++)
		cr_assert_str_eq(w->coverage.notes.v[i], want[i], "note %zu is \"%s\", wanted \"%s\"", i, w->coverage.notes.v[i],
				 want[i]);
	cr_assert_eq(w->coverage.notes.n, n, "%zu notes, wanted %zu; the last is \"%s\"", w->coverage.notes.n, n,
		     w->coverage.notes.n ? w->coverage.notes.v[w->coverage.notes.n - 1] : "");
	window_free(w);
}

static void put_with(struct store *s, int64_t i, size_t n, const struct tick_loss *loss)
{
	struct tick *t = tick_make(i);
	struct store_error err = {0};

	t->loss.n = 0;
	for (size_t k = 0; k < n; k++)
		*vec_push(&t->loss) = loss[k];
	cr_assert_eq(store_put_tick(s, t, &err), 0, "%s", err.text);
	tick_free(t);
}

Test(coverage, a_whole_recording_has_no_notes)
{
	struct store *s = writer(path_, (struct store_limits){.raw_ns = 20 * NS_PER_S});

	for (int64_t i = 0; i < 60; i++)
		put_with(s, i, 0, NULL);
	store_close(s);
	expect_notes(0, INT64_MAX, 0, NULL);
}

Test(coverage, gaps)
{
	static const char *const one[] = {"no recording from 2023-11-14T22:13:22.000Z to 2023-11-14T22:14:20.000Z"};
	static const char *const two[] = {"no recording from 2023-11-14T22:13:22.000Z to 2023-11-14T22:14:20.000Z, the longest of 2 gaps: 62 s in all"};
	struct store *s = writer(path_, (struct store_limits){0});
	static const int64_t seconds[] = {0, 1, 60, 62, 67};

	for (size_t i = 0; i < sizeof(seconds) / sizeof(*seconds); i++)
		put_with(s, seconds[i], 0, NULL);
	store_close(s);
	expect_notes(0, T0 + 63 * NS_PER_S, 1, one);
	expect_notes(0, INT64_MAX, 1, two);
	expect_notes(T0 + 60 * NS_PER_S, T0 + 63 * NS_PER_S, 0, NULL);
}

Test(coverage, loss)
{
	static const struct tick_loss loss[] = {
		{"flow", "unpaired", 2}, {"kernel", "ring_data", 135000}, {"kernel", "ring_io", 928}, {"kernel", "bytes", 99},
		{"weather", "rain", 7},
	};
	static const char *const want[] = {
		"the kernel lost 271,856 records because the ring buffer was full",
		"4 answers came without a request that was seen",
		"lost in weather: rain, 14 times",
	};
	struct store *s = writer(path_, (struct store_limits){0});

	put_with(s, 0, 5, loss);
	put_with(s, 1, 5, loss);
	put_with(s, 2, 0, NULL);
	store_close(s);
	expect_notes(0, INT64_MAX, 3, want);
	expect_notes(T0 + 2 * NS_PER_S, INT64_MAX, 0, NULL);
}

Test(coverage, probes)
{
	static const char probes[] =
		"[{\"probe\":\"packets\",\"state\":\"absent\",\"lacks\":\"requests\",\"why\":\"no cgroup v2\"},"
		"{\"probe\":\"oom\",\"state\":\"on\",\"lacks\":null,\"why\":null},"
		"{\"probe\":\"cgroups\",\"state\":\"on\",\"lacks\":\"pressure of each cgroup\",\"why\":\"the controllers are on v1\"},"
		"{\"probe\":\"sockets\",\"state\":\"absent\",\"lacks\":\"resets\",\"why\":\"no cgroup v2\"}]";
	static const char *const want[] = {"not recorded: requests; resets (no cgroup v2)",
					   "not recorded: pressure of each cgroup (the controllers are on v1)"};
	static const char *const without[] = {"not recorded: requests (without BPF nothing is read from connections)"};
	struct store *s = writer(path_, (struct store_limits){0});
	struct store_error err;

	put_with(s, 0, 0, NULL);
	store_put_meta(s, "probes", probes, &err);
	store_close(s);
	expect_notes(0, INT64_MAX, 2, want);
	s = writer(path_, (struct store_limits){0});
	store_put_meta(s, "probes", "[]", &err);
	store_close(s);
	expect_notes(0, INT64_MAX, 1, without);
	s = writer(path_, (struct store_limits){0});
	store_put_meta(s, "probes", "no JSON", &err);
	store_close(s);
	expect_notes(0, INT64_MAX, 0, NULL);
}

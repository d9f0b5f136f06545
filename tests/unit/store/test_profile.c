/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples of the CPUs: their tree of frames, what roll-up folds, and that names of frames go with them. */
#include "fixture.h"

#include "base/demangle.h"
#include "model/flame.h"

TestSuite(profile, .init = dir_make, .fini = dir_remove);

#define SERVICE 3

static void add_stack(struct tick *t, uint32_t pid, uint64_t samples, const char *frames)
{
	*vec_push(&t->stacks) = (struct tick_stack){.service = SERVICE, .pid = pid, .samples = samples, .frames = frames};
}

/* A service whose stacks are all different, below two callers that are always the same: 40 a second, each seen once, half of
 * them below each; and one that is hot. `fresh`: frames that were never seen before. */
static int put_scattered(struct store *s, int64_t i, bool fresh)
{
	struct tick *t = tick_make(i);
	struct store_error err = {0};
	int rc;

	vec_reset(&t->stacks);
	for (int k = 0; k < 40; k++)
		add_stack(t, 100 + (uint32_t)k % 4, 1, arena_printf(&t->arena, "main;%s;f%lld;g%d", k % 2 ? "read" : "write",
								  (long long)(fresh ? i * 40 + k : k), k));
	add_stack(t, 100, 60, "main;read;hot");
	rc = store_put_tick(s, t, &err);
	tick_free(t);
	cr_assert(rc == 0 || rc == -ENOSPC, "%s", err.text);
	return rc;
}

static double total_of(const struct flame *f, const char *path)
{
	char buf[1024];

	for (size_t i = 1; i < f->nodes.n; i++)
		if (f->nodes.v[i].depth > 1 && !strcmp(flame_path(f, (uint32_t)i, ";", buf, sizeof(buf)), path))
			return f->nodes.v[i].total;
	return 0;
}

/* The budget had stopped the clock for 0.4 s of the second tick. */
Test(profile, time_without_samples_is_known)
{
	struct store_limits limits = {0};
	struct store_error err;
	struct store *s = store_open_writer(path_, &limits, &err);
	struct flame_wish all = {.service = WIN_NONE};
	struct flame_functions v;
	struct flame f;
	struct window *w;

	cr_assert_not_null(s);
	for (int i = 0; i < 3; i++) {
		struct tick *t = tick_make(i);

		vec_reset(&t->stacks);
		add_stack(t, 100, 5, "main;a;hot");
		add_stack(t, 100, 7, "main;b;hot");
		add_stack(t, 100, 1, "main;b");
		if (i == 1)
			*vec_push(&t->loss) = (struct tick_loss){"profile", "paused_ms", 400};
		cr_assert_eq(store_put_tick(s, t, &err), 0, "%s", err.text);
		tick_free(t);
	}
	store_close(s);
	w = load(path_);
	cr_assert_float_eq(window_sampled_s(w, w->since_ns, w->until_ns), 2.6, 1e-9);
	cr_assert_float_eq(window_sampled_s(w, w->since_ns, w->since_ns + NS_PER_S), 1, 1e-9);
	cr_assert_eq(flame_init(&f, w, &all), 0);
	cr_assert_eq(flame_functions(&f, &v), 0);
	cr_assert_eq(v.list.n, 2);
	cr_assert_eq(flame_function_find(&v, "hot")->samples, 36);
	cr_assert_eq(flame_function_find(&v, "hot")->most, 21);
	cr_assert_str_eq(f.nodes.v[f.nodes.v[flame_function_find(&v, "hot")->node].parent].frame, "b");
	cr_assert_null(flame_function_find(&v, "main"), "nothing of its own");
	vec_done(&v.list);
	flame_done(&f);
	window_free(w);
}

Test(profile, stacks_come_back_as_they_were)
{
	struct flame_wish all = {.service = WIN_NONE};
	struct flame f;
	struct window *w;

	record(path_, 1);
	w = load(path_);
	cr_assert_eq(w->profile.n, 3);
	cr_assert_eq(flame_init(&f, w, &all), 0);
	cr_assert_eq(f.nodes.v[FLAME_ROOT].total, 23);
	cr_assert_eq(total_of(&f, "main;serve"), 20);
	cr_assert_eq(total_of(&f, "main;exec;node_0;scan"), 1);
	cr_assert_eq(total_of(&f, "do_exit_[k]"), 2, "whose it is is not known");
	flame_done(&f);
	window_free(w);
}

Test(profile, roll_up_folds_the_rarest_and_keeps_totals)
{
	struct store *s = writer(path_, (struct store_limits){.raw_ns = 10 * NS_PER_S});
	struct flame_wish all = {.service = WIN_NONE};
	struct flame f;
	struct window *w;

	for (int64_t i = 0; i < 60; i++)
		put_scattered(s, i, true);
	store_close(s);
	cr_assert_gt(query(path_, "SELECT count(*) FROM tick WHERE source = 1"), 2);
	cr_assert_leq(query(path_, "SELECT max(n) FROM (SELECT count(*) n FROM profile JOIN tick ON tick.id = tick WHERE source = 1 GROUP BY tick)"),
		      24);
	w = load(path_);
	cr_assert_eq(flame_init(&f, w, &all), 0);
	cr_assert_eq(f.nodes.v[FLAME_ROOT].total, 60 * 100);
	cr_assert_eq(total_of(&f, "main;write"), 60 * 20, "below its caller");
	cr_assert_eq(total_of(&f, "main;read"), 60 * 80);
	cr_assert_eq(total_of(&f, "main;read;hot"), 60 * 60, "what is hot stays");
	cr_assert_gt(total_of(&f, "main;write;(other)"), 0);
	flame_done(&f);
	window_free(w);
	cr_assert(is_whole(path_));
}

static void names_are_there(void)
{
	cr_assert_eq(query(path_, "SELECT count(*) FROM profile WHERE stack NOT IN (SELECT id FROM stack)"), 0);
	cr_assert_eq(query(path_, "SELECT count(*) FROM stack WHERE frame NOT IN (SELECT id FROM frame)"), 0);
	cr_assert_eq(query(path_, "SELECT count(*) FROM stack WHERE parent <> 0 AND parent NOT IN (SELECT id FROM stack)"), 0);
	cr_assert_eq(query(path_, "SELECT count(*) FROM stack WHERE parent >= id"), 0);
}

Test(profile, frames_go_with_the_last_stack_that_has_them)
{
	struct store *s = writer(path_, (struct store_limits){.keep_ns = 60 * NS_PER_S, .raw_ns = 20 * NS_PER_S});

	for (int64_t i = 0; i < 700; i++)
		put_scattered(s, i, true);
	store_close(s);
	names_are_there();
	/* 28,000 different stacks were seen; a pass of the sweep takes as many puts as there are ticks and tables */
	cr_assert_leq(query(path_, "SELECT count(*) FROM stack"), 9000, "%g", query(path_, "SELECT count(*) FROM stack"));
	cr_assert_leq(query(path_, "SELECT count(*) FROM frame"), 5000, "%g", query(path_, "SELECT count(*) FROM frame"));
	cr_assert_eq(query(path_, "SELECT count(*) FROM stack s JOIN frame f ON f.id = s.frame WHERE s.id = 1 AND f.id = 1 AND "
				  "name = '(other)'"), 1);
}

Test(profile, size_holds)
{
	int64_t max = 3 << 20;
	struct store *s = writer(path_, (struct store_limits){.max_bytes = max, .raw_ns = 60 * NS_PER_S});

	for (int64_t i = 0; i < 900; i++) {
		put_scattered(s, i, true);
		if (i % 20 == 0)
			cr_assert_leq(store_span(s, &(struct store_span){0}, &(struct store_error){0}), 0);
	}
	store_close(s);
	names_are_there();
	struct stat st;

	cr_assert_eq(stat(path_, &st), 0);
	cr_assert_leq(st.st_size, max);
	cr_assert_eq(query(path_, "SELECT max(t_ns) / 1000000000 FROM tick"), 1700000899);
}

Test(profile, a_snapshot_says_no_secret)
{
	struct store *s = writer(path_, (struct store_limits){0});
	struct store_error err = {0};
	struct tick *t = tick_make(0);

	add_stack(t, 1, 5, "main;_ZN3app12check_tokenEv;LazyCompile:*f /srv/x.js?token=hunter2:3");
	cr_assert_eq(store_put_tick(s, t, &err), 0, "%s", err.text);
	tick_free(t);
	cr_assert_eq(store_snapshot(s, in_dir("snap.db"), 0, INT64_MAX, &err), 0, "%s", err.text);
	store_close(s);
	cr_assert_eq(query(in_dir("snap.db"), "SELECT count(*) FROM frame WHERE name LIKE '%hunter2%'"), 0);
	cr_assert_eq(query(in_dir("snap.db"), "SELECT count(*) FROM frame WHERE name = '_ZN3app12check_tokenEv'"), 1,
		     "the name of a function is none");
	cr_assert_eq(query(in_dir("snap.db"), "SELECT sum(samples) FROM profile"), 28);
}

Test(profile, a_stack_without_an_end_is_refused)
{
	struct store_error err = {0};
	struct window *w = window_new();
	struct store *s;

	record(path_, 1);
	query(path_, "UPDATE stack SET parent = id WHERE parent = 0 AND id > 1");
	s = reader(path_);
	cr_assert_eq(store_load(s, 0, INT64_MAX, LOAD_ALL, w, &err), -ENODATA);
	cr_assert(strstr(err.text, "is corrupt"), "%s", err.text);
	store_close(s);
	window_free(w);
}

Test(profile, names_are_demangled)
{
	char buf[DEMANGLED_MAX];
	const char *cxx = demangle(buf, sizeof(buf), "_ZN3app4Shop4saveERKSs");

	if (*cxx == '_')
		cr_skip_test("built without a demangler");
	cr_assert_str_eq(cxx, "app::Shop::save");
	cr_assert_str_eq(demangle(buf, sizeof(buf), "do_exit_[k]"), "do_exit_[k]");
	cr_assert_str_eq(demangle(buf, sizeof(buf), "_Z"), "_Z");
}

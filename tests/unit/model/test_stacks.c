/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples of the CPUs: whose they are, and how many different ones a tick may have. */
#include "world.h"

static uint64_t samples_of(const struct tick *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->stacks.n; i++)
		n += t->stacks.v[i].samples;
	return n;
}

static uint64_t samples_below(const struct tick *t, const char *prefix)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->stacks.n; i++)
		if (!strncmp(t->stacks.v[i].frames, prefix, strlen(prefix)))
			n += t->stacks.v[i].samples;
	return n;
}

Test(stacks, belong_to_the_service_of_their_process)
{
	struct world w;
	struct tick *t;

	world_init(&w, 0, 0);
	process(&w, 100, 1, "shop.py", "");
	model_stack(w.m, 100, "main;serve", 5);
	model_stack(w.m, 100, "main;serve", 2);
	model_stack(w.m, 4711, "main", 1);
	t = tick(&w);
	cr_assert_eq(t->stacks.n, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct tick_stack *k = &t->stacks.v[i];

		cr_assert_eq(k->service == ID_NONE, k->pid == 4711, "nobody knows %u", k->pid);
		cr_assert_eq(k->samples, k->pid == 100 ? 7 : 1);
	}
	tick_free(t);
	t = tick(&w);
	cr_assert_eq(t->stacks.n, 0, "of the interval before");
	tick_free(t);
	model_free(w.m);
}

Test(stacks, the_rarest_are_added_up_below_their_caller)
{
	struct world w;
	struct tick *t;
	char frames[64];

	world_init(&w, 0, 0);
	process(&w, 100, 1, "shop.py", "");
	for (int i = 0; i < 500; i++) {
		snprintf(frames, sizeof(frames), "main;%s;f%d;g%d", i % 4 ? "often" : "seldom", i, i);
		model_stack(w.m, 100, frames, 1);
	}
	model_stack(w.m, 100, "main;often;hot", 300);
	t = tick(&w);
	cr_assert_leq(t->stacks.n, 48);
	cr_assert_eq(samples_of(t), 800, "none is lost");
	cr_assert_eq(samples_below(t, "main;often"), 675);
	cr_assert_eq(samples_below(t, "main;seldom"), 125);
	cr_assert_eq(samples_below(t, "main;often;hot"), 300);
	tick_free(t);
	model_free(w.m);
}

Test(stacks, past_the_limit_they_are_counted)
{
	struct world w;
	struct tick *t;
	char frames[64];

	world_init(&w, 0, 0);
	process(&w, 100, 1, "shop.py", "");
	for (int i = 0; i < 20000; i++) {
		snprintf(frames, sizeof(frames), "main;f%d", i);
		model_stack(w.m, 100, frames, 2);
	}
	t = tick(&w);
	cr_assert_eq(samples_of(t) + loss_of(t, "stacks_full"), 40000);
	cr_assert_gt(loss_of(t, "stacks_full"), 0);
	tick_free(t);
	model_free(w.m);
}

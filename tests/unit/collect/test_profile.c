/* SPDX-License-Identifier: BSD-2-Clause */
/* Equal stacks are added up until they are taken. */
#include <criterion/criterion.h>
#include <string.h>

#include "collect/profile.h"

struct sample { struct ev_stack e; uint64_t ip; };

/* A kernel thread at an address that is no function's. */
static void feed(struct profile *p, uint32_t pid, unsigned n)
{
	struct sample s = {.e = {.h = {.type = EV_STACK, .size = sizeof(s)}, .tgid = pid, .tid = pid, .kernel = 1},
			   .ip = 16};

	while (n-- > 0)
		profile_sample(p, &s.e);
}

struct got { unsigned rows; uint64_t samples, of_pid; };

static void take(void *arg, const struct profile_row *row)
{
	struct got *g = arg;

	g->rows++;
	g->samples += row->samples;
	if (row->pid != 7)
		return;
	g->of_pid += row->samples;
	cr_assert_str_eq(row->stack, "[unknown]_[k]");
}

Test(profile, equal_stacks_of_a_process_are_one_row)
{
	struct profile *p = profile_new("/proc");
	struct profile_counters c;
	struct got g = {0};

	feed(p, 7, 30);
	feed(p, 8, 5);
	feed(p, 7, 1);
	cr_assert_eq(profile_take(p, take, &g), 2);
	cr_assert_eq(g.rows, 2);
	cr_assert_eq(g.of_pid, 31);
	cr_assert_eq(g.samples, 36);
	cr_assert_eq(profile_take(p, take, &g), 0, "taken");
	feed(p, 7, 2);
	cr_assert_eq(profile_take(p, take, &g), 1);
	cr_assert_eq(g.of_pid, 33);
	profile_counters(p, &c);
	cr_assert_eq(c.samples, 38);
	cr_assert_eq(c.no_room, 0);
	profile_close(p);
}

Test(profile, too_many_different_ones_are_added_up)
{
	struct profile *p = profile_new("/proc");
	struct profile_counters c;
	struct got g = {0};

	for (uint32_t pid = 100; pid < 9100; pid++)
		feed(p, pid, 1);
	profile_take(p, take, &g);
	profile_counters(p, &c);
	cr_assert_eq(g.samples, 9000, "none is lost");
	cr_assert_gt(c.no_room, 0);
	profile_close(p);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The governor over made-up loads: a model of what each level costs stands in for the machine. */
#include "collect/governor.h"

#include <criterion/criterion.h>
#include <math.h>

#include "collect/probe.h"

#define BUDGET 0.10

/* What a load costs at a level: a part that nothing but detaching ends, and one that goes with the bytes that are read. */
static double cost(unsigned level, double fixed, double traffic)
{
	const struct governor_level *l = &governor_table[level];

	if (l->off & PROBE_PACKETS)
		return fixed / 4;
	return fixed + traffic * (l->small_heads ? 0.9 : 1) / (1 << l->shift);
}

struct run { unsigned changes, lowest, highest; double worst_mean; };

static struct run run(struct governor *g, int seconds, double fixed, double traffic)
{
	struct run r = {.lowest = g->level, .highest = g->level};

	for (int i = 0; i < seconds; i++) {
		r.changes += governor_read(g, 1, cost(g->level, fixed, traffic));
		r.lowest = g->level < r.lowest ? g->level : r.lowest;
		r.highest = g->level > r.highest ? g->level : r.highest;
		r.worst_mean = fmax(r.worst_mean, governor_mean(g));
	}
	return r;
}

Test(governor, table_goes_from_everything_to_little)
{
	cr_assert_eq(governor_table[0].shift, 0);
	cr_assert_eq(governor_table[0].off, 0);
	cr_assert_not(governor_table[0].small_heads);
	for (size_t i = 1; i < governor_table_n; i++) {
		cr_expect(governor_table[i].shift >= governor_table[i - 1].shift);
		cr_expect_eq(governor_table[i].off & governor_table[i - 1].off, governor_table[i - 1].off);
		cr_expect(governor_table[i].small_heads >= governor_table[i - 1].small_heads);
	}
}

Test(governor, stays_where_load_is_small)
{
	struct governor g;

	governor_init(&g, BUDGET);
	cr_assert_eq(run(&g, 600, 0.02, 0.07).changes, 0);
	cr_assert_float_eq(governor_mean(&g), 0.09, 1e-9);
}

Test(governor, off_never_steps)
{
	struct governor g;

	governor_init(&g, NAN);
	cr_assert_eq(run(&g, 100, 0.5, 0.5).changes, 0);
	cr_assert_eq(g.level, 0);
	cr_assert_float_eq(governor_mean(&g), 1.0, 1e-9);
}

Test(governor, short_burst_is_let_pass)
{
	struct governor g;

	governor_init(&g, BUDGET);
	run(&g, 60, 0.005, 0.005);
	cr_assert_eq(run(&g, 3, 0.01, 0.12).changes, 0);
	cr_assert_eq(run(&g, 60, 0.005, 0.005).changes, 0);
}

/* Whatever the load, ten seconds later the mean is below the budget, and stays. */
Test(governor, keeps_below_the_budget)
{
	for (double traffic = 0.1; traffic < 3.2; traffic *= 1.3) {
		struct governor g;
		struct run r;

		governor_init(&g, BUDGET);
		run(&g, 30, 0.01, 0.01);
		r = run(&g, 10, 0.01, traffic);
		/* the seconds that it takes to notice */
		cr_expect_leq(r.worst_mean, fmax(1.4 * BUDGET, 0.4 * traffic + 0.05), "traffic %g: %g", traffic, r.worst_mean);
		run(&g, 12, 0.01, traffic);
		r = run(&g, 600, 0.01, traffic);
		cr_expect_leq(r.worst_mean, BUDGET * 1.1, "traffic %g: mean %g later on", traffic, r.worst_mean);
	}
}

Test(governor, large_excess_takes_several_steps_at_once)
{
	struct governor g;

	governor_init(&g, BUDGET);
	run(&g, 2, 0, 1.0);
	cr_assert_geq(g.level, 4, "ten times the budget: level %u", g.level);
}

Test(governor, returns_when_load_ends)
{
	struct governor g;
	struct run r;

	governor_init(&g, BUDGET);
	r = run(&g, 60, 0.01, 0.5);
	cr_assert_geq(r.highest, 3);
	run(&g, 300, 0.01, 0.01);
	cr_assert_eq(g.level, 0);
}

/* A load that fits at one level and not at the one above: the tries get rarer. */
Test(governor, does_not_swing_at_the_border)
{
	struct governor g;

	governor_init(&g, BUDGET);
	run(&g, 60, 0.0, 0.5);
	cr_assert_leq(run(&g, 1200, 0.0, 0.5).changes, 40);
	/* below half of the budget at this level, above all of it one level higher: only a reading tells */
	for (int i = 0; i < 1200; i++)
		governor_read(&g, 1, g.level >= 4 ? 0.04 : 0.2);
	unsigned changes = 0;

	for (int i = 0; i < 1600; i++)
		changes += governor_read(&g, 1, g.level >= 4 ? 0.04 : 0.2);
	cr_assert_leq(changes, 24, "%u changes in 1600 s", changes);
}

Test(governor, even_what_no_level_mends_ends_at_the_last)
{
	struct governor g;

	governor_init(&g, BUDGET);
	for (int i = 0; i < 100; i++)
		governor_read(&g, 1, 5.0);
	cr_assert_eq(g.level, governor_table_n - 1);
	cr_assert(governor_table[g.level].off & PROBE_PACKETS);
}

Test(governor, readings_that_say_nothing_change_nothing)
{
	struct governor g;

	governor_init(&g, BUDGET);
	cr_assert_not(governor_read(&g, 0, 1));
	cr_assert_not(governor_read(&g, -1, 1));
	cr_assert_not(governor_read(&g, 1, NAN));
	cr_assert_not(governor_read(&g, NAN, 1));
	cr_assert_eq(g.n, 0);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/map_plan.h"

#include <criterion/criterion.h>

Test(map_plan, shares_leave_room_for_the_fixed_maps)
{
	unsigned sum = 0;

	for (size_t i = 0; i < map_plan_n; i++)
		sum += map_plan[i].share;
	cr_expect_leq(sum, 950, "%u thousandths", sum);
}

Test(map_plan, ring_is_a_power_of_two_below_its_share)
{
	const struct map_row *ring = map_plan_row("ring");

	cr_assert_not_null(ring);
	cr_expect_eq(map_plan_entries(ring, 48u << 20, 1), 32u << 20);
	cr_expect_eq(map_plan_entries(ring, 24u << 20, 1), 16u << 20);
	for (uint64_t budget = MAP_BUDGET_MIN; budget < 4ull << 30; budget += budget / 7) {
		uint32_t n = map_plan_entries(ring, budget, 1);

		cr_expect_eq(n & (n - 1), 0, "%u", n);
		cr_expect_geq(n, 4096, "pages");
		cr_expect_leq(n, budget);
	}
}

/* Whatever the budget, all maps with a row stay within their shares together. */
Test(map_plan, never_above_the_budget)
{
	for (uint64_t budget = MAP_BUDGET_MIN; budget < 1ull << 36; budget *= 3) {
		uint64_t sum = 0;

		for (size_t i = 0; i < map_plan_n; i++)
			sum += map_plan_entries(&map_plan[i], budget, 100) * 100ull;
		cr_expect_leq(sum, budget);
	}
}

Test(map_plan, most_and_least)
{
	static const struct map_row row = {"x", 500, 1000, false};

	cr_expect_eq(map_plan_entries(&row, 1u << 30, 8), 1000);
	cr_expect_eq(map_plan_entries(&row, 1000, 1u << 20), 1);
	cr_expect_null(map_plan_row("no such map"));
}

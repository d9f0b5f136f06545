/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a witness is believed, by how often it was right. */
#include "model/trace_trust.h"

#include <criterion/criterion.h>

static struct record record(unsigned right, unsigned wrong)
{
	struct record r = {0};

	while (right--)
		trust_add(&r, 1);
	while (wrong--)
		trust_add(&r, 0);
	return r;
}

Test(trace_trust, nothing_known_is_not_enough)
{
	struct record none = {0}, few = record(TRUST_SAMPLES_MIN - 1, 0), enough = record(TRUST_SAMPLES_MIN, 0);

	cr_assert_not(trust_is_enough(&none));
	cr_assert_not(trust_is_borne_out(&none, false));
	cr_assert_not(trust_is_credible_chosen(&none));
	cr_assert_not(trust_is_borne_out(&few, false));
	cr_assert_not(trust_is_credible_chosen(&few));
	cr_assert(trust_is_borne_out(&enough, false));
	cr_assert_not(trust_is_borne_out(&enough, true));
	cr_assert(trust_is_credible_chosen(&enough));
}

Test(trace_trust, chance_is_doubted)
{
	struct record chance = record(75, 25), good = record(99, 1);

	cr_assert(trust_is_credible(&chance, false), "of many that might be named");
	cr_assert_not(trust_is_credible_chosen(&chance), "of the few in a run");
	cr_assert_not(trust_is_borne_out(&chance, false));
	cr_assert(trust_is_credible_chosen(&good));
	cr_assert(trust_is_borne_out(&good, false));
	cr_assert(trust_is_borne_out(&good, true));
}

Test(trace_trust, two_poor_ones_agree_by_chance)
{
	struct record none = {0}, poor = record(70, 30), good = record(99, 1);

	cr_assert(trust_is_agreement(&none, &none));
	cr_assert(trust_is_agreement(&good, &poor));
	cr_assert_not(trust_is_agreement(&poor, &poor));
}

Test(trace_trust, order_needs_more)
{
	struct record early = record(6, 0);

	cr_assert(trust_is_credible(&early, false));
	cr_assert_not(trust_is_credible(&early, true));
}

/* Who disagrees with one that is always right is wrong. */
Test(trace_trust, disagreement_is_shared_by_what_is_known)
{
	struct record sure = record(500, 0), doubtful = record(50, 50), before = doubtful;

	for (int i = 0; i < 50; i++)
		trust_learn(&sure, &doubtful, false);
	cr_assert_gt(trust_of(&sure), 0.95f);
	cr_assert_lt(trust_of(&doubtful), trust_of(&before));
}

Test(trace_trust, forgets_by_halves)
{
	struct record r = record(10000, 0);

	cr_assert_lt(r.right, 4000);
	for (int i = 0; i < 4000; i++)
		trust_add(&r, 0);
	cr_assert_not(trust_is_enough(&r));
	cr_assert_lt(trust_of(&r), 0.5f);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "cli/nearest.h"

Test(nearest, distance)
{
	cr_expect_eq(edit_distance("since", "since"), 0);
	cr_expect_eq(edit_distance("sicne", "since"), 1, "neighbours swapped are one edit");
	cr_expect_eq(edit_distance("sinc", "since"), 1);
	cr_expect_eq(edit_distance("xsince", "since"), 1);
	cr_expect_eq(edit_distance("", "since"), 5);
	cr_expect_eq(edit_distance("until", "since"), 5);
}

Test(nearest, distance_of_long_words_is_bounded)
{
	char longer[200];

	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	cr_expect_eq(edit_distance(longer, "since"), SIZE_MAX);
}

Test(nearest, offers_only_what_is_near)
{
	struct nearest n;

	nearest_init(&n, "serivce");
	nearest_offer(&n, "since");
	nearest_offer(&n, "service");
	nearest_offer(&n, "version");
	cr_assert_str_eq(n.best, "service");

	nearest_init(&n, "frobnicate");
	nearest_offer(&n, "service");
	cr_expect_null(n.best, "%s is no typing mistake of frobnicate", n.best);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>

#include "model/outcome.h"

Test(outcome, plain_success_is_not_told)
{
	cr_assert_not(outcome_is_told(&(struct request){.status = 200}));
	cr_assert_not(outcome_is_told(&(struct request){.detail = ""}));
	cr_assert(outcome_is_told(&(struct request){.status = 302}));
	cr_assert(outcome_is_told(&(struct request){.detail = "MOVED"}));
	cr_assert(outcome_is_told(&(struct request){.error = REQ_ABORTED}));
}

/* Names that a server invents cannot take more than their share, and nothing is lost of the sum. */
Test(outcome, kinds_are_bounded_and_their_sum_is_exact)
{
	struct outcomes o = {0};
	uint64_t errors = 0, ok = 0;

	for (int i = 0; i < 1000; i++) {
		char name[64];
		struct request r = {.error = i % 2 ? REQ_SERVER_ERROR : REQ_OK, .detail = name};

		snprintf(name, sizeof(name), "E%d and a text that does not fit its place", i);
		cr_assert_eq(outcome_add(&o, &r, 3), 0);
	}
	cr_assert_leq(o.v.n, OUTCOMES_MAX);
	for (size_t i = 0; i < o.v.n; i++)
		*(o.v.v[i].error == REQ_OK ? &ok : &errors) += o.v.v[i].count;
	cr_assert_eq(errors, 1500);
	cr_assert_eq(ok, 1500);
	outcomes_done(&o);
}

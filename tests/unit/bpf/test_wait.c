/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/wait.h"

#include <criterion/criterion.h>
#include <stdint.h>

enum { TID = 4711, BORN = 1000 };

Test(wait, states)
{
	cr_expect(wait_state(0x2), "TASK_UNINTERRUPTIBLE");
	cr_expect(wait_state(0x2 | 0x100), "TASK_KILLABLE");
	cr_expect(!wait_state(0x0));
	cr_expect(!wait_state(0x1), "TASK_INTERRUPTIBLE");
	cr_expect(!wait_state(0x402), "TASK_IDLE");
	cr_expect(!wait_state(0x4) && !wait_state(0x8), "stopped, traced");
}

Test(wait, adds_up)
{
	struct wait_slot s = {0};

	cr_expect_eq(wait_begin(&s, TID, BORN, 100), 0);
	wait_end(&s, TID, 130);
	cr_expect_eq(wait_begin(&s, TID, BORN, 200), 0);
	wait_end(&s, TID, 205);
	cr_expect_eq(wait_total(&s, TID, BORN, 1000), 35);
	wait_end(&s, TID, 900);
	cr_expect_eq(wait_total(&s, TID, BORN, 1000), 35, "awake already");
}

Test(wait, counts_a_sleep_that_lasts)
{
	struct wait_slot s = {0};

	wait_begin(&s, TID, BORN, 100);
	cr_expect_eq(wait_total(&s, TID, BORN, 150), 50);
	cr_expect_eq(wait_total(&s, TID, BORN, 90), 0, "a clock read before the sleep began");
}

Test(wait, of_clocks_that_differ)
{
	struct wait_slot s = {0};

	wait_begin(&s, TID, BORN, 100);
	wait_end(&s, TID, 99);
	cr_expect_eq(wait_total(&s, TID, BORN, 1000), 0);
}

Test(wait, belongs_to_one_thread)
{
	struct wait_slot s = {0};
	const uint32_t other = TID + WAIT_SLOTS;

	cr_expect_eq(WAIT_SLOT(TID), WAIT_SLOT(other));
	wait_begin(&s, TID, BORN, 100);
	wait_end(&s, other, 150);
	cr_expect_eq(wait_total(&s, TID, BORN, 160), 60, "not ended by another");
	cr_expect_eq(wait_total(&s, other, BORN, 160), 0);
	cr_expect_eq(wait_begin(&s, other, BORN, 200), 1, "a loss to be counted");
	cr_expect_eq(wait_total(&s, TID, BORN, 300), 0);
	cr_expect_eq(wait_total(&s, other, BORN, 300), 100);
}

/* The same number again is another thread, whose predecessor is gone: nothing is lost. */
Test(wait, starts_anew_with_a_new_thread)
{
	struct wait_slot s = {0};

	wait_begin(&s, TID, BORN, 100);
	wait_end(&s, TID, 200);
	cr_expect_eq(wait_begin(&s, TID, BORN + 1, 300), 0);
	cr_expect_eq(wait_total(&s, TID, BORN + 1, 310), 10);
	cr_expect_eq(wait_total(&s, TID, BORN, 310), 0);
}

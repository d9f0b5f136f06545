/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/middle.h"

#include <criterion/criterion.h>
#include <stdint.h>

Test(middle, needs_both_roles)
{
	struct middle_slot s = {0};

	middle_note(&s, 7, ROLE_SERVER);
	cr_assert(!middle_is(&s, 7));
	middle_note(&s, 7, ROLE_SERVER);
	cr_assert(!middle_is(&s, 7));
	middle_note(&s, 7, ROLE_CLIENT);
	cr_assert(middle_is(&s, 7));
	cr_assert(!middle_is(&s, 8));
	middle_note(&s, 7, ROLE_CLIENT);
	cr_assert(middle_is(&s, 7), "and stays so");
}

/* A socket that was there before us may be of either role. */
Test(middle, unknown_role_is_either)
{
	struct middle_slot s = {0};

	middle_note(&s, 7, ROLE_UNKNOWN);
	cr_assert(middle_is(&s, 7));
}

/* Roles of two processes never come together to make one in the middle. */
Test(middle, slot_is_one_processes)
{
	struct middle_slot s = {0};
	uint32_t other = 7 + MIDDLE_SLOTS;

	cr_assert_eq(MIDDLE_SLOT(7), MIDDLE_SLOT(other));
	middle_note(&s, 7, ROLE_SERVER);
	middle_note(&s, other, ROLE_CLIENT);
	cr_assert(!middle_is(&s, 7));
	cr_assert(!middle_is(&s, other));
	middle_note(&s, 7, ROLE_SERVER);
	cr_assert(!middle_is(&s, 7), "its other role is forgotten");
}

Test(middle, nobody_is_in_an_empty_slot)
{
	struct middle_slot s = {0};

	cr_assert(!middle_is(&s, 0));
}

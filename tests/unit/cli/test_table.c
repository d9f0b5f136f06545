/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <math.h>

#include "cli/table.h"

static void expect_ms(double ms, const char *want)
{
	char buf[32];

	cr_expect_str_eq(ms_format(buf, sizeof(buf), ms), want, "%g ms reads '%s', not '%s'", ms, buf, want);
}

Test(table, durations)
{
	expect_ms(NAN, "-");
	expect_ms(0.85, "850 us");
	expect_ms(4.06, "4.1 ms");
	expect_ms(41, "41 ms");
	expect_ms(2300, "2.3 s");
	expect_ms(270000, "4m30s");
}

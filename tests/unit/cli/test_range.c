/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/clock.h"
#include "cli/range.h"

#define S(n) ((int64_t)(n)*NS_PER_S)

static struct options o;
static struct range r;
static const char *why;

static int resolve(int64_t since, int64_t until, int64_t last)
{
	options_init(&o, S(5000));
	o.since_ns = since;
	o.until_ns = until;
	o.last_ns = last;
	return range_resolve(&o, S(1000), S(2000), &r, &why);
}

Test(range, all_by_default)
{
	cr_assert_eq(resolve(TIME_UNSET, TIME_UNSET, 0), 0);
	cr_expect_eq(r.since_ns, S(1000));
	cr_expect_eq(r.until_ns, S(2000));
	cr_expect(!r.explicit_ && !r.cut_before && !r.cut_after);
}

Test(range, last_counts_from_the_end_of_the_recording)
{
	cr_assert_eq(resolve(TIME_UNSET, TIME_UNSET, S(300)), 0);
	cr_expect_eq(r.since_ns, S(1700));
	cr_expect_eq(r.until_ns, S(2000));
}

Test(range, last_counts_from_until)
{
	cr_assert_eq(resolve(TIME_UNSET, S(1500), S(300)), 0);
	cr_expect_eq(r.since_ns, S(1200));
	cr_expect_eq(r.until_ns, S(1500));
}

Test(range, more_than_there_is)
{
	cr_assert_eq(resolve(S(500), S(2500), 0), 0);
	cr_expect_eq(r.since_ns, S(1000));
	cr_expect_eq(r.until_ns, S(2000));
	cr_expect(r.cut_before);
	cr_expect(r.cut_after);
}

Test(range, outside_is_empty)
{
	cr_assert_eq(resolve(S(3000), S(4000), 0), 0);
	cr_expect_eq(r.since_ns, r.until_ns);
	cr_assert_eq(resolve(S(100), S(200), 0), 0);
	cr_expect_geq(r.since_ns, r.until_ns);
}

Test(range, contradictions)
{
	cr_expect_eq(resolve(S(1500), TIME_UNSET, S(10)), -EINVAL);
	cr_expect_eq(resolve(S(1500), S(1400), 0), -EINVAL);
}

Test(range, nothing_recorded)
{
	options_init(&o, S(5000));
	cr_assert_eq(range_resolve(&o, 0, 0, &r, &why), 0);
	cr_expect_eq(r.since_ns, r.until_ns);
}

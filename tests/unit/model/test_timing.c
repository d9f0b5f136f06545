/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/timing.h"

#include <criterion/criterion.h>

#include "bpf/event.h"

#define UNIT (1u << PART_SHIFT)

/* Arrives from 1000 to 2000 ns, is read at 10000, is answered from 90000 to 100000. */
static struct request request(void)
{
	return (struct request){
		.begin_ns = 1000, .sent_ns = 2000, .first_ns = 90000, .end_ns = 100000,
		.waits = {.read_ns = 10000, .until_ns = 95000},
	};
}

static uint64_t unknown(const struct timing *t)
{
	uint64_t rest = t->total_ns;

	for (int i = 0; i < TIME_PARTS; i++)
		rest -= t->part_ns[i];
	return rest;
}

Test(timing, names_a_part_by_its_place)
{
	for (int i = 0; i < TIME_PARTS; i++)
		cr_expect(time_part_table[i].name && time_part_table[i].what);
	cr_expect_str_eq(time_part_table[TIME_SLEEP].name, "sleep");
}

Test(timing, makes_the_whole)
{
	struct timing t = {0};
	struct request r = request();

	r.waits.woken = 10;
	r.waits.wait[PART_RUNQ] = 20;
	r.waits.wait[PART_THROTTLED] = 30;
	r.waits.wait[PART_IO] = 40;
	r.waits.wait[PART_MEM] = 50;
	r.waits.wait[PART_FUTEX] = 60;
	r.waits.wait[PART_NET] = 70;
	r.waits.wait[PART_SLEEP] = 80;
	r.waits.wait[PART_OTHER] = 90;
	r.waits.wait[PART_POLL] = 100;
	cr_assert(timing_add(&t, &r));
	cr_expect_eq(t.count, 1);
	cr_expect_eq(t.total_ns, 99000);
	cr_expect_eq(t.part_ns[TIME_QUEUE], 8000 - 10 * UNIT, "without the run queue in it");
	cr_expect_eq(t.part_ns[TIME_RUNQ], 30 * UNIT);
	cr_expect_eq(t.part_ns[TIME_QUOTA], 30 * UNIT);
	cr_expect_eq(t.part_ns[TIME_IO], 40 * UNIT);
	cr_expect_eq(t.part_ns[TIME_MEM], 50 * UNIT);
	cr_expect_eq(t.part_ns[TIME_LOCK], 60 * UNIT);
	cr_expect_eq(t.part_ns[TIME_NET], 70 * UNIT);
	cr_expect_eq(t.part_ns[TIME_SLEEP], 80 * UNIT);
	cr_expect_eq(t.part_ns[TIME_POLL], 100 * UNIT);
	cr_expect_eq(t.part_ns[TIME_CPU], 85000 - 540 * UNIT);
	cr_expect_eq(unknown(&t), 1000 + 5000 + 90 * UNIT, "arriving, leaving, and waits that nothing names");
}

Test(timing, adds_up_over_requests)
{
	struct timing a = {0}, b = {0};
	struct request r = request();

	for (int i = 0; i < 3; i++) {
		r.waits.wait[PART_NET] = 100u * (unsigned)i;
		cr_assert(timing_add(&a, &r));
	}
	b = a;
	timing_merge(&a, &b);
	cr_expect_eq(a.count, 6);
	cr_expect_eq(a.total_ns, 6 * 99000);
	cr_expect_eq(a.part_ns[TIME_NET], 600 * UNIT);
	cr_expect_eq(unknown(&a), 6 * 6000);
}

Test(timing, takes_the_noise_of_clocks_from_the_largest)
{
	struct timing t = {0};
	struct request r = request();

	r.waits.wait[PART_IO] = 85000 / UNIT + 10;
	r.waits.wait[PART_NET] = 10;
	cr_assert(timing_add(&t, &r));
	cr_expect_eq(t.part_ns[TIME_CPU], 0);
	cr_expect_eq(t.part_ns[TIME_NET], 10 * UNIT);
	cr_expect_eq(t.part_ns[TIME_IO] + t.part_ns[TIME_NET], 85000);
	cr_expect_eq(unknown(&t), 6000);
}

static void expect_untimed(const struct request *r, const char *why)
{
	struct timing t = {0};

	cr_expect(!timing_add(&t, r), "%s", why);
	cr_expect_eq(t.count + t.total_ns + t.part_ns[TIME_CPU], 0, "%s", why);
}

Test(timing, is_not_claimed_where_it_cannot_be)
{
	struct request r = request();

	r.waits.until_ns = 0;
	expect_untimed(&r, "another thread answered");
	r = request();
	r.waits.wait[PART_IO] = 2000;
	expect_untimed(&r, "more waits than time");
	r = request();
	r.waits.wait[PART_SLEEP] = UINT32_MAX - 5;
	expect_untimed(&r, "the slot was another's in between, so the difference wrapped");
	r = request();
	r.sent_ns = 20000;
	expect_untimed(&r, "read before it had arrived");
	r = request();
	r.waits.until_ns = 100001;
	expect_untimed(&r, "written after its end");
	r = request();
	r.end_ns = r.waits.until_ns = 10000 + ((uint64_t)UINT32_MAX << PART_SHIFT);
	expect_untimed(&r, "so long that the numbers wrap");
}

Test(timing, a_wait_for_the_cpu_before_the_read_is_no_longer_than_the_queue)
{
	struct timing t = {0};
	struct request r = request();

	r.waits.woken = 1000;
	cr_assert(timing_add(&t, &r));
	cr_expect_eq(t.part_ns[TIME_QUEUE], 0);
	cr_expect_eq(t.part_ns[TIME_RUNQ], 8000);
}

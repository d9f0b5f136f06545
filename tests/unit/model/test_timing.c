/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/timing.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "bpf/event.h"

#define UNIT (1u << PART_SHIFT)

static const struct timing_ends both = {true, true}, callee_only = {false, true}, caller_only = {true, false};

/* Leaves from 1000 to 2000 ns, comes at 3000, is read at 10000, is answered from 90000 to 100000. */
static struct request request(void)
{
	return (struct request){
		.begin_ns = 1000, .sent_ns = 2000, .arrived_ns = 3000, .read_ns = 10000, .first_ns = 90000, .end_ns = 100000,
		.waits = {.read_ns = 10000, .until_ns = 95000},
	};
}

static uint64_t sum(const struct timing *t)
{
	uint64_t n = 0;

	for (int i = 0; i < TIME_PARTS; i++)
		n += t->part_ns[i];
	return n;
}

static void expect_whole(const struct timing *t, uint64_t whole)
{
	cr_expect_eq(t->total_ns, whole, "%lu", t->total_ns);
	cr_expect_leq(sum(t), whole, "%lu in parts", sum(t));
	cr_expect_eq(sum(t) + timing_unknown(t), whole);
}

Test(timing, names_a_part_by_its_place)
{
	for (int i = 0; i < TIME_PARTS; i++)
		cr_expect(time_part_table[i].name && time_part_table[i].what);
	cr_expect_str_eq(time_part_table[TIME_SLEEP].name, "sleep");
	cr_expect_str_eq(time_part_table[TIME_REMOTE].name, "remote");
}

Test(timing, makes_the_whole)
{
	struct request r = request();
	struct timing t;

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
	t = timing_of(&r, both);
	cr_expect_eq(t.count, 1);
	expect_whole(&t, 99000);
	cr_expect_eq(t.part_ns[TIME_THERE], 1000);
	cr_expect_eq(t.part_ns[TIME_QUEUE], 7000 - 10 * UNIT, "without the run queue in it");
	cr_expect_eq(t.part_ns[TIME_RUNQ], 30 * UNIT);
	cr_expect_eq(t.part_ns[TIME_QUOTA], 30 * UNIT);
	cr_expect_eq(t.part_ns[TIME_IO], 40 * UNIT);
	cr_expect_eq(t.part_ns[TIME_MEM], 50 * UNIT);
	cr_expect_eq(t.part_ns[TIME_LOCK], 60 * UNIT);
	cr_expect_eq(t.part_ns[TIME_NET], 70 * UNIT);
	cr_expect_eq(t.part_ns[TIME_SLEEP], 80 * UNIT);
	cr_expect_eq(t.part_ns[TIME_POLL], 100 * UNIT);
	cr_expect_eq(t.part_ns[TIME_CPU], 85000 - 540 * UNIT);
	cr_expect_eq(timing_unknown(&t), 1000 + 5000 + 90 * UNIT, "the bytes' coming and going, and what is in no part");
	timing_got(&t, r.end_ns, &(struct timing_got){.arrived_ns = 100700, .read_ns = 101000});
	expect_whole(&t, 100000);
	cr_expect_eq(t.part_ns[TIME_BACK], 700);
	cr_expect_eq(t.part_ns[TIME_CLIENT], 300);
}

Test(timing, adds_up)
{
	struct timing a = {0}, b;
	struct request r = request();

	r.waits.wait[PART_NET] = 100;
	b = timing_of(&r, both);
	for (int i = 0; i < 6; i++)
		timing_merge(&a, &b);
	cr_expect_eq(a.count, 6);
	cr_expect_eq(a.part_ns[TIME_NET], 600 * UNIT);
	expect_whole(&a, 6 * 99000);
}

Test(timing, a_caller_elsewhere_is_left_out)
{
	struct request r = request();
	struct timing t;

	r.arrived_ns = 0;       /* it was seen when it came */
	t = timing_of(&r, callee_only);
	cr_expect_eq(t.part_ns[TIME_THERE], 0);
	cr_expect_eq(t.part_ns[TIME_QUEUE], 8000);
	expect_whole(&t, 99000);
}

Test(timing, a_callee_elsewhere_is_one_part)
{
	struct request r = request();
	struct timing t = timing_of(&r, caller_only);

	cr_expect_eq(t.part_ns[TIME_REMOTE], 99000);
	timing_got(&t, r.end_ns, &(struct timing_got){.arrived_ns = 100000, .read_ns = 100500});
	cr_expect_eq(t.part_ns[TIME_CLIENT], 500);
	cr_expect_eq(timing_unknown(&t), 0);
	cr_expect_eq(timing_of(&r, (struct timing_ends){false, false}).count, 0);
}

Test(timing, says_what_is_known_of_a_request_that_others_answer)
{
	struct request r = request();
	struct timing t;

	r.waits = (struct flow_waits){0};
	t = timing_of(&r, both);
	cr_expect_eq(t.count, 1);
	cr_expect_eq(t.part_ns[TIME_THERE], 1000);
	cr_expect_eq(t.part_ns[TIME_QUEUE], 7000);
	cr_expect_eq(t.part_ns[TIME_CPU], 0);
	cr_expect_eq(timing_unknown(&t), 91000);
}

Test(timing, does_not_tell_the_way_from_the_queue_without_the_arrival)
{
	static const uint64_t arrived_ns[] = {0, 1999, 10001, UINT64_MAX};

	for (size_t i = 0; i < sizeof(arrived_ns) / sizeof(arrived_ns[0]); i++) {
		struct request r = request();
		struct timing t;

		r.arrived_ns = arrived_ns[i];
		r.waits.woken = 10;
		t = timing_of(&r, both);
		cr_expect_eq(t.part_ns[TIME_THERE] + t.part_ns[TIME_QUEUE], 0);
		cr_expect_eq(t.part_ns[TIME_RUNQ], 10 * UNIT);
		expect_whole(&t, 99000);
	}
}

/* The waits are a little longer than the time that they are in. */
Test(timing, noise_comes_off_the_largest)
{
	struct request r = request();
	struct timing t;

	r.waits.wait[PART_IO] = 85000 / UNIT;
	r.waits.wait[PART_NET] = 10;
	t = timing_of(&r, both);
	cr_expect_eq(t.part_ns[TIME_CPU], 0);
	cr_expect_eq(t.part_ns[TIME_NET], 10 * UNIT);
	cr_expect_eq(t.part_ns[TIME_IO] + t.part_ns[TIME_NET], 85000);
	expect_whole(&t, 99000);
}

static void expect_nothing_inside(struct request r, const char *why)
{
	struct timing t = timing_of(&r, both);

	for (int i = TIME_CPU; i <= TIME_SLEEP; i++)
		cr_expect_eq(t.part_ns[i], 0, "%s: %s", why, time_part_table[i].name);
	cr_expect_leq(sum(&t), t.total_ns, "%s", why);
}

Test(timing, refuses_what_cannot_be)
{
	struct request r = request();

	r.waits.until_ns = 0;
	expect_nothing_inside(r, "nobody told");
	r = request();
	r.waits.wait[PART_IO] = 100000 / UNIT;
	expect_nothing_inside(r, "waits of more than the time");
	r = request();
	r.waits.until_ns = 100001;
	expect_nothing_inside(r, "waits of after the end");
	r = request();
	r.waits.read_ns = 1999;
	expect_nothing_inside(r, "read before it was sent");
	r = request();
	r.waits.read_ns = 95001;
	expect_nothing_inside(r, "read after the answer");
	r = request();
	r.waits.read_ns = 2000;
	r.waits.until_ns = 2000 + ((uint64_t)UINT32_MAX << PART_SHIFT);
	r.end_ns = r.waits.until_ns + 1;
	expect_nothing_inside(r, "longer than the numbers count");
}

Test(timing, clocks_that_go_back)
{
	struct request r = request();

	r.end_ns = 999;
	cr_expect_eq(timing_of(&r, both).count, 0);
	r = request();
	r.sent_ns = 999;
	cr_expect_eq(timing_of(&r, both).count, 0);
	r = request();
	r.no_latency = true;
	cr_expect_eq(timing_of(&r, caller_only).count, 0);
}

Test(timing, a_caller_that_read_before_the_end_says_nothing)
{
	static const struct timing_got wrong[] = {{0, 0}, {99999, 99999}, {100001, 99999}}, half[] = {{0, 100500}, {100501, 100500}};
	struct request r = request();
	struct timing t;

	for (size_t i = 0; i < 3; i++) {
		t = timing_of(&r, both);
		timing_got(&t, r.end_ns, &wrong[i]);
		expect_whole(&t, 99000);
	}
	for (size_t i = 0; i < 2; i++) {
		t = timing_of(&r, both);
		timing_got(&t, r.end_ns, &half[i]);
		expect_whole(&t, 99500);
		cr_expect_eq(t.part_ns[TIME_BACK] + t.part_ns[TIME_CLIENT], 0, "that it took so long is known, not where");
	}
}

Test(timing, waking_is_no_more_than_the_queue)
{
	struct request r = request();
	struct timing t;

	r.waits.woken = 9000 / UNIT;
	t = timing_of(&r, both);
	cr_expect_eq(t.part_ns[TIME_QUEUE], 0);
	cr_expect_eq(t.part_ns[TIME_RUNQ], 7000);
	expect_whole(&t, 99000);
}

/* ---- calls ---- */

static struct timing waited(uint32_t net, uint32_t poll)
{
	struct request r = request();

	r.waits.wait[PART_NET] = net / UNIT;
	r.waits.wait[PART_POLL] = poll / UNIT;
	return timing_of(&r, both);
}

Test(timing, calls_take_the_place_of_the_wait_for_them)
{
	const struct timing_call call = {1, 20000, 52000};
	struct timing t = waited(32000, 6400);
	uint64_t down, cpu = t.part_ns[TIME_CPU];

	timing_calls(&t, 10000, 100000, &call, 1, &down);
	cr_expect_eq(down, 32000);
	cr_expect_eq(t.part_ns[TIME_DOWN], 32000);
	cr_expect_eq(t.part_ns[TIME_NET], 0);
	cr_expect_eq(t.part_ns[TIME_POLL], 6400, "of something else");
	cr_expect_eq(t.part_ns[TIME_CPU], cpu);
	expect_whole(&t, 99000);
}

Test(timing, calls_at_once_count_once_for_the_first)
{
	const struct timing_call calls[] = {{1, 20000, 40000}, {2, 30000, 35000}, {3, 30000, 60000}, {1, 70000, 71000}};
	struct timing t = waited(64000, 0);
	uint64_t down[4];

	timing_calls(&t, 10000, 100000, calls, 4, down);
	cr_expect_eq(down[0], 20000);
	cr_expect_eq(down[1], 0, "within the first");
	cr_expect_eq(down[2], 20000, "its rest");
	cr_expect_eq(down[3], 1000);
	cr_expect_eq(t.part_ns[TIME_DOWN], 41000);
	cr_expect_eq(t.part_ns[TIME_NET], 23000);
	expect_whole(&t, 99000);
}

/* An N+1 request whose thread hardly waited: each call's share is less than a nanosecond. */
Test(timing, what_rounding_leaves_goes_to_the_longest)
{
	struct timing_call calls[256];
	struct timing t = waited(192, 0);
	uint64_t down[256], sum = 0;

	for (size_t i = 0; i < 256; i++)
		calls[i] = (struct timing_call){1, 20000 + 100 * i, 20100 + 100 * i + (i == 255)};
	timing_calls(&t, 10000, 100000, calls, 256, down);
	for (size_t i = 0; i < 256; i++)
		sum += down[i];
	cr_expect_eq(t.part_ns[TIME_DOWN], 192);
	cr_expect_eq(sum, 192);
	cr_expect_eq(down[255], 192);
}

Test(timing, work_during_calls_stays_work)
{
	const struct timing_call calls[] = {{1, 20000, 40000}, {2, 40000, 60000}};
	struct timing t = waited(19200, 0);
	uint64_t down[2], cpu = t.part_ns[TIME_CPU];

	timing_calls(&t, 10000, 100000, calls, 2, down);
	cr_expect_eq(t.part_ns[TIME_DOWN], 19200);
	cr_expect_eq(down[0], 9600);
	cr_expect_eq(down[1], 9600);
	cr_expect_eq(t.part_ns[TIME_CPU], cpu);
	expect_whole(&t, 99000);
}

Test(timing, calls_of_a_request_that_others_answer_come_off_the_unknown)
{
	const struct timing_call call = {1, 5000, 200000};
	struct request r = request();
	struct timing t;
	uint64_t down;

	r.waits = (struct flow_waits){0};
	t = timing_of(&r, both);
	timing_calls(&t, r.read_ns, r.end_ns, &call, 1, &down);
	cr_expect_eq(down, 90000, "as far as it is within");
	cr_expect_eq(timing_unknown(&t), 1000);
	expect_whole(&t, 99000);
}

/* Whatever the calls are, the whole stays the whole. */
Test(timing, any_calls)
{
	srand(7);
	for (int round = 0; round < 2000; round++) {
		struct timing t = waited((uint32_t)rand() % 40000, (uint32_t)rand() % 40000);
		struct timing_call calls[8];
		uint64_t down[8], begin = 0, all = 0;
		size_t n = (size_t)rand() % 8;

		for (size_t i = 0; i < n; i++) {
			begin += (uint64_t)rand() % 20000;
			calls[i] = (struct timing_call){(uint32_t)i, begin, begin + (uint64_t)rand() % 50000 - (uint64_t)(rand() % 9 == 0)};
		}
		timing_calls(&t, 10000, 100000, calls, n, down);
		for (size_t i = 0; i < n; i++)
			all += down[i];
		cr_expect_eq(all, t.part_ns[TIME_DOWN]);
		expect_whole(&t, 99000);
	}
}

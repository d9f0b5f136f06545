/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/copy.h"

#include <criterion/criterion.h>
#include <stdint.h>

static const uint32_t lens[] = {0, 1, 63, 64, 1023, 1024, 1025, 1088, 1089, 4095, 4096, 4097, 4159, 4160, 4161, 32768,
                                65535, 65536, 130966, COPY_WHOLE_MAX, COPY_WHOLE_MAX + 1, 524280};
#define LENS (sizeof(lens) / sizeof(lens[0]))

/* Never more than there is, never twice the same byte, nothing left out of a small one. */
Test(copy, stays_within_the_segment)
{
	static const uint32_t wishes[] = {WISH_AUTO, WISH_HEADS, WISH_WHOLE};

	for (size_t i = 0; i < LENS; i++) {
		for (size_t k = 0; k < 3; k++) {
			struct copy_credit empty = {.since_ns = 1};
			struct copy_plan p = copy_plan(lens[i], wishes[k], 0, &empty, 1);

			cr_expect_leq(p.head + p.tail, lens[i]);
			cr_expect(p.tail == 0 || p.head + p.tail <= 65535);
			if (lens[i] <= COPY_HEAD_SMALL)
				cr_expect_eq(p.head, lens[i]);
		}
	}
}

Test(copy, boundaries)
{
	static const struct { uint32_t len, wish, head, tail; } cases[] = {
		{0, WISH_AUTO, 0, 0},           {1, WISH_AUTO, 1, 0},           {4096, WISH_AUTO, 4096, 0},
		{4097, WISH_AUTO, 4096, 1},     {4160, WISH_AUTO, 4096, 64},    {65535, WISH_AUTO, 4096, 64},
		{1024, WISH_HEADS, 1024, 0},    {1025, WISH_HEADS, 1024, 1},    {65535, WISH_HEADS, 1024, 64},
		{4097, WISH_WHOLE, 4097, 0},    {65535, WISH_WHOLE, 65535, 0},  {130966, WISH_WHOLE, 130966, 0},
		{COPY_WHOLE_MAX, WISH_WHOLE, COPY_WHOLE_MAX, 0},                {COPY_WHOLE_MAX + 1, WISH_WHOLE, 4096, 64},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct copy_credit none = {.since_ns = 1};
		struct copy_plan p = copy_plan(cases[i].len, cases[i].wish, 0, &none, 1);

		cr_expect_eq(p.head, cases[i].head, "%u of %u", p.head, cases[i].len);
		cr_expect_eq(p.tail, cases[i].tail, "%u of %u", p.tail, cases[i].len);
	}
}

Test(copy, credit_is_spent_and_refilled)
{
	struct copy_credit c = {.since_ns = 1};
	uint64_t now = 5 * COPY_REFILL_NS;
	int whole = 0, wakes = 0;

	for (int i = 0; i < 100; i++) {
		struct copy_plan p = copy_plan(10000, WISH_AUTO, 0, &c, now);

		whole += p.tail == 0;
		wakes += (int)p.wake;
	}
	cr_expect_eq(whole, COPY_CREDIT / 10000);
	cr_expect_eq(wakes, 0, "what is wished is known by now");
	cr_expect_eq(copy_plan(4096, WISH_AUTO, 0, &c, now).head, 4096, "small ones need none");
	cr_expect_neq(copy_plan(10000, WISH_AUTO, 0, &c, now + COPY_REFILL_NS - 1).tail, 0, "too early");
	cr_expect_eq(copy_plan(10000, WISH_AUTO, 0, &c, now + COPY_REFILL_NS).tail, 0);
	cr_expect_eq(c.left, COPY_CREDIT - 10000);
	cr_expect_eq(c.since_ns, now + COPY_REFILL_NS);
}

Test(copy, first_credit_wakes_the_reader_once)
{
	struct copy_credit c = {0};
	uint64_t now = 5 * COPY_REFILL_NS;
	uint32_t whole = 0, woke_at = 0, wakes = 0;

	for (int i = 0; i < 200; i++) {
		struct copy_plan p = copy_plan(10000, WISH_AUTO, 0, &c, now);

		whole += p.tail == 0;
		wakes += p.wake;
		woke_at = p.wake ? whole : woke_at;
	}
	cr_expect_eq(whole, COPY_FIRST / 10000);
	cr_expect_eq(wakes, 1);
	cr_expect_eq(woke_at, (COPY_FIRST - COPY_ASK) / 10000 + 1, "with the segment that used the quarter up");
}

Test(copy, wishes_and_small_segments_cost_no_credit)
{
	struct copy_credit c = {.since_ns = 1, .left = 50000};

	copy_plan(4096, WISH_AUTO, 0, &c, 2);
	copy_plan(60000, WISH_WHOLE, 0, &c, 2);
	copy_plan(60000, WISH_HEADS, 0, &c, 2);
	cr_expect_eq(c.left, 50000);
	copy_plan(60000, WISH_AUTO, 0, &c, 2);
	cr_expect_eq(c.left, 50000, "not enough: nothing is taken");
	copy_plan(50000, WISH_AUTO, 0, &c, 2);
	cr_expect_eq(c.left, 0);
}

/* Every plan fits a class, and the tail has its place behind the head in it. */
Test(copy, classes_hold_every_plan)
{
	static const uint32_t classes[] = {
#define CLASS(x) x,
		COPY_CLASSES(CLASS)
#undef CLASS
	};
	const size_t n = sizeof(classes) / sizeof(classes[0]);

	for (size_t i = 1; i < n; i++)
		cr_expect_lt(classes[i - 1], classes[i]);
	cr_expect_eq(classes[n - 1], 65535);
	for (size_t i = 0; i < n; i++)
		cr_expect_geq(classes[i], COPY_TAIL);
	cr_expect_leq(COPY_PIECE, classes[n - 1]);
	for (uint32_t len = 0; len < 70000; len++) {
		struct copy_credit none = {.since_ns = 1};
		struct copy_plan p = copy_plan(len, len & 1 ? WISH_AUTO : WISH_HEADS, 0, &none, 1);
		size_t k = 0;

		while (k < n && classes[k] < p.head + p.tail)
			k++;
		cr_assert_lt(k, n, "%u bytes", len);
		if (p.tail)
			cr_assert_leq(p.head, classes[k] - COPY_TAIL, "the tail of %u overlaps", len);
	}
}

Test(copy, wish_is_of_one_cookie)
{
	const uint64_t cookie = 0x123456789ull;

	for (uint64_t wish = WISH_AUTO; wish <= WISH_WHOLE; wish++)
		cr_expect_eq(wish_of(WISH_WORD(cookie, wish), cookie), wish);
	cr_expect_eq(WISH_SLOT(cookie, 1024u), WISH_SLOT(cookie + 1024, 1024u));
	cr_expect_eq(wish_of(WISH_WORD(cookie, (uint64_t)WISH_NONE), cookie + 1024), WISH_AUTO);
	cr_expect_eq(wish_of(0, cookie), WISH_AUTO);
}

/* Where the budget is short, heads are small and nothing is taken whole that was not wished for. */
Test(copy, short_budget_takes_small_heads)
{
	struct copy_credit c = {.since_ns = 1, .left = COPY_CREDIT};

	cr_expect_eq(copy_plan(1024, WISH_AUTO, 1, &c, 2).head, 1024);
	cr_expect_eq(copy_plan(4096, WISH_AUTO, 1, &c, 2).head, COPY_HEAD_SMALL);
	cr_expect_eq(copy_plan(60000, WISH_AUTO, 1, &c, 2).head, COPY_HEAD_SMALL);
	cr_expect_eq(copy_plan(60000, WISH_AUTO, 1, &c, 2).tail, COPY_TAIL);
	cr_expect_eq(copy_plan(60000, WISH_WHOLE, 1, &c, 2).head, 60000, "half a pipeline counts nothing");
	cr_expect_eq(c.left, COPY_CREDIT);
}

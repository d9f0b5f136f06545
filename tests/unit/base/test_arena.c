/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/vec.h"

Test(arena, memory_is_zeroed_and_aligned_after_a_reset_too)
{
	struct arena a;
	size_t i, round;

	arena_init(&a, 0);
	for (round = 0; round < 3; round++) {
		for (i = 1; i < 3000; i++) {
			unsigned char *p = arena_alloc(&a, i);

			cr_assert_not_null(p);
			cr_assert_eq((uintptr_t)p % _Alignof(max_align_t), 0);
			cr_assert(p[0] == 0 && p[i - 1] == 0);
			memset(p, 0xff, i);
		}
		arena_reset(&a);
		cr_assert_eq(a.used, 0);
	}
	arena_done(&a);
}

Test(arena, the_limit_is_kept_and_counted)
{
	struct arena a;

	arena_init(&a, 100000);
	cr_assert_not_null(arena_alloc(&a, 60000));
	cr_assert_not_null(arena_alloc(&a, 30000));
	cr_assert_null(arena_alloc(&a, 60000));
	cr_assert_null(arena_alloc(&a, SIZE_MAX - 3));
	cr_assert_eq(a.refused, 2);
	cr_assert_leq(a.held, 100000);
	arena_done(&a);
}

Test(arena, texts)
{
	struct arena a;

	arena_init(&a, 0);
	cr_assert_str_eq(arena_strdup(&a, "abc"), "abc");
	cr_assert_str_eq(arena_strndup(&a, "abc", 2), "ab");
	cr_assert_str_eq(arena_printf(&a, "%d-%s", 5, "x"), "5-x");
	arena_done(&a);
}

Test(vec, trim_keeps_what_is_there)
{
	VEC(int) v = {0};

	for (int i = 0; i < 9; i++)
		*(int *)vec_push(&v) = i;
	vec_trim(&v);
	cr_assert_eq(v.cap, 9);
	cr_assert_eq(v.v[8], 8);
	*(int *)vec_push(&v) = 9;
	cr_assert_eq(v.v[9], 9);
	vec_done(&v);
	vec_trim(&v);
	cr_assert_null(v.v);
}

Test(vec, grows_and_zeroes)
{
	VEC(int) v = {0};
	int i;

	for (i = 0; i < 1000; i++) {
		int *p = vec_push(&v);

		cr_assert_eq(*p, 0);
		*p = i;
	}
	for (i = 0; i < 1000; i++)
		cr_assert_eq(v.v[i], i);
	cr_assert_eq(v.n, 1000);
	vec_done(&v);
	cr_assert_null(v.v);
}

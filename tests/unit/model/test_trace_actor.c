/* SPDX-License-Identifier: BSD-2-Clause */
/* Who serves what: no process or thread is taken for another, however many there are. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "model/trace_actor.h"

#define READERS 20000u

static struct actors *actors(void)
{
	struct actors *x = calloc(1, sizeof(*x));

	cr_assert_not_null(x);
	return x;
}

Test(trace_actor, the_processes_of_a_node_are_told_apart)
{
	struct actors *x = actors();
	struct reader r[2][256] = {0};
	uint32_t act = 0;

	for (unsigned i = 0; i < 256; i++)              /* pids a table's size apart */
		for (unsigned k = 0; k < 2; k++)
			cr_assert(reader_begins(x, &r[k][i], 100 + i * 1024, 7000 + (i * 2 + k) * 8192, ++act));
	for (unsigned i = 0; i < 256; i++) {
		cr_assert_eq(actor_serves(x, 100 + i * 1024, act, 0).open, 2);
		cr_assert_eq(actor_serves(x, 100 + i * 1024, act, 0).only, 0);
		reader_ends(x, &r[0][i]);
		reader_ends(x, &r[0][i]);
		cr_assert_eq(actor_serves(x, 100 + i * 1024, act, 0).open, 1, "an end counts once");
		cr_assert_eq(actor_serves(x, 100 + i * 1024, act, 0).only, i * 2 + 2, "the other one is open");
	}
	cr_assert_eq(x->lost, 0);
	free(x);
}

Test(trace_actor, a_thread_that_serves_another_is_known)
{
	struct actors *x = actors();
	struct reader a = {0}, b = {0};

	cr_assert(reader_begins(x, &a, 1, 2, 1));
	cr_assert_not(reader_begins(x, &b, 1, 2, 2));
	reader_ends(x, &a);
	reader_ends(x, &b);
	cr_assert(reader_begins(x, &a, 1, 2, 3));
	*actor_last(x, 2, 3) = 3;
	cr_assert_eq(*actor_last(x, 2, 4), 3);
	cr_assert(actor_is_known(x, 1));
	cr_assert_not(actor_is_known(x, 2));
	free(x);
}

/* More than there are places: who had to go is counted, and its requests end without those of whom took the place. */
Test(trace_actor, too_many)
{
	struct reader *r = calloc(READERS, sizeof(*r));
	struct actors *x = actors();

	cr_assert_not_null(r);
	for (uint32_t i = 0; i < READERS; i++)
		reader_begins(x, &r[i], 1 + i / 2, 1 + i, i + 1);
	cr_assert_gt(x->lost, 0);
	for (uint32_t i = 0; i < READERS; i++)
		reader_ends(x, &r[i]);
	for (uint32_t i = 0; i < ACTORS; i++)
		cr_assert_eq(x->process[i].open, 0);
	for (uint32_t i = 0; i < THREADS; i++)
		cr_assert_eq(x->thread[i].open, 0);
	cr_assert_eq(actor_serves(x, 77, READERS, 0).open, 0);
	free(x);
	free(r);
}

Test(trace_actor, who_serves_nothing_goes_first)
{
	struct actors *x = actors();
	struct reader busy = {0}, r = {0};
	uint32_t act = 1;

	reader_begins(x, &busy, 5, 5, act);
	for (uint32_t pid = 6; pid < 20000; pid++) {
		reader_begins(x, &r, pid, pid, ++act);
		reader_ends(x, &r);
	}
	cr_assert_eq(actor_serves(x, 5, act, 0).open, 1);
	cr_assert_eq(actor_serves(x, 5, act, 0).only, 1);
	cr_assert_eq(x->lost, 0);
	free(x);
}

/* Whose client has gone away may be at work for it still: for a minute nothing is the only one. */
Test(trace_actor, who_is_left_is_in_the_way)
{
	struct actors *x = actors();
	struct reader a = {0}, b = {0};

	reader_begins(x, &a, 1, 2, 1);
	reader_is_left(x, &a, 1000);
	reader_is_left(x, &b, 1000);            /* serves nobody */
	reader_begins(x, &b, 1, 3, 2);
	cr_assert_eq(actor_serves(x, 1, 2, 2000).open, 1);
	cr_assert_eq(actor_serves(x, 1, 2, 2000).only, 0);
	cr_assert(actor_serves(x, 1, 2, 2000).crowded);
	cr_assert_eq(actor_serves(x, 1, 2, 61000000000ull).only, 2);
	free(x);
}

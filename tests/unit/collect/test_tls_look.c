/* SPDX-License-Identifier: BSD-2-Clause */
/* When a process is looked at for a TLS library. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "collect/tls_look.h"

static struct tls_look look;

static void begin(void)
{
	tls_look_init(&look);
}

static void end(void)
{
	tls_look_done(&look);
}

TestSuite(tls_look, .init = begin, .fini = end);

Test(tls_look, once_where_nothing_changes)
{
	struct proc_stat st = {.pid = 7, .start_ticks = 100, .start_stack = 5, .vsize_bytes = 1000};

	cr_assert_eq(tls_look_due(&look, &st, 0), TLS_DUE_NEW);
	cr_assert_eq(tls_look_due(&look, &st, 0), TLS_DUE_NEW, "asking changes nothing");
	tls_looked(&look, &st, 0);
	for (uint64_t s = 0; s < 100; s++)
		cr_assert_eq(tls_look_due(&look, &st, s * NS_PER_S), TLS_DUE_NOT);
}

Test(tls_look, exec_and_a_pid_that_is_used_again)
{
	struct proc_stat st = {.pid = 7, .start_ticks = 100, .start_stack = 5};

	tls_looked(&look, &st, 0);
	st.start_stack = 6;
	cr_assert_eq(tls_look_due(&look, &st, 1), TLS_DUE_NEW, "at once");
	tls_looked(&look, &st, 1);
	cr_assert_eq(tls_look_due(&look, &st, 2), TLS_DUE_NOT);
	st.start_ticks = 101;
	cr_assert_eq(tls_look_due(&look, &st, 2), TLS_DUE_NEW);
}

Test(tls_look, a_library_that_comes_late)
{
	struct proc_stat st = {.pid = 7, .start_ticks = 100, .vsize_bytes = 1000};

	tls_looked(&look, &st, 0);
	st.vsize_bytes += 5000;
	cr_assert_eq(tls_look_due(&look, &st, NS_PER_S), TLS_DUE_MORE);
	tls_looked(&look, &st, NS_PER_S);
	cr_assert_eq(tls_look_due(&look, &st, 2 * NS_PER_S), TLS_DUE_NOT);
}

Test(tls_look, one_that_maps_all_the_time)
{
	struct proc_stat st = {.pid = 7, .start_ticks = 100};
	unsigned looks = 0;

	for (uint64_t s = 0; s < 400; s++) {
		st.vsize_bytes++;
		if (tls_look_due(&look, &st, s * NS_PER_S) == TLS_DUE_NOT)
			continue;
		tls_looked(&look, &st, s * NS_PER_S);
		looks++;
	}
	cr_assert(looks >= 100 && looks < 110, "%u", looks);
}

Test(tls_look, as_many_as_come)
{
	for (uint32_t pid = 1; pid < 200000; pid++) {
		struct proc_stat st = {.pid = pid, .start_ticks = pid};

		cr_assert_eq(tls_look_due(&look, &st, 0), TLS_DUE_NEW);
		tls_looked(&look, &st, 0);
		cr_assert_eq(tls_look_due(&look, &st, 0), TLS_DUE_NOT);
	}
	cr_assert_leq(look.seen.n, 65536);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/turn.h"

static int policy(void)
{
	return sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
}

static void need_real_time(const struct turn *t)
{
	if (!t->real_time)
		cr_skip_test("no real-time priority here (CAP_SYS_NICE, or a cgroup without a share of it)");
}

Test(turn, all_is_given_back)
{
	int nice = getpriority(PRIO_PROCESS, 0);
	struct rlimit before, after;
	struct sigaction action;
	struct turn t;

	getrlimit(RLIMIT_RTTIME, &before);
	turn_ask(&t);
	turn_give_back(&t);
	getrlimit(RLIMIT_RTTIME, &after);
	sigaction(SIGXCPU, NULL, &action);
	cr_assert_eq(policy(), SCHED_OTHER);
	cr_assert_eq(getpriority(PRIO_PROCESS, 0), nice);
	cr_assert_eq(after.rlim_cur, before.rlim_cur);
	cr_assert_eq(action.sa_handler, SIG_DFL);
}

Test(turn, children_do_not_inherit_it)
{
	struct turn t;
	pid_t child;
	int status;

	turn_ask(&t);
	need_real_time(&t);
	cr_assert_eq(policy(), SCHED_RR);
	child = fork();
	if (!child)
		_exit(policy() == SCHED_OTHER ? 0 : 1);
	waitpid(child, &status, 0);
	turn_give_back(&t);
	cr_assert_eq(status, 0);
}

/* As a fault of ours would: without a pause. The kernel looks at its clock tick, and tells a little later. */
Test(turn, who_computes_without_a_pause_loses_it, .timeout = 20)
{
	struct turn t;
	uint64_t began;

	turn_ask(&t);
	need_real_time(&t);
	for (began = clock_ts_ns(); policy() == SCHED_RR && clock_ts_ns() - began < 10 * NS_PER_S;)
		;
	cr_assert_eq(policy(), SCHED_OTHER);
	cr_assert_lt(clock_ts_ns() - began, 5 * NS_PER_S);
	turn_give_back(&t);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "turn.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

/* The thread that has the priority, for the handler, which may run on any. */
static volatile pid_t holder;

static bool real_time_set(pid_t thread, int policy, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	return sched_setscheduler(thread, policy | SCHED_RESET_ON_FORK, &param) == 0;
}

/* It has computed for too long: something is wrong, and must not be at the cost of the node. */
static void computed_too_long(int signal)
{
	real_time_set(holder, SCHED_OTHER, 0);
}

/* The handler first, then the limit that sends the signal, then the priority that the limit is for. */
static bool real_time_ask(struct turn *t)
{
	struct sigaction action = { .sa_handler = computed_too_long, .sa_flags = SA_RESTART };
	struct rlimit limit;

	holder = gettid();
	if (getrlimit(RLIMIT_RTTIME, &t->limit) < 0 || sigaction(SIGXCPU, &action, &t->action) < 0)
		return false;
	limit = (struct rlimit){ TURN_LIMIT_US, t->limit.rlim_max };
	if (limit.rlim_cur <= limit.rlim_max && !setrlimit(RLIMIT_RTTIME, &limit) && real_time_set(0, SCHED_RR, 1))
		return true;
	setrlimit(RLIMIT_RTTIME, &t->limit);
	sigaction(SIGXCPU, &t->action, NULL);
	return false;
}

/*
 * A niceness counts among the own session only where the kernel shares the CPUs out by session first, so the session, for
 * the threads that write and name functions. Only a session that is ours alone is raised: it ends with us, however we end.
 */
static void session_raise(int nice)
{
	FILE *f = getsid(0) == getpid() ? fopen("/proc/self/autogroup", "we") : NULL;

	if (!f)
		return;
	fprintf(f, "%d", nice);
	fclose(f);
}

void turn_ask(struct turn *t)
{
	t->nice = getpriority(PRIO_PROCESS, 0);
	setpriority(PRIO_PROCESS, 0, TURN_NICE);
	session_raise(TURN_NICE);
	t->real_time = real_time_ask(t);
}

void turn_give_back(const struct turn *t)
{
	if (t->real_time) {
		real_time_set(0, SCHED_OTHER, 0);
		setrlimit(RLIMIT_RTTIME, &t->limit);
		sigaction(SIGXCPU, &t->action, NULL);
	}
	setpriority(PRIO_PROCESS, 0, t->nice);
	session_raise(t->nice);
}

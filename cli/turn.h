/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * turn: that the thread which empties the ring buffer gets its turn.
 *
 * An incident is often a node without a free CPU.  The ring holds a quarter of a second of 100,000 requests a second; a
 * niceness is not enough for that where the kernel shares the CPUs out by session or cgroup first (sched_autogroup):
 * measured at 105,000 requests a second on two full CPUs, a thread of niceness -15 in a session of its own waited
 * for 3.4 of 5 seconds.  So it asks for the lowest real-time priority, as perf record -r does.
 *
 * It is no danger to the node: a few percent of a core, and where it computes for TURN_LIMIT_US without a pause the
 * kernel tells it (RLIMIT_RTTIME) and it goes back to a niceness at once.  Threads and children do not inherit it.
 */
#ifndef ROOTLE_CLI_TURN_H
#define ROOTLE_CLI_TURN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>

#define TURN_NICE -15
#define TURN_LIMIT_US 200000u

struct turn {
	int nice;                    /* what it was */
	bool real_time;
	struct rlimit limit;         /* what they were, where real_time */
	struct sigaction action;
};

/* For the calling thread; refused without CAP_SYS_NICE, then it is as it was. One at a time in a process: SIGXCPU is its. */
void turn_ask(struct turn *t);
/* Explain and top may record in their own process, and go on after it. */
void turn_give_back(const struct turn *t);

#endif

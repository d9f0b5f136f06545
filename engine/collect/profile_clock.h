/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile_clock: a program run so many times a second on each CPU: one perf event (software, cpu-clock: no hardware is needed)
 * for each CPU that is online, made and ended as CPUs come and go.  All of it goes with its descriptors.
 */
#ifndef ROOTLE_COLLECT_PROFILE_CLOCK_H
#define ROOTLE_COLLECT_PROFILE_CLOCK_H

#include <stdint.h>

#include "base/vec.h"

struct profile_clock {
	int prog_fd;            /* borrowed */
	uint32_t hz;
	VEC(int) event;         /* by CPU; -1: none */
	char online[1024];      /* /sys/devices/system/cpu/online, as last read */
	const char *path;       /* of it */
};

/* Begins on every CPU that is online. CPUs, or -errno where it begins on none (-EACCES: perf_event_paranoid, or CAP_PERFMON is
 * missing; -ENOENT: the kernel has no perf events); then nothing is open. */
int profile_clock_open(struct profile_clock *c, int prog_fd, uint32_t hz);
/* Would it begin? 0 or -errno, as above. Leaves nothing. */
int profile_clock_try(int prog_fd);
void profile_clock_close(struct profile_clock *c);
/* Looks which CPUs are online now; costs one read of a small file where nothing changed. CPUs sampled. */
int profile_clock_follow(struct profile_clock *c);

/* The next range of a list "0-3,8,10-11" at *text, which is moved on. False: there is none. */
int cpu_range_next(const char **text, uint32_t *first, uint32_t *last);

#endif

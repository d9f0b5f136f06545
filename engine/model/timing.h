/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timing: where the time of a request goes, as far as the thread that answered it tells: parts, in nanoseconds.  What no part
 * explains is the difference to the total, and is never spread over the parts.
 */
#ifndef ROOTLE_MODEL_TIMING_H
#define ROOTLE_MODEL_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/flow.h"

enum time_part {
	TIME_QUEUE,           /* from the arrival of the request's last byte to the read, less the wait for a CPU in it */
	TIME_CPU,             /* on the CPU */
	TIME_RUNQ,            /* runnable, while others had the CPU */
	TIME_QUOTA,           /* throttled by the CPU quota of its cgroup */
	TIME_IO,              /* block I/O, file system */
	TIME_MEM,             /* page faults that read or wait, freeing memory before an allocation */
	TIME_LOCK,            /* futex: locks and conditions */
	TIME_NET,             /* the other end of a socket or pipe: services called, mostly */
	TIME_POLL,            /* something to happen: poll, epoll_wait … of a service called, of a lock of its own making */
	TIME_SLEEP,           /* nanosleep */
	TIME_PARTS
};

struct time_part_info {
	const char *name;     /* "cpu": in keys and columns with _ns behind it */
	const char *what;     /* "on the CPU", for sentences */
};
extern const struct time_part_info time_part_table[TIME_PARTS];

/* Sums over the requests that could be timed: those whose reader answered them itself. */
struct timing {
	uint64_t count;
	uint64_t total_ns;                 /* their latencies */
	uint64_t part_ns[TIME_PARTS];      /* together never more than total_ns */
};

/* Adds a request; false where it was not timed, or its numbers cannot be. */
bool timing_add(struct timing *t, const struct request *r);
void timing_merge(struct timing *into, const struct timing *from);

#endif

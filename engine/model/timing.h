/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timing: where the time of a request goes: parts, in nanoseconds, that together are never more than the whole.  What no part
 * explains is the difference to it, and is never spread over the parts.
 *
 * The whole is the request as its caller sees it, from its first byte until the caller has read the response, as far as that
 * end is on this node; else until the last byte of the response has left the callee.  Parts are claimed where the kernel told of
 * them: what the reading thread did only where it answered itself and had nothing else in hand; how long bytes were on their
 * way only where both ends are here.
 */
#ifndef ROOTLE_MODEL_TIMING_H
#define ROOTLE_MODEL_TIMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/flow.h"

enum time_part {
	TIME_THERE,           /* the request's last byte on its way to the callee's socket */
	TIME_QUEUE,           /* from its arrival to the read, less the wait for a CPU in it */
	TIME_CPU,             /* on the CPU */
	TIME_RUNQ,            /* runnable, while others had the CPU */
	TIME_QUOTA,           /* throttled by the CPU quota of its cgroup */
	TIME_IO,              /* block I/O, file system */
	TIME_MEM,             /* page faults that read or wait, freeing memory before an allocation */
	TIME_LOCK,            /* futex: locks and conditions */
	TIME_NET,             /* the other end of a socket or pipe, beside the calls that are known */
	TIME_POLL,            /* something to happen: poll, epoll_wait … of a lock of its own making */
	TIME_SLEEP,           /* nanosleep */
	TIME_DOWN,            /* the services it called, as far as it waited for them (timing_calls()) */
	TIME_BACK,            /* the response's last byte on its way to the caller's socket */
	TIME_CLIENT,          /* from its arrival to the caller's read */
	TIME_REMOTE,          /* the callee is elsewhere: the way there, its work and the way back */
	TIME_PARTS
};

struct time_part_info {
	const char *name;     /* "cpu": in keys and columns with _ns behind it */
	const char *label;    /* "CPU", for people, beside a number */
	const char *what;     /* "on the CPU", for sentences */
};
extern const struct time_part_info time_part_table[TIME_PARTS];

/* Sums over the requests of which any part is known. */
struct timing {
	uint64_t count;
	uint64_t total_ns;                 /* the whole */
	uint64_t part_ns[TIME_PARTS];      /* together never more than total_ns */
};

/* Which ends of its connection are sockets of this node. */
struct timing_ends { bool caller, callee; };

/* When the caller's socket had the whole response (0: not known), and when the caller read it. */
struct timing_got { uint64_t arrived_ns, read_ns; };

/* A request that the caller's thread, or any other of the callee's process, was found to wait for. */
struct timing_call { uint32_t edge; uint64_t begin_ns, end_ns; };

/* Of one request: count is 1, or 0 where no part is known. */
struct timing timing_of(const struct request *r, struct timing_ends ends);
/* What came behind end_ns, the last byte that left the callee. Numbers that cannot be are left out. */
void timing_got(struct timing *t, uint64_t end_ns, const struct timing_got *got);
/*
 * n calls, by begin_ns, that the request made between from_ns and to_ns. Where several were on their way at once that time is the
 * one's that began first, until it ends. Of their union as much goes to TIME_DOWN as the thread waited (TIME_NET, then TIME_POLL),
 * or all of it where it is not known what the thread did, so that the sum stays; where that is less than the union, for the
 * thread had work meanwhile, each gives way in proportion. down_ns[n]: of each call, together what TIME_DOWN grew by.
 */
void timing_calls(struct timing *t, uint64_t from_ns, uint64_t to_ns, const struct timing_call *calls, size_t n,
		  uint64_t *down_ns);
void timing_merge(struct timing *into, const struct timing *from);
uint64_t timing_unknown(const struct timing *t);

#endif

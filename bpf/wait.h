/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * wait: time that threads spend in uninterruptible sleep, in a direct-mapped table by tid.  Pure: the kernel side and
 * the host tests compile the same text.  A context switch without such a sleep costs one look at one slot.
 */
#ifndef ROOTLE_BPF_WAIT_H
#define ROOTLE_BPF_WAIT_H

#include "event.h"

#define WAIT_SLOTS 16384u
#define WAIT_SLOT(tid) ((__u32)(tid) & (WAIT_SLOTS - 1))

struct wait_slot {
	__u64 start_ns;         /* start of the thread: with tid, its identity */
	__u64 since_ns;         /* asleep since; 0: not asleep */
	__u64 total_ns;
	__u32 tid;
	__u32 pad;
};

/* TASK_UNINTERRUPTIBLE, and not the sleep of an idle kernel thread (TASK_NOLOAD) */
static inline __attribute__((always_inline)) int wait_state(__u32 state)
{
	return (state & 0x402) == 0x2;
}

/* The thread goes to sleep. 1 where it took the slot from another one whose total is lost. */
static inline __attribute__((always_inline)) int wait_begin(struct wait_slot *s, __u32 tid, __u64 start_ns, __u64 now_ns)
{
	int lost = 0;

	if (s->tid != tid || s->start_ns != start_ns) {
		lost = s->tid && s->tid != tid;
		s->tid = tid;
		s->start_ns = start_ns;
		s->total_ns = 0;
	}
	s->since_ns = now_ns;
	return lost;
}

static inline __attribute__((always_inline)) void wait_end(struct wait_slot *s, __u32 tid, __u64 now_ns)
{
	if (s->tid != tid || !s->since_ns)
		return;
	if (now_ns > s->since_ns)
		s->total_ns += now_ns - s->since_ns;
	s->since_ns = 0;
}

/* Total of the thread, the sleep that lasts included. */
static inline __attribute__((always_inline)) __u64 wait_total(const struct wait_slot *s, __u32 tid, __u64 start_ns,
                                                              __u64 now_ns)
{
	__u64 since = s->since_ns;

	if (s->tid != tid || s->start_ns != start_ns)
		return 0;
	return s->total_ns + (since && now_ns > since ? now_ns - since : 0);
}

#endif

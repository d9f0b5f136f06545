/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * wait: what threads wait for and how long, in a direct-mapped table by tid.  Pure: the kernel side and the host tests
 * compile the same text.
 *
 * A thread that leaves the CPU to sleep is absent until it runs again: asleep first, then in a run queue.  The kernel adds
 * up the latter (task->sched_info.run_delay), but only after the switch-in; so an absence is first filed whole under what
 * the thread slept for, and settled when the thread's run_delay is read next: the growth moves from there to the run queue.
 * A thread that was preempted has only waited in the run queue, or was throttled with its cgroup, which run_delay counts too.
 *
 * Nothing here is locked: a slot is written where its thread is current or being switched, which is one CPU at a time.
 */
#ifndef ROOTLE_BPF_WAIT_H
#define ROOTLE_BPF_WAIT_H

#include "event.h"
#include "syscalls.h"

#define WAIT_INLINE static inline __attribute__((always_inline))
#define WAIT_SLOTS 16384u
#define WAIT_SLOT(tid) ((__u32)(tid) & (WAIT_SLOTS - 1))
#define WAIT_NONE 0xffu         /* it did not leave to sleep */
#define CALL_NONE (-1)          /* it left in an exception (page fault); as orig_ax and syscallno have it */
#define CALL_UNKNOWN (-2)       /* this kernel does not say, or not for this thread */

/* Two cache lines; what nearly every sleep needs is in the first. */
struct wait_slot {
	__u32 tid;              /* 0: nobody's yet */
	__u8 kind;              /* of the absence that lasts, or of the last one */
	__u8 reclaim : 1;       /* it frees memory for an allocation of its own */
	__u8 begun : 7;         /* requests that it has read, wrapping */
	__u8 taken;             /* how often it went from one thread to another */
	__u8 open;              /* requests that it has read and nobody has begun to answer */
	__u64 since_ns;         /* absent since; 0: not absent */
	__u64 last_ns;          /* length of the last absence; 0: settled */
	__u64 runq_ns;          /* run_delay when it was read last */
	__u64 total_ns[WAIT_KINDS];
	__u64 gone_runq_ns;     /* run_delay of the threads of this leader that ended; their waits are in total_ns */
	__u64 reclaim_ns;       /* since when */
	__u64 reclaim_waits_ns; /* what it had waited by then */
};
_Static_assert(sizeof(struct wait_slot) == 128, "wait_slot");

enum {                          /* include/linux/sched.h, task->__state */
	STATE_BLOCKED = 0x2,    /* TASK_UNINTERRUPTIBLE */
	STATE_DEAD = 0x80,
	STATE_NOLOAD = 0x400,   /* idle kernel threads */
};

/* A thread in uninterruptible sleep that is not just an idle kernel thread's. */
WAIT_INLINE int wait_blocked(__u32 state)
{
	return (state & (STATE_BLOCKED | STATE_NOLOAD)) == STATE_BLOCKED;
}

/* What a thread that leaves to sleep in `state` (not 0, not STATE_DEAD) waits for. iowait: task->in_iowait; nr: the number of
 * the system call it is in, CALL_NONE or CALL_UNKNOWN. */
WAIT_INLINE __u8 wait_kind(__u32 state, int iowait, long nr)
{
	__u8 call;

	if (nr == CALL_NONE && wait_blocked(state))
		return WAIT_MEM;                /* swap-in, a page of a file, mmap_lock */
	if (iowait)
		return WAIT_IO;
	call = nr >= 0 ? CALL_KINDS[nr & (CALLS - 1)] : 0;
	if (!wait_blocked(state))
		return call & ~CALL_FILE;
	return call & CALL_FILE ? WAIT_IO : WAIT_BLOCKED;
}

/* What of the last absence was not sleep: runq is the thread's run_delay now, its switch-in included. Being throttled counts
 * as run_delay, so there it is the rest, by which the two clocks differ, that does not count. */
WAIT_INLINE __u64 wait_excess(const struct wait_slot *s, __u64 runq)
{
	__u64 grown = runq > s->runq_ns ? runq - s->runq_ns : 0;

	if (grown > s->last_ns)
		grown = s->last_ns;
	return s->kind == WAIT_THROTTLED ? s->last_ns - grown : grown;
}

/* Of the last absence the time in a run queue; 0 once it is settled. */
WAIT_INLINE __u64 wait_queued(const struct wait_slot *s, __u64 runq)
{
	return s->kind == WAIT_THROTTLED ? 0 : wait_excess(s, runq);
}

WAIT_INLINE __u64 *wait_total_of(struct wait_slot *s, __u32 kind)
{
	return &s->total_ns[kind < WAIT_KINDS ? kind : 0];
}

WAIT_INLINE void wait_settle(struct wait_slot *s, __u64 runq)
{
	if (s->last_ns) {
		*wait_total_of(s, s->kind) -= wait_excess(s, runq);
		s->last_ns = 0;
	}
	s->runq_ns = runq;
}

/* The slot is this thread's from now on. 1 where another one's totals are lost. */
WAIT_INLINE int wait_take(struct wait_slot *s, __u32 tid, __u64 runq)
{
	int lost = s->tid != 0;
	__u8 taken = s->taken + 1;

	__builtin_memset(s, 0, sizeof(*s));
	s->taken = taken;
	s->tid = tid;
	s->runq_ns = runq;
	return lost;
}

/* The thread is switched out: asleep for `kind`, or WAIT_NONE. 1 where it took the slot from another one. */
WAIT_INLINE int wait_leave(struct wait_slot *s, __u32 tid, __u8 kind, __u64 now_ns, __u64 runq)
{
	int lost = 0;

	if (s->tid == tid)
		wait_settle(s, runq);
	else if (kind == WAIT_NONE)
		return 0;
	else
		lost = wait_take(s, tid, runq);
	if (kind == WAIT_NONE)
		return 0;
	s->kind = s->reclaim && kind != WAIT_THROTTLED ? WAIT_MEM : kind;
	s->since_ns = now_ns;
	return lost;
}

/* The thread is switched in, having been absent (s->since_ns). */
WAIT_INLINE void wait_arrive(struct wait_slot *s, __u32 tid, __u64 now_ns)
{
	if (s->tid != tid || !s->since_ns)
		return;
	if (now_ns > s->since_ns) {
		s->last_ns = now_ns - s->since_ns;
		*wait_total_of(s, s->kind) += s->last_ns;
	}
	s->since_ns = 0;
}

/* Everything that the thread waited, in its own context and settled. */
WAIT_INLINE __u64 wait_sum(const struct wait_slot *s, __u64 runq)
{
	__u64 sum = runq;

	for (__u32 i = 0; i < WAIT_KINDS; i++)
		sum += i == WAIT_THROTTLED ? 0 : s->total_ns[i];
	return sum;
}

/* Freeing memory for itself: what it sleeps for in it, and the CPU time it takes, is a wait for memory. */
WAIT_INLINE void wait_reclaim_begin(struct wait_slot *s, __u32 tid, __u64 now_ns, __u64 runq)
{
	if (s->tid != tid)
		wait_take(s, tid, runq);
	else
		wait_settle(s, runq);
	s->reclaim = 1;
	s->reclaim_ns = now_ns;
	s->reclaim_waits_ns = wait_sum(s, runq);
}

WAIT_INLINE void wait_reclaim_end(struct wait_slot *s, __u32 tid, __u64 now_ns, __u64 runq)
{
	__u64 waited, all;

	if (s->tid != tid || !s->reclaim)
		return;
	wait_settle(s, runq);
	waited = wait_sum(s, runq) - s->reclaim_waits_ns;
	all = now_ns - s->reclaim_ns;
	s->total_ns[WAIT_MEM] += all > waited ? all - waited : 0;
	s->reclaim = 0;
}

/* The total of a kind as another thread may read it, the absence that lasts included. */
WAIT_INLINE __u64 wait_read(const struct wait_slot *s, __u32 kind, __u64 now_ns, __u64 runq)
{
	__u64 since = s->since_ns, total = s->total_ns[kind];

	if (s->kind != kind)
		return total;
	if (since)
		return total + (now_ns > since ? now_ns - since : 0);
	return total - wait_excess(s, runq);
}

/* The thread reads a request, or more of one that it has begun to read (open). Returns what wait_answer() wants to know. */
WAIT_INLINE __u8 wait_request(struct wait_slot *s, int open)
{
	if (!open && s->open < 0xff) {
		s->open++;
		s->begun++;
	}
	return s->begun;
}

/* It answers one (open: this is where the answer begins): 1 where it had no other in hand since, so that whatever it did and waited
 * for was for this one. */
WAIT_INLINE int wait_answer(struct wait_slot *s, int open, __u8 begun)
{
	if (open && s->open)
		s->open--;
	return !s->open && s->begun == begun;
}

/* The thread ended: what it waited goes to its process, whose leader's slot `leader` is. */
WAIT_INLINE void wait_end(struct wait_slot *s, __u32 tid, struct wait_slot *leader, __u32 tgid, __u64 runq)
{
	if (s->tid != tid)
		return;
	wait_settle(s, runq);
	if (leader && !leader->tid)
		wait_take(leader, tgid, 0);     /* it sleeps since before we looked */
	if (leader && tid != tgid && leader->tid == tgid) {
		for (__u32 i = 0; i < WAIT_KINDS; i++)
			leader->total_ns[i] += s->total_ns[i];
		leader->gone_runq_ns += runq;
	}
	s->tid = 0;
	s->since_ns = 0;
}

/* The parts of a request's time that a thread waits (PART_* of event.h), each in units of 1 << PART_SHIFT ns, wrapping:
 * differences count. In the thread's own context, settled. */
WAIT_INLINE void wait_parts(const struct wait_slot *s, __u64 runq, __u32 parts[PART_MAX])
{
	const __u64 *t = s->total_ns;

	parts[PART_RUNQ] = (__u32)((runq - t[WAIT_THROTTLED]) >> PART_SHIFT);
	parts[PART_THROTTLED] = (__u32)(t[WAIT_THROTTLED] >> PART_SHIFT);
	parts[PART_IO] = (__u32)(t[WAIT_IO] >> PART_SHIFT);
	parts[PART_MEM] = (__u32)(t[WAIT_MEM] >> PART_SHIFT);
	parts[PART_FUTEX] = (__u32)(t[WAIT_FUTEX] >> PART_SHIFT);
	parts[PART_NET] = (__u32)(t[WAIT_NET] >> PART_SHIFT);
	parts[PART_POLL] = (__u32)(t[WAIT_POLL] >> PART_SHIFT);
	parts[PART_SLEEP] = (__u32)(t[WAIT_SLEEP] >> PART_SHIFT);
	parts[PART_OTHER] = (__u32)((t[WAIT_OTHER] + t[WAIT_BLOCKED]) >> PART_SHIFT);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * timing: what the current thread has waited for between its read of a socket and a segment that it sends on it.
 */
#ifndef ROOTLE_BPF_TIMING_H
#define ROOTLE_BPF_TIMING_H

#include "maps.h"
#include "read.h"

static __always_inline bool runq_known(void)
{
	struct task_struct *t = NULL;

	return bpf_core_field_exists(t->sched_info);
}

static __always_inline __u64 task_runq(struct task_struct *t)
{
	return runq_known() ? READ(t, sched_info.run_delay) : 0;
}

static __always_inline __u64 current_runq(void)
{
	struct task_struct *t;

#ifndef READS_COPY
	if (task_by_helper)
		return task_runq(bpf_get_current_task_btf());
#endif
	t = (void *)bpf_get_current_task();
	return runq_known() ? BPF_CORE_READ(t, sched_info.run_delay) : 0;
}

/* The slot of a thread's number; NULL: without the scheduler's probe, or without SCHED_INFO, nothing tells waiting from running. */
static __always_inline struct wait_slot *timing_slot(__u32 tid)
{
	__u32 slot = WAIT_SLOT(tid);

	return switches_seen && runq_known() ? bpf_map_lookup_elem(&waits, &slot) : NULL;
}

/* The current thread has just read the socket. */
static __always_inline void timing_mark(struct sock_state *st, __u32 tid)
{
	__u64 runq = current_runq();
	struct wait_slot *s = timing_slot(tid);

	st->timed = 0;
	if (!s)
		return;
	if (s->tid != tid && wait_take(s, tid, runq))
		count_drop(DROP_TASK_SLOT, 1);
	st->woken = (__u32)(wait_queued(s, runq) >> PART_SHIFT);
	wait_settle(s, runq);
	wait_parts(s, runq, st->mark);
	st->begun = wait_request(s, st->open && st->taken == s->taken);
	st->open = 1;
	st->taken = s->taken;
	st->timed = 1;
}

/* Another thread answers, or nobody does any more. */
static __always_inline void timing_drop(struct sock_state *st)
{
	struct wait_slot *s = st->open ? timing_slot(st->rd_tid) : NULL;

	if (s && s->tid == st->rd_tid && s->taken == st->taken)
		wait_answer(s, 1, 0);
	st->open = 0;
}

/* The current thread sends on the socket: true where it had read it, its slot was no other thread's and it had no other request in
 * hand since, and st->wait is set. */
static __always_inline bool timing_take(struct sock_state *st, __u32 tid)
{
	struct wait_slot *s;
	__u64 runq;
	int alone;

	if (!st->timed)
		return false;
	if (st->rd_tid != tid) {
		timing_drop(st);
		return false;
	}
	s = timing_slot(tid);
	if (!s || s->tid != tid || s->taken != st->taken)
		return false;
	alone = wait_answer(s, st->open, st->begun);
	st->open = 0;
	if (!alone)
		return false;
	runq = current_runq();
	wait_settle(s, runq);
	wait_parts(s, runq, st->wait);
	for (__u32 i = 0; i < PART_MAX; i++)
		st->wait[i] -= st->mark[i];
	return true;
}

#endif

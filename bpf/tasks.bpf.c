/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tasks: what every thread has used and waited for, read in one pass; and the waits that the kernel does not add up by
 * itself, by what they are for. Run-queue wait needs no probe: task->sched_info.run_delay.
 */
#include "call.h"
#include "task.h"
#include "timing.h"

static __always_inline struct wait_slot *slot_of(__u32 tid)
{
	__u32 slot = WAIT_SLOT(tid);

	return bpf_map_lookup_elem(&waits, &slot);
}

/* Runnable, but not to run before its cgroup's quota is filled up again; since 6.18 it may, until it returns to user space. */
static __always_inline bool task_throttled(struct task_struct *t)
{
	return bpf_core_field_exists(t->se.cfs_rq->throttle_count) && READ(t, se.cfs_rq, throttle_count) > 0;
}

static __always_inline bool task_waits_for_io(struct task_struct *t)
{
#ifdef READS_COPY
	return BPF_CORE_READ_BITFIELD_PROBED(t, in_iowait);
#else
	return BPF_CORE_READ_BITFIELD(t, in_iowait);
#endif
}

static __always_inline void task_leaves(struct task_struct *t, __u32 tid, __u32 state, __u64 now_ns)
{
	struct wait_slot *s = slot_of(tid);
	__u8 kind = WAIT_NONE;

	if (!s)
		return;
	if (state)
		kind = wait_kind(state, task_waits_for_io(t), task_call(t));
	else if (task_throttled(t))
		kind = WAIT_THROTTLED;
	if (wait_leave(s, tid, kind, now_ns, task_runq(t)))
		count_drop(DROP_TASK_SLOT, 1);
}

static __always_inline void task_ends(struct task_struct *t, __u32 tid)
{
	struct wait_slot *s = slot_of(tid);
	__u32 tgid = READ(t, tgid);

	if (s)
		wait_end(s, tid, slot_of(tgid), tgid, task_runq(t));
}

/* Thread 0 is the CPU that idles. */
TRACE_PROGRAM(task_switched, sched_switch)
{
	struct task_struct *prev = ARG(struct task_struct *, 1), *next = ARG(struct task_struct *, 2);
	__u64 now_ns = bpf_ktime_get_ns();
	__u32 tid = READ(next, pid), state;
	struct wait_slot *s = tid ? slot_of(tid) : NULL;

	if (!switches_seen)
		switches_seen = 1;
	if (s)
		wait_arrive(s, tid, now_ns);
	tid = READ(prev, pid);
	if (!tid)
		return 0;
	state = ctx[0] ? 0 : task_state(prev);
	if (state & STATE_DEAD)
		task_ends(prev, tid);
	else
		task_leaves(prev, tid, state, now_ns);
	return 0;
}

/* Memory is short: the thread has to free some before it gets any. */
static __always_inline int reclaim_begins(void)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct wait_slot *s = slot_of(tid);

	if (s)
		wait_reclaim_begin(s, tid, bpf_ktime_get_ns(), current_runq());
	return 0;
}

static __always_inline int reclaim_ends(void)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct wait_slot *s = slot_of(tid);

	if (s)
		wait_reclaim_end(s, tid, bpf_ktime_get_ns(), current_runq());
	return 0;
}

TRACE_PROGRAM(task_reclaims, mm_vmscan_direct_reclaim_begin)
{
	return reclaim_begins();
}

TRACE_PROGRAM(task_reclaimed, mm_vmscan_direct_reclaim_end)
{
	return reclaim_ends();
}

/* The same within the limit of a cgroup. */
TRACE_PROGRAM(task_limited, mm_vmscan_memcg_reclaim_begin)
{
	return reclaim_begins();
}

TRACE_PROGRAM(task_unlimited, mm_vmscan_memcg_reclaim_end)
{
	return reclaim_ends();
}

#ifndef READS_COPY      /* iterators are typed */
/* As /proc prints it, most final first. */
static __always_inline __u8 state_letter(struct task_struct *t)
{
	__u32 state = task_state(t), bits = state | t->exit_state;

	if ((state & 0x402) == 0x402)
		return 'I';
	if (bits & 0x20)
		return 'Z';
	if (bits & 0x10)
		return 'X';
	if (bits & 0x0c)
		return 'T';
	if (bits & 0x02)
		return 'D';
	return bits & 0x01 ? 'S' : 'R';
}

static __always_inline void task_waits(struct ev_task *e, struct task_struct *t)
{
	struct wait_slot *s = slot_of(e->tid);
	__u64 now_ns = bpf_ktime_get_ns(), runq = e->runq_ns;

	if (!s || s->tid != e->tid)
		return;
	for (__u32 i = 0; i < WAIT_KINDS; i++)
		e->wait_ns[i] = wait_read(s, i, now_ns, runq);
	e->runq_ns += s->gone_runq_ns;
}

static __always_inline __u64 io_written(__u64 written, __u64 cancelled)
{
	return written > cancelled ? written - cancelled : 0;
}

/* I/O is the thread's own here, plus that of the threads that are gone on the leader; user space adds up. */
static __always_inline void task_io(struct ev_task *e, struct task_struct *t)
{
	e->read_bytes = t->ioac.read_bytes;
	e->write_bytes = io_written(t->ioac.write_bytes, t->ioac.cancelled_write_bytes);
	if (t->pid != t->tgid)
		return;
	e->read_bytes += t->signal->ioac.read_bytes;
	e->write_bytes += io_written(t->signal->ioac.write_bytes, t->signal->ioac.cancelled_write_bytes);
	e->rss_pages = mm_rss_pages(t->mm);
	e->anon_pages = mm_anon_pages(t->mm);
}

SEC("iter/task")
int task_each(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct ev_task e = {};

	if (!t)
		return 0;
	e.start_ns = t->start_boottime;
	e.oncpu_ns = t->se.sum_exec_runtime;
	e.tgid = t->tgid;
	e.tid = t->pid;
	e.runq_ns = task_runq(t);
	task_waits(&e, t);
	task_io(&e, t);
	e.majflt = t->maj_flt;
	e.cgroup = t->cgroups->dfl_cgrp->kn->id;
	e.ptgid = t->real_parent->tgid;
	e.netns = t->nsproxy->net_ns->ns.inum;
	e.uid = t->cred->uid.val;
	e.state = state_letter(t);
	e.kthread = !!(t->flags & KTHREAD_FLAG);
	__builtin_memcpy(e.comm, t->comm, sizeof(e.comm));
	bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
	return 0;
}

#endif

char LICENSE[] SEC("license") = "Dual BSD/GPL";

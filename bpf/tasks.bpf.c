/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tasks: what every thread has used and waited for, read in one pass; and the one wait that the kernel does not add up by
 * itself, uninterruptible sleep. Run-queue wait needs no probe: task->sched_info.run_delay.
 */
#include "maps.h"
#include "task.h"

TRACE_PROGRAM(task_switched, sched_switch)
{
	struct task_struct *prev = ARG(struct task_struct *, 1), *next = ARG(struct task_struct *, 2);
	__u32 tid = READ(next, pid), slot = WAIT_SLOT(tid);
	struct wait_slot *s = bpf_map_lookup_elem(&waits, &slot);

	if (s && s->since_ns)
		wait_end(s, tid, bpf_ktime_get_ns());
	if (ctx[0] || !wait_state(task_state(prev)))
		return 0;
	tid = READ(prev, pid);
	slot = WAIT_SLOT(tid);
	s = bpf_map_lookup_elem(&waits, &slot);
	if (s && wait_begin(s, tid, READ(prev, start_boottime), bpf_ktime_get_ns()))
		count_drop(DROP_TASK_SLOT, 1);
	return 0;
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

static __always_inline __u64 task_dwait(struct task_struct *t)
{
	__u32 slot = WAIT_SLOT(t->pid);
	struct wait_slot *s = bpf_map_lookup_elem(&waits, &slot);

	return s ? wait_total(s, t->pid, t->start_boottime, bpf_ktime_get_ns()) : 0;
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
	if (bpf_core_field_exists(t->sched_info))
		e.runq_ns = t->sched_info.run_delay;
	e.dwait_ns = task_dwait(t);
	task_io(&e, t);
	e.majflt = t->maj_flt;
	e.cgroup = t->cgroups->dfl_cgrp->kn->id;
	e.tgid = t->tgid;
	e.tid = t->pid;
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

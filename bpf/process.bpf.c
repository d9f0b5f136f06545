/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * process: fork, exec, exit, signals and OOM kills of processes (not of threads).
 */
#include "maps.h"
#include "task.h"

#define GROUP_EXIT 4            /* SIGNAL_GROUP_EXIT */
/* HUP INT QUIT ILL ABRT BUS FPE KILL SEGV TERM CONT STOP TSTP, by number */
#define SIGNALS (1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 11 | 1u << 15 | \
                 1u << 18 | 1u << 19 | 1u << 20)

#define SIGNAL_DELIVERED 0      /* TRACE_SIGNAL_DELIVERED */
#define SIGCONT 18

/* What this kernel's tracepoints take, read from its BTF before loading; and its page size. */
const volatile bool exit_says_group_dead __weak SEC(".rodata") = false;       /* sched_process_exit(task, group_dead): 6.17 */
const volatile bool victim_is_task __weak SEC(".rodata") = false;             /* mark_victim(task, uid): 6.9; before (pid) */
const volatile __u32 page_kb __weak SEC(".rodata") = 4;

struct exit_key { __u64 start_ns; __u32 tgid, pad; };

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct exit_key);
	__type(value, __u8);
} exits __weak SEC(".maps");

static __always_inline struct ev_proc *proc_begin(__u8 what, __u32 tgid, __u32 tid)
{
	struct ev_proc *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count_drop(DROP_RING_PROC, 1);
		return NULL;
	}
	ev_begin(&e->h, EV_PROC, sizeof(*e), bpf_ktime_get_ns());
	e->what = what;
	e->tgid = tgid;
	e->tid = tid;
	e->ptgid = e->from = e->rss_kb = 0;
	e->code = 0;
	e->cgroup = 0;
	__builtin_memset(e->pad, 0, sizeof(e->pad));
	__builtin_memset(e->comm, 0, sizeof(e->comm));
	__builtin_memset(e->path, 0, sizeof(e->path));
	return e;
}

/* Filters are for sockets: who a process is, and that it changed, must be known of all. */
static __always_inline struct ev_proc *proc_of(__u8 what, struct task_struct *t)
{
	struct ev_proc *e = proc_begin(what, READ(t, tgid), READ(t, pid));

	if (!e)
		return NULL;
	e->ptgid = READ(t, real_parent, tgid);
	e->cgroup = READ(t, cgroups, dfl_cgrp, kn, id);
	READ_BYTES(e->comm, sizeof(e->comm), &t->comm);
	return e;
}

TRACE_PROGRAM(proc_forked, sched_process_fork)
{
	struct task_struct *parent = ARG(struct task_struct *, 0), *child = ARG(struct task_struct *, 1);
	struct ev_proc *e;

	if (READ(child, pid) != READ(child, tgid))
		return 0;
	e = proc_of(PROC_FORK, child);
	if (!e)
		return 0;
	e->ptgid = READ(parent, tgid);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

TRACE_PROGRAM(proc_executed, sched_process_exec)
{
	struct linux_binprm *bprm = ARG(struct linux_binprm *, 2);
	struct ev_proc *e = proc_of(PROC_EXEC, ARG(struct task_struct *, 0));

	if (!e)
		return 0;
	bpf_probe_read_kernel_str(e->path, sizeof(e->path), READ(bprm, filename));
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

/* True for one thread of each process. Threads count themselves off before they come here, so of several that end together
 * each may find none left: who enters the process into the map first is the last. */
static __always_inline bool exit_is_last(struct task_struct *t)
{
	struct exit_key key = { .start_ns = READ(t, group_leader, start_boottime), .tgid = READ(t, tgid) };
	__u8 one = 1;

	return READ(t, signal, live.counter) == 0 && bpf_map_update_elem(&exits, &key, &one, BPF_NOEXIST) == 0;
}

TRACE_PROGRAM(proc_exited, sched_process_exit)
{
	struct task_struct *t = ARG(struct task_struct *, 0);
	struct signal_struct *signal = READ(t, signal);
	struct ev_proc *e;

	if (exit_says_group_dead ? !ARG(__u8, 1) : !exit_is_last(t))
		return 0;
	e = proc_of(PROC_EXIT, t);
	if (!e)
		return 0;
	e->tid = e->tgid;
	e->code = READ(signal, flags) & GROUP_EXIT ? READ(signal, group_exit_code) : READ(t, group_leader, exit_code);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

TRACE_PROGRAM(proc_signalled, signal_generate)
{
	__u32 sig = ARG(__u32, 0);
	struct ev_proc *e;

	if (sig > 31 || !(1u << sig & SIGNALS))
		return 0;
	/* ignored, pending already or lost; but SIGCONT has its effect also where nobody handles it */
	if (ARG(int, 4) != SIGNAL_DELIVERED && sig != SIGCONT)
		return 0;
	e = proc_of(PROC_SIGNAL, ARG(struct task_struct *, 2));
	if (!e)
		return 0;
	e->code = sig;
	e->from = bpf_get_current_pid_tgid() >> 32;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

TRACE_PROGRAM(proc_victim, mark_victim)
{
	struct ev_proc *e;

	if (victim_is_task) {
		e = proc_of(PROC_OOM, ARG(struct task_struct *, 0));
		if (e)
			e->rss_kb = mm_rss_pages(READ(ARG(struct task_struct *, 0), mm)) * page_kb;
	} else {
		e = proc_begin(PROC_OOM, ARG(__u32, 0), ARG(__u32, 0));
	}
	if (e)
		bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

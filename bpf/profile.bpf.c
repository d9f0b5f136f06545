/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * profile: where the CPUs are, so many times a second.  Runs in the interrupt of the CPU clock's timer; user space opens the
 * clock for each CPU (engine/collect/profile_clock.c).
 *
 * The addresses go into a ring buffer of their own and are added up in user space.  A map of stacks in the kernel would need
 * as many bytes for each of its slots as the deepest stack, would lose stacks that fall into one slot, and would be read with a
 * system call for each stack; a record is as long as its stack.
 */
#include "maps.h"

#define STACK_RING_BYTES (1u << 20)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, STACK_RING_BYTES);
} stack_ring SEC(".maps");

/* A record is too large for the BPF stack, and its size is not known before. Interrupts of the timer do not nest. */
struct stack_room {
	__u64 word[sizeof(struct ev_stack) / sizeof(__u64) + EV_STACK_KERNEL_MAX + EV_STACK_USER_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_room);
} stack_rooms SEC(".maps");

struct mm_struct___stack { unsigned long start_stack; } __attribute__((preserve_access_index));

/* bpf_get_stack() returns bytes, or negative where there is no stack of this kind. */
static __always_inline __u32 addresses(long bytes, __u32 most)
{
	__u32 n = bytes > 0 ? (__u32)bytes / sizeof(__u64) : 0;

	return n < most ? n : most;
}

static __always_inline __u64 task_image(void)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct mm_struct___stack *mm = (void *)BPF_CORE_READ(t, mm);

	return mm && !(BPF_CORE_READ(t, flags) & KTHREAD_FLAG) ? BPF_CORE_READ(mm, start_stack) : 0;
}

SEC("perf_event")
int profile_sampled(void *ctx)
{
	__u64 who = bpf_get_current_pid_tgid();
	__u32 zero = 0, kernel, user = 0;
	struct stack_room *room;
	struct ev_stack *e;

	if (!(__u32)who || !pid_passes(who >> 32))      /* the idle thread of a CPU has the pid 0 */
		return 0;
	room = bpf_map_lookup_elem(&stack_rooms, &zero);
	if (!room)
		return 0;
	e = (void *)room;
	e->image = task_image();
	kernel = addresses(bpf_get_stack(ctx, e->ip, EV_STACK_KERNEL_MAX * sizeof(__u64), 0), EV_STACK_KERNEL_MAX);
	if (e->image)
		user = addresses(bpf_get_stack(ctx, &e->ip[kernel], EV_STACK_USER_MAX * sizeof(__u64), BPF_F_USER_STACK),
				 EV_STACK_USER_MAX);
	ev_begin(&e->h, EV_STACK, sizeof(*e) + (kernel + user) * sizeof(__u64), bpf_ktime_get_ns());
	e->tgid = who >> 32;
	e->tid = (__u32)who;
	e->kernel = kernel;
	e->user = user;
	if (bpf_ringbuf_output(&stack_ring, room, sizeof(*e) + (kernel + user) * sizeof(__u64), BPF_RB_NO_WAKEUP))
		count_drop(DROP_RING_STACK, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

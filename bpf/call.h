/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * call: the system call that a thread is in, from the registers it entered the kernel with.  No system call is probed.
 */
#ifndef ROOTLE_BPF_CALL_H
#define ROOTLE_BPF_CALL_H

#include "read.h"
#include "wait.h"

#define IO_WORKER_FLAG 0x10u            /* PF_IO_WORKER: of io_uring, never was in user space */
#define STACK_BYTES 16384ul             /* THREAD_SIZE of both architectures with pages of 4 KB */
#define STACK_PADDING 16ul              /* above the registers, where x86 is built for FRED */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#ifdef __TARGET_ARCH_arm64
struct pt_regs___call { __s32 syscallno; __u64 pstate; };
#else
struct pt_regs___call { unsigned long orig_ax; __u16 cs; };
#endif
#pragma clang attribute pop

enum bpf_func_id___call { BPF_FUNC_task_pt_regs___call = 175 };

/* What the registers say; of programs of another ABI (32 bits) the numbers are not ours. False: these are no registers of a
 * thread that came from user space. */
#ifdef __TARGET_ARCH_arm64
#define USER_REGS(status) (((status) & 0xf) == 0)               /* PSR_MODE_EL0t */
#define OURS(status) (!((status) & 0x10))                       /* PSR_MODE32_BIT */
#define CALL_OF syscallno
#define STATUS_OF pstate
#else
#define USER_REGS(status) ((status) == 0x33 || (status) == 0x23)   /* __USER_CS, __USER32_CS */
#define OURS(status) ((status) == 0x33)
#define CALL_OF orig_ax
#define STATUS_OF cs
#endif

#ifndef READS_COPY
static __always_inline long call_typed(struct task_struct *t)
{
	struct pt_regs___call *regs = (void *)bpf_task_pt_regs(t);

	return OURS(regs->STATUS_OF) ? (long)regs->CALL_OF : CALL_UNKNOWN;
}
#endif

/* Without the helper: the registers are at the end of the stack. */
static __always_inline long call_copied(struct task_struct *t)
{
	unsigned long end = (unsigned long)READ(t, stack) + STACK_BYTES - bpf_core_type_size(struct pt_regs___call);
	struct pt_regs___call *regs = (void *)end;
	__u64 status = BPF_CORE_READ(regs, STATUS_OF);

	if (!USER_REGS(status)) {
		regs = (void *)(end - STACK_PADDING);
		status = BPF_CORE_READ(regs, STATUS_OF);
	}
	return USER_REGS(status) && OURS(status) ? (long)BPF_CORE_READ(regs, CALL_OF) : CALL_UNKNOWN;
}

static __always_inline long task_call(struct task_struct *t)
{
	if (READ(t, flags) & (KTHREAD_FLAG | IO_WORKER_FLAG))
		return CALL_UNKNOWN;
#ifndef READS_COPY
	if (bpf_core_enum_value_exists(enum bpf_func_id___call, BPF_FUNC_task_pt_regs___call))      /* 5.15 */
		return call_typed(t);
#endif
	return call_copied(t);
}

#endif

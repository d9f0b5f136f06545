/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * task: what is read of a thread in more than one place, whatever the version of the kernel calls it.
 */
#ifndef ROOTLE_BPF_TASK_H
#define ROOTLE_BPF_TASK_H

#include "read.h"

static __always_inline __u32 task_state(struct task_struct *t)
{
	if (bpf_core_field_exists(t->__state))
		return READ(t, __state);
	return (__u32)READ((struct task_struct___state *)t, state);
}

/* Asked of the field, not of struct mm_rss_stat: a type that the kernel does not have is looked for in all modules,
 * which takes CAP_SYS_ADMIN.  The old one is copied: kernels of then do not type an array of atomic_long_t.  File,
 * anonymous and shared pages; swap entries (index 2) are not resident. */
static __always_inline __u64 mm_rss_pages(struct mm_struct *mm)
{
	struct mm_struct___atomic *old = (void *)mm;

	if (!mm)
		return 0;
	if (bpf_core_field_exists(old->rss_stat.count))
		return BPF_CORE_READ(old, rss_stat.count[0].counter) + BPF_CORE_READ(old, rss_stat.count[1].counter) +
		       BPF_CORE_READ(old, rss_stat.count[3].counter);
	return READ(mm, rss_stat[0].count) + READ(mm, rss_stat[1].count) + READ(mm, rss_stat[3].count);
}

static __always_inline __u64 mm_anon_pages(struct mm_struct *mm)
{
	struct mm_struct___atomic *old = (void *)mm;

	if (!mm)
		return 0;
	if (bpf_core_field_exists(old->rss_stat.count))
		return BPF_CORE_READ(old, rss_stat.count[1].counter);
	return READ(mm, rss_stat[1].count);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cause: which thread reads and writes a socket, in the order in which it does so: of processes in the middle, where a request that
 * was read causes others.  What to make of it is user space's business.
 */
#ifndef ROOTLE_BPF_CAUSE_H
#define ROOTLE_BPF_CAUSE_H

#include "maps.h"
#include "middle.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MIDDLE_SLOTS);
	__type(key, __u32);
	__type(value, struct middle_slot);
} middles __weak SEC(".maps");

static __always_inline struct middle_slot *middle_slot(__u32 tgid)
{
	__u32 slot = MIDDLE_SLOT(tgid);

	return bpf_map_lookup_elem(&middles, &slot);
}

static __always_inline bool in_the_middle(__u32 tgid)
{
	struct middle_slot *s = middle_slot(tgid);

	return s && middle_is(s, tgid);
}

/* Current, of process tgid, uses a socket in this role. True where the process is in the middle. */
static __always_inline bool middle_uses(__u32 tgid, __u8 role)
{
	struct middle_slot *s = middle_slot(tgid);

	if (!s)
		return false;
	middle_note(s, tgid, role);
	return middle_is(s, tgid);
}

static __always_inline void io_emit(__u64 cookie, __u64 pid_tgid, __u32 seq, __u8 dir, __u64 now_ns)
{
	struct ev_io *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count_drop(DROP_RING_IO, 1);
		return;
	}
	ev_begin(&e->h, EV_IO, sizeof(*e), now_ns);
	e->cookie = cookie;
	e->tgid = pid_tgid >> 32;
	e->tid = (__u32)pid_tgid;
	e->seq = seq;
	e->dir = dir;
	e->late = e->pad[0] = e->pad[1] = 0;
	e->arr_ns = 0;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * maps: what the programs share, and the few helpers around it.  Weak: each object file has them, the linker keeps one.
 */
#ifndef ROOTLE_BPF_MAPS_H
#define ROOTLE_BPF_MAPS_H

#include "kernel.h"

#include "copy.h"
#include "event.h"
#include "sample.h"
#include "wait.h"

/* Loads and stores that the compiler neither moves nor repeats. */
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))

/* Sizes are user space's business (engine/collect/map_plan.c): those here are of a map that it does not set. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ring __weak SEC(".maps");

struct counts { __u64 drops[16], seen[8]; };
_Static_assert(DROP_MAX <= 16 && SEEN_MAX <= 8, "counts");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} counts __weak SEC(".maps");

/* What is known about a socket; goes with it. A child of accept() begins as a copy of its listener's (BPF_F_CLONE), whose
 * cookie is left 0 for that reason: the child inherits the owner, and nothing else. */
struct sock_state {
	__u64 cookie;                   /* 0: not looked at yet */
	__u64 rd_ts_ns;                 /* last read */
	__u64 rd_arr_ns;                /* when the last byte that it took had come; 0 not known */
	__u64 arr_ns;                   /* when payload came last; written after arr_seq, read before it */
	__u64 session;                  /* of the iterator that has reported it */
	__u64 skipped_bytes;            /* payload not reported because of WISH_NONE */
	struct copy_credit credit[2];   /* by direction */
	__u32 owner, owner_tid;         /* the process that connected, or read or wrote last */
	__u32 rd_tid, rd_seq;
	__u32 rd_told;                  /* the rd_seq that was told of last */
	__u32 arr_seq;                  /* one past the last byte that came then */
	__u32 wrote_seq;                /* bytes before it are attributed to their writer */
	__u32 segs;                     /* that had come and gone at the last pass of health_each */
	__u8 announced;                 /* user space knows cookie, addresses and owner */
	__u8 role;
	__u8 changes;                   /* of the owner, to stop telling of a socket that two processes share */
	__u8 wrote;                     /* wrote_seq is meaningful */
	__u8 timed;                     /* mark is the reader's */
	__u8 taken;                     /* its slot's then */
	__u8 open;                      /* the reader's slot counts it as not answered */
	__u8 begun;                     /* that slot's then */
	__u32 woken;                    /* how long the reader was in a run queue before it, in units of 1 << PART_SHIFT ns */
	__u32 mark[PART_MAX];           /* what it had waited for by its last read */
	__u32 wait[PART_MAX];           /* what it has waited for since, at the segment that leaves now */
	__u8 comm[EV_COMM_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct sock_state);
} socks __weak SEC(".maps");

/* Making a socket's storage fails where another CPU makes it at that moment: then it is there. */
#define STORAGE_GET(st, map, sk) do { \
	st = bpf_sk_storage_get(map, sk, 0, BPF_SK_STORAGE_GET_F_CREATE); \
	if (!(st)) \
		st = bpf_sk_storage_get(map, sk, 0, BPF_SK_STORAGE_GET_F_CREATE); \
} while (0)

/* The same by cookie, where a program that must have it cannot reach socket storage (state.h): those that copy what they
 * read, and all of kernels before 5.11. User space makes it large only then. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct sock_state);
} states __weak SEC(".maps");

/* Nothing inherits there: who listens on a port, for the children of accept(). */
struct listen_key { __u32 netns; __u16 port, pad; };
struct listen_owner { __u32 tgid, tid; __u8 comm[EV_COMM_LEN]; };

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct listen_key);
	__type(value, struct listen_owner);
} listeners __weak SEC(".maps");

/* Set before loading, from what this kernel lets programs do. */
const volatile bool state_in_hash __weak SEC(".rodata") = false;
const volatile bool cookie_by_helper __weak SEC(".rodata") = true;     /* bpf_get_socket_cookie() in tracing: 5.12 */
const volatile bool task_by_helper __weak SEC(".rodata") = true;       /* bpf_get_current_task_btf() of packets: 5.14 */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} wishes __weak SEC(".maps");
const volatile __u32 wish_slots __weak SEC(".rodata") = 1024;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);      /* for its values to begin at a page, and so each slot at a cache line */
	__uint(max_entries, WAIT_SLOTS);
	__type(key, __u32);
	__type(value, struct wait_slot);
} waits __weak SEC(".maps");

/* The scheduler's probe has seen a switch: what is not in `waits` was not waited for. */
volatile __u32 switches_seen __weak = 0;

/* Filters; a count of 0 lets everything pass. Constants at load time: the verifier removes what is not asked for. */
#define FILTER_MAX 16
const volatile __u32 only_ports_n __weak SEC(".rodata") = 0;
const volatile __u32 only_pids_n __weak SEC(".rodata") = 0;
const volatile __u32 exclude_pids_n __weak SEC(".rodata") = 0;
const volatile __u16 only_ports[FILTER_MAX] __weak SEC(".rodata") = {};
const volatile __u32 only_pids[FILTER_MAX] __weak SEC(".rodata") = {};
const volatile __u32 exclude_pids[FILTER_MAX] __weak SEC(".rodata") = {};

/* The level of the budget in force (bpf/sample.h), set by user space. */
volatile __u32 limits __weak SEC(".data") = 0;

static __always_inline void count_drop(__u32 which, __u64 n)
{
	__u32 zero = 0;
	struct counts *c = bpf_map_lookup_elem(&counts, &zero);

	if (c)
		c->drops[which & 15] += n;
}

static __always_inline void count_seen(__u32 which, __u64 n)
{
	__u32 zero = 0;
	struct counts *c = bpf_map_lookup_elem(&counts, &zero);

	if (c)
		c->seen[which & 7] += n;
}

static __always_inline void ev_begin(struct ev_hdr *h, __u8 type, __u32 size, __u64 now_ns)
{
	h->ts_ns = now_ns;
	h->size = size;
	h->type = type;
	h->cpu = (__u8)bpf_get_smp_processor_id();
	h->pad = 0;
}

static __always_inline bool pid_passes(__u32 pid)
{
	for (__u32 i = 0; i < FILTER_MAX && i < exclude_pids_n; i++)
		if (exclude_pids[i] == pid)
			return false;
	if (!only_pids_n)
		return true;
	for (__u32 i = 0; i < FILTER_MAX && i < only_pids_n; i++)
		if (only_pids[i] == pid)
			return true;
	return false;
}

static __always_inline bool port_passes(__u16 lport, __u16 rport)
{
	if (!only_ports_n)
		return true;
	for (__u32 i = 0; i < FILTER_MAX && i < only_ports_n; i++)
		if (only_ports[i] == lport || only_ports[i] == rport)
			return true;
	return false;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_source: the probes: loads, attaches and reads them.  Each probe is a row of probe_table[] (probe.c) with a ladder of rungs; a
 * missing rung is a line of the report, never a failure while any other source is left.
 *
 * Nothing is pinned: all programs, links and maps go when their descriptors are closed, so any kind of exit detaches.
 */
#ifndef ROOTLE_COLLECT_BPF_SOURCE_H
#define ROOTLE_COLLECT_BPF_SOURCE_H

#include <stdbool.h>

#include "base/vec.h"
#include "collect/profile.h"
#include "collect/source.h"

struct probe_options {
	size_t map_bytes;          /* budget of all maps (map_plan.h); 0: MAP_BUDGET_DEFAULT */
	size_t ring_bytes;         /* of the ring buffer alone, for tests: power of two; 0: by the budget */
	bool no_packets, no_sched; /* leave out for measurements */
	bool no_iterators;         /* they would not show the node (struct host.narrow) */
	bool no_profile;           /* no samples of the CPUs */
	VEC(uint16_t) only_ports;  /* either end; empty: all */
	VEC(uint32_t) only_pids;
	VEC(uint32_t) exclude_pids;
	const char *btf;           /* a file with this kernel's BTF, for kernels without; NULL: the kernel's own */
	const char *rungs;         /* "owners=kprobe,…" (ladder_wish.rungs); NULL: the best */
};

/* INSTEAD: no program, but something else tells part of it (`rung` says what). */
enum probe_state { PROBE_ABSENT = 0, PROBE_ON = 1, PROBE_INSTEAD = 2 };

struct probe_line {
	const char *probe;         /* "packets" "sockets" "owners" "processes" "oom" "waits" "reclaim" "tasks" "existing sockets" … */
	const char *part;          /* what of it: "states"; NULL: all */
	enum probe_state state;
	const char *rung;          /* "cgroup_skb" "tp_btf" "/proc" … ; "absent" */
	const char *program, *hook, *type;   /* of the BPF program, in use or the best that could be; NULL where there is none */
	const char *lacks;         /* what is not known without it, or without the better rung; NULL: nothing */
	const char *why;           /* why not the best rung: "tp_btf: needs CAP_PERFMON" …; NULL */
	uint32_t insns;            /* that the verifier walked through; 0 unknown */
};

struct probe_report {
	VEC(struct probe_line) lines;
	VEC(char *) texts;                      /* that lines point to */
	const char *missing_capability;         /* "CAP_BPF" …; NULL: none */
};

/* 0 and *ret, where at least one program is attached (missing_capability may say why not all); else -EPERM
 * (missing_capability says which), -ENOSYS (no BPF here, or a kernel before 5.8), -EBADMSG (options.btf is no BTF file; -ENOENT,
 * -EACCES: it cannot be read), -errno. The report is filled in either case; its strings are static or live as long as the report. */
int bpf_source_open(const struct probe_options *o, struct source **ret, struct probe_report *report);
void probe_report_done(struct probe_report *r);
/* Is a program attached that tells this part of a source? */
bool probe_report_is_on(const struct probe_report *r, const char *probe, const char *part);

/* Sockets that were there before (TCP, all network namespaces, with their owners): yields EV_CONN records EXISTING and LISTEN.
 * Call after open, before the first drain. Count or -errno. */
int bpf_source_existing(struct source *s, source_fn *fn, void *arg);

/* One pass over the sockets that are known: yields an EV_HEALTH for each that moved since the last pass, has something queued or
 * a closed window, and for each listener; a last one, HEALTH_PASS, says that it was whole. Count, or -ENOSYS where the rung is
 * missing, or -errno. */
int bpf_source_health(struct source *s, source_fn *fn, void *arg);

/* Every thread of the node in one pass (iter/task). Count, or -ENOSYS where the rung is missing (then /proc). */
typedef void task_fn(void *arg, const struct ev_task *t);
int bpf_source_tasks(struct source *s, task_fn *fn, void *arg);

/* What profile_open() needs. 0; -ENOSYS where the kernel does not let CPUs be sampled, or it was left out. */
int bpf_source_profile(struct source *s, struct profile_probe *ret);

/* From now on only this much of the socket's payload is wanted: one of WISH_* (bpf/event.h). */
void bpf_source_wish(struct source *s, uint64_t cookie, int wish);

/* Descriptor of a map of the programs, for others that share it; the source's. -ENOENT. */
int bpf_source_map(struct source *s, const char *name);

/* Of all maps, or of the one of this name (0: there is none), as the kernel charged them. */
size_t bpf_source_map_bytes(struct source *s, const char *name);

/* The next drain is the last: what is read once a second only (counts of datagrams) is read by it too. */
void bpf_source_ends(struct source *s);

/* While it is on, the kernel adds up the CPU time of the programs, at the price of two clock readings a run. 0 or -errno. */
int bpf_source_measure(struct source *s, bool on);
/* CPU time that all programs took while they were measured. */
uint64_t bpf_source_run_ns(struct source *s);

/* From now on no more than this level is read and attached. Segments that were sent to the ring buffer before are of the level
 * before. 0; -EIO where a source could not be attached again. */
struct governor_level;
int bpf_source_limit(struct source *s, const struct governor_level *level);

#endif

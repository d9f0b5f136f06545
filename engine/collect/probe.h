/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe: the table of probes: which BPF program belongs to which, where it hooks in, and what is not known without it.
 */
#ifndef ROOTLE_COLLECT_PROBE_H
#define ROOTLE_COLLECT_PROBE_H

#include <stdbool.h>
#include <stddef.h>

enum probe_group { PROBE_PACKETS = 1, PROBE_SCHED = 2, PROBE_OTHER = 4 };

struct probe_row {
	const char *probe;      /* rows of one probe share the name */
	const char *program;    /* in the object */
	const char *hook;       /* for people */
	const char *tracepoint; /* what the kernel's BTF must know (btf_trace_…); NULL: nothing */
	const char *type;
	const char *rung;
	const char *lacks;
	enum probe_group group;
};

extern const struct probe_row probe_table[];
extern const size_t probe_table_n;

/* The first capability of those needed that this process lacks ("CAP_BPF" …), or NULL. */
const char *probe_missing_capability(void);

/* A descriptor of the root of the cgroup v2 hierarchy: of its mount, or of one that is mounted nowhere (fsopen), made for
 * us alone. The caller closes it. -errno where there is no cgroup v2. */
int probe_cgroup_root(void);

#endif

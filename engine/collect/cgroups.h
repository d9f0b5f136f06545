/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cgroups: the cgroups that have processes, and what their controllers count, on v1, v2 and hybrids of both.  Finds the
 * hierarchies by mountinfo; reads only directories that a process was said to be in, and their ancestors for limits.
 *
 * A row is named by cgroup_paths_main().  A controller whose own path for the process is an ancestor of that name counts more
 * than this cgroup, so its usage is left UNKNOWN; limits and throttling come from the tightest level at or above.
 * Where no controller counts a cgroup's CPU it is the sum of its processes', as long as they were seen.
 */
#ifndef ROOTLE_COLLECT_CGROUPS_H
#define ROOTLE_COLLECT_CGROUPS_H

#include "collect/bpf_source.h"
#include "facts/sample.h"

struct cgroups;

#define CGROUP_NONE UINT32_MAX    /* the root, or past the cap */

/* proc is open; sys is where /sys is. NULL out of memory. A node without cgroups is not an error. */
struct cgroups *cgroups_new(int procfd, const char *sys);
void cgroups_free(struct cgroups *c);

/* Begins a reading: no cgroup has processes yet. */
void cgroups_begin(struct cgroups *c);
/* The row of a process with this /proc/PID/cgroup (cut in place). Stays valid as long as it is used in every reading. */
uint32_t cgroups_find(struct cgroups *c, char *text);
/* This row has a process, which took that much CPU since the last reading. */
void cgroups_use(struct cgroups *c, uint32_t row, uint64_t cpu_ns);
/* The name of the row for ret, in its arena; NULL for CGROUP_NONE. The same pointer for every process of a reading. */
const char *cgroups_path(struct cgroups *c, uint32_t row, struct sample *ret);
/* Appends the rows used since cgroups_begin(); forgets those long unused. */
void cgroups_read(struct cgroups *c, struct sample *ret);

void cgroups_report(const struct cgroups *c, struct probe_report *r);

#endif

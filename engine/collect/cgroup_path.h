/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cgroup_path: the lines of /proc/PID/cgroup: where a process is in each hierarchy, and which of these places names it.
 */
#ifndef ROOTLE_COLLECT_CGROUP_PATH_H
#define ROOTLE_COLLECT_CGROUP_PATH_H

#include <stdbool.h>

enum cgroup_controller { CG_CPU, CG_CPUACCT, CG_MEMORY, CG_BLKIO, CG_PIDS, CG_SYSTEMD, CG_OTHER, CG_V2, CG_MAX };

struct cgroup_paths { const char *path[CG_MAX]; };   /* NULL: no such hierarchy */

/* The controller of a name as v1 has it ("cpu", "name=systemd"); CG_OTHER for those that are not sampled. */
enum cgroup_controller cgroup_controller_find(const char *name, int len);

/* Cuts `text` into lines in place; ret points into it. Lines that are not understood are left out. */
void cgroup_paths_parse(char *text, struct cgroup_paths *ret);

/*
 * The path that names the process, "/" at least.  Begins with the CPU controller's (its quota is what hurts) and goes down to
 * another hierarchy's only where that is a descendant: systemd without CPU accounting leaves cpu at /system.slice while
 * name=systemd is /system.slice/nginx.service.
 */
const char *cgroup_paths_main(const struct cgroup_paths *p);

/* Is `path` below `above` (not the same)? */
bool cgroup_is_below(const char *path, const char *above);

#endif

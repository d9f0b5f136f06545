/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbols_process: what code a process has mapped, from /proc/PID/maps; only executable mappings are kept.
 *
 * `image` is where the kernel put the stack at exec (mm->start_stack, field 28 of /proc/PID/stat): it tells a process from what it
 * was before an exec, and from another one that got its pid.
 */
#ifndef ROOTLE_COLLECT_SYMBOLS_PROCESS_H
#define ROOTLE_COLLECT_SYMBOLS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/vec.h"
#include "collect/host.h"

#define PROC_PATH_MAX (HOST_PATH_MAX + 128)     /* of a file below /proc/PID */
#define MAPPING_NAME_MAX 48
#define MAPPINGS_MAX 2048       /* executable ones of a process */

struct mapping {
	uint64_t start, end;
	uint64_t offset;                /* of start in the file */
	uint64_t inode;                 /* 0: of no file */
	uint64_t module;                /* whatever the owner of the list keeps with it; 0 at first */
	char name[MAPPING_NAME_MAX];    /* of the file, without directories; "[vdso]"; "" where there is none */
};

struct mappings { VEC(struct mapping) list; };

/* Appends the executable mappings of a text in the format of proc_pid_maps(5) that may end in the middle of a line: it is left
 * out. 0 or -ENOMEM; those past MAPPINGS_MAX are left out. */
int mappings_parse(struct mappings *m, const char *text);
/* Replaces the list by that of the process. 0; -ESTALE where it is another image by now, -ESRCH, -EACCES, -errno; the list is
 * then as it was. image 0: any. */
int mappings_read(struct mappings *m, const char *proc, uint32_t pid, uint64_t image);
void mappings_done(struct mappings *m);
/* That which has the address, or NULL. */
struct mapping *mapping_find(const struct mappings *m, uint64_t addr);
/* The pid that the process has in its own namespace, and whose files it makes; pid itself, and root, where that cannot be found out. */
struct process_own { uint32_t pid; uid_t uid; };
struct process_own process_own(const char *proc, uint32_t pid);

#endif

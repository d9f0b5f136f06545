/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process: who a process is, as engine/collect finds out and engine/model uses it.  Plain structs, no functions.
 */
#ifndef ROOTLE_FACTS_PROCESS_H
#define ROOTLE_FACTS_PROCESS_H

#include <stdint.h>

/* All strings live as long as the table that gave the struct says (ident.h: until the process is forgotten). */
struct process_ident {
	uint32_t pid, ppid;
	uint64_t start_ticks;     /* /proc/PID/stat field 22: with pid, the identity of the process */
	int64_t start_unix_ns;
	const char *comm;
	const char *exe;          /* path; "" where it cannot be read (kernel thread, gone) */
	const char *cmdline;      /* arguments joined by spaces, secrets masked (see ident.h); "" unknown */
	const char *cgroup;       /* path of the most specific cgroup, "/" at least */
	const char *service;      /* the name that people use (contract cli.md "Names of services") */
	const char *kind;         /* app db cache queue proxy dns node */
	const char *why;          /* where the name came from: "executable", "script of python3.11", "cgroup docker" */
	const char *version;      /* identity of what runs: hash of exe's (and the script's) inode, size and mtime; changes when the
	                           * executable or the script was replaced. "" unknown */
	uint32_t netns;           /* inode, 0 unknown */
	uint8_t kthread;
	uint8_t gone;             /* exited; the struct is kept for a while */
};

/* pid → ident; NULL where it is not known and can no longer be found. Cheap for known ones. */
struct ident_resolver {
	const struct process_ident *(*resolve)(void *arg, uint32_t pid);
	void *arg;
};

#endif

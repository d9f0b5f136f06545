/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process: who a process is, as engine/collect finds out and engine/model uses it.  Plain structs, no functions.
 */
#ifndef ROOTLE_FACTS_PROCESS_H
#define ROOTLE_FACTS_PROCESS_H

#include <stdbool.h>
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
	const char *image;        /* of its container, as it was asked for; "" unknown or in none */
	const char *version;      /* identity of what runs: hash of exe's (and the script's) inode, size and mtime; changes when the
	                           * executable or the script was replaced. "" unknown */
	uint32_t netns;           /* inode, 0 unknown */
	uint32_t session;         /* pid of its leader, 0 unknown */
	uint8_t kthread;
	uint8_t gone;             /* exited; the struct is kept for a while */
	uint8_t tool;             /* a program that may just do a service's work: not named by where it runs, nor by a script */
	uint8_t launcher;         /* starts other people's programs: these are none of its own */
	uint8_t whole;            /* all of this name are one service, also where they listen on different ports */
};

/* A service that is named by the port it listens on. */
struct process_rename { char service[64]; const char *why; uint8_t whole; };

/* pid → ident; NULL where it is not known and can no longer be found. Cheap for known ones. */
struct ident_resolver {
	const struct process_ident *(*resolve)(void *arg, uint32_t pid);
	/* Has what listens on this port another name? why lives as long as the resolver. May be NULL. */
	bool (*rename)(void *arg, uint32_t pid, uint16_t port, struct process_rename *ret);
	void *arg;
};

#endif

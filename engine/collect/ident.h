/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ident: who a process is and which service it belongs to: /proc/PID/{stat,exe,cmdline,cgroup,ns/net}, remembered from exec
 * to some time after exit, so that a connection of a process that is gone still has a name.
 *
 * Names: a rule of the user's (name_rules.h), else the container, pod or unit that it runs in (container.h), else the program: well-known
 * server, interpreter's script, jar, executable (ident_rule.h); helpers and workers (a process whose exe is its parent's) belong to the
 * parent's service.  Command lines are stored with secrets
 * masked: the values of arguments that look like passwords, tokens, keys, and of URLs' userinfo, become "***".
 */
#ifndef ROOTLE_COLLECT_IDENT_H
#define ROOTLE_COLLECT_IDENT_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/event.h"
#include "facts/process.h"

struct ident;
struct name_rules;

/* proc "/proc", or the node's elsewhere; rules: NULL none, else they live as long; max 0: 65536. NULL: no memory, no such folder. */
struct ident *ident_new(const char *proc, const struct name_rules *rules, uint32_t max_processes);
void ident_free(struct ident *t);

/* Known, or read now; NULL when it is gone and was never seen. Valid until ident_expire() after its exit. */
const struct process_ident *ident_get(struct ident *t, uint32_t pid);
/* exec: read anew; exit: marked gone; fork: the child is its parent until it execs. */
void ident_event(struct ident *t, const struct ev_proc *e);
/* A sample found the process in this cgroup. true: that is another one than was known, and who it is was read anew. */
bool ident_moved(struct ident *t, uint32_t pid, const char *cgroup);
/* A sample found that the process has used so much CPU time. true: it has executed something else since it was first known, and that
 * was not said yet. Only where no events tell; what has not run since it was last asked about is not looked at. */
bool ident_executed(struct ident *t, uint32_t pid, uint64_t cpu_ns);
/* Forgets those that exited before the previous call (call once a minute or so). */
void ident_expire(struct ident *t);

struct ident_resolver ident_resolver(struct ident *t);

/* Pure, for tests: the name for these facts. argv is NUL-separated, alen long. Fills name (cap >= 64), *kind, *why (static). */
struct container;
struct ident_facts {
	const char *comm, *exe, *argv;
	size_t alen;
	const char *cgroup, *cwd;                /* NULL not known */
	const struct container *container;       /* as its runtime has it; NULL none */
	bool contained;                          /* in a pid namespace of its own */
};
void ident_name(const struct ident_facts *f, char *name, size_t cap, const char **kind, const char **why);

#endif

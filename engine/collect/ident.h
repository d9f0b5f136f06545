/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ident: who a process is and which service it belongs to: /proc/PID/{stat,exe,cmdline,cgroup,ns/net}, remembered from exec
 * to some time after exit, so that a connection of a process that is gone still has a name.
 *
 * Names: the rows of ident_rules[] in order (container, unit, well-known server, interpreter's script, jar, program); helpers and
 * workers (a process whose exe is its parent's) belong to the parent's service.  Command lines are stored with secrets
 * masked: the values of arguments that look like passwords, tokens, keys, and of URLs' userinfo, become "***".
 */
#ifndef ROOTLE_COLLECT_IDENT_H
#define ROOTLE_COLLECT_IDENT_H

#include <stddef.h>

#include "bpf/event.h"
#include "facts/process.h"

struct ident;

struct ident *ident_new(const char *proc, uint32_t max_processes);   /* proc "/proc"; max 0: 65536 */
void ident_free(struct ident *t);

/* Known, or read now; NULL when it is gone and was never seen. Valid until ident_expire() after its exit. */
const struct process_ident *ident_get(struct ident *t, uint32_t pid);
/* exec: read anew; exit: marked gone; fork: the child is its parent until it execs. */
void ident_event(struct ident *t, const struct ev_proc *e);
/* Forgets those that exited before the previous call (call once a minute or so). */
void ident_expire(struct ident *t);

struct ident_resolver ident_resolver(struct ident *t);

/* Pure, for tests: the name for these facts. argv is NUL-separated, alen long. Fills name (cap >= 64), *kind, *why (static). */
struct ident_facts { const char *comm, *exe, *argv; size_t alen; const char *cgroup; };
void ident_name(const struct ident_facts *f, char *name, size_t cap, const char **kind, const char **why);

#endif

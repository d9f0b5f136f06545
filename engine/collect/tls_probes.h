/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_probes: plaintext of chosen processes, from probes on their TLS libraries (bpf/tls.bpf.c).  They write into the ring of the
 * BPF source, so that nobody behind it knows the difference.  Each hit costs microseconds: what it will cost is known before
 * (found, then looked at, then attached), and what it costs can be asked any time.
 *
 * Links, programs and maps belong to this process alone: any kind of exit detaches.
 */
#ifndef ROOTLE_COLLECT_TLS_PROBES_H
#define ROOTLE_COLLECT_TLS_PROBES_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/source.h"

struct tls_probes;

/* A process with a TLS library. */
struct tls_user {
	uint32_t pid;
	char comm[16];
	const char *library;      /* of struct tls_image; NULL: it has one that cannot be hooked, `error` says why */
	int error;
	uint64_t ops;             /* reads and writes of its sockets since it was found */
};

/* May this process be looked at? */
typedef bool tls_wanted_fn(void *arg, uint32_t pid);

/* bpf: the source whose ring is used; it must outlive the probes. proc: where the node's /proc is. everywhere: a library is hooked for all processes that map it,
 * those to come included; else for the wanted ones alone. 0; -EOPNOTSUPP: this kernel cannot; -errno. */
int tls_probes_open(struct source *bpf, const char *proc, bool everywhere, struct tls_probes **ret);
/* Takes all probes away, for good; does not wait until they are. */
void tls_probes_detach(struct tls_probes *p);
/* The same, and waits. NULL is none. */
void tls_probes_close(struct tls_probes *p);

/* Looks for processes that are wanted and have a library that they had not before (they are new, called exec, or loaded it: within
 * four seconds, where not hundreds of processes are new at a time), and begins to count what they do to their sockets. How many it
 * found, or -errno. Once a second: reads /proc, and the symbols of files not seen before. */
int tls_probes_find(struct tls_probes *p, tls_wanted_fn *wanted, void *arg);
/* Hooks the libraries of those found. The number of probes attached in all, or -errno (-E2BIG: there are too many). */
int tls_probes_attach(struct tls_probes *p);
/* The i-th of those found and alive; false past the last. ops is of now. */
bool tls_probes_user(struct tls_probes *p, size_t i, struct tls_user *ret);
/* Seconds of CPU that a hooked call takes more than one that is not, both of its probes together: measured on a function of our own. */
double tls_probes_call_s(const struct tls_probes *p);
/* Hits of probes so far; a call of C has two, one of Go too. */
uint64_t tls_probes_hits(const struct tls_probes *p);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_look: which processes to look at for a TLS library, now.  A process is another one after an exec, and may load a library at any
 * time: its mappings are worth reading when it is new, or when the size of what it has mapped is another than at the last look.  Both
 * stand in /proc/PID/stat.  One that maps and unmaps all the time is looked at less and less, down to once in four seconds.
 */
#ifndef ROOTLE_COLLECT_TLS_LOOK_H
#define ROOTLE_COLLECT_TLS_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "collect/procfs.h"

struct tls_look { struct map seen; };

enum tls_due { TLS_DUE_NOT = 0, TLS_DUE_NEW /* a process, or what it executes */, TLS_DUE_MORE /* what it maps */ };

void tls_look_init(struct tls_look *l);
void tls_look_done(struct tls_look *l);
/* Is this process to be looked at? now_ns: CLOCK_MONOTONIC. */
enum tls_due tls_look_due(const struct tls_look *l, const struct proc_stat *st, uint64_t now_ns);
/* It was, after that stat was read. */
void tls_looked(struct tls_look *l, const struct proc_stat *st, uint64_t now_ns);

#endif

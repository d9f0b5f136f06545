/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_target: which files a process has its TLS library in: its program, and mapped libraries of that name. */
#ifndef ROOTLE_COLLECT_TLS_TARGET_H
#define ROOTLE_COLLECT_TLS_TARGET_H

#include <stdint.h>
#include <sys/types.h>

#define TLS_TARGETS_MAX 8
#define TLS_PATH_LEN 512

/* A file that may have one; opened through /proc/PID, so that containers and replaced files are found too. */
struct tls_target { char path[TLS_PATH_LEN]; dev_t dev; ino_t ino; };

/* How many, or -errno (the process is gone, may not be looked at). proc: where the node's /proc is. */
int tls_targets(const char *proc, uint32_t pid, struct tls_target ret[TLS_TARGETS_MAX]);

#endif

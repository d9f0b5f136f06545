/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel_can: what this process may and this kernel can: capabilities, its version, and what it lets programs do, found out by
 * loading ones of a few instructions, once (about a millisecond in all).
 */
#ifndef ROOTLE_COLLECT_KERNEL_CAN_H
#define ROOTLE_COLLECT_KERNEL_CAN_H

#include <stdbool.h>
#include <stdint.h>

struct btf;

/* CAN_* (probe.h). kernel_btf is the kernel's own, NULL where it has none; file_btf: another one was given. */
uint32_t kernel_can(const struct btf *kernel_btf, bool file_btf);

/* The first capability of those that the probes need and this process lacks ("CAP_BPF" …), or NULL. */
const char *kernel_missing_capability(void);

/* Is a kernel of this release (uname -r: "5.10.0-28-cloud-amd64") older than the ring buffer, 5.8? Not where it cannot be read,
 * and what a distribution has added to an older one is not known from its release. */
bool kernel_release_is_old(const char *release);

#endif

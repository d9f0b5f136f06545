/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * certificates: answers which certificate a server shows (cert_files.h), from a thread of its own at low priority: a file system
 * that hangs, or a configuration of thousands of files, must hold up nobody.  An answer is a minute old at most.
 */
#ifndef ROOTLE_COLLECT_CERTIFICATES_H
#define ROOTLE_COLLECT_CERTIFICATES_H

#include "facts/certificate.h"

struct certificates;

/* proc: where the node's /proc is. NULL: no memory, or no thread. */
struct certificates *certificates_new(const char *proc);
/* Waits a second for the thread; one that hangs in a file is left behind. NULL is none. */
void certificates_free(struct certificates *c);
/* Its ask() belongs to c; c NULL: one that is not there. */
struct certificate_resolver certificates_resolver(struct certificates *c);

#endif

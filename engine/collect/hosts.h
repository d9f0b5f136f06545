/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hosts: names of addresses in /etc/hosts as each process sees it (/proc/PID/root: that of its container, or of its named network
 * namespace).  An answer is remembered for a while, also that there is none.
 */
#ifndef ROOTLE_COLLECT_HOSTS_H
#define ROOTLE_COLLECT_HOSTS_H

#include "facts/hosts.h"

struct hosts;

struct hosts *hosts_new(const char *proc);      /* proc: that of the node. NULL: no memory */
void hosts_free(struct hosts *h);
struct hosts_resolver hosts_resolver(struct hosts *h);  /* h NULL: one that knows nothing */

/* Pure: the first name of the first line of the text that has this address. False: none, or longer than fits. */
bool hosts_find(const char *text, const uint8_t ip[16], char *name, size_t cap);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockets: TCP connections and listeners without BPF: NETLINK_SOCK_DIAG in every network namespace that a process is in
 * (else /proc/PID/net/tcp{,6}), owners by the inodes in /proc/PID/fd.  A source: drain() takes one full reading and yields EV_CONN
 * records: EXISTING and LISTEN on the first sight of a socket, RETRANS for growth of its counter, CLOSE when it is no longer there.
 */
#ifndef ROOTLE_COLLECT_SOCKETS_H
#define ROOTLE_COLLECT_SOCKETS_H

#include "collect/source.h"

int sockets_source_open(const char *proc, struct source **ret);    /* 0 or -errno */

#endif

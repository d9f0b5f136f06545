/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netns: netlink sockets in other network namespaces.
 */
#ifndef ROOTLE_COLLECT_NETNS_H
#define ROOTLE_COLLECT_NETNS_H

#include <stdint.h>

/* A netlink socket (NETLINK_*) in the namespace that this file is ("7/ns/net" below procfd, "/run/netns/blue"); it keeps the namespace
 * alive until closed. Reading from it waits for a second at most. The caller's thread stays where it is. A descriptor, or -errno
 * (-EPERM without CAP_SYS_ADMIN, for other namespaces than ours). */
int netns_socket(int procfd, const char *path, int protocol);

/* The inode number of the namespace; 0 where it cannot be told. */
uint32_t netns_inode(int procfd, const char *path);

#endif

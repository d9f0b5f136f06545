/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockdiag: all TCP sockets of one network namespace: by NETLINK_SOCK_DIAG (sock_diag(7)), or from the text of /proc/PID/net/tcp.
 */
#ifndef ROOTLE_COLLECT_SOCKDIAG_H
#define ROOTLE_COLLECT_SOCKDIAG_H

#include <stdbool.h>
#include <stdint.h>

struct sock {
	uint64_t cookie;          /* SO_COOKIE; from /proc, where there is none: the inode with the top bit set */
	uint32_t netns, inode;
	uint8_t state;            /* TCP_ESTABLISHED … (tcp_states.h) */
	uint8_t family;           /* 4 or 6 */
	uint16_t lport, rport;
	uint8_t laddr[16], raddr[16];
	uint32_t rx_queue, tx_queue;
	uint32_t srtt_us, min_rtt_us, retrans;
	uint64_t bytes_out, bytes_in;
};

typedef void sock_fn(void *arg, const struct sock *s);

/* A netlink socket in the network namespace of that /proc/PID/ns/net; it keeps the namespace alive until closed. The caller's
 * thread stays where it is. A descriptor, or -errno (-EPERM without CAP_SYS_ADMIN, for other namespaces than ours). */
int sockdiag_open(int procfd, uint32_t pid);
/* Every TCP socket but those in TIME_WAIT and half-open requests; netns is left 0. Count or -errno. Blocks only for the kernel. */
int sockdiag_dump(int fd, sock_fn *fn, void *arg);

/* The sockets of one /proc/PID/net/tcp or tcp6 text. Lines that are not understood are left out. Count. */
int sockdiag_parse(const char *text, int family, sock_fn *fn, void *arg);

#endif

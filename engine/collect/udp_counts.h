/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_counts: what the kernel side has counted of datagrams by socket and peer (bpf/udp.h), as EV_CONN records of UDP
 * once a second: OWNER with the totals of each pair that has spoken since, CLOSE for one that is silent and leaves the
 * table.
 */
#ifndef ROOTLE_COLLECT_UDP_COUNTS_H
#define ROOTLE_COLLECT_UDP_COUNTS_H

#include "collect/source.h"

struct udp_counts {
	int map_fd;
	uint64_t read_ns;       /* last reading, CLOCK_MONOTONIC */
	uint64_t told_ns;       /* until when datagrams were told of */
};

/* map_fd stays the caller's. */
void udp_counts_init(struct udp_counts *u, int map_fd);
/* Reads the table where the last time is a second ago. Records handed on, or -errno. */
int udp_counts_read(struct udp_counts *u, uint64_t now_ns, source_fn *fn, void *arg);

/* The role of the local socket: who is asked has the only port that is not from the ephemeral range, else did not speak
 * first. first: the direction of the first datagram. */
uint8_t udp_role(uint16_t lport, uint16_t rport, uint8_t first);

#endif

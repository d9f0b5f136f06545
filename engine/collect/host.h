/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host: where the node's /proc and /sys are, also from within a container that has them mounted elsewhere.  Everything that reads
 * them is given these paths.
 */
#ifndef ROOTLE_COLLECT_HOST_H
#define ROOTLE_COLLECT_HOST_H

#include <stdbool.h>
#include <stdint.h>

#define HOST_PATH_MAX 1024

struct host {
	char proc[HOST_PATH_MAX], sys[HOST_PATH_MAX];
	uint32_t self;          /* our own pid as the node has it; that of our namespace where it cannot be known */
	bool moved;             /* not /proc and /sys */
	bool narrow;            /* it is the node's, and we are in a pid namespace of our own: iterators show us that one only */
	bool foreign;           /* that /proc is of another pid namespace than the node's, whose pids the probes tell */
};

/* root: the directory that has proc/ and sys/; NULL: /, or /host where we are in a pid namespace of our own and the node's
 * /proc is mounted there. 0, or -ENOENT where root has no procfs, -ENAMETOOLONG. */
int host_find(struct host *h, const char *root);

#endif

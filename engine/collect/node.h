/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * node: the numbers of the whole node, its block devices and network interfaces: /proc/{stat,meminfo,vmstat,pressure/…,diskstats},
 * /proc/net/{dev,netstat,snmp}.  Descriptors are kept open; memory is one buffer.
 */
#ifndef ROOTLE_COLLECT_NODE_H
#define ROOTLE_COLLECT_NODE_H

#include "collect/bpf_source.h"
#include "collect/procfs.h"
#include "facts/sample.h"

#define NODE_BUF_BYTES (256 << 10)   /* /proc/stat has a counter for each interrupt; untouched pages cost nothing */

enum node_file {
	NODE_STAT, NODE_MEMINFO, NODE_VMSTAT, NODE_PSI_CPU, NODE_PSI_MEM, NODE_PSI_IO, NODE_DISKSTATS,
	NODE_NET_DEV, NODE_NETSTAT, NODE_SNMP, NODE_FILES
};

struct node {
	int procfd;                       /* not owned */
	struct kept_file file[NODE_FILES];
	int error[NODE_FILES];            /* of the last reading: 0 or -errno */
	uint64_t tick_ns;                 /* of one clock tick */
	char *buf;                        /* NODE_BUF_BYTES */
};

/* 0 or -ENOMEM. */
int node_init(struct node *n, int procfd);
void node_done(struct node *n);

/* Fills ret->node, devices and interfaces; what cannot be read is UNKNOWN. -errno where neither stat nor meminfo is there. */
int node_read(struct node *n, struct sample *ret);
/* A line for each file that the last reading lacked. */
void node_report(const struct node *n, struct probe_report *r);

/* "some avg10=… total=N\nfull … total=N" of a PSI file; UNKNOWN for what is missing. */
struct sample_psi psi_parse(const char *text);

#endif

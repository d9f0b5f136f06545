/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conntrack: whose addresses are translated on their way (DNAT, SNAT, masquerading, redirection: services of Kubernetes, published
 * ports of containers), as the kernel's connection tracking knows it.  A source of EV_NAT records from every network namespace that a
 * process is in or that has a name in /run/netns: NETLINK_NETFILTER, what is there already and then each beginning and end; of what is
 * not translated the kernel sends nothing here.  Where that may not be had, /proc/PID/net/nf_conntrack is read once a second.
 *
 * Nothing is asked, so no module is loaded, where connections are not tracked.
 */
#ifndef ROOTLE_COLLECT_CONNTRACK_H
#define ROOTLE_COLLECT_CONNTRACK_H

#include "collect/bpf_source.h"
#include "collect/source.h"

struct conntrack_counters {
	uint64_t overruns;      /* times that the kernel had more than the socket takes: all was listed anew */
	uint64_t spaces;        /* namespaces that there was no room for */
	uint64_t cut;           /* texts that were longer than is read */
};

/* proc: of the host. Finds the namespaces. 0 or -errno. */
int conntrack_open(const char *proc, struct source **ret);
/* Once a second: namespaces that came and went. */
void conntrack_look(struct source *s);
/* A process of this namespace was seen: it need not be looked for. */
void conntrack_see(struct source *s, uint32_t netns, uint32_t pid);
void conntrack_counters(struct source *s, struct conntrack_counters *ret);
/* Its line; the strings are static. What was there already is still handed on after it. */
void conntrack_report(struct source *s, struct probe_report *r);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attach: which events are wanted: --port, --cgroup and their --exclude- forms.  Processes are narrowed in the kernel
 * (probe_options) as far as it can; what it cannot is decided here, once for each socket.
 */
#ifndef ROOTLE_CLI_ATTACH_H
#define ROOTLE_CLI_ATTACH_H

#include <stdbool.h>

#include "base/map.h"
#include "bpf/event.h"
#include "collect/bpf_source.h"
#include "facts/process.h"
#include "options.h"

struct attach_filter {
	const struct options *o;        /* NULL: everything is wanted */
	struct ident_resolver ident;
	struct map refused;             /* cookies of sockets that are not wanted */
	bool active;
};

void attach_filter_init(struct attach_filter *f, const struct options *o, struct ident_resolver ident);
void attach_filter_done(struct attach_filter *f);
/* Is this record wanted? Records of processes always are: names depend on them. */
bool attach_wanted(struct attach_filter *f, const struct ev_hdr *ev);

/* Are samples of this process wanted? */
bool attach_process_wanted(const struct attach_filter *f, uint32_t pid);

#define KERNEL_FILTER_MAX 16    /* entries of each list that the probes compare (FILTER_MAX of the BPF side) */

/* What the kernel side can narrow itself, this process (self, as the node numbers it) left out; longer lists are
 * attach_wanted()'s alone. probe_options_done() frees it. 0 or -ENOMEM. o may be NULL. */
int probe_options_from(struct probe_options *po, const struct options *o, uint32_t self);
void probe_options_done(struct probe_options *po);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_private: what the files of the BPF source share: bpf_source.c (its life, reading), bpf_load.c (choosing, loading and
 * attaching), bpf_report.c (what came of it), bpf_iter.c (iterators).
 */
#ifndef ROOTLE_COLLECT_BPF_PRIVATE_H
#define ROOTLE_COLLECT_BPF_PRIVATE_H

#include "bpf/probes.skel.h"
#include "collect/bpf_source.h"
#include "collect/ladder.h"
#include "collect/ring.h"
#include "collect/udp_counts.h"

struct bpf_source {
	struct source source;
	struct probes_bpf *skel;
	struct ladder ladder;
	struct bpf_link *links[LADDER_PARTS][2];        /* of a part's program and the one beside it; NULL: not attached */
	struct ring ring;
	bool parked[LADDER_PARTS];      /* detached by bpf_source_limit() */
	uint64_t *wishes;
	uint32_t wish_slots;
	uint64_t seen[SEEN_MAX];
	struct udp_counts udp;
	int stats_fd;                   /* as long as it is open, the kernel measures programs; -1 */
};

static inline struct bpf_source *bpf_source_of(struct source *s)
{
	return (struct bpf_source *)s;
}

/* Chooses the rungs, loads, attaches. A rung that does not work out is left for the next; it costs loading anew. 0; -ENOSYS where
 * nothing can be attached; -errno. The ladder says why in either case. */
int bpf_load(struct bpf_source *b, const struct probe_options *o);

/* The programs of a part, of its rung. 0 or -errno (then none is attached). cgroup_fd: -errno where there is none. */
int bpf_part_attach(struct bpf_source *b, size_t part, int cgroup_fd);
void bpf_part_detach(struct bpf_source *b, size_t part);

/* why_all: no program is there, and this is why; else NULL. */
void bpf_report(struct probe_report *r, const struct bpf_source *b, const char *why_all);

/* The link of the program of this part ("threads") of a source ("tasks"), or NULL. */
struct bpf_link *bpf_link_of(const struct bpf_source *b, const char *source, const char *part);

#endif

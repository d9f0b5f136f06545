/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sampler: reads the node, processes, cgroups (v1, v2, hybrid) and devices into a struct sample.  Blocks only as long as /proc
 * does.  Keeps descriptors open between readings where that saves work; bounded by its options.
 */
#ifndef ROOTLE_COLLECT_SAMPLER_H
#define ROOTLE_COLLECT_SAMPLER_H

#include "collect/bpf_source.h"
#include "facts/sample.h"

struct sampler;

struct sampler_options {
	const char *proc;          /* "/proc"; a container's mount of the host's, or a test's tree */
	const char *sys;           /* "/sys" */
	struct source *bpf;        /* for its task iterator; NULL: /proc only */
	uint32_t max_processes;    /* 0: 16384 */
};

struct sampler *sampler_new(const struct sampler_options *o);   /* NULL with errno */
void sampler_free(struct sampler *s);
/* Fills ret (initialised by sample_init()); earlier contents are dropped. 0, or -errno where not even the node's numbers
 * could be read. */
int sampler_read(struct sampler *s, struct sample *ret);
/* What could not be read, as lines like those of the probes ("cgroup" "v1" …). */
void sampler_report(struct sampler *s, struct probe_report *r);

void sample_init(struct sample *s);
void sample_done(struct sample *s);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * budget: what recording costs the node, measured and held below --cpu-budget: this process's CPU time and that of the BPF
 * programs, which runs in other processes' time.  Measuring programs costs two clock readings a run: a tenth of a second
 * stands for all of it, and while recording costs next to nothing for the seconds that follow too.
 */
#ifndef ROOTLE_CLI_BUDGET_H
#define ROOTLE_CLI_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/governor.h"
#include "collect/source.h"

struct budget {
	struct source *bpf;             /* NULL: none; borrowed */
	struct governor governor;
	bool measuring;                 /* programs are being measured, since: */
	unsigned unmeasured;            /* seconds since */
	uint64_t from_ts;
	uint64_t from_run_ns;
	double probes_cores;            /* CPU time of the programs a second, when measured last */
	uint64_t last_ts;               /* of the last reading, and this process's CPU time then */
	double last_cpu_s;
	double probes_s;                /* CPU time of the programs so far, extrapolated */
};

/* budget_ratio: NaN: measured only. now: CLOCK_MONOTONIC. */
void budget_begin(struct budget *b, struct source *bpf, double budget_ratio, uint64_t now_ns);
/* Often: ends the measuring when it was long enough. */
void budget_poll(struct budget *b, uint64_t now_ns);
/* Each second. True where another level is to be in force: governor_table[b->governor.level]; why is a sentence for the timeline. */
bool budget_tick(struct budget *b, uint64_t now_ns, char *why, size_t cap);

/* CPU time of this process so far, s. */
double own_cpu_s(void);
long cpus_online(void);

#endif

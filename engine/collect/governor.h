/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * governor: keeps what recording costs below a share of the node.  Readings go in, a level comes out; it asks no clock, does no
 * I/O and applies nothing: who calls it does (bpf_source_limit, model_weight).
 *
 * The levels are rows of governor_table[], from everything to next to nothing: smaller heads of payload first, then whole
 * connections are left out (one of 2, 4 … 64 is read and its requests count for as many), then sources.
 *
 * Steps down are taken before the mean of ten seconds reaches the budget, as many at once as the excess asks for (each halves what
 * depends on traffic); a step up when that mean is below half of it.  A step up that does not last makes the next wait
 * twice as long, so that a load at the border does not swing.
 */
#ifndef ROOTLE_COLLECT_GOVERNOR_H
#define ROOTLE_COLLECT_GOVERNOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GOVERNOR_READINGS 10            /* of about a second each: what the budget is averaged over */

struct governor_level {
	const char *text;               /* for people: what is still read */
	bool small_heads;               /* the first COPY_HEAD_SMALL bytes of a segment, unless all of it is wished for */
	uint8_t shift;                  /* one of 1 << shift connections is read */
	uint32_t off;                   /* PROBE_* groups that are detached */
};

extern const struct governor_level governor_table[];
extern const size_t governor_table_n;

struct governor {
	double budget_ratio;            /* of the node; NaN: off */
	double dur_s[GOVERNOR_READINGS], used_s[GOVERNOR_READINGS];     /* rings; used: node-seconds */
	size_t n, at;                   /* readings taken, place of the next */
	unsigned level;                 /* row of governor_table[] in force */
	unsigned since;                 /* readings since it changed */
	double hold_s, held_s;          /* a step up comes this long after the last change; so long ago that was */
	bool climbed;                   /* the last change was a step up */
};

/* budget_ratio: share of the node's CPU time, NaN: none, the level stays 0. */
void governor_init(struct governor *g, double budget_ratio);

/* A reading: within dur_s (> 0) recording used this share of the node. True where the level is another one now. */
bool governor_read(struct governor *g, double dur_s, double used_ratio);

/* Mean share of the last ten readings; 0 before the first. */
double governor_mean(const struct governor *g);

#endif

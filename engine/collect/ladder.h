/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ladder: which rung of each part of each source is stood on, and why not a better one.  Pure: from the table (probe.h), what the
 * kernel can, what its BTF knows and what is wished.
 */
#ifndef ROOTLE_COLLECT_LADDER_H
#define ROOTLE_COLLECT_LADDER_H

#include "collect/probe.h"

#define LADDER_PARTS 64
#define LADDER_WHY 256

struct ladder_wish {
	bool no_packets, no_sched, no_iterators, no_profile;
	const char *rungs;      /* "owners=kprobe,sockets=tracepoint": the best rung that a source may take, for comparing
				 * them (parts without that rung are not affected; "absent" all have); "btf=absent": as if the
				 * kernel had none. NULL: the best there is */
};

struct ladder_part {
	size_t first, n;        /* rows of the table */
	size_t at;              /* the rung, an index of the table */
	bool idle;              /* not of use as the others stand: no line in the report */
	char why[LADDER_WHY];   /* why not a better rung: "tp_btf: …; fexit: …"; "" where it is the best */
};

struct ladder {
	const struct probe_row *rows;
	uint32_t can;
	struct ladder_part parts[LADDER_PARTS];
	size_t n;
	bool state_in_hash;     /* some program that keeps states cannot reach socket storage */
};

/* known[i]: this BTF has what rows[i].knows. -E2BIG where the table has more parts than LADDER_PARTS. */
int ladder_choose(struct ladder *l, const struct probe_row *rows, size_t n, uint32_t can, const bool *known,
                  const struct ladder_wish *w);

/* The rung of the part that has this program did not work out: to the next that may. false: it has no such program. */
bool ladder_step_down(struct ladder *l, const char *program, const bool *known, const char *why);

/* The row that a part stands on. */
const struct probe_row *ladder_row(const struct ladder *l, size_t part);

/* Does the text wish this source onto this rung? */
bool ladder_wishes(const char *rungs, const char *source, const char *rung);

/* 0, or -EINVAL where the text of ladder_wish.rungs is none: *bad and *len are the part of it that is wrong. */
int ladder_wish_check(const char *rungs, const char **bad, size_t *len);

/* What may stand in place of a part of it that is wrong, as a list in buf ("tp_btf, kprobe, absent"): rungs of its source; where
 * there is no such source *source is false, and sources are listed. */
const char *ladder_wish_choices(const char *bad, size_t len, bool *source, char *buf, size_t cap);

#endif

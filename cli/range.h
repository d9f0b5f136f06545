/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * range: which part of a recording is meant by --since, --until and --last.  Pure: what there is and what time it is are given.
 */
#ifndef ROOTLE_CLI_RANGE_H
#define ROOTLE_CLI_RANGE_H

#include "options.h"

struct range {
	int64_t since_ns, until_ns;     /* [since, until), cut to what there is; equal: nothing */
	bool explicit_;                 /* any of the three options was given */
	bool cut_before, cut_after;     /* more was asked for than there is */
};

/*
 * first_ns and last_ns: begin of the first and end of the last tick there is; equal: an empty recording.  --until
 * defaults to the end; --last counts back from --until, or where that is not given from the end of the recording (a
 * recording that is being written ends now).  0, or -EINVAL where the options contradict each other (why is set, static).
 */
int range_resolve(const struct options *o, int64_t first_ns, int64_t last_ns, struct range *ret, const char **why);

/* Tells the absolute range on stderr, and where it was cut. */
void range_say(const struct range *r, int64_t first_ns, int64_t last_ns);

#endif

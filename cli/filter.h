/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter: --service, --protocol, --op, --status, --min-latency, --max-latency, --sort and --limit, the same for all tables.
 *
 * Protocol and operation choose requests: numbers are of those alone.  Status and latency choose rows: one stays where any request
 * of it ended so, and where its p95 (of a trace: its duration) is within the bounds; its numbers are of all its requests.
 */
#ifndef ROOTLE_CLI_FILTER_H
#define ROOTLE_CLI_FILTER_H

#include <sys/types.h>

#include "model/summary.h"
#include "options.h"

enum filter_rows { FILTER_NOTHING, FILTER_OPS, FILTER_EDGES, FILTER_SERVICES, FILTER_MAP, FILTER_TRACES };

struct filter {
	const struct options *o;
	const struct window *w;
	enum filter_rows rows;
	bool *edge, *op;           /* by number in the window; NULL: all */
};

/* What the options contradict each other in, found before anything is opened: told, EXIT_USAGE; else 0. */
int filter_check(const struct options *o);

/* Are rows chosen at all? */
bool filter_is_set(const struct options *o);

/* 0, or an exit code after one line on stderr: a protocol that there is not, no memory. All is borrowed. */
int filter_init(struct filter *f, const struct options *o, const struct window *w, enum filter_rows rows);
void filter_done(struct filter *f);

/* What the summary is to be made of. */
struct sum_only filter_only(const struct filter *f);
/* Takes the rows out of it that are not wanted, sorts the others, cuts them to --limit. How many --limit cut; negative: no memory. */
ssize_t filter_summary(const struct filter *f, struct summary *s);

/* Is this what --status asks for? Always, without one. failed: it counts as an error of the service. */
bool filter_status(const struct options *o, int status, const char *detail, const char *error, bool failed);
/* Is it within --min-latency and --max-latency? NaN only where there are none. */
bool filter_latency(const struct options *o, double ms);
/* Does the text contain the pattern, or, where it has a '*', match it as a whole? Letters of either case are the same. */
bool filter_text(const char *pattern, const char *text);

#endif

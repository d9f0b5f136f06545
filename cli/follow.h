/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * follow: `requests --follow`: the rows of each tick as it arrives.  Where nobody is recording, as root, a recorder of its own
 * runs beside it and ends with it.
 */
#ifndef ROOTLE_CLI_FOLLOW_H
#define ROOTLE_CLI_FOLLOW_H

#include "rows.h"

#define REQUESTS_LOAD (LOAD_REQUESTS | LOAD_HISTS | LOAD_OUTCOMES)

/* Until SIGINT, SIGTERM, a closed pipe, --until, or the end of the recording. Returns the exit code. */
int requests_follow(struct options *o);

/* cmd_requests.c: what both have in common. tick: the row names its tick (t, dur_s) instead of a range. */
const char *op_text(const struct window *w, uint32_t op);
bool request_wanted(const struct options *o, const struct window *w, const struct sum_op *p);
size_t json_requests(const struct summary *s, const struct options *o, struct json *j, bool tick);

#endif

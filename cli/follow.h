/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * follow: `--follow`: the rows of each tick as it arrives.  Where nobody is recording, as root, a recorder of its own
 * runs beside it and ends with it.
 */
#ifndef ROOTLE_CLI_FOLLOW_H
#define ROOTLE_CLI_FOLLOW_H

#include "rows.h"

/* Until SIGINT, SIGTERM, a closed pipe, --until, or the end of the recording. Returns the exit code. */
int rows_follow(const struct rows *rows, struct options *o);

#endif

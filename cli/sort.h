/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sort: the keys of --sort, a table of them for each command, and the sorting by one.
 */
#ifndef ROOTLE_CLI_SORT_H
#define ROOTLE_CLI_SORT_H

#include "model/window.h"

/* One of both: the greatest number first, what is not known last; or the first in the alphabet. */
struct sort_key {
	const char *name;            /* NULL ends a table */
	double (*value)(const void *row);
	const char *(*text)(const struct window *w, const void *row);
};

/* Rows are struct sum_op, sum_edge, sum_service and sum_trace. */
extern const struct sort_key sort_requests[], sort_edges[], sort_services[], sort_traces[];

/* NULL: there is none of that name. */
const struct sort_key *sort_find(const struct sort_key *table, const char *name);
/* Equal rows stay in their order. key NULL: all do. 0 or -ENOMEM. */
int sort_rows(const struct sort_key *key, const struct window *w, void *rows, size_t n, size_t size);

#endif

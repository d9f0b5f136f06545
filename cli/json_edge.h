/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_edge: the row of an edge, the same in `edges` and `map`.
 */
#ifndef ROOTLE_CLI_JSON_EDGE_H
#define ROOTLE_CLI_JSON_EDGE_H

#include "rows.h"

void json_edge(struct json *j, const struct summary *s, const struct options *o, const struct sum_edge *e);

#endif

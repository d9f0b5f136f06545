/* SPDX-License-Identifier: BSD-2-Clause */
/* map_dot: the map for Graphviz, on stdout: `rootle map --dot | dot -Tsvg`.  Nothing is folded but clients from outside. */
#ifndef ROOTLE_CLI_MAP_DOT_H
#define ROOTLE_CLI_MAP_DOT_H

#include "model/summary.h"

/* How many nodes and edges; 0: there is nothing on it. */
size_t map_dot_print(const struct summary *s, const char *service);

#endif

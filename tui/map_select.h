/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_select: which services and calls are on a map.
 */
#ifndef ROOTLE_TUI_MAP_SELECT_H
#define ROOTLE_TUI_MAP_SELECT_H

#include "model/summary.h"

/* By service of the window: all of them, or those that call `service` or are called by it, directly or not (NULL: all; a
 * name that nobody has: none). Caller frees; NULL: no memory. */
bool *map_wanted(const struct summary *s, const char *service);

/* Had it a request or a connection in the range, and are both its ends wanted? */
bool map_edge_shown(const struct summary *s, const bool *wanted, const struct sum_edge *e);

#endif

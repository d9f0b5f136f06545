/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_text: numbers of calls in as few columns as they can be said in.
 */
#ifndef ROOTLE_TUI_MAP_TEXT_H
#define ROOTLE_TUI_MAP_TEXT_H

#include "tui/map_graph.h"

#define MAP_TEXT 48

/* Into at most `width` columns, 5 or more, as precise as fits: "58.6/s" "59/s" "12k/s" "2.4/m"; "65.3ms" "450us"
 * "1.2s"; "3.3%" "<.1%".  "-" for what is not known. All return buf. */
char *map_rate(char buf[MAP_TEXT], double per_s, int width);
char *map_time(char buf[MAP_TEXT], double ms, int width);
char *map_ratio(char buf[MAP_TEXT], double ratio);

/* What stands in place of the numbers of a call where there are none, or nothing comes back: "3 open", "refused"; NULL:
 * its numbers do. */
const char *map_words(char buf[MAP_TEXT], const struct map_edge *e);
/* Errors of its requests; without any what else makes it not well, as far as `width` columns have room; "": it is well. */
const char *map_errors(char buf[MAP_TEXT], const struct map_edge *e, int width);
/* "0.25c", "12c" */
char *map_cores(char buf[MAP_TEXT], double cores);

#endif

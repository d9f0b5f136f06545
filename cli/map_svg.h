/* SPDX-License-Identifier: BSD-2-Clause */
/* map_svg: the map as one SVG file without scripts: the drawing that the terminal shows, with nothing folded but
 * clients from outside. */
#ifndef ROOTLE_CLI_MAP_SVG_H
#define ROOTLE_CLI_MAP_SVG_H

#include "model/summary.h"

/* Writes the file anew. How many services and calls are on it, 0: none, and no file; ROWS_FAILED after one line on
 * stderr. */
size_t map_svg_write(const struct summary *s, const char *service, const char *path);

#endif

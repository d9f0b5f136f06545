/* SPDX-License-Identifier: BSD-2-Clause */
/* flame_svg: a flame graph as one SVG file without scripts: width is time, what calls stands on what it calls; a
 * tooltip has the numbers. */
#ifndef ROOTLE_CLI_FLAME_SVG_H
#define ROOTLE_CLI_FLAME_SVG_H

#include "model/flame.h"

/* Writes the file anew. 0, or an exit code after one line on stderr. */
int flame_svg_write(const struct flame *f, const char *path);

#endif

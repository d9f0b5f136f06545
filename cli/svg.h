/* SPDX-License-Identifier: BSD-2-Clause */
/* svg: what the drawings in SVG share. */
#ifndef ROOTLE_CLI_SVG_H
#define ROOTLE_CLI_SVG_H

#include <stdio.h>

/* A text as XML wants it. Bytes that are no text are the caller's business (text_clean). */
void svg_put_escaped(FILE *out, const char *s);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import: what the reading of a file (import.c) and the meaning of its lines (import_rows.c) share.  A type of line is a
 * row of import_types[].
 */
#ifndef ROOTLE_STORE_IMPORT_H
#define ROOTLE_STORE_IMPORT_H

#include <jansson.h>

#include "store/handle.h"

struct tick_key { int64_t t_ns, dur_ns; };

struct import {
	struct store *s;
	struct import_stats *stats;
	struct map ticks;             /* struct tick_key → int64_t row */
	struct hist hist;             /* scratch */
	json_t *line;
	char problem[192];            /* why the line is refused; "": it is not */
};

struct import_type {
	const char *name;
	const char *keys;             /* that are understood, separated by spaces, or commas and spaces */
	int (*row)(struct import *im);
};

extern const struct import_type import_types[];   /* ends with a NULL name */

/* Notes why the line is refused (the first reason stays). Returns -EINVAL. */
int import_refuse(struct import *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Values of the line. What is required and missing, or of another kind, refuses it. Not there or null: NULL, NaN, 0. */
const char *import_text(struct import *im, const char *key, bool required);
double import_number(struct import *im, const char *key, bool required);
/* Refused below 0; import_count also where it cannot be exact. */
double import_amount(struct import *im, const char *key, bool required);
double import_count(struct import *im, const char *key, bool required);
/* May the end of an interval be stored? */
bool import_time_fits(double ns);
/* Seconds, as nanoseconds in whole microseconds. */
int64_t import_time(struct import *im, const char *key, bool required);
/* The tick row of "t" and "dur_s"; fresh: another one with the same interval, because the first has such a fact already. */
int64_t import_tick(struct import *im, bool fresh);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* say: numbers, times and commands as a sentence has them.  All texts live in the report's arena. */
#ifndef ROOTLE_EXPLAIN_SAY_H
#define ROOTLE_EXPLAIN_SAY_H

#include "explain/study.h"

const char *say_ms(struct study *s, double ms);              /* "41 ms", "2.3 s", "unknown" */
const char *say_share(struct study *s, double ratio);        /* "92 %", "0.3 %" */
const char *say_value(struct study *s, double v, const char *unit);   /* "1.2 MB/s", "0.4 cores" */
const char *say_time(struct study *s, int64_t t_ns);         /* local clock, "14:05:06" */
/* A version; of a long hash the first twelve digits */
const char *say_version(struct study *s, const char *version);
/* A command that shows the rows of a service around the incident: `rootle WHAT --service NAME --since T --until T`. */
const char *say_query(struct study *s, const char *what, uint32_t service);
/* The same up to now, short enough for the line of an advice. */
const char *say_check(struct study *s, const char *what, uint32_t service);
/* The name as one word of a shell. */
const char *say_word(struct study *s, const char *name);
/* "latency 0.4 ms → 38 ms" with "before" left out where unknown */
const char *say_change(struct study *s, const char *before, const char *after, bool known);

#endif

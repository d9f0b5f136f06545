/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario: what can be broken in the demo's system, a row each.  To add one: a function and a row.
 */
#ifndef ROOTLE_DEMO_SCENARIO_H
#define ROOTLE_DEMO_SCENARIO_H

#include "system.h"

struct scenario {
	const char *name;
	const char *what;                       /* is done to the system, one sentence */
	const char *service, *kind;             /* the right answer; PostgreSQL is "stock-db" where it is not installed */
	int (*do_break)(struct system *s);      /* 0 or -errno */
};

extern const struct scenario scenario_table[];      /* the first is the default; ends with a row without a name */
const struct scenario *scenario_find(const char *name);   /* NULL name: the default; NULL: there is none of that name */

#endif

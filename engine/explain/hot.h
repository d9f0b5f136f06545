/* SPDX-License-Identifier: BSD-2-Clause */
/* hot: the function whose own CPU time grew most between the baseline and the incident, by samples of the CPUs. */
#ifndef ROOTLE_EXPLAIN_HOT_H
#define ROOTLE_EXPLAIN_HOT_H

#include "explain/study.h"

struct hot {
	const char *frame;         /* the function */
	const char *path;          /* with what calls it, "serve > parse > copy"; in the report's arena */
	double before, after;      /* cores that it uses itself; where the clock's rate is not known its share of the samples */
	double grown_share;        /* of what the service grew by, 0..1 */
};

/* false: there are too few samples, or nothing that has a name grew. */
bool hot_find(struct study *s, uint32_t service, struct hot *ret);

#endif

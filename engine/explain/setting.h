/* SPDX-License-Identifier: BSD-2-Clause */
/* setting: what stands around the causes of an incident: the victims, what was ruled out, what else was seen. */
#ifndef ROOTLE_EXPLAIN_SETTING_H
#define ROOTLE_EXPLAIN_SETTING_H

#include "explain/study.h"

/* Fills affected, ruled_out and, without causes, observations. */
void setting_fill(struct study *s, struct incident *in);
/* Adds a victim, once, unless it is the first cause. */
void setting_affect(struct study *s, struct incident *in, const char *service);

/* Appends to one of the report's VEC(const char *). */
#define setting_push(s, vec, text) \
	do { \
		const char **slot_ = vec_push(vec); \
		if (slot_) \
			*slot_ = (text); \
		else \
			(s)->failed = true; \
	} while (0)

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/tick.h"

#include <stdlib.h>

/* Strings of one second: names of what is new, events, active processes. Far above any real tick, below the budget. */
#define TICK_ARENA_MAX (4u << 20)

struct tick *tick_new(int64_t unix_ns, int64_t dur_ns)
{
	struct tick *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	arena_init(&t->arena, TICK_ARENA_MAX);
	t->unix_ns = unix_ns;
	t->dur_ns = dur_ns;
	t->weight = 1;
	return t;
}

void tick_free(struct tick *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < t->requests.n; i++)
		hist_done(&t->requests.v[i].hist);
	vec_done(&t->services);
	vec_done(&t->edges);
	vec_done(&t->ops);
	vec_done(&t->requests);
	vec_done(&t->outcomes);
	vec_done(&t->downstream);
	vec_done(&t->tcp);
	vec_done(&t->tls);
	vec_done(&t->points);
	vec_done(&t->event);
	vec_done(&t->processes);
	vec_done(&t->cgroups);
	vec_done(&t->stacks);
	vec_done(&t->spans);
	vec_done(&t->loss);
	arena_done(&t->arena);
	free(t);
}

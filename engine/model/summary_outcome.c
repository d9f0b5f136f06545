/* SPDX-License-Identifier: BSD-2-Clause */
/* How the requests of a window ended, added up by edge, operation and kind of end. */
#include <stdlib.h>
#include <string.h>

#include "model/summary.h"

static int op_order(const struct sum_outcome *a, const struct sum_outcome *b)
{
	if (a->edge != b->edge)
		return a->edge < b->edge ? -1 : 1;
	return (a->op > b->op) - (a->op < b->op);
}

static int key_order(const struct sum_outcome *a, const struct sum_outcome *b)
{
	int order = op_order(a, b);

	if (!order)
		order = (a->status > b->status) - (a->status < b->status);
	if (!order)
		order = strcmp(a->detail, b->detail);
	return order ? order : strcmp(a->error, b->error);
}

static int by_key(const void *pa, const void *pb)
{
	return key_order(pa, pb);
}

/* By operation, and the most first; the key decides between equals, so that the same window gives the same rows. */
static int by_count(const void *pa, const void *pb)
{
	const struct sum_outcome *a = pa, *b = pb;
	int order = op_order(a, b);

	if (!order && a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return order ? order : key_order(a, b);
}

static int collect(struct summary *s)
{
	for (size_t i = 0; i < s->window->outcomes.n; i++) {
		const struct win_outcome *o = &s->window->outcomes.v[i];
		struct sum_outcome *row;

		if (o->t_ns < s->since_ns || o->t_ns >= s->until_ns || !sum_has(s, o->edge, o->op))
			continue;
		row = vec_push(&s->outcomes);
		if (!row)
			return -1;
		*row = (struct sum_outcome){o->edge, o->op, o->status, o->error, o->detail, o->count};
	}
	return 0;
}

int summary_add_outcomes(struct summary *s)
{
	size_t n = 0;

	if (collect(s))
		return -1;
	if (!s->outcomes.n)
		return 0;
	qsort(s->outcomes.v, s->outcomes.n, sizeof(*s->outcomes.v), by_key);
	for (size_t i = 1; i < s->outcomes.n; i++) {
		if (key_order(&s->outcomes.v[n], &s->outcomes.v[i]) == 0)
			s->outcomes.v[n].count += s->outcomes.v[i].count;
		else
			s->outcomes.v[++n] = s->outcomes.v[i];
	}
	s->outcomes.n = n + 1;
	qsort(s->outcomes.v, s->outcomes.n, sizeof(*s->outcomes.v), by_count);
	return 0;
}

const struct sum_outcome *summary_outcomes(const struct summary *s, uint32_t edge, uint32_t op, size_t *n)
{
	const struct sum_outcome key = {.edge = edge, .op = op};
	size_t low = 0, high = s->outcomes.n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (op_order(&s->outcomes.v[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (*n = 0; low + *n < s->outcomes.n && op_order(&s->outcomes.v[low + *n], &key) == 0;)
		++*n;
	return *n ? &s->outcomes.v[low] : NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the requests of a window waited for downstream, added up by edge, operation and callee. */
#include <stdlib.h>

#include "model/summary.h"

static int number_order(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int by_key(const void *pa, const void *pb)
{
	const struct sum_call *a = pa, *b = pb;
	int order = number_order(a->edge, b->edge);

	if (!order)
		order = number_order(a->op, b->op);
	return order ? order : number_order(a->callee, b->callee);
}

static int by_ns(const void *pa, const void *pb)
{
	const struct sum_call *a = pa, *b = pb;

	return a->ns != b->ns ? (a->ns < b->ns) - (a->ns > b->ns) : number_order(a->callee, b->callee);
}

int summary_add_calls(struct summary *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->window->downstream.n; i++) {
		const struct win_downstream *d = &s->window->downstream.v[i];
		struct sum_call *row;

		if (d->t_ns < s->since_ns || d->t_ns >= s->until_ns || !sum_has(s, d->edge, d->op))
			continue;
		row = vec_push(&s->calls);
		if (!row)
			return -1;
		*row = (struct sum_call){d->edge, d->op, d->callee, d->count, d->ns};
	}
	if (!s->calls.n)
		return 0;
	qsort(s->calls.v, s->calls.n, sizeof(*s->calls.v), by_key);
	for (size_t i = 1; i < s->calls.n; i++) {
		if (by_key(&s->calls.v[n], &s->calls.v[i])) {
			s->calls.v[++n] = s->calls.v[i];
			continue;
		}
		s->calls.v[n].count += s->calls.v[i].count;
		s->calls.v[n].ns += s->calls.v[i].ns;
	}
	s->calls.n = n + 1;
	return 0;
}

static size_t top_add(struct sum_call *top, size_t n, const struct sum_call *c)
{
	size_t i = 0;

	while (i < n && top[i].callee != c->callee)
		i++;
	if (i < n) {
		top[i].count += c->count;
		top[i].ns += c->ns;
	} else if (n < SUM_CALLS_MAX) {
		top[n++] = *c;
	}
	return n;
}

static size_t top_sort(struct sum_call *top, size_t n)
{
	if (n)
		qsort(top, n, sizeof(*top), by_ns);
	return n;
}

size_t summary_calls_of_op(const struct summary *s, uint32_t edge, uint32_t op, struct sum_call top[SUM_CALLS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < s->calls.n; i++)
		if (s->calls.v[i].edge == edge && s->calls.v[i].op == op)
			n = top_add(top, n, &s->calls.v[i]);
	return top_sort(top, n);
}

size_t summary_calls_of_edge(const struct summary *s, uint32_t edge, struct sum_call top[SUM_CALLS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < s->calls.n; i++)
		if (s->calls.v[i].edge == edge)
			n = top_add(top, n, &s->calls.v[i]);
	return top_sort(top, n);
}

size_t summary_calls_of_service(const struct summary *s, uint32_t service, struct sum_call top[SUM_CALLS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < s->calls.n; i++)
		if (s->window->edges.v[s->calls.v[i].edge].to == service)
			n = top_add(top, n, &s->calls.v[i]);
	return top_sort(top, n);
}

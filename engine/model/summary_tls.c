/* SPDX-License-Identifier: BSD-2-Clause */
/* The TLS handshakes of a window, added up by edge, version, name and result. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/summary.h"

static int key_order(const struct sum_tls *a, const struct sum_tls *b)
{
	int order;

	if (a->edge != b->edge)
		return a->edge < b->edge ? -1 : 1;
	order = strcmp(a->version, b->version);
	if (!order)
		order = strcmp(a->sni, b->sni);
	if (!order)
		order = strcmp(a->result, b->result);
	return order ? order : strcmp(a->sender, b->sender);
}

static int by_key(const void *pa, const void *pb)
{
	return key_order(pa, pb);
}

/* By edge, and the most first; the key decides between equals, so that the same window gives the same rows. */
static int by_count(const void *pa, const void *pb)
{
	const struct sum_tls *a = pa, *b = pb;

	if (a->edge == b->edge && a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return key_order(a, b);
}

static void add(struct sum_tls *into, const struct sum_tls *from)
{
	into->count += from->count;
	if (!into->alpn)
		into->alpn = from->alpn;
	if (from->not_after_s && (!into->not_after_s || from->not_after_s < into->not_after_s)) {
		into->not_after_s = from->not_after_s;
		into->subject = from->subject;
		into->source = from->source;
	}
}

static int collect(struct summary *s)
{
	for (size_t i = 0; i < s->window->tls.n; i++) {
		const struct win_tls *t = &s->window->tls.v[i];
		struct sum_tls *row;

		if (t->t_ns < s->since_ns || t->t_ns >= s->until_ns)
			continue;
		row = vec_push(&s->tls);
		if (!row)
			return -1;
		*row = (struct sum_tls){
			.edge = t->edge, .version = t->version, .sni = t->sni, .result = t->result, .sender = t->sender,
			.alpn = t->alpn, .subject = t->subject, .count = t->count, .not_after_s = t->not_after_s, .source = t->source,
		};
	}
	return 0;
}

int summary_add_tls(struct summary *s)
{
	size_t n = 0;

	if (collect(s))
		return -1;
	if (!s->tls.n)
		return 0;
	qsort(s->tls.v, s->tls.n, sizeof(*s->tls.v), by_key);
	for (size_t i = 1; i < s->tls.n; i++) {
		if (key_order(&s->tls.v[n], &s->tls.v[i]) == 0)
			add(&s->tls.v[n], &s->tls.v[i]);
		else
			s->tls.v[++n] = s->tls.v[i];
	}
	s->tls.n = n + 1;
	qsort(s->tls.v, s->tls.n, sizeof(*s->tls.v), by_count);
	return 0;
}

bool sum_tls_failed(const struct sum_tls *t)
{
	return strcmp(t->result, "ok") != 0 && strcmp(t->result, "unseen") != 0;
}

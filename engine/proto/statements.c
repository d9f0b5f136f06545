/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/statements.h"
#include "base/map.h"

#include <string.h>

#define STATEMENTS_MAX 256

static struct statement *statement_find(const struct statements *t, uint64_t key)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->v[i].key == key)
			return &t->v[i];
	return NULL;
}

uint64_t statement_key(const char *name, size_t n)
{
	return hash_bytes(name, n);
}

/* A slot for one more: a new one, or the oldest's. */
static struct statement *statement_slot(struct statements *t, struct proto_sink *s)
{
	uint32_t cap = t->cap ? t->cap * 2 : 1;
	struct statement *v;

	if (t->n == t->cap && cap <= STATEMENTS_MAX) {
		v = s->realloc(s, t->v, t->cap * sizeof(*v), cap * sizeof(*v));
		if (v) {
			t->v = v;
			t->cap = cap;
		}
	}
	if (t->n < t->cap) {
		v = &t->v[t->n++];
		memset(v, 0, sizeof(*v));
		return v;
	}
	if (!t->n)
		return NULL;
	t->oldest %= t->n;
	return &t->v[t->oldest++];
}

void statements_put(struct statements *t, uint64_t key, const char *op, size_t n, struct proto_sink *s)
{
	struct statement *e = statement_find(t, key);
	char *copy;

	if (e && e->op && e->size == n + 1 && !memcmp(e->op, op, n))
		return;
	if (!e)
		e = statement_slot(t, s);
	if (!e)
		return;
	e->key = key;
	copy = s->realloc(s, e->op, e->size, n + 1);
	if (!copy) {
		s->realloc(s, e->op, e->size, 0);
		e->op = NULL;
		e->size = 0;
		return;
	}
	memcpy(copy, op, n);
	copy[n] = '\0';
	e->op = copy;
	e->size = (uint32_t)n + 1;
}

const char *statements_get(const struct statements *t, uint64_t key)
{
	const struct statement *e = statement_find(t, key);

	return e ? e->op : NULL;
}

void statements_drop(struct statements *t, uint64_t key, struct proto_sink *s)
{
	struct statement *e = statement_find(t, key);

	if (!e)
		return;
	s->realloc(s, e->op, e->size, 0);
	*e = t->v[--t->n];
}

void statements_done(struct statements *t, struct proto_sink *s)
{
	for (uint32_t i = 0; i < t->n; i++)
		s->realloc(s, t->v[i].op, t->v[i].size, 0);
	s->realloc(s, t->v, t->cap * sizeof(*t->v), 0);
	memset(t, 0, sizeof(*t));
}

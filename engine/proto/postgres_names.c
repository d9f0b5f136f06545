/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/postgres_names.h"
#include "base/map.h"

#include <string.h>

#define NAMES_MAX 256

static struct pg_name *names_find(const struct pg_names *t, uint64_t hash)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->v[i].hash == hash)
			return &t->v[i];
	return NULL;
}

static uint64_t name_hash(const char *name)
{
	return hash_bytes(name, strlen(name));
}

/* A slot for one more: a new one, or the oldest's. */
static struct pg_name *names_slot(struct pg_names *t, struct proto_sink *s)
{
	uint32_t cap = t->cap ? t->cap * 2 : 1;
	struct pg_name *v;

	if (t->n == t->cap && cap <= NAMES_MAX) {
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

void pg_names_put(struct pg_names *t, const char *name, const char *op, size_t n, struct proto_sink *s)
{
	uint64_t hash = name_hash(name);
	struct pg_name *e = names_find(t, hash);
	char *copy;

	if (e && e->op && e->size == n + 1 && !memcmp(e->op, op, n))
		return;
	if (!e)
		e = names_slot(t, s);
	if (!e)
		return;
	e->hash = hash;
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

const char *pg_names_get(const struct pg_names *t, const char *name)
{
	const struct pg_name *e = names_find(t, name_hash(name));

	return e ? e->op : NULL;
}

void pg_names_drop(struct pg_names *t, const char *name, struct proto_sink *s)
{
	struct pg_name *e = names_find(t, name_hash(name));

	if (!e)
		return;
	s->realloc(s, e->op, e->size, 0);
	*e = t->v[--t->n];
}

void pg_names_done(struct pg_names *t, struct proto_sink *s)
{
	for (uint32_t i = 0; i < t->n; i++)
		s->realloc(s, t->v[i].op, t->v[i].size, 0);
	s->realloc(s, t->v, t->cap * sizeof(*t->v), 0);
	memset(t, 0, sizeof(*t));
}

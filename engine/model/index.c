/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/index.h"

#include <stdlib.h>
#include <string.h>

#define CAP_MIN 64

void index_done(struct index *x)
{
	free(x->slot);
	*x = (struct index){0};
}

static uint32_t seek(const struct index *x, uint32_t hash, size_t *it)
{
	size_t mask = x->cap - 1;

	for (;; *it = (*it + 1) & mask) {
		const struct index_slot *s = &x->slot[*it];

		if (!s->id)
			return INDEX_NONE;
		if (s->hash == hash)
			return s->id - 1;
	}
}

uint32_t index_first(const struct index *x, uint64_t hash, size_t *it)
{
	if (!x->n)
		return INDEX_NONE;
	*it = (uint32_t)hash & (x->cap - 1);
	return seek(x, (uint32_t)hash, it);
}

uint32_t index_next(const struct index *x, uint64_t hash, size_t *it)
{
	*it = (*it + 1) & (x->cap - 1);
	return seek(x, (uint32_t)hash, it);
}

static void place(struct index *x, struct index_slot s)
{
	size_t mask = x->cap - 1, i = s.hash & mask;

	while (x->slot[i].id)
		i = (i + 1) & mask;
	x->slot[i] = s;
}

static bool grow(struct index *x)
{
	struct index old = *x;
	size_t cap = old.cap ? old.cap * 2 : CAP_MIN, i;
	struct index_slot *slot = cap <= (1u << 31) ? calloc(cap, sizeof(*slot)) : NULL;

	if (!slot)
		return false;
	x->slot = slot;
	x->cap = cap;
	for (i = 0; i < old.cap; i++)
		if (old.slot[i].id)
			place(x, old.slot[i]);
	free(old.slot);
	return true;
}

bool index_put(struct index *x, uint64_t hash, uint32_t id)
{
	if ((x->n + 1) * 4 > x->cap * 3 && !grow(x))
		return false;
	place(x, (struct index_slot){.hash = (uint32_t)hash, .id = id + 1});
	x->n++;
	return true;
}

/* Backward shift, as in base/map.c: no tombstones. */
static void close_hole(struct index *x, size_t hole)
{
	size_t mask = x->cap - 1, i;

	for (i = (hole + 1) & mask; x->slot[i].id; i = (i + 1) & mask) {
		size_t home = x->slot[i].hash & mask;

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		x->slot[hole] = x->slot[i];
		hole = i;
	}
	x->slot[hole] = (struct index_slot){0};
}

bool index_del(struct index *x, uint64_t hash, uint32_t id)
{
	uint32_t there;
	size_t it;

	for (there = index_first(x, hash, &it); there != INDEX_NONE; there = index_next(x, hash, &it)) {
		if (there != id)
			continue;
		close_hole(x, it);
		x->n--;
		return true;
	}
	return false;
}

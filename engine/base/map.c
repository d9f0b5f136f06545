/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#define CAP_MIN 16

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

void map_init(struct map *m, size_t key_size, size_t value_size, size_t limit)
{
	*m = (struct map){.ksize = key_size, .vsize = value_size, .limit = limit};
	/* [value | key | used]: the value first, so that it is aligned */
	m->voff = round_up(value_size, 8);
	m->stride = round_up(m->voff + key_size + 1, 8);
}

void map_done(struct map *m)
{
	free(m->slots);
	map_init(m, m->ksize, m->vsize, m->limit);
}

void map_reset(struct map *m)
{
	if (m->slots)
		memset(m->slots, 0, m->cap * m->stride);
	m->n = 0;
}

static inline uint8_t *slot_at(const struct map *m, size_t i)
{
	return m->slots + i * m->stride;
}

static inline uint8_t *slot_key(const struct map *m, uint8_t *slot)
{
	return slot + m->voff;
}

static inline uint8_t *slot_used(const struct map *m, uint8_t *slot)
{
	return slot + m->voff + m->ksize;
}

/* The slot of key, or the free slot where it would go. cap is a power of two and never full. */
static size_t probe(const struct map *m, const void *key)
{
	size_t mask = m->cap - 1, i = hash_bytes(key, m->ksize) & mask;

	for (;; i = (i + 1) & mask) {
		uint8_t *s = slot_at(m, i);

		if (!*slot_used(m, s) || !memcmp(slot_key(m, s), key, m->ksize))
			return i;
	}
}

void *map_get(const struct map *m, const void *key)
{
	uint8_t *s;

	if (!m->n)
		return NULL;
	s = slot_at(m, probe(m, key));
	return *slot_used(m, s) ? s : NULL;
}

static bool grow(struct map *m)
{
	struct map bigger = *m;
	size_t i;

	bigger.cap = m->cap ? m->cap * 2 : CAP_MIN;
	if (bigger.cap > SIZE_MAX / m->stride)
		return false;
	bigger.slots = calloc(bigger.cap, m->stride);
	if (!bigger.slots)
		return false;
	for (i = 0; i < m->cap; i++) {
		uint8_t *s = slot_at(m, i);

		if (*slot_used(m, s))
			memcpy(slot_at(&bigger, probe(&bigger, slot_key(m, s))), s, m->stride);
	}
	free(m->slots);
	*m = bigger;
	return true;
}

void *map_put(struct map *m, const void *key, bool *fresh)
{
	void *there = map_get(m, key);
	uint8_t *s;

	if (fresh)
		*fresh = !there;
	if (there)
		return there;
	if (m->limit && m->n >= m->limit)
		return NULL;
	if ((m->n + 1) * 4 > m->cap * 3 && !grow(m))
		return NULL;
	s = slot_at(m, probe(m, key));
	memcpy(slot_key(m, s), key, m->ksize);
	*slot_used(m, s) = 1;
	m->n++;
	return s;
}

/* Backward-shift deletion: no tombstones, so lookups never degrade. */
bool map_del(struct map *m, const void *key)
{
	size_t mask = m->cap - 1, hole, i;

	if (!m->n)
		return false;
	hole = probe(m, key);
	if (!*slot_used(m, slot_at(m, hole)))
		return false;
	for (i = (hole + 1) & mask;; i = (i + 1) & mask) {
		uint8_t *s = slot_at(m, i);
		size_t home;

		if (!*slot_used(m, s))
			break;
		home = hash_bytes(slot_key(m, s), m->ksize) & mask;
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;           /* it would move in front of its home */
		memcpy(slot_at(m, hole), s, m->stride);
		hole = i;
	}
	memset(slot_at(m, hole), 0, m->stride);
	m->n--;
	return true;
}

bool map_next(const struct map *m, size_t *it, const void **key, void **value)
{
	for (; *it < m->cap; (*it)++) {
		uint8_t *s = slot_at(m, *it);

		if (!*slot_used(m, s))
			continue;
		if (key)
			*key = slot_key(m, s);
		if (value)
			*value = s;
		(*it)++;
		return true;
	}
	return false;
}

static inline uint64_t mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ull;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ull;
	return h ^ h >> 32;
}

uint64_t hash_bytes(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t h = 0x9e3779b97f4a7c15ull ^ n;
	size_t i, k;

	for (i = 0; i < n; i += 8) {
		uint64_t word = 0;

		for (k = 0; k < 8 && i + k < n; k++)       /* little-endian on every machine; compilers make it one load */
			word |= (uint64_t)b[i + k] << (8 * k);
		h = mix(h ^ word) + 0x9e3779b97f4a7c15ull;
	}
	return mix(h);
}

void intern_init(struct intern *t, size_t limit)
{
	*t = (struct intern){.limit = limit};
	map_init(&t->index, sizeof(uint64_t), sizeof(uint32_t), 0);
}

void intern_done(struct intern *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->text[i]);
	free(t->text);
	free(t->same);
	map_done(&t->index);
	intern_init(t, t->limit);
}

static uint32_t find_hashed(const struct intern *t, uint64_t hash, const char *s, size_t n)
{
	const uint32_t *first = map_get(&t->index, &hash);
	uint32_t id;

	for (id = first ? *first : INTERN_NONE; id != INTERN_NONE; id = t->same[id])
		if (!strncmp(t->text[id], s, n) && !t->text[id][n])
			return id;
	return INTERN_NONE;
}

uint32_t intern_find(const struct intern *t, const char *s, size_t n)
{
	n = strnlen(s, n);
	return find_hashed(t, hash_bytes(s, n), s, n);
}

static bool intern_grow(struct intern *t)
{
	size_t cap = t->cap ? t->cap * 2 : 64;
	char **text = realloc(t->text, cap * sizeof(*text));
	uint32_t *same;

	if (!text)
		return false;
	t->text = text;
	same = realloc(t->same, cap * sizeof(*same));
	if (!same)
		return false;
	t->same = same;
	t->cap = cap;
	return true;
}

uint32_t intern_put(struct intern *t, const char *s, size_t n)
{
	uint64_t hash;
	uint32_t id, *first;
	bool fresh;
	char *copy;

	n = strnlen(s, n);
	hash = hash_bytes(s, n);
	id = find_hashed(t, hash, s, n);
	if (id != INTERN_NONE)
		return id;
	if ((t->limit && t->n >= t->limit) || t->n >= INTERN_NONE)
		return INTERN_NONE;
	if (t->n == t->cap && !intern_grow(t))
		return INTERN_NONE;
	copy = strndup(s, n);
	if (!copy)
		return INTERN_NONE;
	first = map_put(&t->index, &hash, &fresh);
	if (!first) {
		free(copy);
		return INTERN_NONE;
	}
	id = (uint32_t)t->n++;
	t->text[id] = copy;
	t->same[id] = fresh ? INTERN_NONE : *first;
	*first = id;
	return id;
}

const char *intern_text(const struct intern *t, uint32_t id)
{
	return t->text[id];
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map: a hash table from a fixed-size key (bytes, memcmp-compared: zero the padding) to a fixed-size value, open
 * addressing, and `intern`: distinct strings numbered 0, 1, 2, ...
 */
#ifndef ROOTLE_BASE_MAP_H
#define ROOTLE_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map {
	uint8_t *slots;      /* [value | key | used flag] each, aligned */
	size_t ksize, vsize; /* as given */
	size_t stride, voff;
	size_t n, cap;       /* cap is 0 or a power of two */
	size_t limit;        /* most entries; 0: none */
};

/* An empty map; limit 0 means unbounded. Allocates nothing yet. */
void map_init(struct map *m, size_t key_size, size_t value_size, size_t limit);
void map_done(struct map *m);
void map_reset(struct map *m);

/* The value of key, or NULL. Valid until the next map_put() or map_del(). */
void *map_get(const struct map *m, const void *key);
/* The value of key, inserted zeroed where it was not there (*fresh, may be NULL, says so). NULL: limit or memory. */
void *map_put(struct map *m, const void *key, bool *fresh);
/* Removes; false where it was not there. */
bool map_del(struct map *m, const void *key);

/* Iteration: size_t it = 0; while (map_next(m, &it, &key, &value)) … .  Deleting while iterating is not allowed. */
bool map_next(const struct map *m, size_t *it, const void **key, void **value);

/* A 64-bit hash of bytes, not cryptographic; the same on every machine, so it may be stored. */
uint64_t hash_bytes(const void *p, size_t n);

#define INTERN_NONE UINT32_MAX

struct intern {
	struct map index;      /* hash → id, chained through `same` */
	char **text;           /* id → NUL-terminated string */
	uint32_t *same;        /* id → next id with this hash */
	size_t n, cap, limit;
};

void intern_init(struct intern *t, size_t limit);
void intern_done(struct intern *t);
/* The id of the string, given on first sight. INTERN_NONE past the limit or out of memory. */
uint32_t intern_put(struct intern *t, const char *s, size_t n);
/* The id, or INTERN_NONE where the string was never put. */
uint32_t intern_find(const struct intern *t, const char *s, size_t n);
/* The string of an id that was given; valid until intern_done(). */
const char *intern_text(const struct intern *t, uint32_t id);

#endif

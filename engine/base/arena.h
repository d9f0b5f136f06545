/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena: memory with one lifetime.  Many small allocations, freed together by arena_reset() or arena_done(); never one
 * by one.  Bounded: past `limit` bytes arena_alloc() returns NULL and `refused` counts it.  Not for several threads at once.
 */
#ifndef ROOTLE_BASE_ARENA_H
#define ROOTLE_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
	struct arena_block *head;   /* newest block */
	size_t used;                /* bytes handed out since the last reset, padding included */
	size_t limit;               /* bytes of blocks that may be held at once */
	size_t held;                /* bytes of blocks held now */
	uint64_t refused;           /* allocations refused because of the limit or of malloc */
};

/* An empty arena that will hold at most `limit` bytes (0: SIZE_MAX). Allocates nothing yet. */
void arena_init(struct arena *a, size_t limit);
/* Frees everything; the arena is as after arena_init() with the same limit. */
void arena_done(struct arena *a);
/* Forgets every allocation; keeps one block for the next round. */
void arena_reset(struct arena *a);

/* n bytes aligned for any type, zeroed, or NULL past the limit. n == 0 gives a unique non-NULL pointer. */
void *arena_alloc(struct arena *a, size_t n);
/* A copy of n bytes with a NUL behind, or NULL. */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_strdup(struct arena *a, const char *s);
/* printf into the arena, or NULL. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

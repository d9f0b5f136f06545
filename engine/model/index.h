/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * index: a hash table from a hash to 32-bit numbers of elements that are kept elsewhere; 8 bytes a slot.  The key stays
 * in the element, so that a table of connections does not hold each address twice: the caller compares.
 *
 *	for (id = index_first(x, hash, &it); id != INDEX_NONE; id = index_next(x, hash, &it))
 *		if (element id has the key) …
 */
#ifndef ROOTLE_MODEL_INDEX_H
#define ROOTLE_MODEL_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_NONE UINT32_MAX

struct index_slot { uint32_t hash, id; };    /* id is one more than the number, 0: free */

struct index {
	struct index_slot *slot;
	size_t n, cap;                       /* cap is 0 or a power of two */
};

/* A zeroed struct is an empty index. */
void index_done(struct index *x);
uint32_t index_first(const struct index *x, uint64_t hash, size_t *it);
uint32_t index_next(const struct index *x, uint64_t hash, size_t *it);
/* Adds without looking for an equal one; false: no memory. id < INDEX_NONE. */
bool index_put(struct index *x, uint64_t hash, uint32_t id);
/* Removes this number; false where it was not there. */
bool index_del(struct index *x, uint64_t hash, uint32_t id);

#endif

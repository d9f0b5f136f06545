/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/vec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *vec_push_(void **v, size_t *n, size_t *cap, size_t size)
{
	void *slot;

	if (*n == *cap) {
		size_t want = *cap ? *cap * 2 : 8;
		void *grown = want <= SIZE_MAX / size ? realloc(*v, want * size) : NULL;

		if (!grown)
			return NULL;
		*v = grown;
		*cap = want;
	}
	slot = (unsigned char *)*v + *n * size;
	(*n)++;
	return memset(slot, 0, size);
}

void vec_trim_(void **v, size_t n, size_t *cap, size_t size)
{
	void *less = n && n < *cap ? realloc(*v, n * size) : NULL;

	if (!less)
		return;
	*v = less;
	*cap = n;
}

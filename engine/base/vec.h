/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vec: growable arrays as plain fields `T *v; size_t n, cap;` of a struct, so that reading one is just indexing.
 *
 *	struct { struct point *v; size_t n, cap; } points = {0};
 *	struct point *p = vec_push(&points);       // zeroed slot, NULL when memory is out
 *	vec_done(&points);
 *
 * A pushed pointer is valid until the next vec_push() on the same vector.
 */
#ifndef ROOTLE_BASE_VEC_H
#define ROOTLE_BASE_VEC_H

#include <stddef.h>

#define VEC(T) struct { T *v; size_t n, cap; }

/* Makes room for one more element of `size` bytes, zeroes it, counts it. NULL when memory is out (vector unchanged). */
void *vec_push_(void **v, size_t *n, size_t *cap, size_t size);

#define vec_push(x) ((__typeof__((x)->v))vec_push_((void **)&(x)->v, &(x)->n, &(x)->cap, sizeof(*(x)->v)))
/* Gives back the room for more elements, where memory allows. */
void vec_trim_(void **v, size_t n, size_t *cap, size_t size);

#define vec_trim(x) vec_trim_((void **)&(x)->v, (x)->n, &(x)->cap, sizeof(*(x)->v))
#define vec_reset(x) ((void)((x)->n = 0))
#define vec_done(x) (free((x)->v), (x)->v = NULL, (x)->n = (x)->cap = 0)

#endif

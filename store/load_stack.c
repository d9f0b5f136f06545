/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks are a tree of frames in the file, the outermost first, and in the window. */
#include "store/load_row.h"

#include <errno.h>

#include "base/demangle.h"

#define STACK_DEPTH_MAX 512

struct stack_step { int64_t row; const char *frame; };

/* The frames from a row up to the outermost, or to one that is in the window already: *known, else WIN_NONE. */
static int stack_climb(struct load *l, int64_t row, struct stack_step *steps, size_t *n, uint32_t *known)
{
	const uint32_t *there = NULL;
	int rc = 0;

	for (*n = 0; rc == 0 && row && !(there = map_get(&l->stacks, &row));) {
		sqlite3_stmt *q = sql_get(l->s, "SELECT k.parent, f.name FROM stack k JOIN frame f ON f.id = k.frame WHERE k.id = ?1");
		int64_t parent;

		if (!q)
			return -EIO;
		sqlite3_bind_int64(q, 1, row);
		rc = sql_step(l->s, q);
		parent = rc > 0 ? sqlite3_column_int64(q, 0) : -1;
		if (rc == 0 || (rc > 0 && (parent < 0 || parent >= row || *n == STACK_DEPTH_MAX || !load_text(q, 1))))
			rc = load_corrupt(l, "stack %lld has no frame, or no end", (long long)row);
		if (rc > 0) {
			steps[*n] = (struct stack_step){row, load_keep(l, q, 1)};
			rc = steps[(*n)++].frame ? 0 : -ENOMEM;
		}
		sqlite3_reset(q);
		row = parent;
	}
	*known = there ? *there : WIN_NONE;
	return rc;
}

int load_stack(struct load *l, int64_t row, uint32_t *ret)
{
	struct stack_step steps[STACK_DEPTH_MAX];
	char name[DEMANGLED_MAX];
	size_t n;
	int rc = stack_climb(l, row, steps, &n, ret);

	while (rc == 0 && n-- > 0) {
		uint32_t *at;

		*ret = window_stack(l->w, *ret, demangle(name, sizeof(name), steps[n].frame));
		at = *ret == WIN_NONE ? NULL : map_put(&l->stacks, &steps[n].row, NULL);
		if (!at)
			return -ENOMEM;
		*at = *ret;
	}
	return rc == 0 && *ret == WIN_NONE ? load_corrupt(l, "a sample has no stack") : rc;
}

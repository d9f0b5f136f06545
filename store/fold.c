/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/fold.h"

#include <errno.h>
#include <stdlib.h>

#include "store/handle.h"
#include "store/rows.h"

#define ROLLED_STACKS 24          /* of a service in ten seconds */

static int by_stack(const void *pa, const void *pb)
{
	const struct profile_row *a = pa, *b = pb;

	if (a->stack != b->stack)
		return a->stack < b->stack ? -1 : 1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

/* The rarest first; of equally rare ones the youngest, which is mostly the longest. */
static int by_samples(const void *pa, const void *pb)
{
	const struct profile_row *a = pa, *b = pb;

	if (a->samples != b->samples)
		return a->samples < b->samples ? -1 : 1;
	return a->stack > b->stack ? -1 : a->stack < b->stack;
}

static void merge_equal(struct profile_rows *rows)
{
	size_t n = 0;

	if (!rows->list.n)
		return;
	qsort(rows->list.v, rows->list.n, sizeof(*rows->list.v), by_stack);
	for (size_t i = 1; i < rows->list.n; i++) {
		const struct profile_row *v = &rows->list.v[i];

		if (by_stack(&rows->list.v[n], v) == 0)
			rows->list.v[n].samples += v->samples;
		else
			rows->list.v[++n] = *v;
	}
	rows->list.n = n + 1;
}

/* Parent and frame of a stack. */
static int stack_get(struct store *s, int64_t id, int64_t *parent, int64_t *frame)
{
	sqlite3_stmt *q = sql_get(s, "SELECT parent, frame FROM stack WHERE id = ?1");
	int rc;

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, id);
	rc = sql_step(s, q);
	*parent = rc > 0 ? sqlite3_column_int64(q, 0) : 0;
	*frame = rc > 0 ? sqlite3_column_int64(q, 1) : STACK_OTHER;
	sqlite3_reset(q);
	return rc < 0 ? rc : 0;
}

/* What a stack becomes one step shorter: "(other)" in the place of its innermost frame; of one that ends so already, in the place
 * of the frame before. Itself where there is nothing left to cut. Negative on failure. */
static int64_t shorter(struct store *s, int64_t id)
{
	int64_t parent, frame;
	int rc = stack_get(s, id, &parent, &frame);

	if (rc == 0 && frame == STACK_OTHER && parent)
		rc = stack_get(s, parent, &parent, &frame);
	if (rc < 0)
		return rc;
	return parent ? row_stack(s, parent, STACK_OTHER) : STACK_OTHER;
}

/* One pass over those that are too many. 1: something became shorter, 0: nothing can, negative. */
static int shorten(struct store *s, struct profile_rows *rows, size_t n)
{
	int changed = 0;

	qsort(rows->list.v, rows->list.n, sizeof(*rows->list.v), by_samples);
	for (size_t i = 0; i < n; i++) {
		int64_t id = shorter(s, rows->list.v[i].stack);

		if (id < 0)
			return (int)id;
		changed |= id != rows->list.v[i].stack;
		rows->list.v[i].stack = id;
	}
	return changed;
}

int fold_rows(struct store *s, struct profile_rows *rows, size_t most)
{
	int rc = 1;

	merge_equal(rows);
	if (rows->list.n <= most)
		return 0;
	/* what they run says more than which of them */
	for (size_t i = 0; i < rows->list.n; i++)
		rows->list.v[i].pid = 0;
	merge_equal(rows);
	while (rc > 0 && rows->list.n > most) {
		rc = shorten(s, rows, rows->list.n - most);
		merge_equal(rows);
	}
	return rc < 0 ? rc : 0;
}

static int rows_put(struct store *s, struct profile_rows *rows)
{
	int rc = fold_rows(s, rows, ROLLED_STACKS);

	for (size_t i = 0; rc == 0 && i < rows->list.n; i++) {
		rc = row_profile(s, s->roll.tick, &rows->list.v[i]);
		if (rc == 0)
			rc = sweep_keep(s, SWEEP_STACK, rows->list.v[i].stack);
	}
	vec_reset(&rows->list);
	return rc;
}

static void bind_bucket(struct store *s, sqlite3_stmt *q)
{
	sqlite3_bind_int64(q, 1, s->roll.bucket_ns);
	sqlite3_bind_int64(q, 2, s->roll.bucket_ns + ROLL_NS);
	sqlite3_bind_int64(q, 3, s->roll.last);
}

#define RAW_TICKS "FROM tick t WHERE t.source = 0 AND t.t_ns >= ?1 AND t.t_ns < ?2 AND t.id <= ?3"

static int rows_read(struct store *s, struct profile_rows *all)
{
	sqlite3_stmt *q = sql_get(s, "SELECT service, pid, stack, sum(samples) FROM profile WHERE tick IN (SELECT t.id " RAW_TICKS
				     ") GROUP BY service, pid, stack");
	int rc = q ? 0 : -EIO;

	if (q)
		bind_bucket(s, q);
	while (rc == 0 && (rc = sql_step(s, q)) > 0) {
		struct profile_row *v = vec_push(&all->list);

		rc = v ? 0 : -ENOMEM;
		if (v)
			*v = (struct profile_row){sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1), sqlite3_column_int64(q, 2),
						  sqlite3_column_int64(q, 3)};
	}
	if (q)
		sqlite3_reset(q);
	return rc;
}

int fold_roll(struct store *s)
{
	struct profile_rows all = {0}, one = {0};
	int rc = rows_read(s, &all);
	sqlite3_stmt *q;

	for (size_t i = 0; rc == 0 && i < all.list.n; i++) {
		struct profile_row *v = vec_push(&one.list);

		rc = v ? 0 : -ENOMEM;
		if (v)
			*v = all.list.v[i];
		if (rc == 0 && (i + 1 == all.list.n || all.list.v[i + 1].service != v->service))
			rc = rows_put(s, &one);
	}
	vec_done(&all.list);
	vec_done(&one.list);
	q = rc == 0 ? sql_get(s, "DELETE FROM profile WHERE tick IN (SELECT t.id " RAW_TICKS ")") : NULL;
	if (!q)
		return rc < 0 ? rc : -EIO;
	bind_bucket(s, q);
	return sql_run(s, q);
}

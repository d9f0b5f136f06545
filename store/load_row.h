/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load_row: what the parts of store_load() share: where they put what they read, and what a column of a row means in the window.
 * The file may be anybody's: what refers to nothing, or cannot be, is said in the store's `why`, and is -ENODATA.
 */
#ifndef ROOTLE_STORE_LOAD_ROW_H
#define ROOTLE_STORE_LOAD_ROW_H

#include "base/map.h"
#include "base/vec.h"
#include "store/handle.h"

struct interval { int64_t id, t_ns, dur_ns; };

struct load {
	struct store *s;
	struct window *w;
	int64_t since_ns, until_ns;
	VEC(struct interval) ticks;
	struct map services, edges, ops, series, stacks;   /* int64_t row id → uint32_t id in the window */
};

/* All functions: 0, or negative, unless they say otherwise. */

/* "is corrupt: …": the answer of a function that cannot use a row, -ENODATA. */
int load_corrupt(struct load *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Notes which id in the window the row of this statement's first column got; WIN_NONE: there was no memory for it. */
int load_note(struct load *l, struct map *m, sqlite3_stmt *q, const char *what, uint32_t id);

/* What a column refers to, in *ret. */
int load_refer(struct load *l, const struct map *m, sqlite3_stmt *q, int col, const char *what, uint32_t *ret);

/* The same where NULL (or 0) says "not known": WIN_NONE. */
int load_refer_known(struct load *l, const struct map *m, sqlite3_stmt *q, int col, const char *what, uint32_t *ret);

/* SQLite's text of a column, until the next step; NULL for NULL. */
const char *load_text(sqlite3_stmt *q, int col);

/* The window's copy of it. NULL stays NULL. */
const char *load_keep(struct load *l, sqlite3_stmt *q, int col);

/* NaN for NULL. */
double load_real(sqlite3_stmt *q, int col);

/* Runs each(l, row) for the rows of a statement; -EIO for none. */
int load_each(struct load *l, sqlite3_stmt *q, int (*each)(struct load *l, sqlite3_stmt *q));

/* Services, edges, operations, series: what facts refer to, of all time. what: LOAD_… */
int load_names(struct load *l, unsigned what);

/* The facts of l->ticks. */
int load_facts(struct load *l, unsigned what);

/* The stack of this row, in *ret. */
int load_stack(struct load *l, int64_t row, uint32_t *ret);

#endif

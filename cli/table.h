/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table: rows and columns for people, as wide as the terminal (80 columns elsewhere).
 *
 * Cells are cleaned: nothing in them reaches the terminal as a control sequence. Columns are as wide as their widest cell;
 * where the line gets too long, the columns that may shrink (`flex`) give way, longest first, and cut cells end in '~' or '…'.
 */
#ifndef ROOTLE_CLI_TABLE_H
#define ROOTLE_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/vec.h"

#define TABLE_COLUMNS_MAX 16

struct table_column { const char *title; bool right, flex; };

struct table {
	struct arena arena;
	const struct table_column *columns;
	size_t n_columns;
	VEC(const char *) cells;        /* row by row */
};

void table_init(struct table *t, const struct table_column *columns, size_t n_columns);
void table_done(struct table *t);

/* The next cell, left to right, row after row. NULL or "" is an empty cell. */
void table_text(struct table *t, const char *s);
void table_printf(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "-" for NaN. */
void table_count(struct table *t, double v);       /* "12.3k" */
void table_ms(struct table *t, double ms);         /* "4.1 ms" "2.3 s" */
void table_bytes(struct table *t, double bytes);   /* "1.5 GB" */
void table_percent(struct table *t, double ratio); /* "7.9 %" */

/* Prints title line and rows to stdout. */
void table_print(const struct table *t);
/* The rows without the titles. */
void table_print_rows(const struct table *t);

#endif

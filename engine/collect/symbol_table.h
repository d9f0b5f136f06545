/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbol_table: which function an address lies in: address ranges in order, their names left in the file that they came
 * from (an executable's string table, a JIT's map) or in one block of text (the kernel's).  Sixteen bytes a function are all
 * the memory that the names of an executable take.
 *
 * Fill with symbol_add(), then symbol_sort() once; symbol_add() and symbol_sort() again where the file has grown.
 */
#ifndef ROOTLE_COLLECT_SYMBOL_TABLE_H
#define ROOTLE_COLLECT_SYMBOL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

#define SYMBOL_NAME_MAX 512     /* bytes of a name that are read, its NUL included */

struct symbol {
	uint64_t addr;
	uint32_t size;          /* bytes; 0 until symbol_sort() */
	uint32_t name;          /* offset in the names */
};

struct symbol_table {
	VEC(struct symbol) symbols;
	size_t most;            /* symbols; 0: no bound */
	bool later_wins;        /* of two that overlap the one added later is right: a JIT reuses addresses */
	int fd;                 /* of the file with the names; -1: they are in `text` */
	uint64_t names_at;      /* where in the file */
	char *text;             /* owned */
	size_t text_bytes;
};

void symbol_table_init(struct symbol_table *t);
/* Closes the file too. */
void symbol_table_done(struct symbol_table *t);

/* 0, -E2BIG past the bound, -ENOMEM. size 0: up to the next symbol, but no further than `most` of symbol_sort(). */
int symbol_add(struct symbol_table *t, uint64_t addr, uint32_t size, uint32_t name);
/* Orders, and gives those without a size one: up to the next symbol, where that is at most `most` bytes away. */
void symbol_sort(struct symbol_table *t, uint32_t most);
/* The symbol whose range has addr, or NULL. Of several names of one function it is the one with the fewest underscores in
 * front. */
const struct symbol *symbol_find(const struct symbol_table *t, uint64_t addr);
/* Its name, cut at cap: as a line of text or as a C string, whichever ends first. Bytes, or negative. */
int symbol_name(const struct symbol_table *t, const struct symbol *s, char *buf, size_t cap);

#endif

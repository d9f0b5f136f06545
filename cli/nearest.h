/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nearest: which known word somebody probably meant.
 */
#ifndef ROOTLE_CLI_NEAREST_H
#define ROOTLE_CLI_NEAREST_H

#include <stddef.h>

/* Edits (insert, delete, replace, swap of neighbours) from a to b; words longer than 63 bytes are as far as can be. */
size_t edit_distance(const char *a, const char *b);

struct nearest { const char *wanted, *best; size_t distance; };

/* Offer words one by one; `best` is NULL as long as none is near enough to be a typing mistake of `wanted`. */
void nearest_init(struct nearest *n, const char *wanted);
void nearest_offer(struct nearest *n, const char *word);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_plan: how large each BPF map is, from one budget.  Pure.  A map that has a row in map_plan[] has that share of the budget;
 * the others are small and fixed, and what is left over is theirs.
 */
#ifndef ROOTLE_COLLECT_MAP_PLAN_H
#define ROOTLE_COLLECT_MAP_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAP_BUDGET_DEFAULT (48u << 20)
#define MAP_BUDGET_MIN (8u << 20)       /* below it the ring buffer holds too little to be worth attaching */

struct map_row {
	const char *map;
	unsigned share;         /* thousandths of the budget */
	uint32_t most;          /* entries; more are of no use; 0: no limit */
	bool power_of_two;      /* rounded down to one */
};

extern const struct map_row map_plan[];
extern const size_t map_plan_n;

/* Entries of a map with that row, each of which takes entry_bytes (> 0) of the budget; at least 1. */
uint32_t map_plan_entries(const struct map_row *row, uint64_t budget_bytes, size_t entry_bytes);

/* NULL: it has none. */
const struct map_row *map_plan_row(const char *map);

#endif

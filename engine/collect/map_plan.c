/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/map_plan.h"

#include <string.h>

/* The ring buffer bridges the time in which the reader does not run: it has what the others do not need. */
const struct map_row map_plan[] = {
	{"ring", 690, 0, true},
	{"states", 120, 32768, false},          /* one a socket, where it is used at all (bpf/state.h) */
	{"wishes", 12, 65536, true},
};
const size_t map_plan_n = sizeof(map_plan) / sizeof(map_plan[0]);

uint32_t map_plan_entries(const struct map_row *row, uint64_t budget_bytes, size_t entry_bytes)
{
	uint64_t n = budget_bytes / 1000 * row->share / entry_bytes;

	if (row->most && n > row->most)
		n = row->most;
	if (n > 1u << 31)
		n = 1u << 31;
	if (row->power_of_two && n)
		n = 1ull << (63 - __builtin_clzll(n));
	return n ? (uint32_t)n : 1;
}

const struct map_row *map_plan_row(const char *map)
{
	for (size_t i = 0; i < map_plan_n; i++)
		if (strcmp(map_plan[i].map, map) == 0)
			return &map_plan[i];
	return NULL;
}

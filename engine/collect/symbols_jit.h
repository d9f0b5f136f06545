/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbols_jit: the functions that a runtime compiles while it runs, as it writes them into /tmp/perf-PID.map (node
 * --perf-basic-prof, perf-map-agent of Java, Python 3.12 -X perf): lines "START SIZE name", hexadecimal, appended for ever.
 */
#ifndef ROOTLE_COLLECT_SYMBOLS_JIT_H
#define ROOTLE_COLLECT_SYMBOLS_JIT_H

#include <sys/types.h>

#include "collect/symbol_table.h"

struct jit_symbols {
	struct symbol_table names;
	uint64_t read;          /* bytes of the file that are in */
	bool too_large;         /* it has more functions, or bytes, than are kept: those behind are not known */
};

void jit_symbols_init(struct jit_symbols *j);
void jit_symbols_done(struct jit_symbols *j);
/* Opens the file below this root where it is not open, and takes in what it has grown by. 0 or -errno (-ENOENT: there is none, or
 * it is neither root's nor the owner's: /tmp is everybody's). */
int jit_symbols_read(struct jit_symbols *j, const char *root, const char *path, uid_t owner);

#endif

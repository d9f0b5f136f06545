/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * go_table: where functions of a Go program are, by the table that its own runtime finds them with (.gopclntab), which is there
 * in a stripped program too.  Headers of Go 1.18 and 1.20 (src/debug/gosym/pclntab.go); older ones, whose functions take their
 * arguments otherwise or whose header does not tell, are refused.  Pure; any bytes may come.
 */
#ifndef ROOTLE_COLLECT_GO_TABLE_H
#define ROOTLE_COLLECT_GO_TABLE_H

#include "collect/elf_file.h"

/* table: n bytes of .gopclntab; text: address of .text, for headers that leave it to be relocated. Fills ret[i] for names[i]
 * as elf_functions() does. How many were found; -ENOEXEC: not such a table, -ENOTSUP: of a Go before 1.18. */
int go_table_functions(const uint8_t *table, size_t n, uint64_t text, const char *const names[], size_t nnames,
		       struct elf_function ret[]);

#endif

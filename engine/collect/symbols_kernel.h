/* SPDX-License-Identifier: BSD-2-Clause */
/* symbols_kernel: the functions of the kernel and its modules, from /proc/kallsyms. */
#ifndef ROOTLE_COLLECT_SYMBOLS_KERNEL_H
#define ROOTLE_COLLECT_SYMBOLS_KERNEL_H

#include "collect/symbol_table.h"

/* path: "/proc/kallsyms". Takes tens of milliseconds. 0; -EACCES where addresses are hidden (kptr_restrict), -E2BIG, -errno;
 * *ret is to be given to symbol_table_done() in any case. */
int symbols_kernel_read(struct symbol_table *ret, const char *path);

#endif

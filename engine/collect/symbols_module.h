/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbols_module: the executables and libraries whose functions are known, each read once for all processes that have it mapped.
 * A file is known by device, inode, size and time of change, so that one replaced under its name is another one.  Bounded:
 * the least recently used ones are forgotten, and read again where they are needed again.
 */
#ifndef ROOTLE_COLLECT_SYMBOLS_MODULE_H
#define ROOTLE_COLLECT_SYMBOLS_MODULE_H

#include <sys/types.h>

#include "collect/symbols_elf.h"
#include "collect/symbols_process.h"

#define MODULES_MAX 128
#define MODULES_BYTES_MAX (4u << 20)    /* of all tables together */
#define MODULE_FUNCTIONS_MAX 262144     /* of one file */

struct module_key { uint64_t dev, ino, size; int64_t changed_ns; };

struct module {
	struct module_key key;
	struct elf_symbols elf;
	uint64_t id;            /* never used again; 0: the slot is free */
	uint64_t used;          /* by the clock of the list */
	int err;                /* why it could not be read */
};

struct modules {
	struct module slot[MODULES_MAX];
	uint64_t ids, clock;
	uint64_t too_large, unreadable, evicted;   /* files, since the beginning */
};

void modules_init(struct modules *m);
void modules_done(struct modules *m);

/* The file behind a mapping of the process, read where it was not known: through /proc/PID/map_files, which also has a deleted file
 * and that of another mount namespace; else by its path below the process's root, where that is the same file still. NULL
 * where it cannot be had. Valid until the next call. */
struct module *module_of(struct modules *m, const char *proc, uint32_t pid, struct mapping *map);

/* The vdso, which every process has from the kernel: ours. */
struct module *module_vdso(struct modules *m);

#endif

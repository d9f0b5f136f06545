/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbols_elf: the functions of an executable or library: .symtab of the file, else of the debug file that is installed for its
 * build id, else .dynsym; of the functions that a stripped file does not name, its unwind table (.eh_frame_hdr) still says
 * where they begin.  Reads headers and tables only, in pieces; nothing is mapped, so a file that is cut meanwhile does no harm.
 *
 * Not read: .gnu_debugdata (xz), compressed section tables, debug files found by .gnu_debuglink.
 */
#ifndef ROOTLE_COLLECT_SYMBOLS_ELF_H
#define ROOTLE_COLLECT_SYMBOLS_ELF_H

#include "collect/symbol_table.h"

#define ELF_SEGMENTS_MAX 8

struct elf_symbols {
	struct symbol_table names;
	struct { uint64_t offset, size, addr; } code[ELF_SEGMENTS_MAX];    /* executable segments: file offset → address */
	size_t n_code;
	uint64_t starts_at;
	VEC(uint32_t) starts;   /* where functions begin, in order, from starts_at on; of stripped files only */
	bool too_large;         /* it has more functions than are kept: no names */
};

/* fd is of the file, stays the caller's. root: the directory whose usr/lib/debug is looked into ("/proc/7/root"), may be
 * NULL. most: functions kept. 0, or -errno (-ENOEXEC: not an ELF file); *ret is to be given to elf_symbols_done() in any case. */
int elf_symbols_read(struct elf_symbols *ret, int fd, const char *root, size_t most);
void elf_symbols_done(struct elf_symbols *e);

/* The address, as the file's tables have it, of a byte of the file. False: it is in no executable segment. */
bool elf_symbols_addr(const struct elf_symbols *e, uint64_t offset, uint64_t *addr);
/* Where the function begins that has this address, as far as the unwind table tells; 0 where it does not. */
uint64_t elf_symbols_start(const struct elf_symbols *e, uint64_t addr);
/* Bytes of memory it takes. */
size_t elf_symbols_bytes(const struct elf_symbols *e);

#endif

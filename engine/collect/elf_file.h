/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_file: what of a program or library in a file is needed to hook into its functions: where they are.  64-bit, little endian.
 * Read piece by piece rather than mapped: a file that is cut short meanwhile is an error then, not a signal.  Any bytes may come.
 */
#ifndef ROOTLE_COLLECT_ELF_FILE_H
#define ROOTLE_COLLECT_ELF_FILE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file {
	int fd;
	uint16_t machine;         /* EM_X86_64 … */
	Elf64_Phdr *segments;
	Elf64_Shdr *sections;
	size_t nsegments, nsections;
	char *names;              /* of the sections */
	size_t names_len;
};

/* A function; size may be 0: not known. */
struct elf_function { uint64_t address, size; };

/* 0; -ENOEXEC: not such a file; -errno. */
int elf_open(struct elf_file *e, const char *path);
void elf_close(struct elf_file *e);

/* Looks for functions by their names (n of them) in the dynamic symbols, then in all. ret[i].address is 0 where there is none.
 * How many were found; -errno where a table cannot be read and the others have none. */
int elf_functions(const struct elf_file *e, const char *const names[], size_t n, struct elf_function ret[]);
/* NULL: there is none of this name with contents. */
const Elf64_Shdr *elf_section(const struct elf_file *e, const char *name);
/* n bytes of the file, to be freed; NULL with errno. */
void *elf_load(const struct elf_file *e, uint64_t offset, uint64_t n);
/* Where in the file the code at this address is; -ENOENT: nowhere. */
int64_t elf_offset(const struct elf_file *e, uint64_t address);

#endif

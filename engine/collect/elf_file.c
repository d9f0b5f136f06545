/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTIONS_MAX 4096
#define LOAD_MAX (256ull << 20)        /* the symbols of a browser are 100 MB */

void *elf_load(const struct elf_file *e, uint64_t offset, uint64_t n)
{
	uint8_t *buf;
	size_t have = 0;

	if (!n || n > LOAD_MAX || offset > INT64_MAX - n) {
		errno = ENOEXEC;
		return NULL;
	}
	buf = malloc(n);
	while (buf && have < n) {
		ssize_t r = pread(e->fd, buf + have, n - have, (off_t)(offset + have));

		if (r <= 0) {
			free(buf);
			errno = r ? errno : ENOEXEC;
			return NULL;
		}
		have += (size_t)r;
	}
	return buf;
}

static int headers_load(struct elf_file *e, const Elf64_Ehdr *h)
{
	const Elf64_Shdr *names;

	if (h->e_phnum && h->e_phentsize == sizeof(Elf64_Phdr)) {
		e->segments = elf_load(e, h->e_phoff, (uint64_t)h->e_phnum * sizeof(Elf64_Phdr));
		if (!e->segments)
			return -errno;
		e->nsegments = h->e_phnum;
	}
	if (!h->e_shnum || h->e_shnum > SECTIONS_MAX || h->e_shentsize != sizeof(Elf64_Shdr))
		return 0;
	e->sections = elf_load(e, h->e_shoff, (uint64_t)h->e_shnum * sizeof(Elf64_Shdr));
	if (!e->sections)
		return -errno;
	e->nsections = h->e_shnum;
	if (h->e_shstrndx >= e->nsections)
		return 0;
	names = &e->sections[h->e_shstrndx];
	e->names = elf_load(e, names->sh_offset, names->sh_size);
	if (!e->names)
		return -errno;
	e->names_len = names->sh_size;
	e->names[e->names_len - 1] = '\0';
	return 0;
}

int elf_open(struct elf_file *e, const char *path)
{
	Elf64_Ehdr h;
	int err;

	*e = (struct elf_file){.fd = open(path, O_RDONLY | O_CLOEXEC)};
	if (e->fd < 0)
		return -errno;
	if (pread(e->fd, &h, sizeof(h), 0) != sizeof(h) || memcmp(h.e_ident, ELFMAG, SELFMAG) ||
	    h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB) {
		elf_close(e);
		return -ENOEXEC;
	}
	e->machine = h.e_machine;
	err = headers_load(e, &h);
	if (err)
		elf_close(e);
	return err;
}

void elf_close(struct elf_file *e)
{
	if (e->fd >= 0)
		close(e->fd);
	free(e->segments);
	free(e->sections);
	free(e->names);
	*e = (struct elf_file){.fd = -1};
}

const Elf64_Shdr *elf_section(const struct elf_file *e, const char *name)
{
	for (size_t i = 0; i < e->nsections; i++) {
		const Elf64_Shdr *s = &e->sections[i];

		if (s->sh_type != SHT_NOBITS && s->sh_size && s->sh_name < e->names_len && !strcmp(e->names + s->sh_name, name))
			return s;
	}
	return NULL;
}

int64_t elf_offset(const struct elf_file *e, uint64_t address)
{
	for (size_t i = 0; i < e->nsegments; i++) {
		const Elf64_Phdr *s = &e->segments[i];

		if (s->p_type == PT_LOAD && s->p_flags & PF_X && address >= s->p_vaddr && address - s->p_vaddr < s->p_filesz &&
		    s->p_offset <= INT64_MAX - s->p_filesz)
			return (int64_t)(address - s->p_vaddr + s->p_offset);
	}
	return -ENOENT;
}

/* Its strings, ended by a NUL; NULL with errno: it has none, or they cannot be read. */
static char *strings_load(const struct elf_file *e, const Elf64_Shdr *table, uint64_t *size)
{
	const Elf64_Shdr *strings = table->sh_link < e->nsections ? &e->sections[table->sh_link] : NULL;
	char *text;

	if (!strings || strings->sh_type != SHT_STRTAB) {
		errno = ENOEXEC;
		return NULL;
	}
	text = elf_load(e, strings->sh_offset, strings->sh_size);
	if (text)
		text[strings->sh_size - 1] = '\0';
	*size = strings->sh_size;
	return text;
}

/* One table of symbols. How many names it adds, or -errno. */
static int table_search(const struct elf_file *e, const Elf64_Shdr *table, const char *const names[], size_t n,
			struct elf_function ret[])
{
	uint64_t size = 0;
	char *text = strings_load(e, table, &size);
	Elf64_Sym *symbols = text ? elf_load(e, table->sh_offset, table->sh_size) : NULL;
	int found = symbols ? 0 : -errno;

	for (size_t i = 0; found >= 0 && i < table->sh_size / sizeof(*symbols); i++) {
		const Elf64_Sym *s = &symbols[i];

		if (ELF64_ST_TYPE(s->st_info) != STT_FUNC || !s->st_value || s->st_name >= size)
			continue;
		for (size_t k = 0; k < n; k++) {
			if (ret[k].address || strcmp(text + s->st_name, names[k]))
				continue;
			ret[k] = (struct elf_function){s->st_value, s->st_size};
			found++;
		}
	}
	free(symbols);
	free(text);
	return found;
}

int elf_functions(const struct elf_file *e, const char *const names[], size_t n, struct elf_function ret[])
{
	static const uint32_t kinds[] = {SHT_DYNSYM, SHT_SYMTAB};
	int found = 0, err = 0;

	memset(ret, 0, n * sizeof(*ret));
	for (size_t kind = 0; kind < 2 && found < (int)n; kind++)
		for (size_t i = 0; i < e->nsections; i++) {
			int more = e->sections[i].sh_type == kinds[kind] && e->sections[i].sh_size
					   ? table_search(e, &e->sections[i], names, n, ret) : 0;

			if (more < 0)
				err = more;
			else
				found += more;
		}
	return found ? found : err;
}

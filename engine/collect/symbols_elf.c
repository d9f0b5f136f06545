/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF: gABI chapters 4 and 5; .eh_frame_hdr: Linux Standard Base Core 5.0, 10.6.2. */
#include "collect/below.h"
#include "collect/symbols_elf.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/symbols_process.h"

#define PIECE (64u << 10)       /* of a table, read at a time */
#define NOTES_MAX 4096
#define NO_SIZE_MOST 4096       /* bytes that a function without a size may be long */

struct section { GElf_Shdr sh; uint64_t strings_at; };

static bool section_find(Elf *elf, uint32_t type, struct section *ret)
{
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		GElf_Shdr strings;

		if (!gelf_getshdr(scn, &ret->sh) || ret->sh.sh_type != type || !ret->sh.sh_entsize)
			continue;
		if (!gelf_getshdr(elf_getscn(elf, ret->sh.sh_link), &strings))
			return false;
		ret->strings_at = strings.sh_offset;
		return true;
	}
	return false;
}

static int symbol_take(struct symbol_table *t, const void *entry, bool is64)
{
	Elf64_Sym s;

	if (is64) {
		memcpy(&s, entry, sizeof(s));
	} else {
		Elf32_Sym s32;

		memcpy(&s32, entry, sizeof(s32));
		s = (Elf64_Sym){.st_name = s32.st_name, .st_info = s32.st_info, .st_shndx = s32.st_shndx,
				.st_value = s32.st_value, .st_size = s32.st_size};
	}
	if ((ELF64_ST_TYPE(s.st_info) != STT_FUNC && ELF64_ST_TYPE(s.st_info) != STT_GNU_IFUNC) ||
	    s.st_shndx == SHN_UNDEF || !s.st_value || !s.st_name)
		return 0;
	return symbol_add(t, s.st_value, s.st_size > UINT32_MAX ? UINT32_MAX : (uint32_t)s.st_size, s.st_name);
}

static int symbols_take(struct symbol_table *t, int fd, const struct section *sec, bool is64)
{
	size_t entry = is64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym), step = PIECE / entry * entry;
	char *buf = malloc(step);
	int err = buf ? 0 : -ENOMEM;

	if (sec->sh.sh_entsize != entry)
		err = -ENOEXEC;
	for (uint64_t at = 0; !err && at < sec->sh.sh_size; at += step) {
		uint64_t left = sec->sh.sh_size - at;
		ssize_t n = pread(fd, buf, left < step ? left : step, (off_t)(sec->sh.sh_offset + at));

		if (n <= 0)
			err = n < 0 ? -errno : -ENODATA;
		for (size_t i = 0; !err && i + entry <= (size_t)n; i += entry)
			err = symbol_take(t, buf + i, is64);
	}
	free(buf);
	return err;
}

/* The functions that this table of the file names. Count, or negative. */
static int table_read(struct elf_symbols *e, Elf *elf, int fd, uint32_t type)
{
	struct section sec;
	int err;

	if (!section_find(elf, type, &sec))
		return 0;
	err = symbols_take(&e->names, fd, &sec, gelf_getclass(elf) == ELFCLASS64);
	if (err || !e->names.symbols.n) {
		e->too_large |= err == -E2BIG;
		vec_done(&e->names.symbols);
		return err;
	}
	e->names.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	e->names.names_at = sec.strings_at;
	if (e->names.fd < 0)
		return -errno;
	symbol_sort(&e->names, NO_SIZE_MOST);
	return 1;
}

static void segments_read(struct elf_symbols *e, Elf *elf)
{
	size_t n = 0;

	if (elf_getphdrnum(elf, &n))
		return;
	for (size_t i = 0; i < n && e->n_code < ELF_SEGMENTS_MAX; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_LOAD || !(ph.p_flags & PF_X))
			continue;
		e->code[e->n_code].offset = ph.p_offset;
		e->code[e->n_code].size = ph.p_filesz;
		e->code[e->n_code++].addr = ph.p_vaddr;
	}
}

/* hex of the build id; false: there is none. */
static bool build_id(Elf *elf, int fd, char *hex, size_t cap)
{
	char buf[NOTES_MAX];
	size_t n = 0;

	if (elf_getphdrnum(elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;
		ssize_t have;

		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_NOTE)
			continue;
		have = pread(fd, buf, ph.p_filesz < sizeof(buf) ? ph.p_filesz : sizeof(buf), (off_t)ph.p_offset);
		for (size_t at = 0; have > 0 && at + sizeof(Elf64_Nhdr) <= (size_t)have;) {
			Elf64_Nhdr h;
			size_t name, desc, end;

			memcpy(&h, buf + at, sizeof(h));
			name = at + sizeof(h);
			desc = name + ((size_t)h.n_namesz + 3) / 4 * 4;
			end = desc + ((size_t)h.n_descsz + 3) / 4 * 4;
			if (desc > (size_t)have || end > (size_t)have || end <= at)
				break;
			if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4 && !memcmp(buf + name, "GNU", 4) && h.n_descsz > 1 &&
			    2 * (size_t)h.n_descsz < cap) {
				for (size_t d = 0; d < h.n_descsz; d++)
					snprintf(hex + 2 * d, 3, "%02x", (uint8_t)buf[desc + d]);
				return true;
			}
			at = end;
		}
	}
	return false;
}

/* The debug file of that build id, below root. */
static int debug_open(const char *root, const char *id)
{
	char path[192];

	snprintf(path, sizeof(path), "/usr/lib/debug/.build-id/%.2s/%s.debug", id, id + 2);
	return below_open(root, path);
}

static int debug_read(struct elf_symbols *e, Elf *elf, int fd, const char *root)
{
	char id[130];
	int debug = -1, ret = 0;
	Elf *other;

	if (!build_id(elf, fd, id, sizeof(id)))
		return 0;
	if (root)
		debug = debug_open(root, id);
	if (debug < 0)
		debug = debug_open("/", id);
	if (debug < 0)
		return 0;
	other = elf_begin(debug, ELF_C_READ, NULL);
	if (other && elf_kind(other) == ELF_K_ELF)
		ret = table_read(e, other, debug, SHT_SYMTAB);
	elf_end(other);
	close(debug);
	return ret;
}

/* .eh_frame_hdr: version 1, encodings of pointer (any), count (udata4 = 3) and table (datarel | sdata4 = 0x3b), which are
 * what every linker writes; then pairs of function and unwind entry, relative to the header, in order. */
static int starts_take(struct elf_symbols *e, int fd, const GElf_Phdr *ph, size_t most)
{
	uint8_t head[12];
	uint32_t count;
	int32_t *pairs;
	ssize_t n = pread(fd, head, sizeof(head), (off_t)ph->p_offset);

	if (n != sizeof(head) || head[0] != 1 || (head[1] & 0x0f) != 0x0b || head[2] != 3 || head[3] != 0x3b)
		return 0;
	memcpy(&count, head + 8, sizeof(count));
	if (!count || count > most || sizeof(head) + 8ull * count > ph->p_filesz)
		return count > most ? -E2BIG : 0;
	pairs = malloc(8ul * count);
	n = pairs ? pread(fd, pairs, 8ul * count, (off_t)(ph->p_offset + sizeof(head))) : -1;
	for (uint32_t i = 0; n == (ssize_t)(8ul * count) && i < count; i++) {
		uint64_t addr = ph->p_vaddr + (uint64_t)(int64_t)pairs[2 * i];
		uint32_t *start;

		if (!i)
			e->starts_at = addr;
		if (addr - e->starts_at > UINT32_MAX || !(start = vec_push(&e->starts)))
			break;
		*start = (uint32_t)(addr - e->starts_at);
	}
	vec_trim(&e->starts);
	free(pairs);
	return pairs ? 0 : -ENOMEM;
}

static void starts_read(struct elf_symbols *e, Elf *elf, int fd, size_t most)
{
	size_t n = 0;

	if (elf_getphdrnum(elf, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_GNU_EH_FRAME) {
			e->too_large |= starts_take(e, fd, &ph, most) == -E2BIG;
			return;
		}
	}
}

int elf_symbols_read(struct elf_symbols *ret, int fd, const char *root, size_t most)
{
	Elf *elf;
	int got;

	*ret = (struct elf_symbols){0};
	symbol_table_init(&ret->names);
	ret->names.most = most;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOSYS;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF) {
		elf_end(elf);
		return -ENOEXEC;
	}
	segments_read(ret, elf);
	got = table_read(ret, elf, fd, SHT_SYMTAB);
	if (got == 0)
		got = debug_read(ret, elf, fd, root);
	if (got == 0) {
		got = table_read(ret, elf, fd, SHT_DYNSYM);
		if (got >= 0)
			starts_read(ret, elf, fd, most);
	}
	elf_end(elf);
	return got < 0 && got != -E2BIG ? got : 0;
}

void elf_symbols_done(struct elf_symbols *e)
{
	symbol_table_done(&e->names);
	vec_done(&e->starts);
	e->n_code = 0;
}

bool elf_symbols_addr(const struct elf_symbols *e, uint64_t offset, uint64_t *addr)
{
	for (size_t i = 0; i < e->n_code; i++) {
		if (offset - e->code[i].offset >= e->code[i].size)
			continue;
		*addr = offset - e->code[i].offset + e->code[i].addr;
		return true;
	}
	return false;
}

uint64_t elf_symbols_start(const struct elf_symbols *e, uint64_t addr)
{
	size_t low = 0, high = e->starts.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (e->starts_at + e->starts.v[mid] <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? e->starts_at + e->starts.v[low - 1] : 0;
}

size_t elf_symbols_bytes(const struct elf_symbols *e)
{
	return e->names.symbols.cap * sizeof(struct symbol) + e->starts.cap * sizeof(uint32_t);
}

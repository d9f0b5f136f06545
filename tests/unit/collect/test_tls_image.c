/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of TLS libraries: in the machine's own libraries where it has them, and in tables made by hand. */
#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/elf_file.h"
#include "collect/go_table.h"
#include "collect/tls_image.h"

#define NAME "crypto/tls.(*Conn).Write"

/* A .gopclntab of two functions: main.main at 0x1000, NAME at 0x1040..0x1080. */
static size_t table_make(uint8_t *p, uint32_t magic)
{
	const uint64_t words[] = {2, 0, 0x400000, 72, 0, 0, 0, 128};
	const uint32_t pairs[] = {0x1000, 24, 0x1040, 32, 0x1080};
	const uint32_t records[] = {0x1000, 0, 0x1040, 10};     /* code, name */

	memset(p, 0, 256);
	memcpy(p, &magic, 4);
	p[6] = 1;
	p[7] = 8;
	memcpy(p + 8, words, sizeof(words));
	memcpy(p + 72, "main.main\0" NAME, sizeof("main.main\0" NAME));
	memcpy(p + 128, pairs, sizeof(pairs));
	memcpy(p + 128 + 24, records, sizeof(records));
	return 128 + 40;
}

Test(go_table, finds_functions)
{
	static const char *const names[] = {NAME, "main.main", "main.mai"};
	struct elf_function at[3];
	uint8_t p[256];
	size_t n = table_make(p, 0xfffffff1);

	cr_assert_eq(go_table_functions(p, n, 0, names, 3, at), 2);
	cr_assert_eq(at[0].address, 0x401040);
	cr_assert_eq(at[0].size, 0x40);
	cr_assert_eq(at[1].address, 0x401000);
	cr_assert_eq(at[2].address, 0, "a name is whole");
	memset(p + 24, 0, 8);
	cr_assert_eq(go_table_functions(p, n, 0x7000, names, 2, at), 2, "the header leaves the text to be relocated");
	cr_assert_eq(at[0].address, 0x7000 + 0x1040);
}

Test(go_table, refuses_what_it_does_not_know)
{
	static const char *const names[] = {NAME};
	struct elf_function at[1];
	uint8_t p[256];
	size_t n = table_make(p, 0xfffffffa);

	cr_assert_eq(go_table_functions(p, n, 0, names, 1, at), -ENOTSUP, "Go 1.16");
	n = table_make(p, 0xdeadbeef);
	cr_assert_eq(go_table_functions(p, n, 0, names, 1, at), -ENOEXEC);
}

Test(go_table, every_prefix_and_every_broken_byte)
{
	static const char *const names[] = {NAME};
	struct elf_function at[1];
	uint8_t p[256];
	size_t n = table_make(p, 0xfffffff0);

	for (size_t k = 0; k <= n; k++) {
		uint8_t *exact = malloc(k ? k : 1);

		memcpy(exact, p, k);
		go_table_functions(exact, k, 0, names, 1, at);
		free(exact);
	}
	for (size_t bit = 0; bit < n * 8; bit++) {
		uint8_t *exact = malloc(n);

		memcpy(exact, p, n);
		exact[bit / 8] ^= (uint8_t)(1u << bit % 8);
		go_table_functions(exact, n, 0, names, 1, at);
		free(exact);
	}
}

static void library(const char *path, const char *want)
{
	struct tls_image t;
	int hooks = 0;

	if (access(path, R_OK)) {
		cr_log_info("%s is not here", path);
		return;
	}
	cr_assert_eq(tls_image_read(path, &t), 0, "%s", path);
	cr_assert_str_eq(t.library, want);
	for (size_t i = 0; i < t.n; i++)
		hooks |= 1 << t.at[i].hook;
	cr_assert_eq(hooks & 3, 3, "reads and writes");
	cr_assert(hooks & 1 << TLS_HOOK_FREE);
}

Test(tls_image, libraries_of_this_machine)
{
	library("/usr/lib/x86_64-linux-gnu/libssl.so.3", "openssl");
	library("/usr/lib/x86_64-linux-gnu/libgnutls.so.30", "gnutls");
}

Test(tls_image, no_library)
{
	struct tls_image t;

	cr_assert_eq(tls_image_read("/bin/sh", &t), -ENOENT);
	cr_assert_eq(tls_image_read("/etc/passwd", &t), -ENOENT);
	cr_assert_eq(tls_image_read("/nowhere", &t), -ENOENT);
}

/* An ELF file of these sections; the first is none, the last has the names. */
struct section { const char *name; uint32_t type, link; const void *data; size_t n; };

static void elf_write(const char *path, const struct section *v, size_t n)
{
	Elf64_Ehdr h = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB}, .e_machine = EM_X86_64,
			.e_shentsize = sizeof(Elf64_Shdr), .e_shnum = (uint16_t)(n + 2), .e_shstrndx = (uint16_t)(n + 1)};
	Elf64_Shdr headers[8] = {0};
	uint8_t file[4096] = {0};
	size_t at = sizeof(h), names = 1;
	char text[256] = "";

	for (size_t i = 0; i <= n; i++) {
		const struct section last = {".shstrtab", SHT_STRTAB, 0, text, sizeof(text)}, *s = i < n ? &v[i] : &last;

		headers[i + 1] = (Elf64_Shdr){.sh_name = (uint32_t)names, .sh_type = s->type, .sh_link = s->link, .sh_offset = at,
					      .sh_size = s->n};
		strcpy(text + names, s->name);
		names += strlen(s->name) + 1;
		memcpy(file + at, s->data, s->n);
		at += s->n;
	}
	h.e_shoff = at;
	memcpy(file, &h, sizeof(h));
	memcpy(file + at, headers, (n + 2) * sizeof(headers[0]));
	at += (n + 2) * sizeof(headers[0]);
	FILE *f = fopen(path, "we");
	cr_assert(f && fwrite(file, 1, at, f) == at);
	fclose(f);
}

Test(tls_image, a_go_before_1_18_is_told)
{
	char path[] = "/tmp/rootle-elf-XXXXXX";
	struct tls_image t;
	uint8_t table[256];
	size_t n = table_make(table, 0xfffffffa);
	const struct section v[] = {{".gopclntab", SHT_PROGBITS, 0, table, n}};

	close(mkstemp(path));
	elf_write(path, v, 1);
	cr_assert_eq(tls_image_read(path, &t), -ENOTSUP);
	unlink(path);
}

Test(elf, a_bad_table_does_not_hide_the_others)
{
	static const char *const names[] = {"SSL_read", "SSL_write"};
	static const char strings[] = "\0SSL_read";
	const Elf64_Sym symbols[] = {{0}, {.st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_value = 0x1000}};
	char path[] = "/tmp/rootle-elf-XXXXXX";
	struct elf_function at[2];
	struct elf_file e;

	close(mkstemp(path));
	for (uint32_t link = 0; link < 8; link++) {
		const struct section v[] = {{".dynsym", SHT_DYNSYM, 2, symbols, sizeof(symbols)}, {".dynstr", SHT_STRTAB, 0, strings, sizeof(strings)},
					    {".symtab", SHT_SYMTAB, link, symbols, sizeof(symbols)}};
		const struct section bad[] = {v[2]};

		elf_write(path, v, 3);
		cr_assert_eq(elf_open(&e, path), 0);
		errno = 0;
		cr_assert_eq(elf_functions(&e, names, 2, at), 1, "link %u", link);
		cr_assert_eq(at[0].address, 0x1000);
		elf_close(&e);
		if (link == 2)
			continue;       /* the names of the sections: strings too */
		elf_write(path, bad, 1);
		cr_assert_eq(elf_open(&e, path), 0);
		errno = 0;
		cr_assert_eq(elf_functions(&e, names, 2, at), -ENOEXEC, "link %u", link);
		elf_close(&e);
	}
	unlink(path);
}

/* Any file: this very test, cut and broken at random places (the same in every run). */
Test(elf, broken_files)
{
	static const char *const names[] = {"main", "SSL_write"};
	static uint8_t head[4096];
	char path[] = "/tmp/rootle-elf-XXXXXX";
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), out = mkstemp(path);
	unsigned seed = 1;
	struct elf_function at[2];
	struct elf_file e;

	cr_assert(fd >= 0 && out >= 0 && pread(fd, head, sizeof(head), 0) == sizeof(head));
	for (int i = 0; i < 300; i++) {
		uint8_t broken[sizeof(head)];
		size_t n = i % 3 ? sizeof(head) : (size_t)rand_r(&seed) % sizeof(head);

		memcpy(broken, head, sizeof(head));
		for (int k = 0; k < i % 8; k++)
			broken[rand_r(&seed) % 1024u] = (uint8_t)rand_r(&seed);
		cr_assert(ftruncate(out, 0) == 0 && pwrite(out, broken, n, 0) == (ssize_t)n);
		if (elf_open(&e, path))
			continue;
		elf_functions(&e, names, 2, at);
		elf_section(&e, ".text");
		elf_offset(&e, 0x1000);
		elf_close(&e);
	}
	close(fd);
	close(out);
	unlink(path);
}

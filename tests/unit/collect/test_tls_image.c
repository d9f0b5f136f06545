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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/tls_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/elf_file.h"
#include "collect/go_table.h"
#include "collect/insn.h"

#define CODE_MAX (1u << 20)

/* The first two of a library are what it is known by. */
static const char *const symbols[] = {
	"SSL_write", "SSL_read", "SSL_write_ex", "SSL_read_ex", "SSL_do_handshake", "SSL_free",
	"gnutls_record_send", "gnutls_record_recv", "gnutls_handshake", "gnutls_deinit",
};
#define SYMBOLS (sizeof(symbols) / sizeof(*symbols))
#define GNUTLS_AT 6

static const enum tls_hook hook_of[SYMBOLS] = {
	TLS_HOOK_WRITE, TLS_HOOK_READ, TLS_HOOK_WRITE_EX, TLS_HOOK_READ_EX, TLS_HOOK_SHAKE, TLS_HOOK_FREE,
	TLS_HOOK_WRITE, TLS_HOOK_READ, TLS_HOOK_SHAKE, TLS_HOOK_FREE,
};

static const char *const go_names[] = {"crypto/tls.(*Conn).Write", "crypto/tls.(*Conn).Read"};

bool tls_hook_returns(enum tls_hook hook)
{
	return hook <= TLS_HOOK_SHAKE;
}

static int add(struct tls_image *t, enum tls_hook hook, int64_t offset)
{
	if (offset < 0)
		return (int)offset;
	if (t->n == TLS_HOOKS_MAX)
		return -E2BIG;
	t->at[t->n].hook = hook;
	t->at[t->n++].offset = (uint64_t)offset;
	return 0;
}

static int c_read(const struct elf_file *e, struct tls_image *t)
{
	struct elf_function at[SYMBOLS];
	int err = elf_functions(e, symbols, SYMBOLS, at);

	if (err < 0)
		return err;
	if (at[0].address && at[1].address)
		t->library = "openssl";
	else if (at[GNUTLS_AT].address && at[GNUTLS_AT + 1].address)
		t->library = "gnutls";
	else
		return -ENOENT;
	err = 0;
	for (size_t i = 0; i < SYMBOLS && !err; i++)
		if (at[i].address)
			err = add(t, hook_of[i], elf_offset(e, at[i].address));
	return err;
}

/* The returns of a function whose beginning is at `offset`. */
static int go_returns(const struct elf_file *e, struct tls_image *t, const struct elf_function *f, int64_t offset)
{
	uint32_t ret[INSN_RETURNS_MAX];
	uint8_t *code = f->size <= CODE_MAX ? elf_load(e, (uint64_t)offset, f->size) : NULL;
	int n = code ? insn_returns(e->machine, code, f->size, ret) : -EILSEQ, err = 0;

	free(code);
	for (int i = 0; i < n && !err; i++)
		err = add(t, TLS_HOOK_GO_RETURN, offset + ret[i]);
	return n < 0 ? n : n ? err : -EILSEQ;
}

static int go_read(const struct elf_file *e, struct tls_image *t)
{
	const Elf64_Shdr *table = elf_section(e, ".gopclntab"), *text = elf_section(e, ".text");
	struct elf_function at[2];
	uint8_t *bytes;
	int err;

	if (!table)
		table = elf_section(e, ".data.rel.ro.gopclntab");      /* position-independent */
	if (!table)
		return -ENOENT;
	bytes = elf_load(e, table->sh_offset, table->sh_size);
	if (!bytes)
		return -errno;
	err = go_table_functions(bytes, table->sh_size, text ? text->sh_addr : 0, go_names, 2, at);
	free(bytes);
	if (err < 0)
		return err;
	if (!at[0].address || !at[1].address)
		return -ENOENT;
	t->library = "go";
	err = 0;
	for (int i = 0; i < 2 && !err; i++) {
		int64_t offset = elf_offset(e, at[i].address);

		err = add(t, i ? TLS_HOOK_GO_READ : TLS_HOOK_GO_WRITE, offset);
		if (!err)
			err = go_returns(e, t, &at[i], offset);
	}
	return err;
}

int tls_image_read(const char *path, struct tls_image *ret)
{
	struct elf_file e;
	int err = elf_open(&e, path);

	if (err)
		return err == -ENOEXEC ? -ENOENT : err;
	*ret = (struct tls_image){0};
	err = c_read(&e, ret);
	if (err == -ENOENT)
		err = go_read(&e, ret);
	elf_close(&e);
	return err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/symbols_kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL_SYMBOLS_MAX 262144
#define NAMES_MAX (8u << 20)
#define FUNCTION_MAX 65536      /* bytes: a larger gap to the next symbol is not of this function */

static int name_put(struct symbol_table *t, size_t *cap, const char *name, size_t n)
{
	if (t->text_bytes + n + 1 > NAMES_MAX)
		return -E2BIG;
	if (t->text_bytes + n + 1 > *cap) {
		size_t more = *cap ? *cap * 2 : 1u << 20;
		char *bigger = realloc(t->text, more);

		if (!bigger)
			return -ENOMEM;
		t->text = bigger;
		*cap = more;
	}
	memcpy(t->text + t->text_bytes, name, n);
	t->text_bytes += n;
	t->text[t->text_bytes++] = '\n';
	return 0;
}

/* "ffffffff81000000 T _stext", behind a tab "[module]" */
static int line_take(struct symbol_table *t, size_t *cap, const char *line, bool *hidden)
{
	char *end;
	uint64_t addr = strtoull(line, &end, 16);
	size_t name = t->text_bytes;
	int err;

	if (*end != ' ' || !end[1] || !strchr("tTwW", end[1]) || end[2] != ' ')
		return 0;
	if (!addr) {
		*hidden = true;
		return 0;
	}
	err = name_put(t, cap, end + 3, strcspn(end + 3, "\t\n"));
	return err ? err : symbol_add(t, addr, 0, (uint32_t)name);
}

int symbols_kernel_read(struct symbol_table *ret, const char *path)
{
	char line[1024];
	bool hidden = false;
	size_t cap = 0;
	FILE *f = fopen(path, "re");
	int err = f ? 0 : -errno;

	symbol_table_init(ret);
	ret->most = KERNEL_SYMBOLS_MAX;
	while (!err && fgets(line, sizeof(line), f))
		err = line_take(ret, &cap, line, &hidden);
	if (f)
		fclose(f);
	if (!err && !ret->symbols.n)
		err = hidden ? -EACCES : -ENODATA;
	if (err) {
		symbol_table_done(ret);
		return err;
	}
	ret->text = realloc(ret->text, ret->text_bytes);
	symbol_sort(ret, FUNCTION_MAX);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/go_table.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define MAGIC_1_2 0xfffffffbu
#define MAGIC_1_16 0xfffffffau
#define MAGIC_1_18 0xfffffff0u
#define MAGIC_1_20 0xfffffff1u
#define HEADER 72                /* magic, 2 zero, quantum, pointer size; 8 words */
#define FUNCTIONS_MAX 10000000u

enum { NFUNC = 0, NFILES, TEXT_START, NAMES_AT, UNITS_AT, FILES_AT, PC_AT, FUNCTIONS_AT };

struct table { const uint8_t *p; size_t n; };

static uint32_t u32(const struct table *t, uint64_t at)
{
	uint32_t v = 0;

	if (at <= t->n && t->n - at >= sizeof(v))
		memcpy(&v, t->p + at, sizeof(v));
	return v;
}

static uint64_t word(const struct table *t, int i)
{
	uint64_t v;

	memcpy(&v, t->p + 8 + 8 * (size_t)i, sizeof(v));
	return v;
}

static int header_check(const struct table *t)
{
	uint32_t magic = t->n >= HEADER ? u32(t, 0) : 0;

	if (magic == MAGIC_1_2 || magic == MAGIC_1_16)
		return -ENOTSUP;
	if ((magic != MAGIC_1_18 && magic != MAGIC_1_20) || t->p[4] || t->p[5] || t->p[7] != 8)
		return -ENOEXEC;
	if (word(t, NFUNC) > FUNCTIONS_MAX || word(t, NAMES_AT) >= t->n || word(t, FUNCTIONS_AT) >= t->n)
		return -ENOEXEC;
	return 0;
}

/* The NUL-terminated name at this offset is `name`. */
static bool name_is(const struct table *t, uint64_t at, const char *name)
{
	size_t len = strlen(name) + 1;

	return at <= t->n && t->n - at >= len && !memcmp(t->p + at, name, len);
}

int go_table_functions(const uint8_t *table, size_t n, uint64_t text, const char *const names[], size_t nnames,
		       struct elf_function ret[])
{
	const struct table t = {table, n};
	int found = 0, err = header_check(&t);
	uint64_t functions, start;

	memset(ret, 0, nnames * sizeof(*ret));
	if (err)
		return err;
	functions = word(&t, FUNCTIONS_AT);
	start = word(&t, TEXT_START) ? word(&t, TEXT_START) : text;
	/* pairs of offsets: of the code from the start of the text, of the function's record from here; the last has no record */
	for (uint64_t i = 0; i < word(&t, NFUNC) && found < (int)nnames; i++) {
		uint64_t pair = functions + 8 * i;
		uint32_t code = u32(&t, pair), end = u32(&t, pair + 8);
		uint64_t name = word(&t, NAMES_AT) + u32(&t, functions + u32(&t, pair + 4) + 4);

		for (size_t k = 0; k < nnames; k++) {
			if (ret[k].address || end <= code || !name_is(&t, name, names[k]))
				continue;
			ret[k] = (struct elf_function){start + code, end - code};
			found++;
		}
	}
	return found;
}

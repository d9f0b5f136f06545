/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/symbol_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALIASES_MAX 16          /* names of one function that are compared */

void symbol_table_init(struct symbol_table *t)
{
	*t = (struct symbol_table){.fd = -1};
}

void symbol_table_done(struct symbol_table *t)
{
	vec_done(&t->symbols);
	free(t->text);
	if (t->fd >= 0)
		close(t->fd);
	symbol_table_init(t);
}

int symbol_add(struct symbol_table *t, uint64_t addr, uint32_t size, uint32_t name)
{
	struct symbol *s;

	if (t->most && t->symbols.n >= t->most)
		return -E2BIG;
	s = vec_push(&t->symbols);
	if (!s)
		return -ENOMEM;
	*s = (struct symbol){addr, size, name};
	return 0;
}

/* By address; of one address those without a size first, so that a size is found behind; then in the order of the names,
 * which is that of the file. */
static int symbol_order(const void *pa, const void *pb)
{
	const struct symbol *a = pa, *b = pb;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	if (!a->size != !b->size)
		return a->size ? 1 : -1;
	return a->name < b->name ? -1 : a->name > b->name;
}

void symbol_sort(struct symbol_table *t, uint32_t most)
{
	uint64_t next = UINT64_MAX, at = UINT64_MAX;

	if (!t->later_wins)             /* it does not grow any more */
		vec_trim(&t->symbols);
	qsort(t->symbols.v, t->symbols.n, sizeof(*t->symbols.v), symbol_order);
	for (size_t i = t->symbols.n; i-- > 0;) {
		struct symbol *s = &t->symbols.v[i];

		if (s->addr != at) {
			next = at;
			at = s->addr;
		}
		if (!s->size && next != UINT64_MAX && next - s->addr <= most)
			s->size = (uint32_t)(next - s->addr);
	}
}

static bool covers(const struct symbol *s, uint64_t addr)
{
	return addr - s->addr < s->size;
}

static size_t underscores(const struct symbol_table *t, const struct symbol *s)
{
	char name[16];

	return symbol_name(t, s, name, sizeof(name)) > 0 ? strspn(name, "_") : SIZE_MAX;
}

/* i: the last of its address. */
static const struct symbol *best_alias(const struct symbol_table *t, size_t i, uint64_t addr)
{
	const struct symbol *v = t->symbols.v, *best = &v[i];
	size_t fewest = SIZE_MAX;

	if (!i || v[i - 1].addr != v[i].addr)
		return best;
	for (size_t n = 0; n < ALIASES_MAX && v[i].addr == best->addr; n++, i--) {
		size_t u = covers(&v[i], addr) ? underscores(t, &v[i]) : SIZE_MAX;

		if (u < fewest) {
			fewest = u;
			best = &v[i];
		}
		if (!i)
			break;
	}
	return best;
}

#define NESTED_MAX 8            /* symbols before the nearest that may reach over it */

const struct symbol *symbol_find(const struct symbol_table *t, uint64_t addr)
{
	const struct symbol *latest = NULL;
	size_t low = 0, high = t->symbols.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->symbols.v[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	/* low: the number of those that begin at or before it. A label inside of a function is shorter than what is around. */
	for (size_t n = 0; n < NESTED_MAX && low > 0; n++, low--) {
		const struct symbol *s = &t->symbols.v[low - 1];

		if (!covers(s, addr))
			continue;
		if (!t->later_wins)
			return best_alias(t, low - 1, addr);
		if (!latest || s->name > latest->name)
			latest = s;
	}
	return latest;
}

int symbol_name(const struct symbol_table *t, const struct symbol *s, char *buf, size_t cap)
{
	ssize_t n;

	if (t->fd >= 0) {
		n = pread(t->fd, buf, cap - 1, (off_t)(t->names_at + s->name));
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
	} else {
		if (s->name >= t->text_bytes)
			return -ENODATA;
		n = (ssize_t)(t->text_bytes - s->name < cap - 1 ? t->text_bytes - s->name : cap - 1);
		memcpy(buf, t->text + s->name, (size_t)n);
	}
	buf[n] = '\0';
	n = (ssize_t)strcspn(buf, "\n");
	buf[n] = '\0';
	return (int)n;
}

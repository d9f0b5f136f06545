/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "collect/symbols_jit.h"
#include "collect/symbols_kernel.h"
#include "collect/symbols_module.h"

#define PROCESSES_MAX 512
#define FRAME_MAX 200           /* bytes of a name */
#define NAMES_KEPT 8192         /* names of addresses, slots; a power of two */
#define REREAD_NS NS_PER_S      /* between two looks at the mappings, or the JIT's map, of one process */
#define JITS_BYTES_MAX (4u << 20)

struct process_key { uint64_t image; uint32_t pid, pad; };

struct process {
	struct mappings maps;
	struct jit_symbols jit;
	uint64_t read_ns, jit_ns;       /* last looked at, CLOCK_MONOTONIC; 0 never */
	uint64_t used_ns;
	struct process_own own;
	bool gone;
};

/* The name of an address of a module: return addresses come again and again. */
struct kept_name { uint64_t module, addr; char *text; };

struct symbols {
	const char *proc;
	struct map processes;           /* struct process_key → struct process * */
	struct modules modules;
	struct symbol_table kernel;
	bool kernel_read;
	struct kept_name names[NAMES_KEPT];
	uint64_t gone, kernel_too_large, jit_too_large, jits_evicted;
};

struct symbols *symbols_new(const char *proc)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->proc = proc;
	map_init(&s->processes, sizeof(struct process_key), sizeof(struct process *), 0);
	modules_init(&s->modules);
	symbol_table_init(&s->kernel);
	return s;
}

static void process_free(struct process *p)
{
	mappings_done(&p->maps);
	jit_symbols_done(&p->jit);
	free(p);
}

void symbols_free(struct symbols *s)
{
	size_t it = 0;
	void *value;

	if (!s)
		return;
	while (map_next(&s->processes, &it, NULL, &value))
		process_free(*(struct process **)value);
	map_done(&s->processes);
	modules_done(&s->modules);
	symbol_table_done(&s->kernel);
	for (size_t i = 0; i < NAMES_KEPT; i++)
		free(s->names[i].text);
	free(s);
}

void symbols_counters(const struct symbols *s, struct symbols_counters *ret)
{
	*ret = (struct symbols_counters){
		.gone = s->gone, .unreadable = s->modules.unreadable,
		.too_large = s->modules.too_large + s->kernel_too_large + s->jit_too_large,
		.evicted = s->modules.evicted + s->jits_evicted,
	};
}

/* processes ---------------------------------------------------------------------------------------------------------- */

static void process_forget_oldest(struct symbols *s)
{
	const struct process_key *oldest = NULL;
	struct process *least = NULL;
	const void *key;
	size_t it = 0;
	void *value;

	while (map_next(&s->processes, &it, &key, &value)) {
		struct process *p = *(struct process **)value;

		if (!least || p->used_ns < least->used_ns) {
			least = p;
			oldest = key;
		}
	}
	if (least) {
		struct process_key gone = *oldest;      /* the key lies in the map */

		map_del(&s->processes, &gone);
		process_free(least);
	}
}

static void process_read(struct symbols *s, struct process *p, uint32_t pid, uint64_t image, uint64_t now_ns)
{
	int err;

	if (p->gone || (p->read_ns && now_ns - p->read_ns < REREAD_NS))
		return;
	if (!p->read_ns)
		p->own = process_own(s->proc, pid);
	err = mappings_read(&p->maps, s->proc, pid, image);
	p->gone = err == -ESTALE || err == -ENOENT || err == -ESRCH;
	p->read_ns = now_ns;
}

static struct process *process_of(struct symbols *s, const struct ev_stack *e, uint64_t now_ns)
{
	struct process_key key = {.image = e->image, .pid = e->tgid};
	struct process **slot = map_get(&s->processes, &key), *p;

	if (!slot) {
		if (s->processes.n >= PROCESSES_MAX)
			process_forget_oldest(s);
		p = calloc(1, sizeof(*p));
		slot = p ? map_put(&s->processes, &key, NULL) : NULL;
		if (!slot) {
			free(p);
			return NULL;
		}
		*slot = p;
		jit_symbols_init(&p->jit);
		process_read(s, p, e->tgid, e->image, now_ns);
	}
	p = *slot;
	p->used_ns = now_ns;
	return p;
}

/* names -------------------------------------------------------------------------------------------------------------- */

/* Without what would break a folded line or a terminal. */
static void name_clean(char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name < ' ' || *name == 0x7f)
			*name = '?';
		else if (*name == ';')
			*name = ':';
}

static void module_name(struct module *v, const struct mapping *map, uint64_t addr, char *buf)
{
	const struct symbol *sym = symbol_find(&v->elf.names, addr);
	uint64_t start;

	if (sym && symbol_name(&v->elf.names, sym, buf, FRAME_MAX) > 0)
		return;
	start = elf_symbols_start(&v->elf, addr);
	snprintf(buf, FRAME_MAX, "[%s+0x%llx]", map->name, (unsigned long long)(start ? start : addr));
}

static void kept_put(struct kept_name *k, uint64_t module, uint64_t addr, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return;
	free(k->text);
	*k = (struct kept_name){module, addr, copy};
}

/* offset: in the file */
static void file_frame(struct symbols *s, struct module *v, const struct mapping *map, uint64_t offset, char *buf)
{
	uint64_t addr, key[2];
	struct kept_name *k;

	if (!elf_symbols_addr(&v->elf, offset, &addr))
		addr = offset;
	key[0] = v->id;
	key[1] = addr;
	k = &s->names[hash_bytes(key, sizeof(key)) & (NAMES_KEPT - 1)];
	if (k->text && k->module == v->id && k->addr == addr) {
		strcpy(buf, k->text);
		return;
	}
	module_name(v, map, addr, buf);
	name_clean(buf);
	kept_put(k, v->id, addr, buf);
}

static size_t jits_bytes(const struct symbols *s)
{
	size_t it = 0, bytes = 0;
	void *value;

	while (map_next(&s->processes, &it, NULL, &value))
		bytes += (*(struct process **)value)->jit.names.symbols.cap * sizeof(struct symbol);
	return bytes;
}

/* The map of the runtime, taken in as far as it has grown. It lies in the process's /tmp, or in ours where it is a container
 * that shares only the names. */
static void jit_read(struct symbols *s, struct process *p, uint32_t pid, uint64_t now_ns)
{
	bool was_large = p->jit.too_large;
	char root[PROC_PATH_MAX], path[64];

	if (p->jit_ns && now_ns - p->jit_ns < REREAD_NS)
		return;
	p->jit_ns = now_ns;
	snprintf(root, sizeof(root), "%s/%u/root", s->proc, pid);
	snprintf(path, sizeof(path), "/tmp/perf-%u.map", p->own.pid);
	jit_symbols_read(&p->jit, root, path, p->own.uid);
	s->jit_too_large += p->jit.too_large && !was_large;
	if (jits_bytes(s) > JITS_BYTES_MAX) {
		jit_symbols_done(&p->jit);
		p->jit.too_large = true;        /* not again */
		s->jits_evicted++;
	}
}

static void anon_frame(struct symbols *s, struct process *p, uint32_t pid, const struct mapping *map, uint64_t ip, uint64_t now_ns,
		       char *buf)
{
	const struct symbol *sym = symbol_find(&p->jit.names, ip);

	if (!sym) {
		jit_read(s, p, pid, now_ns);
		sym = symbol_find(&p->jit.names, ip);
	}
	if (!sym || symbol_name(&p->jit.names, sym, buf, FRAME_MAX) <= 0)
		snprintf(buf, FRAME_MAX, "%s", *map->name == '[' ? map->name : "[anon]");
	name_clean(buf);
}

/* The frame of a user address. False: it lies in no code. */
static bool user_frame(struct symbols *s, struct process *p, const struct ev_stack *e, uint64_t ip, uint64_t now_ns, char *buf)
{
	struct mapping *map = mapping_find(&p->maps, ip);
	struct module *v;

	if (!map) {
		process_read(s, p, e->tgid, e->image, now_ns);
		map = mapping_find(&p->maps, ip);
	}
	if (!map)
		return false;
	if (!map->inode && strcmp(map->name, "[vdso]")) {
		anon_frame(s, p, e->tgid, map, ip, now_ns, buf);
		return true;
	}
	v = map->inode ? module_of(&s->modules, s->proc, e->tgid, map) : module_vdso(&s->modules);
	if (v) {
		file_frame(s, v, map, ip - map->start + map->offset, buf);
		return true;
	}
	snprintf(buf, FRAME_MAX, "[%s+0x%llx]", map->name, (unsigned long long)(ip - map->start + map->offset));
	name_clean(buf);
	return true;
}

static void kernel_frame(struct symbols *s, uint64_t ip, char *buf)
{
	const struct symbol *sym;
	char path[PROC_PATH_MAX];
	int n;

	if (!s->kernel_read) {
		s->kernel_read = true;
		snprintf(path, sizeof(path), "%s/kallsyms", s->proc);
		s->kernel_too_large = symbols_kernel_read(&s->kernel, path) == -E2BIG;
	}
	sym = symbol_find(&s->kernel, ip);
	n = sym ? symbol_name(&s->kernel, sym, buf, FRAME_MAX - 8) : -1;
	if (n <= 0)
		n = snprintf(buf, FRAME_MAX, "[unknown]");
	name_clean(buf);
	strcpy(buf + n, "_[k]");
}

/* stacks ------------------------------------------------------------------------------------------------------------- */

/* The text is made from the innermost frame outwards, that is from its end, so that what does not fit is what is outside. */
struct text { char *buf; size_t at; bool full; };

static void frame_put(struct text *t, const char *name)
{
	size_t n = strlen(name), sep = t->at < STACK_TEXT_MAX - 1;
	const size_t reserve = sizeof("[cut];");

	if (t->full || t->at < n + sep + reserve) {
		t->full = true;
		return;
	}
	if (sep)
		t->buf[--t->at] = ';';
	t->at -= n;
	memcpy(t->buf + t->at, name, n);
}

/* Return addresses lie behind their call: the address of the call tells the function. */
static uint64_t call_of(uint64_t ip, bool innermost)
{
	return innermost ? ip : ip - 1;
}

static void kernel_put(struct symbols *s, const struct ev_stack *e, struct text *t)
{
	char name[SYMBOL_NAME_MAX];

	for (uint16_t i = 0; i < e->kernel; i++) {
		kernel_frame(s, call_of(e->ip[i], i == 0), name);
		frame_put(t, name);
	}
	if (e->kernel == EV_STACK_KERNEL_MAX)
		frame_put(t, "[cut]");
}

static void user_put(struct symbols *s, const struct ev_stack *e, struct text *t)
{
	uint64_t now_ns = clock_ts_ns();
	struct process *p = process_of(s, e, now_ns);
	char name[SYMBOL_NAME_MAX];

	if (!p || !p->maps.list.n) {
		s->gone++;
		frame_put(t, "[unknown]");
		return;
	}
	for (uint16_t i = 0; i < e->user; i++) {
		if (!user_frame(s, p, e, call_of(e->ip[e->kernel + i], i == 0), now_ns, name)) {
			frame_put(t, "[unknown]");
			return;
		}
		frame_put(t, name);
	}
	if (e->user == EV_STACK_USER_MAX)
		frame_put(t, "[cut]");
}

size_t symbols_fold(struct symbols *s, const struct ev_stack *e, char *buf)
{
	struct text t = {.buf = buf, .at = STACK_TEXT_MAX - 1};
	size_t n;

	buf[STACK_TEXT_MAX - 1] = '\0';
	kernel_put(s, e, &t);
	if (e->user)
		user_put(s, e, &t);
	if (t.full) {
		t.full = false;
		t.at -= strlen("[cut];");
		memcpy(buf + t.at, "[cut];", strlen("[cut];"));
	}
	if (t.at == STACK_TEXT_MAX - 1)
		frame_put(&t, "[unknown]");
	n = STACK_TEXT_MAX - 1 - t.at;
	memmove(buf, buf + t.at, n + 1);
	return n;
}

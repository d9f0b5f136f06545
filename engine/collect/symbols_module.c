/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/below.h"
#include "collect/symbols_module.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NONE_ID UINT64_MAX      /* of a mapping whose file cannot be had */
#define VDSO_MAX (64u << 10)

void modules_init(struct modules *m)
{
	memset(m, 0, sizeof(*m));
}

static void module_drop(struct module *v)
{
	if (v->id)
		elf_symbols_done(&v->elf);
	memset(v, 0, sizeof(*v));
}

void modules_done(struct modules *m)
{
	for (size_t i = 0; i < MODULES_MAX; i++)
		module_drop(&m->slot[i]);
}

static struct module *by_id(struct modules *m, uint64_t id)
{
	struct module *v = &m->slot[id % MODULES_MAX];

	return id && id != NONE_ID && v->id == id ? v : NULL;
}

static struct module *by_key(struct modules *m, const struct module_key *key)
{
	for (size_t i = 0; i < MODULES_MAX; i++)
		if (m->slot[i].id && !memcmp(&m->slot[i].key, key, sizeof(*key)))
			return &m->slot[i];
	return NULL;
}

static struct module *oldest(struct modules *m, const struct module *but)
{
	struct module *best = NULL;

	for (size_t i = 0; i < MODULES_MAX; i++) {
		struct module *v = &m->slot[i];

		if (!v->id && !but)
			return v;
		if (v->id && v != but && (!best || v->used < best->used))
			best = v;
	}
	return best;
}

static void bytes_bound(struct modules *m, const struct module *fresh)
{
	size_t bytes = 0;

	for (size_t i = 0; i < MODULES_MAX; i++)
		bytes += elf_symbols_bytes(&m->slot[i].elf);
	while (bytes > MODULES_BYTES_MAX) {
		struct module *v = oldest(m, fresh);

		if (!v)
			return;
		bytes -= elf_symbols_bytes(&v->elf);
		module_drop(v);
		m->evicted++;
	}
}

/* A slot with an id of its own: its number is the id's remainder. */
static struct module *module_new(struct modules *m, const struct module_key *key)
{
	struct module *v = oldest(m, NULL);
	size_t at = (size_t)(v - m->slot);

	m->evicted += v->id != 0;
	module_drop(v);
	m->ids += MODULES_MAX;
	v->id = m->ids + at;
	v->key = *key;
	return v;
}

static struct module *module_read(struct modules *m, const struct module_key *key, int fd, const char *root)
{
	struct module *v = module_new(m, key);

	v->err = elf_symbols_read(&v->elf, fd, root, MODULE_FUNCTIONS_MAX);
	m->unreadable += v->err != 0;
	m->too_large += v->elf.too_large;
	bytes_bound(m, v);
	return v;
}

static struct module_key key_of(const struct stat *st)
{
	return (struct module_key){
		.dev = st->st_dev, .ino = st->st_ino, .size = (uint64_t)st->st_size,
		.changed_ns = st->st_mtim.tv_sec * 1000000000ll + st->st_mtim.tv_nsec,
	};
}

/* The list keeps no directories, so the path of the mapping's file is looked up; it is below the root of the process. */
static int path_open(const char *proc, uint32_t pid, const char *link)
{
	char root[PROC_PATH_MAX], target[1024];
	ssize_t n = readlink(link, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	snprintf(root, sizeof(root), "%s/%u/root", proc, pid);
	return below_open(root, target);
}

static int file_open(const char *proc, uint32_t pid, const struct mapping *map, struct stat *st)
{
	char link[PROC_PATH_MAX];
	bool by_path = false;
	int fd;

	snprintf(link, sizeof(link), "%s/%u/map_files/%llx-%llx", proc, pid, (unsigned long long)map->start,
		 (unsigned long long)map->end);
	fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		by_path = true;
		fd = path_open(proc, pid, link);
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode) || (by_path && st->st_ino != map->inode)) {
		close(fd);
		return -ENOEXEC;
	}
	return fd;
}

static struct module *touch(struct modules *m, struct module *v)
{
	if (v)
		v->used = ++m->clock;
	return v && !v->err ? v : NULL;
}

struct module *module_of(struct modules *m, const char *proc, uint32_t pid, struct mapping *map)
{
	struct module *v = by_id(m, map->module);
	struct module_key key;
	struct stat st;
	char root[PROC_PATH_MAX];
	int fd;

	if (v || map->module == NONE_ID)
		return touch(m, v);
	fd = file_open(proc, pid, map, &st);
	if (fd < 0) {
		map->module = NONE_ID;
		m->unreadable++;
		return NULL;
	}
	key = key_of(&st);
	snprintf(root, sizeof(root), "%s/%u/root", proc, pid);
	v = by_key(m, &key);
	if (!v)
		v = module_read(m, &key, fd, root);
	close(fd);
	map->module = v->id;
	return touch(m, v);
}

/* Its image lies in our memory; the reader wants a file. */
static int vdso_open(void)
{
	const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	char text[64 << 10], *line;
	unsigned long long start = 0, end = 0;
	ssize_t n;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	while (f && fgets(text, sizeof(text), f)) {
		line = strstr(text, "[vdso]");
		if (line && sscanf(text, "%llx-%llx", &start, &end) == 2)
			break;
		start = end = 0;
	}
	if (f)
		fclose(f);
	if (!image || (uintptr_t)image != start || end - start > VDSO_MAX)
		return -ENOENT;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, image, end - start);
	if (n == (ssize_t)(end - start))
		return fd;
	close(fd);
	return -EIO;
}

struct module *module_vdso(struct modules *m)
{
	static const struct module_key key = {.ino = UINT64_MAX};
	struct module *v = by_key(m, &key);
	int fd;

	if (v)
		return touch(m, v);
	fd = vdso_open();
	if (fd < 0) {
		v = module_new(m, &key);
		v->err = fd;
		return NULL;
	}
	v = module_read(m, &key, fd, NULL);
	close(fd);
	return touch(m, v);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/symbols_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "collect/procfs.h"

#define TEXT_MAX (2u << 20)     /* of a maps file: some 20,000 mappings */
#define PIECE (32u << 10)

/* The name of a file without its directories and " (deleted)". */
static void name_keep(char *to, const char *path, size_t n)
{
	static const char deleted[] = " (deleted)";
	const size_t suffix = sizeof(deleted) - 1;
	const char *slash;

	if (n > suffix && !memcmp(path + n - suffix, deleted, suffix))
		n -= suffix;
	slash = *path == '/' ? memrchr(path, '/', n) : NULL;
	if (slash) {
		n -= (size_t)(slash + 1 - path);
		path = slash + 1;
	}
	if (n >= MAPPING_NAME_MAX)
		n = MAPPING_NAME_MAX - 1;
	memcpy(to, path, n);
	to[n] = '\0';
}

/* Reads a hexadecimal number and the character behind it. */
static bool hex_scan(const char **s, char behind, uint64_t *ret)
{
	const char *p = *s;
	uint64_t v = 0;

	for (;; p++) {
		unsigned digit = (unsigned)(*p >= '0' && *p <= '9' ? *p - '0' : *p >= 'a' && *p <= 'f' ? *p - 'a' + 10 : 16);

		if (digit > 15)
			break;
		v = v << 4 | digit;
	}
	if (p == *s || *p != behind)
		return false;
	*s = p + 1;
	*ret = v;
	return true;
}

/* "55d0-55e0 r-xp 00002000 08:01 1234    /usr/bin/x". 0 also where the line is not one of code.  Not by sscanf(): that asks how long
 * the rest of the text is, for each line. */
static int line_parse(struct mappings *m, const char *line, const char *end)
{
	struct mapping new = {0}, *v;
	uint64_t device;
	const char *p = line;

	if (!hex_scan(&p, '-', &new.start) || !hex_scan(&p, ' ', &new.end) || end - p < 5 || p[2] != 'x' || p[4] != ' ' ||
	    m->list.n >= MAPPINGS_MAX)
		return 0;
	p += 5;
	if (!hex_scan(&p, ' ', &new.offset) || !hex_scan(&p, ':', &device) || !hex_scan(&p, ' ', &device) || !scan_u64(&p, &new.inode))
		return 0;
	while (p < end && *p == ' ')
		p++;
	v = vec_push(&m->list);
	if (!v)
		return -ENOMEM;
	*v = new;
	if (p < end)
		name_keep(v->name, p, (size_t)(end - p));
	return 0;
}

int mappings_parse(struct mappings *m, const char *text)
{
	const char *end;
	int err = 0;

	for (; !err && (end = strchr(text, '\n')); text = end + 1)
		err = line_parse(m, text, end);
	return err;
}

void mappings_done(struct mappings *m)
{
	vec_done(&m->list);
}

/* 0 where it is not told. */
static uint64_t image_read(const char *proc, uint32_t pid)
{
	char path[PROC_PATH_MAX], text[2048];
	struct proc_stat st;

	snprintf(path, sizeof(path), "%s/%u/stat", proc, pid);
	return file_read(AT_FDCWD, path, text, sizeof(text)) > 0 && proc_stat_parse(text, &st) == 0 ? st.start_stack : 0;
}

/* The whole file: it is not read at once, and its size is not known. Caller frees; NULL with errno. */
static char *text_read(const char *proc, uint32_t pid)
{
	char path[PROC_PATH_MAX], *text = NULL;
	size_t n = 0, cap = 0;
	ssize_t got = 1;
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%u/maps", proc, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	while (!err && got > 0 && n < TEXT_MAX) {
		char *bigger = cap - n < PIECE ? realloc(text, cap += 2 * PIECE) : text;

		if (!bigger) {
			err = ENOMEM;
			break;
		}
		text = bigger;
		got = read(fd, text + n, PIECE - 1);
		err = got < 0 ? errno : 0;
		n += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	if (err || !n) {
		free(text);
		errno = err ? err : ESRCH;
		return NULL;
	}
	text[n] = '\0';
	return text;
}

int mappings_read(struct mappings *m, const char *proc, uint32_t pid, uint64_t image)
{
	struct mappings fresh = {0};
	char *text = text_read(proc, pid);
	uint64_t now;
	int err;

	if (!text)
		return errno ? -errno : -ENOMEM;
	err = mappings_parse(&fresh, text);
	free(text);
	/* after the list was read: what it says is then of this image */
	now = image ? image_read(proc, pid) : 0;
	if (!err && image && now && now != image)
		err = -ESTALE;
	if (err) {
		mappings_done(&fresh);
		return err;
	}
	mappings_done(m);
	*m = fresh;
	return 0;
}

struct mapping *mapping_find(const struct mappings *m, uint64_t addr)
{
	size_t low = 0, high = m->list.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->list.v[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low && addr < m->list.v[low - 1].end ? &m->list.v[low - 1] : NULL;
}

struct process_own process_own(const char *proc, uint32_t pid)
{
	struct process_own own = {.pid = pid};
	char path[PROC_PATH_MAX], text[4096], *line;
	const char *p;
	uint64_t v;

	snprintf(path, sizeof(path), "%s/%u/status", proc, pid);
	if (file_read(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return own;
	line = strstr(text, "\nUid:");
	p = line ? scan_skip(line + 5, 3) : NULL;        /* real, effective, saved; that of files comes last */
	if (p && scan_u64(&p, &v))
		own.uid = (uid_t)v;
	line = strstr(text, "\nNSpid:");
	for (p = line ? line + 7 : ""; scan_u64(&p, &v);)        /* the innermost namespace comes last */
		own.pid = (uint32_t)v;
	return own;
}

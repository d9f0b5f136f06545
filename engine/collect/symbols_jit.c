/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/symbols_jit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/below.h"

#define JIT_SYMBOLS_MAX 131072
#define JIT_FILE_MAX (256u << 20)
#define JIT_READ_MAX (16u << 20)        /* taken in at a time */
#define PIECE (64u << 10)

void jit_symbols_init(struct jit_symbols *j)
{
	*j = (struct jit_symbols){0};
	symbol_table_init(&j->names);
	j->names.most = JIT_SYMBOLS_MAX;
	j->names.later_wins = true;
}

void jit_symbols_done(struct jit_symbols *j)
{
	symbol_table_done(&j->names);
	jit_symbols_init(j);
}

/* at: of the line in the file */
static int line_take(struct jit_symbols *j, const char *line, uint64_t at)
{
	char *end;
	uint64_t addr, size;

	addr = strtoull(line, &end, 16);
	if (end == line || *end != ' ')
		return 0;
	size = strtoull(end, &end, 16);
	if (*end != ' ' || !size || size > UINT32_MAX || !addr)
		return 0;
	return symbol_add(&j->names, addr, (uint32_t)size, (uint32_t)(at + (uint64_t)(end + 1 - line)));
}

/* The whole lines of buf, which is of the file at j->read. Bytes used, or negative. */
static ssize_t lines_take(struct jit_symbols *j, char *buf, size_t n)
{
	size_t at = 0;
	char *end;

	while (at < n && (end = memchr(buf + at, '\n', n - at))) {
		int err;

		*end = '\0';
		err = line_take(j, buf + at, j->read + at);
		if (err)
			return err;
		at = (size_t)(end + 1 - buf);
	}
	return at || n < PIECE ? (ssize_t)at : (ssize_t)n;      /* a line longer than a piece is none */
}

static int file_open(struct jit_symbols *j, const char *root, const char *path, uid_t owner)
{
	struct stat st;
	int fd = below_open(root, path);

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || (st.st_uid && st.st_uid != owner)) {
		close(fd);
		return -ENOENT;
	}
	j->names.fd = fd;
	return 0;
}

int jit_symbols_read(struct jit_symbols *j, const char *root, const char *path, uid_t owner)
{
	char *buf = NULL;
	uint64_t until = j->read + JIT_READ_MAX;
	ssize_t n = 0, used = 1;
	int err = j->names.fd < 0 ? file_open(j, root, path, owner) : 0;

	if (err || j->too_large)
		return err;
	buf = malloc(PIECE + 1);
	if (!buf)
		return -ENOMEM;
	while (used > 0 && j->read < until && (n = pread(j->names.fd, buf, PIECE, (off_t)j->read)) > 0) {
		used = lines_take(j, buf, (size_t)n);
		if (used > 0)
			j->read += (uint64_t)used;
		if (used == -E2BIG || j->read > JIT_FILE_MAX) {
			j->too_large = true;
			break;
		}
	}
	free(buf);
	symbol_sort(&j->names, 0);
	return n < 0 ? -errno : used < 0 && used != -E2BIG ? (int)used : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/container_private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "collect/below.h"

#define JSON_MAX (1u << 20)

static size_t read_all(int fd, char *buf, size_t n)
{
	size_t at = 0;
	ssize_t r;

	while (at < n && (r = read(fd, buf + at, n - at)) > 0)
		at += (size_t)r;
	return at;
}

char *container_file(const char *root, const char *path, size_t cap, size_t *len)
{
	int fd = below_open(root, path);
	struct stat st;
	char *buf = NULL;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && (size_t)st.st_size <= cap)
		buf = malloc((size_t)st.st_size + 1);
	if (buf) {
		*len = read_all(fd, buf, (size_t)st.st_size);
		buf[*len] = '\0';
	}
	close(fd);
	return buf;
}

json_t *container_json(const char *root, const char *path)
{
	size_t n;
	char *text = container_file(root, path, JSON_MAX, &n);
	json_t *o = text ? json_loadb(text, n, JSON_DISABLE_EOF_CHECK, NULL) : NULL;

	free(text);
	return o;
}

const char *container_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && *s ? s : NULL;
}

void container_set(char *to, size_t cap, const char *s)
{
	if (s)
		text_clean(to, cap, s, strlen(s), true);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/tls_target.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

/* libssl.so.3, libssl-1a2b.so.1.1 (Python wheels), libgnutls.so.30, libboringssl.so; not the modules that use them. */
static bool is_library(const char *path)
{
	const char *name = text_basename(path);

	return text_starts(name, "libssl") || text_starts(name, "libgnutls.so") || text_starts(name, "libboringssl");
}

static int target_add(struct tls_target *v, int n, const char *path)
{
	struct stat st;

	if (n == TLS_TARGETS_MAX || stat(path, &st) || !S_ISREG(st.st_mode))
		return n;
	for (int i = 0; i < n; i++)
		if (v[i].dev == st.st_dev && v[i].ino == st.st_ino)
			return n;
	snprintf(v[n].path, sizeof(v[n].path), "%s", path);
	v[n].dev = st.st_dev;
	v[n].ino = st.st_ino;
	return n + 1;
}

int tls_targets(const char *proc, uint32_t pid, struct tls_target ret[TLS_TARGETS_MAX])
{
	char path[TLS_PATH_LEN], line[1024], mode[8], file[TLS_PATH_LEN];
	unsigned long long from, to;
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%u/exe", proc, pid);
	n = target_add(ret, n, path);
	snprintf(path, sizeof(path), "%s/%u/maps", proc, pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx-%llx %7s %*s %*s %*s %511[^\n]", &from, &to, mode, file) != 4 || mode[2] != 'x' ||
		    !is_library(file))
			continue;
		snprintf(path, sizeof(path), "%s/%u/map_files/%llx-%llx", proc, pid, from, to);
		n = target_add(ret, n, path);
	}
	fclose(f);
	return n;
}

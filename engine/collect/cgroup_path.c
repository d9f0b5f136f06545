/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/cgroup_path.h"

#include <string.h>

static const struct { const char *name; enum cgroup_controller ctl; } names[] = {
	{ "cpu", CG_CPU }, { "cpuacct", CG_CPUACCT }, { "memory", CG_MEMORY }, { "blkio", CG_BLKIO },
	{ "pids", CG_PIDS }, { "name=systemd", CG_SYSTEMD },
};

enum cgroup_controller cgroup_controller_find(const char *name, int len)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((int)strlen(names[i].name) == len && !memcmp(names[i].name, name, (size_t)len))
			return names[i].ctl;
	return CG_OTHER;
}

/* "4:cpu,cpuacct:/path": the controllers are between the colons, none for v2. */
static void line_parse(char *line, struct cgroup_paths *ret)
{
	char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;

	if (!path || path[1] != '/')
		return;
	*path++ = '\0';
	list++;
	if (!*list) {
		ret->path[CG_V2] = path;
		return;
	}
	while (*list) {
		int n = (int)strcspn(list, ",");
		enum cgroup_controller ctl = cgroup_controller_find(list, n);
		if (!ret->path[ctl] || (ctl == CG_OTHER && cgroup_is_below(path, ret->path[ctl])))
			ret->path[ctl] = path;
		list += n + (list[n] == ',');
	}
}

void cgroup_paths_parse(char *text, struct cgroup_paths *ret)
{
	char *save = NULL;

	*ret = (struct cgroup_paths){ 0 };
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		line_parse(l, ret);
}

bool cgroup_is_below(const char *path, const char *above)
{
	size_t n = strlen(above);

	if (n == 1)
		return path[1] != '\0';
	return !strncmp(path, above, n) && path[n] == '/';
}

const char *cgroup_paths_main(const struct cgroup_paths *p)
{
	static const enum cgroup_controller order[] = {
		CG_CPU, CG_V2, CG_SYSTEMD, CG_CPUACCT, CG_MEMORY, CG_BLKIO, CG_PIDS, CG_OTHER,
	};
	const char *best = "/";

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const char *path = p->path[order[i]];
		if (path && cgroup_is_below(path, best))
			best = path;
	}
	return best;
}

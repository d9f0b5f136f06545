/* SPDX-License-Identifier: BSD-2-Clause */
/* LXC names its containers in their cgroups; what they were made of is in the comments and keys of NAME/config. */
#include "collect/container_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define CONFIG_MAX (256u << 10)

/* The word behind `key` in this line; "" none. */
static void word_after(const char *line, const char *key, char *to, size_t cap)
{
	const char *at = strstr(line, key);

	*to = '\0';
	if (at) {
		at += strlen(key);
		text_clean(to, cap, at, strcspn(at, " \t"), true);
	}
}

/* "# Parameters passed to the template: -d debian -r bookworm -a amd64" */
static bool template_read(char *text, struct container *ret)
{
	char distribution[64], release[64], *save = NULL;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (!text_starts(l, "# Parameters passed to the template:"))
			continue;
		word_after(l, " -d ", distribution, sizeof(distribution));
		word_after(l, " -r ", release, sizeof(release));
		if (distribution[0])
			snprintf(ret->image, sizeof(ret->image), "%s%s%s", distribution, release[0] ? ":" : "", release);
		return distribution[0];
	}
	return false;
}

bool container_lxc(const struct container_query *q, struct container *ret)
{
	char path[CONTAINER_PATH];
	size_t n;

	if (!strstr(q->place, "/lxc"))
		return false;
	snprintf(path, sizeof(path), "/var/lib/lxc/%s/config", q->id);
	char *text = container_file(q->root, path, CONFIG_MAX, &n);
	if (!text)
		return false;
	template_read(text, ret);
	free(text);
	ret->runtime = "LXC";
	container_set(ret->name, sizeof(ret->name), q->id);
	return true;
}

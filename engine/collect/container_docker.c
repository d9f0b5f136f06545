/* SPDX-License-Identifier: BSD-2-Clause */
/* Docker: DATA/containers/ID/config.v2.json (moby/daemon/container). */
#include "collect/container_private.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static bool read_config(const struct container_query *q, const char *folder, struct container *ret)
{
	char path[CONTAINER_PATH + CONTAINER_LONG];

	snprintf(path, sizeof(path), "%s/%s/config.v2.json", folder, q->id);
	json_t *o = container_json(q->root, path), *config = json_object_get(o, "Config");
	const char *name = container_text(o, "Name");

	if (o) {
		ret->runtime = "Docker";
		container_set(ret->name, sizeof(ret->name), name && *name == '/' ? name + 1 : name);
		container_set(ret->image, sizeof(ret->image), container_text(config, "Image"));
		container_labels(json_object_get(config, "Labels"), ret);
		container_pod_of_name(ret->name, ret);
	}
	json_decref(o);
	return o != NULL;
}

static bool read_below(const struct container_query *q, const char *data, struct container *ret)
{
	char folder[CONTAINER_PATH];

	snprintf(folder, sizeof(folder), "%s/containers", data);
	return read_config(q, folder, ret);
}

/* Where the administrator has put it. */
static bool read_configured(const struct container_query *q, struct container *ret)
{
	json_t *o = container_json(q->root, "/etc/docker/daemon.json");
	const char *data = container_text(o, "data-root");
	bool found = data && read_below(q, data, ret);

	json_decref(o);
	return found;
}

/* A daemon elsewhere (rootless): its containerd's bundle mounts files of that folder into the container. */
static bool read_mounted(const struct container_query *q, struct container *ret)
{
	char path[2 * CONTAINER_PATH];
	size_t i;
	json_t *mount;
	bool found = false;

	if (strcmp(q->monitor->space, "moby"))
		return false;
	snprintf(path, sizeof(path), "%s/io.containerd.runtime.v2.task/moby/%s/config.json", q->monitor->folder, q->id);
	json_t *o = container_json(q->root, path);
	json_array_foreach(json_object_get(o, "mounts"), i, mount) {
		const char *to = container_text(mount, "destination"), *from = container_text(mount, "source");
		char folder[CONTAINER_PATH];
		if (!to || !from || strcmp(to, "/etc/hostname"))
			continue;
		const char *end = strstr(from, q->id);
		if (!end || end == from)
			continue;
		snprintf(folder, sizeof(folder), "%.*s", (int)(end - from - 1), from);
		found = read_config(q, folder, ret);
		break;
	}
	json_decref(o);
	return found;
}

bool container_docker(const struct container_query *q, struct container *ret)
{
	static const char *const data[] = { "/var/lib/docker", "/var/snap/docker/common/var-lib-docker" };

	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++)
		if (read_below(q, data[i], ret))
			return true;
	return read_configured(q, ret) || read_mounted(q, ret);
}

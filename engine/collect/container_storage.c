/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Podman and CRI-O: the bundle's config.json with CRI-O's annotations, and the list of containers of containers/storage
 * (store.go: ROOT/DRIVER-containers/containers.json; those of one boot only in volatile-containers.json).
 */
#include "collect/container_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define LIST_MAX (8u << 20)
#define STORAGE "/var/lib/containers/storage"
#define RUN_STORAGE "/run/containers/storage"

/* One object of the list: the others are not worth parsing. "id" is its first key. */
static json_t *entry_find(const char *root, const char *path, const char *id)
{
	char want[CONTAINER_LONG + 16];
	size_t n;
	char *text = container_file(root, path, LIST_MAX, &n);
	json_t *o = NULL;

	snprintf(want, sizeof(want), "{\"id\":\"%s\"", id);
	const char *at = text ? memmem(text, n, want, strlen(want)) : NULL;
	if (at)
		o = json_loadb(at, n - (size_t)(at - text), JSON_DISABLE_EOF_CHECK, NULL);
	free(text);
	return o;
}

/* The metadata is JSON in a text. */
static void metadata_read(const char *text, struct container *ret)
{
	json_t *o = text ? json_loads(text, 0, NULL) : NULL;

	if (!ret->image[0])
		container_set(ret->image, sizeof(ret->image), container_text(o, "image-name"));
	if (!ret->name[0])
		container_set(ret->name, sizeof(ret->name), container_text(o, "name"));
	json_decref(o);
}

static bool read_list(const struct container_query *q, const char *folder, struct container *ret)
{
	static const char *const files[] = { "containers.json", "volatile-containers.json" };
	char path[CONTAINER_PATH + 64];
	json_t *o = NULL;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !o; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		o = entry_find(q->root, path, q->id);
	}
	if (!o)
		return false;
	const char *name = json_string_value(json_array_get(json_object_get(o, "names"), 0));
	if (name)
		container_set(ret->name, sizeof(ret->name), name);
	metadata_read(container_text(o, "metadata"), ret);
	json_decref(o);
	if (container_pod_of_name(ret->name, ret))
		ret->runtime = "CRI-O";
	return true;
}

/* CRI-O's annotations say who is who; Podman's bundle only says that it is Podman's. */
static bool read_bundle(const struct container_query *q, const char *bundle, struct container *ret)
{
	char path[CONTAINER_PATH + 64];

	snprintf(path, sizeof(path), "%s/config.json", bundle);
	json_t *o = container_json(q->root, path), *notes = json_object_get(o, "annotations");
	if (notes) {
		container_labels(notes, ret);
		if (container_text(notes, "io.kubernetes.cri-o.ContainerType"))
			ret->runtime = "CRI-O";
	}
	json_decref(o);
	return o != NULL;
}

/* ROOT/DRIVER-containers/ID/userdata: what is above ID. */
static bool read_monitored(const struct container_query *q, struct container *ret)
{
	char folder[CONTAINER_PATH];

	snprintf(folder, sizeof(folder), "%s", q->monitor->folder);
	bool found = read_bundle(q, folder, ret);
	char *id = strstr(folder, q->id);
	if (id && id > folder) {
		id[-1] = '\0';
		found |= read_list(q, folder, ret);
	}
	if (!ret->name[0])
		snprintf(ret->name, sizeof(ret->name), "%s", q->monitor->name);
	return found || ret->name[0];
}

bool container_storage(const struct container_query *q, struct container *ret)
{
	static const char *const drivers[] = { "overlay", "vfs", "btrfs", "zfs" };
	char path[CONTAINER_PATH];
	bool found = false;

	ret->runtime = "Podman";
	if (q->monitor->runtime && !strcmp(q->monitor->runtime, "conmon") && !strcmp(q->monitor->id, q->id))
		found = read_monitored(q, ret);
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]) && !(found && ret->name[0] && ret->image[0]); i++) {
		snprintf(path, sizeof(path), RUN_STORAGE "/%s-containers/%s/userdata", drivers[i], q->id);
		found |= read_bundle(q, path, ret);
		snprintf(path, sizeof(path), STORAGE "/%s-containers", drivers[i]);
		found |= read_list(q, path, ret);
	}
	if (!found)
		ret->runtime = NULL;
	return found;
}

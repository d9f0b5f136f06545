/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * containerd: RUN/io.containerd.runtime.v2.task/NAMESPACE/ID/config.json, the OCI configuration with the annotations of CRI
 * (pkg/cri/annotations) or of nerdctl; the image of others is in its database.
 */
#include "collect/container_private.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "collect/below.h"

#define NAMESPACES_MAX 64

/* Of containerd itself and of the distributions of Kubernetes that bring their own. */
static const struct { const char *run, *database; } places[] = {
	{ "/run/containerd", "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db" },
	{ "/run/k3s/containerd", "/var/lib/rancher/k3s/agent/containerd/io.containerd.metadata.v1.bolt/meta.db" },
	{ "/run/k0s/containerd", "/var/lib/k0s/containerd/io.containerd.metadata.v1.bolt/meta.db" },
	{ "/var/snap/microk8s/common/run/containerd",
	  "/var/snap/microk8s/common/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db" },
};

static bool read_bundle(const struct container_query *q, const char *tasks, const char *space, struct container *ret)
{
	char path[2 * CONTAINER_PATH];

	snprintf(path, sizeof(path), "%s/%s/%s/config.json", tasks, space, q->id);
	json_t *o = container_json(q->root, path);
	if (!o)
		return false;
	ret->runtime = !strcmp(space, "moby") ? "Docker" : "containerd";
	container_labels(json_object_get(o, "annotations"), ret);
	json_decref(o);
	return true;
}

/* In whichever of containerd's namespaces it is; space: that one. */
static bool read_tasks(const struct container_query *q, const char *run, char space[CONTAINER_NAME], struct container *ret)
{
	static const char *const kinds[] = { "io.containerd.runtime.v2.task", "io.containerd.runtime.v1.linux" };
	char tasks[CONTAINER_PATH + 64];
	bool found = false;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !found; i++) {
		snprintf(tasks, sizeof(tasks), "%s/%s", run, kinds[i]);
		int fd = below_open_dir(q->root, tasks), n = 0;
		DIR *d = fd < 0 ? NULL : fdopendir(fd);
		struct dirent *de;
		while (d && !found && n++ < NAMESPACES_MAX && (de = readdir(d))) {
			if (de->d_name[0] == '.' || strlen(de->d_name) >= CONTAINER_NAME)
				continue;
			snprintf(space, CONTAINER_NAME, "%s", de->d_name);
			found = read_bundle(q, tasks, space, ret);
		}
		if (d)
			closedir(d);
		else if (fd >= 0)
			close(fd);
	}
	return found;
}

bool container_containerd(const struct container_query *q, struct container *ret)
{
	char space[CONTAINER_NAME];

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!read_tasks(q, places[i].run, space, ret))
			continue;
		if (!ret->image[0])
			container_bolt_image(q->root, places[i].database, space, q->id, ret->image);
		return true;
	}
	return q->monitor->folder[0] && !strcmp(q->monitor->runtime, "containerd") && read_tasks(q, q->monitor->folder, space, ret);
}

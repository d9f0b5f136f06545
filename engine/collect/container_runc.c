/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Low-level runtimes used by hand: runc keeps RUN/runc/ID/state.json (libcontainer/container.go), crun RUN/crun/ID/status.
 * An id is any word, as is a part of a cgroup's path: the cgroup that the runtime noted has to be the process's.
 */
#include "collect/container_private.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static json_t *state_read(const struct container_query *q, const char *folder, const char *file)
{
	char path[CONTAINER_PATH];

	snprintf(path, sizeof(path), "/run/%s/%s/%s", folder, q->id, file);
	return container_json(q->root, path);
}

/* Does the path that the runtime noted (of a mount, or of the hierarchy) end as the container's does here? */
static bool is_place(const char *place, const char *noted)
{
	while (text_starts(place, "/.."))        /* seen from within a cgroup namespace */
		place += strlen("/..");
	return place[0] == '/' && place[1] && text_ends(noted, place);
}

static bool any_is_ours(const char *place, const json_t *paths)
{
	const char *controller;
	json_t *path;

	json_object_foreach((json_t *)paths, controller, path)
		if (json_string_value(path) && is_place(place, json_string_value(path)))
			return true;
	return false;
}

bool container_runc(const struct container_query *q, struct container *ret)
{
	json_t *o = state_read(q, "runc", "state.json");
	bool ours = any_is_ours(q->place, json_object_get(o, "cgroup_paths"));

	if (ours) {
		ret->runtime = "runc";
		container_set(ret->name, sizeof(ret->name), q->id);
	}
	json_decref(o);
	return ours;
}

bool container_crun(const struct container_query *q, struct container *ret)
{
	json_t *o = state_read(q, "crun", "status");
	const char *path = container_text(o, "cgroup-path");
	bool ours = path && is_place(q->place, path);

	if (ours) {
		ret->runtime = "crun";
		container_set(ret->name, sizeof(ret->name), q->id);
	}
	json_decref(o);
	return ours;
}

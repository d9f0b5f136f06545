/* SPDX-License-Identifier: BSD-2-Clause */
/* container_private: what the files container_*.c share. */
#ifndef ROOTLE_COLLECT_CONTAINER_PRIVATE_H
#define ROOTLE_COLLECT_CONTAINER_PRIVATE_H

#include <jansson.h>
#include <stddef.h>

#include "collect/container.h"

#define CONTAINER_PATH 1024

/* The arguments of the process that watches over a container; texts are "" where it has none of them. */
struct container_monitor {
	const char *runtime;                     /* static; NULL: there is no monitor */
	char id[CONTAINER_LONG], name[CONTAINER_LONG];
	char space[CONTAINER_NAME];              /* containerd's namespace */
	char folder[CONTAINER_PATH];             /* conmon: the bundle; containerd's shim: where its socket is */
};

struct container_query {
	const char *root;                        /* of the node's files; "/" at least */
	const char *place;                       /* its cgroup, down to the part that has the id */
	const char *id;
	const struct container_monitor *monitor;
};

/* The rows of the table of runtimes, in order. true: it is theirs; ret holds what they know. */
bool container_docker(const struct container_query *q, struct container *ret);
bool container_containerd(const struct container_query *q, struct container *ret);
bool container_storage(const struct container_query *q, struct container *ret);
bool container_runc(const struct container_query *q, struct container *ret);
bool container_crun(const struct container_query *q, struct container *ret);
bool container_lxc(const struct container_query *q, struct container *ret);

/* Parses argv (NUL-separated) of a program; false: it is no monitor. */
bool container_monitor_parse(const char *program, const char *argv, size_t alen, struct container_monitor *ret);

/* What annotations and labels say: Kubernetes, nerdctl, Compose, Swarm, ECS, Nomad. */
void container_labels(const json_t *labels, struct container *ret);
/* "k8s_PART_POD_NAMESPACE_UID_ATTEMPT" */
bool container_pod_of_name(const char *name, struct container *ret);
/* From the kubelet's folders, where the runtime did not tell. */
void container_pod_find(const struct container_query *q, struct container *ret);
/* ret->service and ->why of a container in a pod. shared: another namespace has a workload of this name here. */
void container_pod_name(const char *root, struct container *ret);

/* The image of a container of containerd's by its database; false: it does not say. */
bool container_bolt_image(const char *root, const char *file, const char *space, const char *id, char ret[CONTAINER_LONG]);

/* Whole, NUL-terminated, at most cap bytes; the caller frees. NULL: not there, no regular file, too large. */
char *container_file(const char *root, const char *path, size_t cap, size_t *len);
json_t *container_json(const char *root, const char *path);
/* A text of an object; NULL where it is none, or empty. */
const char *container_text(const json_t *o, const char *key);
void container_set(char *to, size_t cap, const char *s);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * container: which container or pod a process is in, by what the runtimes themselves have written: Docker, containerd (Kubernetes, nerdctl,
 * ctr), Podman, CRI-O, runc, crun, LXC.  Asks no daemon and no API server, reads only regular files below the node's root, a
 * megabyte of each at most, and remembers what it found by cgroup.
 */
#ifndef ROOTLE_COLLECT_CONTAINER_H
#define ROOTLE_COLLECT_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

#define CONTAINER_NAME 64
#define CONTAINER_LONG 256

struct container {
	const char *runtime;              /* static: "Docker", "Podman", …; NULL: not known */
	char name[CONTAINER_LONG];        /* as the runtime's own tools show it; "" not known */
	char image[CONTAINER_LONG];       /* as it was asked for: "docker.io/library/nginx:1.25"; "" not known */
	char pod_namespace[CONTAINER_NAME], pod[CONTAINER_LONG], part[CONTAINER_NAME];   /* Kubernetes; part: the container's name in it */
	bool sandbox;                     /* holds the pod's namespaces (pause) */
	char service[CONTAINER_NAME];     /* what people call it: made of the above, never empty where it was found */
	char why[2 * CONTAINER_LONG];     /* in words */
};

struct containers;

/* proc: "/proc", or the node's procfs elsewhere: the node's other files are beside it. NULL: no memory. */
struct containers *containers_new(const char *proc);
void containers_free(struct containers *t);

/* Of a process in this cgroup; pid 0: it is gone. NULL: in none, or one that left no name. Valid until the next call. */
const struct container *containers_find(struct containers *t, const char *cgroup, uint32_t pid);
/* Of a child of the process `monitor` (conmon), where the cgroup does not tell. */
const struct container *containers_of_monitor(struct containers *t, uint32_t monitor);
/* The workload of a pod by its name: without what ReplicaSets, Jobs, StatefulSets and DaemonSets add. node: "" not known. */
void pod_workload(const char *pod, const char *node, char ret[CONTAINER_LONG]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Labels and annotations that orchestrators leave with a container. */
#include "collect/container_private.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* The first that is there counts. */
static const struct { const char *key; size_t at, cap; } rows[] = {
#define ROW(field, key) { key, offsetof(struct container, field), sizeof(((struct container *)0)->field) }
	ROW(part, "io.kubernetes.container.name"),           /* dockershim, CRI-O */
	ROW(part, "io.kubernetes.cri.container-name"),       /* containerd */
	ROW(pod, "io.kubernetes.pod.name"),
	ROW(pod, "io.kubernetes.cri.sandbox-name"),
	ROW(pod_namespace, "io.kubernetes.pod.namespace"),
	ROW(pod_namespace, "io.kubernetes.cri.sandbox-namespace"),
	ROW(image, "io.kubernetes.cri.image-name"),
	ROW(image, "io.kubernetes.cri-o.ImageName"),
	ROW(image, "org.opencontainers.image.ref.name"),
	ROW(name, "nerdctl/name"),
	ROW(service, "com.docker.swarm.service.name"),
	ROW(service, "com.amazonaws.ecs.container-name"),
	ROW(service, "com.hashicorp.nomad.task_name"),
#undef ROW
};

/* "shop-cart-1" is the first of the containers of shop-cart. */
static void compose(const json_t *labels, struct container *ret)
{
	const char *project = container_text(labels, "com.docker.compose.project");
	const char *service = container_text(labels, "com.docker.compose.service");
	const char *number = container_text(labels, "com.docker.compose.container-number");
	char want[CONTAINER_LONG];

	if (!project || !service || !number || ret->service[0])
		return;
	for (const char *sep = "-_"; *sep; sep++) {
		snprintf(want, sizeof(want), "%s%c%s%c%s", project, *sep, service, *sep, number);
		if (strcmp(want, ret->name))
			continue;
		want[strlen(want) - strlen(number) - 1] = '\0';
		container_set(ret->service, sizeof(ret->service), want);
	}
}

void container_labels(const json_t *labels, struct container *ret)
{
	const char *type = container_text(labels, "io.kubernetes.cri.container-type");
	const char *crio = container_text(labels, "io.kubernetes.cri-o.ContainerType");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *to = (char *)ret + rows[i].at;
		if (!*to)
			container_set(to, rows[i].cap, container_text(labels, rows[i].key));
	}
	ret->sandbox = (type && !strcmp(type, "sandbox")) || (crio && !strcmp(crio, "sandbox")) || !strcmp(ret->part, "POD");
	compose(labels, ret);
}

/* The part up to the next '_', which Kubernetes' names do not have. */
static const char *piece(const char *s, char *to, size_t cap)
{
	size_t n = strcspn(s, "_");

	if (!n || !s[n])
		return NULL;
	text_clean(to, cap, s, n, true);
	return s + n + 1;
}

bool container_pod_of_name(const char *name, struct container *ret)
{
	char part[CONTAINER_NAME], pod[CONTAINER_LONG], space[CONTAINER_NAME];
	const char *s = text_starts(name, "k8s_") ? name + strlen("k8s_") : NULL;

	s = s ? piece(s, part, sizeof(part)) : NULL;
	s = s ? piece(s, pod, sizeof(pod)) : NULL;
	s = s ? piece(s, space, sizeof(space)) : NULL;
	if (!s)
		return false;
	memcpy(ret->part, part, sizeof(part));
	memcpy(ret->pod, pod, sizeof(pod));
	memcpy(ret->pod_namespace, space, sizeof(space));
	ret->sandbox |= !strcmp(part, "POD");
	return true;
}

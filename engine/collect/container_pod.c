/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kubernetes without its API server: the kubelet keeps /var/log/pods/NAMESPACE_POD_UID/CONTAINER, links
 * /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log, and /var/lib/kubelet/pods/UID/etc-hosts, whose last line names the pod.
 * The workload is the pod's name without what the controllers add (apimachinery's rand.String and SafeEncodeString).
 */
#include "collect/container_private.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "collect/below.h"

#define ENTRIES_MAX 8192
#define HOSTS_MAX (64u << 10)
#define SAFE "bcdfghjklmnpqrstvwxz2456789"       /* no vowels: no words */
#define LOGS "/var/log/pods"

/* --- a pod's workload ------------------------------------------------------------------------------------------------- */

/* Cuts "-SUFFIX" off where it has min to max characters of the set, and is not all of the name. */
static bool cut(char *name, const char *set, size_t min, size_t max)
{
	char *dash = strrchr(name, '-');
	size_t n = dash ? strlen(dash + 1) : 0;

	if (!dash || dash == name || n < min || n > max || strspn(dash + 1, set) != n)
		return false;
	*dash = '\0';
	return true;
}

void pod_workload(const char *pod, const char *node, char ret[CONTAINER_LONG])
{
	size_t n = strlen(pod), tail = strlen(node);

	snprintf(ret, CONTAINER_LONG, "%s", pod);
	if (tail && n > tail + 1 && pod[n - tail - 1] == '-' && !strcmp(pod + n - tail, node)) {
		ret[n - tail - 1] = '\0';        /* the kubelet's own: etcd-NODE */
		return;
	}
	if (cut(ret, SAFE, 5, 5)) {                      /* of a ReplicaSet, DaemonSet, Job */
		if (cut(ret, "0123456789", 8, 10))       /* CronJob: minutes (once seconds) since 1970 */
			return;
		cut(ret, SAFE, 6, 10);                   /* Deployment: the hash of its template */
		return;
	}
	cut(ret, "0123456789", 1, 5);                    /* StatefulSet: a number */
}

/* --- the kubelet's folders -------------------------------------------------------------------------------------------- */

/* Calls fn for each name in the folder until it returns true, which is the result. */
static bool folder_each(const char *root, const char *path, bool (*fn)(void *arg, const char *name), void *arg)
{
	int fd = below_open_dir(root, path), n = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	bool found = false;

	while (d && !found && n++ < ENTRIES_MAX && (de = readdir(d)))
		found = de->d_name[0] != '.' && fn(arg, de->d_name);
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	return found;
}

/* Takes the part of s up to the separator; what is behind it, or NULL. */
static const char *take(const char *s, char separator, char *to, size_t cap)
{
	const char *end = s ? strchr(s, separator) : NULL;

	if (!end || end == s)
		return NULL;
	text_clean(to, cap, s, (size_t)(end - s), true);
	return end + 1;
}

struct search { const char *id; char uid[40]; struct container *ret; };

/* "POD_NAMESPACE_CONTAINER-ID.log" */
static bool link_match(void *arg, const char *name)
{
	struct search *s = arg;
	const char *id = strstr(name, s->id), *p;
	struct container c = *s->ret;

	if (!id || id == name || id[-1] != '-' || strcmp(id + strlen(s->id), ".log"))
		return false;
	p = take(name, '_', c.pod, sizeof(c.pod));
	p = take(p, '_', c.pod_namespace, sizeof(c.pod_namespace));
	if (!p || p >= id)
		return false;
	text_clean(c.part, sizeof(c.part), p, (size_t)(id - 1 - p), true);
	*s->ret = c;
	return true;
}

/* "NAMESPACE_POD_UID" */
static bool folder_match(void *arg, const char *name)
{
	struct search *s = arg;
	const char *p;

	if (!text_ends(name, s->uid))
		return false;
	p = take(name, '_', s->ret->pod_namespace, sizeof(s->ret->pod_namespace));
	return take(p, '_', s->ret->pod, sizeof(s->ret->pod)) != NULL;
}

/* The pod's UID in the cgroup: "/pod1b2c…-…/" or "kubepods-burstable-pod1b2c…_….slice" */
static bool uid_find(const char *cgroup, char ret[40])
{
	for (const char *p = strstr(cgroup, "pod"); p; p = strstr(p + 1, "pod")) {
		const char *u = p + strlen("pod");
		size_t n = strspn(u, "0123456789abcdef-_");
		if (n != 32 && n != 36)
			continue;
		for (size_t i = 0; i <= n; i++)
			ret[i] = i == n ? '\0' : u[i] == '_' ? '-' : u[i];
		return true;
	}
	return false;
}

/* "10.1.2.3\tPOD.SUBDOMAIN…\tPOD" in the last line */
static void hosts_read(const char *root, const char *uid, struct container *ret)
{
	char path[128], *save = NULL, *last = NULL;
	size_t n;

	snprintf(path, sizeof(path), "/var/lib/kubelet/pods/%s/etc-hosts", uid);
	char *text = container_file(root, path, HOSTS_MAX, &n);
	for (char *l = text ? strtok_r(text, "\n", &save) : NULL; l; l = strtok_r(NULL, "\n", &save))
		if (isxdigit((unsigned char)l[0]))
			last = l;
	char *name = last ? strpbrk(last, " \t") : NULL;
	if (name && !strstr(name, "localhost") && !strstr(name, "ip6-")) {
		name += strspn(name, " \t");
		text_clean(ret->pod, sizeof(ret->pod), name, strcspn(name, ". \t"), true);
	}
	free(text);
}

static bool only_name(void *arg, const char *name)
{
	struct container *ret = arg;
	bool second = ret->part[0];

	if (second)
		ret->part[0] = '\0';
	else
		container_set(ret->part, sizeof(ret->part), name);
	return second;
}

void container_pod_find(const struct container_query *q, struct container *ret)
{
	struct search s = { .id = q->id, .ret = ret };
	char path[CONTAINER_PATH];

	if (folder_each(q->root, "/var/log/containers", link_match, &s) || !uid_find(q->place, s.uid))
		return;
	if (!folder_each(q->root, LOGS, folder_match, &s))
		hosts_read(q->root, s.uid, ret);
	if (!ret->pod[0])
		return;
	snprintf(path, sizeof(path), "/var/lib/kubelet/pods/%s/containers", s.uid);
	if (!ret->part[0])
		folder_each(q->root, path, only_name, ret);
}

/* --- names ------------------------------------------------------------------------------------------------------------ */

/* Helpers beside the container that a pod is for. */
static bool is_sidecar(const char *part)
{
	static const char *const names[] = {
		"istio-proxy", "linkerd-proxy", "envoy", "envoy-sidecar", "consul-dataplane", "daprd", "vault-agent", "cloud-sql-proxy",
		"cloudsql-proxy", "kube-rbac-proxy", "config-reloader", "fluent-bit", "fluentd", "filebeat", "promtail", "otel-collector",
		"jaeger-agent", "datadog-agent", "metrics-exporter", NULL,
	};

	for (const char *const *n = names; *n; n++)
		if (!strcmp(*n, part))
			return true;
	return text_ends(part, "-exporter") || text_ends(part, "-sidecar");
}

struct siblings { const struct container *of; unsigned others; };

static bool sibling_count(void *arg, const char *name)
{
	struct siblings *s = arg;

	s->others += strcmp(name, s->of->part) && !is_sidecar(name);
	return false;
}

struct pods { const struct container *of; char workload[CONTAINER_LONG], dir[CONTAINER_PATH]; const char *node; bool shared; };

/* Looks for the pod's own folder, and for a workload of the same name in another namespace. */
static bool pod_compare(void *arg, const char *name)
{
	struct pods *p = arg;
	char space[CONTAINER_NAME], pod[CONTAINER_LONG], workload[CONTAINER_LONG];
	const char *rest = take(name, '_', space, sizeof(space));

	if (!rest || !take(rest, '_', pod, sizeof(pod)))
		return false;
	bool same_space = !strcmp(space, p->of->pod_namespace);
	if (same_space && !strcmp(pod, p->of->pod))
		snprintf(p->dir, sizeof(p->dir), LOGS "/%s", name);
	pod_workload(pod, p->node, workload);
	p->shared |= !same_space && !strcmp(workload, p->workload);
	return false;
}

static void node_name(const char *root, char *buf, size_t cap)
{
	size_t n;
	char *text = container_file(root, "/etc/hostname", 1024, &n);

	snprintf(buf, cap, "%.*s", text ? (int)strcspn(text, "\n.") : 0, text ? text : "");
	free(text);
}

void container_pod_name(const char *root, struct container *ret)
{
	struct pods p = { .of = ret };
	struct siblings s = { .of = ret };
	char node[65], name[2 * CONTAINER_LONG];

	node_name(root, node, sizeof(node));
	p.node = node;
	pod_workload(ret->pod, node, p.workload);
	folder_each(root, LOGS, pod_compare, &p);
	if (p.dir[0])
		folder_each(root, p.dir, sibling_count, &s);
	bool helper = ret->part[0] && strcmp(ret->part, p.workload) && (is_sidecar(ret->part) || s.others) &&
		      !text_starts(p.workload, ret->part) && !text_ends(p.workload, ret->part);
	const char *part = ret->sandbox ? "pause" : helper ? ret->part : NULL;
	snprintf(name, sizeof(name), "%s%s%s%s%s", p.workload, p.shared ? "." : "", p.shared ? ret->pod_namespace : "",
		 part ? "/" : "", part ? part : "");
	container_set(ret->service, sizeof(ret->service), name);
	snprintf(ret->why, sizeof(ret->why), "workload of pod %s%s%s%s%s", ret->pod_namespace, ret->pod_namespace[0] ? "/" : "",
		 ret->pod, ret->part[0] ? ", container " : "", ret->part);
}

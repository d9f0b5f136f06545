/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/container.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "collect/container_private.h"
#include "collect/procfs.h"

#define ID_LEN 64
#define SHORT_ID_LEN 12
#define KNOWN_MAX 2048            /* cgroups remembered; beyond, all are forgotten and asked for again */
#define ANCESTORS 16
#define PARTS_MAX 6               /* of a cgroup's path, from its end, that are tried as a name */
#define AGAIN_NS NS_PER_S         /* a runtime may write its files after the first process is there */
#define TRIES 10

/* any: the id is any word of the cgroup's path, not only 64 hex digits. In order: the first that knows it. */
static const struct { bool (*read)(const struct container_query *q, struct container *ret); bool hex, any; } runtimes[] = {
	{ container_docker, true, false },
	{ container_containerd, true, true },
	{ container_storage, true, false },
	{ container_runc, true, true },
	{ container_crun, true, true },
	{ container_lxc, false, true },
};

struct known { struct container *found; uint64_t tried_ns; uint32_t tries; };

struct containers {
	char root[CONTAINER_PATH];
	int procfd;
	struct map known;         /* hash of the place → struct known */
	struct map claims;        /* hash of a workload's name → of its namespace: the first to have it */
	struct container last;
};

struct containers *containers_new(const char *proc)
{
	struct containers *t = calloc(1, sizeof(*t));
	size_t n = strlen(proc);

	if (!t)
		return NULL;
	n -= text_ends(proc, "/proc") ? strlen("/proc") : 0;
	snprintf(t->root, sizeof(t->root), "%.*s", n ? (int)n : 1, n ? proc : "/");
	t->procfd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	map_init(&t->known, sizeof(uint64_t), sizeof(struct known), KNOWN_MAX);
	map_init(&t->claims, sizeof(uint64_t), sizeof(uint64_t), KNOWN_MAX);
	return t;
}

static void known_forget(struct containers *t)
{
	size_t it = 0;
	void *value;

	while (map_next(&t->known, &it, NULL, &value))
		free(((struct known *)value)->found);
	map_reset(&t->known);
}

void containers_free(struct containers *t)
{
	if (!t)
		return;
	known_forget(t);
	map_done(&t->known);
	map_done(&t->claims);
	if (t->procfd >= 0)
		close(t->procfd);
	free(t);
}

/* --- the monitor ------------------------------------------------------------------------------------------------------ */

static bool monitor_read(const struct containers *t, uint32_t pid, struct container_monitor *ret)
{
	char argv[8192];
	ssize_t n = pid_file_read(t->procfd, pid, "cmdline", argv, sizeof(argv));

	return n > 0 && container_monitor_parse(text_basename(argv), argv, (size_t)n, ret);
}

/* Up the tree from a process of the container. */
static void monitor_find(const struct containers *t, uint32_t pid, struct container_monitor *ret)
{
	char text[4096];
	struct proc_stat st;

	*ret = (struct container_monitor){ 0 };
	for (int i = 0; i < ANCESTORS && pid > 1; i++) {
		if (pid_file_read(t->procfd, pid, "stat", text, sizeof(text)) <= 0 || proc_stat_parse(text, &st) || st.ppid <= 1)
			return;
		pid = st.ppid;
		if (monitor_read(t, pid, ret))
			return;
	}
}

/* --- names ------------------------------------------------------------------------------------------------------------ */

/* Pods of another namespace with a workload of the same name are other services. */
static void pod_claim(struct containers *t, struct container *c)
{
	uint64_t workload, space = hash_bytes(c->pod_namespace, strlen(c->pod_namespace)), *owner;
	char base[CONTAINER_LONG], name[CONTAINER_LONG];
	size_t n = strcspn(c->service, "/");
	bool fresh;

	snprintf(base, sizeof(base), "%.*s", (int)n, c->service);
	workload = hash_bytes(base, n);
	owner = map_put(&t->claims, &workload, &fresh);
	if (owner && fresh)
		*owner = space;
	if (!owner || *owner == space)
		return;
	snprintf(name, sizeof(name), "%s.%s%s", base, c->pod_namespace, c->service + n);
	container_set(c->service, sizeof(c->service), name);
}

/* Nomad: "TASK-ALLOCATION", an UUID. */
static size_t without_uuid(const char *name)
{
	static const char form[] = "-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t n = strlen(name), len = sizeof(form) - 1;

	if (n <= len)
		return n;
	for (size_t i = 0; i < len; i++) {
		char c = name[n - len + i];
		if (form[i] == '-' ? c != '-' : !strchr("0123456789abcdef", c))
			return n;
	}
	return n - len;
}

static void name_make(struct containers *t, const struct container_query *q, struct container *c)
{
	if (c->pod[0]) {
		container_pod_name(t->root, c);
		pod_claim(t, c);
		return;
	}
	if (!c->service[0] && c->name[0])
		snprintf(c->service, sizeof(c->service), "%.*s", (int)without_uuid(c->name), c->name);
	if (!c->service[0])
		snprintf(c->service, sizeof(c->service), "%.*s", SHORT_ID_LEN, q->id);
	snprintf(c->why, sizeof(c->why), "%s container%s%s", c->runtime ? c->runtime : "unknown",
		 c->name[0] && strcmp(c->name, c->service) ? " " : "", c->name[0] && strcmp(c->name, c->service) ? c->name : "");
}

/* --- finding ---------------------------------------------------------------------------------------------------------- */

static bool runtimes_ask(const struct container_query *q, bool hex, struct container *ret)
{
	for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++)
		if ((hex ? runtimes[i].hex : runtimes[i].any) && runtimes[i].read(q, ret))
			return true;
	return false;
}

static bool id_ask(struct containers *t, const struct container_query *q, bool hex, struct container *ret)
{
	bool found = runtimes_ask(q, hex, ret);

	if (hex && !ret->pod[0] && (strstr(q->place, "kubepods") || ret->sandbox))
		container_pod_find(q, ret);
	if (!found && !ret->pod[0])
		return false;
	if (!ret->name[0] && !hex)
		container_set(ret->name, sizeof(ret->name), q->id);
	name_make(t, q, ret);
	return true;
}

/* "libpod-conmon-ID.scope": the monitor beside the container. */
static bool is_monitors(const char *cgroup, const char *id)
{
	static const char mark[] = "conmon-";
	size_t n = sizeof(mark) - 1;

	return (size_t)(id - cgroup) >= n && !memcmp(id - n, mark, n);
}

/* Length of the cgroup's path down to the innermost id, whose place is *id; 0: there is none. */
static size_t hex_find(const char *cgroup, const char **id)
{
	size_t place = 0;

	for (const char *p = cgroup; *p; p++) {
		if (p > cgroup && !strchr("/-:", p[-1]))
			continue;
		size_t n = strspn(p, "0123456789abcdef");
		if (n != ID_LEN || (p[n] && p[n] != '/' && p[n] != '.') || is_monitors(cgroup, p))
			continue;
		*id = p;
		place = (size_t)(p - cgroup) + n + strcspn(p + n, "/");
	}
	return place;
}

/* "runc-shop.scope", "shop" → "shop" */
static void part_id(const char *part, size_t n, char *ret)
{
	static const char *const prefixes[] = { "runc-", "crun-", "cri-containerd-", NULL };

	size_t lxc = n > strlen("lxc.payload.") && text_starts(part, "lxc.payload.") ? strlen("lxc.payload.") : 0;

	snprintf(ret, CONTAINER_LONG, "%.*s", (int)(n - lxc), part + lxc);
	if (!text_ends(ret, ".scope"))
		return;
	ret[strlen(ret) - strlen(".scope")] = '\0';
	for (const char *const *p = prefixes; *p; p++)
		if (text_starts(ret, *p)) {
			memmove(ret, ret + strlen(*p), strlen(ret + strlen(*p)) + 1);
			return;
		}
}

static bool is_systemds(const char *id)
{
	return text_ends(id, ".slice") || text_ends(id, ".service") || !strcmp(id, "..") || !strcmp(id, "init.scope");
}

/* Each part of the path, from the innermost: a container's id may be any word. */
static bool parts_ask(struct containers *t, struct container_query *q, const char *cgroup, struct container *ret)
{
	char place[CONTAINER_PATH], id[CONTAINER_LONG];

	snprintf(place, sizeof(place), "%s", cgroup);
	for (int i = 0; i < PARTS_MAX; i++) {
		char *slash = strrchr(place, '/');
		if (!slash || !slash[1])
			return false;
		part_id(slash + 1, strlen(slash + 1), id);
		q->place = place;
		q->id = id;
		if (!is_systemds(id) && id_ask(t, q, false, ret))
			return true;
		*slash = '\0';
	}
	return false;
}

static bool hex_ask(struct containers *t, struct container_query *q, const char *cgroup, size_t n, const char *at,
		    struct container *ret)
{
	char place[CONTAINER_PATH], id[ID_LEN + 1];

	snprintf(place, sizeof(place), "%.*s", (int)n, cgroup);
	snprintf(id, sizeof(id), "%.*s", ID_LEN, at);
	q->place = place;
	q->id = id;
	return id_ask(t, q, true, ret);
}

static struct known *known_get(struct containers *t, const char *place, size_t n)
{
	uint64_t key = hash_bytes(place, n);

	if (t->known.n >= KNOWN_MAX && !map_get(&t->known, &key))
		known_forget(t);
	return map_put(&t->known, &key, NULL);
}

static struct container *keep(const struct container *c)
{
	struct container *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *c;
	return copy;
}

const struct container *containers_find(struct containers *t, const char *cgroup, uint32_t pid)
{
	const char *at = NULL;
	size_t n = hex_find(cgroup, &at);
	struct container_monitor monitor;
	struct container c = { 0 };

	if (!cgroup[0] || !cgroup[1])
		return NULL;
	struct known *k = known_get(t, cgroup, n ? n : strlen(cgroup));
	uint64_t now = clock_ts_ns();
	if (!k || k->found || k->tries >= TRIES || (k->tries && now - k->tried_ns < (uint64_t)AGAIN_NS))
		return k ? k->found : NULL;
	k->tries++;
	k->tried_ns = now;
	monitor_find(t, pid, &monitor);
	struct container_query q = { .root = t->root, .monitor = &monitor };
	if (n ? hex_ask(t, &q, cgroup, n, at, &c) : parts_ask(t, &q, cgroup, &c))
		k->found = keep(&c);
	return k->found;
}

const struct container *containers_of_monitor(struct containers *t, uint32_t pid)
{
	struct container_monitor monitor;
	struct container_query q = { .root = t->root, .place = "", .monitor = &monitor };

	t->last = (struct container){ 0 };
	if (!monitor_read(t, pid, &monitor) || !monitor.id[0])
		return NULL;
	q.id = monitor.id;
	return id_ask(t, &q, true, &t->last) ? &t->last : NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process runs, and the name that it has for that: its container's, its unit's, its program's, its parent's, or the user's for it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "collect/ident_private.h"
#include "collect/mask.h"

#define ANCESTORS 8                /* as far as a helper's service is looked for */

void ident_link_read(const struct ident *t, uint32_t pid, const char *name, char *buf, size_t cap)
{
	char path[48], raw[512];

	snprintf(path, sizeof(path), "%u/%s", pid, name);
	ssize_t n = readlinkat(t->procfd, path, raw, sizeof(raw));
	text_clean(buf, cap, raw, n > 0 ? (size_t)n : 0, true);
}

struct file_identity { uint64_t ino, size; int64_t mtime_ns; };

/* Without asking a server where the file is on a network file system: what the kernel knows already is enough. */
static bool file_identity(const struct ident *t, const char *path, struct file_identity *ret)
{
	struct statx st;

	*ret = (struct file_identity){ 0 };
	if (statx(t->procfd, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO | STATX_SIZE | STATX_MTIME, &st))
		return false;
	ret->ino = st.stx_ino;
	ret->size = st.stx_size;
	ret->mtime_ns = st.stx_mtime.tv_sec * NS_PER_S + st.stx_mtime.tv_nsec;
	return true;
}

static void version_read(const struct ident *t, uint32_t pid, const char *script, struct image *i)
{
	struct file_identity files[2] = { { 0 } };
	char path[4400];

	snprintf(path, sizeof(path), "%u/exe", pid);
	if (!file_identity(t, path, &files[0]))
		return;
	if (script && strlen(script) < 4096) {
		snprintf(path, sizeof(path), "%u/%s/%s", pid, script[0] == '/' ? "root" : "cwd", script);
		file_identity(t, path, &files[1]);
	}
	snprintf(i->version, sizeof(i->version), "%016llx", (unsigned long long)hash_bytes(files, sizeof(files)));
}

void ident_image_put(struct image *i)
{
	if (i && --i->refs == 0)
		free(i);
}

struct image *ident_image_new(const char *comm, const char *exe)
{
	struct image *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	i->refs = 1;
	text_clean(i->comm, sizeof(i->comm), comm, strlen(comm), true);
	text_clean(i->exe, sizeof(i->exe), exe, strlen(exe), true);
	return i;
}

const char *ident_word(struct ident *t, const char *s)
{
	uint32_t id = s && *s ? intern_put(&t->words, s, strlen(s)) : INTERN_NONE;

	return id == INTERN_NONE ? NULL : intern_text(&t->words, id);
}

static void why_set(struct ident *t, struct image *i, const char *why, const char *otherwise)
{
	const char *kept = ident_word(t, why);

	i->why = kept ? kept : otherwise;
}

static void container_note(struct ident *t, struct image *i, const struct container *c)
{
	i->container.name = ident_word(t, c->name);
	i->container.image = ident_word(t, c->image);
	i->container.space = ident_word(t, c->pod_namespace);
	i->container.pod = ident_word(t, c->pod);
}

static void parent_copy(struct image *i, const struct image *parent)
{
	memcpy(i->service, parent->service, sizeof(i->service));
	i->kind = parent->kind;
	i->why = parent->why;
	i->server = parent->server;
	i->whole = parent->whole;
	i->ruled = parent->ruled;
}

/* A container without a cgroup of its own: the child of its monitor, and what that starts. */
static bool monitored_apply(struct ident *t, struct image *i, const struct entry *parent)
{
	const struct container *c;

	if (parent->image->monitored && !strcmp(parent->image->cgroup, i->cgroup)) {
		parent_copy(i, parent->image);
		i->container = parent->image->container;
		i->monitored = i->placed = true;
		return true;
	}
	c = !strcmp(text_basename(parent->image->exe), "conmon") ? containers_of_monitor(t->containers, parent->id.pid) : NULL;
	if (!c)
		return false;
	snprintf(i->service, sizeof(i->service), "%s", c->service);
	why_set(t, i, c->why, "container");
	container_note(t, i, c);
	i->monitored = i->placed = true;
	return true;
}

/* A helper is its parent's: the same program without a name of its own, and whatever a well-known server starts. */
static void helper_apply(struct image *i, const struct image *parent)
{
	bool worker = i->weak && i->exe[0] && !strcmp(i->exe, parent->exe);

	if (i->server || parent->placed || (!worker && !parent->server))
		return;
	parent_copy(i, parent);
	i->why = worker ? "worker of its parent" : "child of a well-known server";
}

void ident_facts_fill(const struct image *i, const struct image *parent, struct name_facts *ret)
{
	*ret = (struct name_facts){ .text = {
		[NAME_IS] = i->service, [NAME_EXE] = i->exe, [NAME_CMDLINE] = i->cmdline, [NAME_COMM] = i->comm, [NAME_CGROUP] = i->cgroup,
		[NAME_CONTAINER] = i->container.name, [NAME_IMAGE] = i->container.image, [NAME_NAMESPACE] = i->container.space,
		[NAME_POD] = i->container.pod, [NAME_PARENT] = parent ? parent->service : NULL,
	} };
}

/* What people call it goes before all. */
static void rules_apply(struct ident *t, struct image *i, const struct image *parent)
{
	struct name_facts f;
	char name[NAME_CAP], why[256];
	const struct name_rule *r = NULL;

	ident_facts_fill(i, parent, &f);
	if (!i->ruled)
		r = name_rules_find(t->rules, &f, 0, name, sizeof(name));
	if (!r)
		return;
	memcpy(i->service, name, sizeof(i->service));
	snprintf(why, sizeof(why), "rule of %s", r->where);
	why_set(t, i, why, "rule of the configuration");
	i->whole = r->group;
	i->ruled = true;
}

static void parent_apply(struct ident *t, const struct entry *e, struct image *i, int depth)
{
	struct entry *parent = e->id.ppid > 1 && depth < ANCESTORS ? ident_entry_find(t, e->id.ppid, depth + 1) : NULL;

	if (parent && (!parent->image || parent->id.kthread))
		parent = NULL;
	if (parent && !i->placed && !monitored_apply(t, i, parent))
		helper_apply(i, parent->image);
	rules_apply(t, i, parent ? parent->image : NULL);
}

void ident_image_name(struct ident *t, struct entry *e, struct image *i, size_t alen, int depth)
{
	char cwd[512] = "", space[32] = "";
	struct ident_facts f = { .comm = i->comm, .exe = i->exe, .argv = t->argv, .alen = alen, .cgroup = i->cgroup, .cwd = cwd };
	struct ident_verdict v;

	if (!e->id.gone) {
		ident_link_read(t, e->id.pid, "cwd", cwd, sizeof(cwd));
		ident_link_read(t, e->id.pid, "ns/pid", space, sizeof(space));
	}
	f.contained = space[0] && t->pid_namespace[0] && strcmp(space, t->pid_namespace);
	f.container = containers_find(t->containers, i->cgroup, e->id.gone ? 0 : e->id.pid);
	ident_decide(&f, &v);
	if (f.container)
		container_note(t, i, f.container);
	snprintf(i->service, sizeof(i->service), "%s", v.name);
	i->kind = v.kind;
	why_set(t, i, v.why, "cgroup of a container");
	i->server = v.server;
	i->titled = v.titled;
	i->tool = v.tool;
	i->launcher = v.launcher;
	i->weak = v.weak;
	i->placed = v.placed;
	cmdline_mask(t->argv, alen, i->cmdline, sizeof(i->cmdline));
	if (!e->id.gone)
		version_read(t, e->id.pid, v.script, i);
	parent_apply(t, e, i, depth);            /* last: it uses the argument buffer for the parent */
}

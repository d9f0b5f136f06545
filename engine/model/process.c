/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes: pid → who it is → the leader of its tree → the service. */
#include "model/internal.h"

#include <stdlib.h>

#define TREE_DEPTH 16
#define KEEP_NS (10 * NS_PER_S)      /* one that ended may still be the owner of sockets whose records follow */

const struct process_ident *proc_ident(struct model *m, uint32_t pid)
{
	return m->o.ident.resolve && pid ? m->o.ident.resolve(m->o.ident.arg, pid) : NULL;
}

struct proc *proc_known(const struct model *m, uint32_t pid)
{
	struct proc *const *p = map_get(&m->procs, &pid);

	return p ? *p : NULL;
}

/* The number of a base name; NONE for kernel threads: they are the node. */
static uint32_t base_name(struct model *m, const struct process_ident *i)
{
	uint32_t id;

	if (i->kthread || !i->service || !*i->service)
		return NONE;
	id = intern_put(&m->bases, i->service, strlen(i->service));
	m->lost_services += id == INTERN_NONE;
	while (id != INTERN_NONE && m->base.n <= id) {
		struct base_name *b = vec_push(&m->base);

		if (!b)
			return NONE;
		b->plain = NONE;
	}
	if (id != INTERN_NONE)
		m->base.v[id].whole |= i->whole;
	return id;
}

/* Up the tree as long as the parent is the same service. */
static uint32_t find_leader(struct model *m, const struct process_ident *i)
{
	uint32_t pid = i->pid, depth;
	const char *service = i->service ? i->service : "";

	for (depth = 0; depth < TREE_DEPTH; depth++) {
		uint32_t ppid = i->ppid;

		i = ppid && ppid != pid ? proc_ident(m, ppid) : NULL;
		if (!i || i->gone || !i->service || strcmp(i->service, service) || i->kthread)
			break;
		pid = i->pid;
	}
	return pid;
}

/* A tool that a running server starts in its own session (curl, a shell's command) does the server's work: to whom it talks the
 * server does.  Not so where it was started from a terminal, or by what starts other people's programs. */
static bool adopt(struct model *m, struct proc *p, const struct process_ident *i)
{
	const struct proc *parent = i->tool && i->session ? proc_known(m, i->ppid) : NULL;
	const struct proc *leader = parent && !parent->gone_ns ? proc_known(m, parent->leader) : NULL;
	const struct process_ident *of = leader && leader->listens && !leader->gone_ns ? proc_ident(m, leader->pid) : NULL;

	if (!of || of->launcher || of->session != of->pid || of->session != i->session || leader->base_name == NONE)
		return false;
	p->base_name = leader->base_name;
	p->leader = leader->pid;
	return true;
}

static void lead_self(struct model *m, struct proc *p, const struct process_ident *i)
{
	p->base_name = base_name(m, i);
	p->leader = p->base_name == NONE ? p->pid : find_leader(m, i);
}

void proc_emancipate(struct model *m, struct proc *p)
{
	const struct process_ident *i = p->adopted ? proc_ident(m, p->pid) : NULL;

	if (!i)
		return;
	p->adopted = false;
	lead_self(m, p, i);
	p->instance = NONE;
	m->gen++;
}

static void describe(struct model *m, struct proc *p, const struct process_ident *i)
{
	p->start_ticks = i->start_ticks;
	p->start_unix_ns = i->start_unix_ns;
	p->adopted = !i->kthread && adopt(m, p, i);
	if (!p->adopted)
		lead_self(m, p, i);
	if (i->cgroup && *i->cgroup) {
		uint32_t id = intern_find(&m->cgroup_path, i->cgroup, strlen(i->cgroup));

		p->cgroup = id == INTERN_NONE ? NONE : id;
	}
}

static struct proc *proc_new(struct model *m, uint32_t pid, const struct process_ident *i)
{
	struct proc *p = m->procs.n < PROCESSES_MAX ? calloc(1, sizeof(*p)) : NULL;
	struct proc **slot = p ? map_put(&m->procs, &pid, NULL) : NULL;

	if (!slot) {
		free(p);
		m->lost_processes++;
		return NULL;
	}
	*slot = p;
	p->pid = pid;
	p->instance = p->cgroup = NONE;
	p->fds = UINT32_MAX;
	p->known_at = m->reading;
	p->gone_ns = i->gone ? m->now_ns : 0;
	describe(m, p, i);
	return p;
}

struct proc *proc_get(struct model *m, uint32_t pid)
{
	struct proc *p = proc_known(m, pid);
	const struct process_ident *i;

	if (p || !pid)
		return p;
	i = proc_ident(m, pid);
	return i ? proc_new(m, pid, i) : NULL;
}

struct proc *proc_renew(struct model *m, uint32_t pid)
{
	struct proc *p = proc_known(m, pid);
	const struct process_ident *i = proc_ident(m, pid);

	if (!i)
		return p;
	if (p && !p->gone_ns && (!p->start_ticks || p->start_ticks == i->start_ticks)) {
		describe(m, p, i);
		p->instance = NONE;
		if (p->conns)
			m->gen++;
		return p;
	}
	proc_forget(m, pid);
	return proc_new(m, pid, i);
}

struct proc *proc_leader(struct model *m, struct proc *p)
{
	struct proc *leader = p->leader == p->pid ? p : proc_get(m, p->leader);

	if (leader && (!leader->gone_ns || p->gone_ns))
		return leader;
	/* workers outlive their leader: they go on under its name */
	p->leader = p->pid;
	if (leader && p->instance == NONE)
		p->instance = leader->instance;
	return p;
}

void model_process_changed(struct model *m, uint32_t pid)
{
	if (proc_known(m, pid))
		proc_renew(m, pid);
}

uint32_t proc_service(struct model *m, struct proc *p)
{
	struct proc *leader;
	uint32_t service;

	if (!m->named)
		return NONE;
	if (p->base_name == NONE)
		return 0;
	leader = proc_leader(m, p);
	if (leader->base_name == NONE)
		leader = p;
	service = leader->instance != NONE ? leader->instance : service_plain(m, leader->base_name);
	if (service != NONE && !service_at(m, service)->described)
		service_describe(m, service, proc_ident(m, leader->pid));
	return service;
}

const char *model_service(const struct model *m, uint32_t pid)
{
	const struct proc *p = proc_known(m, pid);
	uint32_t service = p ? proc_service_find(m, p) : NONE;

	return service == NONE ? NULL : intern_text(&m->names, service);
}

uint32_t proc_service_find(const struct model *m, const struct proc *p)
{
	const struct proc *leader = p->leader == p->pid ? p : proc_known(m, p->leader);

	if (!m->named)
		return NONE;
	if (p->base_name == NONE)
		return 0;
	if (p->instance != NONE)
		return p->instance;
	if (leader && leader->instance != NONE)
		return leader->instance;
	return m->base.v[p->base_name].plain;
}

uint32_t pid_service(struct model *m, uint32_t pid)
{
	struct proc *p = proc_get(m, pid);

	return p ? proc_service(m, p) : NONE;
}

void proc_forget(struct model *m, uint32_t pid)
{
	struct proc *p = proc_known(m, pid);

	if (!p)
		return;
	map_del(&m->procs, &pid);
	free(p);
}

void procs_expire(struct model *m, uint64_t now_ns)
{
	uint32_t pid[256], n = 0;
	const void *key;
	size_t it = 0;
	void *value;

	while (n < 256 && map_next(&m->procs, &it, &key, &value)) {
		const struct proc *p = *(struct proc **)value;

		if (p->gone_ns && !p->ended_now && p->gone_ns + (p->conns ? GONE_NS : KEEP_NS) < now_ns)
			pid[n++] = p->pid;
	}
	while (n)
		proc_forget(m, pid[--n]);
}

void procs_done(struct model *m)
{
	size_t it = 0;
	void *value;

	while (map_next(&m->procs, &it, NULL, &value))
		free(*(struct proc **)value);
	map_done(&m->procs);
}

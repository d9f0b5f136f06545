/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of a tick about processes and cgroups: those that did something, the heaviest first where there are too many. */
#include "model/internal.h"

#include <errno.h>
#include <stdlib.h>

#define PROCESS_ROWS 64
#define CGROUP_ROWS 128
#define ACTIVE_CORES 0.01
#define DISK_WEIGHT 50e6             /* so many bytes weigh as much as a second of CPU */

struct active { struct proc *p; double weight; };

static double bytes_of(const struct proc *p)
{
	return growth(p->base.read_bytes, p->now.read_bytes) + growth(p->base.write_bytes, p->now.write_bytes);
}

/* Negative: not worth a row. */
static double weigh(const struct model *m, const struct proc *p, double dt)
{
	double cpu = growth(p->base.cpu_ns, p->now.cpu_ns) / 1e9, bytes = bytes_of(p);

	if (p->base_name == NONE && cpu < ACTIVE_CORES * dt)
		return -1;
	if (cpu >= ACTIVE_CORES * dt || bytes > 0)
		return cpu + bytes / DISK_WEIGHT;
	return p->announced && (p->began_now || p->ended_now) ? 0 : -1;
}

static int heavier(const void *pa, const void *pb)
{
	const struct active *a = pa, *b = pb;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return a->p->pid < b->p->pid ? -1 : 1;
}

static int put_process(struct model *m, struct tick *t, struct proc *p)
{
	const struct process_ident *i = proc_ident(m, p->pid);
	uint32_t service = proc_service(m, p);
	struct tick_process *r;

	if (!i || service == NONE || i->start_ticks != p->start_ticks)
		return 0;
	r = vec_push(&t->processes);
	if (!r)
		return -ENOMEM;
	*r = (struct tick_process){
		.pid = p->pid, .ppid = i->ppid, .start_unix_ns = p->start_unix_ns, .service = service,
		.comm = arena_strdup(&t->arena, i->comm ? i->comm : ""),
		.exe = arena_strdup(&t->arena, i->exe ? i->exe : ""),
		.cmdline = arena_strdup(&t->arena, i->cmdline ? i->cmdline : ""),
		.cgroup = arena_strdup(&t->arena, i->cgroup ? i->cgroup : "/"),
		.cpu_s = growth(p->base.cpu_ns, p->now.cpu_ns) / 1e9,
		.runq_wait_s = growth(p->base.runq_ns, p->now.runq_ns) / 1e9,
		.disk_wait_s = growth(p->base.dwait_ns, p->now.dwait_ns) / 1e9,
		.read_bytes = (uint64_t)growth(p->base.read_bytes, p->now.read_bytes),
		.write_bytes = (uint64_t)growth(p->base.write_bytes, p->now.write_bytes),
		.rss_bytes = p->rss_bytes, .threads = p->threads,
		.fds = p->fds == UINT32_MAX ? 0 : p->fds, .connections = p->conns, .state = p->state,
	};
	return r->comm && r->exe && r->cmdline && r->cgroup ? 0 : -ENOMEM;
}

int processes_build(struct model *m, struct tick *t)
{
	VEC(struct active) v = {0};
	double dt = reading_seconds(m);
	size_t it = 0, i;
	void *value;
	int err = 0;

	while (m->read_now && dt > 0 && map_next(&m->procs, &it, NULL, &value)) {
		struct proc *p = *(struct proc **)value;
		double weight = weigh(m, p, dt);
		struct active *a = weight >= 0 ? vec_push(&v) : NULL;

		if (a)
			*a = (struct active){p, weight};
	}
	if (v.n)
		qsort(v.v, v.n, sizeof(*v.v), heavier);
	for (i = 0; i < v.n && i < PROCESS_ROWS && !err; i++)
		err = put_process(m, t, v.v[i].p);
	vec_done(&v);
	return err;
}

static bool cgroup_active(const struct cgroup *g, double dt)
{
	return growth(g->base.cpu_ns, g->now.cpu_ns) / 1e9 >= ACTIVE_CORES * dt ||
	       growth(g->base.throttled_ns, g->now.throttled_ns) > 0 ||
	       growth(g->base.read_bytes, g->now.read_bytes) + growth(g->base.write_bytes, g->now.write_bytes) > 0;
}

int cgroups_build(struct model *m, struct tick *t)
{
	double dt = reading_seconds(m);
	size_t i;

	for (i = 0; m->read_now && dt > 0 && i < m->cgroups.n && t->cgroups.n < CGROUP_ROWS; i++) {
		const struct cgroup *g = &m->cgroups.v[i];
		const struct cgroup_count *a = &g->base, *b = &g->now;
		struct tick_cgroup *r;

		if (g->reading != m->reading || !cgroup_active(g, dt))
			continue;
		r = vec_push(&t->cgroups);
		if (!r)
			return -ENOMEM;
		*r = (struct tick_cgroup){
			.path = arena_strdup(&t->arena, g->path), .service = g->votes ? g->vote : ID_NONE,
			.cpu_s = growth(a->cpu_ns, b->cpu_ns) / 1e9,
			.throttled_s = growth(a->throttled_ns, b->throttled_ns) / 1e9, .quota_cores = g->quota_cores,
			.mem_bytes = g->mem_bytes == UNKNOWN ? 0 : g->mem_bytes,
			.read_bytes = (uint64_t)growth(a->read_bytes, b->read_bytes),
			.write_bytes = (uint64_t)growth(a->write_bytes, b->write_bytes),
			.mem_limit_bytes = g->mem_limit_bytes == UNKNOWN ? NAN : (double)g->mem_limit_bytes,
			.periods_throttled = (uint32_t)growth(a->periods, b->periods), .pids = g->pids,
		};
		if (!r->path)
			return -ENOMEM;
	}
	return 0;
}

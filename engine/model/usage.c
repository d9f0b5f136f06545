/* SPDX-License-Identifier: BSD-2-Clause */
/* What each service used between two readings: the sum over its processes, and over the cgroups that they are in. */
#include "model/internal.h"

#include <stdlib.h>

#define IDLE_CPU 0.01                /* cores */
#define IDLE_BYTES (64 * 1024.0)
#define IDLE_RSS (64u << 20)

/* A service and a cgroup that processes of it are in, or that limits those. Each pair counts once. */
enum pair_kind { PAIR_OWN, PAIR_QUOTA, PAIR_LIMIT };
struct pair { uint32_t service, cgroup, kind; };

double growth(uint64_t before, uint64_t now)
{
	return before == UNKNOWN || now == UNKNOWN || now < before ? 0 : (double)(now - before);
}

double reading_seconds(const struct model *m)
{
	return m->based && m->now_ts > m->base_ts ? (double)(m->now_ts - m->base_ts) / 1e9 : 0;
}

/* Shared memory is in each process that touched it, and once in the machine: of a service the largest counts. */
static void add_memory(struct usage *u, const struct proc *p)
{
	u->rss_bytes += p->rss_bytes - p->shared_bytes;
	if (p->shared_bytes <= u->shared_bytes)
		return;
	u->rss_bytes += p->shared_bytes - u->shared_bytes;
	u->shared_bytes = p->shared_bytes;
}

static void add_process(struct usage *u, const struct proc *p)
{
	const struct proc_count *a = &p->base, *b = &p->now;

	u->cpu_s += growth(a->cpu_ns, b->cpu_ns) / 1e9;
	u->runq_s += growth(a->runq_ns, b->runq_ns) / 1e9;
	u->dwait_s += growth(a->dwait_ns, b->dwait_ns) / 1e9;
	u->majflt += growth(a->majflt, b->majflt);
	u->read_bytes += growth(a->read_bytes, b->read_bytes);
	u->write_bytes += growth(a->write_bytes, b->write_bytes);
	u->runq_known |= b->runq_ns != UNKNOWN;
	u->dwait_known |= b->dwait_ns != UNKNOWN;
	for (int i = 0; i < WAITED_MAX; i++)
		u->waited_s[i] += growth(a->waited_ns[i], b->waited_ns[i]) / 1e9;
	u->waited_known |= b->waited_ns[0] != UNKNOWN;
	add_memory(u, p);
	u->threads += p->threads;
	u->processes++;
	u->stopped += p->state == 'T';
	if (p->fds == UINT32_MAX)
		return;
	u->fds_known = true;
	u->fds += p->fds;
	if (p->fd_limit && p->fd_limit != UNKNOWN && (!u->fd_limit || p->fd_limit < u->fd_limit))
		u->fd_limit = p->fd_limit;
}

/* The nearest one up the tree that has what is asked for, or NONE. A limit of an ancestor holds for all below it. */
static uint32_t nearest(struct model *m, uint32_t cgroup, enum pair_kind kind)
{
	const char *path = m->cgroups.v[cgroup].path;
	size_t n = strlen(path);

	for (;;) {
		uint32_t id = intern_find(&m->cgroup_path, path, n);

		if (id != INTERN_NONE && id < m->cgroups.n) {
			const struct cgroup *g = &m->cgroups.v[id];

			if (kind == PAIR_QUOTA ? !isnan(g->quota_cores)
					       : g->mem_limit_bytes != UNKNOWN && g->mem_limit_bytes)
				return id;
		}
		if (n <= 1)
			return NONE;
		while (n > 1 && path[n - 1] != '/')
			n--;
		n -= n > 1;             /* "/a/b" → "/a" → "/" */
	}
}

static void add_cgroup(struct model *m, struct usage *u, const struct pair *pair)
{
	const struct cgroup *g = &m->cgroups.v[pair->cgroup];

	if (pair->kind == PAIR_QUOTA) {
		u->throttled_s += growth(g->base.throttled_ns, g->now.throttled_ns) / 1e9;
		if (isnan(u->quota_cores) || g->quota_cores < u->quota_cores)
			u->quota_cores = g->quota_cores;
	} else if (pair->kind == PAIR_LIMIT) {
		if (isnan(u->mem_limit) || (double)g->mem_limit_bytes < u->mem_limit)
			u->mem_limit = (double)g->mem_limit_bytes;
	} else if (g->now.stall_us != UNKNOWN) {
		u->stall_known = true;
		u->stall_s += growth(g->base.stall_us, g->now.stall_us) / 1e6;
	}
}

static void add_pair(struct model *m, struct map *pairs, struct pair pair)
{
	bool fresh = false;

	if (pair.cgroup != NONE && map_put(pairs, &pair, &fresh) && fresh)
		add_cgroup(m, &service_at(m, pair.service)->use, &pair);
}

/* Nothing to say of it: no service is made for a process that only waits. */
static bool is_idle(const struct model *m, const struct proc *p)
{
	const struct proc_count *a = &p->base, *b = &p->now;

	return growth(a->cpu_ns, b->cpu_ns) < IDLE_CPU * (double)(m->now_ts - m->base_ts) &&
	       growth(a->read_bytes, b->read_bytes) + growth(a->write_bytes, b->write_bytes) < IDLE_BYTES &&
	       p->rss_bytes < IDLE_RSS;
}

void usage_sum(struct model *m)
{
	VEC(struct proc *) read = {0};
	struct map pairs;
	size_t it = 0, i;
	void *value;

	for (i = 0; i < m->services.n; i++)
		service_at(m, (uint32_t)i)->use = (struct usage){.quota_cores = NAN, .mem_limit = NAN};
	if (!m->read_now)
		return;
	/* finding a service may make a process known, and so change the map: first look, then sum */
	while (map_next(&m->procs, &it, NULL, &value)) {
		struct proc *p = *(struct proc **)value, **slot = p->reading == m->reading ? vec_push(&read) : NULL;

		if (slot)
			*slot = p;
	}
	map_init(&pairs, sizeof(struct pair), 1, 0);
	for (i = 0; i < read.n; i++) {
		uint32_t service = proc_service_find(m, read.v[i]), g = read.v[i]->cgroup;

		if (service == NONE && m->based && !is_idle(m, read.v[i]))
			service = proc_service(m, read.v[i]);
		if (service == NONE)
			continue;
		add_process(&service_at(m, service)->use, read.v[i]);
		if (g == NONE || g >= m->cgroups.n || service == 0)
			continue;
		add_pair(m, &pairs, (struct pair){service, g, PAIR_OWN});
		add_pair(m, &pairs, (struct pair){service, nearest(m, g, PAIR_QUOTA), PAIR_QUOTA});
		add_pair(m, &pairs, (struct pair){service, nearest(m, g, PAIR_LIMIT), PAIR_LIMIT});
	}
	map_done(&pairs);
	vec_done(&read);
}

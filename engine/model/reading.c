/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes a reading of the node in: the newest stands beside that of the previous tick; usage.c makes the differences. */
#include "model/internal.h"

#include <stdlib.h>

#define MISSED_READINGS 2            /* an exit record may still be in the ring when /proc has forgotten the process */
#define PENDING_READINGS 10          /* a child that was not waited for by then never will be (SIGCHLD ignored) */
#define START_BLUR_NS (20 * NS_PER_MS)       /* starts are told in ticks of 10 ms, as is when the node booted: one may seem earlier */

/* The process's own part of an I/O counter; never falls. */
static uint64_t own_bytes(struct own_io *io, uint64_t raw)
{
	uint64_t more, inherited;

	if (raw == UNKNOWN)
		return UNKNOWN;
	more = !io->read ? raw : raw > io->raw ? raw - io->raw : 0;
	inherited = more < io->pending ? more : io->pending;
	io->own += more - inherited;
	io->pending = io->age++ < PENDING_READINGS ? io->pending - inherited : 0;
	io->raw = raw;
	io->read = true;
	return io->own;
}

static void take_process(struct model *m, const struct sample_process *s, uint64_t ts_ns)
{
	struct proc *p = proc_get(m, s->pid);
	bool after_base;

	if (p && ((p->start_ticks && s->start_ticks && p->start_ticks != s->start_ticks) || p->gone_ns))
		p = proc_renew(m, s->pid);
	if (!p || p->gone_ns)
		return;
	after_base = m->reading > 1 && p->start_unix_ns + START_BLUR_NS > m->prev_unix_ns;
	p->now = (struct proc_count){
		.cpu_ns = s->cpu_ns, .runq_ns = s->runq_wait_ns, .dwait_ns = s->disk_wait_ns,
		.majflt = s->major_faults, .read_bytes = own_bytes(&p->reads, s->read_bytes),
		.write_bytes = own_bytes(&p->writes, s->write_bytes),
	};
	memcpy(p->now.waited_ns, s->waited_ns, sizeof(p->now.waited_ns));
	if (!p->based && !after_base)
		p->base = p->now;               /* its past is not ours */
	if (!p->reading && after_base && !p->born_ns && !p->announced)
		life_begin(m, p, ts_ns);
	p->based = true;
	p->reading = m->reading;
	p->rss_bytes = s->rss_bytes;
	p->shared_bytes = s->shared_bytes < s->rss_bytes ? s->shared_bytes : s->rss_bytes;
	p->threads = s->threads;
	p->state = s->state;
	/* as of now: a process may have been moved since its exec, as quotas are often put on running ones */
	p->cgroup = s->cgroup ? intern_find(&m->cgroup_path, s->cgroup, strlen(s->cgroup)) : NONE;
	p->fd_limit = s->fd_limit;
	if (s->fds != UINT32_MAX)
		p->fds = s->fds;
}

static void end_missing(struct model *m, uint64_t ts_ns)
{
	size_t it = 0, n = 0, i;
	struct proc *gone[256];
	void *value;

	while (n < 256 && map_next(&m->procs, &it, NULL, &value)) {
		struct proc *p = *(struct proc **)value;
		uint32_t last = p->reading ? p->reading : p->known_at + 1;

		if (!p->gone_ns && last + MISSED_READINGS <= m->reading)
			gone[n++] = p;
	}
	for (i = 0; i < n; i++)
		life_end(m, gone[i], ts_ns, false, 0);
}

static const char *cores_text(struct model *m, double cores)
{
	return isnan(cores) ? "none" : note_printf(m, "%.4g cores", cores);
}

static const char *bytes_text(struct model *m, uint64_t bytes)
{
	char text[32];

	return bytes == UNKNOWN ? "none" : note_printf(m, "%s", size_format(text, sizeof(text), (double)bytes));
}

static void note_limit(struct model *m, const struct cgroup *g, uint64_t ts_ns, const char *what, const char *before,
		       const char *after)
{
	struct note *n = note_add(m, "limit_change", false);

	if (!n)
		return;
	n->ts_ns = ts_ns;
	n->service = g->votes ? g->vote : NONE;
	n->detail = note_printf(m, "%s %s → %s of %s", what, before ? before : "", after ? after : "", g->path);
}

static bool same_quota(double a, double b)
{
	return (isnan(a) && isnan(b)) || fabs(a - b) < 1e-6;
}

static struct cgroup *cgroup_of(struct model *m, const char *path)
{
	uint32_t id = intern_put(&m->cgroup_path, path, strlen(path));
	struct cgroup *g;

	if (id == INTERN_NONE) {
		m->lost_cgroups++;
		return NULL;
	}
	while (m->cgroups.n <= id) {
		g = vec_push(&m->cgroups);
		if (!g)
			return NULL;
		g->path = intern_text(&m->cgroup_path, (uint32_t)(m->cgroups.n - 1));
		g->quota_cores = NAN;
	}
	return &m->cgroups.v[id];
}

static void take_cgroup(struct model *m, const struct sample_cgroup *s, uint64_t ts_ns)
{
	struct cgroup *g = cgroup_of(m, s->path);

	if (!g)
		return;
	if (g->based && g->reading + 1 == m->reading) {
		if (!same_quota(g->quota_cores, s->quota_cores))
			note_limit(m, g, ts_ns, "CPU quota", cores_text(m, g->quota_cores), cores_text(m, s->quota_cores));
		if (g->mem_limit_bytes != s->mem_limit_bytes)
			note_limit(m, g, ts_ns, "memory limit", bytes_text(m, g->mem_limit_bytes),
				   bytes_text(m, s->mem_limit_bytes));
	}
	g->now = (struct cgroup_count){
		.cpu_ns = s->cpu_ns, .throttled_ns = s->throttled_ns, .periods = s->periods_throttled,
		.read_bytes = s->read_bytes, .write_bytes = s->write_bytes, .stall_us = s->psi_mem.some_us,
	};
	if (!g->based)
		g->base = g->now;
	/* Throttling is that of the level that has the quota: another level counts from another beginning. */
	if (isnan(g->quota_cores)) {
		g->base.throttled_ns = g->now.throttled_ns;
		g->base.periods = g->now.periods;
	}
	g->based = true;
	g->reading = m->reading;
	g->quota_cores = s->quota_cores;
	g->mem_bytes = s->mem_bytes;
	g->mem_limit_bytes = s->mem_limit_bytes;
	g->pids = s->pids;
}

/* Votes say whose cgroup it mostly is (Boyer and Moore's majority). */
static void join_cgroups(struct model *m)
{
	size_t it = 0, i;
	void *value;

	for (i = 0; i < m->cgroups.n; i++)
		m->cgroups.v[i].votes = 0;
	while (m->named && map_next(&m->procs, &it, NULL, &value)) {
		struct proc *p = *(struct proc **)value;
		uint32_t service = proc_service_find(m, p);
		struct cgroup *g;

		if (p->reading != m->reading || p->cgroup == NONE || service == NONE)
			continue;
		g = &m->cgroups.v[p->cgroup];
		if (!g->votes)
			g->vote = service;
		g->votes += g->vote == service ? 1 : -1u;
	}
}

static struct device *device_of(struct model *m, const char *name)
{
	struct device *d;
	size_t i;

	for (i = 0; i < m->devices.n; i++)
		if (!strcmp(m->devices.v[i].name, name))
			return &m->devices.v[i];
	d = m->devices.n < DEVICES_MAX ? vec_push(&m->devices) : NULL;
	if (d)
		strncpy(d->name, name, sizeof(d->name) - 1);
	else
		m->lost_devices++;
	return d;
}

static void take_device(struct model *m, const struct sample_device *s)
{
	struct device *d = device_of(m, s->name);

	if (!d)
		return;
	d->now = *s;
	d->now.name = NULL;             /* lives in the sample only */
	if (!d->based)
		d->base = d->now;
	d->based = true;
	d->reading = m->reading;
}

static struct interface *interface_of(struct model *m, const char *name)
{
	struct interface *d;
	size_t i;

	for (i = 0; i < m->interfaces.n; i++)
		if (!strcmp(m->interfaces.v[i].name, name))
			return &m->interfaces.v[i];
	d = m->interfaces.n < DEVICES_MAX ? vec_push(&m->interfaces) : NULL;
	if (d)
		strncpy(d->name, name, sizeof(d->name) - 1);
	else
		m->lost_devices++;
	return d;
}

static void take_interface(struct model *m, const struct sample_interface *s)
{
	struct interface *d = interface_of(m, s->name);

	if (!d)
		return;
	d->now = *s;
	d->now.name = NULL;
	if (!d->based)
		d->base = d->now;
	d->based = true;
	d->reading = m->reading;
}

void model_sample(struct model *m, const struct sample *s)
{
	size_t i;

	if (s->ts_ns > m->now_ns)
		m->now_ns = s->ts_ns;
	m->reading++;
	m->read_now = true;
	m->now_node = s->node;
	m->now_ts = s->ts_ns;
	for (i = 0; i < s->cgroups.n; i++)
		take_cgroup(m, &s->cgroups.v[i], s->ts_ns);
	for (i = 0; i < s->processes.n; i++)
		take_process(m, &s->processes.v[i], s->ts_ns);
	if (s->processes.n && s->processes.n < PROCESSES_MAX)
		end_missing(m, s->ts_ns);
	join_cgroups(m);
	for (i = 0; i < s->devices.n; i++)
		take_device(m, &s->devices.v[i]);
	for (i = 0; i < s->interfaces.n; i++)
		take_interface(m, &s->interfaces.v[i]);
	m->prev_unix_ns = s->unix_ns;
}

static void commit_processes(struct model *m)
{
	size_t it = 0;
	void *value;

	while (map_next(&m->procs, &it, NULL, &value)) {
		struct proc *p = *(struct proc **)value;

		if (m->read_now)
			p->base = p->now;
		p->began_now = p->ended_now = false;
	}
}

void readings_commit(struct model *m)
{
	size_t i;

	commit_processes(m);
	if (!m->read_now)
		return;
	for (i = 0; i < m->cgroups.n; i++)
		m->cgroups.v[i].base = m->cgroups.v[i].now;
	for (i = 0; i < m->devices.n; i++)
		m->devices.v[i].base = m->devices.v[i].now;
	for (i = 0; i < m->interfaces.n; i++)
		m->interfaces.v[i].base = m->interfaces.v[i].now;
	m->base_node = m->now_node;
	m->base_ts = m->now_ts;
	m->based = true;
	m->read_now = false;
}

void readings_done(struct model *m)
{
	vec_done(&m->cgroups);
	vec_done(&m->devices);
	vec_done(&m->interfaces);
	intern_done(&m->cgroup_path);
}

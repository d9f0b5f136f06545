/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The points of a tick.  A series that has been the same for a minute comes only every ten seconds (CPU and memory of a
 * service come always): most metrics of most services are zero most of the time, and a file is full soon enough.  A
 * service that is neither on the network nor doing anything gives just these two, every ten seconds.
 */
#include "model/internal.h"

#include <errno.h>

#define QUIET_TICKS 60
#define SPARSE_TICKS 10
#define BUSY_CORES 0.01
#define BUSY_BYTES (64 * 1024.0)

struct out {
	struct model *m;
	struct tick *t;
	double dt;                   /* seconds of the rates; 0: none */
	int err;
};

/* The series' turn: it moves, or has moved lately, or it is time again. */
static bool is_due(struct model *m, struct series *s, double value, bool always)
{
	if (!s->sent || s->last != (float)value)
		s->changed = m->tick_no;
	s->last = (float)value;
	if (!always && s->sent && m->tick_no - s->changed > QUIET_TICKS && m->tick_no - s->sent < SPARSE_TICKS)
		return false;
	s->sent = m->tick_no;
	return true;
}

static void put(struct out *o, uint32_t service, enum metric_id metric, const char *device, double value, double limit)
{
	struct tick_point *p;

	p = vec_push(&o->t->points);
	if (!p) {
		o->err = -ENOMEM;
		return;
	}
	*p = (struct tick_point){.service = service, .metric = metric, .device = device, .value = value, .limit = limit};
}

static void gauge(struct out *o, uint32_t service, struct series *s, enum metric_id metric, double value, double limit)
{
	bool always = metric == M_CPU_CORES || metric == M_MEM_BYTES;

	if (!isnan(value) && is_due(o->m, &s[metric], value, always))
		put(o, service, metric, NULL, value, limit);
}

static void rate(struct out *o, uint32_t service, struct series *s, enum metric_id metric, double total, double limit)
{
	if (o->dt > 0)
		gauge(o, service, s, metric, total / o->dt, limit);
}

static void waits(struct out *o, uint32_t id)
{
	static const uint8_t metric[WAITED_MAX] = {
		[WAITED_IO] = M_IO_WAIT_S, [WAITED_MEM] = M_MEM_WAIT_S, [WAITED_FUTEX] = M_FUTEX_WAIT_S, [WAITED_NET] = M_NET_WAIT_S,
		[WAITED_THROTTLED] = M_QUOTA_WAIT_S,
	};
	struct service *s = service_at(o->m, id);

	for (int i = 0; i < WAITED_MAX && s->use.waited_known; i++)
		rate(o, id, s->series, metric[i], s->use.waited_s[i], NAN);
}

static void service_points(struct out *o, uint32_t id)
{
	struct service *s = service_at(o->m, id);
	const struct usage *u = &s->use;

	rate(o, id, s->series, M_CPU_CORES, u->cpu_s, u->quota_cores);
	if (!isnan(u->quota_cores))
		rate(o, id, s->series, M_CPU_THROTTLED_S, u->throttled_s, u->quota_cores);
	if (u->runq_known)
		rate(o, id, s->series, M_RUNQ_WAIT_S, u->runq_s, NAN);
	gauge(o, id, s->series, M_MEM_BYTES, (double)u->rss_bytes, u->mem_limit);
	if (u->stall_known)
		rate(o, id, s->series, M_MEM_STALL_S, u->stall_s, NAN);
	rate(o, id, s->series, M_MAJOR_FAULTS, u->majflt, NAN);
	rate(o, id, s->series, M_DISK_READ_BYTES, u->read_bytes, NAN);
	rate(o, id, s->series, M_DISK_WRITE_BYTES, u->write_bytes, NAN);
	if (u->dwait_known)
		rate(o, id, s->series, M_DISK_WAIT_S, u->dwait_s, NAN);
	waits(o, id);
	gauge(o, id, s->series, M_THREADS, u->threads, NAN);
	if (u->fds_known)
		gauge(o, id, s->series, M_FDS, u->fds, u->fd_limit ? (double)u->fd_limit : NAN);
	gauge(o, id, s->series, M_PROCESSES, u->processes, NAN);
	gauge(o, id, s->series, M_STOPPED, u->stopped, NAN);
	gauge(o, id, s->series, M_RESTARTS, s->restarts, NAN);
}

static void network_points(struct out *o, uint32_t id, double seconds)
{
	struct service *s = service_at(o->m, id);

	gauge(o, id, s->series, M_NET_RX_BYTES, (double)s->tick_rx / seconds, NAN);
	gauge(o, id, s->series, M_NET_TX_BYTES, (double)s->tick_tx / seconds, NAN);
	gauge(o, id, s->series, M_RETRANS_SEGMENTS, (double)s->tick_retrans / seconds, NAN);
	gauge(o, id, s->series, M_CONNECTIONS, s->open, NAN);
}

/* Most services never start a process: those have no such series. */
static void fork_points(struct out *o, double seconds)
{
	struct model *m = o->m;
	uint32_t id;

	if (!m->forks && !m->node_series[M_FORKS].sent)
		return;                         /* perhaps nobody tells of them */
	gauge(o, 0, m->node_series, M_FORKS, m->forks / seconds, NAN);
	for (id = 1; id < m->services.n; id++) {
		struct service *s = service_at(m, id);

		if (s->forks || s->series[M_FORKS].last > 0)
			gauge(o, id, s->series, M_FORKS, s->forks / seconds, NAN);
	}
}

static void quiet_points(struct out *o, uint32_t id)
{
	struct service *s = service_at(o->m, id);

	if (s->series[M_MEM_BYTES].sent && o->m->tick_no - s->series[M_MEM_BYTES].sent < SPARSE_TICKS)
		return;
	rate(o, id, s->series, M_CPU_CORES, s->use.cpu_s, s->use.quota_cores);
	gauge(o, id, s->series, M_MEM_BYTES, (double)s->use.rss_bytes, s->use.mem_limit);
}

static bool is_busy(struct out *o, struct service *s)
{
	const struct usage *u = &s->use;

	if (s->networked || s->restarts || u->cpu_s > BUSY_CORES * o->dt ||
	    u->read_bytes + u->write_bytes > BUSY_BYTES * o->dt)
		s->busy = o->m->tick_no;
	return s->busy && o->m->tick_no - s->busy < QUIET_TICKS;
}

static void services_points(struct out *o, double seconds)
{
	uint32_t id;

	for (id = 1; id < o->m->services.n; id++) {
		struct service *s = service_at(o->m, id);

		if (s->networked && (s->described || s->open || s->tick_rx || s->tick_tx))
			network_points(o, id, seconds);
		/* one whose last process has ended says so: zeroes for a while */
		if (!s->use.processes && !s->series[M_PROCESSES].last)
			continue;
		if (!o->m->read_now)
			continue;
		if (is_busy(o, s))
			service_points(o, id);
		else
			quiet_points(o, id);
	}
}

static double psi(uint64_t before, uint64_t now)
{
	return before == UNKNOWN || now == UNKNOWN ? NAN : growth(before, now) / 1e6;
}

static double sum_runq(const struct model *m)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < m->services.n; i++)
		sum += service_at(m, (uint32_t)i)->use.runq_s;
	return sum;
}

static void node_points(struct out *o)
{
	struct model *m = o->m;
	const struct sample_node *a = &m->base_node, *b = &m->now_node;
	struct series *s = m->node_series;
	double used = growth(a->cpu_user_ns, b->cpu_user_ns) + growth(a->cpu_system_ns, b->cpu_system_ns) +
		      growth(a->cpu_softirq_ns, b->cpu_softirq_ns);
	double cpus = b->cpus;

	rate(o, 0, s, M_CPU_CORES, used / 1e9, cpus);
	rate(o, 0, s, M_CPU_IDLE_CORES, growth(a->cpu_idle_ns, b->cpu_idle_ns) / 1e9, cpus);
	rate(o, 0, s, M_CPU_IOWAIT_CORES, growth(a->cpu_iowait_ns, b->cpu_iowait_ns) / 1e9, cpus);
	rate(o, 0, s, M_CPU_STEAL_CORES, growth(a->cpu_steal_ns, b->cpu_steal_ns) / 1e9, cpus);
	rate(o, 0, s, M_RUNQ_WAIT_S, sum_runq(m), NAN);
	rate(o, 0, s, M_MAJOR_FAULTS, growth(a->major_faults, b->major_faults), NAN);
	rate(o, 0, s, M_RETRANS_SEGMENTS, growth(a->tcp_retrans_segs, b->tcp_retrans_segs), NAN);
	rate(o, 0, s, M_PSI_CPU_SOME_S, psi(a->psi_cpu.some_us, b->psi_cpu.some_us), NAN);
	rate(o, 0, s, M_MEM_STALL_S, psi(a->psi_mem.some_us, b->psi_mem.some_us), NAN);
	rate(o, 0, s, M_PSI_MEM_FULL_S, psi(a->psi_mem.full_us, b->psi_mem.full_us), NAN);
	rate(o, 0, s, M_PSI_IO_SOME_S, psi(a->psi_io.some_us, b->psi_io.some_us), NAN);
	rate(o, 0, s, M_PSI_IO_FULL_S, psi(a->psi_io.full_us, b->psi_io.full_us), NAN);
	gauge(o, 0, s, M_LOAD_RUNNING, b->running == UNKNOWN ? NAN : (double)b->running, cpus);
	if (b->mem_total_bytes != UNKNOWN && b->mem_available_bytes != UNKNOWN) {
		double total = (double)b->mem_total_bytes, available = (double)b->mem_available_bytes;

		gauge(o, 0, s, M_MEM_AVAILABLE_BYTES, available, total);
		gauge(o, 0, s, M_MEM_BYTES, total - available, total);
	}
	rate(o, 0, s, M_ACCEPT_OVERFLOWS, growth(a->tcp_listen_overflows, b->tcp_listen_overflows), NAN);
	rate(o, 0, s, M_SYNCOOKIES, growth(a->tcp_syncookies, b->tcp_syncookies), NAN);
	gauge(o, 0, s, M_SWAP_BYTES, b->swap_used_bytes == UNKNOWN ? NAN : (double)b->swap_used_bytes, NAN);
}

static void of_device(struct out *o, const char *name, struct series *s, enum metric_id metric, double value)
{
	if (!isnan(value) && is_due(o->m, s, value, false))
		put(o, 0, metric, name, value, NAN);
}

static void device_points(struct out *o, struct device *d)
{
	const struct sample_device *a = &d->base, *b = &d->now;
	const char *name = arena_strdup(&o->t->arena, d->name);
	double ios = growth(a->reads, b->reads) + growth(a->writes, b->writes);
	double wait = (growth(a->read_ms, b->read_ms) + growth(a->write_ms, b->write_ms)) / 1e3;
	double busy = growth(a->busy_ms, b->busy_ms) / 1e3 / o->dt;

	if (!name) {
		o->err = -ENOMEM;
		return;
	}
	of_device(o, name, &d->series[0], M_DEV_READ_BYTES, growth(a->read_bytes, b->read_bytes) / o->dt);
	of_device(o, name, &d->series[1], M_DEV_WRITE_BYTES, growth(a->write_bytes, b->write_bytes) / o->dt);
	of_device(o, name, &d->series[2], M_DEV_IOPS, ios / o->dt);
	of_device(o, name, &d->series[3], M_DEV_AWAIT_S, ios > 0 ? wait / ios : NAN);
	of_device(o, name, &d->series[4], M_DEV_QUEUE, growth(a->weighted_ms, b->weighted_ms) / 1e3 / o->dt);
	of_device(o, name, &d->series[5], M_DEV_BUSY_RATIO, busy > 1 ? 1 : busy);
}

static void interface_points(struct out *o, struct interface *d)
{
	const struct sample_interface *a = &d->base, *b = &d->now;
	const char *name = arena_strdup(&o->t->arena, d->name);
	double drops = growth(a->rx_drops, b->rx_drops) + growth(a->tx_drops, b->tx_drops);

	if (!name) {
		o->err = -ENOMEM;
		return;
	}
	of_device(o, name, &d->series[0], M_IF_RX_BYTES, growth(a->rx_bytes, b->rx_bytes) / o->dt);
	of_device(o, name, &d->series[1], M_IF_TX_BYTES, growth(a->tx_bytes, b->tx_bytes) / o->dt);
	of_device(o, name, &d->series[2], M_IF_DROPS, drops / o->dt);
}

/* Listeners of one service at the same address in several network namespaces are one series. */
struct accept_key { uint8_t ip[16]; uint32_t service; uint16_t port, pad; };

static struct listener *accept_twin(struct model *m, struct map *seen, uint32_t i)
{
	struct listener *l = &m->listeners.v[i];
	struct accept_key k = {.service = l->service, .port = l->a.port};
	uint32_t *slot;
	bool fresh;

	memcpy(k.ip, l->a.ip, 16);
	slot = map_put(seen, &k, &fresh);
	if (!slot || fresh) {
		if (slot)
			*slot = i;
		return NULL;
	}
	return &m->listeners.v[*slot];
}

/* Those that the last pass told of, the first of each series with the numbers of all. */
static void accept_merge(struct model *m, struct map *seen)
{
	uint32_t i;

	for (i = 0; i < m->listeners.n; i++) {
		struct listener *l = &m->listeners.v[i], *twin;

		if (l->pass != m->pass || !l->sockets || l->service == NONE)
			continue;
		twin = accept_twin(m, seen, i);
		if (!twin)
			continue;
		twin->queue += l->queue;
		twin->backlog += l->backlog;
		twin->overflows += l->overflows;
		l->overflows = 0;
		l->pass--;
	}
}

static void accept_point(struct out *o, struct listener *l, double seconds)
{
	char text[64];
	const char *name = arena_strdup(&o->t->arena, addr_text(text, sizeof(text), l->a.ip, l->a.port));
	double overflows = l->overflows / seconds;

	if (!name) {
		o->err = -ENOMEM;
		return;
	}
	if (is_due(o->m, &l->queue_series, l->queue, false))
		put(o, l->service, M_ACCEPT_QUEUE, name, l->queue, l->backlog);
	if (is_due(o->m, &l->overflow_series, overflows, false))
		put(o, l->service, M_ACCEPT_OVERFLOWS, name, overflows, NAN);
}

static void accept_points(struct out *o, double seconds)
{
	struct model *m = o->m;
	struct map seen;
	size_t i;

	map_init(&seen, sizeof(struct accept_key), sizeof(uint32_t), LISTENERS_MAX);
	accept_merge(m, &seen);
	map_done(&seen);
	for (i = 0; i < m->listeners.n; i++) {
		struct listener *l = &m->listeners.v[i];

		if (l->pass == m->pass && l->sockets && l->service != NONE)
			accept_point(o, l, seconds);
	}
}

int points_build(struct model *m, struct tick *t)
{
	struct out o = {.m = m, .t = t, .dt = reading_seconds(m)};
	double seconds = t->dur_ns > 0 ? (double)t->dur_ns / 1e9 : 1;
	size_t i;

	services_points(&o, seconds);
	fork_points(&o, seconds);
	if (m->passed)
		accept_points(&o, seconds);
	if (!m->read_now)
		return o.err;
	node_points(&o);
	for (i = 0; i < m->devices.n && o.dt > 0; i++)
		if (m->devices.v[i].reading == m->reading)
			device_points(&o, &m->devices.v[i]);
	for (i = 0; i < m->interfaces.n && o.dt > 0; i++)
		if (m->interfaces.v[i].reading == m->reading)
			interface_points(&o, &m->interfaces.v[i]);
	return o.err;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The model's life, and which file takes which record. */
#include "model/internal.h"

#include <stdlib.h>
#include <unistd.h>

#define MAX_CONNECTIONS 65536
#define MAX_OPS 4096
#define MAX_FLOW_BYTES (12u << 20)
#define TEXTS_MAX 16384
#define BASES_MAX 16384
#define NOTE_TEXT_MAX (256u << 10)
#define CONN_LIMIT (1u << 24)        /* numbers of ends must fit an index */

static void set_options(struct model *m, const struct model_options *o)
{
	m->o = *o;
	if (!m->o.max_connections)
		m->o.max_connections = MAX_CONNECTIONS;
	if (m->o.max_connections > CONN_LIMIT)
		m->o.max_connections = CONN_LIMIT;
	if (!m->o.max_ops)
		m->o.max_ops = MAX_OPS;
	if (!m->o.max_flow_bytes)
		m->o.max_flow_bytes = MAX_FLOW_BYTES;
	m->pool.limit_bytes = m->o.max_flow_bytes;
	m->pool.raw = m->o.raw;
	m->pool.no_ids = m->o.no_trace_ids;
	m->pool.on_request = request_done;
	m->pool.on_handshake = handshake_done;
	m->pool.arg = m;
}

/* Service 0 is the node, operation 0 what did not fit. */
static bool add_first(struct model *m)
{
	const char *node = m->o.node && *m->o.node ? m->o.node : "localhost";

	return service_get(m, node, "node", "host name") == 0 && intern_put(&m->ops, "(other)", 7) == 0;
}

struct model *model_new(const struct model_options *o)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	set_options(m, o);
	m->self = (uint32_t)getpid();
	m->conn_free = m->closed_head = m->closed_tail = m->nat_free = NONE;
	m->gen = 1;
	m->reads = true;
	m->named = o->by_address;
	arena_init(&m->note_text, NOTE_TEXT_MAX);
	stacks_init(m);
	listeners_init(m);
	datagrams_init(m);
	remotes_init(m);
	map_init(&m->hosts, 16, sizeof(uint32_t), HOSTS_MAX);
	map_init(&m->procs, sizeof(uint32_t), sizeof(struct proc *), PROCESSES_MAX);
	map_init(&m->edge_index, 3 * sizeof(uint32_t), sizeof(uint32_t), EDGES_MAX);
	downstream_init(m);
	map_init(&m->aggs, sizeof(struct agg_key), sizeof(struct agg), 0);
	handshakes_init(m);
	intern_init(&m->bases, BASES_MAX);
	intern_init(&m->names, SERVICES_MAX);
	intern_init(&m->texts, TEXTS_MAX);
	intern_init(&m->ops, m->o.max_ops);
	intern_init(&m->cgroup_path, CGROUPS_MAX);
	if (!add_first(m)) {
		model_free(m);
		return NULL;
	}
	return m;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	conns_done(m);
	nats_done(m);
	listeners_done(m);
	datagrams_done(m);
	remotes_done(m);
	procs_done(m);
	requests_done(m);
	handshakes_done(m);
	readings_done(m);
	stacks_done(m);
	trace_done(m);
	services_done(m);
	map_done(&m->edge_index);
	map_done(&m->hosts);
	for (size_t i = 0; i < m->edges.n; i++)
		hist_done(&m->edges.v[i].connect);
	vec_done(&m->edges);
	vec_done(&m->notes);
	vec_done(&m->wholes);
	downstream_done(m);
	vec_done(&m->losses);
	arena_done(&m->note_text);
	free(m);
}

void model_event(struct model *m, const struct ev_hdr *ev)
{
	const struct ev_datagram *g = (const struct ev_datagram *)ev;
	const struct ev_data *d = (const struct ev_data *)ev;
	const struct ev_conn *c = (const struct ev_conn *)ev;

	m->events++;
	if (ev->size >= sizeof(*ev) && ev->ts_ns > m->now_ns)
		m->now_ns = ev->ts_ns;
	if (ev->type == EV_DATA && ev->size >= sizeof(*d) && ev->size - sizeof(*d) >= (size_t)d->head + d->tail &&
	    (uint32_t)d->head + d->tail <= d->len)
		d->flags & DATA_PLAIN ? plain_data(m, d) : socket_data(m, d);
	else if (ev->type == EV_DATAGRAM && ev->size >= sizeof(*g) && ev->size - sizeof(*g) >= g->head && g->head <= g->len)
		datagram_data(m, g);
	else if (ev->type == EV_CONN && ev->size == sizeof(*c) && c->l4 == L4_UDP)
		datagram_conn(m, c);
	else if (ev->type == EV_CONN && ev->size == sizeof(*c))
		socket_conn(m, c);
	else if (ev->type == EV_IO && ev->size == sizeof(struct ev_io))
		socket_io(m, (const struct ev_io *)ev);
	else if (ev->type == EV_HEALTH && ev->size == sizeof(struct ev_health))
		health_event(m, (const struct ev_health *)ev);
	else if (ev->type == EV_NAT && ev->size == sizeof(struct ev_nat))
		nat_event(m, (const struct ev_nat *)ev);
	else if (ev->type == EV_PROC && ev->size == sizeof(struct ev_proc))
		life_event(m, (const struct ev_proc *)ev);
	else
		m->bad_records++;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Edges: which service calls which at which port, and what their connections add to them. */
#include "model/internal.h"

#include <stdio.h>

#define WAIT_TICKS 2                 /* an open connection's owner may become known that long; then its address must do */

struct edge_key { uint32_t from, to; uint16_t port, l4; };

uint32_t edge_get(struct model *m, uint32_t from, uint32_t to, uint16_t port, uint8_t l4)
{
	struct edge_key k = {from, to, port, l4};
	uint32_t *there = map_get(&m->edge_index, &k);
	struct edge *e;

	if (there)
		return *there;
	e = m->edges.n < EDGES_MAX ? vec_push(&m->edges) : NULL;
	there = e ? map_put(&m->edge_index, &k, NULL) : NULL;
	if (!there) {
		m->edges.n -= e != NULL;
		m->lost_edges++;
		return NONE;
	}
	e->from = from;
	e->to = to;
	e->port = port;
	e->l4 = l4;
	service_at(m, from)->networked = service_at(m, to)->networked = service_at(m, to)->serves = true;
	return *there = (uint32_t)(m->edges.n - 1);
}

/* What is inside of TLS says more than TLS, and what is asked by means of HTTP more than HTTP. */
static bool says_more(enum proto_id proto, enum proto_id than)
{
	switch (than) {
	case PROTO_UNKNOWN:
	case PROTO_TLS:
		return true;
	case PROTO_HTTP:
		return proto == PROTO_CLICKHOUSE || proto == PROTO_HTTP2 || proto == PROTO_GRPC;
	case PROTO_HTTP2:
		return proto == PROTO_GRPC;
	default:
		return false;
	}
}

void edge_set_proto(struct model *m, uint32_t edge, enum proto_id proto)
{
	struct edge *e = &m->edges.v[edge];

	if (proto == PROTO_UNKNOWN || proto == e->proto || !says_more(proto, e->proto))
		return;
	e->proto = proto;
	e->sent = false;
}

const char *edge_protocol(const struct edge *e)
{
	if (e->proto == PROTO_UNKNOWN)
		return e->l4 == L4_UDP ? "udp" : e->l4 == L4_UNIX ? "unix" : "tcp";
	return e->proto == PROTO_DNS && e->l4 == L4_TCP ? "dns-tcp" : proto_name(e->proto);
}

/* The server's port where nobody of this node is known to have the socket: who listens there, or did last. */
static uint32_t by_listener(struct model *m, const struct conn *c, unsigned end)
{
	uint32_t netns = c->end[end].cookie ? c->end[end].netns : addr_netns(m, c->a[end].ip, c->end[!end].netns);
	struct listener *l;

	if (c->l4 != L4_TCP)
		return c->l4 == L4_UDP ? datagram_service(m, &c->a[end], netns) : NONE;
	l = listener_find(m, &c->a[end], netns);
	return l ? l->service : NONE;
}

/* The other end's record is still to come: an address of this node where something is connected, or one that has not answered
 * our SYN yet. */
static bool may_be_local(const struct model *m, const struct conn *c, unsigned end)
{
	if (m->o.by_address)
		return false;
	return c->end[end].cookie || c->syn_ns || addr_netns(m, c->a[end].ip, c->end[!end].netns);
}

/* Of a called end that is not of this node, the port that was called rather than the one behind a translation. */
static uint16_t edge_port(struct model *m, const struct conn *c)
{
	unsigned server = !c->client;
	struct addr seen[2];

	if (!c->translated || c->end[server].owner || by_listener(m, c, server) != NONE)
		return c->a[server].port;
	conn_seen(m, c, seen);
	return seen[server].port;
}

/* Clients from elsewhere are told apart as long as a service has few of them: a proxy at the edge has thousands. */
static uint32_t client_elsewhere(struct model *m, const struct conn *c, uint32_t to)
{
	struct edge_key k = {.to = to, .port = edge_port(m, c), .l4 = c->l4};
	char name[REMOTE_NAME], full[REMOTE_NAME + 16];
	struct service *s = service_at(m, to);
	enum remote_source from = remote_name(m, c, c->client, name);

	snprintf(full, sizeof(full), "external:%s", name);
	k.from = intern_find(&m->names, full, strlen(full));
	if (k.from != INTERN_NONE && map_get(&m->edge_index, &k))
		return k.from;
	if (s->outside >= OUTSIDE_MAX) {
		m->lost_clients++;
		return service_others(m);
	}
	s->outside++;
	return service_external(m, full, 0, remote_why[from]);
}

static uint32_t server_elsewhere(struct model *m, const struct conn *c)
{
	char name[REMOTE_NAME];
	enum remote_source from = remote_name(m, c, !c->client, name);

	return service_external(m, name, edge_port(m, c), remote_why[from]);
}

/* The name that an end which is not here has already; NONE: it has none, or but an address. */
static uint32_t named_before(const struct model *m, const struct conn *c, bool server)
{
	const struct edge *e = c->edge == NONE ? NULL : &m->edges.v[c->edge];
	uint32_t service = e ? server ? e->to : e->from : NONE;

	return e && !strcmp(service_at(m, service)->kind, "external") && service_at(m, service)->why != remote_why[REMOTE_ADDRESS]
		       ? service : NONE;
}

/* The first service that was called at an address is the host's: its calls are that service's. Not on loopback, where all are, nor
 * where who is called is but a guess. */
static uint32_t server_by_address(struct model *m, const struct conn *c)
{
	const struct addr *a = &c->a[!c->client];
	uint32_t service = server_elsewhere(m, c), *host;
	bool sure = (c->l4 == L4_TCP && c->sure) || (c->flow && flow_proto(conn_flow(c)) != PROTO_UNKNOWN), fresh;

	if (!sure || service == NONE || addr_is_loopback(a->ip))
		return service;
	host = map_put(&m->hosts, a->ip, &fresh);
	if (!host) {
		m->lost_addresses++;
	} else if (fresh) {
		*host = service;
		m->gen++;
	}
	return service;
}

static uint32_t client_by_address(struct model *m, const struct conn *c, uint32_t to)
{
	const uint8_t *ip = c->a[c->client].ip;
	const uint32_t *host = memcmp(ip, c->a[!c->client].ip, 16) ? map_get(&m->hosts, ip) : NULL;

	return host ? *host : client_elsewhere(m, c, to);
}

/* to: of the client, the service that it calls. */
static uint32_t end_service(struct model *m, const struct conn *c, unsigned end, uint32_t to, bool final)
{
	bool server = end != c->client;
	uint32_t service;

	if (m->o.by_address)
		return server ? server_by_address(m, c) : client_by_address(m, c, to);
	if (c->end[end].owner) {
		service = pid_service(m, c->end[end].owner);
		if (service != NONE)
			return service;
	}
	if (server) {
		service = by_listener(m, c, end);
		if (service != NONE)
			return service;
	}
	if (!final && may_be_local(m, c, end))
		return NONE;
	if (c->l4 == L4_UNIX)           /* the end of a process that was gone before it could be asked */
		return service_others(m);
	service = named_before(m, c, server);
	if (service != NONE)
		return service;
	return server ? server_elsewhere(m, c) : client_elsewhere(m, c, to);
}

static void move_edge(struct model *m, struct conn *c, uint32_t edge)
{
	if (c->counted_open && m->edges.v[c->edge].open)
		m->edges.v[c->edge].open--;
	c->edge = edge;
	c->counted_open = c->open;
	if (c->open)
		m->edges.v[edge].open++;
}

uint32_t conn_edge(struct model *m, uint32_t id, bool final)
{
	struct conn *c = conn_at(m, id);
	uint32_t from, to, edge;

	if (!m->named)
		return NONE;
	if (c->edge != NONE && c->edge_gen == m->gen)
		return c->edge;
	/* what was decided by a process that can no longer be asked stays */
	to = end_service(m, c, !c->client, NONE, final && c->edge == NONE);
	from = to == NONE ? NONE : end_service(m, c, c->client, to, final && c->edge == NONE);
	if (from == NONE)
		return c->edge;
	edge = edge_get(m, from, to, edge_port(m, c), c->l4);
	if (edge == NONE)
		return NONE;
	c->edge_gen = m->gen;
	if (edge != c->edge)
		move_edge(m, c, edge);
	return edge;
}

/* The flow's opinion: who is the client where nobody saw the SYN. */
void conn_ask_flow(struct model *m, uint32_t id)
{
	struct conn *c = conn_at(m, id);
	uint8_t client;

	if (!c->flow || c->sure)
		return;
	client = c->flow_client ^ flow_swapped(conn_flow(c));
	if (client != c->client) {
		c->client = client;
		c->edge_gen = m->gen - 1;
	}
}

static void add_srtt(struct edge *e, const struct conn *c)
{
	uint32_t srtt = c->end[c->client].srtt_us ? c->end[c->client].srtt_us : c->end[!c->client].srtt_us;

	if (srtt && e->nsrtt < SRTT_MAX)
		e->srtt[e->nsrtt++] = srtt;
}

static void add_flow(struct edge *e, const struct conn *c)
{
	uint64_t oldest = 0;

	e->inflight += flow_inflight(conn_flow(c), &oldest) << c->shift;
	if (oldest && (!e->oldest_ns || oldest < e->oldest_ns))
		e->oldest_ns = oldest;
}

static void add_services(struct model *m, const struct edge *e, const struct conn *c)
{
	struct service *from = service_at(m, e->from), *to = service_at(m, e->to);
	uint64_t out = c->tick_bytes[c->client], in = c->tick_bytes[!c->client];

	from->tick_tx += out;
	from->tick_rx += in;
	to->tick_rx += out;
	to->tick_tx += in;
	from->tick_retrans += c->end[c->client].tick_retrans;
	to->tick_retrans += c->end[!c->client].tick_retrans;
}

bool conn_fold(struct model *m, uint32_t id, bool final)
{
	struct conn *c = conn_at(m, id);
	uint32_t edge;
	struct edge *e;

	conn_ask_flow(m, id);
	final |= c->ticks >= WAIT_TICKS || m->ending;
	edge = conn_edge(m, id, final);
	if (edge == NONE)
		return final && m->named;       /* no room for the edge: counted there */
	e = &m->edges.v[edge];
	if (!c->counted_open && c->open) {
		c->counted_open = true;
		e->open++;
	}
	e->active = true;
	e->opened += c->opened;
	e->closed += c->closed;
	e->refused += c->refused;
	e->timeouts += c->timeouts;
	e->resets += c->resets[0] + c->resets[1];
	e->retrans += c->end[0].tick_retrans + c->end[1].tick_retrans;
	e->bytes_out += c->tick_bytes[c->client];
	e->bytes_in += c->tick_bytes[!c->client];
	add_srtt(e, c);
	add_services(m, e, c);
	health_fold(e, c);
	c->opened = c->closed = c->refused = c->timeouts = c->resets[0] = c->resets[1] = 0;
	c->end[0].tick_retrans = c->end[1].tick_retrans = 0;
	c->tick_bytes[0] = c->tick_bytes[1] = 0;
	if (c->flow)
		edge_set_proto(m, edge, flow_proto(conn_flow(c)));
	else if (c->quic)
		edge_set_proto(m, edge, PROTO_QUIC);
	return true;
}

/* True where it is to be looked at in the next tick too: a SYN or requests without an answer, or nobody known yet. */
static bool look_again(struct model *m, uint32_t id)
{
	struct conn *c = conn_at(m, id);
	uint64_t oldest;

	if (!c->used)
		return false;
	if (c->refused || c->timeouts || c->held || c->closed_ns ? !conn_fold(m, id, true) : !conn_fold(m, id, false)) {
		c->ticks++;
		return true;
	}
	if (c->closed_ns || c->edge == NONE)
		return false;
	if (c->syn_ns) {
		m->edges.v[c->edge].connecting++;
		return true;
	}
	if (!c->flow)
		return false;
	add_flow(&m->edges.v[c->edge], c);
	if (c->l4 == L4_UDP)
		datagram_settle(m, id);
	return !c->closed_ns && flow_inflight(conn_flow(c), &oldest) > 0;
}

void conns_settle(struct model *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->touched.n; i++) {
		uint32_t id = m->touched.v[i];

		if (look_again(m, id))
			m->touched.v[n++] = id;
		else
			conn_at(m, id)->touched = false;
	}
	m->touched.n = n;
}

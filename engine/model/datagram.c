/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP → connections that nobody opens or closes: a pair of addresses between which datagrams went.  A socket has many of them,
 * so they are found by addresses, never by cookie.
 *
 * DNS comes as records with its bytes.  They are given to a flow as they would come on TCP, a length before each message, so that
 * one parser does for both; the connection is over when nothing waits for an answer any more.  Everything else comes as totals
 * of each pair once a second, from the kernel's table.
 */
#include "model/internal.h"

#include <stdlib.h>

#include "proto/protocols.h"

#define BOUND_MAX 4096
#define FRAME_MAX 4096u              /* of a message that is given to the flow */
#define ANSWER_NS (5 * NS_PER_S)     /* resolvers ask again, or somebody else, after that */
#define DNS_HEADER 12u
#define LENGTH 2u

static struct place place_of(const uint8_t ip[16], uint16_t port, uint32_t netns)
{
	struct place p = {.netns = netns, .port = port};

	memcpy(p.ip, ip, 16);
	return p;
}

/* Of processes that are gone nobody tells: their places go when room is needed. */
static void bound_make_room(struct model *m)
{
	VEC(struct place) gone = {0};
	const void *key;
	void *pid;
	size_t it = 0, i;

	while (map_next(&m->bound, &it, &key, &pid)) {
		const struct proc *p = proc_known(m, *(uint32_t *)pid);
		struct place *slot = !p || p->gone_ns ? vec_push(&gone) : NULL;

		if (slot)
			*slot = *(const struct place *)key;
	}
	for (i = 0; i < gone.n; i++)
		map_del(&m->bound, &gone.v[i]);
	vec_done(&gone);
}

static void bound_learn(struct model *m, const struct ev_conn *e)
{
	struct place k = place_of(e->laddr, e->lport, e->netns);
	uint32_t *pid;

	if (!e->lport || !e->tgid)
		return;
	if (m->bound.n >= BOUND_MAX)
		bound_make_room(m);
	pid = map_put(&m->bound, &k, NULL);
	if (!pid) {
		m->lost_listeners++;
		return;
	}
	if (*pid != e->tgid && proc_get(m, e->tgid))
		m->gen++;
	*pid = e->tgid;
	addr_learn(m, e->laddr, e->netns);
}

/* The process that receives from anyone at this address; 0: nobody known. */
static uint32_t bound_at(const struct model *m, const struct addr *a, uint32_t netns)
{
	static const uint8_t any[2][16] = {{0}, {[10] = 0xff, [11] = 0xff}};
	const uint8_t *const ip[] = {a->ip, any[0], any[1]};
	size_t i;

	for (i = 0; i < 3 && netns; i++) {
		struct place k = place_of(ip[i], a->port, netns);
		const uint32_t *pid = map_get(&m->bound, &k);

		if (pid)
			return *pid;
	}
	return 0;
}

uint32_t datagram_service(struct model *m, const struct addr *a, uint32_t netns)
{
	uint32_t pid = bound_at(m, a, netns);

	return pid ? pid_service(m, pid) : NONE;
}

/* A datagram between two addresses, as a record says it. */
struct sight { uint64_t cookie, ts_ns; struct addr local, remote; uint32_t netns, tgid; };

static struct sight sight_of(uint64_t cookie, const struct ev_hdr *h, const uint8_t laddr[16], uint16_t lport,
			     const uint8_t raddr[16], uint16_t rport)
{
	struct sight s = {.cookie = cookie, .ts_ns = h->ts_ns, .local = {.port = lport}, .remote = {.port = rport}};

	memcpy(s.local.ip, laddr, 16);
	memcpy(s.remote.ip, raddr, 16);
	return s;
}

/* The connection of the pair; where there is none a new one, or NONE where `make` is false. */
static uint32_t conn_of(struct model *m, const struct sight *s, unsigned *end, bool make)
{
	uint32_t netns = addr_scope(s->local.ip, s->remote.ip, s->netns), id;
	struct addr a[2] = {s->local, s->remote};
	bool translated = nat_follow(m, a, &netns, L4_UDP);
	struct conn *c;

	id = conn_by_addr(m, &a[0], &a[1], netns, L4_UDP, end);
	c = id == NONE ? NULL : conn_at(m, id);
	/* over, or the port is another socket's now */
	if (c && (c->closed_ns || (c->end[*end].cookie && c->end[*end].cookie != s->cookie)) && make) {
		conn_close(m, id, s->ts_ns);
		conn_retire(m, id);
		id = NONE;
	}
	if (id == NONE && make) {
		id = conn_new(m);
		if (id == NONE || !conn_set_key(m, id, a, netns, L4_UDP))
			return NONE;
		conn_at(m, id)->fresh = true;
		*end = 0;
	}
	if (id == NONE)
		return NONE;
	c = conn_at(m, id);
	c->translated |= translated;
	if (!c->end[*end].cookie) {
		c->end[*end].cookie = s->cookie;
		c->edge_gen = m->gen - 1;
	}
	if (s->netns)
		c->end[*end].netns = s->netns;
	c->last_ns = s->ts_ns;
	conn_set_owner(m, c, *end, s->tgid);
	return id;
}

static void set_client(struct model *m, struct conn *c, unsigned client)
{
	if (c->sure && c->client == client)
		return;
	c->sure = true;
	c->client = (uint8_t)client;
	c->edge_gen = m->gen - 1;
}

void datagram_conn(struct model *m, const struct ev_conn *e)
{
	struct sight s = sight_of(e->cookie, &e->h, e->laddr, e->lport, e->raddr, e->rport);
	uint32_t id, mine, theirs;
	unsigned end;
	struct conn *c;

	if (!e->rport) {
		bound_learn(m, e);
		return;
	}
	conn_flush(m, e->h.ts_ns);
	addr_learn(m, e->laddr, e->netns);
	s.netns = e->netns;
	s.tgid = e->tgid;
	id = conn_of(m, &s, &end, e->what != CONN_CLOSE && e->bytes_in + e->bytes_out);
	if (id == NONE)
		return;
	c = conn_at(m, id);
	/* who receives from anyone is asked; else what both ends tell is decided by the first */
	mine = bound_at(m, &s.local, e->netns);
	theirs = bound_at(m, &s.remote, addr_netns(m, s.remote.ip, e->netns));
	if (!mine != !theirs)
		set_client(m, c, mine ? !end : end);
	else if (!c->sure && e->role)
		set_client(m, c, e->role == ROLE_CLIENT ? end : !end);
	c->quic |= e->quic;
	conn_take_totals(c, end, e, false);
	conn_touch(m, id);
	if (e->what == CONN_CLOSE)
		conn_close(m, id, e->h.ts_ns);
}

/* As it would come on TCP: its length, then what is known of it. */
static uint32_t frame_make(uint8_t frame[LENGTH + FRAME_MAX], const struct ev_datagram *e)
{
	uint32_t n = e->head < FRAME_MAX ? e->head : FRAME_MAX;

	frame[0] = (uint8_t)(e->len >> 8);
	frame[1] = (uint8_t)e->len;
	memcpy(frame + LENGTH, e->payload, n);
	return LENGTH + n;
}

static void flow_feed(struct model *m, uint32_t id, unsigned sender, const struct ev_datagram *e)
{
	struct conn *c = conn_at(m, id);
	enum proto_dir dir = sender == c->client ? FROM_CLIENT : FROM_SERVER;
	uint8_t frame[LENGTH + FRAME_MAX];
	struct segment s = {.dir = dir, .ts_ns = e->h.ts_ns, .seq = c->seq[sender], .len = LENGTH + e->len, .head = frame,
			    .head_len = frame_make(frame, e), .tail = frame, .tid = e->dir == DIR_OUT ? e->tid : 0};

	/* one bad datagram, which anybody may have sent, must not end the flow */
	if (proto_dns.infer(dir, frame, s.head_len) <= 0)
		return;
	if (!c->flow) {
		c->flow = flow_new(&m->pool, c->a[!c->client].port, false);
		if (!c->flow) {
			m->lost_flows++;
			return;
		}
		flow_set_user(c->flow, (void *)(uintptr_t)id);
		c->flow_client = c->client;
	}
	c->seq[sender] += s.len;
	flow_segment(c->flow, &s);
}

void datagram_data(struct model *m, const struct ev_datagram *e)
{
	struct sight s = sight_of(e->cookie, &e->h, e->laddr, e->lport, e->raddr, e->rport);
	unsigned end, sender;
	uint64_t oldest;
	struct conn *c;
	uint32_t id;

	if (e->head < DNS_HEADER || e->len > UINT16_MAX || !e->lport || !e->rport) {
		m->bad_records++;
		return;
	}
	conn_flush(m, e->h.ts_ns);
	addr_learn(m, e->laddr, e->netns);
	s.netns = e->netns;
	s.tgid = e->tgid;
	id = conn_of(m, &s, &end, true);
	if (id == NONE)
		return;
	c = conn_at(m, id);
	sender = e->dir == DIR_OUT ? end : !end;
	/* its sender is on this node and has told of it already */
	if (e->dir == DIR_IN && c->end[sender].cookie)
		return;
	c->tick_bytes[sender] += e->len;
	c->counted[sender] += e->len;
	conn_touch(m, id);
	if (!c->flow)
		set_client(m, c, e->payload[2] & 0x80 ? !sender : sender);
	/* an answer counts where somebody here has asked */
	if (e->payload[2] & 0x80 && c->flow && flow_inflight(c->flow, &oldest))
		remote_answer(m, e->payload, e->head, e->dir == DIR_IN || e->flags & DATA_LOOPBACK ? e->netns : c->end[!sender].netns);
	flow_feed(m, id, sender, e);
}

void datagram_settle(struct model *m, uint32_t id)
{
	struct conn *c = conn_at(m, id);
	uint64_t oldest;

	if (!flow_inflight(c->flow, &oldest) || oldest + ANSWER_NS <= m->now_ns)
		conn_close(m, id, m->now_ns);
}

void datagrams_init(struct model *m)
{
	map_init(&m->bound, sizeof(struct place), sizeof(uint32_t), BOUND_MAX);
}

void datagrams_done(struct model *m)
{
	map_done(&m->bound);
}

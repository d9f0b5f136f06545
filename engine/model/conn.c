/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of connections: chunks that never move, found by cookie and by the pair of addresses. */
#include "model/internal.h"

#include <stdlib.h>

#define EVICT_LOOK 64                  /* candidates looked at: the longest idle one of them goes */
#define EVICT_GIVE_UP 1024             /* all of these were busy in this very tick: then the new one is refused */
#define REAP_SHARE 32                  /* the whole table is looked through in so many ticks */
#define ORPHAN_NS (60 * NS_PER_S)
#define HALF_OPEN_NS (180 * NS_PER_S)  /* tcp_syn_retries gives up after 127 s */
#define UNIX_IDLE_NS (30 * NS_PER_S)   /* nobody tells of their end; the kernel side tells of one again when bytes flow */
#define DEAD_OWNER_NS (600 * NS_PER_S) /* without known loss a CLOSE would have come: a child may hold the socket */

struct conn *conn_at(const struct model *m, uint32_t id)
{
	return &m->chunk[id / CONN_CHUNK][id % CONN_CHUNK];
}

static uint64_t cookie_hash(uint64_t cookie)
{
	return hash_bytes(&cookie, sizeof(cookie));
}

/* The same whichever end comes first. */
static uint64_t addr_hash(const struct addr *a, const struct addr *b, uint32_t netns, uint8_t l4)
{
	int order = memcmp(a->ip, b->ip, 16);
	bool first = order ? order < 0 : a->port < b->port;
	const struct addr *low = first ? a : b, *high = first ? b : a;
	uint8_t key[41];

	memcpy(key, low->ip, 16);
	memcpy(key + 16, high->ip, 16);
	memcpy(key + 32, &low->port, 2);
	memcpy(key + 34, &high->port, 2);
	memcpy(key + 36, &netns, 4);
	key[40] = l4;
	return hash_bytes(key, sizeof(key));
}

uint32_t conn_by_cookie(const struct model *m, uint64_t cookie, unsigned *end)
{
	uint64_t hash = cookie_hash(cookie);
	uint32_t id;
	size_t it;

	for (id = index_first(&m->by_cookie, hash, &it); id != INDEX_NONE; id = index_next(&m->by_cookie, hash, &it)) {
		if (conn_at(m, id / 2)->end[id % 2].cookie != cookie)
			continue;
		*end = id % 2;
		return id / 2;
	}
	return NONE;
}

/* The same for both ends of a connection. */
static uint64_t numbers_hash(uint32_t a, uint32_t b)
{
	return cookie_hash((uint64_t)(a < b ? b : a) << 32 | (a < b ? a : b));
}

uint32_t conn_by_numbers(const struct model *m, uint32_t first_out, uint32_t first_in, unsigned *end)
{
	uint64_t hash = numbers_hash(first_out, first_in);
	uint32_t id;
	size_t it;

	for (id = index_first(&m->by_numbers, hash, &it); id != INDEX_NONE; id = index_next(&m->by_numbers, hash, &it)) {
		const struct conn *c = conn_at(m, id / 2);
		const struct end *there = &c->end[id % 2];

		if (there->first_out != first_in || there->first_in != first_out || there->closed || c->closed_ns ||
		    c->end[!(id % 2)].cookie)
			continue;
		*end = !(id % 2);
		return id / 2;
	}
	return NONE;
}

static void drop_numbers(struct model *m, uint32_t id, unsigned end)
{
	struct end *e = &conn_at(m, id)->end[end];

	if (e->numbered)
		index_del(&m->by_numbers, numbers_hash(e->first_out, e->first_in), id * 2 + end);
	e->numbered = false;
}

void conn_number(struct model *m, uint32_t id, unsigned end, uint32_t first_out, uint32_t first_in)
{
	struct end *e = &conn_at(m, id)->end[end];

	drop_numbers(m, id, end);
	if ((!first_out && !first_in) || !index_put(&m->by_numbers, numbers_hash(first_out, first_in), id * 2 + end))
		return;
	e->first_out = first_out;
	e->first_in = first_in;
	e->numbered = true;
}

uint32_t conn_by_addr(const struct model *m, const struct addr *local, const struct addr *remote, uint32_t netns, uint8_t l4,
		      unsigned *end)
{
	uint64_t hash = addr_hash(local, remote, netns, l4);
	uint32_t id;
	size_t it;

	for (id = index_first(&m->by_addr, hash, &it); id != INDEX_NONE; id = index_next(&m->by_addr, hash, &it)) {
		const struct conn *c = conn_at(m, id);

		if (c->netns != netns || c->l4 != l4)
			continue;
		for (*end = 0; *end < 2; ++*end)
			if (addr_same(&c->a[*end], local) && addr_same(&c->a[!*end], remote))
				return id;
	}
	return NONE;
}

static void owner_count(struct model *m, uint32_t pid, int n)
{
	struct proc *p = pid ? proc_known(m, pid) : NULL;

	if (p && (n > 0 || p->conns))
		p->conns += (uint32_t)n;
}

static void drop_end(struct model *m, uint32_t id, unsigned end)
{
	struct end *e = &conn_at(m, id)->end[end];

	if (!e->cookie)
		return;
	if (conn_at(m, id)->l4 != L4_UDP)
		index_del(&m->by_cookie, cookie_hash(e->cookie), id * 2 + end);
	drop_numbers(m, id, end);
	if (!e->closed)
		owner_count(m, e->owner, -1);
	*e = (struct end){0};
}

void conn_retire(struct model *m, uint32_t id)
{
	struct conn *c = conn_at(m, id);

	if (c->keyed)
		index_del(&m->by_addr, addr_hash(&c->a[0], &c->a[1], c->netns, c->l4), id);
	c->keyed = false;
	c->retired = true;
}

void conn_release(struct model *m, uint32_t id, unsigned end)
{
	struct end *e = &conn_at(m, id)->end[end];

	index_del(&m->by_cookie, cookie_hash(e->cookie), id * 2 + end);
	drop_numbers(m, id, end);
	e->cookie = 0;
	conn_retire(m, id);
}

static void uncount_open(struct model *m, struct conn *c)
{
	if (c->counted_open && m->edges.v[c->edge].open)
		m->edges.v[c->edge].open--;
	c->counted_open = false;
}

void conn_forget(struct model *m, uint32_t id)
{
	struct conn *c = conn_at(m, id);

	whole_drop(m, id);
	uncount_open(m, c);
	trace_conn_gone(m, id);
	flow_free(c->flow);
	free(c->strain);
	flow_free(c->plain);
	drop_end(m, id, 0);
	drop_end(m, id, 1);
	conn_retire(m, id);
	*c = (struct conn){.next = m->conn_free, .touched = c->touched};
	m->conn_free = id;
	m->nconns--;
}

/* Approximately the longest idle one: exact order would cost two list operations for each segment. */
static bool evict(struct model *m)
{
	uint32_t best = NONE, i;

	for (i = 0; i < EVICT_LOOK || (best == NONE && i < EVICT_GIVE_UP); i++) {
		uint32_t id = m->hand++ % m->conn_high;
		const struct conn *c = conn_at(m, id);

		if (!c->used || c->held || c->touched || c->closed_ns)
			continue;
		if (best == NONE || c->last_ns < conn_at(m, best)->last_ns)
			best = id;
	}
	if (best == NONE)
		return false;
	m->lost_conns++;
	conn_forget(m, best);
	return true;
}

static uint32_t number_new(struct model *m)
{
	uint32_t id = m->conn_free;

	if (id != NONE) {
		m->conn_free = conn_at(m, id)->next;
		return id;
	}
	if (m->conn_high == m->nchunks * CONN_CHUNK) {
		struct conn **chunk = realloc(m->chunk, (m->nchunks + 1) * sizeof(*chunk));

		if (!chunk)
			return NONE;
		m->chunk = chunk;
		chunk[m->nchunks] = calloc(CONN_CHUNK, sizeof(**chunk));
		if (!chunk[m->nchunks])
			return NONE;
		m->nchunks++;
	}
	return m->conn_high++;
}

uint32_t conn_new(struct model *m)
{
	struct conn *c;
	uint32_t id;

	if (m->nconns >= m->o.max_connections && !evict(m)) {
		m->lost_conns++;
		return NONE;
	}
	id = number_new(m);
	if (id == NONE) {
		m->lost_conns++;
		return NONE;
	}
	c = conn_at(m, id);
	*c = (struct conn){.used = true, .edge = NONE, .next = NONE, .last_ns = m->now_ns, .touched = c->touched};
	m->nconns++;
	return id;
}

bool conn_set_key(struct model *m, uint32_t id, const struct addr a[2], uint32_t netns, uint8_t l4)
{
	struct conn *c = conn_at(m, id);

	if (c->keyed)
		index_del(&m->by_addr, addr_hash(&c->a[0], &c->a[1], c->netns, c->l4), id);
	c->a[0] = a[0];
	c->a[1] = a[1];
	c->netns = netns;
	c->l4 = l4;
	c->keyed = index_put(&m->by_addr, addr_hash(&a[0], &a[1], netns, l4), id);
	return c->keyed;
}

/* The one socket of `from` becomes the other end of this connection; what it was known of it by itself is dropped. */
static void take_end(struct model *m, uint32_t id, unsigned end, uint32_t from, unsigned from_end)
{
	struct end theirs = conn_at(m, from)->end[from_end];

	conn_forget(m, from);
	if (conn_at(m, id)->l4 == L4_UDP)
		conn_at(m, id)->end[end].cookie = theirs.cookie;         /* not found by it: a server has one for all its clients */
	else if (!conn_set_end(m, id, end, theirs.cookie))
		return;
	conn_at(m, id)->end[end].netns = theirs.netns;
	conn_at(m, id)->end[end].heard = theirs.heard;
	if (theirs.numbered)
		conn_number(m, id, end, theirs.first_out, theirs.first_in);
	conn_set_owner(m, conn_at(m, id), end, theirs.owner);
}

void conn_move(struct model *m, uint32_t id, unsigned end, const struct addr to[2], uint32_t netns)
{
	struct conn *c = conn_at(m, id);
	struct addr a[2];
	unsigned at;
	uint32_t there = conn_by_addr(m, &to[0], &to[1], netns, c->l4, &at);

	if (there == id)
		return;
	if (there != NONE) {
		const struct conn *o = conn_at(m, there);

		/* it was taken for a connection of its own for a moment, by its server's socket alone */
		if (!o->closed_ns && !o->held && !o->end[at].cookie && !c->end[!end].cookie)
			take_end(m, id, !end, there, !at);
		else
			conn_retire(m, there);
	}
	a[end] = to[0];
	a[!end] = to[1];
	c->translated = true;
	c->edge_gen = m->gen - 1;
	conn_set_key(m, id, a, netns, c->l4);
}

bool conn_set_end(struct model *m, uint32_t id, unsigned end, uint64_t cookie)
{
	if (!index_put(&m->by_cookie, cookie_hash(cookie), id * 2 + end))
		return false;
	conn_at(m, id)->end[end].cookie = cookie;
	return true;
}

void conn_set_owner(struct model *m, struct conn *c, unsigned end, uint32_t pid)
{
	struct end *e = &c->end[end];

	if (!pid || e->owner == pid)
		return;
	proc_get(m, pid);
	if (!e->closed) {
		owner_count(m, e->owner, -1);
		owner_count(m, pid, 1);
	}
	e->owner = pid;
	c->edge_gen = m->gen - 1;
}

void conn_touch(struct model *m, uint32_t id)
{
	struct conn *c = conn_at(m, id);
	uint32_t *slot;

	if (c->touched)
		return;
	slot = vec_push(&m->touched);
	if (!slot)
		return;
	*slot = id;
	c->touched = true;
}

void conn_close(struct model *m, uint32_t id, uint64_t ts_ns)
{
	struct conn *c = conn_at(m, id);

	if (c->closed_ns)
		return;
	c->closed_ns = ts_ns ? ts_ns : 1;
	if (c->open)
		c->closed++;
	c->open = false;
	uncount_open(m, c);
	conn_touch(m, id);
	c->next = NONE;
	if (m->closed_tail != NONE)
		conn_at(m, m->closed_tail)->next = id;
	else
		m->closed_head = id;
	m->closed_tail = id;
}

/* Unfinished requests come out now; the flow's memory goes as soon as nothing can follow. */
static void end_flow(struct model *m, struct conn *c)
{
	if (c->plain) {
		flow_close(c->plain, c->closed_ns);
		flow_free(c->plain);
		c->plain = NULL;
	}
	if (!c->flow)
		return;
	flow_close(c->flow, c->closed_ns);
	flow_free(c->flow);
	c->flow = NULL;
}

void conn_end_closed(struct model *m, uint32_t id, unsigned end, uint64_t ts_ns)
{
	struct conn *c = conn_at(m, id);

	if (!c->end[end].closed) {
		owner_count(m, c->end[end].owner, -1);
		c->end[end].closed = true;
	}
	conn_close(m, id, ts_ns);
	if ((!c->end[0].cookie || c->end[0].closed) && (!c->end[1].cookie || c->end[1].closed))
		end_flow(m, c);
}

void conns_end_flows(struct model *m, uint64_t now_ns)
{
	uint32_t id;

	for (id = m->closed_head; id != NONE && conn_at(m, id)->closed_ns + LINGER_NS <= now_ns; id = conn_at(m, id)->next)
		end_flow(m, conn_at(m, id));
}

void conn_flush(struct model *m, uint64_t now_ns)
{
	while (m->closed_head != NONE) {
		uint32_t id = m->closed_head;
		struct conn *c = conn_at(m, id);

		if (c->closed_ns + LINGER_NS > now_ns)
			break;
		end_flow(m, c);
		/* rows that wait for the end of the tick keep it: the owner may become known until then */
		if (c->held || !conn_fold(m, id, false))
			break;
		m->closed_head = c->next;
		if (m->closed_head == NONE)
			m->closed_tail = NONE;
		conn_forget(m, id);
	}
}

static bool owner_gone(const struct model *m, const struct end *e, uint64_t now_ns, uint64_t after)
{
	const struct proc *p = e->cookie && e->owner ? proc_known(m, e->owner) : NULL;

	return e->cookie && e->owner && (!p || (p->gone_ns && p->gone_ns + after < now_ns));
}

static bool is_stale(const struct model *m, const struct conn *c, uint64_t now_ns)
{
	uint64_t idle = now_ns > c->last_ns ? now_ns - c->last_ns : 0;
	uint64_t after = m->kernel_loss ? GONE_NS : DEAD_OWNER_NS, oldest;

	if (c->orphan)
		return idle > ORPHAN_NS;
	if (c->l4 == L4_UNIX && idle > UNIX_IDLE_NS)
		return !c->flow || !flow_inflight(c->flow, &oldest);
	if (!c->open)
		return idle > HALF_OPEN_NS;
	return idle > after && (owner_gone(m, &c->end[0], now_ns, GONE_NS) || owner_gone(m, &c->end[1], now_ns, GONE_NS));
}

void conn_reap(struct model *m, uint64_t now_ns)
{
	uint32_t n = m->conn_high / REAP_SHARE + 1;

	for (; n && m->conn_high; n--) {
		uint32_t id = m->reap++ % m->conn_high;
		const struct conn *c = conn_at(m, id);

		if (c->used && !c->closed_ns && is_stale(m, c, now_ns))
			conn_close(m, id, now_ns);
	}
}

void conns_done(struct model *m)
{
	uint32_t id;
	size_t i;

	m->pool.on_request = NULL;
	m->pool.on_handshake = NULL;
	for (id = 0; id < m->conn_high; id++)
		if (conn_at(m, id)->used) {
			flow_free(conn_at(m, id)->flow);
			free(conn_at(m, id)->strain);
			flow_free(conn_at(m, id)->plain);
		}
	for (i = 0; i < m->nchunks; i++)
		free(m->chunk[i]);
	free(m->chunk);
	index_done(&m->by_cookie);
	index_done(&m->by_numbers);
	index_done(&m->by_addr);
	vec_done(&m->touched);
}

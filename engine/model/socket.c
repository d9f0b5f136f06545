/* SPDX-License-Identifier: BSD-2-Clause */
/* Records about sockets → connections: which end a cookie is, who the client is, what was counted. */
#include "model/internal.h"

#define SEQ_JUMP_MAX (16 << 20)        /* a larger step ahead is not lost records but another connection's number */

static bool tuple_complete(const struct ev_conn *e)
{
	return (e->lport && e->rport) || e->l4 == L4_UNIX;
}

static bool listens(struct model *m, const struct addr *a, uint32_t netns)
{
	const struct listener *l = netns ? listener_find(m, a, netns) : NULL;

	return l && l->sockets;
}

/* Who sent the SYN, where no record said so: the end at a listener's address is the server, else the lower port. */
static void guess_client(struct model *m, struct conn *c)
{
	bool served[2];
	unsigned i;

	if (c->sure || c->flow)
		return;
	for (i = 0; i < 2; i++) {
		uint32_t netns = c->end[i].cookie ? c->end[i].netns
						  : addr_netns(m, c->a[i].ip, c->end[!i].netns);

		served[i] = listens(m, &c->a[i], netns);
	}
	if (served[0] != served[1])
		c->client = served[0];
	else
		c->client = c->a[0].port < c->a[1].port;
}

static void set_role(struct model *m, struct conn *c, unsigned end, uint8_t role)
{
	if (role == ROLE_UNKNOWN || c->sure) {
		guess_client(m, c);
		return;
	}
	c->sure = true;
	c->client = (uint8_t)(role == ROLE_CLIENT ? end : !end);
	c->edge_gen = m->gen - 1;
}

/* A socket of this tuple is there already, and it is another one: the ports are used anew. */
static bool is_reuse(const struct conn *c, unsigned end, uint64_t cookie, uint8_t what)
{
	if (c->end[end].cookie && c->end[end].cookie != cookie)
		return true;
	return c->closed_ns && (what == CONN_CONNECT || (what == CONN_ESTABLISHED && c->end[!end].closed));
}

/* The same end is open in another network namespace: addresses of private networks are there more than once. */
static bool is_double(const struct conn *c, unsigned end, const struct ev_conn *e)
{
	const struct end *there = &c->end[end];

	return there->cookie && there->cookie != e->cookie && !there->closed && !c->closed_ns && there->netns && e->netns &&
	       there->netns != e->netns;
}

static bool has_numbers(const struct ev_conn *e)
{
	return e->what == CONN_ESTABLISHED && e->l4 == L4_TCP && (e->first_out || e->first_in);
}

/* The other end is known by other numbers: another network has the same addresses. One direction may be told anew on the way. */
static bool is_stranger(const struct conn *c, unsigned end, const struct ev_conn *e)
{
	const struct end *other = &c->end[!end];

	return has_numbers(e) && other->cookie && !other->closed && other->numbered && other->first_out != e->first_in &&
	       other->first_in != e->first_out;
}

/* The other end of this very connection, whatever translates between them. Where it has other addresses it is filed under those of who
 * is called: a[], as this record has them. */
static uint32_t conn_of_numbers(struct model *m, const struct ev_conn *e, const struct addr a[2], uint32_t netns, unsigned *end)
{
	uint32_t id = has_numbers(e) ? conn_by_numbers(m, e->first_out, e->first_in, end) : NONE;
	const struct conn *c;

	if (id == NONE)
		return NONE;
	c = conn_at(m, id);
	if (e->role == ROLE_SERVER && !(addr_same(&c->a[*end], &a[0]) && addr_same(&c->a[!*end], &a[1])))
		conn_move(m, id, *end, a, netns);
	return id;
}

static bool is_of_another_network(const struct conn *c, unsigned end, const struct ev_conn *e)
{
	return is_double(c, end, e) || is_stranger(c, end, e);
}

/* The connection of this record's addresses, made where there is none, with the cookie as its end. */
static uint32_t conn_of_tuple(struct model *m, const struct ev_conn *e, unsigned *end)
{
	uint32_t netns = addr_scope(e->laddr, e->raddr, e->netns), id;
	struct addr a[2] = {{.port = e->lport}, {.port = e->rport}};
	bool translated;

	memcpy(a[0].ip, e->laddr, 16);
	memcpy(a[1].ip, e->raddr, 16);
	translated = nat_follow(m, a, &netns, e->l4);
	id = conn_of_numbers(m, e, a, netns, end);
	if (id == NONE)
		id = conn_by_addr(m, &a[0], &a[1], netns, e->l4, end);
	if (id != NONE && is_of_another_network(conn_at(m, id), *end, e)) {
		netns = e->netns;
		id = conn_by_addr(m, &a[0], &a[1], netns, e->l4, end);
	}
	if (id != NONE && is_reuse(conn_at(m, id), *end, e->cookie, e->what)) {
		conn_close(m, id, e->h.ts_ns);
		conn_retire(m, id);
		id = NONE;
	}
	if (id == NONE) {
		id = conn_new(m);
		*end = 0;
		if (id == NONE || !conn_set_key(m, id, a, netns, e->l4))
			return id;
	}
	if (!conn_set_end(m, id, *end, e->cookie))
		return NONE;
	conn_at(m, id)->translated |= translated;
	conn_at(m, id)->end[*end].netns = e->netns;
	conn_at(m, id)->edge_gen = m->gen - 1;
	return id;
}

/* A SYN may be reported before the kernel chose the port: kept apart until the tuple is whole. */
static uint32_t conn_without_tuple(struct model *m, const struct ev_conn *e, unsigned *end)
{
	uint32_t id = conn_new(m);
	struct conn *c;

	if (id == NONE)
		return NONE;
	c = conn_at(m, id);
	*end = 0;
	memcpy(c->a[0].ip, e->laddr, 16);
	memcpy(c->a[1].ip, e->raddr, 16);
	c->a[0].port = e->lport;
	c->a[1].port = e->rport;
	c->netns = addr_scope(e->laddr, e->raddr, e->netns);
	if (!conn_set_end(m, id, 0, e->cookie))
		return NONE;
	c->end[0].netns = e->netns;
	return id;
}

/* What was known before the tuple was (a SYN's owner, an orphan's) moves to the connection of the tuple. One that has ended
 * is not to be adopted: it is in the list of the closed. */
static uint32_t adopt(struct model *m, uint32_t from, unsigned from_end, const struct ev_conn *e, unsigned *end)
{
	struct conn old = *conn_at(m, from), *c;
	uint32_t id;

	conn_forget(m, from);
	id = conn_of_tuple(m, e, end);
	if (id == NONE)
		return NONE;
	c = conn_at(m, id);
	conn_set_owner(m, c, *end, old.end[from_end].owner);
	if (old.sure)
		set_role(m, c, *end, old.client == from_end ? ROLE_CLIENT : ROLE_SERVER);
	c->fresh |= old.fresh;
	c->syn_ns = old.syn_ns;
	c->refused += old.refused;
	c->timeouts += old.timeouts;
	trace_connect_moved(m, id, &old);
	return id;
}

static bool same_tuple(const struct conn *c, unsigned end, const struct ev_conn *e)
{
	return c->a[end].port == e->lport && c->a[!end].port == e->rport && !memcmp(c->a[end].ip, e->laddr, 16) &&
	       !memcmp(c->a[!end].ip, e->raddr, 16);
}

/* After a refusal or a disconnect a program may connect the same socket again: the cookie stays, the connection is another. */
static bool is_new_life(const struct conn *c, unsigned end, const struct ev_conn *e)
{
	if (e->what == CONN_ESTABLISHED)
		return c->end[end].closed;
	if (e->what != CONN_CONNECT)
		return false;
	return c->closed_ns || (c->keyed && tuple_complete(e) && !same_tuple(c, end, e));
}

/* The connection of a record, made where there is none and the record says that there is one. */
static uint32_t conn_of_event(struct model *m, const struct ev_conn *e, unsigned *end)
{
	uint32_t id = conn_by_cookie(m, e->cookie, end);

	if (id != NONE && is_new_life(conn_at(m, id), *end, e)) {
		conn_end_closed(m, id, *end, e->h.ts_ns);
		conn_release(m, id, *end);
		id = NONE;
	}
	if (id != NONE) {
		const struct conn *c = conn_at(m, id);

		if (c->keyed || c->retired || c->closed_ns || !tuple_complete(e))
			return id;
		return adopt(m, id, *end, e, end);
	}
	/* the end of something that we never saw, or forgot: nothing to count it with */
	if (e->what == CONN_CLOSE)
		return NONE;
	return tuple_complete(e) ? conn_of_tuple(m, e, end) : conn_without_tuple(m, e, end);
}

/* The kernel's totals correct what was not seen as segments (heads not wanted, records lost, no packet probe). */
void conn_take_totals(struct conn *c, unsigned end, const struct ev_conn *e, bool first)
{
	const uint64_t total[2] = {e->bytes_out, e->bytes_in};
	unsigned i;

	for (i = 0; i < 2; i++) {
		unsigned sender = i == 0 ? end : !end;
		uint64_t have = c->base[sender] + c->counted[sender];

		/* SYN and FIN each count as a byte acknowledged */
		if (total[i] <= have + 2)
			continue;
		if (first && !c->fresh && !c->counted[sender]) {
			c->base[sender] = total[i];
			continue;
		}
		c->tick_bytes[sender] += total[i] - have;
		c->counted[sender] += total[i] - have;
	}
}

/* Only where segments are not reported: those that are may still be in the ring when the totals count them already. */
void socket_totals(struct conn *c, unsigned end, uint64_t out, uint64_t in)
{
	const uint64_t total[2] = {out, in};
	unsigned i;

	for (i = 0; i < 2 && c->end[end].heard && c->end[end].wish == WISH_NONE; i++) {
		unsigned sender = i == 0 ? end : !end;
		uint64_t have = c->base[sender] + c->counted[sender];

		if (total[i] <= have)
			continue;
		c->tick_bytes[sender] += total[i] - have;
		c->counted[sender] += total[i] - have;
	}
}

static void take_retrans(struct conn *c, struct end *s, const struct ev_conn *e, bool first)
{
	uint32_t grown = e->retrans > s->retrans ? e->retrans - s->retrans : 0;

	if (first && !c->fresh)                 /* before our time, but for the one that is told of now */
		grown = e->what == CONN_RETRANS;
	else if (e->what == CONN_RETRANS && !e->retrans)
		grown = 1;                      /* no total; an event that is late has one that is counted already */
	if (e->retrans > s->retrans)
		s->retrans = e->retrans;
	s->tick_retrans = (uint16_t)(s->tick_retrans + grown < UINT16_MAX ? s->tick_retrans + grown : UINT16_MAX);
}

static void count_up(uint8_t *n)
{
	*n = (uint8_t)(*n + (*n < UINT8_MAX));
}

/* Both ends tell of one and the same: counted once a connection. */
static void take_what(struct model *m, uint32_t id, unsigned end, const struct ev_conn *e)
{
	struct conn *c = conn_at(m, id);

	switch (e->what) {
	case CONN_CONNECT:
		c->fresh = true;
		health_syn(c, e->h.ts_ns);
		trace_connect(m, id, e);
		break;
	case CONN_ESTABLISHED:
		health_connected(c, end, e->h.ts_ns);
		if (!c->open && !c->closed_ns)
			count_up(&c->opened);
		c->fresh = true;
		c->open = !c->closed_ns;
		break;
	case CONN_EXISTING:
	case CONN_OWNER:
		c->open = !c->closed_ns && (c->open || !c->fresh);
		break;
	case CONN_REFUSED:
		count_up(&c->refused);
		c->syn_ns = 0;
		break;
	case CONN_TIMEOUT:
		count_up(&c->timeouts);
		c->syn_ns = 0;
		break;
	case CONN_RESET_SENT:
	case CONN_RESET_RECV:
		if (!c->reset_seen)
			count_up(&c->resets[e->what == CONN_RESET_SENT ? end : !end]);
		c->reset_seen = true;
		break;
	case CONN_CLOSE:
		health_ended(c, end);
		conn_end_closed(m, id, end, e->h.ts_ns);
		break;
	}
}

void socket_conn(struct model *m, const struct ev_conn *e)
{
	unsigned end = 0;
	struct conn *c;
	bool first;
	uint32_t id;

	if (!e->cookie)
		return;
	if (e->what == CONN_LISTEN || e->what == CONN_UNLISTEN) {
		listener_event(m, e);
		return;
	}
	if (listener_take(m, e))
		return;
	conn_flush(m, e->h.ts_ns);
	if (e->l4 == L4_TCP)
		addr_learn(m, e->laddr, e->netns);
	id = conn_of_event(m, e, &end);
	if (id == NONE)
		return;
	if (has_numbers(e))
		conn_number(m, id, end, e->first_out, e->first_in);
	c = conn_at(m, id);
	first = !c->end[end].heard;
	c->end[end].heard = true;
	if (e->h.ts_ns > c->last_ns)
		c->last_ns = e->h.ts_ns;
	/* who closes a socket, or has it retransmit, need not be who uses it */
	if (e->what <= CONN_OWNER || !c->end[end].owner)
		conn_set_owner(m, c, end, e->tgid);
	set_role(m, c, end, e->what == CONN_CONNECT ? ROLE_CLIENT : e->role);
	if (e->srtt_us)
		c->end[end].srtt_us = e->srtt_us;
	if (e->min_rtt_us)
		c->end[end].min_rtt_us = e->min_rtt_us;
	if (e->what == CONN_CONNECT)
		c->fresh = true;
	take_retrans(c, &c->end[end], e, first);
	conn_take_totals(c, end, e, first && e->what != CONN_ESTABLISHED);
	conn_touch(m, id);
	take_what(m, id, end, e);
}

/* New bytes of one direction: what is beyond the highest byte counted, so that retransmissions and the report of the
 * other end count once. A hole counts too: its bytes did pass. */
static void count_bytes(struct conn *c, unsigned sender, uint32_t seq, uint32_t len)
{
	int32_t ahead;

	if (!c->seq_known[sender]) {
		c->seq_known[sender] = true;
		c->seq[sender] = seq;
	}
	ahead = (int32_t)(seq + len - c->seq[sender]);
	if (ahead <= 0)
		return;
	if (ahead > SEQ_JUMP_MAX)
		ahead = (int32_t)len;
	c->seq[sender] = seq + len;
	c->tick_bytes[sender] += (uint32_t)ahead;
	c->counted[sender] += (uint32_t)ahead;
}

static void wish(struct model *m, struct conn *c, int wanted)
{
	unsigned i;

	for (i = 0; i < 2 && m->o.wish; i++) {
		if (!c->end[i].cookie || c->end[i].wish == wanted)
			continue;
		c->end[i].wish = (uint8_t)wanted;
		m->o.wish(m->o.wish_arg, c->end[i].cookie, wanted);
	}
}

/* Encrypted or given up: nothing is wanted. Messages that follow each other within a segment (pipelines, extended
 * queries) need all of it, and from the first on: ten thousand publications may leave in one burst; bodies of HTTP do not. */
static void wish_what_flow_needs(struct model *m, uint32_t id)
{
	struct conn *c = conn_at(m, id);

	if (flow_is_deaf(c->flow)) {
		wish(m, c, WISH_NONE);
		if (c->l4 == L4_UNIX)   /* nothing more will be told of it, not even its end */
			conn_close(m, id, m->now_ns);
		return;
	}
	if (flow_wants_whole(c->flow))
		wish(m, c, WISH_WHOLE);
}

bool conn_flow_begin(struct model *m, uint32_t id)
{
	struct conn *c = conn_at(m, id);

	guess_client(m, c);
	c->flow = flow_new(&m->pool, c->a[!c->client].port, !c->fresh || c->joined);
	if (!c->flow) {
		m->lost_flows++;
		return false;
	}
	c->flow_client = c->client;
	flow_set_user(c->flow, (void *)(uintptr_t)id);
	return true;
}

uint32_t conn_of_data(struct model *m, uint64_t cookie, unsigned *end)
{
	uint32_t id = conn_by_cookie(m, cookie, end);
	struct conn *c;

	if (id == NONE) {
		id = conn_new(m);
		if (id == NONE)
			return NONE;
		c = conn_at(m, id);
		c->orphan = true;
		*end = 0;
		if (!conn_set_end(m, id, 0, cookie))
			return NONE;
	}
	c = conn_at(m, id);
	if (c->orphan || !(c->keyed || c->retired)) {
		m->lost_unknown_cookie++;
		c->last_ns = m->now_ns;
		return NONE;
	}
	return id;
}

struct segment segment_of_data(const struct ev_data *e, enum proto_dir dir)
{
	struct segment s = {
		.dir = dir,
		.ts_ns = e->h.ts_ns,
		.seq = e->seq,
		.len = e->len,
		.head = e->payload,
		.head_len = e->head,
		.tail = e->payload + e->head,
		.tail_len = e->tail,
		.fin = e->flags & DATA_FIN,
		.tid = e->tid,
	};
	/* of the socket that was looked at, which is the receiver's where the sender is elsewhere */
	if (e->dir == DIR_OUT) {
		s.rd_tid = e->rd_tid;
		s.rd_seq = e->rd_seq;
		s.rd_ts_ns = e->rd_ts_ns;
		s.arr_ns = e->arr_ns;
	}

	if (e->flags & DATA_TIMED) {
		s.waits.read_ns = e->rd_ts_ns;
		s.waits.until_ns = e->h.ts_ns;
		s.waits.woken = e->woken;
		memcpy(s.waits.wait, e->wait, sizeof(e->wait));
	}
	return s;
}

void socket_data(struct model *m, const struct ev_data *e)
{
	unsigned end, sender;
	struct segment s;
	struct conn *c;
	uint32_t id;

	id = conn_of_data(m, e->cookie, &end);
	if (id == NONE)
		return;
	c = conn_at(m, id);
	c->last_ns = e->h.ts_ns;
	sender = e->dir == DIR_OUT ? end : !end;
	if (e->dir == DIR_OUT && e->tgid && !c->end[end].owner)
		conn_set_owner(m, c, end, e->tgid);
	count_bytes(c, sender, e->seq, e->len);
	conn_touch(m, id);
	/* sent before the kernel side knew the level, or read at the end that does not decide */
	if ((e->shift < m->shift || c->translated) && !conn_is_read(m, c))
		return;
	weight_seen(m, c, e->shift, e->h.ts_ns);
	if (e->flags & DATA_MIDDLE)
		trace_act(m, id, end, e->tgid, e->tid, e->h.ts_ns, true);
	if (!c->flow && (c->closed_ns || !conn_flow_begin(m, id)))
		return;
	if (e->dir == DIR_OUT && e->rd_ts_ns)
		whole_read(m, id, end, e->rd_seq, &(struct timing_got){e->arr_ns, e->rd_ts_ns});
	s = segment_of_data(e, sender == c->flow_client ? FROM_CLIENT : FROM_SERVER);
	flow_segment(c->flow, &s);
	wish_what_flow_needs(m, id);
}

/* Who wrote or read, where the segments could not say. */
void socket_io(struct model *m, const struct ev_io *e)
{
	unsigned end;
	uint32_t id = conn_by_cookie(m, e->cookie, &end);

	if (id == NONE)
		return;
	if (!conn_at(m, id)->end[end].owner)
		conn_set_owner(m, conn_at(m, id), end, e->tgid);
	if (e->dir == DIR_IN)
		whole_read(m, id, end, e->seq, &(struct timing_got){e->arr_ns, e->h.ts_ns});
	if (!e->late)
		trace_io(m, id, end, e);
}

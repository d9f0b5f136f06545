/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translated connections.  The socket of who calls knows the connection by other addresses than the socket of who is called, where
 * something between them translates.  Both are filed under the addresses behind the last translation ("far"), so that they
 * meet there; what is shown of an end that is not here is the address that was used ("seen").
 *
 * A row is a translation that the kernel told of.  One connection may have several, one behind the other.
 */
#include "model/internal.h"

#include <stdlib.h>

#define NATS_MAX 16384
#define STEPS_MAX 4                  /* translations one behind the other */
#define EVICT_LOOK 64

static uint64_t pair_hash(const struct addr a[2], uint32_t scope, uint8_t l4)
{
	uint8_t key[41];

	memcpy(key, a[0].ip, 16);
	memcpy(key + 16, a[1].ip, 16);
	memcpy(key + 32, &a[0].port, 2);
	memcpy(key + 34, &a[1].port, 2);
	memcpy(key + 36, &scope, 4);
	key[40] = l4;
	return hash_bytes(key, sizeof(key));
}

static bool same_pair(const struct addr a[2], const struct addr b[2])
{
	return addr_same(&a[0], &b[0]) && addr_same(&a[1], &b[1]);
}

static uint32_t scope_of(const struct nat *n, const struct addr a[2])
{
	return addr_scope(a[0].ip, a[1].ip, n->netns);
}

/* The row that has this pair in front of the translation, or behind it. */
static struct nat *nat_find(const struct model *m, const struct addr a[2], uint32_t scope, uint8_t l4, bool far)
{
	const struct index *x = far ? &m->nat_far : &m->nat_seen;
	uint64_t hash = pair_hash(a, scope, l4);
	size_t it;

	for (uint32_t i = index_first(x, hash, &it); i != INDEX_NONE; i = index_next(x, hash, &it)) {
		struct nat *n = &m->nats.v[i];
		const struct addr *b = far ? n->far : n->seen;

		if (n->l4 == l4 && scope_of(n, b) == scope && same_pair(a, b))
			return n;
	}
	return NULL;
}

static bool nat_walk(const struct model *m, struct addr a[2], uint32_t *scope, uint8_t l4, bool back)
{
	bool moved = false;

	for (int i = 0; i < STEPS_MAX && m->nats.n; i++) {
		const struct nat *n = nat_find(m, a, *scope, l4, back);
		const struct addr *to = n ? back ? n->seen : n->far : NULL;

		if (!n || same_pair(a, to))
			break;
		memcpy(a, to, 2 * sizeof(*a));
		*scope = scope_of(n, to);
		moved = true;
	}
	return moved;
}

bool nat_follow(const struct model *m, struct addr a[2], uint32_t *scope, uint8_t l4)
{
	struct addr turned[2] = {a[1], a[0]};

	return nat_walk(m, a, scope, l4, false) ||
	       (m->nats.n && (nat_find(m, a, *scope, l4, true) || nat_find(m, turned, *scope, l4, true)));
}

void conn_seen(const struct model *m, const struct conn *c, struct addr seen[2])
{
	uint32_t scope = c->netns;
	struct addr a[2] = {c->a[c->client], c->a[!c->client]};

	if (c->translated)
		nat_walk(m, a, &scope, c->l4, true);
	seen[c->client] = a[0];
	seen[!c->client] = a[1];
}

static void nat_unlink(struct model *m, uint32_t i)
{
	struct nat *n = &m->nats.v[i];

	if (!n->used)
		return;
	index_del(&m->nat_seen, pair_hash(n->seen, scope_of(n, n->seen), n->l4), i);
	index_del(&m->nat_far, pair_hash(n->far, scope_of(n, n->far), n->l4), i);
	*n = (struct nat){.next = m->nat_free};
	m->nat_free = i;
}

/* Is a connection of it open, which would lose the address that it was called by? */
static bool nat_is_needed(const struct model *m, const struct nat *n)
{
	unsigned end;
	uint32_t id = conn_by_addr(m, &n->far[0], &n->far[1], scope_of(n, n->far), n->l4, &end);

	return id != NONE && !conn_at(m, id)->closed_ns;
}

/* A free place, or that of one of which no connection is open; else of the next best, counted. */
static uint32_t nat_room(struct model *m)
{
	uint32_t i, at = 0;

	if (m->nat_free == NONE && m->nats.n < NATS_MAX)
		return vec_push(&m->nats) ? (uint32_t)(m->nats.n - 1) : NONE;
	for (i = 0; m->nat_free == NONE && i < EVICT_LOOK; i++) {
		at = m->nat_hand++ % NATS_MAX;
		if (!nat_is_needed(m, &m->nats.v[at]))
			nat_unlink(m, at);
	}
	if (m->nat_free == NONE) {
		m->lost_nats++;
		nat_unlink(m, at);
	}
	i = m->nat_free;
	m->nat_free = m->nats.v[i].next;
	return i;
}

static struct nat nat_of(const struct ev_nat *e)
{
	struct nat n = {.netns = e->netns, .l4 = e->l4, .used = true};

	for (int i = 0; i < 2; i++) {
		memcpy(n.seen[i].ip, e->seen[i], 16);
		memcpy(n.far[i].ip, e->far[i], 16);
		n.seen[i].port = e->seen_port[i];
		n.far[i].port = e->far_port[i];
	}
	return n;
}

/* A connection that was filed under what its caller saw before this was known goes where the other end is, or will be. */
static void nat_apply(struct model *m, const struct nat *n)
{
	struct addr to[2] = {n->seen[0], n->seen[1]};
	uint32_t scope = scope_of(n, n->seen), id;
	unsigned end;

	id = conn_by_addr(m, &n->far[0], &n->far[1], scope_of(n, n->far), n->l4, &end);
	if (id != NONE) {
		conn_at(m, id)->translated = true;
		conn_at(m, id)->edge_gen = m->gen - 1;
	}
	id = conn_by_addr(m, &n->seen[0], &n->seen[1], scope, n->l4, &end);
	if (id == NONE || conn_at(m, id)->closed_ns || !nat_follow(m, to, &scope, n->l4))
		return;
	conn_move(m, id, end, to, scope);
}

/* The end of the one before was not told of: what has been filed behind it meanwhile is of this one. */
static void nat_outdated(struct model *m, const struct nat *old, const struct nat *n)
{
	struct addr to[2] = {n->far[0], n->far[1]};
	uint32_t scope = scope_of(n, n->far), id;
	unsigned end;

	id = conn_by_addr(m, &old->far[0], &old->far[1], scope_of(old, old->far), old->l4, &end);
	if (id == NONE || conn_at(m, id)->closed_ns)
		return;
	nat_follow(m, to, &scope, n->l4);
	conn_move(m, id, end, to, scope);
}

static void nat_put(struct model *m, const struct nat *n)
{
	uint32_t i = nat_room(m);

	if (i == NONE)
		return;
	m->nats.v[i] = *n;
	if (!index_put(&m->nat_seen, pair_hash(n->seen, scope_of(n, n->seen), n->l4), i) ||
	    !index_put(&m->nat_far, pair_hash(n->far, scope_of(n, n->far), n->l4), i)) {
		nat_unlink(m, i);
		m->lost_nats++;
		return;
	}
	nat_apply(m, n);
}

/* Either side of it is of one connection at a time. */
static void nat_begin(struct model *m, const struct nat *n)
{
	struct nat *old = nat_find(m, n->seen, scope_of(n, n->seen), n->l4, false), *same, was = {0};

	if (old) {
		was = *old;
		nat_unlink(m, (uint32_t)(old - m->nats.v));
	}
	same = nat_find(m, n->far, scope_of(n, n->far), n->l4, true);
	if (same)
		nat_unlink(m, (uint32_t)(same - m->nats.v));
	nat_put(m, n);
	if (was.used && !same_pair(was.far, n->far))
		nat_outdated(m, &was, n);
}

/* What is forgotten early (tables flushed under open connections) is kept as long as it is shown. */
static void nat_end(struct model *m, const struct nat *n)
{
	struct nat *there = nat_find(m, n->seen, scope_of(n, n->seen), n->l4, false);

	if (there && !nat_is_needed(m, there))
		nat_unlink(m, (uint32_t)(there - m->nats.v));
}

void nat_event(struct model *m, const struct ev_nat *e)
{
	struct nat n = nat_of(e);

	if (e->what == NAT_BEGIN)
		nat_begin(m, &n);
	else
		nat_end(m, &n);
}

void nats_done(struct model *m)
{
	vec_done(&m->nats);
	index_done(&m->nat_seen);
	index_done(&m->nat_far);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of connections: chunks that never move, found by the pair of addresses. */
#include "collect/capture_private.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 256u
#define EVICT_LOOK 64                   /* candidates looked at: the longest idle one of them goes */

struct capture_conn *capture_conn_at(const struct capture *c, uint32_t id)
{
	return &c->chunk[id / CHUNK][id % CHUNK];
}

uint32_t capture_conn_find(const struct capture *c, const struct capture_key *key)
{
	const uint32_t *id = map_get(&c->conns, key);

	return id ? *id : CAPTURE_NONE;
}

static void closed_add(struct capture *c, uint32_t id)
{
	struct capture_conn *x = capture_conn_at(c, id);

	x->next = CAPTURE_NONE;
	x->prev = c->closed_tail;
	if (c->closed_tail != CAPTURE_NONE)
		capture_conn_at(c, c->closed_tail)->next = id;
	else
		c->closed_head = id;
	c->closed_tail = id;
}

static void closed_remove(struct capture *c, uint32_t id)
{
	struct capture_conn *x = capture_conn_at(c, id);

	if (x->prev != CAPTURE_NONE)
		capture_conn_at(c, x->prev)->next = x->next;
	else
		c->closed_head = x->next;
	if (x->next != CAPTURE_NONE)
		capture_conn_at(c, x->next)->prev = x->prev;
	else
		c->closed_tail = x->prev;
}

void capture_conn_closed(struct capture *c, uint32_t id)
{
	struct capture_conn *x = capture_conn_at(c, id);

	if (x->closed)
		return;
	x->closed = true;
	closed_add(c, id);
}

void capture_conn_forget(struct capture *c, uint32_t id)
{
	struct capture_conn *x = capture_conn_at(c, id);
	bool touched = x->touched;

	if (x->closed)
		closed_remove(c, id);
	map_del(&c->conns, &x->key);
	*x = (struct capture_conn){.next = c->free, .touched = touched};
	c->free = id;
	c->nconns--;
}

/* The one that was closed first; else about the one that is idle for the longest time. */
static void make_room(struct capture *c, uint64_t ts_ns)
{
	uint32_t best = c->closed_head;

	for (int i = 0; i < EVICT_LOOK && c->closed_head == CAPTURE_NONE; i++) {
		uint32_t id = c->hand++ % c->high;

		if (best == CAPTURE_NONE || capture_conn_at(c, id)->last_ns < capture_conn_at(c, best)->last_ns)
			best = id;
	}
	if (!capture_conn_at(c, best)->closed) {
		c->n.forgotten++;
		capture_tell(c, capture_conn_at(c, best), 0, CONN_CLOSE, ts_ns);
	}
	capture_conn_forget(c, best);
}

static uint32_t number_new(struct capture *c)
{
	uint32_t id = c->free;

	if (id != CAPTURE_NONE) {
		c->free = capture_conn_at(c, id)->next;
		return id;
	}
	if (c->high % CHUNK == 0) {
		c->chunk[c->high / CHUNK] = calloc(CHUNK, sizeof(struct capture_conn));
		if (!c->chunk[c->high / CHUNK])
			return CAPTURE_NONE;
	}
	return c->high++;
}

uint32_t capture_conn_new(struct capture *c, const struct capture_key *key, uint64_t ts_ns)
{
	struct capture_conn *x;
	uint32_t id, *slot;

	if (!c->chunk)
		c->chunk = calloc(CAPTURE_CONNECTIONS / CHUNK, sizeof(struct capture_conn *));
	if (!c->chunk)
		return CAPTURE_NONE;
	if (c->nconns >= CAPTURE_CONNECTIONS)
		make_room(c, ts_ns);
	slot = map_put(&c->conns, key, NULL);
	id = slot ? number_new(c) : CAPTURE_NONE;
	if (id == CAPTURE_NONE) {
		if (slot)
			map_del(&c->conns, key);
		return CAPTURE_NONE;
	}
	*slot = id;
	x = capture_conn_at(c, id);
	*x = (struct capture_conn){.key = *key, .used = true, .touched = x->touched, .last_ns = ts_ns};
	/* whose it is can be told from it */
	x->first_cookie = (++c->serial * CAPTURE_CONNECTIONS + id) * 2;
	c->nconns++;
	return id;
}

void capture_table_done(struct capture *c)
{
	for (uint32_t i = 0; c->chunk && i < CAPTURE_CONNECTIONS / CHUNK; i++)
		free(c->chunk[i]);
	free(c->chunk);
	map_done(&c->conns);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/pairing.h"
#include "proto/stream.h"

#include <string.h>

/* As many as a pipeline may run ahead by: two megabytes of one connection. */
#define WAITING_MAX 16384
#define RING_REUSE 256     /* a longer ring is not kept once nothing waits */
#define OP_REUSE 256       /* longer buffers are not kept by an idle slot */

struct waiting *pairing_at(const struct pairing *q, uint32_t i)
{
	return &q->ring[(q->head + i) & (q->cap - 1)];
}

static bool pairing_grow(struct pairing *q, struct flow_pool *p)
{
	uint32_t cap = q->cap ? q->cap * 2 : 2, i;
	struct waiting *ring;

	if (cap > WAITING_MAX)
		return false;
	ring = pool_realloc(p, NULL, 0, cap * sizeof(*ring));
	if (!ring)
		return false;
	memset(ring, 0, cap * sizeof(*ring));
	for (i = 0; i < q->n; i++)
		ring[i] = *pairing_at(q, i);
	pool_realloc(p, q->ring, q->cap * sizeof(*ring), 0);
	q->ring = ring;
	q->cap = cap;
	q->head = 0;
	return true;
}

static bool op_fit(struct waiting *w, struct flow_pool *p, size_t n)
{
	size_t cap = n <= 32 ? 32 : n;
	char *op;

	if (w->op_cap >= n && (w->op_cap <= OP_REUSE || n > OP_REUSE))
		return true;
	op = pool_realloc(p, w->op, w->op_cap, cap);
	if (!op)
		return false;
	w->op = op;
	w->op_cap = (uint32_t)cap;
	return true;
}

struct waiting *pairing_push(struct pairing *q, struct flow_pool *p, const struct proto_request *r)
{
	struct waiting *w;

	if (!q->n && q->cap > RING_REUSE)
		pairing_done(q, p);
	if (q->n == q->cap && !pairing_grow(q, p))
		return NULL;
	w = &q->ring[(q->head + q->n) & (q->cap - 1)];
	w->marker = !r->op;
	if (r->op) {
		if (!op_fit(w, p, r->op_len + 1))
			return NULL;
		memcpy(w->op, r->op, r->op_len);
		w->op[r->op_len] = '\0';
	}
	w->id = r->id;
	w->begin_ns = r->begin_ns;
	w->sent_ns = r->end_ns;
	w->bytes = r->bytes;
	w->proto = r->proto;
	w->tag = r->tag;
	w->chained = r->chained;
	w->waits = r->waits;
	w->has_ids = r->ids && trace_ids_any(r->ids);
	if (w->has_ids)
		w->ids = *r->ids;
	w->served = false;
	w->tid = w->begin_seq = w->end_seq = 0;
	q->n++;
	return w;
}

struct waiting *pairing_take(struct pairing *q, uint32_t i)
{
	struct waiting w;

	if (i) {
		w = *pairing_at(q, i);
		for (; i > 0; i--)
			*pairing_at(q, i) = *pairing_at(q, i - 1);
		*pairing_at(q, 0) = w;
	}
	q->head = (q->head + 1) & (q->cap - 1);
	q->n--;
	return pairing_at(q, q->cap - 1);
}

uint32_t pairing_newest(const struct pairing *q, uint32_t n)
{
	uint32_t i = n ? n - 1 : 0;

	while (i && pairing_at(q, i - 1)->chained)
		i--;
	return i;
}

void pairing_done(struct pairing *q, struct flow_pool *p)
{
	uint32_t i;

	for (i = 0; i < q->cap; i++)
		pool_realloc(p, q->ring[i].op, q->ring[i].op_cap, 0);
	pool_realloc(p, q->ring, q->cap * sizeof(*q->ring), 0);
	memset(q, 0, sizeof(*q));
}

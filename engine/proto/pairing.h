/* SPDX-License-Identifier: BSD-2-Clause */
/* pairing: the requests of a flow that wait for their responses, oldest first. */
#ifndef ROOTLE_PROTO_PAIRING_H
#define ROOTLE_PROTO_PAIRING_H

#include "proto/flow.h"

struct waiting {
	char *op;                  /* NULL-terminated copy; kept for reuse by the slot */
	uint32_t op_cap;
	uint32_t tid;
	uint32_t begin_seq, end_seq;    /* of the segments of its first and last byte */
	uint64_t id, begin_ns, sent_ns, bytes;
	enum proto_id proto;       /* PROTO_UNKNOWN: the connection's */
	uint8_t tag;
	bool chained;
	bool waits;
	bool served;
	bool marker;               /* takes its place, is never reported */
	bool has_ids;
	struct trace_ids ids;      /* where has_ids says so */
};

struct pairing {
	struct waiting *ring;      /* cap slots */
	uint32_t head, n, cap;     /* cap: 0 or a power of two */
};

/* Queues a request. NULL past the bound or out of memory. */
struct waiting *pairing_push(struct pairing *q, struct flow_pool *p, const struct proto_request *r);
/* The i-th oldest, i < q->n. */
struct waiting *pairing_at(const struct pairing *q, uint32_t i);
/* Takes the i-th oldest out. Its struct and op stay readable until the next pairing_push(). */
struct waiting *pairing_take(struct pairing *q, uint32_t i);
/* Of the n oldest, the index of the first of the newest group of chained requests; 0 when there is but one group. */
uint32_t pairing_newest(const struct pairing *q, uint32_t n);
void pairing_done(struct pairing *q, struct flow_pool *p);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Finished requests → rows of (edge, operation). */
#include "model/internal.h"

#include <stdio.h>
#include <stdlib.h>

#define OP_OTHER 0

static bool is_error(const struct request *r)
{
	return outcome_is_error(proto_by_id(r->proto), r->error, r->status);
}

static uint32_t op_number(struct model *m, const char *op)
{
	size_t n = strlen(op);
	uint32_t id = intern_find(&m->ops, op, n);

	if (id != INTERN_NONE)
		return id;
	if (m->ops_bytes + n <= OPS_BYTES_MAX)
		id = intern_put(&m->ops, op, n);
	if (id == INTERN_NONE) {
		m->lost_ops++;
		return OP_OTHER;
	}
	m->ops_bytes += n;
	return id;
}

/* That a name does not exist is no error, but who asks for it wants to see it: an operation of its own. */
static uint32_t request_op(struct model *m, const struct request *r)
{
	char text[512];

	if (r->proto != PROTO_DNS || r->error != REQ_OK || !r->status)
		return op_number(m, r->op);
	snprintf(text, sizeof(text), "%s %s", r->op, r->detail ? r->detail : "");
	return op_number(m, text);
}

static struct agg *agg_get(struct model *m, uint32_t id, uint32_t op, bool held)
{
	struct agg_key k = {.id = id, .op = op, .held = held};
	struct agg *a = map_get(&m->aggs, &k);

	if (a)
		return a;
	if (m->aggs.n >= ROWS_MAX && op != OP_OTHER) {
		m->lost_rows++;
		return agg_get(m, id, OP_OTHER, held);
	}
	a = map_put(&m->aggs, &k, NULL);
	if (a && held)
		conn_at(m, id)->held++;
	return a;
}

/* The times and the end of a request. False: no memory. */
static bool agg_time(struct agg *a, const struct request *r, uint64_t weight)
{
	uint64_t latency = r->end_ns > r->begin_ns ? r->end_ns - r->begin_ns : 0;

	if (outcome_is_told(r) && outcome_add(&a->outcomes, r, weight) < 0)
		return false;
	if (r->no_latency) {
		a->waits += weight;
		return true;
	}
	if (hist_add(&a->hist, latency, weight) < 0)
		return false;
	a->sum_ns += latency * weight;
	if (r->first_ns >= r->begin_ns) {
		a->begun += weight;
		a->first_ns += (r->first_ns - r->begin_ns) * weight;
	}
	return true;
}

static bool agg_is_slowest(struct agg *a, const struct request *r)
{
	if (r->no_latency || r->end_ns - r->begin_ns <= a->slowest_ns)
		return false;
	a->slowest_ns = r->end_ns - r->begin_ns;
	return true;
}

void request_done(void *arg, struct flow *f, const struct request *r)
{
	struct model *m = arg;
	uint32_t id = (uint32_t)(uintptr_t)flow_user(f), edge, op;
	struct agg *a;
	uint64_t weight = weight_of(conn_at(m, id), r->begin_ns);

	conn_ask_flow(m, id);
	trace_answered(m, id, r);
	edge = conn_edge(m, id, false);
	if (edge != NONE)
		edge_set_proto(m, edge, r->proto);
	op = request_op(m, r);
	a = agg_get(m, edge != NONE ? edge : id, op, edge == NONE);
	if (!a || !agg_time(a, r, weight)) {
		m->lost_rows++;
		return;
	}
	a->count += weight;
	a->errors += is_error(r) * weight;
	a->bytes_request += r->bytes_request * weight;
	a->bytes_response += r->bytes_response * weight;
	a->rows += r->rows * weight;
	whole_request(m, id, op, trace_request(m, id, r, edge, op, is_error(r), agg_is_slowest(a, r)), f, r);
}

struct timing *request_timing(struct model *m, uint32_t conn, uint32_t op, bool final)
{
	uint32_t edge = conn_edge(m, conn, final);
	struct agg *a = edge != NONE || !final ? agg_get(m, edge != NONE ? edge : conn, op, edge == NONE) : NULL;

	/* sums of its own: shares need no weight */
	return a ? &a->timing : NULL;
}

struct timing *request_timing_of(struct model *m, uint32_t edge, uint32_t op)
{
	struct agg *a = agg_get(m, edge, op, false);

	return a ? &a->timing : NULL;
}

static void merge(struct model *m, struct agg *into, struct agg *from)
{
	if (hist_merge(&into->hist, &from->hist) < 0 || outcomes_merge(&into->outcomes, &from->outcomes) < 0)
		m->lost_rows++;
	into->count += from->count;
	into->errors += from->errors;
	into->sum_ns += from->sum_ns;
	into->bytes_request += from->bytes_request;
	into->bytes_response += from->bytes_response;
	into->rows += from->rows;
	into->waits += from->waits;
	into->begun += from->begun;
	into->first_ns += from->first_ns;
	timing_merge(&into->timing, &from->timing);
}

/* The map changes while rows move: first look, then move. */
void requests_settle(struct model *m)
{
	VEC(struct agg_key) held = {0};
	const void *key;
	size_t it = 0, i;

	while (map_next(&m->aggs, &it, &key, NULL)) {
		const struct agg_key *k = key;
		struct agg_key *slot = k->held ? vec_push(&held) : NULL;

		if (slot)
			*slot = *k;
	}
	for (i = 0; i < held.n; i++) {
		const struct agg_key *k = &held.v[i];
		struct agg from = *(struct agg *)map_get(&m->aggs, k), *into;
		uint32_t edge = conn_edge(m, k->id, true);

		conn_at(m, k->id)->held--;
		map_del(&m->aggs, k);
		into = edge != NONE ? agg_get(m, edge, k->op, false) : NULL;
		if (into)
			merge(m, into, &from);
		else
			m->lost_rows += from.count;
		hist_done(&from.hist);
		outcomes_done(&from.outcomes);
	}
	vec_done(&held);
}

void requests_commit(struct model *m)
{
	size_t it = 0;
	void *value;

	while (map_next(&m->aggs, &it, NULL, &value))
		outcomes_done(&((struct agg *)value)->outcomes);
	map_reset(&m->aggs);
}

void requests_done(struct model *m)
{
	size_t it = 0;
	void *value;

	while (map_next(&m->aggs, &it, NULL, &value))
		hist_done(&((struct agg *)value)->hist);
	requests_commit(m);
	map_done(&m->aggs);
	intern_done(&m->ops);
}

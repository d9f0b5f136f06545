/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/trace_carrier.h"

#include "model/internal.h"
#include "model/trace.h"
#include "model/trace_evidence.h"

#define PROBES 32u
#define IDS 3

/* What is asked of: ids as they came, not whom they name as their parent. */
static void ids_of(const struct hop *h, uint64_t id[IDS])
{
	id[0] = h->ids.span;
	id[1] = h->ids.trace;
	id[2] = h->ids.request;
}

static uint64_t hash_of(uint64_t id, uint32_t pid)
{
	return (id ^ pid) * 0x9e3779b97f4a7c15ull;
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)hash & 0x7fffffff;
}

static bool is_of(const struct trace *t, const struct carrier *x, uint64_t id, uint32_t pid)
{
	const struct hop *h = trace_hop_at(t, x->hop);
	uint64_t ids[IDS];

	if (!h || h->callee != pid)
		return false;
	ids_of(h, ids);
	return ids[0] == id || ids[1] == id || ids[2] == id;
}

static struct carrier *find(struct trace *t, uint64_t id, uint32_t pid)
{
	uint64_t hash = hash_of(id, pid);

	for (uint32_t n = 0; n < PROBES; n++) {
		struct carrier *x = &t->carriers.v[((hash >> 48) + n) % CARRIERS];

		if (x->tag == tag_of(hash) && is_of(t, x, id, pid))
			return x;
	}
	return NULL;
}

/* A place whose hop has left the ring is free. */
static struct carrier *place(struct trace *t, uint64_t hash)
{
	for (uint32_t n = 0; n < PROBES; n++) {
		struct carrier *x = &t->carriers.v[((hash >> 48) + n) % CARRIERS];

		if (!trace_hop_at(t, x->hop))
			return x;
	}
	t->carriers.lost++;
	return NULL;
}

static void note(struct trace *t, uint64_t id, uint32_t pid, uint32_t hop)
{
	uint64_t hash = hash_of(id, pid);
	struct carrier *x = find(t, id, pid);
	bool several = x && (x->several || x->hop != hop);

	if (!x)
		x = place(t, hash);
	if (x)
		*x = (struct carrier){.hop = hop, .tag = tag_of(hash), .several = several};
}

void carriers_note(struct trace *t, uint32_t hop)
{
	const struct hop *h = trace_hop_at(t, hop);
	uint64_t id[IDS];

	if (!h->read || !h->callee)
		return;
	ids_of(h, id);
	for (unsigned i = 0; i < IDS; i++)
		if (id[i])
			note(t, id[i], h->callee, hop);
}

uint32_t carriers_cause(struct trace *t, const struct hop *call)
{
	const uint64_t asked[] = {call->ids.parent, call->ids.span, call->ids.trace, call->ids.request};
	const struct act *w = trace_act_at(t, call->asked);

	for (unsigned i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		const struct carrier *x = asked[i] ? find(t, asked[i], w->pid) : NULL;

		if (x && !x->several && trace_is_cause(t, x->hop, call))
			return x->hop;
	}
	return 0;
}

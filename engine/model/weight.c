/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the budget leaves connections out (bpf/sample.h), a request on one that is read counts for as many as it stands for.
 * Bytes and the life of connections are told of all of them: those are not weighted.
 */
#include "model/internal.h"

#include "bpf/sample.h"

static uint32_t fold(const uint8_t ip[16])
{
	uint32_t a = 0;

	for (int i = 0; i < 16; i++)
		a ^= (uint32_t)ip[i] << (24 - i % 4 * 8);
	return a;
}

/* As the kernel side decides, by the addresses that the socket has. Where a translated connection has both sockets here, by those of the
 * called one alone. Datagrams are never left out. */
static bool is_taken(const struct model *m, const struct conn *c, unsigned shift)
{
	struct addr a[2] = {c->a[0], c->a[1]};

	if (c->l4 == L4_UDP)
		return true;
	if (c->translated && !c->end[!c->client].cookie)
		conn_seen(m, c, a);
	return sample_takes(sample_pair(fold(a[0].ip), fold(a[1].ip), a[0].port, a[1].port), shift);
}

bool conn_is_read(const struct model *m, const struct conn *c)
{
	return !m->shift || is_taken(m, c, m->shift);
}

void weight_seen(struct model *m, struct conn *c, unsigned shift, uint64_t ts_ns)
{
	if (shift > m->tick_shift)
		m->tick_shift = (uint8_t)shift;
	if (shift == c->shift)
		return;
	c->shift_before = c->shift;
	c->shift = (uint8_t)shift;
	c->shift_ns = ts_ns;
}

uint64_t weight_of(const struct conn *c, uint64_t begin_ns)
{
	bool changed = begin_ns < c->shift_ns && c->shift_before > c->shift;

	return 1ull << (changed ? c->shift_before : c->shift);
}

/* Its requests in flight are not lost: those of the connections that are still read stand for them. */
static void leave_out(struct model *m, uint32_t id)
{
	struct conn *c = conn_at(m, id);
	uint64_t lost = m->pool.lost_requests;

	/* what the flow knew of the roles is not guessed anew */
	conn_ask_flow(m, id);
	c->sure |= flow_proto(c->flow) != PROTO_UNKNOWN;
	flow_free(c->flow);
	flow_free(c->plain);
	c->flow = c->plain = NULL;
	m->pool.lost_requests = lost;
}

void model_sampling(struct model *m, unsigned shift, bool reads)
{
	unsigned before = m->shift;

	for (uint32_t id = 0; id < m->conn_high; id++) {
		struct conn *c = conn_at(m, id);

		bool tcp = c->l4 == L4_TCP;

		if (!c->used)
			continue;
		if ((tcp && !(reads && m->reads)) || !is_taken(m, c, before))
			c->joined = true;
		if (c->flow && ((tcp && !reads) || !is_taken(m, c, shift)))
			leave_out(m, id);
	}
	m->shift = (uint8_t)shift;
	m->reads = reads;
	if (shift > m->tick_shift)
		m->tick_shift = (uint8_t)shift;
	m->tick_blind |= !reads;
}

uint32_t weight_of_tick(const struct model *m)
{
	return m->tick_blind ? 0 : 1u << m->tick_shift;
}

void weight_commit(struct model *m)
{
	m->tick_shift = m->shift;
	m->tick_blind = !m->reads;
}

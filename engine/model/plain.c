/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plaintext of TLS libraries → the requests of its connection.  It has a flow of its own beside that of the encrypted bytes,
 * which goes on following the handshake and counting.  Where both ends are of this node and both libraries are looked at, the
 * same bytes come twice: one end is believed, for as long as the connection lasts.
 */
#include "model/internal.h"

static bool plain_begin(struct model *m, uint32_t id, unsigned end)
{
	struct conn *c = conn_at(m, id);

	if (c->closed_ns || (!c->flow && !conn_flow_begin(m, id)))
		return false;
	c->plain = flow_new(&m->pool, c->a[!c->flow_client].port, !c->fresh || c->joined);
	if (!c->plain) {
		m->lost_flows++;
		return false;
	}
	c->plain_end = (uint8_t)end;
	flow_set_user(c->plain, (void *)(uintptr_t)id);
	return true;
}

void plain_data(struct model *m, const struct ev_data *e)
{
	unsigned end, sender;
	uint32_t id = conn_of_data(m, e->cookie, &end);
	struct segment s;
	struct conn *c;

	if (id == NONE)
		return;
	c = conn_at(m, id);
	if (!c->end[end].owner)
		conn_set_owner(m, c, end, e->tgid);
	conn_touch(m, id);
	if (!conn_is_read(m, c) || (c->plain ? end != c->plain_end : !plain_begin(m, id, end)))
		return;
	weight_seen(m, c, m->shift, e->h.ts_ns);
	sender = e->dir == DIR_OUT ? end : !end;
	s = segment_of_data(e, sender == c->flow_client ? FROM_CLIENT : FROM_SERVER);
	flow_segment(c->plain, &s);
}

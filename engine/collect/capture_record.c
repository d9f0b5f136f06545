/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of an end of a connection → records. */
#include "collect/capture_private.h"

#include <string.h>

#define PIECE_MAX 32768u                /* of a segment that is too large for one record */

static uint32_t sum_known(uint32_t a, uint32_t b)
{
	return a + b < a ? UINT32_MAX : a + b;
}

static uint8_t role_of(const struct capture_conn *x, unsigned end)
{
	if (!x->known)
		return ROLE_UNKNOWN;
	return x->client == end ? ROLE_CLIENT : ROLE_SERVER;
}

void capture_tell(struct capture *c, const struct capture_conn *x, unsigned end, uint8_t what, uint64_t ts_ns)
{
	const struct capture_place *l = &x->key.end[end], *r = &x->key.end[!end];
	struct ev_conn e = {
		.h = {.ts_ns = ts_ns, .size = sizeof(e), .type = EV_CONN},
		.cookie = x->first_cookie + end, .lport = l->port, .rport = r->port, .what = what, .role = role_of(x, end),
		.family = x->v6 ? 6 : 4, .retrans = x->half[end].retrans, .l4 = L4_TCP,
		.srtt_us = sum_known(x->half[0].srtt_us, x->half[1].srtt_us),
		.min_rtt_us = sum_known(x->half[0].min_rtt_us, x->half[1].min_rtt_us),
	};

	memcpy(e.laddr, l->ip, 16);
	memcpy(e.raddr, r->ip, 16);
	c->fn(c->arg, &e.h);
}

static void tell_piece(struct capture *c, struct ev_data *d, const uint8_t *payload, uint32_t cap)
{
	d->head = (uint16_t)cap;
	d->flags = (uint8_t)((d->flags & ~DATA_CUT) | (cap < d->len ? DATA_CUT : 0));
	d->h.size = (uint32_t)(sizeof(*d) + cap);
	if (cap)
		memcpy(d->payload, payload, cap);
	c->fn(c->arg, &d->h);
}

/* seq: of the first byte of payload. What came in one segment comes in one record, unless it is too large for that. */
void capture_tell_data(struct capture *c, const struct capture_conn *x, unsigned end, const struct capture_packet *p, uint32_t seq,
		       uint64_t ts_ns)
{
	uint32_t most = p->len > UINT16_MAX ? PIECE_MAX : UINT16_MAX, cap = x->half[end].deaf ? 0 : p->cap, left = p->len;
	struct ev_data *d = (struct ev_data *)c->record;
	const uint8_t *from = p->payload;

	memset(d, 0, sizeof(*d));
	d->h = (struct ev_hdr){.ts_ns = ts_ns, .type = EV_DATA};
	d->cookie = x->first_cookie + end;
	d->seq = seq;
	d->dir = DIR_OUT;
	while (left) {
		uint32_t n = cap < most ? cap : most;

		/* nothing of the rest was captured: one record says so */
		d->len = cap && left > most ? most : left;
		left -= d->len;
		d->flags = !left && p->flags & TCP_FIN ? DATA_FIN : 0;
		tell_piece(c, d, from, n);
		d->seq += d->len;
		from += n;
		cap -= n;
	}
}

void capture_tell_health(struct capture *c, const struct capture_conn *x, unsigned end, uint64_t ts_ns)
{
	const struct zero_window *own = &x->half[end].window, *peer = &x->half[!end].window;
	struct ev_health e = {
		.h = {.ts_ns = ts_ns, .size = sizeof(e), .type = EV_HEALTH},
		.cookie = x->first_cookie + end, .what = HEALTH_SOCKET,
		.srtt_us = sum_known(x->half[0].srtt_us, x->half[1].srtt_us),
		.min_rtt_us = sum_known(x->half[0].min_rtt_us, x->half[1].min_rtt_us),
		.zero_since_ns = {own->since_ns, peer->since_ns}, .zero_ns = {own->total_ns, peer->total_ns},
		.zero_windows = {own->count, peer->count},
	};

	c->fn(c->arg, &e.h);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments → the life of their connection. */
#include "collect/capture_private.h"

#include <string.h>

#include "base/clock.h"

#define OVERTAKEN_NS (3 * NS_PER_MS)    /* where no round trip is known: what Wireshark takes too */
#define JUMP_MAX (16 << 20)             /* a larger step is not lost packets but another connection's number */
#define LATE_NS (150 * NS_PER_MS)       /* what was overtaken by the end; the model waits a little longer than that */
#define REST_NS NS_PER_S                /* then payload between the same ports is another connection's */
#define UNANSWERED_NS (3 * NS_PER_S)    /* a SYN is sent again after 1 s, then after twice that each time */
#define UNANSWERED_MAX 5

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static void touch(struct capture *c, uint32_t id)
{
	struct capture_conn *x = capture_conn_at(c, id);
	uint32_t *slot = x->touched ? NULL : vec_push(&c->touched);

	if (!slot)
		return;
	*slot = id;
	x->touched = true;
}

static void set_client(struct capture *c, struct capture_conn *x, unsigned end)
{
	x->client = (uint8_t)end;
	x->known = true;
	map_put(&c->served, &x->key.end[!end], NULL);
}

/* ---- round trips ---- */

/* RFC 6298: 1/8 of the new one. Between the place of the capture and the other end, so that the two halves add up. */
static void rtt_take(struct half *h, uint64_t ns)
{
	uint32_t us = ns / 1000 < UINT32_MAX / 16 ? (uint32_t)(ns / 1000) : UINT32_MAX / 16;

	us += !us;
	h->srtt_us = h->srtt_us ? (h->srtt_us * 7 + us) / 8 : us;
	h->srtt_us += !h->srtt_us;
	if (!h->min_rtt_us || us < h->min_rtt_us)
		h->min_rtt_us = us;
}

static void rtt_wait(struct half *h, uint32_t end, uint64_t ts_ns)
{
	if (h->rtt_ns)
		return;
	h->rtt_ns = ts_ns;
	h->rtt_seq = end;
}

/* An acknowledgement of what h has sent. */
static void rtt_acked(struct half *h, uint32_t ack, uint64_t ts_ns)
{
	if (!h->rtt_ns || before(ack, h->rtt_seq))
		return;
	if (ts_ns >= h->rtt_ns)
		rtt_take(h, ts_ns - h->rtt_ns);
	h->rtt_ns = 0;
}

/* ---- beginnings ---- */

static uint32_t conn_begin(struct capture *c, const struct capture_packet *p, const struct capture_key *key, uint64_t ts_ns)
{
	uint32_t id = capture_conn_new(c, key, ts_ns);

	if (id != CAPTURE_NONE)
		capture_conn_at(c, id)->v6 = memcmp(p->saddr, "\0\0\0\0\0\0\0\0\0\0\377\377", 12) != 0;
	else
		c->n.forgotten++;
	return id;
}

static void conn_end(struct capture *c, uint32_t id, uint64_t ts_ns)
{
	struct capture_conn *x = capture_conn_at(c, id);

	if (x->closed)
		return;
	capture_tell(c, x, x->client, CONN_CLOSE, ts_ns);
	x->closed_ns = ts_ns;
	capture_conn_closed(c, id);
}

static void half_begin(struct half *h, uint32_t seq, uint64_t ts_ns)
{
	h->begun = true;
	h->next = seq;
	h->high_ns = ts_ns;
}

/* Ports are used anew: what had them is over, whether or not its end was seen. */
static void take_syn(struct capture *c, uint32_t id, unsigned from, const struct capture_key *key, const struct capture_packet *p,
		     uint64_t ts_ns)
{
	struct capture_conn *x = id == CAPTURE_NONE ? NULL : capture_conn_at(c, id);
	struct half *h;

	if (x && !x->closed && x->half[from].syn && x->half[from].isn == p->seq) {
		x->half[from].retrans++;
		x->half[from].rtt_ns = 0;       /* which of them will be answered is not known */
		capture_tell(c, x, from, CONN_RETRANS, ts_ns);
		return;
	}
	if (x) {
		conn_end(c, id, ts_ns);
		capture_conn_forget(c, id);
	}
	id = conn_begin(c, p, key, ts_ns);
	if (id == CAPTURE_NONE)
		return;
	x = capture_conn_at(c, id);
	h = &x->half[from];
	set_client(c, x, from);
	half_begin(h, p->seq + 1, ts_ns);
	h->syn = true;
	h->isn = p->seq;
	rtt_wait(h, p->seq + 1, ts_ns);
	capture_tell(c, x, from, CONN_CONNECT, ts_ns);
	touch(c, id);
}

static void take_syn_ack(struct capture *c, uint32_t id, unsigned from, const struct capture_key *key, const struct capture_packet *p,
			 uint64_t ts_ns)
{
	struct capture_conn *x = id == CAPTURE_NONE ? NULL : capture_conn_at(c, id);
	struct half *h = x ? &x->half[from] : NULL;

	if (x && !x->closed && h->syn && h->isn == p->seq) {
		h->retrans++;
		h->rtt_ns = 0;
		capture_tell(c, x, from, CONN_RETRANS, ts_ns);
		return;
	}
	if (x && (x->closed || x->established || h->syn)) {
		conn_end(c, id, ts_ns);
		capture_conn_forget(c, id);
		x = NULL;
	}
	if (!x) {
		id = conn_begin(c, p, key, ts_ns);
		if (id == CAPTURE_NONE)
			return;
		x = capture_conn_at(c, id);
		set_client(c, x, !from);
		if (p->ack)             /* 0: of a file that was made of what one side was seen to say */
			half_begin(&x->half[!from], p->ack, ts_ns);
	}
	h = &x->half[from];
	half_begin(h, p->seq + 1, ts_ns);
	h->syn = true;
	h->isn = p->seq;
	rtt_wait(h, p->seq + 1, ts_ns);
	touch(c, id);
}

/* Joined in the middle. */
static uint32_t take_over(struct capture *c, unsigned from, const struct capture_key *key, const struct capture_packet *p,
			  uint64_t ts_ns)
{
	uint32_t id = conn_begin(c, p, key, ts_ns);
	struct capture_conn *x;
	bool served[2];

	if (id == CAPTURE_NONE)
		return id;
	x = capture_conn_at(c, id);
	served[from] = map_get(&c->served, &key->end[from]);
	served[!from] = map_get(&c->served, &key->end[!from]);
	if (served[0] != served[1]) {
		x->client = served[0];
		x->known = true;
	}
	x->established = true;
	capture_tell(c, x, from, CONN_EXISTING, ts_ns);
	capture_tell(c, x, !from, CONN_EXISTING, ts_ns);
	return id;
}

/* The first packet behind the handshake: from then on the client can write, wherever the capture was made. */
static void establish(struct capture *c, struct capture_conn *x, uint64_t ts_ns)
{
	x->established = true;
	capture_tell(c, x, x->client, CONN_ESTABLISHED, ts_ns);
	capture_tell(c, x, !x->client, CONN_ESTABLISHED, ts_ns);
}

/* ---- payload ---- */

static void hole_add(struct half *h, uint32_t from, uint32_t to)
{
	if (h->holes == HOLES_MAX) {
		memmove(h->hole, h->hole + 1, sizeof(h->hole) - sizeof(h->hole[0]));
		h->holes--;
	}
	h->hole[h->holes++] = (struct hole){from, to};
}

/* The bytes [from, to) come now: were all of them missing? They are not any more. */
static bool hole_fill(struct half *h, uint32_t from, uint32_t to)
{
	for (unsigned i = 0; i < h->holes; i++) {
		struct hole *x = &h->hole[i];
		uint32_t end = x->to;

		if (before(from, x->from) || before(x->to, to))
			continue;
		x->to = from;
		if (x->from == x->to) {
			h->holes--;
			memmove(x, x + 1, (h->holes - i) * sizeof(*x));
		}
		if (to != end)
			hole_add(h, to, end);
		return true;
	}
	return false;
}

/* Bytes below the highest seen: sent again, or overtaken by what follows them? */
static bool is_again(const struct capture_conn *x, struct half *h, uint32_t from, uint32_t to, uint64_t ts_ns)
{
	uint64_t rtt = (uint64_t)x->half[0].srtt_us + x->half[1].srtt_us;
	uint64_t patience = x->half[0].srtt_us && x->half[1].srtt_us ? rtt * 1000 : (uint64_t)OVERTAKEN_NS;

	return !hole_fill(h, from, to) || ts_ns > h->high_ns + patience;
}

/* Moves next; says whether the segment was sent before. */
static bool half_take(const struct capture_conn *x, struct half *h, uint32_t seq, uint32_t len, uint64_t ts_ns)
{
	uint32_t end = seq + len;

	if (!h->begun)
		half_begin(h, seq, ts_ns);
	if (before(seq, h->next)) {
		bool again = is_again(x, h, seq, before(end, h->next) ? end : h->next, ts_ns);

		if (again)
			h->rtt_ns = 0;
		if (before(h->next, end)) {
			h->next = end;
			h->high_ns = ts_ns;
		}
		return again;
	}
	if (seq != h->next && seq - h->next < JUMP_MAX)
		hole_add(h, h->next, seq);
	h->next = end;
	h->high_ns = ts_ns;
	rtt_wait(h, end, ts_ns);
	return false;
}

static void take_payload(struct capture *c, struct capture_conn *x, unsigned from, const struct capture_packet *p, uint32_t seq,
			 uint64_t ts_ns)
{
	struct half *h = &x->half[from];

	if (p->len == 1 && h->begun && seq + 1 == h->next && !h->holes)
		return;                         /* keep-alive */
	/* into a closed window the same byte is sent until it opens */
	if (half_take(x, h, seq, p->len, ts_ns) && !x->half[!from].window.since_ns) {
		h->retrans++;
		capture_tell(c, x, from, CONN_RETRANS, ts_ns);
	}
	capture_tell_data(c, x, from, p, seq, ts_ns);
}

/* ---- ends ---- */

static void take_rst(struct capture *c, uint32_t id, unsigned from, uint64_t ts_ns)
{
	struct capture_conn *x = capture_conn_at(c, id);

	if (x->closed)
		return;
	if (!x->established && x->known && from != x->client && !x->half[from].syn)
		capture_tell(c, x, x->client, CONN_REFUSED, ts_ns);
	else
		capture_tell(c, x, from, CONN_RESET_SENT, ts_ns);
	conn_end(c, id, ts_ns);
}

static void take_fin(struct capture *c, uint32_t id, unsigned from, uint64_t ts_ns)
{
	struct capture_conn *x = capture_conn_at(c, id);

	x->half[from].fin = true;
	if (x->half[!from].fin)
		conn_end(c, id, ts_ns);
}

static void take_segment(struct capture *c, uint32_t id, unsigned from, const struct capture_packet *p, uint64_t ts_ns)
{
	struct capture_conn *x = capture_conn_at(c, id);
	bool closed = window_is_closed(p->window, p->flags);

	if (p->flags & TCP_ACK)
		rtt_acked(&x->half[!from], p->ack, ts_ns);
	if (!x->established && !x->closed)
		establish(c, x, ts_ns);
	if (closed || x->half[from].window.since_ns)
		window_note(&x->half[from].window, closed, ts_ns);
	if (p->len)
		take_payload(c, x, from, p, p->seq, ts_ns);
	if (p->flags & TCP_FIN)
		take_fin(c, id, from, ts_ns);
}

/* Another connection between the same ports, whose SYN was not captured. */
static bool is_another(const struct capture_conn *x, unsigned from, const struct capture_packet *p, uint64_t ts_ns)
{
	const struct half *h = &x->half[from];
	int32_t jump = (int32_t)(p->seq - h->next);

	if (x->closed)
		return p->len && ts_ns > x->closed_ns + (uint64_t)REST_NS;
	return h->begun && (jump > JUMP_MAX || jump < -JUMP_MAX);
}

/* Neither SYN nor RST. */
static void take_other(struct capture *c, uint32_t id, unsigned from, const struct capture_key *key, const struct capture_packet *p,
		       uint64_t ts_ns)
{
	if (id != CAPTURE_NONE && is_another(capture_conn_at(c, id), from, p, ts_ns)) {
		conn_end(c, id, ts_ns);
		capture_conn_forget(c, id);
		id = CAPTURE_NONE;
	}
	if (id == CAPTURE_NONE) {
		if (p->flags & TCP_FIN && !p->len)
			return;                         /* its end is all that there is of it */
		id = take_over(c, from, key, p, ts_ns);
		if (id == CAPTURE_NONE)
			return;
	}
	if (capture_conn_at(c, id)->closed && ts_ns > capture_conn_at(c, id)->closed_ns + (uint64_t)LATE_NS)
		return;
	take_segment(c, id, from, p, ts_ns);
	touch(c, id);
}

void capture_tcp(struct capture *c, uint64_t ts_ns, const struct capture_packet *p)
{
	struct capture_key key;
	unsigned from = capture_key_of(p, &key);
	uint32_t id = capture_conn_find(c, &key);

	if (id != CAPTURE_NONE)
		capture_conn_at(c, id)->last_ns = ts_ns;
	if (p->flags & TCP_RST) {
		if (id != CAPTURE_NONE)
			take_rst(c, id, from, ts_ns);
	} else if ((p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		take_syn(c, id, from, &key, p, ts_ns);
		id = capture_conn_find(c, &key);
		if (p->len && id != CAPTURE_NONE)       /* TCP Fast Open (RFC 7413) */
			take_payload(c, capture_conn_at(c, id), from, p, p->seq + 1, ts_ns);
	} else if (p->flags & TCP_SYN) {
		if (id != CAPTURE_NONE)
			rtt_acked(&capture_conn_at(c, id)->half[!from], p->ack, ts_ns);
		take_syn_ack(c, id, from, &key, p, ts_ns);
	} else {
		take_other(c, id, from, &key, p, ts_ns);
	}
}


/* Nobody has answered its SYN, and nobody sends it again. */
static bool is_given_up(const struct capture_conn *x, uint64_t ts_ns)
{
	unsigned tries = x->half[x->client].retrans < UNANSWERED_MAX ? x->half[x->client].retrans : UNANSWERED_MAX;

	return x->known && !x->established && !x->half[!x->client].syn && ts_ns > x->last_ns + ((uint64_t)UNANSWERED_NS << tries);
}

/* What is to be looked at in the next interval too, though no packet may come: a closed window, a SYN without an answer. */
static bool is_pending(const struct capture_conn *x)
{
	return x->half[0].window.since_ns || x->half[1].window.since_ns || !x->established;
}

static bool conn_tick(struct capture *c, uint32_t id, uint64_t ts_ns)
{
	struct capture_conn *x = capture_conn_at(c, id);

	if (!x->used || x->closed)
		return false;
	if (is_given_up(x, ts_ns)) {
		capture_tell(c, x, x->client, CONN_TIMEOUT, ts_ns);
		conn_end(c, id, ts_ns);
		return false;
	}
	capture_tell_health(c, x, x->client, ts_ns);
	if (x->half[!x->client].window.count)
		capture_tell_health(c, x, !x->client, ts_ns);
	return is_pending(x);
}

void capture_tcp_tick(struct capture *c, uint64_t ts_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->touched.n; i++) {
		uint32_t id = c->touched.v[i];

		if (conn_tick(c, id, ts_ns))
			c->touched.v[kept++] = id;
		else
			capture_conn_at(c, id)->touched = false;
	}
	c->touched.n = kept;
}

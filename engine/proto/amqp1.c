/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMQP 1.0 (OASIS Standard, 29 October 2012): a protocol that shares its first four letters with 0-9-1, and nothing else.
 *
 * A message of the client is "SEND address", answered by the disposition that says what became of it, or by nobody where it was sent
 * settled; one of the server is "DELIVER address", told when it has passed.  The address is that of the link's target or source, as the
 * attach has named it.  The other requests are "SASL mechanism", OPEN, BEGIN, "ATTACH address", "DETACH address", END, CLOSE, each
 * answered by its like.  What the server ends by itself with an error is the answer to an attach that waits, or is told.  Of what
 * the client makes of its messages REJECT, RELEASE and MODIFY are told.
 *
 * Joined in the middle, or behind a loss, links have no address, and the server's channels are taken to be the client's.
 * Performatives described by a symbol instead of a number are passed over; so is what is said to be of another version.
 */
#include "proto/amqp1.h"
#include "proto/protocols.h"
#include "proto/wire.h"

#include <string.h>

#define FRAME_HEAD 8
#define FRAME_MAX (64u << 20)      /* what ends agree on is mostly 64 KB to 1 MB */
#define LOOK 1024                  /* as much of a frame is looked at */
#define HEADER 8                   /* "AMQP", protocol, version */

enum { PLAIN_AMQP = 0, OVER_TLS = 2, OVER_SASL = 3 };

static bool is_header(const uint8_t *p)
{
	return !memcmp(p, "AMQP", 4) && !memcmp(p + 5, "\1\0\0", 3) && (p[4] == PLAIN_AMQP || p[4] == OVER_TLS || p[4] == OVER_SASL);
}

/* "AMQP", and what is spoken behind it; the server answers with what it can speak, and closes where the client cannot. */
static ssize_t header_read(struct amqp1 *a, enum proto_dir dir, const uint8_t *p, size_t n)
{
	if (memcmp(p, "AMQP", n < 4 ? n : 4) != 0)
		return PROTO_BAD;
	if (n < HEADER)
		return 0;
	a->opaque = !is_header(p);
	if (!a->opaque && p[4] == OVER_TLS && dir == FROM_SERVER)
		return PROTO_ENCRYPTED;
	return HEADER;
}

/* Is this the head of a frame? Its body begins 4 * doff behind it; those in use have none but the smallest. */
static bool is_frame_head(const uint8_t *p)
{
	return be32(p) >= FRAME_HEAD && be32(p) <= FRAME_MAX && p[4] >= 2 && p[4] * 4u <= be32(p) && p[5] <= 1;
}

/* A frame with a performative, told by thirteen bytes; or an empty one, the heartbeat: 1, 0, -1 more bytes will tell. */
static int is_frame(const uint8_t *p, size_t n)
{
	static const uint8_t heartbeat[] = {0, 0, 0, 8, 2, 0, 0, 0};
	bool sasl;

	if (n < FRAME_HEAD)
		return n && p[0] > 3 ? 0 : -1;
	if (!memcmp(p, heartbeat, sizeof(heartbeat)))
		return 1;
	if (!is_frame_head(p) || p[4] != 2 || be32(p) < FRAME_HEAD + 4)
		return 0;
	if (n < FRAME_HEAD + 4)
		return -1;
	sasl = p[10] >= AMQP1_SASL_MECHANISMS && p[10] <= AMQP1_SASL_OUTCOME;
	return !p[8] && p[9] == 0x53 && (p[5] ? sasl : p[10] >= AMQP1_OPEN && p[10] <= AMQP1_CLOSE) &&
	       (p[11] == 0x45 || p[11] == 0xc0 || p[11] == 0xd0);
}

/* The frame at b->p: 1 read, as far as it is looked at; 0 more bytes will tell; PROTO_BAD. An empty one has a body of null. */
static int frame_read(const struct proto_bytes *b, struct amqp1_frame *f)
{
	size_t want, head;

	if (b->n < FRAME_HEAD)
		return 0;
	if (!is_frame_head(b->p))
		return PROTO_BAD;
	head = b->p[4] * 4u;
	*f = (struct amqp1_frame){.channel = be16(b->p + 6), .size = be32(b->p), .b = b};
	want = f->size < LOOK ? f->size : LOOK;
	if (b->n < want && (!b->cut || b->n <= head))
		return 0;
	if (b->n < want)
		want = b->n;
	if (want < head)
		return PROTO_BAD;
	f->rest = (struct amqp1_cursor){b->p + head, want - head, UINT32_MAX};
	if (f->size == head) {
		f->body = (struct amqp1_value){.code = 0x40};
		return 1;
	}
	return amqp1_next(&f->rest, &f->body) && f->body.described ? 1 : PROTO_BAD;
}

static ssize_t amqp1_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct amqp1 *a = state;
	struct amqp1_frame f;
	int r;

	if (a->passing[dir]) {
		amqp1_passed(a, dir, proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	if (a->opaque)
		return PROTO_OPAQUE;
	if (!b->n)
		return 0;
	if (a->lost[dir]) {
		if (!b->start || (b->p[0] != 'A' && is_frame(b->p, b->n) <= 0))
			return (ssize_t)b->n;
		a->lost[dir] = false;
	}
	if (b->p[0] == 'A')
		return header_read(a, dir, b->p, b->n);
	r = frame_read(b, &f);
	if (r <= 0)
		return r;
	amqp1_read(a, dir, &f, s);
	return (ssize_t)f.size;
}

/* Messages that were open cannot be completed; outcomes go on by their numbers, but what was lost may have been one. */
static ssize_t amqp1_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct amqp1 *a = state;

	a->lost[dir] = true;
	a->passing[dir] = false;
	for (uint32_t i = 0; i < a->link_n; i++)
		if (a->links[i].from == dir)
			a->links[i].open = false;
	if (dir == FROM_SERVER)
		s->resync(s, false);
	return 0;
}

static void amqp1_init(void *state, bool mid)
{
	struct amqp1 *a = state;

	a->lost[0] = a->lost[1] = mid;
}

static void amqp1_done(void *state, struct proto_sink *s)
{
	struct amqp1 *a = state;

	s->realloc(s, a->sessions, a->session_cap * sizeof(*a->sessions), 0);
	s->realloc(s, a->links, a->link_cap * sizeof(*a->links), 0);
}

static int amqp1_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	int r;

	if (n && p[0] == 'A') {
		if (n < HEADER)
			return memcmp(p, "AMQP", n < 4 ? n : 4) ? 0 : -1;
		return is_header(p) ? 100 : 0;
	}
	r = is_frame(p, n);
	return r > 0 ? be32(p) == FRAME_HEAD ? 60 : 85 : r;
}

static const uint16_t amqp1_ports[] = {5672, 0};

const struct proto_ops proto_amqp1 = {
	.id = PROTO_AMQP1,
	.name = "amqp1",
	.ports = amqp1_ports,
	.state_size = sizeof(struct amqp1),
	.state_max = 128 * 1024,
	.duplex = true,
	.whole = true,
	.infer = amqp1_infer,
	.init = amqp1_init,
	.done = amqp1_done,
	.parse = amqp1_parse,
	.gap = amqp1_gap,
};

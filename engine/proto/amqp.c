/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMQP 0-9-1 (https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf) with RabbitMQ's extensions (confirms, cancelled consumers,
 * blocked connections, https://www.rabbitmq.com/docs/extensions).
 *
 * A method that is answered is a request: "Queue.Declare orders".  A publication is "PUBLISH exchange", or "PUBLISH queue" where it
 * goes to the default exchange; on a channel with confirms the server's Ack or Nack answers it, else nobody does.  A message that
 * the server pushes is "DELIVER queue", one that it could not deliver "RETURN exchange"; both are complete when they have passed,
 * what the client says to them (Ack) is not counted but for Reject and Nack.  A Close of the server is the answer to the method
 * that it names, or told by itself.
 *
 * Joined in the middle, it is not known whether publications are confirmed: they are counted without a latency, and deliveries
 * have the name of their exchange, for the names of queues stand in the Consume.  The same after a loss.
 * AMQP 1.0, which begins with the same four letters, is another protocol (amqp1.c).
 */
#include "proto/amqp.h"
#include "proto/protocols.h"
#include "proto/wire.h"

#include <string.h>

#define FRAME_HEAD 7
#define FRAME_END 0xce
#define FRAME_MAX (16u << 20)      /* servers agree on 128 KB */
#define FRAME_LOOK 1024            /* as much of a method, or of the head of a message, is looked at */
#define CONTENT_HEAD 12            /* class, weight, size of the body */
#define CHANNELS_MAX 128
#define BODY_MAX (1ull << 48)

enum { METHOD = 1, HEADER = 2, BODY = 3, HEARTBEAT = 8 };

struct amqp_channel *amqp_channel(struct amqp *a, uint16_t id, struct proto_sink *s)
{
	struct amqp_channel *c;

	for (uint32_t i = 0; i < a->n; i++)
		if (a->channels[i].id == id)
			return &a->channels[i];
	if (a->n == a->cap && a->cap < CHANNELS_MAX) {
		uint32_t cap = a->cap ? a->cap * 2 : 1;

		c = s->realloc(s, a->channels, a->cap * sizeof(*c), cap * sizeof(*c));
		if (c) {
			a->channels = c;
			a->cap = cap;
		}
	}
	if (!a->cap)
		return NULL;
	c = a->n < a->cap ? &a->channels[a->n++] : &a->channels[a->oldest++ % a->n];
	*c = (struct amqp_channel){.id = id};
	return c;
}

static bool is_known(enum proto_dir dir, const uint8_t *p)
{
	const struct amqp_method *m = amqp_method(be32(p));

	return m && m->from & 1 << dir;
}

/* The frame at p: 1 read, with as much of it as is looked at, or the whole where that is less; 0 more bytes will tell; PROTO_BAD. */
static int frame_read(enum proto_dir dir, const uint8_t *p, size_t n, bool cut, struct amqp_frame *f)
{
	uint32_t len;
	size_t want;

	if (n && p[0] != METHOD && p[0] != HEADER && p[0] != BODY && p[0] != HEARTBEAT)
		return PROTO_BAD;
	if (n < FRAME_HEAD)
		return 0;
	len = be32(p + 3);
	*f = (struct amqp_frame){.type = p[0], .channel = be16(p + 1), .size = FRAME_HEAD + (size_t)len + 1, .p = p + FRAME_HEAD};
	if (len > FRAME_MAX || (f->type == METHOD && len < 4) || (f->type == HEADER && len < CONTENT_HEAD + 2) ||
	    (f->type == HEARTBEAT && (len || f->channel)))
		return PROTO_BAD;
	want = f->type == BODY ? FRAME_HEAD : FRAME_HEAD + FRAME_LOOK;
	if (want > f->size)
		want = f->size;
	if (f->type == METHOD && n >= FRAME_HEAD + 4 && !is_known(dir, f->p))
		return PROTO_BAD;
	if (n < want && (!cut || n < FRAME_HEAD + CONTENT_HEAD))
		return 0;
	if (n >= f->size && p[f->size - 1] != FRAME_END)
		return PROTO_BAD;
	f->n = n < f->size ? n - FRAME_HEAD : len;
	return 1;
}

static bool is_protocol_header(const uint8_t *p, size_t n)
{
	return n >= 4 && !memcmp(p, "AMQP", 4);
}

/* "AMQP" 0 0 9 1, or of another version; the server says it too, where it speaks none that the client does, and closes. */
static ssize_t protocol_header(struct amqp *a, enum proto_dir dir, const uint8_t *p, size_t n)
{
	if (n < 8)
		return memcmp(p, "AMQP", n < 4 ? n : 4) ? PROTO_BAD : 0;
	if (!is_protocol_header(p, n))
		return PROTO_BAD;
	if (dir == FROM_SERVER || memcmp(p + 4, "\0\0\x09\x01", 4) != 0)
		a->opaque = true;
	return 8;
}

static ssize_t content_head(struct amqp *a, enum proto_dir dir, const struct amqp_frame *f, const struct proto_bytes *b,
			    struct proto_sink *s)
{
	struct amqp_channel *c = amqp_channel(a, f->channel, s);
	struct amqp_content *x = c ? &c->content[dir] : NULL;
	uint64_t size = be64(f->p + 4);

	if (be16(f->p) != 60 || be16(f->p + 2) || size > BODY_MAX)
		return PROTO_BAD;
	if (!c || !x->method)
		return (ssize_t)f->size;
	amqp_headers_read(&x->ids, f->p + CONTENT_HEAD, f->n - CONTENT_HEAD);
	x->body = true;
	x->left = size;
	x->bytes += f->size;
	a->passing[dir] = true;
	a->passing_id[dir] = f->channel;
	return (ssize_t)f->size;
}

static ssize_t content_body(struct amqp *a, enum proto_dir dir, const struct amqp_frame *f, struct proto_sink *s)
{
	struct amqp_channel *c = amqp_channel(a, f->channel, s);
	struct amqp_content *x = c ? &c->content[dir] : NULL;
	uint64_t len = f->size - FRAME_HEAD - 1;

	if (!c || !x->method)
		return (ssize_t)f->size;
	if (!x->body || len > x->left)
		return PROTO_BAD;
	x->left -= len;
	x->bytes += f->size;
	a->passing[dir] = true;
	a->passing_id[dir] = f->channel;
	return (ssize_t)f->size;
}

/* A frame of a message has passed: was it the last one? */
static void frame_passed(struct amqp *a, enum proto_dir dir, uint64_t end_ns, struct proto_sink *s)
{
	struct amqp_channel *c = amqp_channel(a, a->passing_id[dir], s);

	a->passing[dir] = false;
	if (c && c->content[dir].method && c->content[dir].body && !c->content[dir].left)
		amqp_content_end(c, dir, end_ns, s);
}

/* A lost direction is found again where a segment begins with a frame that shows what it is. */
static bool is_found(enum proto_dir dir, const struct proto_bytes *b)
{
	struct amqp_frame f;

	if (!b->start || frame_read(dir, b->p, b->n, false, &f) <= 0)
		return false;
	if (f.type == HEADER)
		return be16(f.p) == 60 && !be16(f.p + 2) && be64(f.p + 4) <= BODY_MAX;
	return f.type != BODY || f.size <= b->n;
}

static ssize_t amqp_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct amqp *a = state;
	struct amqp_frame f;
	int r;

	if (a->passing[dir]) {
		frame_passed(a, dir, proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	if (a->opaque)
		return PROTO_OPAQUE;
	if (!b->n)
		return 0;
	if (b->p[0] == 'A')
		return a->lost[dir] && !b->start ? (ssize_t)b->n : protocol_header(a, dir, b->p, b->n);
	if (a->lost[dir]) {
		if (!is_found(dir, b))
			return (ssize_t)b->n;
		a->lost[dir] = false;
	}
	r = frame_read(dir, b->p, b->n, b->cut, &f);
	if (r <= 0)
		return r;
	if (f.type == METHOD)
		amqp_method_read(a, dir, &f, b, s);
	if (f.type == HEADER)
		return content_head(a, dir, &f, b, s);
	return f.type == BODY ? content_body(a, dir, &f, s) : (ssize_t)f.size;
}

/* Messages that were open cannot be completed; of those that are confirmed the number is not known any more. */
static ssize_t amqp_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct amqp *a = state;

	a->lost[dir] = true;
	a->passing[dir] = false;
	for (uint32_t i = 0; i < a->n; i++) {
		a->channels[i].content[dir].method = 0;
		a->channels[i].confirms = false;
	}
	s->resync(s, false);
	return 0;
}

static void amqp_init(void *state, bool mid)
{
	struct amqp *a = state;

	a->lost[0] = a->lost[1] = mid;
}

static void amqp_done(void *state, struct proto_sink *s)
{
	struct amqp *a = state;

	s->realloc(s, a->channels, a->cap * sizeof(*a->channels), 0);
	statements_done(&a->consumers, s);
}

/* Eleven bytes of a method's frame, of which seven are what they must be; of a message's body nothing is. */
static int amqp_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	struct amqp_frame f;
	int r;

	if (n && p[0] == 'A') {
		if (n < 8)
			return memcmp(p, "AMQP", n < 4 ? n : 4) ? 0 : -1;
		return is_protocol_header(p, n) && !memcmp(p + 4, "\0\0\x09\x01", 4) ? 100 : 0;
	}
	if (n && p[0] == BODY)
		return 0;
	r = frame_read(dir, p, n, true, &f);
	if (r < 0 || (r > 0 && f.size > 1u << 20))
		return 0;
	if (n >= FRAME_HEAD + 4 && p[0] == METHOD && be32(p + 3) < 1u << 20)
		return 90;
	if (!r)
		return -1;
	if (f.type == HEARTBEAT)
		return n >= 8 ? 70 : -1;
	return be16(f.p) == 60 && !be16(f.p + 2) && be64(f.p + 4) < 1u << 30 ? 80 : 0;
}

static const uint16_t amqp_ports[] = {5672, 0};

const struct proto_ops proto_amqp = {
	.id = PROTO_AMQP,
	.name = "amqp",
	.ports = amqp_ports,
	.state_size = sizeof(struct amqp),
	.state_max = 128 * 1024,
	.duplex = true,
	.whole = true,
	.infer = amqp_infer,
	.init = amqp_init,
	.done = amqp_done,
	.parse = amqp_parse,
	.gap = amqp_gap,
};

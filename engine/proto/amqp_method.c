/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/amqp.h"
#include "proto/normalise.h"
#include "proto/wire.h"

#include <string.h>

/* Ids of requests: of a method, or of a publication by its number. */
#define ID_METHOD(channel, method) ((uint64_t)(channel) << 32 | (method))
#define ID_PUBLISH(channel, number) (1ull << 63 | (uint64_t)(channel) << 47 | ((number) & 0x7fffffffffffull))
#define OUTSTANDING_MAX 16384      /* more do not wait (pairing.c) */

struct text { const uint8_t *p; size_t n; };

/* The short string at *off; past the end: an empty one. */
static struct text text_next(const struct amqp_frame *f, size_t *off)
{
	struct text t = {f->p, 0};

	if (*off >= f->n || f->n - *off - 1 < f->p[*off]) {
		*off = f->n;
		return t;
	}
	t = (struct text){f->p + *off + 1, f->p[*off]};
	*off += 1 + t.n;
	return t;
}

/* "VERB name"; a name that the server made is as good as an identity. */
static size_t op_write(char *op, const char *verb, struct text name, bool raw)
{
	static const char made[] = "amq.gen-", id[] = "{id}";
	size_t n = strlen(verb);

	memcpy(op, verb, n);
	op[n++] = ' ';
	if (!raw && (!name.n || (name.n >= sizeof(made) - 1 && !memcmp(name.p, made, sizeof(made) - 1)))) {
		memcpy(op + n, id, sizeof(id));
		return n + sizeof(id) - 1;
	}
	return n + normalise_name(op + n, AMQP_OP_MAX - n, (const char *)name.p, name.n, raw);
}

static uint64_t consumer_key(uint16_t channel, struct text tag)
{
	char key[2 + 255] = {(char)(channel >> 8), (char)channel};

	if (tag.n)
		memcpy(key + 2, tag.p, tag.n);
	return statement_key(key, 2 + tag.n);
}

static const struct text no_tag = {(const uint8_t *)"", 0};

static void consume(struct amqp *a, const struct amqp_frame *f, struct proto_sink *s)
{
	size_t off = 6;
	struct text queue = text_next(f, &off), tag = text_next(f, &off);
	char op[AMQP_OP_MAX];

	statements_put(&a->consumers, consumer_key(f->channel, tag), op, op_write(op, "DELIVER", queue, s->raw), s);
}

/* The server has made the tag. */
static void consume_ok(struct amqp *a, const struct amqp_frame *f, struct proto_sink *s)
{
	size_t off = 4;
	struct text tag = text_next(f, &off);
	const char *known = statements_get(&a->consumers, consumer_key(f->channel, no_tag));
	char op[AMQP_OP_MAX];
	size_t n;

	if (!known || !tag.n || statements_get(&a->consumers, consumer_key(f->channel, tag)))
		return;
	n = strlen(known);
	memcpy(op, known, n);
	statements_put(&a->consumers, consumer_key(f->channel, tag), op, n, s);
}

static void ask(const struct amqp_method *m, const struct amqp_frame *f, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t off = m->reserved ? 6 : 4;
	char op[AMQP_OP_MAX];
	struct proto_request q = {.id = ID_METHOD(f->channel, m->id), .op = op, .op_len = strlen(m->name),
				  .begin_ns = proto_begin_ns(b), .end_ns = proto_end_ns(b, f->size), .bytes = f->size};

	memcpy(op, m->name, q.op_len);
	for (unsigned i = 1; i <= m->strings; i++) {
		struct text t = text_next(f, &off);

		if (i == m->shown)
			q.op_len = op_write(op, m->name, t, s->raw);
	}
	q.oneway = m->nowait && off < f->n && f->p[off] & m->nowait;
	s->request(s, &q);
}

/* Is a request of this id answered by it? */
static bool answer(uint64_t id, const struct amqp_frame *f, const struct proto_bytes *b, unsigned code, struct proto_sink *s)
{
	struct proto_response r = {.id = id, .begin_ns = proto_begin_ns(b), .end_ns = proto_end_ns(b, f->size), .bytes = f->size};

	if (!s->has(s, id))
		return false;
	r.error = amqp_reply_class(code);
	if (r.error) {
		r.status = (int)code;
		r.detail = amqp_reply_name(code);
	}
	s->response(s, &r);
	return true;
}

/* Something that the other side is told. */
static void tell(const char *op, const struct amqp_frame *f, const struct proto_bytes *b, enum req_error error, const char *detail,
		 struct proto_sink *s)
{
	struct proto_request q = {.op = op, .op_len = strlen(op), .begin_ns = proto_begin_ns(b), .end_ns = proto_end_ns(b, f->size),
				  .bytes = f->size, .oneway = true, .error = error, .detail = detail};

	s->request(s, &q);
}

/* Publications up to the number are answered, or only that one. */
static void confirm(struct amqp_channel *c, const struct amqp_frame *f, const struct proto_bytes *b, uint64_t number, bool multiple,
		    struct proto_response *r, struct proto_sink *s)
{
	uint64_t first = c->confirmed + 1;

	if (!multiple && number != first)
		first = number;
	if (number > c->published || first > number)
		return;
	if (number - first >= OUTSTANDING_MAX)
		first = number - OUTSTANDING_MAX + 1;
	r->begin_ns = proto_begin_ns(b);
	r->end_ns = proto_end_ns(b, f->size);
	if (multiple || number == c->confirmed + 1)
		c->confirmed = number;
	for (uint64_t i = first; i <= number; i++) {
		r->id = ID_PUBLISH(c->id, i);
		r->bytes = i == number ? f->size : 0;
		if (s->has(s, r->id))
			s->response(s, r);
	}
}

/* Basic.Ack and Basic.Nack of the server: number, flags. */
static void confirmed(struct amqp *a, uint32_t id, const struct amqp_frame *f, const struct proto_bytes *b, struct proto_sink *s)
{
	struct amqp_channel *c = amqp_channel(a, f->channel, s);
	struct proto_response r = {.rows = 1};
	uint64_t number = f->n < 13 ? 0 : be64(f->p + 4);

	if (!c || !c->confirms || f->n < 13)
		return;
	if (id == AMQP_BASIC_NACK)
		r = (struct proto_response){.error = REQ_SERVER_ERROR, .detail = "NACK"};
	confirm(c, f, b, number ? number : c->published, f->p[12] & 1, &r, s);
}

/* What waits for a confirmation gets none. */
static void channel_reset(struct amqp_channel *c, const struct amqp_frame *f, const struct proto_bytes *b, struct proto_sink *s)
{
	struct proto_response r = {.error = REQ_ABORTED};

	if (!c)
		return;
	if (c->confirms)
		confirm(c, f, b, c->published, true, &r, s);
	*c = (struct amqp_channel){.id = c->id};
}

/* The server closes a channel, or all: code, text, and the method that was the reason. What waits for that one's answer has failed;
 * else it is told, for the reason was a message that nobody answers. */
static void server_close(struct amqp *a, const struct amqp_method *m, const struct amqp_frame *f, const struct proto_bytes *b,
			 struct proto_sink *s)
{
	size_t off = 6;
	unsigned code = f->n < 6 ? 541 : be16(f->p + 4);
	uint32_t reason;
	bool found;

	text_next(f, &off);
	reason = off + 4 <= f->n ? AMQP_METHOD(be16(f->p + off), be16(f->p + off + 2)) : 0;
	found = reason && answer(ID_METHOD(f->channel, reason), f, b, code, s);
	for (uint32_t i = 0; i < a->n && !found && reason && !f->channel; i++)
		found = answer(ID_METHOD(a->channels[i].id, reason), f, b, code, s);
	if (!found && amqp_reply_class(code) && !answer(ID_METHOD(0, AMQP_CONNECTION_START_OK), f, b, code, s))
		tell(m->name, f, b, amqp_reply_class(code), amqp_reply_name(code), s);
	for (uint32_t i = 0; i < a->n; i++)
		if (!f->channel || a->channels[i].id == f->channel)
			channel_reset(&a->channels[i], f, b, s);
}

static void content_begin(struct amqp_channel *c, enum proto_dir dir, uint32_t id, const struct amqp_frame *f,
			  const struct proto_bytes *b)
{
	c->content[dir] = (struct amqp_content){.method = id, .begin_ns = proto_begin_ns(b), .bytes = f->size};
}

/* Exchange and routing key; without an exchange the key is the name of a queue. */
static void publish(struct amqp *a, const struct amqp_frame *f, const struct proto_bytes *b, struct proto_sink *s)
{
	struct amqp_channel *c = amqp_channel(a, f->channel, s);
	size_t off = 6;
	struct text exchange = text_next(f, &off), key = text_next(f, &off);

	if (!c)
		return;
	content_begin(c, FROM_CLIENT, AMQP_BASIC_PUBLISH, f, b);
	c->content[FROM_CLIENT].op_len = (uint16_t)op_write(c->content[FROM_CLIENT].op, "PUBLISH", exchange.n ? exchange : key, s->raw);
}

/* Of a consumer that is not known the exchange is told, or the key where there is none. */
static void deliver(struct amqp *a, const struct amqp_frame *f, const struct proto_bytes *b, struct proto_sink *s)
{
	struct amqp_channel *c = amqp_channel(a, f->channel, s);
	struct amqp_content *x = c ? &c->content[FROM_SERVER] : NULL;
	size_t off = 4, flags;
	struct text tag = text_next(f, &off), exchange, key;
	const char *op = statements_get(&a->consumers, consumer_key(f->channel, tag));

	if (!c)
		return;
	content_begin(c, FROM_SERVER, AMQP_BASIC_DELIVER, f, b);
	flags = off + 8;
	off += 9;
	exchange = text_next(f, &off);
	key = text_next(f, &off);
	x->redelivered = flags < f->n && f->p[flags] & 1;
	if (op) {
		x->op_len = (uint16_t)strlen(op);
		memcpy(x->op, op, x->op_len);
	} else {
		x->op_len = (uint16_t)op_write(x->op, "DELIVER", exchange.n ? exchange : key, s->raw);
	}
}

/* Basic.Return: a message that had to be delivered could not be. */
static void returned(struct amqp *a, const struct amqp_frame *f, const struct proto_bytes *b, struct proto_sink *s)
{
	struct amqp_channel *c = amqp_channel(a, f->channel, s);
	struct amqp_content *x = c ? &c->content[FROM_SERVER] : NULL;
	size_t off = 6;
	struct text exchange, key;

	text_next(f, &off);
	exchange = text_next(f, &off);
	key = text_next(f, &off);
	if (!c)
		return;
	content_begin(c, FROM_SERVER, AMQP_BASIC_RETURN, f, b);
	x->status = f->n < 6 ? 0 : be16(f->p + 4);
	x->op_len = (uint16_t)op_write(x->op, "RETURN", exchange.n ? exchange : key, s->raw);
}

static void client_special(struct amqp *a, const struct amqp_method *m, const struct amqp_frame *f, const struct proto_bytes *b,
			   struct proto_sink *s)
{
	struct amqp_channel *c;

	switch (m->id) {
	case AMQP_CHANNEL_OPEN:
		c = amqp_channel(a, f->channel, s);
		if (c)
			*c = (struct amqp_channel){.id = f->channel};
		break;
	case AMQP_CONFIRM_SELECT:
		c = amqp_channel(a, f->channel, s);
		if (c)
			c->confirms = true;
		break;
	case AMQP_BASIC_CONSUME:
		consume(a, f, s);
		break;
	case AMQP_BASIC_PUBLISH:
		publish(a, f, b, s);
		break;
	case AMQP_BASIC_REJECT:
	case AMQP_BASIC_NACK:
		tell(m->name, f, b, REQ_OK, NULL, s);
		break;
	case AMQP_CHANNEL_CLOSE:
	case AMQP_CONNECTION_CLOSE:
		ask(m, f, b, s);
		break;
	}
}

static void server_special(struct amqp *a, const struct amqp_method *m, const struct amqp_frame *f, const struct proto_bytes *b,
			   struct proto_sink *s)
{
	struct amqp_channel *c;

	switch (m->id) {
	case AMQP_CONNECTION_SECURE:
	case AMQP_CONNECTION_TUNE:
		if (!answer(ID_METHOD(0, AMQP_CONNECTION_SECURE_OK), f, b, 200, s))
			answer(ID_METHOD(0, AMQP_CONNECTION_START_OK), f, b, 200, s);
		break;
	case AMQP_CONNECTION_BLOCKED:
		tell(m->name, f, b, REQ_SERVER_ERROR, "RESOURCE_ALARM", s);
		break;
	case AMQP_BASIC_CONSUME_OK:
		consume_ok(a, f, s);
		break;
	case AMQP_BASIC_CANCEL:
		tell("CANCEL", f, b, REQ_SERVER_ERROR, "QUEUE_GONE", s);
		break;
	case AMQP_BASIC_DELIVER:
		deliver(a, f, b, s);
		break;
	case AMQP_BASIC_RETURN:
		returned(a, f, b, s);
		break;
	case AMQP_BASIC_GET_OK:
		c = amqp_channel(a, f->channel, s);
		if (c)
			content_begin(c, FROM_SERVER, AMQP_BASIC_GET_OK, f, b);
		break;
	case AMQP_BASIC_GET_EMPTY:
		answer(ID_METHOD(f->channel, AMQP_BASIC_GET), f, b, 200, s);
		break;
	case AMQP_BASIC_ACK:
	case AMQP_BASIC_NACK:
		confirmed(a, m->id, f, b, s);
		break;
	case AMQP_CHANNEL_CLOSE:
	case AMQP_CONNECTION_CLOSE:
		server_close(a, m, f, b, s);
		break;
	case AMQP_METHOD(10, 51):
	case AMQP_METHOD(20, 41):
		answer(ID_METHOD(f->channel, m->id - 1), f, b, 200, s);
		for (uint32_t i = 0; i < a->n; i++)
			if (!f->channel || a->channels[i].id == f->channel)
				channel_reset(&a->channels[i], f, b, s);
		break;
	}
}

void amqp_method_read(struct amqp *a, enum proto_dir dir, const struct amqp_frame *f, const struct proto_bytes *b, struct proto_sink *s)
{
	const struct amqp_method *m = amqp_method(be32(f->p));

	if (dir == FROM_CLIENT) {
		client_special(a, m, f, b, s);
		if (m->role == AMQP_ASKS)
			ask(m, f, b, s);
	} else {
		server_special(a, m, f, b, s);
		if (m->role == AMQP_ANSWERS)
			answer(ID_METHOD(f->channel, AMQP_METHOD(m->id >> 16, m->asked)), f, b, 200, s);
	}
}

static void published(struct amqp_channel *c, const struct amqp_content *x, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_request q = {.op = x->op, .op_len = x->op_len, .begin_ns = x->begin_ns, .end_ns = end_ns, .bytes = x->bytes,
				  .oneway = !c->confirms, .rows = 1, .ids = &x->ids};

	if (c->confirms)
		q.id = ID_PUBLISH(c->id, ++c->published);
	s->request(s, &q);
}

static void pushed(const struct amqp_content *x, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_request q = {.op = x->op, .op_len = x->op_len, .begin_ns = x->begin_ns, .end_ns = end_ns, .bytes = x->bytes,
				  .oneway = true, .rows = 1, .ids = &x->ids};

	if (x->method == AMQP_BASIC_RETURN) {
		q.error = amqp_reply_class(x->status);
		q.detail = amqp_reply_name(x->status);
	} else if (x->redelivered) {
		q.detail = "REDELIVERED";
	}
	s->request(s, &q);
}

void amqp_content_end(struct amqp_channel *c, enum proto_dir dir, uint64_t end_ns, struct proto_sink *s)
{
	struct amqp_content *x = &c->content[dir];
	struct proto_response r = {.id = ID_METHOD(c->id, AMQP_BASIC_GET), .begin_ns = x->begin_ns, .end_ns = end_ns,
				   .bytes = x->bytes, .rows = 1};

	if (dir == FROM_CLIENT)
		published(c, x, end_ns, s);
	else if (x->method != AMQP_BASIC_GET_OK)
		pushed(x, end_ns, s);
	else if (s->has(s, r.id))
		s->response(s, &r);
	x->method = 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/amqp1.h"
#include "proto/normalise.h"
#include "base/map.h"

#include <string.h>

#define OP_MAX (AMQP1_ADDRESS_MAX + 16)
#define OUTSTANDING_MAX 16384      /* more do not wait (pairing.c) */

/* What waits for an answer; part of the request's id, with the session and the number of a link or a delivery. */
enum asked { ASKED_SASL = 1, ASKED_OPEN, ASKED_BEGIN, ASKED_ATTACH, ASKED_DETACH, ASKED_END, ASKED_CLOSE, ASKED_SEND };

enum { COORDINATOR = 0x30 };       /* a target that takes transactions instead of messages */
enum { RECEIVED = 0x23, ACCEPTED, REJECTED, RELEASED, MODIFIED, DECLARED = 0x33, TRANSACTIONAL = 0x34 };

/* One performative and all that its reader needs. */
struct reader {
	struct amqp1 *a;
	const struct amqp1_frame *f;
	struct proto_sink *s;
};

struct outcome {
	int status;
	enum req_error error;
	const char *detail;
	uint64_t rows;
};

static uint64_t id_of(enum asked what, uint8_t session, uint32_t number)
{
	return (uint64_t)what << 56 | (uint64_t)session << 32 | number;
}

static uint8_t session_index(const struct amqp1 *a, const struct amqp1_session *x)
{
	return (uint8_t)(x - a->sessions);
}

static struct amqp1_value field(const struct reader *r, unsigned i)
{
	return amqp1_element(&r->f->body, i);
}

/* "VERB address", or "VERB" where the address is not known. */
static size_t op_write(char *op, const char *verb, const struct amqp1_link *l)
{
	size_t n = strlen(verb);

	memcpy(op, verb, n);
	if (!l || !l->address_n)
		return n;
	op[n++] = ' ';
	memcpy(op + n, l->address, l->address_n);
	return n + l->address_n;
}

static struct proto_request request(const struct reader *r, const char *op, size_t n)
{
	return (struct proto_request){.op = op, .op_len = n, .begin_ns = proto_begin_ns(r->f->b),
				      .end_ns = proto_end_ns(r->f->b, r->f->size), .bytes = r->f->size};
}

static void ask(const struct reader *r, uint64_t id, const char *verb, const struct amqp1_link *l)
{
	char op[OP_MAX];
	struct proto_request q = request(r, op, op_write(op, verb, l));

	q.id = id;
	r->s->request(r->s, &q);
}

/* Something that the other side is told. */
static void tell(const struct reader *r, const char *verb, const struct amqp1_link *l, const struct outcome *o)
{
	char op[OP_MAX];
	struct proto_request q = request(r, op, op_write(op, verb, l));

	q.oneway = true;
	q.error = o->error;
	q.detail = o->detail;
	q.rows = o->rows;
	r->s->request(r->s, &q);
}

/* Is a request of this id answered by it? */
static bool answer(const struct reader *r, uint64_t id, const struct outcome *o)
{
	struct proto_response x = {.id = id, .status = o->status, .error = o->error, .detail = o->detail, .rows = o->rows,
				   .begin_ns = proto_begin_ns(r->f->b), .end_ns = proto_end_ns(r->f->b, r->f->size),
				   .bytes = r->f->size};

	if (!r->s->has(r->s, id))
		return false;
	r->s->response(r->s, &x);
	return true;
}

/* The error field at index i: its condition and what that means; none: all is well. */
static struct outcome outcome_of(const struct reader *r, unsigned i)
{
	struct amqp1_value error = field(r, i), condition = amqp1_element(&error, 0);
	struct outcome o = {0};

	if (!amqp1_is_null(&error))
		o.error = amqp1_condition(&condition, &o.detail);
	return o;
}

/* The mechanism's name is all that is looked at: passwords stand behind it. */
static void sasl_init(const struct reader *r)
{
	struct amqp1_value mechanism = field(r, 0);
	struct amqp1_link as_address = {0};

	if (amqp1_is_text(&mechanism))
		as_address.address_n = (uint8_t)normalise_name(as_address.address, AMQP1_ADDRESS_MAX, (const char *)mechanism.p,
							       mechanism.n, r->s->raw);
	ask(r, id_of(ASKED_SASL, 0, 0), "SASL", &as_address);
}

static void sasl_outcome(const struct reader *r)
{
	static const char *const names[] = {NULL, "AUTH", "SYS", "SYS-PERM", "SYS-TEMP"};
	struct amqp1_value v = field(r, 0);
	uint64_t code = amqp1_number(&v, 2);
	struct outcome o = {.status = (int)(code & 0xff)};

	if (code)
		o.error = code == 1 ? REQ_CLIENT_ERROR : REQ_SERVER_ERROR;
	if (code < sizeof(names) / sizeof(*names))
		o.detail = names[code];
	answer(r, id_of(ASKED_SASL, 0, 0), &o);
}

static void begin(const struct reader *r, enum proto_dir dir)
{
	static const struct outcome fine;
	struct amqp1_value remote = field(r, 0);
	struct amqp1_session *x;

	if (dir == FROM_SERVER && !amqp1_is_null(&remote))
		amqp1_session_bind(r->a, (uint16_t)amqp1_number(&remote, 0), r->f->channel);
	x = amqp1_session(r->a, dir, r->f->channel, r->s);
	if (!x)
		return;
	if (dir == FROM_SERVER) {
		answer(r, id_of(ASKED_BEGIN, session_index(r->a, x), 0), &fine);
		return;
	}
	amqp1_session_drop(r->a, session_index(r->a, x));
	*x = (struct amqp1_session){.has = {[FROM_CLIENT] = true}, .channel = {[FROM_CLIENT] = r->f->channel}};
	ask(r, id_of(ASKED_BEGIN, session_index(r->a, x), 0), "BEGIN", NULL);
}

/* The address of a source or target; that of a node that the server makes for this link is as good as an identity. */
static void address_read(const struct reader *r, struct amqp1_link *l, const struct amqp1_value *terminus)
{
	struct amqp1_value address = amqp1_element(terminus, 0), dynamic = amqp1_element(terminus, 4);
	size_t n = 0;

	if (terminus->type == COORDINATOR)
		n = normalise_name(l->address, AMQP1_ADDRESS_MAX, "coordinator", 11, true);
	else if (amqp1_is_text(&address) && address.n)
		n = normalise_name(l->address, AMQP1_ADDRESS_MAX, (const char *)address.p, address.n, r->s->raw);
	else if (amqp1_bool(&dynamic))
		n = normalise_name(l->address, AMQP1_ADDRESS_MAX, "{id}", 4, true);
	l->address_n = (uint8_t)n;
}

/* name, handle, is a receiver's, settle modes, source, target */
static void attach_ask(const struct reader *r, uint8_t session, uint64_t name)
{
	struct amqp1_value handle = field(r, 1), receives = field(r, 2), terminus = field(r, amqp1_bool(&receives) ? 5 : 6);
	struct amqp1_link *l = amqp1_link(r->a, FROM_CLIENT, session, (uint32_t)amqp1_number(&handle, 0), r->s);

	if (!l)
		return;
	*l = (struct amqp1_link){.session = session, .has = {[FROM_CLIENT] = true}, .handle = {[FROM_CLIENT] = l->handle[FROM_CLIENT]},
				 .name = name, .asked = true};
	address_read(r, l, &terminus);
	ask(r, id_of(ASKED_ATTACH, session, l->handle[FROM_CLIENT]), "ATTACH", l);
}

static struct amqp1_link *link_named(struct amqp1 *a, uint8_t session, uint64_t name)
{
	for (uint32_t i = 0; i < a->link_n; i++)
		if (a->links[i].session == session && a->links[i].has[FROM_CLIENT] && a->links[i].name == name)
			return &a->links[i];
	return NULL;
}

/* Without the end of the link that is the server's it is refused, and a detach will say why. */
static void attach_answer(const struct reader *r, uint8_t session, uint64_t name)
{
	static const struct outcome fine;
	struct amqp1_value handle = field(r, 1), receives = field(r, 2), terminus = field(r, amqp1_bool(&receives) ? 6 : 5);
	struct amqp1_link *l = link_named(r->a, session, name);

	if (!l) {
		amqp1_link(r->a, FROM_SERVER, session, (uint32_t)amqp1_number(&handle, 0), r->s);
		return;
	}
	l->has[FROM_SERVER] = true;
	l->handle[FROM_SERVER] = (uint32_t)amqp1_number(&handle, 0);
	if (amqp1_is_null(&terminus) || !l->asked)
		return;
	l->asked = false;
	answer(r, id_of(ASKED_ATTACH, session, l->handle[FROM_CLIENT]), &fine);
}

static void attach(const struct reader *r, enum proto_dir dir, uint8_t session)
{
	struct amqp1_value name = field(r, 0);
	uint64_t hash = amqp1_is_text(&name) ? hash_bytes(name.p, name.n) | 1 : 1;

	if (dir == FROM_CLIENT)
		attach_ask(r, session, hash);
	else
		attach_answer(r, session, hash);
}

/* Of the sections before the message's data those with fields that are the application's (part 3.2). */
static void sections_read(struct amqp1_cursor c, struct trace_ids *ids)
{
	struct amqp1_value section, name, value;

	while (c.left && c.n && amqp1_next(&c, &section) && section.type >= 0x70 && section.type <= 0x74) {
		struct amqp1_cursor e = amqp1_elements(&section);

		while (section.type != 0x70 && section.type != 0x73 && e.left && amqp1_next(&e, &name) && amqp1_next(&e, &value))
			if (amqp1_is_text(&name) && amqp1_is_text(&value) && trace_ids_may((const char *)name.p, name.n))
				trace_ids_field(ids, (const char *)name.p, name.n, (const char *)value.p, value.n);
	}
}

/* handle, delivery-id, tag, format, settled, more, settle mode, state, resume, aborted */
static void transfer(const struct reader *r, enum proto_dir dir, uint8_t session)
{
	struct amqp1_value handle = field(r, 0), id = field(r, 1), settled = field(r, 4), more = field(r, 5), aborted = field(r, 9);
	struct amqp1_link *l = amqp1_link(r->a, dir, session, (uint32_t)amqp1_number(&handle, 0), r->s);

	if (!l)
		return;
	if (!l->open) {
		l->begin_ns = proto_begin_ns(r->f->b);
		l->bytes = 0;
		l->delivery = (uint32_t)amqp1_number(&id, 0);
		l->settled = amqp1_is_null(&id);
		l->from = dir;
		l->ids = (struct trace_ids){0};
		sections_read(r->f->rest, &l->ids);
	}
	l->open = !amqp1_bool(&aborted);
	l->settled |= amqp1_bool(&settled);
	l->bytes += r->f->size;
	r->a->passing[dir] = true;
	r->a->passing_link[dir] = (uint16_t)(l - r->a->links);
	r->a->passing_last[dir] = !amqp1_bool(&more);
}

static struct outcome state_outcome(struct amqp1_value state)
{
	struct amqp1_value error = amqp1_element(&state, 0), condition = amqp1_element(&error, 0);

	if (state.type == REJECTED && !amqp1_is_null(&error)) {
		struct outcome o = {0};

		o.error = amqp1_condition(&condition, &o.detail);
		if (!o.detail)
			o.detail = "REJECTED";
		return o;
	}
	switch (state.type) {
	case REJECTED: return (struct outcome){.error = REQ_CLIENT_ERROR, .detail = "REJECTED"};
	case RELEASED: return (struct outcome){.error = REQ_SERVER_ERROR, .detail = "RELEASED"};
	case MODIFIED: return (struct outcome){.error = REQ_SERVER_ERROR, .detail = "MODIFIED"};
	}
	return (struct outcome){.rows = 1};
}

/* The server says what became of the client's deliveries first to last. */
static void sent_outcome(const struct reader *r, struct amqp1_session *x, uint32_t first, uint32_t last, const struct outcome *o)
{
	if (!x->sends || (int32_t)(last - x->sent) > 0)
		last = x->sent;
	if ((int32_t)(first - x->oldest) < 0)
		first = x->oldest;
	if (!x->sends || (int32_t)(last - first) < 0)
		return;
	if (last - first >= OUTSTANDING_MAX)
		first = last - OUTSTANDING_MAX + 1;
	if (first == x->oldest)
		x->oldest = last + 1;
	for (uint32_t i = first; i != last + 1; i++)
		answer(r, id_of(ASKED_SEND, session_index(r->a, x), i), o);
}

/* What the client says of messages that it got counts where it did not accept them. */
static void taken_outcome(const struct reader *r, const struct amqp1_value *state, uint32_t many)
{
	struct outcome o = {.rows = many};

	if (state->type == REJECTED)
		tell(r, "REJECT", NULL, &o);
	else if (state->type == RELEASED)
		tell(r, "RELEASE", NULL, &o);
	else if (state->type == MODIFIED)
		tell(r, "MODIFY", NULL, &o);
}

/* of the receiver, first, last, settled, state */
static void disposition(const struct reader *r, enum proto_dir dir, struct amqp1_session *x)
{
	struct amqp1_value receiver = field(r, 0), from = field(r, 1), to = field(r, 2), settled = field(r, 3), state = field(r, 4);
	uint32_t first = (uint32_t)amqp1_number(&from, 0), last = (uint32_t)amqp1_number(&to, first);
	struct outcome o;

	if (state.type == TRANSACTIONAL)
		state = amqp1_element(&state, 1);
	if (!amqp1_bool(&receiver) || state.type == RECEIVED || (amqp1_is_null(&state) && !amqp1_bool(&settled)))
		return;
	if (dir == FROM_CLIENT) {
		taken_outcome(r, &state, last - first < OUTSTANDING_MAX ? last - first + 1 : 1);
		return;
	}
	o = state_outcome(state);
	sent_outcome(r, x, first, last, &o);
}

/* What ends a session or the connection answers the attaches that wait in it: what they name is not there, or not theirs. */
static bool attaches_failed(const struct reader *r, const struct amqp1_session *x, const struct outcome *o)
{
	bool found = false;

	for (uint32_t i = 0; i < r->a->link_n && o->error; i++) {
		struct amqp1_link *l = &r->a->links[i];

		if (!l->asked || (x && l->session != session_index(r->a, x)))
			continue;
		l->asked = false;
		found |= answer(r, id_of(ASKED_ATTACH, l->session, l->handle[FROM_CLIENT]), o);
	}
	return found;
}

/* handle, closed, error */
static void detach(const struct reader *r, enum proto_dir dir, uint8_t session)
{
	struct amqp1_value handle = field(r, 0);
	struct amqp1_link *l = amqp1_link(r->a, dir, session, (uint32_t)amqp1_number(&handle, 0), r->s);
	struct outcome o = outcome_of(r, 2);

	if (!l)
		return;
	if (dir == FROM_CLIENT && !l->gone) {
		ask(r, id_of(ASKED_DETACH, session, l->handle[FROM_CLIENT]), "DETACH", l);
		return;
	}
	if (dir == FROM_CLIENT || answer(r, id_of(ASKED_DETACH, session, l->handle[FROM_CLIENT]), &o)) {
		*l = (struct amqp1_link){0};
		return;
	}
	if (l->asked && !o.error)
		o.error = REQ_SERVER_ERROR;
	if (!(l->asked && answer(r, id_of(ASKED_ATTACH, session, l->handle[FROM_CLIENT]), &o)) && o.error)
		tell(r, "DETACH", l, &o);
	l->asked = false;
	l->gone = true;
}

static void end(const struct reader *r, enum proto_dir dir, struct amqp1_session *x)
{
	struct outcome o = outcome_of(r, 0);
	uint8_t session = session_index(r->a, x);

	if (dir == FROM_CLIENT && !x->gone) {
		ask(r, id_of(ASKED_END, session, 0), "END", NULL);
		return;
	}
	if (dir == FROM_CLIENT || answer(r, id_of(ASKED_END, session, 0), &o)) {
		amqp1_session_drop(r->a, session);
		return;
	}
	if (!attaches_failed(r, x, &o) && !answer(r, id_of(ASKED_BEGIN, session, 0), &o) && o.error)
		tell(r, "END", NULL, &o);
	x->gone = true;
}

static void close_read(const struct reader *r, enum proto_dir dir)
{
	struct outcome o = outcome_of(r, 0);

	if (dir == FROM_CLIENT) {
		if (!r->a->gone)
			ask(r, id_of(ASKED_CLOSE, 0, 0), "CLOSE", NULL);
		return;
	}
	if (answer(r, id_of(ASKED_CLOSE, 0, 0), &o))
		return;
	if (!answer(r, id_of(ASKED_OPEN, 0, 0), &o) && !attaches_failed(r, NULL, &o) && o.error)
		tell(r, "CLOSE", NULL, &o);
	r->a->gone = true;
}

/* Performatives of the connection; false: it is one of a session. */
static bool connection_read(const struct reader *r, enum proto_dir dir)
{
	static const struct outcome fine;

	switch (r->f->body.type) {
	case AMQP1_SASL_INIT:
		if (dir == FROM_CLIENT)
			sasl_init(r);
		return true;
	case AMQP1_SASL_OUTCOME:
		if (dir == FROM_SERVER)
			sasl_outcome(r);
		return true;
	case AMQP1_OPEN:
		if (dir == FROM_CLIENT)
			ask(r, id_of(ASKED_OPEN, 0, 0), "OPEN", NULL);
		else
			answer(r, id_of(ASKED_OPEN, 0, 0), &fine);
		return true;
	case AMQP1_CLOSE:
		close_read(r, dir);
		return true;
	case AMQP1_BEGIN:
		begin(r, dir);
		return true;
	}
	return false;
}

void amqp1_read(struct amqp1 *a, enum proto_dir dir, const struct amqp1_frame *f, struct proto_sink *s)
{
	const struct reader r = {a, f, s};
	struct amqp1_session *x;

	if (connection_read(&r, dir) || f->body.type < AMQP1_ATTACH || f->body.type > AMQP1_END || f->body.type == AMQP1_FLOW)
		return;
	x = amqp1_session(a, dir, f->channel, s);
	if (!x)
		return;
	switch (f->body.type) {
	case AMQP1_ATTACH:
		attach(&r, dir, session_index(a, x));
		break;
	case AMQP1_TRANSFER:
		transfer(&r, dir, session_index(a, x));
		break;
	case AMQP1_DISPOSITION:
		disposition(&r, dir, x);
		break;
	case AMQP1_DETACH:
		detach(&r, dir, session_index(a, x));
		break;
	case AMQP1_END:
		end(&r, dir, x);
		break;
	}
}

/* The client has sent a delivery whose outcome it will be told. */
static void sent(struct amqp1_session *x, uint32_t delivery)
{
	if (!x->sends)
		x->oldest = delivery;
	x->sends = true;
	x->sent = delivery;
}

void amqp1_passed(struct amqp1 *a, enum proto_dir dir, uint64_t end_ns, struct proto_sink *s)
{
	struct amqp1_link *l = &a->links[a->passing_link[dir]];
	char op[OP_MAX];
	struct proto_request q = {.op = op, .op_len = op_write(op, dir == FROM_CLIENT ? "SEND" : "DELIVER", l), .begin_ns = l->begin_ns,
				  .end_ns = end_ns, .bytes = l->bytes, .rows = 1, .ids = &l->ids};

	a->passing[dir] = false;
	if (!l->open || !a->passing_last[dir])
		return;
	l->open = false;
	q.oneway = dir == FROM_SERVER || l->settled;
	if (!q.oneway) {
		q.id = id_of(ASKED_SEND, l->session, l->delivery);
		sent(&a->sessions[l->session], l->delivery);
	}
	s->request(s, &q);
}

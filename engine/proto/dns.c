/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS: RFC 1035, with EDNS (RFC 6891) as far as it changes the status.  Messages come as on TCP, a length of two bytes before
 * each (4.2.2); who has datagrams puts it there.  Responses find their question by id.
 *
 * An operation is the type and the name asked for: "A example.com".  Labels that are values (an address that is looked up
 * backwards, a hash) become {id}.  That a name does not exist (NXDOMAIN) is an answer, and its status and detail say so; that a
 * server fails (SERVFAIL), cannot (NOTIMP) or will not (REFUSED) is its error.  A question without an answer ends as aborted; one that is
 * sent again is another one, as the server answers both.  TRUNCATED says that the client has to ask again over TCP.
 *
 * Of a message only the header, the question, and of a response the EDNS record where it comes right behind the question are
 * read.  Zone transfers answer one question with many messages: the first is taken for the answer.
 */
#include "proto/dns_names.h"
#include "proto/normalise.h"
#include "proto/protocols.h"
#include "proto/wire.h"

#include <string.h>

#define HEADER 12u
#define QUESTION_MAX (255u + 4)
#define QUERY_MAX 4096u         /* a query has one question and a few options: more is something else */
#define PREFIX 2u
#define OP_MAX 320

#define FLAG_RESPONSE 0x8000u
#define FLAG_TRUNCATED 0x0200u  /* ask again over TCP */
#define FLAG_ZERO 0x0040u       /* reserved, must be zero */
#define OPCODE(flags) ((flags) >> 11 & 15)

enum { OP_QUERY = 0, OP_NOTIFY = 4, OP_UPDATE = 5 };

struct message {
	uint16_t id, flags, questions, answers, authority, additional;
	uint16_t type, class;
	const uint8_t *name;    /* labels of the question, where there is one */
	size_t name_len;        /* with the root label */
};

struct dns { bool lost[2]; };

/* The length of an uncompressed name, its root label included; 0: n bytes do not hold all of it; PROTO_BAD. Nothing precedes the
 * first question that a pointer could point to, so a name that has one (it may be cyclic) is no question. */
static ssize_t name_length(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && i < 255) {
		if (p[i] > 63)
			return PROTO_BAD;
		if (!p[i])
			return (ssize_t)i + 1;
		i += p[i] + 1u;
	}
	return i < 255 ? 0 : PROTO_BAD;
}

static bool header_ok(const struct message *m)
{
	unsigned opcode = OPCODE(m->flags);

	if (m->flags & FLAG_ZERO || (opcode != OP_QUERY && opcode != OP_NOTIFY && opcode != OP_UPDATE))
		return false;
	if (m->flags & FLAG_RESPONSE)
		return m->questions <= 1;
	/* a query has one question and no answer but those that an update or a notice carries */
	if (m->questions != 1 || m->additional > 4)
		return false;
	return opcode != OP_QUERY || (!m->answers && m->authority <= 1);
}

/* The header and the question at p, a message of `total` bytes of which n are here. 1; 0: more bytes are needed; PROTO_BAD. */
static int message_read(const uint8_t *p, size_t n, size_t total, struct message *m)
{
	ssize_t name;

	if (total < HEADER)
		return PROTO_BAD;
	if (n < HEADER)
		return 0;
	*m = (struct message){be16(p), be16(p + 2), be16(p + 4), be16(p + 6), be16(p + 8), be16(p + 10), 0, 0, NULL, 0};
	if (!header_ok(m))
		return PROTO_BAD;
	if (!m->questions)
		return 1;
	name = name_length(p + HEADER, (n < total ? n : total) - HEADER);
	if (name < 0 || (size_t)(name ? name : 1) + HEADER + 4 > total)
		return PROTO_BAD;
	if (!name || n < HEADER + (size_t)name + 4)
		return n < total ? 0 : PROTO_BAD;
	m->name = p + HEADER;
	m->name_len = (size_t)name;
	m->type = be16(m->name + name);
	m->class = be16(m->name + name + 2);
	return 1;
}

/* The upper bits of the status are in the OPT record (type 41) of the additional section. */
static int status_of(const struct message *m, const uint8_t *end, const uint8_t *limit)
{
	int rcode = m->flags & 15;

	if (m->answers || m->authority || !m->additional || limit - end < 11 || end[0] || be16(end + 1) != 41)
		return rcode;
	return rcode | end[5] << 4;
}

/* As sure as a message that ends where its length says and has a known type and class can be. */
static int dns_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	struct message m;
	size_t total;
	int r;

	if (n < PREFIX)
		return n && p[0] >= QUERY_MAX >> 8 ? 0 : -1;
	total = be16(p);
	if (total > QUERY_MAX || total < HEADER)
		return 0;
	r = message_read(p + PREFIX, n - PREFIX, total, &m);
	if (r <= 0)
		return r < 0 ? 0 : -1;
	if (!(m.flags & FLAG_RESPONSE) != (dir == FROM_CLIENT))
		return 0;
	if (!m.questions)
		return 40;
	if (!dns_type_name(m.type) || (m.class != 1 && m.class != 3 && m.class != 4 && m.class < 254))
		return 40;
	return 90;
}

static void dns_init(void *state, bool mid)
{
	struct dns *d = state;

	d->lost[0] = d->lost[1] = mid;
}

static void dns_done(void *state, struct proto_sink *s)
{
}

static void request_report(const struct message *m, uint32_t total, const struct proto_bytes *b, uint64_t end_ns,
			   struct proto_sink *s)
{
	char op[OP_MAX];
	struct proto_request r = {
		.id = m->id | 1ull << 16, .op = op, .begin_ns = proto_begin_ns(b), .end_ns = end_ns, .bytes = total,
	};

	r.op_len = normalise_dns(op, sizeof(op), OPCODE(m->flags) == OP_NOTIFY ? "NOTIFY" :
				 OPCODE(m->flags) == OP_UPDATE ? "UPDATE" : dns_type_name(m->type), m->type, m->name, m->name_len, s->raw);
	s->request(s, &r);
}

static void response_report(const struct message *m, uint32_t total, int status, const struct proto_bytes *b, uint64_t end_ns,
			    struct proto_sink *s)
{
	struct proto_response r = {
		.id = m->id | 1ull << 16, .status = status, .begin_ns = proto_begin_ns(b), .end_ns = end_ns, .bytes = total,
		.rows = m->answers,
	};

	r.error = dns_status_error(status);
	r.detail = status ? dns_status_name(status) : m->flags & FLAG_TRUNCATED ? "TRUNCATED" : NULL;
	s->response(s, &r);
}

/* One message: how long it is with its prefix, 0 or PROTO_BAD. */
static ssize_t message_take(enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct message m;
	size_t total, have;
	uint64_t end_ns;
	const uint8_t *p;
	int r;

	if (b->n < PREFIX)
		return 0;
	total = be16(b->p);
	p = b->p + PREFIX;
	have = b->n - PREFIX < total ? b->n - PREFIX : total;
	r = message_read(p, have, total, &m);
	if (r <= 0)
		return r;
	if (!(m.flags & FLAG_RESPONSE) != (dir == FROM_CLIENT))
		return PROTO_BAD;
	/* what is read stands in the beginning, but an end is an end: wait for it, unless it is far or lost */
	if (have < total && have < HEADER + QUESTION_MAX && !b->cut)
		return 0;
	end_ns = proto_end_ns(b, PREFIX + have);
	if (dir == FROM_CLIENT)
		request_report(&m, (uint32_t)total, b, end_ns, s);
	else
		response_report(&m, (uint32_t)total, status_of(&m, m.name ? m.name + m.name_len + 4 : p + HEADER, p + have), b,
				end_ns, s);
	return (ssize_t)(PREFIX + total);
}

static ssize_t dns_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct dns *d = state;

	if (d->lost[dir]) {
		if (!b->start || dns_infer(dir, b->p, b->n) <= 0)
			return (ssize_t)b->n;
		d->lost[dir] = false;
	}
	return message_take(dir, b, s);
}

/* The ids tell which answers are still to be had. */
static ssize_t dns_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct dns *d = state;

	d->lost[dir] = true;
	return 0;
}

static const uint16_t dns_ports[] = {53, 0};

const struct proto_ops proto_dns = {
	.id = PROTO_DNS,
	.name = "dns",
	.ports = dns_ports,
	.state_size = sizeof(struct dns),
	.infer = dns_infer,
	.init = dns_init,
	.done = dns_done,
	.parse = dns_parse,
	.gap = dns_gap,
};

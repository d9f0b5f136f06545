/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LDAP 3 (RFC 4511): BER messages, matched by message id.
 *
 * An operation is the request's name with what it is about: SEARCH, its scope and base; ADD, DELETE, MODIFY, COMPARE, RENAME and the entry;
 * BIND with its mechanism; of the extended ones those that are known by name.  Of distinguished names the relative ones that are people,
 * machines and other entries become {id}; domains, organisations and their units stay, and a container that something is searched
 * below.  Filters, attributes and values are not read.  The status is the result code with its name, the rows are entries.
 * Where TLS begins, or a security layer of SASL, it is encrypted.  Unbind and Abandon are answered by nobody.
 */
#include "proto/ldap_names.h"
#include "proto/normalise.h"
#include "proto/normalise_out.h"
#include "proto/protocols.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SLOTS 16
#define OP_MAX 256
#define MESSAGE_MAX (256u << 20)
#define HEAD_MAX 1024u          /* of a message that is waited for */

enum { SEQUENCE = 0x30, INTEGER = 0x02, OCTETS = 0x04, ENUMERATED = 0x0a };
enum {
	BIND = 0x60, BOUND = 0x61, UNBIND = 0x42, SEARCH = 0x63, ENTRY = 0x64, DONE = 0x65, REFERENCE = 0x73, MODIFY = 0x66,
	MODIFIED = 0x67, ADD = 0x68, ADDED = 0x69, DELETE = 0x4a, DELETED = 0x6b, RENAME = 0x6c, RENAMED = 0x6d, COMPARE = 0x6e,
	COMPARED = 0x6f, ABANDON = 0x50, EXTENDED = 0x77, EXTENDED_DONE = 0x78, INTERMEDIATE = 0x79,
};

enum { TAG_PLAIN = 0, TAG_STARTTLS, TAG_SASL };

struct answer { uint64_t id, begin_ns, bytes, rows; };    /* entries so far; id 0: free */

struct ldap {
	bool lost[2];
	bool tls, sealed;               /* begins; may begin with the next message */
	uint64_t tls_id, sasl_id;       /* StartTLS, a SASL bind: their keys; 0: none */
	struct answer answers[SLOTS];
};

struct ber { const uint8_t *p; size_t n; };

/* Takes tag and length off the front: the tag, and what is in it as far as it is there; -1: more bytes are needed; -2: wrong. */
static int ber_take(struct ber *b, struct ber *in, size_t *length)
{
	size_t head = 2, len;
	int tag;

	if (b->n < 2)
		return -1;
	tag = b->p[0];
	len = b->p[1];
	if (len & 0x80) {
		size_t k = len & 0x7f;

		if (!k || k > 4)
			return -2;
		if (b->n < 2 + k)
			return -1;
		for (len = 0; head < 2 + k; head++)
			len = len << 8 | b->p[head];
	}
	if (len > MESSAGE_MAX)
		return -2;
	*length = len;
	in->p = b->p + head;
	in->n = b->n - head < len ? b->n - head : len;
	b->p = in->p + in->n;
	b->n -= head + in->n;
	return tag;
}

struct message {
	size_t total;                   /* bytes with the head */
	uint64_t id;                    /* key: never 0 */
	int tag;
	struct ber content;             /* of the operation, as far as it is here */
};

/* 1; 0: more bytes are needed; PROTO_BAD. */
static int message_read(const uint8_t *p, size_t n, struct message *m)
{
	struct ber b = {p, n}, in, number;
	size_t length, k;
	int tag;

	if (n && p[0] != SEQUENCE)
		return PROTO_BAD;
	tag = ber_take(&b, &in, &length);
	if (tag < 0)
		return tag == -1 ? 0 : PROTO_BAD;
	m->total = (size_t)(in.p - p) + length;
	if (length < 5)
		return PROTO_BAD;
	tag = ber_take(&in, &number, &k);
	if (tag == -1 || (tag == INTEGER && number.n < k))
		return 0;
	if (tag != INTEGER || k < 1 || k > 4 || number.p[0] & 0x80)
		return PROTO_BAD;
	for (m->id = 1, length = 0; length < k; length++)
		m->id = m->id << 8 | number.p[length];
	m->tag = ber_take(&in, &m->content, &k);
	/* a Delete or Unbind may be empty behind its two bytes */
	if (m->tag < 0)
		return m->tag == -1 ? 0 : PROTO_BAD;
	return 1;
}

static bool is_request(int tag)
{
	return tag == BIND || tag == UNBIND || tag == SEARCH || tag == MODIFY || tag == ADD || tag == DELETE || tag == RENAME ||
	       tag == COMPARE || tag == ABANDON || tag == EXTENDED;
}

static bool is_response(int tag)
{
	return tag == BOUND || tag == ENTRY || tag == DONE || tag == REFERENCE || tag == MODIFIED || tag == ADDED || tag == DELETED ||
	       tag == RENAMED || tag == COMPARED || tag == EXTENDED_DONE || tag == INTERMEDIATE;
}

static int ldap_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	struct message m;
	struct ber content, in;
	size_t len;
	int r;

	if (!n)
		return -1;
	r = message_read(p, n, &m);
	if (r <= 0)
		return r < 0 || n > 32 ? 0 : -1;
	if (dir == FROM_SERVER)
		return !is_response(m.tag) ? 0 : m.tag == ENTRY ? 60 : m.content.n > 2 && m.content.p[0] == ENUMERATED ? 80 : 40;
	if (!is_request(m.tag))
		return 0;
	content = m.content;
	if (m.tag == BIND)
		return ber_take(&content, &in, &len) == INTEGER && len == 1 && in.n == 1 && (in.p[0] == 2 || in.p[0] == 3) ? 95 : 0;
	if (m.tag == SEARCH || m.tag == MODIFY || m.tag == ADD || m.tag == COMPARE || m.tag == RENAME)
		return m.content.n < 2 ? -1 : m.content.p[0] == OCTETS ? 80 : 0;
	if (m.tag == EXTENDED)
		return m.content.n < 2 ? -1 : m.content.p[0] == 0x80 ? 90 : 0;
	return 40;
}

static void ldap_init(void *state, bool mid)
{
	struct ldap *l = state;

	l->lost[0] = l->lost[1] = mid;
}

static void ldap_done(void *state, struct proto_sink *s)
{
}

/* Domains, organisations and units are named by administrators; of others only those that something is below. */
static bool rdn_stays(const char *p, size_t n, bool first)
{
	static const char *const kept[] = {"dc", "ou", "o", "c", "l", "st", "cn"};
	const char *eq = memchr(p, '=', n);
	size_t k = eq ? (size_t)(eq - p) : 0;

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (strlen(kept[i]) == k && !strncasecmp(kept[i], p, k))
			return !first || strcmp(kept[i], "cn");
	return false;
}

static void put_rdn(struct out *o, const char *p, size_t n, bool first)
{
	const char *eq = memchr(p, '=', n);

	if (rdn_stays(p, n, first))
		out_text(o, p, n);
	else if (eq && eq - p <= 24) {
		out_text(o, p, (size_t)(eq - p) + 1);
		out_text(o, "{id}", 4);
	} else {
		out_text(o, "{id}", 4);
	}
}

/* below: the name's first part is a container. */
static void put_dn(struct out *o, const char *p, size_t n, bool below)
{
	size_t i = 0, k;

	for (bool first = true; i < n && !o->full; first = false, i = k + 1) {
		for (k = i; k < n && p[k] != ','; k++)
			if (p[k] == '\\' && k + 1 < n)
				k++;
		if (!first)
			out_char(o, ',');
		while (i < k && p[i] == ' ')
			i++;
		put_rdn(o, p + i, k - i, first && !below);
	}
}

static const char *bind_name(const struct ber *content, struct ber *mechanism)
{
	struct ber b = *content, in;
	size_t len;

	*mechanism = (struct ber){0};
	if (ber_take(&b, &in, &len) < 0 || ber_take(&b, &in, &len) < 0)
		return "BIND";
	switch (ber_take(&b, mechanism, &len)) {
	case 0x80:
		*mechanism = (struct ber){0};
		return len ? "BIND simple" : "BIND anonymous";
	case 0xa3:
		b = *mechanism;
		if (ber_take(&b, mechanism, &len) != OCTETS || len > 20)
			*mechanism = (struct ber){0};
		return "BIND";
	}
	*mechanism = (struct ber){0};
	return "BIND";
}

static const char *request_name(int tag)
{
	switch (tag) {
	case SEARCH: return "SEARCH";
	case MODIFY: return "MODIFY";
	case ADD: return "ADD";
	case DELETE: return "DELETE";
	case RENAME: return "RENAME";
	case COMPARE: return "COMPARE";
	case ABANDON: return "ABANDON";
	case UNBIND: return "UNBIND";
	}
	return "EXTENDED";
}

static void op_write(struct out *o, const struct message *m, bool raw)
{
	static const char *const scopes[] = {"base", "one", "sub", "children"};
	const char *name = request_name(m->tag);
	struct ber b = m->content, dn, in;
	unsigned scope = 0;
	size_t len;

	if (m->tag == BIND) {
		name = bind_name(&m->content, &in);
		out_text(o, name, strlen(name));
		if (in.n)
			out_char(o, ' ');
		out_text(o, (const char *)in.p, in.n);
		return;
	}
	if (m->tag == EXTENDED && ber_take(&b, &dn, &len) == 0x80)
		name = ldap_extended_name(dn.p, dn.n);
	out_text(o, name, strlen(name));
	if (m->tag == EXTENDED || m->tag == ABANDON || m->tag == UNBIND)
		return;
	dn = m->content;
	if (m->tag != DELETE && ber_take(&b, &dn, &len) != OCTETS)
		return;
	if (m->tag == SEARCH && ber_take(&b, &in, &len) == ENUMERATED && in.n == 1) {
		scope = in.p[0] & 3;
		out_char(o, ' ');
		out_text(o, scopes[scope], strlen(scopes[scope]));
	}
	out_char(o, ' ');
	if (raw)
		out_flat(o, (const char *)dn.p, dn.n);
	else
		put_dn(o, (const char *)dn.p, dn.n, scope > 0);
}

static void request_take(struct ldap *l, const struct message *m, const struct proto_bytes *b, uint64_t end_ns, struct proto_sink *s)
{
	char op[OP_MAX];
	struct out o = {.p = op, .cap = sizeof(op)};
	struct proto_request r = {.id = m->id, .op = op, .begin_ns = proto_begin_ns(b), .end_ns = end_ns, .bytes = m->total,
				  .oneway = m->tag == UNBIND || m->tag == ABANDON};

	op_write(&o, m, s->raw);
	r.op_len = out_end(&o);
	if (r.op_len >= 8 && !memcmp(op, "STARTTLS", 8))
		l->tls_id = m->id;
	else if (m->tag == BIND)
		l->sasl_id = r.op_len > 5 && op[5] >= 'A' && op[5] <= 'Z' ? m->id : 0;
	s->request(s, &r);
}

static struct answer *answer_of(struct ldap *l, uint64_t id)
{
	struct answer *a = NULL;

	for (size_t i = 0; i < SLOTS; i++) {
		if (l->answers[i].id == id)
			return &l->answers[i];
		if (!l->answers[i].id && !a)
			a = &l->answers[i];
	}
	if (a)
		*a = (struct answer){.id = id};
	return a;
}

static void response_take(struct ldap *l, const struct message *m, const struct proto_bytes *b, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_response r = {.id = m->id, .begin_ns = proto_begin_ns(b), .end_ns = end_ns, .bytes = m->total};
	struct answer *a = answer_of(l, m->id);
	struct ber c = m->content, code;
	size_t len;

	if (a && !a->begin_ns)
		a->begin_ns = r.begin_ns;
	if (m->tag == ENTRY || m->tag == REFERENCE || m->tag == INTERMEDIATE) {
		if (a) {
			a->bytes += m->total;
			a->rows += m->tag == ENTRY;
		}
		return;
	}
	if (a) {
		r.begin_ns = a->begin_ns;
		r.bytes += a->bytes;
		r.rows = a->rows;
		a->id = 0;
	}
	if (ber_take(&c, &code, &len) == ENUMERATED && code.n == 1)
		r.status = code.p[0];
	r.error = ldap_result_error(r.status);
	r.detail = r.status ? ldap_result_name(r.status) : NULL;
	l->tls = m->id == l->tls_id && !r.status;
	l->sealed |= m->id == l->sasl_id && !r.status;
	s->response(s, &r);
}

/* Is what is read of the message there? A search has its base and scope in front, a result its code. */
static bool is_enough(const struct message *m, enum proto_dir dir, size_t n)
{
	return n >= m->total || n >= HEAD_MAX || (dir == FROM_SERVER && m->tag == ENTRY);
}

static ssize_t ldap_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct ldap *l = state;
	struct message m;
	int r;

	if (l->tls || (l->sealed && b->n && b->p[0] != SEQUENCE))
		return PROTO_ENCRYPTED;
	if (l->lost[dir]) {
		if (!b->start || ldap_infer(dir, b->p, b->n) <= 0)
			return (ssize_t)b->n;
		l->lost[dir] = false;
	}
	r = message_read(b->p, b->n, &m);
	if (r <= 0)
		return r;
	if (dir == FROM_CLIENT ? !is_request(m.tag) : !is_response(m.tag))
		return PROTO_BAD;
	if (!is_enough(&m, dir, b->n) && !b->cut)
		return 0;
	if (dir == FROM_CLIENT)
		request_take(l, &m, b, proto_end_ns(b, b->n < m.total ? b->n : m.total), s);
	else
		response_take(l, &m, b, proto_end_ns(b, b->n < m.total ? b->n : m.total), s);
	return (ssize_t)m.total;
}

/* The ids tell which answers are still to be had; entries may be missing. */
static ssize_t ldap_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct ldap *l = state;

	l->lost[dir] = true;
	return 0;
}

static const uint16_t ldap_ports[] = {389, 3268, 1389, 0};

const struct proto_ops proto_ldap = {
	.id = PROTO_LDAP,
	.name = "ldap",
	.ports = ldap_ports,
	.state_size = sizeof(struct ldap),
	.whole = true,
	.infer = ldap_infer,
	.init = ldap_init,
	.done = ldap_done,
	.parse = ldap_parse,
	.gap = ldap_gap,
};

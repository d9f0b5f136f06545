/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dubbo 2 (https://dubbo.apache.org/en/overview/reference/protocols/tcp/): a header of 16 bytes, matched by request id.
 *
 * An operation is "service/method", read from the front of a body in Hessian 2 (its strings are the version of Dubbo, the service, its
 * version, the method) or in JSON, a value a line; with another serialization it is "request".  The status is the header's, by
 * name; a call whose answer is an exception has the detail EXCEPTION.  Arguments and results are not read.
 */
#include "proto/normalise.h"
#include "proto/normalise_out.h"
#include "proto/protocols.h"
#include "proto/wire.h"

#include <string.h>

#define HEADER 16u
#define BODY_HEAD 768u          /* of a body that is waited for: version, service, version, method */
#define BODY_MAX (1u << 30)
#define OP_MAX 512

#define FLAG_REQUEST 0x80u
#define FLAG_TWOWAY 0x40u
#define FLAG_EVENT 0x20u
#define SERIALIZATION 0x1fu

enum { HESSIAN2 = 2, FASTJSON = 6 };
enum { OK = 20 };

struct dubbo2 { bool lost[2]; };

static const struct { uint8_t status; const char *name; enum req_error error; } statuses[] = {
	{20, NULL, REQ_OK}, {25, "SERIALIZATION_ERROR", REQ_SERVER_ERROR}, {30, "CLIENT_TIMEOUT", REQ_CLIENT_ERROR},
	{31, "SERVER_TIMEOUT", REQ_SERVER_ERROR}, {35, "CHANNEL_INACTIVE", REQ_SERVER_ERROR}, {40, "BAD_REQUEST", REQ_CLIENT_ERROR},
	{50, "BAD_RESPONSE", REQ_SERVER_ERROR}, {60, "SERVICE_NOT_FOUND", REQ_CLIENT_ERROR}, {70, "SERVICE_ERROR", REQ_SERVER_ERROR},
	{80, "SERVER_ERROR", REQ_SERVER_ERROR}, {90, "CLIENT_ERROR", REQ_CLIENT_ERROR},
	{100, "THREADPOOL_EXHAUSTED", REQ_SERVER_ERROR},
};

static bool header_ok(enum proto_dir dir, const uint8_t *p)
{
	return p[0] == 0xda && p[1] == 0xbb && be32(p + 12) <= BODY_MAX &&
	       (p[2] & FLAG_REQUEST ? !p[3] : dir == FROM_SERVER && p[3] >= 20 && p[3] <= 100);
}

/* The magic and a header that fits; both ends ask each other whether they are still there. */
static int dubbo2_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	if (!n)
		return -1;
	if (p[0] != 0xda || (n > 1 && p[1] != 0xbb))
		return 0;
	if (n < HEADER)
		return -1;
	if (!header_ok(dir, p) || (dir == FROM_SERVER && p[2] & FLAG_REQUEST))
		return 0;
	return 90;
}

static void dubbo2_init(void *state, bool mid)
{
	struct dubbo2 *d = state;

	d->lost[0] = d->lost[1] = mid;
}

static void dubbo2_done(void *state, struct proto_sink *s)
{
}

/* A string of Hessian 2, of at most 1023 characters (more have another head): its length with its head; 0: none, or not all here. */
static size_t hessian_string(const uint8_t *p, size_t n, const char **text, size_t *len)
{
	size_t head;

	if (n && p[0] <= 0x1f) {
		head = 1;
		*len = p[0];
	} else if (n > 1 && p[0] >= 0x30 && p[0] <= 0x33) {
		head = 2;
		*len = (size_t)(p[0] - 0x30) << 8 | p[1];
	} else if (n > 2 && p[0] == 'S') {
		head = 3;
		*len = be16(p + 1);
	} else {
		return 0;
	}
	*text = (const char *)p + head;
	return n - head < *len ? 0 : head + *len;
}

/* "value"\n */
static size_t json_string(const uint8_t *p, size_t n, const char **text, size_t *len)
{
	const uint8_t *lf = memchr(p, '\n', n);
	size_t line = lf ? (size_t)(lf - p) + 1 : 0;

	if (line < 3 || p[0] != '"')
		return lf && line >= 5 && !memcmp(p, "null", 4) ? (*len = 0, line) : 0;
	*text = (const char *)p + 1;
	*len = line - 2;
	while (*len && ((*text)[*len - 1] == '"' || (*text)[*len - 1] == '\r'))
		(*len)--;
	return line;
}

static bool is_name(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)p[i] <= ' ' || (uint8_t)p[i] >= 0x7f)
			return false;
	return n;
}

static size_t op_write(char *op, size_t cap, uint8_t flags, const uint8_t *p, size_t n, bool raw)
{
	const char *text[4] = {0};
	size_t len[4] = {0}, off = 0, k = 0;
	struct out o = {.p = op, .cap = cap};

	if (flags & FLAG_EVENT)
		return normalise_raw(op, cap, "heartbeat", 9);
	for (; k < 4; k++) {
		size_t used = (flags & SERIALIZATION) == HESSIAN2 ? hessian_string(p + off, n - off, &text[k], &len[k]) :
			      (flags & SERIALIZATION) == FASTJSON ? json_string(p + off, n - off, &text[k], &len[k]) : 0;

		if (!used)
			break;
		off += used;
	}
	if (k < 4 || !is_name(text[1], len[1]) || !is_name(text[3], len[3]))
		return normalise_raw(op, cap, "request", 7);
	off = normalise_name(op, cap, text[1], len[1], raw);
	o.n = off;
	out_char(&o, '/');
	out_text(&o, text[3], len[3]);
	return out_end(&o);
}

static void request_take(const struct proto_bytes *b, size_t have, uint64_t total, struct proto_sink *s)
{
	char op[OP_MAX];
	struct proto_request r = {.id = be64(b->p + 4) + 1, .op = op, .begin_ns = proto_begin_ns(b), .end_ns = proto_end_ns(b, have),
				  .bytes = total, .oneway = !(b->p[2] & FLAG_TWOWAY)};

	r.op_len = op_write(op, sizeof(op), b->p[2], b->p + HEADER, have - HEADER, s->raw);
	s->request(s, &r);
}

/* A body in Hessian 2 begins with what it is: an exception is 0, with attachments 3, as compact integers. */
static bool is_exception(const uint8_t *p, size_t have)
{
	return have > HEADER && (p[2] & SERIALIZATION) == HESSIAN2 && (p[HEADER] == 0x90 || p[HEADER] == 0x93);
}

static void response_take(const struct proto_bytes *b, size_t have, uint64_t total, struct proto_sink *s)
{
	struct proto_response r = {.id = be64(b->p + 4) + 1, .status = b->p[3], .error = REQ_SERVER_ERROR, .detail = "STATUS",
				   .begin_ns = proto_begin_ns(b), .end_ns = proto_end_ns(b, have), .bytes = total};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (statuses[i].status == b->p[3]) {
			r.error = statuses[i].error;
			r.detail = statuses[i].name;
		}
	if (r.status == OK && !(b->p[2] & FLAG_EVENT) && is_exception(b->p, have)) {
		r.error = REQ_SERVER_ERROR;
		r.detail = "EXCEPTION";
	}
	s->response(s, &r);
}

static ssize_t dubbo2_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct dubbo2 *d = state;
	size_t total, have;

	if (d->lost[dir]) {
		if (!b->start || b->n < HEADER || !header_ok(dir, b->p))
			return (ssize_t)b->n;
		d->lost[dir] = false;
	}
	if (b->n < HEADER)
		return b->n > 1 && (b->p[0] != 0xda || b->p[1] != 0xbb) ? PROTO_BAD : 0;
	/* heartbeats go both ways; answers to the server's are the client's responses, and are left out with them */
	if (!header_ok(FROM_SERVER, b->p))
		return PROTO_BAD;
	total = HEADER + be32(b->p + 12);
	have = b->n < total ? b->n : total;
	if (have < total && have < HEADER + BODY_HEAD && !b->cut)
		return 0;
	if (!(b->p[2] & FLAG_REQUEST) == (dir == FROM_SERVER)) {
		if (dir == FROM_CLIENT)
			request_take(b, have, total, s);
		else
			response_take(b, have, total, s);
	} else if (!(b->p[2] & FLAG_EVENT)) {
		return PROTO_BAD;
	}
	return (ssize_t)total;
}

/* The ids tell which answers are still to be had. */
static ssize_t dubbo2_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct dubbo2 *d = state;

	d->lost[dir] = true;
	return 0;
}

static const uint16_t dubbo2_ports[] = {20880, 0};

const struct proto_ops proto_dubbo2 = {
	.id = PROTO_DUBBO2,
	.name = "dubbo2",
	.ports = dubbo2_ports,
	.state_size = sizeof(struct dubbo2),
	.whole = true,
	.infer = dubbo2_infer,
	.init = dubbo2_init,
	.done = dubbo2_done,
	.parse = dubbo2_parse,
	.gap = dubbo2_gap,
};

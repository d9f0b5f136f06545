/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/1.0 and 1.1 (RFC 9112).  Lenient where servers are: lines may end in LF alone, a head may follow empty lines, folded fields
 * and blanks in front of a colon are read, and any token is a method.  A body is skipped by its length; a chunked one chunk by chunk.
 * A request is answered by its final status; of interim ones but 101 nothing is told.  After CONNECT (2xx) and 101 the connection
 * is opaque (WebSocket), except where both ends go on with HTTP/2 (RFC 7540, 3.2): then the request is answered there.
 */
#include "proto/clickhouse_names.h"
#include "proto/http_clickhouse.h"
#include "proto/http_op.h"
#include "proto/protocols.h"

#include <stdio.h>
#include <string.h>

#define HEAD_MAX (32 * 1024)    /* with another segment behind it the flow can keep it; of a longer one the rest is not read */
#define CHUNK_LINE_MAX 4096

enum { TAG_PLAIN = 0, TAG_HEAD, TAG_CONNECT, TAG_UPGRADE, TAG_H2C };

#define UPGRADED_STREAM 1       /* of HTTP/2, which answers the request that asked for it */

enum step {
	STEP_HEAD = 0,
	STEP_BODY_END,     /* all bytes of the body have passed */
	STEP_TO_END,       /* the body runs to the end of the connection */
	STEP_CHUNK,        /* a chunk's size line */
	STEP_CHUNK_CRLF,   /* behind its data */
	STEP_TRAILER,
	STEP_WAIT,         /* client: the response decides whether this is still HTTP */
	STEP_OPAQUE,
	STEP_SWITCH,       /* HTTP/2 comes next */
	STEP_LOST,
};

struct http_side {
	uint8_t step;
	bool chunked;          /* the message now, or the one that was lost */
	uint32_t scanned;      /* bytes of the head seen without its end */
	int status;
	uint8_t tag;           /* client: of the newest request */
	uint64_t begin_ns;
	uint64_t bytes;        /* of the message; client: of its body */
	uint64_t rows;         /* server: what ClickHouse says of them, */
	int exception;         /* and of its error */
	struct trace_ids ids;  /* server: in the head */
};

struct http {
	struct http_side side[2];
};

static int http_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	int r = dir == FROM_CLIENT ? http_starts_request(p, n) : http_starts_response(p, n);

	if (r <= 0)
		return n ? r : -1;
	if (dir == FROM_SERVER)
		return 100;
	r = http_is_request_line(p, n);
	return r < 0 ? (n >= 256 ? 70 : -1) : r ? 100 : 0;
}

static void http_init(void *state, bool mid)
{
	struct http *h = state;

	if (mid)
		h->side[0].step = h->side[1].step = STEP_LOST;
}

static void http_done(void *state, struct proto_sink *s)
{
}

static uint8_t request_tag(const uint8_t *p, size_t method, int upgrade)
{
	if (method == 4 && !memcmp(p, "HEAD", 4))
		return TAG_HEAD;
	if (method == 7 && !memcmp(p, "CONNECT", 7))
		return TAG_CONNECT;
	return upgrade == UPGRADE_H2C ? TAG_H2C : upgrade ? TAG_UPGRADE : TAG_PLAIN;
}

/* The step behind a head, and how much of it and of the body is done with. A request whose length cannot be told has no body: its server
 * refuses it. */
static ssize_t body_begin(struct http_side *d, const struct http_head *h, size_t head, bool to_end)
{
	d->scanned = 0;
	d->bytes += head;
	d->chunked = h->chunked;
	if (h->chunked) {
		d->step = STEP_CHUNK;
		return (ssize_t)head;
	}
	if ((h->coded || h->length < 0) && to_end) {
		d->step = STEP_TO_END;
		return PROTO_OPAQUE;
	}
	d->step = STEP_BODY_END;
	if (h->length <= 0 || h->coded)
		return (ssize_t)head;
	d->bytes += (uint64_t)h->length;
	return (ssize_t)head + h->length;
}

static int64_t chunk_size(const uint8_t *p, size_t n);

struct request_line {
	const char *method, *target;
	size_t method_n, target_n;
};

/* Of n bytes that begin with one, or with a part that holds a target. */
static struct request_line request_line(const uint8_t *p, size_t n)
{
	const uint8_t *lf = memchr(p, '\n', n), *sp = memchr(p, ' ', n), *end = lf ? lf : p + n, *next;

	next = memchr(sp + 1, ' ', (size_t)(end - sp - 1));
	return (struct request_line){(const char *)p, (const char *)sp + 1, (size_t)(sp - p), (size_t)((next ? next : end) - sp - 1)};
}

/* The operation where it is ClickHouse's, from the target or the body behind the head; 0: it is not, -1: more bytes will tell. */
static ssize_t clickhouse_op(char *op, const struct request_line *l, const struct http_head *h, const struct proto_bytes *b,
			     size_t head, bool raw)
{
	const uint8_t *p = b->p + head, *lf;
	uint64_t whole = (uint64_t)h->length;
	size_t n = b->n - head;
	ssize_t r;

	switch (clickhouse_where(h, l->method, l->method_n, l->target, l->target_n)) {
	case CLICKHOUSE_NO:
		return 0;
	case CLICKHOUSE_QUERY:
		return clickhouse_query_op(op, HTTP_OP_MAX, h, l->target, l->target_n, raw);
	}
	if (h->chunked) {
		lf = n ? memchr(p, '\n', n) : NULL;
		if (!lf)
			return n > CHUNK_LINE_MAX || b->cut ? 0 : -1;
		if (chunk_size(p, (size_t)(lf - p)) <= 0)
			return 0;
		whole = (uint64_t)chunk_size(p, (size_t)(lf - p));
		n -= (size_t)(lf + 1 - p);
		p = lf + 1;
	}
	if (n > whole)
		n = (size_t)whole;
	r = clickhouse_body_op(op, HTTP_OP_MAX, h, p, n, b->cut ? n : whole, raw);
	return r < 0 && b->cut ? 0 : r;
}

/* A request whose head has `head` bytes. False: what it is called is behind its head, and not here yet. */
static bool request_report(const struct proto_bytes *b, size_t head, uint8_t tag, const struct http_head *h, struct proto_sink *s)
{
	char op[HTTP_OP_MAX];
	struct request_line l = request_line(b->p, head);
	struct proto_request r = {.op = op, .tag = tag, .bytes = head};
	ssize_t n = h ? clickhouse_op(op, &l, h, b, head, s->raw) : 0;

	if (n < 0)
		return false;
	if (n) {
		r.proto = PROTO_CLICKHOUSE;
		r.op_len = (size_t)n;
	} else {
		r.op_len = http_op(op, sizeof(op), l.method, l.method_n, l.target, l.target_n, s->raw);
	}
	if (h)
		r.ids = &h->ids;
	r.id = tag == TAG_H2C ? UPGRADED_STREAM : 0;
	r.begin_ns = proto_begin_ns(b);
	r.end_ns = proto_end_ns(b, head);
	s->request(s, &r);
	return true;
}

/* The end of the head will not be seen, or not be kept: nor is it known where the body ends. */
static ssize_t request_cut(struct http_side *d, const struct proto_bytes *b, struct proto_sink *s)
{
	const uint8_t *sp = memchr(b->p, ' ', b->n);

	if (http_is_request_line(b->p, b->n) != 1)
		return PROTO_BAD;
	request_report(b, b->n, request_tag(b->p, (size_t)(sp - b->p), UPGRADE_NONE), NULL, s);
	*d = (struct http_side){.step = STEP_LOST};
	return (ssize_t)b->n;
}

static ssize_t request_head(struct http_side *d, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t skip = 0, head;
	struct http_head h;
	int starts;

	while (skip < b->n && (b->p[skip] == '\r' || b->p[skip] == '\n'))
		skip++;
	if (skip)
		return (ssize_t)skip;
	if (!b->n)
		return 0;
	starts = http_starts_request(b->p, b->n);
	if (starts <= 0)
		return starts < 0 ? 0 : PROTO_BAD;
	head = http_head_length(b, &d->scanned);
	if (!head && (b->n > HEAD_MAX || (b->cut && memchr(b->p, '\n', b->n))))
		return request_cut(d, b, s);
	if (!head)
		return 0;
	if (http_is_request_line(b->p, b->n) != 1)
		return PROTO_BAD;
	h = http_head_read(b->p, head);
	d->tag = request_tag(b->p, (size_t)((const uint8_t *)memchr(b->p, ' ', b->n) - b->p), h.upgrade);
	if (!request_report(b, head, d->tag, &h, s))
		return 0;
	if (d->tag == TAG_CONNECT)
		h = (struct http_head){.length = -1};
	d->bytes = -(uint64_t)head;   /* reported already; body_begin() adds it */
	return body_begin(d, &h, head, false);
}

static void response_report(struct http_side *d, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_response r = {.status = d->status, .error = http_error(d->status), .begin_ns = d->begin_ns,
				   .end_ns = end_ns, .bytes = d->bytes, .rows = d->rows, .ids = &d->ids};
	char number[12];

	if (d->exception) {
		snprintf(number, sizeof(number), "%d", d->exception);
		r.detail = clickhouse_error_name(d->exception);
		r.detail = r.detail ? r.detail : number;
	}
	s->response(s, &r);
	d->bytes = 0;
	d->chunked = false;
	if (trace_ids_any(&d->ids))
		d->ids = (struct trace_ids){0};
}

static ssize_t response_opaque(struct http *h)
{
	h->side[FROM_SERVER].step = STEP_OPAQUE;
	h->side[FROM_CLIENT].step = STEP_OPAQUE;
	return PROTO_OPAQUE;
}

/* 101, or what lets a CONNECT through; n bytes. */
static ssize_t response_switch(struct http *h, const struct http_head *head, const struct proto_bytes *b, size_t n,
			       struct proto_sink *s)
{
	struct http_side *d = &h->side[FROM_SERVER];

	if (d->status == 101 && head->upgrade == UPGRADE_H2C) {
		d->step = STEP_SWITCH;
		return (ssize_t)n;
	}
	d->bytes = n;
	response_report(d, proto_end_ns(b, n), s);
	return response_opaque(h);
}

/* The final response to a request that might have ended HTTP, and has not. */
static void client_goes_on(struct http_side *c)
{
	if (c->step == STEP_WAIT)
		c->step = STEP_HEAD;
	c->tag = TAG_PLAIN;
}

static ssize_t response_head(struct http *h, const struct proto_bytes *b, struct proto_sink *s)
{
	struct http_side *d = &h->side[FROM_SERVER];
	struct http_head head;
	int tag = s->tag(s), starts;
	size_t n;

	if (b->n && (b->p[0] == '\r' || b->p[0] == '\n'))
		return 1;
	if (!b->n)
		return 0;
	starts = http_starts_response(b->p, b->n);
	if (starts <= 0)
		return starts < 0 ? 0 : PROTO_BAD;
	n = http_head_length(b, &d->scanned);
	if (!n)
		return b->n > HEAD_MAX ? PROTO_BAD : 0;
	d->status = (b->p[9] - '0') * 100 + (b->p[10] - '0') * 10 + (b->p[11] - '0');
	d->begin_ns = proto_begin_ns(b);
	head = http_head_read(b->p, n);
	d->rows = head.rows;
	d->exception = head.exception;
	if (trace_ids_any(&head.ids))
		d->ids = head.ids;
	if (d->status == 101 || (tag == TAG_CONNECT && d->status / 100 == 2))
		return response_switch(h, &head, b, n, s);
	if (d->status < 200) {
		d->scanned = 0;
		return (ssize_t)n;
	}
	if (tag != TAG_PLAIN && tag != TAG_HEAD)
		client_goes_on(&h->side[FROM_CLIENT]);
	if (tag == TAG_HEAD || d->status == 204 || d->status == 304)
		head = (struct http_head){.length = 0};
	return body_begin(d, &head, n, true);
}

/* A message is complete with the byte before end_ns. */
static void message_end(struct http *h, enum proto_dir dir, uint64_t end_ns, struct proto_sink *s)
{
	struct http_side *d = &h->side[dir];

	if (dir == FROM_SERVER) {
		response_report(d, end_ns, s);
		d->step = STEP_HEAD;
		return;
	}
	if (d->bytes)
		s->grow(s, 0, end_ns, d->bytes);
	d->step = d->tag == TAG_PLAIN || d->tag == TAG_HEAD ? STEP_HEAD : STEP_WAIT;
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "1a2b[;extension]" of n bytes: the size, or -1. */
static int64_t chunk_size(const uint8_t *p, size_t n)
{
	int64_t x = 0;
	size_t i;

	for (i = 0; i < n && hex_value(p[i]) >= 0; i++) {
		if (x >> 56)
			return -1;
		x = x << 4 | hex_value(p[i]);
	}
	if (!i)
		return -1;
	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	return i == n || p[i] == ';' || p[i] == '\r' ? x : -1;
}

static ssize_t chunk_line(struct http *h, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct http_side *d = &h->side[dir];
	const uint8_t *lf = b->n ? memchr(b->p, '\n', b->n) : NULL;
	size_t line;
	int64_t size;

	if (!lf)
		return b->n > CHUNK_LINE_MAX ? PROTO_BAD : 0;
	line = (size_t)(lf - b->p) + 1;
	d->bytes += line;
	if (d->step == STEP_CHUNK_CRLF) {
		if (line > 2 || (line == 2 && b->p[0] != '\r'))
			return PROTO_BAD;
		d->step = STEP_CHUNK;
		return (ssize_t)line;
	}
	if (d->step == STEP_TRAILER) {
		if (line == 1 || (line == 2 && b->p[0] == '\r'))
			d->step = STEP_BODY_END;
		return (ssize_t)line;
	}
	size = chunk_size(b->p, line - 1);
	if (size < 0)
		return PROTO_BAD;
	d->step = size ? STEP_CHUNK_CRLF : STEP_TRAILER;
	d->bytes += (uint64_t)size;
	return (ssize_t)line + size;
}

/* Does a message begin here? 1 yes, 0 no, -1 more bytes will tell. */
static int starts_message(enum proto_dir dir, const uint8_t *p, size_t n)
{
	int r = dir == FROM_CLIENT ? http_starts_request(p, n) : http_starts_response(p, n);

	return r == 1 && dir == FROM_CLIENT ? http_is_request_line(p, n) : r;
}

/* The first line in b that begins a message or may do so: its offset, or b->n. */
static size_t lost_search(enum proto_dir dir, const struct proto_bytes *b, bool *sure)
{
	size_t i = 0;

	while (i < b->n) {
		int r = starts_message(dir, b->p + i, b->n - i);
		const uint8_t *lf;

		*sure = r > 0;
		if (r > 0 || (r < 0 && !b->cut))
			return i;
		lf = memchr(b->p + i, '\n', b->n - i);
		if (!lf)
			break;
		i = (size_t)(lf - b->p) + 1;
	}
	return b->n;
}

static bool ends_chunks(const struct proto_bytes *b)
{
	static const char end[] = "\r\n0\r\n\r\n";

	return b->n >= 7 && !memcmp(b->p + b->n - 7, end, 7);
}

/* Drops what is in front of the next message; step is STEP_HEAD where it begins at b->p. */
static ssize_t http_lost(struct http *h, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct http_side *d = &h->side[dir];
	bool sure = false;
	size_t i;

	if (dir == FROM_SERVER && d->chunked && ends_chunks(b)) {
		d->bytes += b->n;
		message_end(h, dir, proto_end_ns(b, b->n), s);
		return (ssize_t)b->n;
	}
	i = lost_search(dir, b, &sure);
	if (i || !sure)
		return (ssize_t)i;
	*d = (struct http_side){.step = STEP_HEAD};
	if (dir == FROM_SERVER)
		s->resync(s, true);
	return 0;
}

static ssize_t http_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct http *h = state;
	struct http_side *d = &h->side[dir];
	ssize_t r;

	if (d->step == STEP_LOST) {
		r = http_lost(h, dir, b, s);
		if (r || d->step == STEP_LOST)
			return r;
	}
	if (d->step == STEP_BODY_END) {
		message_end(h, dir, proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	switch (d->step) {
	case STEP_HEAD:
		return dir == FROM_CLIENT ? request_head(d, b, s) : response_head(h, b, s);
	case STEP_CHUNK:
	case STEP_CHUNK_CRLF:
	case STEP_TRAILER:
		return chunk_line(h, dir, b, s);
	case STEP_WAIT:
		return 0;
	case STEP_SWITCH:
		s->next = PROTO_HTTP2;
		return PROTO_SWITCH;
	default:
		return PROTO_OPAQUE;
	}
}

static ssize_t http_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct http *h = state;
	struct http_side *d = &h->side[dir];

	if (d->step == STEP_OPAQUE)
		return 0;
	d->step = STEP_LOST;
	d->scanned = 0;
	d->bytes += n - tail->n;
	return (ssize_t)tail->n;
}

static void http_end(void *state, enum proto_dir dir, uint64_t ts_ns, struct proto_sink *s)
{
	struct http *h = state;
	struct http_side *d = &h->side[dir];

	if (d->step == STEP_TO_END && dir == FROM_SERVER)
		message_end(h, dir, ts_ns, s);
}

static const uint16_t http_ports[] = {80, 8000, 8008, 8080, 3000, 5000, 9200, 0};

const struct proto_ops proto_http = {
	.id = PROTO_HTTP,
	.name = "http",
	.ports = http_ports,
	.state_size = sizeof(struct http),
	.strangers = true,
	.infer = http_infer,
	.init = http_init,
	.done = http_done,
	.parse = http_parse,
	.gap = http_gap,
	.end = http_end,
};

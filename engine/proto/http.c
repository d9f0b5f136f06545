/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/1.0 and 1.1 (RFC 9112).  Lenient where servers are: lines may end in LF alone, and a head may follow empty lines.
 * A body is skipped by its length; a chunked one chunk by chunk.  After CONNECT (2xx) and 101 the connection is opaque.
 */
#include "proto/normalise.h"
#include "proto/protocols.h"

#include <string.h>
#include <strings.h>

#define HEAD_MAX (60 * 1024)
#define CHUNK_LINE_MAX 4096
#define OP_MAX 512

enum { TAG_PLAIN = 0, TAG_HEAD, TAG_CONNECT, TAG_UPGRADE };

enum step {
	STEP_HEAD = 0,
	STEP_BODY_END,     /* all bytes of the body have passed */
	STEP_TO_END,       /* the body runs to the end of the connection */
	STEP_CHUNK,        /* a chunk's size line */
	STEP_CHUNK_CRLF,   /* behind its data */
	STEP_TRAILER,
	STEP_WAIT,         /* client: the response decides whether this is still HTTP */
	STEP_OPAQUE,
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
};

struct http {
	struct http_side side[2];
};

struct http_head {
	int64_t length;        /* Content-Length; -1: none */
	bool chunked;
	bool upgrade;
};

static bool is_method(const uint8_t *p, size_t n)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "CONNECT",
		"TRACE", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH",
		"PURGE", "MKCALENDAR", "SUBSCRIBE", "UNSUBSCRIBE", "NOTIFY", "M-SEARCH", "LINK", "UNLINK", "QUERY"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (strlen(methods[i]) == n && !memcmp(methods[i], p, n))
			return true;
	return false;
}

/* Could p be the beginning of a request line? 1 yes, 0 no, -1 too short. */
static int starts_request(const uint8_t *p, size_t n)
{
	const uint8_t *sp = memchr(p, ' ', n < 16 ? n : 16);

	if (!sp) {
		for (size_t i = 0; i < n; i++)
			if ((p[i] < 'A' || p[i] > 'Z') && p[i] != '-')
				return 0;
		return n < 12 ? -1 : 0;
	}
	if (!is_method(p, (size_t)(sp - p)))
		return 0;
	if ((size_t)(sp - p) + 1 == n)
		return -1;
	return sp[1] > ' ' && sp[1] < 0x7f;
}

static int starts_response(const uint8_t *p, size_t n)
{
	static const char want[] = "HTTP/1.";
	size_t k = n < 7 ? n : 7;

	if (memcmp(p, want, k))
		return 0;
	if (n < 13)
		return -1;
	return (p[7] == '0' || p[7] == '1') && p[8] == ' ' && p[9] >= '1' && p[9] <= '9' && p[10] >= '0' && p[10] <= '9';
}

/* "METHOD target HTTP/1.x": HTTP/2's preface and RTSP look alike up to the version. */
static int request_version(const uint8_t *p, size_t n)
{
	const uint8_t *lf = memchr(p, '\n', n), *end;

	if (!lf)
		return n > 8192 ? 1 : -1;
	end = lf > p && lf[-1] == '\r' ? lf - 1 : lf;
	return end - p > 10 && !memcmp(end - 9, " HTTP/1.", 8);
}

static int http_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	int r = dir == FROM_CLIENT ? starts_request(p, n) : starts_response(p, n);

	if (r <= 0)
		return n ? r : -1;
	if (dir == FROM_SERVER)
		return 100;
	r = request_version(p, n);
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

/* Bytes of the head up to and with its empty line; 0: its end is not here. `scanned` saves looking twice. */
static size_t head_length(const struct proto_bytes *b, uint32_t *scanned)
{
	size_t i = *scanned > 3 ? *scanned - 3 : 0;
	const uint8_t *lf;

	while (i < b->n && (lf = memchr(b->p + i, '\n', b->n - i))) {
		size_t at = (size_t)(lf - b->p) + 1;

		if (at < b->n && b->p[at] == '\n')
			return at + 1;
		if (at + 1 < b->n && b->p[at] == '\r' && b->p[at + 1] == '\n')
			return at + 2;
		i = at;
	}
	*scanned = (uint32_t)b->n;
	return 0;
}

/* The value of a header line "name: value" where its name is `name`. */
static const char *header_value(const char *line, size_t n, const char *name, size_t *len)
{
	size_t k = strlen(name);

	if (n <= k || line[k] != ':' || strncasecmp(line, name, k))
		return NULL;
	line += k + 1;
	n -= k + 1;
	while (n && (*line == ' ' || *line == '\t'))
		line++, n--;
	while (n && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r'))
		n--;
	*len = n;
	return line;
}

static int64_t length_value(const char *v, size_t n)
{
	int64_t x = 0;

	if (!n || n > 18)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (v[i] < '0' || v[i] > '9')
			return -1;
		x = x * 10 + (v[i] - '0');
	}
	return x;
}

static void head_line(struct http_head *h, const char *line, size_t n)
{
	const char *v;
	size_t len;

	switch (*line | 0x20) {
	case 'c':
		v = header_value(line, n, "content-length", &len);
		if (v)
			h->length = length_value(v, len);
		break;
	case 't':
		v = header_value(line, n, "transfer-encoding", &len);
		if (v)
			h->chunked = len >= 7 && !strncasecmp(v + len - 7, "chunked", 7);
		break;
	case 'u':
		if (header_value(line, n, "upgrade", &len))
			h->upgrade = true;
		break;
	}
}

/* The header lines behind the first line. */
static struct http_head head_read(const uint8_t *p, size_t n)
{
	struct http_head h = {.length = -1};
	const uint8_t *lf = memchr(p, '\n', n);

	while (lf && ++lf < p + n) {
		const uint8_t *next = memchr(lf, '\n', (size_t)(p + n - lf));

		if (!next)
			break;
		if (next > lf)
			head_line(&h, (const char *)lf, (size_t)(next - lf));
		lf = next;
	}
	return h;
}

static uint8_t request_tag(const uint8_t *p, size_t method, bool upgrade)
{
	if (method == 4 && !memcmp(p, "HEAD", 4))
		return TAG_HEAD;
	if (method == 7 && !memcmp(p, "CONNECT", 7))
		return TAG_CONNECT;
	return upgrade ? TAG_UPGRADE : TAG_PLAIN;
}

/* The step behind a head, and how much of it and of the body is done with. */
static ssize_t body_begin(struct http_side *d, const struct http_head *h, size_t head, bool to_end)
{
	d->scanned = 0;
	d->bytes += head;
	d->chunked = h->chunked;
	if (h->chunked) {
		d->step = STEP_CHUNK;
		return (ssize_t)head;
	}
	if (h->length < 0 && to_end) {
		d->step = STEP_TO_END;
		return PROTO_OPAQUE;
	}
	d->step = STEP_BODY_END;
	if (h->length > 0)
		d->bytes += (uint64_t)h->length;
	return (ssize_t)head + (h->length > 0 ? h->length : 0);
}

static void request_report(const struct proto_bytes *b, size_t line, size_t head, uint8_t tag, struct proto_sink *s)
{
	char op[OP_MAX];
	const uint8_t *sp = memchr(b->p, ' ', line), *t = sp + 1, *end = memchr(t, ' ', (size_t)(b->p + line - t));
	struct proto_request r = {.op = op, .tag = tag, .bytes = head};

	if (!end)
		end = b->p + line;
	r.op_len = normalise_http(op, sizeof(op), (const char *)b->p, (size_t)(sp - b->p), (const char *)t,
				  (size_t)(end - t), s->raw);
	r.begin_ns = proto_begin_ns(b);
	r.end_ns = proto_end_ns(b, head);
	s->request(s, &r);
}

static ssize_t request_head(struct http_side *d, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t skip = 0, head;
	const uint8_t *lf;
	struct http_head h;
	uint8_t tag;

	while (skip < b->n && (b->p[skip] == '\r' || b->p[skip] == '\n'))
		skip++;
	if (skip)
		return (ssize_t)skip;
	if (!b->n)
		return 0;
	if (!starts_request(b->p, b->n))
		return PROTO_BAD;
	head = head_length(b, &d->scanned);
	lf = memchr(b->p, '\n', head ? head : b->n);
	if (!head && !(b->cut && lf))
		return b->n > HEAD_MAX ? PROTO_BAD : 0;
	if (request_version(b->p, b->n) != 1)
		return PROTO_BAD;
	h = head_read(b->p, head ? head : b->n);
	tag = request_tag(b->p, (size_t)((const uint8_t *)memchr(b->p, ' ', b->n) - b->p), h.upgrade);
	request_report(b, (size_t)(lf - b->p), head ? head : b->n, tag, s);
	if (!head) {
		/* the rest of the head was not seen: nor is it known where the body ends */
		d->step = STEP_LOST;
		return (ssize_t)b->n;
	}
	if (tag == TAG_CONNECT)
		h = (struct http_head){.length = -1};
	d->tag = tag;
	d->bytes = -(uint64_t)head;   /* reported already; body_begin() adds it */
	return body_begin(d, &h, head, false);
}

static void response_report(struct http_side *d, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_response r = {
		.status = d->status,
		.error = d->status >= 500 ? REQ_SERVER_ERROR : d->status >= 400 ? REQ_CLIENT_ERROR : REQ_OK,
		.begin_ns = d->begin_ns,
		.end_ns = end_ns,
		.bytes = d->bytes,
	};

	s->response(s, &r);
	d->bytes = 0;
	d->chunked = false;
}

static ssize_t response_opaque(struct http *h)
{
	h->side[FROM_SERVER].step = STEP_OPAQUE;
	h->side[FROM_CLIENT].step = STEP_OPAQUE;
	return PROTO_OPAQUE;
}

static ssize_t response_head(struct http *h, const struct proto_bytes *b, struct proto_sink *s)
{
	struct http_side *d = &h->side[FROM_SERVER], *c = &h->side[FROM_CLIENT];
	struct http_head head;
	int tag = s->tag(s);
	size_t n;

	if (b->n && (b->p[0] == '\r' || b->p[0] == '\n'))
		return 1;
	if (!b->n)
		return 0;
	if (!starts_response(b->p, b->n))
		return PROTO_BAD;
	n = head_length(b, &d->scanned);
	if (!n)
		return b->n > HEAD_MAX ? PROTO_BAD : 0;
	d->status = (b->p[9] - '0') * 100 + (b->p[10] - '0') * 10 + (b->p[11] - '0');
	d->begin_ns = proto_begin_ns(b);
	head = head_read(b->p, n);
	if (d->status >= 100 && d->status < 200 && d->status != 101) {
		d->scanned = 0;
		return (ssize_t)n;
	}
	if (d->status == 101 || (tag == TAG_CONNECT && d->status < 300)) {
		d->bytes = n;
		response_report(d, proto_end_ns(b, n), s);
		return response_opaque(h);
	}
	if (c->step == STEP_WAIT)
		c->step = STEP_HEAD;
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
	d->step = d->tag == TAG_CONNECT || d->tag == TAG_UPGRADE ? STEP_WAIT : STEP_HEAD;
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

	for (i = 0; i < n && i < 15 && hex_value(p[i]) >= 0; i++)
		x = x << 4 | hex_value(p[i]);
	if (!i || i == 15)
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
	int r = dir == FROM_CLIENT ? starts_request(p, n) : starts_response(p, n);

	return r == 1 && dir == FROM_CLIENT ? request_version(p, n) : r;
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

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FastCGI 1.0 (https://fastcgi-archives.github.io/FastCGI_Specification.html): records, multiplexed by request id.
 *
 * An operation is "METHOD /path" of the parameters REQUEST_METHOD and REQUEST_URI (SCRIPT_NAME where there is none), as in HTTP.  The
 * status is that of the header "Status" of the response, 200 where there is none; what the protocol itself says at the end
 * (OVERLOADED) is the detail, else STDERR where the application wrote to it.  Parameters and headers are read as they pass: no record is
 * waited for.  Eight requests at a time are told apart on a connection; servers of today have one.
 */
#include "proto/normalise.h"
#include "proto/protocols.h"
#include "proto/wire.h"

#include <string.h>
#include <strings.h>

#define HEADER 8u
#define SLOTS 8
#define OP_MAX 1024
#define URI_MAX 512
#define HTTP_PREFIX 5           /* of parameters that are fields of the head */

enum { BEGIN = 1, ABORT, END, PARAMS, IN, OUT, ERR, DATA, GET_VALUES, VALUES, UNKNOWN };
enum { NONE = 0, METHOD, URI, SCRIPT, TRACE_ID };

/* Name and value pairs, a length of one or four bytes before each; they may run over the ends of records. */
struct pairs {
	uint8_t length[8];          /* as read so far */
	uint8_t have;
	uint32_t name_left, value_left;
	char name[32];
	uint8_t name_len;
	uint8_t wanted;
	char value[128];            /* of an id */
	uint16_t value_len;
};

struct slot {
	bool asked;                 /* its parameters are complete */
	bool head_done, talks;      /* the response's headers have passed; the application wrote to its log */
	uint16_t id;
	struct pairs pairs;
	char method[16], uri[URI_MAX];
	uint16_t method_len, uri_len;
	bool is_script;
	char line[16];              /* the beginning of a header line */
	uint8_t line_len;
	int status;
	uint64_t begin_ns, bytes, answer_ns, answer_bytes;
	struct trace_ids ids;
};

struct side {
	bool lost;
	uint8_t type, padding;
	uint16_t id;
	uint32_t left;              /* of the record's content */
	uint8_t end[8];             /* END_REQUEST's content */
	bool grows;                 /* a record of the body has passed */
	uint32_t grown;
};

struct fastcgi {
	struct side side[2];
	struct slot *slots[SLOTS];  /* the requests that go on; NULL: free, for most connections have one request and are gone */
};

static bool header_ok(enum proto_dir dir, const uint8_t *p)
{
	bool server = p[1] == END || p[1] == OUT || p[1] == ERR || p[1] == VALUES || p[1] == UNKNOWN;

	return p[0] == 1 && p[1] >= BEGIN && p[1] <= UNKNOWN && server == (dir == FROM_SERVER) &&
	       (p[1] != BEGIN || be16(p + 4) == 8) && (p[1] != END || be16(p + 4) == 8);
}

static int fastcgi_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	static const uint8_t zero[5];

	if (!n || (p[0] == 1 && n < 2))
		return -1;
	if (p[0] != 1)
		return 0;
	if (n < HEADER)
		return p[1] >= BEGIN && p[1] <= UNKNOWN ? -1 : 0;
	if (!header_ok(dir, p) || p[7])
		return 0;
	if (p[1] == BEGIN) {
		if (n < 16)
			return -1;
		return be16(p + 2) && p[8] == 0 && p[9] >= 1 && p[9] <= 3 && p[10] <= 1 && !memcmp(p + 11, zero, 5) ? 95 : 0;
	}
	if (p[1] == OUT && be16(p + 2) && n >= HEADER + 8)
		return !strncasecmp((const char *)p + 8, "status: ", 8) || !strncasecmp((const char *)p + 8, "content-", 8) ||
		       !strncasecmp((const char *)p + 8, "x-power", 7) ? 80 : 30;
	return 30;
}

static void fastcgi_init(void *state, bool mid)
{
	struct fastcgi *f = state;

	f->side[0].lost = f->side[1].lost = mid;
}

static void slot_free(struct fastcgi *f, size_t i, struct proto_sink *s)
{
	s->realloc(s, f->slots[i], f->slots[i] ? sizeof(struct slot) : 0, 0);
	f->slots[i] = NULL;
}

static void fastcgi_done(void *state, struct proto_sink *s)
{
	for (size_t i = 0; i < SLOTS; i++)
		slot_free(state, i, s);
}

static size_t slot_at(const struct fastcgi *f, uint16_t id)
{
	size_t i = 0;

	while (i < SLOTS && !(f->slots[i] && f->slots[i]->id == id))
		i++;
	return i;
}

static struct slot *slot_find(const struct fastcgi *f, uint16_t id)
{
	size_t i = slot_at(f, id);

	return i < SLOTS ? f->slots[i] : NULL;
}

/* Beyond the bound, or without memory, a request is not followed. */
static struct slot *slot_new(struct fastcgi *f, uint16_t id, struct proto_sink *s)
{
	size_t i = slot_at(f, id);

	if (i == SLOTS)
		for (i = 0; i < SLOTS && f->slots[i]; i++)
			;
	if (i == SLOTS)
		return NULL;
	if (!f->slots[i])
		f->slots[i] = s->realloc(s, NULL, 0, sizeof(struct slot));
	if (f->slots[i])
		*f->slots[i] = (struct slot){.id = id};
	return f->slots[i];
}

static uint64_t key(uint16_t id)
{
	return id | 1ull << 16;
}

static uint32_t length_of(const uint8_t *p)
{
	return p[0] & 0x80 ? be32(p) & 0x7fffffff : p[0];
}

/* The lengths of a pair are complete. */
static bool lengths_done(const struct pairs *p)
{
	size_t first = p->have && p->length[0] & 0x80 ? 4 : 1;

	return p->have > first && p->have >= first + (p->length[first] & 0x80 ? 4u : 1u);
}

static void name_done(struct slot *x)
{
	static const struct { const char *name; uint8_t wanted; } names[] = {
		{"REQUEST_METHOD", METHOD}, {"REQUEST_URI", URI}, {"SCRIPT_NAME", SCRIPT},
	};
	struct pairs *p = &x->pairs;

	p->wanted = NONE;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i].name) == p->name_len && !memcmp(names[i].name, p->name, p->name_len))
			p->wanted = names[i].wanted;
	if (p->name_len > HTTP_PREFIX && !memcmp(p->name, "HTTP_", HTTP_PREFIX) &&
	    trace_ids_knows(p->name + HTTP_PREFIX, p->name_len - HTTP_PREFIX)) {
		p->wanted = TRACE_ID;
		p->value_len = 0;
	}
	if (p->wanted == SCRIPT && x->uri_len && !x->is_script)
		p->wanted = NONE;
	if (p->wanted == URI || p->wanted == SCRIPT) {
		x->uri_len = 0;
		x->is_script = p->wanted == SCRIPT;
	}
}

static size_t append(char *to, uint16_t *len, size_t cap, const uint8_t *b, size_t n)
{
	size_t room = cap - *len, part = n < room ? n : room;

	memcpy(to + *len, b, part);
	*len = (uint16_t)(*len + part);
	return n;
}

static size_t name_take(struct slot *x, const uint8_t *b, size_t n)
{
	struct pairs *p = &x->pairs;
	size_t part = n < p->name_left ? n : p->name_left;

	for (size_t i = 0; i < part; i++)
		if (p->name_len < sizeof(p->name))
			p->name[p->name_len++] = (char)b[i];
	p->name_left -= (uint32_t)part;
	if (!p->name_left)
		name_done(x);
	return part;
}

static size_t value_take(struct slot *x, const uint8_t *b, size_t n)
{
	struct pairs *p = &x->pairs;
	size_t part = n < p->value_left ? n : p->value_left;

	p->value_left -= (uint32_t)part;
	if (p->wanted == TRACE_ID) {
		append(p->value, &p->value_len, sizeof(p->value), b, part);
		if (!p->value_left)
			trace_ids_field(&x->ids, p->name + HTTP_PREFIX, p->name_len - HTTP_PREFIX, p->value, p->value_len);
		return part;
	}
	if (p->wanted == METHOD)
		return append(x->method, &x->method_len, sizeof(x->method), b, part);
	if (p->wanted)
		return append(x->uri, &x->uri_len, sizeof(x->uri), b, part);
	return part;
}

static void params_take(struct slot *x, const uint8_t *b, size_t n)
{
	struct pairs *p = &x->pairs;
	size_t i = 0;

	while (i < n) {
		if (p->name_left) {
			i += name_take(x, b + i, n - i);
		} else if (p->value_left) {
			i += value_take(x, b + i, n - i);
		} else {
			p->length[p->have++] = b[i++];
			if (!lengths_done(p))
				continue;
			p->name_left = length_of(p->length);
			p->value_left = length_of(p->length + (p->length[0] & 0x80 ? 4 : 1));
			p->have = p->name_len = 0;
			p->wanted = NONE;
		}
	}
}

static void request_report(struct slot *x, uint64_t end_ns, struct proto_sink *s)
{
	char op[OP_MAX];
	struct proto_request r = {.id = key(x->id), .op = op, .begin_ns = x->begin_ns, .end_ns = end_ns, .bytes = x->bytes,
				  .ids = &x->ids};

	x->asked = true;
	r.op_len = normalise_http(op, sizeof(op), x->method_len ? x->method : "REQUEST", x->method_len ? x->method_len : 7, x->uri,
				  x->uri_len, s->raw);
	s->request(s, &r);
}

/* Of the headers only the status counts. */
static void headers_take(struct slot *x, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n && !x->head_done; i++) {
		if (b[i] != '\n') {
			if (x->line_len < sizeof(x->line))
				x->line[x->line_len++] = (char)b[i];
			continue;
		}
		if (!x->line_len || (x->line_len == 1 && x->line[0] == '\r'))
			x->head_done = true;
		if (x->line_len >= 11 && !strncasecmp(x->line, "status: ", 8))
			x->status = (x->line[8] - '0') * 100 + (x->line[9] - '0') * 10 + (x->line[10] - '0');
		if (x->status < 100 || x->status > 999)
			x->status = 0;
		x->line_len = 0;
	}
}

static void response_report(struct slot *x, const uint8_t *end, uint64_t end_ns, struct proto_sink *s)
{
	static const char *const protocol[] = {NULL, "CANT_MPX_CONN", "OVERLOADED", "UNKNOWN_ROLE"};
	struct proto_response r = {.id = key(x->id), .begin_ns = x->answer_ns, .end_ns = end_ns, .bytes = x->answer_bytes};

	if (!x->asked)
		return;
	r.status = end[4] ? 0 : x->status ? x->status : x->head_done ? 200 : 0;
	r.error = r.status >= 500 || end[4] ? REQ_SERVER_ERROR : r.status >= 400 ? REQ_CLIENT_ERROR : REQ_OK;
	r.detail = end[4] && end[4] < 4 ? protocol[end[4]] : x->talks ? "STDERR" : NULL;
	/* it ended without having said anything, and says that it failed */
	if (be32(end) && !x->head_done && !r.error)
		r.error = REQ_SERVER_ERROR;
	s->response(s, &r);
}

static void record_begin(struct fastcgi *f, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct side *d = &f->side[dir];
	uint32_t bytes;
	struct slot *x;

	d->type = b->p[1];
	d->id = be16(b->p + 2);
	d->left = be16(b->p + 4);
	d->padding = b->p[6];
	bytes = HEADER + d->left + d->padding;
	x = d->type == BEGIN ? slot_new(f, d->id, s) : slot_find(f, d->id);
	if (!x)
		return;
	if (d->type == BEGIN)
		x->begin_ns = proto_begin_ns(b);
	if (dir == FROM_SERVER && !x->answer_ns)
		x->answer_ns = proto_begin_ns(b);
	if (dir == FROM_SERVER)
		x->answer_bytes += bytes;
	else if (!x->asked)
		x->bytes += bytes;
	d->grows = dir == FROM_CLIENT && x->asked;
	d->grown = bytes;
	x->talks |= d->type == ERR && d->left;
	if (d->type == PARAMS && !d->left && !x->asked)
		request_report(x, proto_end_ns(b, HEADER), s);
}

/* n bytes of the record's content; the last ones where nothing is left. */
static void content_take(struct fastcgi *f, enum proto_dir dir, const struct proto_bytes *b, size_t n, struct proto_sink *s)
{
	struct side *d = &f->side[dir];
	struct slot *x = slot_find(f, d->id);

	if (d->type == END)
		memcpy(d->end + 8 - d->left, b->p, n);
	d->left -= (uint32_t)n;
	if (!x)
		return;
	if (d->type == PARAMS && !x->asked)
		params_take(x, b->p, n);
	else if (d->type == OUT)
		headers_take(x, b->p, n);
	if (d->type != END || d->left)
		return;
	response_report(x, d->end, proto_end_ns(b, n), s);
	slot_free(f, slot_at(f, d->id), s);
}

/* Is the content of this record read, or does only its length count? */
static bool is_read(struct fastcgi *f, const struct side *d)
{
	const struct slot *x = slot_find(f, d->id);

	return d->type == END || (d->type == PARAMS && x && !x->asked) || (d->type == OUT && x && !x->head_done);
}

static ssize_t record_go_on(struct fastcgi *f, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct side *d = &f->side[dir];
	size_t n = d->left + d->padding;

	if (d->left && is_read(f, d)) {
		n = b->n < d->left ? b->n : d->left;
		content_take(f, dir, b, n, s);
		return (ssize_t)n;
	}
	d->left = d->padding = 0;
	return (ssize_t)n;
}

static ssize_t fastcgi_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct fastcgi *f = state;
	struct side *d = &f->side[dir];

	if (d->lost) {
		if (!b->start || b->n < HEADER || !header_ok(dir, b->p) || (dir == FROM_CLIENT && b->p[1] != BEGIN))
			return (ssize_t)b->n;
		d->lost = false;
	}
	if (d->left || d->padding)
		return record_go_on(f, dir, b, s);
	if (d->grows) {
		d->grows = false;
		s->grow(s, key(d->id), proto_end_ns(b, 0), d->grown);
		return PROTO_AGAIN;
	}
	if (b->n < HEADER)
		return 0;
	if (!header_ok(dir, b->p))
		return PROTO_BAD;
	record_begin(f, dir, b, s);
	return HEADER;
}

/* Ids are used again at once, so they do not tell answers of before the hole from those behind it. */
static ssize_t fastcgi_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct fastcgi *f = state;

	f->side[dir] = (struct side){.lost = true};
	for (size_t i = 0; i < SLOTS; i++)
		if (f->slots[i] && (dir == FROM_SERVER || !f->slots[i]->asked))
			slot_free(f, i, s);
	if (dir == FROM_SERVER)
		s->resync(s, false);
	return 0;
}

static const uint16_t fastcgi_ports[] = {9000, 0};

const struct proto_ops proto_fastcgi = {
	.id = PROTO_FASTCGI,
	.name = "fastcgi",
	.ports = fastcgi_ports,
	.state_size = sizeof(struct fastcgi),
	.strangers = true,
	.infer = fastcgi_infer,
	.init = fastcgi_init,
	.done = fastcgi_done,
	.parse = fastcgi_parse,
	.gap = fastcgi_gap,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies: counted by elements still to come, so that nesting needs no stack.  Rows are the strings that are no status, and
 * within an aggregate numbers as well; nulls are none: keys found, elements of a list, fields and values of a hash.
 */
#include "proto/redis.h"

#include <string.h>
#include <strings.h>

#define ERROR_READ 32

static bool starts_with(const uint8_t *p, size_t n, const char *text)
{
	return n >= strlen(text) && !memcmp(p, text, strlen(text));
}

int redis_infer_reply(const uint8_t *p, size_t n)
{
	int64_t v;
	ssize_t r;

	if (p[0] == '+') {
		if (n < 5)
			return -1;
		return starts_with(p, n, "+OK\r\n") || starts_with(p, n, "+PONG\r\n") ? 70 : 0;
	}
	if (p[0] == '-') {
		if (n < 5)
			return -1;
		return starts_with(p, n, "-ERR ") || starts_with(p, n, "-NOAUTH ") || starts_with(p, n, "-LOADING") ? 70 : 0;
	}
	if (!memchr("$*:%~>_", p[0], 7))
		return 0;
	r = redis_number(p, n, &v);
	if (r <= 0)
		return r || n > 20 ? 0 : -1;
	return (size_t)r == n || memchr("$*:%~+-_,#", p[r], 10) || p[0] == '$' ? 45 : 0;
}

static void error_read(struct redis *r, const uint8_t *p, size_t n)
{
	if (!r->detail)
		r->detail = redis_error_name((const char *)p, n, &r->error);
}

static void reply_begin(struct redis *r, const struct proto_bytes *b)
{
	r->reply = true;
	/* attributes come before the reply that they belong to */
	r->push = b->p[0] == '|';
	r->left = r->push ? 0 : 1;
	r->confirm = false;
	r->s_begin = proto_begin_ns(b);
	r->s_bytes = 0;
	r->rows = 0;
	r->error = REQ_OK;
	r->detail = NULL;
}

/* One channel more of the request that waits: have all been confirmed? */
static bool group_ended(struct redis *r, int tag)
{
	if (!r->group++) {
		r->group_begin = r->s_begin;
		r->group_bytes = 0;
	}
	r->group_bytes += r->s_bytes;
	if (r->group < (uint32_t)(tag & REDIS_TAG_CHANNELS))
		return false;
	r->s_begin = r->group_begin;
	r->s_bytes = r->group_bytes;
	r->rows = 0;
	return true;
}

static void reply_end(struct redis *r, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_response q = {.error = r->error, .detail = r->detail, .end_ns = end_ns, .rows = r->rows};
	int tag;

	r->reply = r->torn = false;
	if (r->push)
		return;
	tag = s->tag(s);
	/* it answers, and nothing waits: the command that said so was lost */
	if (r->off && tag < 0)
		r->off = false;
	if (r->confirm && tag > 0 && !group_ended(r, tag))
		return;
	q.begin_ns = r->s_begin;
	q.bytes = r->s_bytes;
	q.rows = r->rows;
	r->group = 0;
	r->waiting -= r->waiting > 0;
	s->response(s, &q);
}

enum array { ARRAY_REPLY, ARRAY_PUSH, ARRAY_CONFIRM, ARRAY_REPLICA, ARRAY_MORE };

static bool is_word(const uint8_t *p, size_t n, const char *word)
{
	return strlen(word) == n && !strncasecmp((const char *)p, word, n);
}

static enum array confirms(const uint8_t *p, size_t n, int tag)
{
	bool un = is_word(p, n, "unsubscribe") || is_word(p, n, "punsubscribe") || is_word(p, n, "sunsubscribe");

	if (!un && !is_word(p, n, "subscribe") && !is_word(p, n, "psubscribe") && !is_word(p, n, "ssubscribe"))
		return ARRAY_REPLY;
	return tag > 0 && un == !!(tag & REDIS_TAG_UNSUBSCRIBE) ? ARRAY_CONFIRM : ARRAY_PUSH;
}

/* What an array of so many elements is, by the first of them, which is at p. */
static enum array array_what(const uint8_t *p, size_t n, int64_t elements, int tag)
{
	int64_t len;
	ssize_t line;

	if (!n)
		return ARRAY_MORE;
	if (p[0] != '$')
		return ARRAY_REPLY;
	line = redis_number(p, n, &len);
	if (line < 0 || (line && (len < 0 || len > 16)))
		return ARRAY_REPLY;
	if (!line || n < (size_t)(line + len))
		return ARRAY_MORE;
	p += line;
	if ((elements == 3 && (is_word(p, (size_t)len, "message") || is_word(p, (size_t)len, "smessage"))) ||
	    (elements == 4 && is_word(p, (size_t)len, "pmessage")))
		return ARRAY_PUSH;
	if (is_word(p, (size_t)len, "replconf"))
		return ARRAY_REPLICA;
	return elements == 3 ? confirms(p, (size_t)len, tag) : ARRAY_REPLY;
}

/* Does the array need a look, for it may answer nothing? */
static bool array_in_doubt(const struct redis *r, const struct proto_bytes *b, int64_t elements, int tag)
{
	if (r->s_bytes || elements <= 0)
		return false;
	return b->p[0] == '>' || (b->p[0] == '*' && (r->subscribed || tag != 0) && elements <= 4);
}

/* Children of an aggregate type; 0: not one. */
static int children_of(uint8_t type)
{
	return type == '*' || type == '~' || type == '>' ? 1 : type == '%' || type == '|' ? 2 : 0;
}

static ssize_t element_aggregate(struct redis *r, const struct proto_bytes *b, struct proto_sink *s)
{
	int tag = s->tag(s);
	int64_t n;
	ssize_t line = redis_number(b->p, b->n, &n);
	enum array what = ARRAY_REPLY;

	if (line <= 0)
		return line;
	if (n < -1 || n > INT32_MAX || r->left > REDIS_ELEMENTS_MAX)
		return PROTO_BAD;
	if (array_in_doubt(r, b, n, tag)) {
		what = array_what(b->p + line, b->n - (size_t)line, n, tag);
		if (what == ARRAY_MORE)
			return 0;
		/* a replica tells its offset to the one that we took for the client */
		if (what == ARRAY_REPLICA) {
			r->opaque = true;
			r->waiting = s->resync(s, false);
			return PROTO_OPAQUE;
		}
		r->push = what == ARRAY_PUSH || (b->p[0] == '>' && what == ARRAY_REPLY);
		r->confirm = what == ARRAY_CONFIRM;
	}
	if (n > 0)
		r->left += n * children_of(b->p[0]);
	if (b->p[0] != '|')
		r->left--;
	r->s_bytes += (uint64_t)line;
	return line;
}

/* The last element of a confirmation: how many subscriptions are left. */
static void confirm_count(struct redis *r, const uint8_t *p, size_t n)
{
	int64_t v;

	if (redis_number(p, n, &v) > 0)
		r->subscribed = v > 0;
}

static ssize_t element_line(struct redis *r, const struct proto_bytes *b)
{
	const uint8_t *lf = memchr(b->p, '\n', b->n);
	size_t line;

	if (!lf)
		return b->n > REDIS_LINE_MAX ? PROTO_BAD : 0;
	line = (size_t)(lf - b->p) + 1;
	if (line < 3 || lf[-1] != '\r')
		return PROTO_BAD;
	if (b->p[0] == '-')
		error_read(r, b->p + 1, line - 3);
	else if (r->confirm && b->p[0] == ':')
		confirm_count(r, b->p, line);
	else if (r->s_bytes)
		r->rows += b->p[0] != '+' && b->p[0] != '_';
	r->left--;
	r->s_bytes += line;
	return (ssize_t)line;
}

static ssize_t element_bulk(struct redis *r, const struct proto_bytes *b)
{
	int64_t len;
	ssize_t line = redis_number(b->p, b->n, &len);

	if (line <= 0)
		return line;
	if (len < -1 || len > REDIS_BULK_MAX)
		return PROTO_BAD;
	if (b->p[0] == '!') {
		size_t want = (size_t)line + (len < ERROR_READ ? (size_t)len : ERROR_READ);

		if (len < 0)
			return PROTO_BAD;
		if (b->n < want)
			return 0;
		error_read(r, b->p + line, want - (size_t)line);
	} else {
		r->rows += len >= 0;
	}
	if (len >= 0)
		line += len + 2;
	r->left--;
	r->s_bytes += (uint64_t)line;
	return line;
}

static bool ends_a_line(const struct proto_bytes *b)
{
	return b->n >= 2 && b->p[b->n - 2] == '\r' && b->p[b->n - 1] == '\n';
}

/*
 * A reply of which a part is missing, to the only request that waits: its beginning said that it is no error, and a segment
 * that ends with a line is taken for its last. What may come behind that is nobody's.
 */
static void torn_go_on(struct redis *r, const struct proto_bytes *b, struct proto_sink *s)
{
	if (!ends_a_line(b) || b->cut)
		return;
	reply_end(r, b->ts_new_ns, s);
	r->lost[FROM_SERVER] = true;
}

static ssize_t torn_bytes(struct redis *r, const struct proto_bytes *b, struct proto_sink *s)
{
	r->s_bytes += b->n;
	torn_go_on(r, b, s);
	return (ssize_t)b->n;
}

ssize_t redis_replies(struct redis *r, const struct proto_bytes *b, struct proto_sink *s)
{
	if (r->torn)
		return torn_bytes(r, b, s);
	if (r->reply && !r->left) {
		reply_end(r, proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	if (r->opaque && !r->reply && s->tag(s) < 0)
		return PROTO_OPAQUE;
	if (!b->n)
		return 0;
	if (!r->reply || !r->s_bytes)
		reply_begin(r, b);
	if (children_of(b->p[0]))
		return element_aggregate(r, b, s);
	switch (b->p[0]) {
	case '+': case '-': case ':': case '_': case ',': case '#': case '(':
		return element_line(r, b);
	case '$': case '=': case '!':
		return element_bulk(r, b);
	}
	return PROTO_BAD;
}

void redis_replies_gap(struct redis *r, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	if (r->torn || (r->reply && r->s_bytes && !r->push && !r->confirm && r->waiting == 1)) {
		r->torn = true;
		r->s_bytes += n;
		torn_go_on(r, tail, s);
		return;
	}
	/* replies carry nothing to tell one from another: only what was asked after the loss can be paired, or the newest
	 * where the hole swallowed whole replies before it */
	r->lost[FROM_SERVER] = true;
	r->waiting = s->resync(s, false);
	r->reply = false;
	r->left = 0;
	r->group = 0;
}

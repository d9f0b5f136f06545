/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/memcached.h"

#include <string.h>

/* Keys without the end of their line that are believed to be those of a get. */
#define LONG_LIST 512

/* Tags: what a quiet command keeps to itself. */
enum { TAG_PLAIN = MEMCACHED_LOUD, TAG_QUIET_GET = MEMCACHED_QUIET_GET, TAG_QUIET_CHANGE = MEMCACHED_QUIET_CHANGE };

enum kind {
	KIND_LINE = 0,
	KIND_GET,          /* a long list of keys, all of one line */
	KIND_STORE,        /* "<key> <flags> <exptime> <bytes>", then so many bytes */
	KIND_META,         /* flags, of which q is quiet */
	KIND_META_STORE,   /* "<key> <bytes> <flags>", then so many bytes */
	KIND_QUIT,         /* no answer */
	KIND_WATCH,
};

struct command {
	const char *name;
	enum kind kind;
	uint8_t sure;      /* in the first line of a client */
};

static const struct command commands[] = {
	{"get", KIND_GET, 45}, {"gets", KIND_GET, 50}, {"gat", KIND_GET, 45}, {"gats", KIND_GET, 50},
	{"set", KIND_STORE, 85}, {"add", KIND_STORE, 85}, {"replace", KIND_STORE, 85}, {"append", KIND_STORE, 85},
	{"prepend", KIND_STORE, 85}, {"cas", KIND_STORE, 85},
	{"incr", KIND_LINE, 45}, {"decr", KIND_LINE, 45}, {"delete", KIND_LINE, 45}, {"touch", KIND_LINE, 45},
	{"stats", KIND_LINE, 45}, {"version", KIND_LINE, 45}, {"flush_all", KIND_LINE, 50}, {"verbosity", KIND_LINE, 45},
	{"mg", KIND_META, 45}, {"ms", KIND_META_STORE, 50}, {"md", KIND_META, 45}, {"ma", KIND_META, 45}, {"mn", KIND_META, 45},
	{"me", KIND_META, 45}, {"quit", KIND_QUIT, 20}, {"shutdown", KIND_QUIT, 20}, {"watch", KIND_WATCH, 20},
	{"slabs", KIND_LINE, 20}, {"lru", KIND_LINE, 20}, {"lru_crawler", KIND_LINE, 20}, {"cache_memlimit", KIND_LINE, 20},
	{"extstore", KIND_LINE, 20}, {"refresh_certs", KIND_LINE, 20},
};

struct words {
	const uint8_t *p[8];
	size_t n[8];
	size_t count;      /* of the first eight */
	const uint8_t *last;
	size_t last_n;
};

static bool is_word(const uint8_t *p, size_t n, const char *word)
{
	return strlen(word) == n && !memcmp(p, word, n);
}

static const struct command *command_find(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (is_word(p, n, commands[i].name))
			return &commands[i];
	return NULL;
}

/* The words of a line of n bytes, the end of the line among them or not. */
static void words_read(struct words *w, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n, *begin;

	memset(w, 0, sizeof(*w));
	while (p < end) {
		while (p < end && *p <= ' ')
			p++;
		for (begin = p; p < end && *p > ' '; p++)
			;
		if (p == begin)
			break;
		w->last = begin;
		w->last_n = (size_t)(p - begin);
		if (w->count < 8) {
			w->p[w->count] = begin;
			w->n[w->count++] = (size_t)(p - begin);
		}
	}
}

/* A decimal number that is the whole word; false: none, or more than a value can have. */
static bool word_number(const uint8_t *p, size_t n, uint32_t *v)
{
	uint64_t x = 0;

	if (!n || n > 10)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		x = x * 10 + (p[i] - '0');
	}
	*v = (uint32_t)x;
	return x <= MEMCACHED_VALUE_MAX;
}

/* The length of the data behind a command's line; false where the line does not say. */
static bool data_length(const struct words *w, enum kind kind, uint32_t *bytes)
{
	size_t at = kind == KIND_STORE ? 4 : 2;

	return w->count > at && word_number(w->p[at], w->n[at], bytes);
}

static int infer_client(const uint8_t *p, size_t n)
{
	const uint8_t *lf = memchr(p, '\n', n);
	const struct command *c;
	struct words w;
	uint32_t bytes;

	words_read(&w, p, lf ? (size_t)(lf - p) : n);
	if (!w.count || w.p[0] != p || w.n[0] > 14)
		return 0;
	c = command_find(w.p[0], w.n[0]);
	if (!c)
		return lf || w.count > 1 ? 0 : -1;
	if (!lf)
		return c->kind == KIND_GET && n > LONG_LIST ? c->sure : -1;
	if ((c->kind == KIND_STORE || c->kind == KIND_META_STORE) && !data_length(&w, c->kind, &bytes))
		return 0;
	return c->sure;
}

static bool begins(const uint8_t *p, size_t n, const char *text)
{
	return n >= strlen(text) && !memcmp(p, text, strlen(text));
}

static int infer_server(const uint8_t *p, size_t n)
{
	static const char *const lines[] = {"STORED\r\n", "NOT_STORED\r\n", "DELETED\r\n", "TOUCHED\r\n", "NOT_FOUND\r\n",
					    "SERVER_ERROR ", "CLIENT_ERROR ", "STAT pid ", "VALUE ", "VERSION 1."};
	static const char *const vague[] = {"END\r\n", "EXISTS\r\n", "HD\r\n", "HD ", "EN\r\n", "VA ", "MN\r\n", "NF\r\n",
					    "OK\r\n", "ERROR\r\n", "STAT ", "NS\r\n", "EX\r\n", "ME "};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (begins(p, n, lines[i]))
			return 75;
	for (size_t i = 0; i < sizeof(vague) / sizeof(*vague); i++)
		if (begins(p, n, vague[i]))
			return 45;
	return n < 13 && !memchr(p, '\n', n) ? -1 : 0;
}

int memcached_text_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	return dir == FROM_CLIENT ? infer_client(p, n) : infer_server(p, n);
}

/* "q" among the flags of a meta command. */
static bool meta_is_quiet(const struct words *w, const uint8_t *end)
{
	const uint8_t *p = w->count > 2 ? w->p[2] : end;

	for (; p < end; p++)
		if (*p == 'q' && p[-1] == ' ' && p[1] <= ' ')
			return true;
	return false;
}

static void command_begin(struct memcached *r, const struct proto_bytes *b, const struct command *c, const struct words *w,
			  struct proto_sink *s)
{
	static const char unknown[] = "(unknown command)";

	r->open = true;
	r->c_begin = proto_begin_ns(b);
	r->tag = TAG_PLAIN;
	r->waits = false;
	r->oneway = c && c->kind != KIND_GET && w->count > (is_word(w->p[0], w->n[0], "flush_all") ? 1 : 2) &&
		    is_word(w->last, w->last_n, "noreply");
	if (c)
		memcached_op(r, c->name, strlen(c->name), w->p[1], w->n[1], s);
	else
		memcached_op(r, unknown, sizeof(unknown) - 1, NULL, 0, s);
}

/* A line that does not fit: keys of a get, which are skipped to its end. */
static ssize_t command_long(struct memcached *r, const struct proto_bytes *b, struct proto_sink *s)
{
	const struct command *c;
	struct words w;

	if (b->n <= MEMCACHED_LINE_MAX)
		return 0;
	words_read(&w, b->p, b->n);
	c = w.count ? command_find(w.p[0], w.n[0]) : NULL;
	if (!c || c->kind != KIND_GET)
		return PROTO_BAD;
	command_begin(r, b, c, &w, s);
	r->line = true;
	r->c_bytes = b->n;
	return (ssize_t)b->n;
}

static ssize_t command_long_end(struct memcached *r, const struct proto_bytes *b, struct proto_sink *s)
{
	const uint8_t *lf = memchr(b->p, '\n', b->n);
	size_t n = lf ? (size_t)(lf - b->p) + 1 : b->n;

	r->c_bytes += n;
	if (lf) {
		r->line = false;
		memcached_request(r, proto_end_ns(b, n), s);
	}
	return (ssize_t)n;
}

static void command_quiet(struct memcached *r, const struct command *c, const struct words *w, const uint8_t *end)
{
	if (!meta_is_quiet(w, end))
		return;
	r->waits = strcmp(c->name, "mg");
	r->tag = r->waits ? TAG_QUIET_CHANGE : TAG_QUIET_GET;
}

ssize_t memcached_text_client(struct memcached *r, const struct proto_bytes *b, struct proto_sink *s)
{
	const uint8_t *lf;
	const struct command *c;
	struct words w;
	uint32_t bytes;

	if (r->line)
		return b->n ? command_long_end(r, b, s) : 0;
	if (r->open)
		memcached_request(r, proto_end_ns(b, 0), s);
	lf = memchr(b->p, '\n', b->n);
	if (!lf)
		return command_long(r, b, s);
	r->c_bytes = (uint64_t)(lf - b->p) + 1;
	words_read(&w, b->p, (size_t)r->c_bytes);
	if (!w.count)
		return (ssize_t)r->c_bytes;
	c = command_find(w.p[0], w.n[0]);
	if (c && c->kind == KIND_QUIT)
		return (ssize_t)r->c_bytes;
	command_begin(r, b, c, &w, s);
	if (!c)
		return (ssize_t)r->c_bytes;
	r->opaque = c->kind == KIND_WATCH;
	if (r->opaque)
		memcached_request(r, proto_end_ns(b, (size_t)r->c_bytes), s);
	if (c->kind == KIND_META || c->kind == KIND_META_STORE)
		command_quiet(r, c, &w, lf);
	if ((c->kind == KIND_STORE || c->kind == KIND_META_STORE) && data_length(&w, c->kind, &bytes))
		r->c_bytes += bytes + 2u;
	return (ssize_t)r->c_bytes;
}

enum memcached_quiet memcached_text_quiet(int tag)
{
	return tag < 0 ? MEMCACHED_LOUD : (enum memcached_quiet)tag;
}

/* Does a quiet command say such a line? Otherwise it is of one behind it. */
static bool quiet_says(int tag, const uint8_t *p, size_t n)
{
	if (begins(p, n, "MN") || begins(p, n, "STAT ") || begins(p, n, "VALUE ") || begins(p, n, "STORED"))
		return false;
	return tag == TAG_QUIET_GET ? !begins(p, n, "EN\r") : !begins(p, n, "HD\r") && !begins(p, n, "VA ");
}

struct line {
	const char *begin, *detail;
	enum req_error error;
};

static const struct line lines[] = {
	{"NOT_FOUND", "NOT_FOUND"}, {"NF", "NOT_FOUND"}, {"NOT_STORED", "NOT_STORED"}, {"NS", "NOT_STORED"},
	{"EXISTS", "EXISTS"}, {"EX", "EXISTS"}, {"BUSY", "BUSY", REQ_SERVER_ERROR},
	{"SERVER_ERROR out of memory", "OUT_OF_MEMORY", REQ_SERVER_ERROR},
	{"SERVER_ERROR object too large", "TOO_LARGE", REQ_CLIENT_ERROR},
	{"SERVER_ERROR", "SERVER_ERROR", REQ_SERVER_ERROR},
	{"ERROR Too many open connections", "TOO_MANY_CONNECTIONS", REQ_SERVER_ERROR},
	{"CLIENT_ERROR unauthenticated", "UNAUTHENTICATED", REQ_CLIENT_ERROR},
	{"CLIENT_ERROR", "CLIENT_ERROR", REQ_CLIENT_ERROR}, {"ERROR", "ERROR", REQ_CLIENT_ERROR},
};

static void line_read(struct memcached *r, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (begins(p, n, lines[i].begin)) {
			r->detail = lines[i].detail;
			r->error = lines[i].error;
			return;
		}
}

/* Lines that are not the last of their reply. */
static bool line_goes_on(const uint8_t *p, size_t n)
{
	return begins(p, n, "STAT ") || begins(p, n, "ITEM ") || begins(p, n, "PREFIX ") || begins(p, n, "key=") ||
	       begins(p, n, "mg ");
}

/* A line of a reply, which begins at p: how much more belongs to it, and whether it is the last. */
static bool reply_line(struct memcached *r, const uint8_t *p, size_t n, uint32_t *data, bool *last)
{
	bool value = begins(p, n, "VALUE "), meta = begins(p, n, "VA ");
	struct words w;

	*data = 0;
	*last = !value && !line_goes_on(p, n);
	if (!value && !meta) {
		line_read(r, p, n);
		return true;
	}
	r->rows++;
	words_read(&w, p, n);
	if (w.count <= (value ? 3u : 1u) || !word_number(w.p[value ? 3 : 1], w.n[value ? 3 : 1], data))
		return false;
	*data += 2;
	return true;
}

ssize_t memcached_text_server(struct memcached *r, const struct proto_bytes *b, struct proto_sink *s)
{
	const uint8_t *lf;
	uint32_t data;
	size_t n;
	int tag;

	if (r->last) {
		r->last = false;
		memcached_answer(r, proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	lf = memchr(b->p, '\n', b->n);
	if (!lf)
		return b->n > MEMCACHED_LINE_MAX ? PROTO_BAD : 0;
	n = (size_t)(lf - b->p) + 1;
	for (tag = s->tag(s); !r->reply && memcached_text_quiet(tag) && !quiet_says(tag, b->p, n); tag = s->tag(s))
		if (!memcached_silent(r, proto_begin_ns(b), s))
			break;
	if (!r->reply)
		memcached_reply_begin(r, proto_begin_ns(b));
	if (!reply_line(r, b->p, n, &data, &r->last))
		return PROTO_BAD;
	r->s_bytes += n + data;
	return (ssize_t)(n + data);
}

bool memcached_text_ends(const struct proto_bytes *b)
{
	return b->n >= 5 && !memcmp(b->p + b->n - 5, "END\r\n", 5);
}

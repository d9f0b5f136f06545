/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/map.h"
#include "proto/normalise.h"
#include "proto/user_private.h"

#include <string.h>

#define LINE_MAX_BYTES (32 * 1024)
#define BODY_MAX (1ll << 40)

struct line {
	const char *p;
	size_t n;                  /* without its end */
	struct { const char *p; size_t n; } word[USER_WORDS_MAX];
	unsigned words;
};

/* The length of a line with its end; 0 incomplete; PROTO_BAD: longer than lines are. */
static ssize_t line_length(const struct user_lines *d, const uint8_t *b, size_t n)
{
	const uint8_t *end = memmem(b, n < LINE_MAX_BYTES ? n : LINE_MAX_BYTES, d->end, d->end_len);

	if (end)
		return end - b + (ssize_t)d->end_len;
	return n >= LINE_MAX_BYTES ? PROTO_BAD : 0;
}

static struct line line_split(const struct user_lines *d, const uint8_t *b, size_t len)
{
	struct line l = {.p = (const char *)b, .n = len - d->end_len};
	size_t i = 0, begin;

	if (l.n && l.p[l.n - 1] == '\r')
		l.n--;
	while (i < l.n && l.words < USER_WORDS_MAX) {
		while (i < l.n && (l.p[i] == ' ' || l.p[i] == '\t'))
			i++;
		for (begin = i; i < l.n && l.p[i] != ' ' && l.p[i] != '\t'; i++)
			;
		if (i > begin) {
			l.word[l.words].p = l.p + begin;
			l.word[l.words++].n = i - begin;
		}
	}
	return l;
}

/* '*' stands for any bytes. Never goes back behind the last '*': linear times the length of the pattern. */
static bool matches(const char *pattern, const char *s, size_t n)
{
	const char *star = NULL;
	size_t i = 0, mark = 0;

	while (i < n) {
		if (*pattern == '*') {
			star = pattern++;
			mark = i;
		} else if (*pattern && *pattern == s[i]) {
			pattern++;
			i++;
		} else if (star) {
			pattern = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool has_pattern(struct user_patterns p, const struct line *l)
{
	for (size_t i = 0; p.v && p.v[i]; i++)
		if (matches(p.v[i], l->p, l->n))
			return true;
	return false;
}

/* A decimal word; negative: it is none. */
static int64_t number_of(const struct line *l, unsigned word)
{
	int64_t v = 0;

	if (!word || word > l->words || l->word[word - 1].n > 13)
		return -1;
	for (size_t i = 0; i < l->word[word - 1].n; i++) {
		char c = l->word[word - 1].p[i];

		if (c < '0' || c > '9')
			return -1;
		v = v * 10 + (c - '0');
	}
	return v;
}

static uint64_t id_of(const struct line *l, unsigned word)
{
	if (!word)
		return 0;
	return word <= l->words ? hash_bytes(l->word[word - 1].p, l->word[word - 1].n) | 1 : 1;
}

int user_lines_plausible(const struct user_protocol *p, enum proto_dir dir, const uint8_t *b, size_t n)
{
	const struct user_lines *d = &p->lines;
	ssize_t len = line_length(d, b, n);
	struct line l;

	if (len <= 0)
		return len ? 0 : -1;
	l = line_split(d, b, (size_t)len);
	if (!l.words || memchr(l.p, '\0', l.n))
		return 0;
	if (dir == FROM_CLIENT)
		return !d->requests.v || has_pattern(d->requests, &l) || has_pattern(d->oneway, &l);
	return 1;
}

/* The first words but the id. */
static void op_write(const struct user_lines *d, struct user_message *m, const struct line *l, bool raw)
{
	unsigned left = d->op_words;

	m->op_len = 0;
	if (raw) {
		m->op_len = (uint16_t)normalise_raw(m->op, sizeof(m->op), l->p, l->n);
		return;
	}
	for (unsigned i = 0; i < l->words && left && m->op_len + 2u < sizeof(m->op); i++) {
		if (i + 1 == d->request_id)
			continue;
		if (m->op_len)
			m->op[m->op_len++] = ' ';
		m->op_len += (uint16_t)normalise_name(m->op + m->op_len, sizeof(m->op) - m->op_len, l->word[i].p, l->word[i].n, false);
		left--;
	}
	if (!m->op_len)
		m->op_len = (uint16_t)normalise_raw(m->op, sizeof(m->op), "request", 7);
}

/* The word where the table knows it: no other one is shown. */
static const char *detail_of(const struct user_lines *d, const struct line *l)
{
	const struct user_name *t;

	if (!d->detail_word || d->detail_word > l->words)
		return NULL;
	for (t = d->details; t && t->text; t++)
		if (matches(t->text, l->word[d->detail_word - 1].p, l->word[d->detail_word - 1].n))
			return t->text;
	return NULL;
}

static void request_read(const struct user_lines *d, struct user_message *m, const struct line *l, const struct proto_sink *s)
{
	op_write(d, m, l, s->raw);
	m->id = id_of(l, d->request_id);
	m->oneway = has_pattern(d->oneway, l);
	m->ignored = !m->oneway && d->requests.v && !has_pattern(d->requests, l);
}

static void response_read(const struct user_lines *d, struct user_message *m, const struct line *l)
{
	int64_t status = number_of(l, d->status_word);

	m->id = id_of(l, d->response_id);
	m->ignored = has_pattern(d->ignore, l);
	m->error = has_pattern(d->client_error, l) ? REQ_CLIENT_ERROR : has_pattern(d->server_error, l) ? REQ_SERVER_ERROR : REQ_OK;
	m->status = status > 0 && status <= INT32_MAX ? (int)status : 0;
	m->detail = detail_of(d, l);
}

/* How many bytes the line and its body have, as far as that is known. PROTO_BAD. */
static ssize_t body_begin(const struct user_body *body, struct user_message *m, const struct line *l, size_t len)
{
	int64_t n;

	if (!has_pattern(body->when, l))
		return (ssize_t)len;
	if (body->until) {
		m->body_lines = true;
		return (ssize_t)len;
	}
	n = number_of(l, body->length_word);
	if (n < 0 || n > BODY_MAX)
		return PROTO_BAD;
	return (ssize_t)len + n + body->length_add;
}

static ssize_t body_line(const struct user_lines *d, const struct user_body *body, struct user_message *m,
			 const struct proto_bytes *b)
{
	ssize_t len = line_length(d, b->p, b->n);
	struct line l;

	if (len <= 0)
		return len;
	l = line_split(d, b->p, (size_t)len);
	m->body_lines = strlen(body->until) != l.n || memcmp(body->until, l.p, l.n);
	m->bytes += (uint64_t)len;
	return len;
}

ssize_t user_lines_parse(struct user_state *u, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	const struct user_lines *d = &u->def->lines;
	const struct user_body *body = dir == FROM_CLIENT ? &d->request_body : &d->response_body;
	struct user_message *m = &u->m[dir];
	struct line l;
	ssize_t len, all;

	if (m->open && m->body_lines)
		return body_line(d, body, m, b);
	if (m->open) {
		user_report(u, dir, proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	len = line_length(d, b->p, b->n);
	if (len <= 0)
		return len;
	l = line_split(d, b->p, (size_t)len);
	if (!l.words)
		return len;
	*m = (struct user_message){.begin_ns = proto_begin_ns(b)};
	if (dir == FROM_CLIENT)
		request_read(d, m, &l, s);
	else
		response_read(d, m, &l);
	all = body_begin(body, m, &l, (size_t)len);
	if (all < 0)
		return all;
	m->open = true;
	m->bytes = (uint64_t)all;
	return all;
}

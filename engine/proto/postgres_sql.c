/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/postgres_sql.h"
#include "proto/normalise.h"

#include <string.h>
#include <strings.h>

#define NAME_BYTES 64           /* NAMEDATALEN: what is longer the server cuts, too */
#define OP_MAX 1024

struct text {
	const char *s;
	size_t n, i;
};

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_to(struct text *t, const char *end)
{
	const char *at = memmem(t->s + t->i, t->n - t->i, end, strlen(end));

	t->i = at ? (size_t)(at - t->s) + strlen(end) : t->n;
}

static void skip_blank(struct text *t)
{
	while (t->i < t->n) {
		if (is_blank(t->s[t->i]))
			t->i++;
		else if (t->n - t->i > 1 && !memcmp(t->s + t->i, "--", 2))
			skip_to(t, "\n");
		else if (t->n - t->i > 1 && !memcmp(t->s + t->i, "/*", 2))
			skip_to(t, "*/");
		else
			return;
	}
}

static bool is_word(char c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || (uint8_t)c >= 0x80;
}

/* The next name as the server folds it, into out; its length, 0 where there is none. */
static size_t next_name(struct text *t, char out[NAME_BYTES])
{
	bool quoted;
	size_t n = 0;

	skip_blank(t);
	quoted = t->i < t->n && t->s[t->i] == '"';
	t->i += quoted;
	for (; t->i < t->n && (quoted || is_word(t->s[t->i])); t->i++) {
		char c = t->s[t->i];

		if (quoted && c == '"' && (++t->i == t->n || t->s[t->i] != '"'))
			break;
		if (!quoted && c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (n < NAME_BYTES - 1)
			out[n++] = c;
	}
	out[n] = '\0';
	return n;
}

/* "name (types) AS statement" */
static void note_prepare(struct statements *t, struct text *x, struct proto_sink *s)
{
	char name[NAME_BYTES], as[NAME_BYTES], op[OP_MAX];
	size_t n = next_name(x, name);

	skip_blank(x);
	if (x->i < x->n && x->s[x->i] == '(')
		skip_to(x, ")");
	next_name(x, as);
	if (!n || strcmp(as, "as"))
		return;
	skip_blank(x);
	statements_put(t, statement_key(name, n), op,
		       normalise_sql(op, sizeof(op), SQL_POSTGRES, x->s + x->i, x->n - x->i, s->raw), s);
}

static void note_deallocate(struct statements *t, struct text *x, struct proto_sink *s)
{
	char name[NAME_BYTES];
	size_t n = next_name(x, name);

	if (!strcmp(name, "prepare"))
		n = next_name(x, name);
	if (!strcmp(name, "all"))
		statements_done(t, s);
	else if (n)
		statements_drop(t, statement_key(name, n), s);
}

/* Several statements in one text are not taken apart. */
static bool is_one(const struct text *x)
{
	const char *end = memchr(x->s + x->i, ';', x->n - x->i);

	for (; end && ++end < x->s + x->n;)
		if (!is_blank(*end))
			return false;
	return true;
}

const char *postgres_sql(struct statements *t, const char *sql, size_t n, struct proto_sink *s)
{
	struct text x = {.s = sql, .n = n};
	char word[NAME_BYTES];

	/* most texts end here */
	next_name(&x, word);
	if (!strcmp(word, "prepare") && is_one(&x)) {
		note_prepare(t, &x, s);
	} else if (!strcmp(word, "deallocate")) {
		note_deallocate(t, &x, s);
	} else if (!strcmp(word, "discard")) {
		next_name(&x, word);
		if (!strcmp(word, "all"))
			statements_done(t, s);
	} else if (!strcmp(word, "execute") && is_one(&x)) {
		n = next_name(&x, word);
		return statements_get(t, statement_key(word, n));
	}
	return NULL;
}

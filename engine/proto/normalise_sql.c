/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SQL as PostgreSQL reads it (manual, 4.1 Lexical Structure), and where they differ MySQL (manual, 9 Language Structure), SQL Server
 * and ClickHouse: a lexer that writes as it goes.  What is not known to be a name, a keyword or an operator is taken for a
 * literal: when in doubt a value is dropped, never kept.  Where a backslash stands before a quote PostgreSQL's settings decide what
 * the quote is: the rest of the text is then part of the literal.  MySQL is taken as it is installed: backslashes escape,
 * double quotes are strings (no NO_BACKSLASH_ESCAPES; with ANSI_QUOTES names are taken for literals).
 */
#include "proto/normalise.h"
#include "proto/normalise_out.h"

#include <string.h>
#include <strings.h>

#define DEPTH_MAX 32

enum kind {             /* of the token written last */
	NOTHING = 0, KEYWORD, NAME, LITERAL, OPERATOR, OPEN, CLOSE, COMMA, DOT, SEMICOLON, BRACKET,
};

struct level {                  /* of an open parenthesis or bracket */
	size_t at;              /* where it was written */
	bool list;              /* of IN, ANY, VALUES, ARRAY: collapses */
	bool plain;             /* holds nothing but literals */
	bool row;               /* directly of VALUES */
};

struct sql {
	struct out o;
	enum sql_dialect dialect;
	const char *s;
	size_t n, i;
	enum kind last;
	bool space;             /* white space before this token */
	bool opens_list;        /* the last token was IN, ANY, ARRAY ... */
	unsigned depth;
	struct level level[DEPTH_MAX];
	unsigned values_depth;  /* VALUES was seen at this depth, + 1; 0: not in VALUES */
	size_t first_row_end;   /* where the first row of VALUES ended; 0: not yet */
	/* of this statement */
	bool updates;           /* UPDATE was seen: SET names columns */
	bool sets;              /* SET was seen: what follows "=" or TO is a parameter's value */
	bool identified;        /* IDENTIFIED was seen: what follows BY is a password */
	bool secret;            /* a bare word here is a password */
	bool handles;           /* names with digits are made by drivers: savepoints, cursors, prepared statements */
	bool inserts;           /* INSERT was seen: data may follow in the same text (ClickHouse: FORMAT) */
	bool value;             /* a parameter's value runs to the end of the statement */
	size_t value_end;       /* where its "?" ended in the text; 0: not yet written */
};

static const char *const keywords[26] = {
	" ABORT ADD ALL ALTER ANALYZE AND ANY ARRAY AS ASC ", " BEGIN BETWEEN BY BOTH ",
	" CASCADE CASE CAST CLOSE COLLATE COLUMN COMMIT CONFLICT CONSTRAINT COPY CREATE CROSS CUBE CURSOR ",
	" DATABASE DEALLOCATE DECLARE DEFAULT DELETE DESC DISCARD DISTINCT DO DROP ",
	" ELSE END EXCEPT EXECUTE EXISTS EXPLAIN ", " FALSE FETCH FILTER FIRST FOR FOREIGN FROM FULL FUNCTION ",
	" GRANT GROUP GROUPING ", " HAVING ", " IF ILIKE IN INDEX INNER INSERT INTERSECT INTERVAL INTO IS ISNULL ",
	" JOIN ", " KEY ", " LAST LATERAL LEFT LIKE LIMIT LISTEN LOCK ", " MATERIALIZED ",
	" NATURAL NOT NOTHING NOTIFY NOTNULL NOWAIT NULL NULLS ", " OFFSET ON ONLY OR ORDER OUTER OVER ",
	" PARTITION PREPARE PRIMARY PROCEDURE ", "",
	" RECURSIVE REFERENCES REINDEX RELEASE RESET RETURNING REVOKE RIGHT ROLLBACK ROLLUP ROW ROWS ", " SAVEPOINT SELECT SEQUENCE SET SHARE SHOW SIMILAR SKIP SOME START STDIN STDOUT ",
	" TABLE TEMP TEMPORARY THEN TO TRANSACTION TRIGGER TRUE TRUNCATE ", " UNION UNIQUE UNLISTEN UPDATE USING ",
	" VACUUM VALUES VIEW ", " WHEN WHERE WINDOW WITH ", "", "", "",
};

static bool is_letter(char c)
{
	return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || (uint8_t)c >= 0x80;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

static bool is_keyword(const char *s, size_t n)
{
	unsigned letter = (unsigned)((s[0] | 0x20) - 'a');
	char word[20] = " ";

	if (letter >= 26 || n < 2 || n > 13 || !keywords[letter][0])
		return false;
	for (size_t i = 0; i < n; i++) {
		if (((s[i] | 0x20) < 'a' || (s[i] | 0x20) > 'z'))
			return false;
		word[i + 1] = (char)(s[i] & ~0x20);
	}
	word[n + 1] = ' ';
	return strstr(keywords[letter], word);
}

static bool word_is(const char *s, size_t n, const char *w)
{
	return strlen(w) == n && !strncasecmp(s, w, n);
}

static char peek(const struct sql *q, size_t k)
{
	return q->i + k < q->n ? q->s[q->i + k] : '\0';
}

static void skip_comment(struct sql *q)
{
	unsigned depth = 1;

	q->i += 2;
	while (q->i < q->n && depth) {
		if (peek(q, 0) == '/' && peek(q, 1) == '*' && q->dialect != SQL_MYSQL)
			depth++, q->i++;
		else if (peek(q, 0) == '*' && peek(q, 1) == '/')
			depth--, q->i++;
		q->i++;
	}
	if (q->i > q->n)
		q->i = q->n;
}

/* Does a comment to the end of the line begin here? In MySQL "5--3" is no comment, in PostgreSQL "#" is an operator. */
static bool is_line_comment(const struct sql *q)
{
	char c = peek(q, 0), next = peek(q, 1);

	if (c == '#')
		return q->dialect == SQL_MYSQL || (q->dialect == SQL_CLICKHOUSE && (next == ' ' || next == '!'));
	return c == '-' && next == '-' && (q->dialect != SQL_MYSQL || q->i + 2 >= q->n || is_space(q->s[q->i + 2]));
}

/* White space and comments. */
static void skip_blank(struct sql *q)
{
	q->space = false;
	while (q->i < q->n) {
		if (is_space(q->s[q->i])) {
			q->i++;
		} else if (is_line_comment(q)) {
			const char *lf = memchr(q->s + q->i, '\n', q->n - q->i);

			q->i = lf ? (size_t)(lf - q->s) + 1 : q->n;
		} else if (q->s[q->i] == '/' && peek(q, 1) == '*') {
			skip_comment(q);
		} else {
			return;
		}
		q->space = true;
	}
}

/* One space between tokens, but none inside of parentheses, around points and before commas. */
static bool wants_space(const struct sql *q, enum kind next)
{
	if (q->last == NOTHING || q->last == OPEN || q->last == DOT || q->last == BRACKET)
		return false;
	if (next == CLOSE || next == COMMA || next == DOT || next == SEMICOLON)
		return false;
	if (next == BRACKET)
		return q->last == OPERATOR || q->last == COMMA || (q->last == KEYWORD && q->dialect == SQL_CLICKHOUSE);
	if (next == OPEN)
		return q->last != NAME || q->space;
	return true;
}

static void put_gap(struct sql *q, enum kind next)
{
	if (next != LITERAL && next != COMMA && next != CLOSE && q->depth && q->depth <= DEPTH_MAX)
		q->level[q->depth - 1].plain = false;
	if (wants_space(q, next))
		out_char(&q->o, ' ');
	q->last = next;
}

static void put_literal(struct sql *q)
{
	put_gap(q, LITERAL);
	out_char(&q->o, '?');
	q->opens_list = false;
}

/* To behind the closing quote, doubled quotes inside; false where it is not closed. */
static bool skip_quoted(struct sql *q, char quote)
{
	q->i++;
	while (q->i < q->n) {
		char c = q->s[q->i++];

		if (c == quote && peek(q, 0) == quote)
			q->i++;
		else if (c == quote)
			return true;
	}
	return false;
}

/* "::type", "::type(3)[]" behind a literal belongs to it. */
static void skip_casts(struct sql *q)
{
	size_t back = q->i;

	skip_blank(q);
	while (peek(q, 0) == ':' && peek(q, 1) == ':') {
		q->i += 2;
		skip_blank(q);
		while (q->i < q->n && (is_letter(q->s[q->i]) || is_digit(q->s[q->i]) || q->s[q->i] == '.'))
			q->i++;
		if (peek(q, 0) == '(')
			while (q->i < q->n && q->s[q->i++] != ')')
				;
		while (peek(q, 0) == '[' && peek(q, 1) == ']')
			q->i += 2;
		back = q->i;
		skip_blank(q);
	}
	q->i = back;
}

/* A quote behind a backslash ends the string or does not (standard_conforming_strings): is there one before q->i? */
static bool is_doubtful(const struct sql *q, size_t begin)
{
	size_t back = q->i - 1;

	while (back > begin + 1 && q->s[back - 1] == '\\')
		back--;
	return (q->i - 1 - back) % 2;
}

/* ESCAPE takes one character, so this backslash is it. */
static bool is_escape_clause(const struct sql *q)
{
	size_t i = q->i;

	while (i && is_space(q->s[i - 1]))
		i--;
	return i >= 6 && word_is(q->s + i - 6, 6, "escape") && q->i + 2 < q->n && !memcmp(q->s + q->i, "'\\'", 3) &&
	       peek(q, 3) != '\'';
}

static void skip_string(struct sql *q, bool backslash)
{
	bool doubt = !backslash && q->dialect == SQL_POSTGRES;
	size_t begin = q->i++;
	char quote = q->s[begin];

	while (q->i < q->n) {
		char c = q->s[q->i++];

		if (c == '\\' && backslash)
			q->i += q->i < q->n;
		else if (c == quote && doubt && is_doubtful(q, begin))
			q->i = q->n;
		else if (c == quote && peek(q, 0) == quote)
			q->i++;
		else if (c == quote)
			return;
	}
}

static void lex_string(struct sql *q, bool backslash)
{
	if (is_escape_clause(q))
		q->i += 3;
	else
		skip_string(q, backslash || q->dialect == SQL_MYSQL || q->dialect == SQL_CLICKHOUSE);
	put_literal(q);
	skip_casts(q);
}

static void lex_number(struct sql *q)
{
	while (q->i < q->n) {
		char c = q->s[q->i];

		if ((c == '+' || c == '-') && (q->s[q->i - 1] | 0x20) == 'e' && is_digit(peek(q, 1)))
			q->i++;
		else if (is_digit(c) || is_letter(c) || c == '.')
			q->i++;
		else
			break;
	}
	put_literal(q);
	skip_casts(q);
}

/* $1, $tag$...$tag$ */
static void lex_dollar(struct sql *q)
{
	size_t begin = q->i++, tag;
	const char *end;

	if (is_digit(peek(q, 0))) {
		while (is_digit(peek(q, 0)))
			q->i++;
		put_literal(q);
		skip_casts(q);
		return;
	}
	while (q->i < q->n && (is_letter(q->s[q->i]) || is_digit(q->s[q->i])))
		q->i++;
	if (peek(q, 0) == '$') {
		tag = ++q->i - begin;
		end = memmem(q->s + q->i, q->n - q->i, q->s + begin, tag);
		q->i = end ? (size_t)(end - q->s) + tag : q->n;
	}
	put_literal(q);
	skip_casts(q);
}

static bool has_digit(const char *s, size_t n)
{
	while (n && !is_digit(s[n - 1]))
		n--;
	return n;
}

/* "name", `name`, [name]: one that is not closed is a literal. */
static void lex_quoted_name(struct sql *q, char close)
{
	size_t begin = q->i;

	if (!skip_quoted(q, close)) {
		put_literal(q);
		return;
	}
	if (q->handles && has_digit(q->s + begin, q->i - begin)) {
		put_literal(q);
		return;
	}
	put_gap(q, NAME);
	out_text(&q->o, q->s + begin, q->i - begin);
	q->opens_list = false;
}

/* "@name", "@@name": a variable; with a number at its end the driver has named it: a literal. */
static void lex_variable(struct sql *q)
{
	size_t begin = q->i;

	while (peek(q, 0) == '@')
		q->i++;
	while (q->i < q->n && (is_letter(q->s[q->i]) || is_digit(q->s[q->i]) || q->s[q->i] == '$' || q->s[q->i] == '.'))
		q->i++;
	if (is_digit(q->s[q->i - 1])) {
		put_literal(q);
		return;
	}
	put_gap(q, NAME);
	out_text(&q->o, q->s + begin, q->i - begin);
	q->opens_list = false;
}

/* What a keyword says about the values behind it. */
static void note_keyword(struct sql *q, const char *s, size_t n)
{
	if (word_is(s, n, "update"))
		q->updates = true;
	else if (word_is(s, n, "set"))
		q->sets = !q->updates;
	else if (word_is(s, n, "to"))
		q->value = q->sets;
	else if (word_is(s, n, "by"))
		q->secret = q->identified;
	else if (word_is(s, n, "insert"))
		q->inserts = true;
	else if (word_is(s, n, "cursor") || word_is(s, n, "for") || word_is(s, n, "as"))
		q->handles = false;
}

/* Statements whose names are handles that drivers number. */
static bool begins_handles(const char *s, size_t n)
{
	static const char *const words[] = {"savepoint", "release", "rollback", "declare", "fetch", "close", "deallocate", "move"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (word_is(s, n, words[i]))
			return true;
	return false;
}

/* NULL among values is one of them; behind IS, NOT, DEFAULT, SET it is a condition or a definition. */
static bool is_null_value(const struct sql *q)
{
	return q->last == OPEN || q->last == COMMA || q->last == OPERATOR || q->last == BRACKET;
}

static void put_keyword(struct sql *q, const char *s, size_t n)
{
	put_gap(q, KEYWORD);
	for (size_t i = 0; i < n; i++)
		out_char(&q->o, (char)(s[i] & ~0x20));
	if (word_is(s, n, "values")) {
		q->values_depth = q->depth + 1;
		q->first_row_end = 0;
	} else if (q->depth + 1 == q->values_depth) {
		q->values_depth = 0;
	}
	q->opens_list = word_is(s, n, "in") || word_is(s, n, "any") || word_is(s, n, "array") || word_is(s, n, "values");
	note_keyword(q, s, n);
}

/* A password without quotes is a mistake, but was said. */
static void lex_secret(struct sql *q)
{
	while (q->i < q->n && !is_space(q->s[q->i]) && !memchr(",;()'\"$", q->s[q->i], 7))
		q->i++;
	put_literal(q);
}

/* "INSERT INTO t FORMAT CSV", and the data: nothing behind the format's name is SQL. */
static void lex_format(struct sql *q, const char *w, size_t n)
{
	size_t begin;

	put_gap(q, NAME);
	out_text(&q->o, w, n);
	skip_blank(q);
	for (begin = q->i; q->i < q->n && (is_letter(q->s[q->i]) || is_digit(q->s[q->i])); q->i++)
		;
	if (q->i > begin) {
		put_gap(q, NAME);
		out_text(&q->o, q->s + begin, q->i - begin);
	}
	q->i = q->n;
}

static void lex_word(struct sql *q, bool secret)
{
	size_t begin = q->i, n;
	const char *w = q->s + begin;

	while (q->i < q->n && (is_letter(q->s[q->i]) || is_digit(q->s[q->i]) || q->s[q->i] == '$'))
		q->i++;
	n = q->i - begin;
	if (n == 1 && peek(q, 0) == '\'' && strchr("eEbBxXnN", *w)) {
		lex_string(q, (*w | 0x20) == 'e');
		return;
	}
	if (n == 1 && (*w | 0x20) == 'u' && peek(q, 0) == '&' && (peek(q, 1) == '\'' || peek(q, 1) == '"')) {
		q->i++;
		skip_quoted(q, peek(q, 0));
		put_literal(q);
		return;
	}
	if (word_is(w, n, "true") || word_is(w, n, "false") || (word_is(w, n, "null") && is_null_value(q))) {
		put_literal(q);
		skip_casts(q);
		return;
	}
	if (secret && !is_keyword(w, n) && !word_is(w, n, "password")) {
		q->i = begin;
		lex_secret(q);
		return;
	}
	if ((q->last == NOTHING || q->last == SEMICOLON) && begins_handles(w, n))
		q->handles = true;
	if (q->last != DOT && is_keyword(w, n)) {
		put_keyword(q, w, n);
		return;
	}
	if (q->inserts && q->dialect == SQL_CLICKHOUSE && word_is(w, n, "format")) {
		lex_format(q, w, n);
		return;
	}
	if (q->handles && has_digit(w, n)) {
		put_literal(q);
		return;
	}
	if (word_is(w, n, "password"))
		q->secret = true;
	else if (word_is(w, n, "identified"))
		q->identified = true;
	put_gap(q, NAME);
	out_text(&q->o, w, n);
	q->opens_list = false;
}

static void lex_open(struct sql *q, char c)
{
	bool row = c == '(' && q->values_depth == q->depth + 1;
	bool array = c == '[' && q->last != NAME && q->last != CLOSE;

	put_gap(q, c == '(' ? OPEN : BRACKET);
	if (q->depth < DEPTH_MAX)
		q->level[q->depth] = (struct level){.at = q->o.n, .list = q->opens_list || row || array, .plain = true, .row = row};
	q->depth++;
	out_char(&q->o, c);
	q->opens_list = false;
	q->i++;
}

/* The list of one level is complete: literals alone become one, the rows of VALUES the first. */
static void lex_close(struct sql *q, char c)
{
	struct level *l = NULL;

	put_gap(q, CLOSE);
	if (q->depth && --q->depth < DEPTH_MAX)
		l = &q->level[q->depth];
	if (l && l->list && l->plain && !q->o.full && q->o.n > l->at + 2) {
		q->o.n = l->at + 1;
		out_char(&q->o, '?');
	}
	out_char(&q->o, c);
	if (l && l->row && !q->o.full) {
		if (q->first_row_end)
			q->o.n = q->first_row_end;
		q->first_row_end = q->o.n;
	}
	if (q->values_depth > q->depth + 1)
		q->values_depth = 0;
	q->i++;
}

static bool is_signed_number(const struct sql *q)
{
	char c = peek(q, 0), next = peek(q, 1);

	return (c == '-' || c == '+') && (is_digit(next) || (next == '.' && is_digit(peek(q, 2))));
}

/* A sign before a number belongs to it where no operand stands before it. */
static bool is_sign(const struct sql *q)
{
	return is_signed_number(q) && q->last != NAME && q->last != LITERAL && q->last != CLOSE;
}

static void lex_operator(struct sql *q)
{
	size_t begin = q->i;

	while (q->i < q->n && strchr("+-*/<>=~!@#%^&|`?:", q->s[q->i]) && q->s[q->i]) {
		if (q->i > begin && (is_signed_number(q) || is_line_comment(q) || (peek(q, 0) == '/' && peek(q, 1) == '*')))
			break;
		/* PostgreSQL has operators with a question mark, the others have none but for parameters */
		if (q->dialect != SQL_POSTGRES && q->s[q->i] == '?' && q->i > begin)
			break;
		q->i++;
	}
	if (q->i == begin)
		q->i++;
	if (q->i - begin == 1 && q->s[begin] == '?') {
		put_literal(q);
		return;
	}
	if (q->i - begin == 2 && q->s[begin] == ':' && q->s[begin + 1] == ':') {
		put_gap(q, DOT);
		out_text(&q->o, "::", 2);
		return;
	}
	if (q->sets && q->s[q->i - 1] == '=')
		q->value = true;
	put_gap(q, q->i - begin == 1 && q->s[begin] == '*' && (q->last == OPEN || q->last == DOT) ? NAME : OPERATOR);
	out_text(&q->o, q->s + begin, q->i - begin);
	q->opens_list = false;
}

static void lex_mark(struct sql *q, enum kind k, char c)
{
	put_gap(q, k);
	out_char(&q->o, c);
	q->opens_list = false;
	q->i++;
	if (k == SEMICOLON) {
		q->values_depth = 0;
		q->updates = q->sets = q->identified = q->secret = q->value = q->handles = q->inserts = false;
		q->value_end = 0;
	}
}

/* "#t", "##t": a table of SQL Server's that lives as long as the session. */
static void lex_temporary(struct sql *q)
{
	size_t begin = q->i;

	while (peek(q, 0) == '#')
		q->i++;
	while (q->i < q->n && (is_letter(q->s[q->i]) || is_digit(q->s[q->i])))
		q->i++;
	put_gap(q, NAME);
	out_text(&q->o, q->s + begin, q->i - begin);
	q->opens_list = false;
}

/* "{name:Type}" of ClickHouse; what else stands in braces is a literal too. */
static void lex_parameter(struct sql *q)
{
	const char *end = memchr(q->s + q->i, '}', q->n - q->i);

	q->i = end ? (size_t)(end - q->s) + 1 : q->n;
	put_literal(q);
}

static void lex_token(struct sql *q)
{
	char c = q->s[q->i];
	bool secret = q->secret;

	q->secret = false;
	if (is_letter(c))
		lex_word(q, secret);
	else if (secret && is_digit(c))
		lex_secret(q);
	else if (is_digit(c) || (c == '.' && is_digit(peek(q, 1))))
		lex_number(q);
	else if (is_sign(q))
		q->i++, lex_number(q);
	else if (c == '\'')
		lex_string(q, false);
	else if (c == '$')
		lex_dollar(q);
	else if (c == '"' && q->dialect == SQL_MYSQL)
		lex_string(q, true);
	else if (c == '"')
		lex_quoted_name(q, '"');
	else if (c == '`' && (q->dialect == SQL_MYSQL || q->dialect == SQL_CLICKHOUSE))
		lex_quoted_name(q, '`');
	else if (c == '[' && q->dialect == SQL_TDS)
		lex_quoted_name(q, ']');
	else if (c == '@' && (q->dialect == SQL_MYSQL || q->dialect == SQL_TDS))
		lex_variable(q);
	else if (c == '#' && q->dialect == SQL_TDS)
		lex_temporary(q);
	else if (c == '{' && q->dialect == SQL_CLICKHOUSE)
		lex_parameter(q);
	else if (c == '(' || c == '[')
		lex_open(q, c);
	else if (c == ')' || c == ']')
		lex_close(q, c);
	else if (c == ',')
		lex_mark(q, COMMA, c);
	else if (c == '.')
		lex_mark(q, DOT, c);
	else if (c == ';')
		lex_mark(q, SEMICOLON, c);
	else
		lex_operator(q);
}

/* Any token of a parameter's value: all of them together are one literal. */
static void lex_value(struct sql *q)
{
	bool full;

	if (!q->value_end) {
		put_literal(q);
		q->value_end = q->o.n;
	}
	full = q->o.full;
	lex_token(q);
	q->o.n = q->value_end;
	q->o.full = full;
	q->last = LITERAL;
}

size_t normalise_sql(char *out, size_t cap, enum sql_dialect dialect, const char *sql, size_t n, bool raw)
{
	struct sql q = {.o = {.p = out, .cap = cap}, .dialect = dialect, .s = sql, .n = n};

	if (raw)
		return normalise_raw(out, cap, sql, n);

	for (skip_blank(&q); q.i < n && !q.o.full; skip_blank(&q)) {
		if (q.value && sql[q.i] != ';')
			lex_value(&q);
		else
			lex_token(&q);
	}
	while (!q.o.full && q.o.n && (out[q.o.n - 1] == ';' || out[q.o.n - 1] == ' '))
		q.o.n--;
	return out_end(&q.o);
}

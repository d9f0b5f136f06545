/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/mask.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define STARS "***"
#define DOTS "\xe2\x80\xa6"   /* "…": cut */
#define RAW_MAX 2048          /* of the masked text before it is made clean and cut */

/* Anywhere in a name. */
static const char *const secret_parts[] = {
	"password", "passwd", "passphrase", "secret", "token", "apikey", "api-key", "api_key", "accesskey", "access-key",
	"access_key", "privatekey", "private-key", "private_key", "credential", "authorization", "cookie", "signature",
	"requirepass", "masterauth", "from-literal",
};
/* A whole part of a name, between '-', '_' and '.'. */
static const char *const secret_words[] = { "pass", "pwd", "key", "auth", "pw", "passin", "passout", "bearer", "sig", "jwt" };
/* Words that are secrets by their form. */
static const char *const token_forms[] = { "eyJ", "sk-", "sk_", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xox", "AKIA", "ASIA" };

/* Behind these the rest of an address is a secret. */
static const char *const hooks[] = { "hooks.slack.com/services/", "discord.com/api/webhooks/", "api.telegram.org/bot" };

enum value { PLAIN = 0, SECRET, CODE };

/* Options of well-known clients whose value is a secret, or a statement that may hold one. */
static const struct client {
	const char *program;      /* with '*': all that begins so */
	const char *secret;       /* letters of short options: the value is a secret, attached or the next word */
	const char *attached;     /* an attached value is; alone they ask for it */
	const char *code;         /* the value is a statement */
	const char *takes;        /* another value: what stands behind them in a group is no option */
	const char *secrets, *codes;          /* the same of long options */
	const char *tail;         /* words behind which everything is a secret */
	bool statements;          /* arguments of several words are statements */
} clients[] = {
	{ .program = "mysql", .code = "e", .attached = "p", .takes = "uhPSD", .codes = "execute init-command" },
	{ .program = "mariadb", .code = "e", .attached = "p", .takes = "uhPSD", .codes = "execute init-command" },
	{ .program = "mysql*", .attached = "p", .takes = "uhPSD" },
	{ .program = "mariadb*", .attached = "p", .takes = "uhPSD" },
	{ .program = "psql", .code = "c", .takes = "dfFLoPRTvhpU", .codes = "command" },
	{ .program = "sqlcmd", .secret = "P", .code = "qQ", .takes = "SUdioHhstlmvwyYrck", .codes = "query initial-query" },
	{ .program = "bcp", .secret = "P", .takes = "SUdefbtrh" },
	{ .program = "sqlite*", .codes = "cmd", .statements = true },
	{ .program = "duckdb", .code = "cs", .codes = "cmd", .statements = true },
	{ .program = "mongo*", .secret = "p", .takes = "uhdcofq", .codes = "eval" },
	{ .program = "clickhouse*", .code = "q", .takes = "hudC", .codes = "query" },
	{ .program = "cqlsh", .secret = "p", .code = "e", .takes = "ufk", .codes = "execute" },
	{ .program = "influx", .secret = "t", .codes = "execute" },
	{ .program = "redis-*", .secret = "a", .takes = "hpsnudrXi", .tail = "auth hello" },
	{ .program = "valkey-*", .secret = "a", .takes = "hpsnudrXi", .tail = "auth hello" },
	{ .program = "curl", .secret = "uUb", .takes = "AcCdDeEFHhKmoPQrtTwxXyYz", .secrets = "user proxy-user" },
	{ .program = "wget", .takes = "oaeitOTQPUlADIRX", .secrets = "user proxy-user" },
	{ .program = "ab", .secret = "AP", .takes = "ncstbpuTvxyzCHXgeBmfEZ" },
	{ .program = "ldap*", .secret = "w", .takes = "HDbsfhpUYRXOlzaoPI" },
	{ .program = "smbclient", .secret = "U" },
	{ .program = "openssl", .secrets = "k K" },
	{ .program = "rabbitmqadmin", .secret = "p" },
	{ .program = "sshpass", .secret = "p" },
	{ .program = "unzip", .secret = "P" },
	{ .program = "zip", .secret = "P" },
	{ .program = "7z*", .attached = "p" },
	{ .program = "login", .secret = "p", .takes = "ut" },     /* "az login", "docker login" */
	{ .program = "vault", .tail = "login" },
	{ .program = "htpasswd", .tail = "-b -nb -bn -bc -cb -nbB -bB -Bb -nBb -bm -nbm" },
};

struct mask {
	char *out;
	size_t n, cap;
	enum value next;          /* what the next word is */
	bool soft;                /* unless that is an option, or an operator of the shell */
	bool rest;                /* everything from here on is a secret */
	bool started;             /* the program's own name is behind us */
	const char *program;      /* the last word that names a client above */
	size_t program_len;
};

static void put(struct mask *m, const char *s, size_t n)
{
	if (n > m->cap - m->n)
		n = m->cap - m->n;
	memcpy(m->out + m->n, s, n);
	m->n += n;
}

static bool contains(const char *s, size_t n, const char *part)
{
	size_t len = strlen(part);

	for (size_t i = 0; i + len <= n; i++)
		if (!strncasecmp(s + i, part, len))
			return true;
	return false;
}

static bool word_is(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && !strncasecmp(s, word, n);
}

/* Does a name (of an option, a variable, a header) say that its value is a secret? */
static bool name_is_secret(const char *s, size_t n)
{
	for (size_t i = 0; i < sizeof(secret_parts) / sizeof(secret_parts[0]); i++)
		if (contains(s, n, secret_parts[i]))
			return true;
	for (size_t at = 0; at < n;) {
		size_t len = 0;
		while (at + len < n && !strchr("-_.", s[at + len]))
			len++;
		for (size_t i = 0; len && i < sizeof(secret_words) / sizeof(secret_words[0]); i++)
			if (word_is(s + at, len, secret_words[i]))
				return true;
		at += len + 1;
	}
	return false;
}

static bool name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static bool token_form(const char *s, size_t n)
{
	for (size_t i = 0; i < sizeof(token_forms) / sizeof(token_forms[0]); i++) {
		size_t len = strlen(token_forms[i]);
		if (n >= 16 && n > len && !memcmp(s, token_forms[i], len))
			return true;
	}
	return false;
}

/* The bytes of a value that begins at s: to the end of its quote, which is behind s where one is given; or to a separator. */
static size_t value_length(const char *s, size_t n, char quote)
{
	size_t len = 0;

	if (quote) {
		const char *end = memchr(s, quote, n);
		return end ? (size_t)(end - s) : n;
	}
	while (len < n && !strchr(" \t\n;&,'\"", s[len]))
		len++;
	return len;
}

/* A whole value at s, of n bytes at most: a quoted one with its quotes, to the next blank. */
static size_t value_span(const char *s, size_t n)
{
	size_t len = 0;

	if (n && (s[0] == '\'' || s[0] == '"')) {
		len = 1 + value_length(s + 1, n - 1, s[0]);
		len += len < n;
	}
	while (len < n && !isspace((unsigned char)s[len]))
		len++;
	return len;
}

static void put_value(struct mask *m, enum value v)
{
	if (v == CODE)
		put(m, DOTS, sizeof(DOTS) - 1);
	else
		put(m, STARS, 3);
}

/* "user:secret@host": how many bytes of an authority are userinfo, 0 none. To the last '@', because people write secrets as they
 * are; for the same reason beyond a '/', where what follows a ':' is no port. */
static size_t userinfo_length(const char *s, size_t n)
{
	size_t user = 0, i = 0, colon = n;

	for (; i < n && s[i] != '/'; i++) {
		if (s[i] == '@')
			user = i;
		else if (s[i] == ':')
			colon = i;
	}
	if (user || colon + 1 >= i || s[0] == '[' || isdigit((unsigned char)s[colon + 1]))
		return user;
	for (; i < n; i++)
		if (s[i] == '@')
			user = i;
	return user;
}

/* Behind "scheme://": of userinfo stars, of a query dots. Bytes taken. */
static size_t put_authority(struct mask *m, const char *s, size_t n)
{
	size_t len = 0, user;

	while (len < n && !strchr(" \t'\"", s[len]))
		len++;
	user = userinfo_length(s, len);
	if (user)
		put(m, STARS, 3);
	return user;
}

/* A query, and what is behind a hook's address: how many bytes are to be shown before the dots; 0: it is none of these. */
static size_t cut_at(const char *s, size_t n, bool url, bool path)
{
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		size_t len = strlen(hooks[i]);
		if (n > len && !memcmp(s, hooks[i], len))
			return len;
	}
	return *s == '?' && n > 1 && (url || (path && memchr(s, '=', n))) ? 1 : 0;
}

/* The value behind a secret's name, in a word of n bytes more: stars. Bytes taken, up to max where it is quoted; 0 where no value
 * follows. */
static size_t put_assigned(struct mask *m, const char *s, size_t n, size_t max)
{
	size_t sep = 0, len;
	char quote = 0;

	while (sep < n && s[sep] && strchr("'\"=:\\", s[sep]))
		sep++;
	if (!sep || (!memchr(s, '=', sep) && !memchr(s, ':', sep)) || (sep == 1 && n > 3 && !memcmp(s, "://", 3)))
		return 0;
	if (s[sep - 1] == '\'' || s[sep - 1] == '"')
		quote = s[sep - 1];
	put(m, s, sep);
	len = value_length(s + sep, (quote ? max : n) - sep, quote);
	if (len)
		put(m, STARS, 3);
	return sep + len;
}

/* A word of n bytes without a secret as a whole: masks "name=value", userinfo and queries inside it. Bytes taken: more than
 * n, and up to max, where a quoted value goes on behind it. */
static size_t put_inside(struct mask *m, const char *s, size_t n, size_t max)
{
	bool url = false;
	size_t at = 0;

	while (at < n) {
		size_t len = cut_at(s + at, n - at, url, memchr(s, '/', at) != NULL);
		if (len) {
			put(m, s + at, len);
			put(m, DOTS, sizeof(DOTS) - 1);
			at += len;
			while (at < n && !strchr(" \t'\"", s[at]))
				at++;
			continue;
		}
		if (n - at > 3 && !memcmp(s + at, "://", 3)) {
			put(m, s + at, 3);
			at += 3;
			at += put_authority(m, s + at, n - at);
			url = true;
			continue;
		}
		while (at + len < n && name_char(s[at + len]))
			len++;
		if (!len) {
			put(m, s + at++, 1);
			continue;
		}
		if (token_form(s + at, len))
			put(m, STARS, 3);
		else
			put(m, s + at, len);
		bool secret = name_is_secret(s + at, len);
		at += len;
		if (secret && at < n)
			at += put_assigned(m, s + at, n - at, max - at);
	}
	return at;
}

static const char *base_of(const char *s, size_t *n)
{
	const char *slash = memrchr(s, '/', *n);

	if (slash) {
		*n -= (size_t)(slash + 1 - s);
		return slash + 1;
	}
	return s;
}

static bool in_words(const char *list, const char *s, size_t n)
{
	size_t len;

	for (; list && *list; list += len + (list[len] == ' ')) {
		len = strcspn(list, " ");
		if (len == n && !strncasecmp(list, s, n))
			return true;
	}
	return false;
}

/* The row of m's program behind c; from the first one where c is NULL. */
static const struct client *client_next(const struct mask *m, const struct client *c)
{
	const struct client *end = clients + sizeof(clients) / sizeof(clients[0]);

	for (c = c ? c + 1 : clients; m->program && c < end; c++) {
		size_t len = strcspn(c->program, "*");
		if (m->program_len >= len && !memcmp(m->program, c->program, len) &&
		    (c->program[len] || m->program_len == len))
			return c;
	}
	return NULL;
}

static bool has(const char *letters, char c)
{
	return letters && c && strchr(letters, c);
}

/* Of a word that is one or several short options: what the value behind *shown bytes is. */
static enum value short_options(const struct client *c, const char *s, size_t n, size_t *shown)
{
	for (size_t i = 1; i < n && isalnum((unsigned char)s[i]); i++) {
		*shown = i + 1;
		if (has(c->secret, s[i]))
			return SECRET;
		if (has(c->attached, s[i]))
			return i + 1 < n ? SECRET : PLAIN;
		if (has(c->code, s[i]))
			return CODE;
		if (has(c->takes, s[i]))
			break;
	}
	return PLAIN;
}

static enum value long_option(const struct client *c, const char *s, size_t n, size_t *shown)
{
	const char *equals = memchr(s, '=', n);
	size_t len = equals ? (size_t)(equals - s) : n, dashes = n > 1 && s[1] == '-' ? 2 : 1;

	*shown = equals ? len + 1 : n;
	if (in_words(c->secrets, s + dashes, len - dashes))
		return SECRET;
	return in_words(c->codes, s + dashes, len - dashes) ? CODE : PLAIN;
}

/* What the value of this option is; it begins behind *shown bytes, or is the next word where these are all. */
static enum value option_value(const struct mask *m, const char *s, size_t n, size_t *shown)
{
	enum value v = PLAIN;

	if (n < 2 || s[0] != '-')
		return PLAIN;
	for (const struct client *c = client_next(m, NULL); c && !v; c = client_next(m, c)) {
		v = long_option(c, s, n, shown);
		if (!v && s[1] != '-')
			v = short_options(c, s, n, shown);
	}
	/* of other programs: -psecret, but not -p8080 */
	if (!v && n > 3 && !memcmp(s, "-p", 2) && !m->program && !isdigit((unsigned char)s[2]) && !memchr(s, '=', n) &&
	    !memchr(s, '/', n) && !memchr(s + 1, '-', n - 1) && name_char(s[2]) && memcmp(s, "-pid", 4)) {
		*shown = 2;
		v = SECRET;
	}
	return v;
}

/* "redis-cli AUTH": nothing behind it is shown. */
static bool begins_tail(const struct mask *m, const char *s, size_t n)
{
	for (const struct client *c = client_next(m, NULL); c; c = client_next(m, c))
		if (in_words(c->tail, s, n))
			return true;
	return false;
}

static void program_note(struct mask *m, const char *s, size_t n)
{
	struct mask named = *m;

	named.program = base_of(s, &n);
	named.program_len = n;
	if (client_next(&named, NULL)) {
		m->program = named.program;
		m->program_len = n;
	}
}

/* Does this word say that the next one is a secret? */
static void next_note(struct mask *m, const char *s, size_t n)
{
	size_t dashes = 0;
	bool bare, dotted = false;

	while (dashes < n && s[dashes] == '-')
		dashes++;
	bare = n > dashes;
	for (size_t i = dashes; i < n; i++) {
		bare &= name_char(s[i]);
		dotted |= s[i] == '.';
	}
	if (n > 1 && strchr(":=", s[n - 1]) && name_is_secret(s, n - 1)) {
		m->next = SECRET;
	} else if (bare && (dashes || (m->started && !dotted)) && name_is_secret(s + dashes, n - dashes)) {
		m->next = SECRET;
		m->soft = !dashes;
	}
}

/* The next word was announced as a secret: is it one? */
static bool next_holds(const struct mask *m, const char *s)
{
	return m->next && !(m->soft && strchr("-|&;<>", *s));
}

/* Of a word that was announced as a secret: bytes taken. */
static size_t put_next(struct mask *m, const char *s, size_t n)
{
	size_t len = value_span(s, n);
	/* "Bearer x", "password = x": neither the scheme nor the sign is the secret, the word behind it is */
	bool scheme = word_is(s, len, "=") || word_is(s, len, ":") || word_is(s, len, "bearer") || word_is(s, len, "basic") ||
		      word_is(s, len, "digest");

	if (scheme) {
		put(m, s, len);
		return len;
	}
	put_value(m, m->next);
	m->next = PLAIN;
	m->soft = false;
	return len;
}

/* The word at s, of an argument that has max bytes more: bytes taken. */
static size_t put_word(struct mask *m, const char *s, size_t max)
{
	size_t n = 0, shown = 0;
	enum value v;

	if (next_holds(m, s))
		return put_next(m, s, max);
	m->next = PLAIN;
	m->soft = false;
	if (*s == '\'' || *s == '"') {
		put(m, s, 1);
		return 1;
	}
	while (n < max && !isspace((unsigned char)s[n]))
		n++;
	v = option_value(m, s, n, &shown);
	if (v && shown < n) {
		put(m, s, shown);
		put_value(m, v);
		return shown + value_span(s + shown, max - shown);
	}
	m->rest = begins_tail(m, s, n);
	if (*s != '-')
		program_note(m, s, n);
	next_note(m, s, n);
	if (v)
		m->next = v;
	m->started = true;
	return put_inside(m, s, n, max);
}

/* An argument that is hidden as a whole, but for the name of the option or the variable: true where it was. */
static bool put_hidden(struct mask *m, const char *s, size_t n)
{
	size_t shown = 0;
	enum value v = m->next;

	if (m->rest) {
		v = SECRET;
	} else if (!next_holds(m, s)) {
		v = option_value(m, s, n, &shown);
		if (!v || shown == n) {
			for (shown = 0; shown < n && name_char(s[shown]); shown++)
				;
			if (!shown || shown == n || s[shown] != '=' || !name_is_secret(s, shown))
				return false;
			shown++;
			v = SECRET;
		}
	}
	put(m, s, shown);
	if (n > shown)
		put_value(m, v);
	m->next = PLAIN;
	m->soft = false;
	return true;
}

static bool is_statement(const struct mask *m, const char *s, size_t n)
{
	const struct client *c = client_next(m, NULL);

	return c && c->statements && memchr(s, ' ', n);
}

static void put_argument(struct mask *m, const char *s, size_t n)
{
	size_t at = 0;

	if (!n || put_hidden(m, s, n))
		return;
	if (is_statement(m, s, n)) {
		put_value(m, CODE);
		return;
	}
	while (at < n && !m->rest) {
		if (isspace((unsigned char)s[at])) {
			put(m, " ", 1);
			at++;
		} else {
			at += put_word(m, s + at, n - at);
		}
	}
	if (at < n) {
		put(m, " ", 1);
		put_value(m, SECRET);
	}
}

size_t cmdline_mask(const char *argv, size_t alen, char *buf, size_t cap)
{
	char raw[RAW_MAX];
	struct mask m = { .out = raw, .cap = sizeof(raw) };
	size_t at = 0;

	while (alen && (argv[alen - 1] == '\0' || argv[alen - 1] == ' '))
		alen--;                  /* setproctitle() leaves padding */
	while (at < alen && m.n < m.cap) {
		size_t len = strnlen(argv + at, alen - at);
		if (at)
			put(&m, " ", 1);
		put_argument(&m, argv + at, len);
		at += len + 1;
	}
	text_clean(buf, cap, raw, m.n, true);
	return strlen(buf);
}

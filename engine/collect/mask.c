/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/mask.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define STARS "***"
#define RAW_MAX 2048          /* of the masked text before it is made clean and cut */

/* Anywhere in a name. */
static const char *const secret_parts[] = {
	"password", "passwd", "passphrase", "secret", "token", "apikey", "api-key", "api_key", "accesskey", "access-key",
	"access_key", "privatekey", "private-key", "private_key", "credential", "authorization", "cookie", "signature",
};
/* A whole part of a name, between '-', '_' and '.'. */
static const char *const secret_words[] = { "pass", "pwd", "key", "auth", "pw", "passin", "passout", "bearer" };
/* Words that are secrets by their form. */
static const char *const token_forms[] = { "eyJ", "sk-", "sk_", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xox", "AKIA", "ASIA" };

/* Short options with a secret: the value attached, or the next word. */
static const struct client { const char *program, *option; bool attached; } clients[] = {
	{ "mysql", "-p", true }, { "mariadb", "-p", true }, { "sshpass", "-p", false }, { "sshpass", "-p", true },
	{ "mongo", "-p", false }, { "redis-", "-a", false }, { "valkey-", "-a", false }, { "curl", "-u", false },
	{ "curl", "-u", true }, { "curl", "--user", false }, { "wget", "--user", false }, { "ab", "-A", false },
	{ "ab", "-P", false }, { "ldap", "-w", false }, { "smbclient", "-U", false }, { "openssl", "-k", false },
	{ "openssl", "-K", false }, { "cqlsh", "-p", false }, { "influx", "-t", false }, { "rabbitmqadmin", "-p", false },
	{ "clickhouse", "--password", false }, { "vault", "login", false }, { "htpasswd", "-b", false },
};

struct mask {
	char *out;
	size_t n, cap;
	bool next;                /* the next word is a secret */
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

/* The bytes of a value that begins at s: to the end of its quote, or to a separator. */
static size_t value_length(const char *s, size_t n)
{
	size_t len = 0;

	while (len < n && !strchr(" \t\n;&,'\"", s[len]))
		len++;
	return len;
}

/* "scheme://user:secret@host": at s stands "://"; how many bytes behind it are userinfo, 0 none. */
static size_t userinfo_length(const char *s, size_t n)
{
	for (size_t i = 3; i < n && !strchr("/?# \t'\"", s[i]); i++)
		if (s[i] == '@')
			return i - 3;
	return 0;
}

/* A word without a secret as a whole: masks "name=value" and userinfo inside it. */
static void put_inside(struct mask *m, const char *s, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t len = 0;
		if (n - at > 3 && !memcmp(s + at, "://", 3)) {
			size_t user = userinfo_length(s + at, n - at);
			put(m, s + at, 3);
			at += 3 + user;
			if (user)
				put(m, STARS, 3);
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
		size_t sep = 0;
		while (secret && at + sep < n && strchr("'\"=: ", s[at + sep]))
			sep++;
		if (!secret || !sep || (!memchr(s + at, '=', sep) && !memchr(s + at, ':', sep)) ||
		    (sep == 1 && n - at > 3 && !memcmp(s + at, "://", 3)))
			continue;
		put(m, s + at, sep);
		at += sep;
		len = value_length(s + at, n - at);
		if (len)
			put(m, STARS, 3);
		at += len;
	}
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

/* A client's short option: the length of the part that may be shown, or 0. *next: the secret is the next word. */
static size_t client_option(const struct mask *m, const char *s, size_t n, bool *next)
{
	for (size_t i = 0; m->program && i < sizeof(clients) / sizeof(clients[0]); i++) {
		size_t plen = strlen(clients[i].program), olen = strlen(clients[i].option);
		if (m->program_len < plen || memcmp(m->program, clients[i].program, plen) || n < olen ||
		    memcmp(s, clients[i].option, olen))
			continue;
		if (n == olen && !clients[i].attached)
			*next = true;
		if ((n == olen) == !clients[i].attached)
			return olen;
	}
	/* of other programs: -psecret, but not -p8080 */
	if (n > 3 && !memcmp(s, "-p", 2) && !m->program && !strspn(s + 2, "0123456789") && !memchr(s, '=', n) &&
	    !memchr(s, '/', n) && !memchr(s + 1, '-', n - 1) && name_char(s[2]) && memcmp(s, "-pid", 4))
		return 2;
	return 0;
}

static void program_note(struct mask *m, const char *s, size_t n)
{
	const char *base = base_of(s, &n);

	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		size_t plen = strlen(clients[i].program);
		bool whole = plen == 2;       /* "ab" begins too many words */
		if (n >= plen && !memcmp(base, clients[i].program, plen) && (!whole || n == plen)) {
			m->program = base;
			m->program_len = n;
			return;
		}
	}
}

static void put_word(struct mask *m, const char *s, size_t n)
{
	size_t shown, dashes = 0;
	bool next = false;

	if (m->next && n) {
		/* "Bearer x": the scheme is no secret, the word behind it is */
		bool scheme = word_is(s, n, "bearer") || word_is(s, n, "basic") || word_is(s, n, "digest");
		put(m, scheme ? s : STARS, scheme ? n : 3);
		m->next = scheme;
		return;
	}
	while (dashes < n && s[dashes] == '-')
		dashes++;
	shown = client_option(m, s, n, &next);
	if (shown && !next) {
		put(m, s, shown);
		put(m, STARS, 3);
		return;
	}
	if (!dashes)
		program_note(m, s, n);
	bool bare = n > dashes;
	for (size_t i = dashes; i < n; i++)
		bare &= name_char(s[i]);
	bool header = n > 1 && s[n - 1] == ':' && name_is_secret(s, n - 1);
	m->next = next || header || (dashes && bare && name_is_secret(s + dashes, n - dashes));
	put_inside(m, s, n);
}

/* One argument. Where it begins with a secret's name and '=', all of it behind is the value. */
static void put_argument(struct mask *m, const char *s, size_t n)
{
	size_t name = 0, at = 0;

	while (name < n && name_char(s[name]))
		name++;
	if (name < n && name && s[name] == '=' && name_is_secret(s, name) && !m->next) {
		put(m, s, name + 1);
		put(m, STARS, n > name + 1 ? 3 : 0);
		return;
	}
	if (m->next && n) {
		put(m, STARS, 3);
		m->next = false;
		return;
	}
	while (at < n) {
		size_t len = 0;
		while (at + len < n && !isspace((unsigned char)s[at + len]))
			len++;
		if (len)
			put_word(m, s + at, len);
		at += len;
		while (at < n && isspace((unsigned char)s[at])) {
			put(m, " ", 1);
			at++;
		}
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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/scrub.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_MIN 32              /* letters and digits mixed at this length are a key, not a word */
#define MASK "***"

static const char *const secret_words[] = {"password", "passwd", "passphrase", "pwd", "secret", "token", "api_key", "apikey", "api-key",
					   "access_key", "access-key", "private_key", "private-key", "authorization", "credential",
					   "cookie", "session", NULL};
static const char *const script_suffixes[] = {".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".php", ".sh", ".jar", ".lua", NULL};

struct out { char *buf; size_t cap, n; };

static void put(struct out *o, const char *s, size_t n)
{
	if (o->n + n >= o->cap)
		n = o->cap - o->n - 1;
	memcpy(o->buf + o->n, s, n);
	o->n += n;
	o->buf[o->n] = '\0';
}

static bool in_word(char c)
{
	return c && !isspace((unsigned char)c) && !strchr("\"'`,;()[]{}<>&|", c);
}

static bool names_secret(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (const char *const *w = secret_words; *w; w++)
			if (i + strlen(*w) <= n && strncasecmp(s + i, *w, strlen(*w)) == 0)
				return true;
	return false;
}

static bool looks_random(const char *s, size_t n)
{
	size_t digits = 0, letters = 0;

	for (size_t i = 0; i < n; i++) {
		if (isdigit((unsigned char)s[i]))
			digits++;
		else if (isalpha((unsigned char)s[i]))
			letters++;
		else if (!strchr("+/=_-.", s[i]) || (s[i] == '/' && i == 0))
			return false;
	}
	return n >= TOKEN_MIN && digits >= 4 && letters >= 4;
}

static bool known_key(const char *s, size_t n)
{
	return (n >= 16 && (strncmp(s, "AKIA", 4) == 0 || strncmp(s, "ASIA", 4) == 0)) || (n >= 16 && strncmp(s, "eyJ", 3) == 0) ||
	       (n >= 16 && (strncmp(s, "ghp_", 4) == 0 || strncmp(s, "sk-", 3) == 0 || strncmp(s, "xox", 3) == 0));
}

/* The word before the credentials in an Authorization header. */
static bool is_scheme(const char *s, size_t n)
{
	return (n == 6 && strncasecmp(s, "bearer", 6) == 0) || (n == 5 && strncasecmp(s, "basic", 5) == 0);
}

/* user:password@ in a URL: where the password begins and ends; false: none. */
static bool url_password(const char *s, size_t n, size_t *begin, size_t *end)
{
	const char *scheme = memmem(s, n, "://", 3), *at, *colon;

	if (!scheme)
		return false;
	scheme += 3;
	at = memchr(scheme, '@', (size_t)(s + n - scheme));
	colon = at ? memchr(scheme, ':', (size_t)(at - scheme)) : NULL;
	if (!colon)
		return false;
	*begin = (size_t)(colon + 1 - s);
	*end = (size_t)(at - s);
	return true;
}

/* One word. Says in *next whether the following word is the secret ("Bearer x", "--password x"). */
static void put_word(struct out *o, const char *s, size_t n, bool *next)
{
	size_t sep = 0, begin, end;

	while (sep < n && s[sep] != '=' && s[sep] != ':')
		sep++;
	if (names_secret(s, sep) && sep + 1 < n) {
		put(o, s, sep + 1);
		put(o, MASK, 3);
	} else if (url_password(s, n, &begin, &end)) {
		put(o, s, begin);
		put(o, MASK, 3);
		put(o, s + end, n - end);
	} else if (sep < n && (looks_random(s + sep + 1, n - sep - 1) || known_key(s + sep + 1, n - sep - 1))) {
		put(o, s, sep + 1);
		put(o, MASK, 3);
	} else if (looks_random(s, n) || known_key(s, n)) {
		put(o, MASK, 3);
	} else {
		put(o, s, n);
	}
	*next = (names_secret(s, n) && (s[n - 1] == ':' || s[n - 1] == '=' || s[0] == '-') && sep + 1 >= n) ||
		is_scheme(s, n);
}

char *scrub_text(char *buf, size_t cap, const char *text)
{
	struct out o = {.buf = buf, .cap = cap};
	bool secret = false, next;

	buf[0] = '\0';
	while (*text) {
		size_t n = 0;

		while (in_word(text[n]))
			n++;
		if (n == 0) {
			put(&o, text++, 1);
			continue;
		}
		/* "Authorization: Bearer x": the word after is a scheme, the secret comes behind it */
		next = is_scheme(text, n);
		if (secret && !next)
			put(&o, MASK, 3);
		else
			put_word(&o, text, n, &next);
		secret = next;
		text += n;
	}
	return buf;
}

char *scrub_frame(char *buf, size_t cap, const char *name)
{
	if (strpbrk(name, " /"))
		return scrub_text(buf, cap, name);
	snprintf(buf, cap, "%s", name);
	return buf;
}

static bool is_script(const char *s, size_t n)
{
	for (const char *const *x = script_suffixes; *x; x++)
		if (n > strlen(*x) && strncmp(s + n - strlen(*x), *x, strlen(*x)) == 0 && !memchr(s, '=', n) && !memchr(s, '@', n))
			return true;
	return false;
}

char *scrub_cmdline(char *buf, size_t cap, const char *cmdline)
{
	struct out o = {.buf = buf, .cap = cap};
	size_t n = strcspn(cmdline, " ");
	const char *at = cmdline + n;
	bool more = false;

	buf[0] = '\0';
	put(&o, cmdline, n);
	while (*(at += strspn(at, " "))) {
		n = strcspn(at, " ");
		if (!more && is_script(at, n)) {
			put(&o, " ", 1);
			put(&o, at, n);
			at += n;
			more = *(at + strspn(at, " ")) != '\0';
			break;
		}
		more = more || at[0] != '-';
		at += n;
		if (!*(at + strspn(at, " ")))
			more = true;
	}
	if (more)
		put(&o, " …", strlen(" …"));
	return buf;
}

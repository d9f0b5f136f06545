/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/cert_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define WORDS_MAX 64
#define WORD_LEN CERT_PATH_LEN
#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

static const struct cert_dialect dialects[] = {
	{
		.programs = {"nginx", "openresty", "angie", "tengine"}, .braces = true, .keys = {"ssl_certificate"},
		.includes = {"include"}, .scope = "server", .port = "listen", .option = {"-c"}, .prefix = "-p",
		.files = {"/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf",
			  "/usr/local/openresty/nginx/conf/nginx.conf"},
	}, {
		.programs = {"apache2", "httpd"}, .keys = {"SSLCertificateFile"}, .includes = {"Include", "IncludeOptional"},
		.base = "ServerRoot", .scope = "<VirtualHost", .scope_end = "</VirtualHost>", .option = {"-f"}, .prefix = "-d",
		.files = {"/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf", "/usr/local/apache2/conf/httpd.conf"},
	}, {
		.programs = {"haproxy"}, .by_cwd = true, .keys = {"crt"}, .base = "crt-base", .scope = "bind", .option = {"-f"},
		.files = {"/etc/haproxy/haproxy.cfg", "/usr/local/etc/haproxy/haproxy.cfg"},
	}, {
		.programs = {"postgres"}, .by_cwd = true, .last_wins = true, .keys = {"ssl_cert_file"},
		.includes = {"include", "include_if_exists", "include_dir"}, .option = {"config_file", "--config-file"},
		.files = {"postgresql.conf"}, .also = "postgresql.auto.conf", .otherwise = "server.crt",
	}, {
		.programs = {"mysqld", "mariadbd"}, .by_cwd = true, .last_wins = true, .keys = {"ssl-cert", "ssl_cert"},
		.includes = {"!include", "!includedir"}, .sections = {"mysqld", "mariadb", "server", "galera"},
		.option = {"--defaults-file"}, .files = {"/etc/mysql/my.cnf", "/etc/my.cnf"}, .otherwise = "server-cert.pem",
	}, {
		.programs = {"redis-server", "valkey-server"}, .by_cwd = true, .last_wins = true, .keys = {"tls-cert-file"},
		.includes = {"include"}, .files = {"/etc/redis/redis.conf", "/etc/valkey/valkey.conf"},
	},
};

/* One of the words of a list that ends with NULL, or is full. */
static bool is_one(const char *word, const char *const list[], size_t n)
{
	for (size_t i = 0; i < n && list[i]; i++)
		if (!strcasecmp(word, list[i]))
			return true;
	return false;
}

const struct cert_dialect *cert_dialect_of(const char *program)
{
	for (size_t i = 0; i < COUNT(dialects); i++)
		if (is_one(program, dialects[i].programs, COUNT(dialects[i].programs)))
			return &dialects[i];
	return NULL;
}

/* ---- words ---- */

struct statement {
	char word[WORDS_MAX][WORD_LEN];
	size_t n;
	char end;                /* ';' '{' '}' '\n', or 0 at the end of the text */
	bool broken;             /* a quote is open, or a word too long */
};

static bool is_blank(const struct cert_dialect *d, char c)
{
	return c == ' ' || c == '\t' || c == '\r' || (d->braces ? c == '\n' : c == '=');
}

static bool is_end(const struct cert_dialect *d, char c)
{
	return d->braces ? c == ';' || c == '{' || c == '}' : c == '\n';
}

/* Returns behind the word; what is over WORDS_MAX is read and dropped. */
static const char *word_read(const struct cert_dialect *d, const char *p, struct statement *st)
{
	char dropped[WORD_LEN], *to = st->n < WORDS_MAX ? st->word[st->n++] : dropped, quote = 0;
	size_t n = 0;

	for (; *p && (quote || (!is_blank(d, *p) && !is_end(d, *p))); p++) {
		if (quote ? *p == quote : (*p == '"' || *p == '\'') && !n) {
			quote = quote ? 0 : *p;
			if (!quote) {
				p++;
				break;
			}
			continue;
		}
		if (!quote && d->braces && *p == '$' && p[1] == '{') {      /* ${variable}: no block */
			const char *close = strchr(p, '}');

			to[n < WORD_LEN - 1 ? n++ : n] = '$';
			p = close ? close : p;
			continue;
		}
		if (n < WORD_LEN - 1)
			to[n++] = *p;
		else
			st->broken = true;
	}
	st->broken |= quote != 0;
	to[n] = '\0';
	return p;
}

/* Returns behind the statement. */
static const char *statement_read(const struct cert_dialect *d, const char *p, struct statement *st)
{
	st->n = 0;
	st->broken = false;
	for (;;) {
		while (is_blank(d, *p) || (!d->braces && *p == '\\' && p[1] == '\n'))
			p += *p == '\\' ? 2 : 1;
		if (*p == '#' || (!d->braces && !st->n && *p == ';')) {
			p += strcspn(p, "\n");
			continue;
		}
		if (!*p || is_end(d, *p))
			break;
		p = word_read(d, p, st);
	}
	st->end = *p;
	return *p ? p + 1 : p;
}

/* ---- meaning ---- */

static void port_take(struct cert_scan *s, const char *text)
{
	const char *colon = strrchr(text, ':'), *digits = colon ? colon + 1 : text;
	unsigned long v = strtoul(digits, NULL, 10);

	if (v && v <= UINT16_MAX && s->ports < CERT_PORTS_MAX)
		s->port[s->ports++] = (uint16_t)v;
}

/* "*:443", "0.0.0.0:443,:::8443", "443>" */
static void ports_take(struct cert_scan *s, char *list)
{
	char *save = NULL;

	for (char *one = strtok_r(list, ",", &save); one; one = strtok_r(NULL, ",", &save))
		port_take(s, one);
}

/* A path with a variable in it is known to the server alone. */
static void path_take(struct cert_scan *s, const char *path, bool broken)
{
	bool known = !broken && path[0] && !strchr(path, '$') && !strchr(path, '%') && !text_starts(path, "data:");

	if (s->d->last_wins)
		s->pending = s->unknown = 0;
	if (!known || s->pending == CERT_PENDING_MAX) {
		s->unknown = true;
		return;
	}
	if (s->base[0] && path[0] != '/')
		known = snprintf(s->path[s->pending], CERT_PATH_LEN, "%s/%s", s->base, path) < CERT_PATH_LEN;
	else
		known = snprintf(s->path[s->pending], CERT_PATH_LEN, "%s", path) < CERT_PATH_LEN;
	s->pending += known;
	s->unknown |= !known;
}

static void pending_tell(struct cert_scan *s)
{
	for (size_t i = 0; i < s->pending; i++)
		s->found.file(s->found.arg, s->path[i], s->port, s->ports);
	if (s->unknown)
		s->found.file(s->found.arg, "", s->port, s->ports);
	s->pending = s->ports = 0;
	s->unknown = s->in_scope = false;
}

static void scope_begin(struct cert_scan *s, struct statement *st)
{
	s->in_scope = true;
	s->scope_depth = s->depth + 1;
	s->ports = 0;
	if (!s->d->port)
		for (size_t i = 1; i < st->n && (s->d->scope_end || i == 1); i++)
			ports_take(s, st->word[i]);
}

/* A key and its value: at the beginning, or anywhere in the line that is a scope of its own (HAProxy's bind). */
static void settings_take(struct cert_scan *s, const struct statement *st, bool anywhere)
{
	for (size_t i = 0; i + 1 < st->n; i++) {
		if (is_one(st->word[i], s->d->keys, COUNT(s->d->keys)))
			path_take(s, st->word[i + 1], st->broken);
		else if (anywhere && !strcasecmp(st->word[i], "crt-list"))
			s->unknown = true;
		if (!anywhere)
			return;
	}
}

/* "[mysqld]" */
static void section_take(struct cert_scan *s, const char *name)
{
	s->foreign = true;
	for (size_t i = 0; i < COUNT(s->d->sections) && s->d->sections[i]; i++)
		if (text_starts(name + 1, s->d->sections[i]))
			s->foreign = false;
}

static void value_take(struct cert_scan *s, const struct statement *st)
{
	const struct cert_dialect *d = s->d;

	if (st->n < 2)
		return;
	if (is_one(st->word[0], d->includes, COUNT(d->includes)))
		s->found.include(s->found.arg, st->word[1]);
	else if (d->base && !strcasecmp(st->word[0], d->base))
		snprintf(s->base, sizeof(s->base), "%s", st->word[1]);
	else if (s->in_scope && d->port && !strcasecmp(st->word[0], d->port))
		port_take(s, st->word[1]);
	else if (!d->scope || d->scope_end || d->braces)
		settings_take(s, st, false);
	/* outside of a scope it holds for all */
	if (!s->in_scope && !d->last_wins)
		pending_tell(s);
}

static void statement_take(struct cert_scan *s, struct statement *st)
{
	const struct cert_dialect *d = s->d;
	bool scope = d->scope && st->n && !strcasecmp(st->word[0], d->scope);

	if (d->braces && st->end == '{') {
		if (scope && st->n == 1 && !s->in_scope)
			scope_begin(s, st);
		s->depth++;
		return;
	}
	if (d->sections[0] && st->n && st->word[0][0] == '[')
		section_take(s, st->word[0]);
	else if (d->scope_end && st->n && !strcasecmp(st->word[0], d->scope_end))
		pending_tell(s);
	else if (!d->braces && scope) {
		scope_begin(s, st);
		if (!d->scope_end) {
			settings_take(s, st, true);
			pending_tell(s);
		}
	} else if (!s->foreign) {
		value_take(s, st);
	}
	if (d->braces && st->end == '}' && s->depth) {
		if (s->in_scope && s->depth == s->scope_depth)
			pending_tell(s);
		s->depth--;
	}
}

void cert_scan_text(struct cert_scan *s, const char *text)
{
	struct statement *st = malloc(sizeof(*st));

	while (st && *text) {
		text = statement_read(s->d, text, st);
		statement_take(s, st);
	}
	s->unknown |= !st;
	free(st);
}

void cert_scan_end(struct cert_scan *s)
{
	pending_tell(s);
}

/* ---- any text ---- */

bool cert_is_name(const char *path)
{
	static const char *const ends[] = {".pem", ".crt", ".cer", ".cert", ".der"};

	for (size_t i = 0; i < COUNT(ends); i++)
		if (text_ends(path, ends[i]))
			return true;
	return false;
}

static bool is_path(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("/._-+@~", c));
}

void cert_words(const char *text, size_t n, void (*fn)(void *arg, const char *path), void *arg)
{
	char word[CERT_PATH_LEN];
	size_t begin = 0;

	for (size_t i = 0; i <= n; i++) {
		if (i < n && is_path(text[i]))
			continue;
		if (i - begin > 4 && i - begin < sizeof(word)) {
			snprintf(word, sizeof(word), "%.*s", (int)(i - begin), text + begin);
			if (cert_is_name(word))
				fn(arg, word);
		}
		begin = i + 1;
	}
}

bool cert_is_option(const char *name, size_t n)
{
	static const char *const options[] = {
		"cert", "certfile", "cert-file", "certificate", "certificate-file", "server-cert", "server-cert-file",
		"ssl-cert", "ssl-certfile", "ssl-cert-file", "ssl-certificate", "sslcert", "tls-cert", "tls-certfile",
		"tls-cert-file", "tls-certificate", "tls-certificate-file", "tlscert", "tls-crt-file",
		"https-certificate-file", "x509certfile",
	};
	char plain[32];

	while (n && *name == '-') {
		name++;
		n--;
	}
	if (n >= sizeof(plain))
		return false;
	for (size_t i = 0; i <= n; i++)
		plain[i] = i == n ? '\0' : name[i] == '_' ? '-' : name[i];
	for (size_t i = 0; i < COUNT(options); i++)
		if (!strcasecmp(plain, options[i]))
			return true;
	return false;
}

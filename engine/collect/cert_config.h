/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cert_config: which files of certificates the configuration of a well-known server names, and for which ports: nginx, Apache,
 * HAProxy, PostgreSQL, MySQL and MariaDB, Redis.  Reads words, not meanings: what it does not understand (a variable, a list in
 * a file of its own) it says so, for then nobody can know.  Pure; a row of a table each.
 */
#ifndef ROOTLE_COLLECT_CERT_CONFIG_H
#define ROOTLE_COLLECT_CERT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CERT_PORTS_MAX 8
#define CERT_PENDING_MAX 4
#define CERT_PATH_LEN 512

struct cert_dialect {
	const char *programs[5];          /* names of its executables */
	bool braces;                      /* statements end at ';', and '{ }' nest; else a line each, '=' is a blank */
	bool by_cwd;                      /* relative paths of certificates begin at the working directory; else where the file is */
	bool last_wins;                   /* the last setting replaces those before */
	const char *keys[3];              /* words whose next word is the file of a certificate */
	const char *includes[4];          /* words whose next word is a file, a pattern or a directory to read too */
	const char *base;                 /* word for the directory that relative paths begin at; NULL: none */
	const char *scope, *scope_end;    /* words around what belongs to some ports; scope_end NULL: the closing brace, the line */
	const char *port;                 /* word before a port; NULL: they stand behind the word `scope` */
	const char *sections[5];          /* beginnings of the names of [sections] that are the server's; none: all are */
	const char *option[3];            /* of the command line: "-c", before a path; "config_file", before a '=' */
	const char *prefix;               /* option for the directory that the path of `option` begins at */
	const char *files[4];             /* where the configuration is without an option */
	const char *also;                 /* file in the working directory that is read last */
	const char *otherwise;            /* certificate where none is set */
};

/* NULL: none of these. */
const struct cert_dialect *cert_dialect_of(const char *program);

struct cert_found {
	/* path "": there is one that cannot be known. ports 0: for any. */
	void (*file)(void *arg, const char *path, const uint16_t *port, size_t ports);
	/* To be scanned at once with the same struct cert_scan. */
	void (*include)(void *arg, const char *pattern);
	void *arg;
};

/* Zero-initialise with d and found. */
struct cert_scan {
	const struct cert_dialect *d;
	struct cert_found found;
	char base[CERT_PATH_LEN];         /* "": none was set */
	unsigned depth, scope_depth;      /* of braces; scope_depth 0: in no scope */
	bool in_scope, foreign;           /* foreign: in the section of somebody else */
	uint16_t port[CERT_PORTS_MAX];
	size_t ports, pending;
	char path[CERT_PENDING_MAX][CERT_PATH_LEN];
	bool unknown;                     /* one more is pending that cannot be known */
};

/* One file; NUL-terminated. Files that include others come back to it. */
void cert_scan_text(struct cert_scan *s, const char *text);
/* Behind the last file. */
void cert_scan_end(struct cert_scan *s);

/* Words in any text (of a configuration, a script, an environment) that end like the names of certificates do. */
void cert_words(const char *text, size_t n, void (*fn)(void *arg, const char *path), void *arg);
/* ".pem", ".crt", ".cer", ".cert", ".der" */
bool cert_is_name(const char *path);
/* Does this option of a command line ("--tls-cert-file", "ssl_certfile") name the server's own certificate? */
bool cert_is_option(const char *name, size_t n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ident_rule: what the naming rules found out about one process, for ident.c, which knows its parent besides; and what the files
 * of the rules share: ident_place.c (container, unit), ident_server.c (well-known servers), ident_script.c (interpreters),
 * ident_app.c (servers of applications), ident_java.c, ident_name.c (their order).  Pure functions of the facts.
 */
#ifndef ROOTLE_COLLECT_IDENT_RULE_H
#define ROOTLE_COLLECT_IDENT_RULE_H

#include <stdbool.h>

#include "collect/ident.h"

#define NAME_CAP 64

struct ident_verdict {
	char name[NAME_CAP];      /* clean for a terminal, never empty */
	const char *kind, *why;   /* static, or as long as the facts */
	const char *script;       /* within argv: what is interpreted besides exe; NULL none */
	bool weak;                /* a name for want of a better one: the parent's goes first where it runs the same program */
	bool server;              /* a well-known server: its children belong to it */
	bool placed;              /* named by its container or unit */
	bool tool;                /* named by its executable only */
	bool launcher;            /* starts programs that are not its own */
	bool titled;              /* its workers write titles of their own once they are forked */
};

/* argv must be NUL-terminated behind alen. */
void ident_decide(const struct ident_facts *f, struct ident_verdict *ret);

/* --- shared by the rules; none is for anybody else --------------------------------------------------------------------- */

typedef bool ident_rule_fn(const struct ident_facts *f, const char *program, struct ident_verdict *v);

ident_rule_fn rule_server, rule_script, rule_java, rule_dotnet, rule_erlang, rule_uwsgi, rule_pool;
/* The container or unit; true: v->name, ->why. unit: whether it was a unit. */
bool rule_place(const struct ident_facts *f, struct ident_verdict *v, bool *unit);
/* A script that hosts an application of another name ("gunicorn shop:app"): its name, where the arguments have it. */
bool app_name(const struct ident_facts *f, const char *script, char name[NAME_CAP]);
/* "shop.wsgi:application" → "shop"; false: only words that every application has. */
bool app_of_module(const char *module, size_t n, char name[NAME_CAP]);

/* The argument behind `arg` (NULL: the first); NULL at the end. */
const char *arg_next(const struct ident_facts *f, const char *arg);
const char *arg_skip(const struct ident_facts *f, int n);
/* The value of an option, as "--option value" or "--option=value"; NULL. */
const char *arg_value(const struct ident_facts *f, const char *option);
bool arg_has_part(const struct ident_facts *f, const char *part);
/* The program's name in an argument that it has rewritten: "nginx: worker process" → "nginx". */
void title_copy(char *buf, size_t cap, const char *argv0);
bool one_of(const char *const *list, const char *s);
bool in_words(const char *list, const char *word);      /* blank-separated */
/* "python3.11" is "python"; "pythonista" is not. */
bool is_version_of(const char *program, const char *name);
void verdict_name(struct ident_verdict *v, const char *name, const char *why);

#endif

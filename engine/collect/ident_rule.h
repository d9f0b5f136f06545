/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ident_rule: what the naming rules found out about one process, for ident.c, which knows its parent besides.
 */
#ifndef ROOTLE_COLLECT_IDENT_RULE_H
#define ROOTLE_COLLECT_IDENT_RULE_H

#include <stdbool.h>

#include "collect/ident.h"

#define NAME_CAP 64

struct ident_verdict {
	char name[NAME_CAP];      /* clean for a terminal, never empty */
	const char *kind, *why;   /* static */
	const char *script;       /* within argv: what is interpreted besides exe; NULL none */
	bool weak;                /* a name for want of a better one: the parent's goes first where it runs the same program */
	bool server;              /* a well-known server: its children belong to it */
	bool placed;              /* named by its container or unit */
};

/* argv must be NUL-terminated behind alen. */
void ident_decide(const struct ident_facts *f, struct ident_verdict *ret);

#endif

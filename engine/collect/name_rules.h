/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * name_rules: names that people give their services by rules of their own: a rule has patterns, all of which must match what is known
 * of a process, and the name that it then has.  The first rule that matches counts.
 *
 * A pattern is a glob over all of the text (fnmatch(3), '*' goes across '/'), or behind a '~' an extended regular expression (regex(7))
 * somewhere in it, whose groups are $1 to $9 in the name; $0 is the name that the process has without the rule.
 */
#ifndef ROOTLE_COLLECT_NAME_RULES_H
#define ROOTLE_COLLECT_NAME_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_RULES_MAX 256
#define NAME_RULE_PORTS 16

/* What a pattern may be about. */
enum name_field { NAME_IS, NAME_EXE, NAME_CMDLINE, NAME_COMM, NAME_CGROUP, NAME_CONTAINER, NAME_IMAGE, NAME_NAMESPACE, NAME_POD, NAME_PARENT,
		  NAME_FIELDS };

struct name_facts { const char *text[NAME_FIELDS]; };      /* NULL or "": not known, which matches no pattern */

struct name_rule {
	const char *pattern[NAME_FIELDS];         /* NULL: any */
	uint16_t port[NAME_RULE_PORTS];           /* one of these is listened on; all 0: any */
	const char *name;                         /* with $0 to $9 */
	bool group;                               /* all of that name are one service, also at different ports */
	const char *where;                        /* "FILE:LINE", for the reason */
};

struct name_rules;

/* How the key of a field is called in the configuration. */
extern const char *const name_field_keys[NAME_FIELDS];

struct name_rules *name_rules_new(void);          /* NULL: no memory */
void name_rules_free(struct name_rules *r);
/* The rule's texts must live as long as r. 0; -EINVAL with a sentence in why: a regular expression that is none, a name without the
 * group that it asks for; -ENOSPC: too many. */
int name_rules_add(struct name_rules *r, const struct name_rule *rule, char *why, size_t cap);

/* Moves the rules of `from` (may be NULL) behind those of r and frees it; -ENOSPC, -ENOMEM: both are as they were. */
int name_rules_append(struct name_rules *r, struct name_rules *from);

/* The first rule that matches; NULL none, or r is NULL. name: cap bytes, clean for a terminal, not empty. port 0: rules about
 * ports are left out; else only these are tried. */
const struct name_rule *name_rules_find(const struct name_rules *r, const struct name_facts *f, uint16_t port, char *name, size_t cap);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config: options from YAML: /etc/rootle/rootle.yaml, then $XDG_CONFIG_HOME/rootle/rootle.yaml (~/.config where that is not
 * set), or one named file.  A key is an option's long name; values are scalars or lists of scalars:
 *
 *	db: /var/lib/rootle/rootle.db
 *	exclude-port: [22, 9100]
 *
 * The key `protocols` describes in-house protocols (user_protocols.h), the key `names` renames and groups services (user_names.h); what
 * they add lives as long as the configuration.
 */
#ifndef ROOTLE_CLI_CONFIG_H
#define ROOTLE_CLI_CONFIG_H

#include "base/arena.h"
#include "collect/name_rules.h"
#include "options.h"

struct config {                 /* zeroed is empty */
	struct arena arena;             /* what options and descriptions point to */
	struct name_rules *names;
};

/* Sets what the command (its groups) has options for; keys of other commands are checked for their name only.
 * file NULL: the usual ones, where they exist. 0, or EXIT_USAGE after one line "FILE:LINE: …" on stderr. */
int config_load(struct config *c, struct options *o, const struct option_row *const *groups, const char *file);
void config_done(struct config *c);

#endif

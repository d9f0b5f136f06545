/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * user_protocols: descriptions of in-house protocols, from YAML to proto/user.h (rootle-protocols(5)): the key `protocols` of the
 * configuration, files in /etc/rootle/protocols.d, files given by --protocols.
 */
#ifndef ROOTLE_CLI_USER_PROTOCOLS_H
#define ROOTLE_CLI_USER_PROTOCOLS_H

#include <yaml.h>

#include "base/arena.h"
#include "options.h"

/* The value of the key `protocols` in a document: checked and added. What they point to lies in the arena. 0, or EXIT_USAGE after
 * one line "FILE:LINE: …" on stderr. */
int user_protocols_read(struct arena *a, const char *file, yaml_document_t *doc, yaml_node_t *list);
/* Those of the folder, where it exists, and of the files that the options name. The same results. */
int user_protocols_load(struct arena *a, const struct options *o);

#endif

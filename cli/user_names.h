/* SPDX-License-Identifier: BSD-2-Clause */
/* user_names: rules that rename and group services, from YAML to collect/name_rules.h: the key `names` of the configuration (rootle-names(5)). */
#ifndef ROOTLE_CLI_USER_NAMES_H
#define ROOTLE_CLI_USER_NAMES_H

#include <yaml.h>

#include "base/arena.h"
#include "collect/name_rules.h"

/* The value of the key `names` in a document: checked and added to rules. What they point to lies in the arena. 0, or EXIT_USAGE after
 * one line "FILE:LINE: …" on stderr. */
int user_names_read(struct arena *a, const char *file, yaml_document_t *doc, yaml_node_t *list, struct name_rules *rules);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "config.h"
#include "nearest.h"
#include "proto/user.h"
#include "say.h"
#include "user_names.h"
#include "user_protocols.h"
#include "yaml_file.h"

struct reader {
	struct config *config;
	struct options *options;
	const struct option_row *const *groups;
	const char *file;
	int level;           /* a list in the user's file replaces the system's */
	yaml_document_t *doc;
};

static int refuse(const struct reader *r, const yaml_node_t *at, const char *what)
{
	return say_error(EXIT_USAGE, "%s:%zu: %s", r->file, at->start_mark.line + 1, what);
}

/* The row of any command: a key may be meant for another one. */
static const struct option_row *find_anywhere(const char *name)
{
	for (const struct command *c = command_table; c->name; c++) {
		const struct option_row *row = options_find(c->options, name, strlen(name));

		if (row && row->config)
			return row;
	}
	return NULL;
}

static int unknown_key(const struct reader *r, const yaml_node_t *at, const char *key)
{
	struct nearest near;
	char what[256];

	nearest_init(&near, key);
	nearest_offer(&near, "protocols");
	nearest_offer(&near, "names");
	for (const struct command *c = command_table; c->name; c++)
		for (const struct option_row *const *g = c->options; *g; g++)
			for (const struct option_row *row = *g; row->name; row++)
				if (row->config)
					nearest_offer(&near, row->name);
	if (near.best)
		snprintf(what, sizeof(what), "unknown key '%s', did you mean '%s'?", key, near.best);
	else
		snprintf(what, sizeof(what), "unknown key '%s'", key);
	return refuse(r, at, what);
}

static const char *scalar(const struct reader *r, const yaml_node_t *n)
{
	if (n->type != YAML_SCALAR_NODE)
		return NULL;
	return arena_strndup(&r->config->arena, (const char *)n->data.scalar.value, n->data.scalar.length);
}

/* The value is checked even where this command has no such option. */
static int set_value(const struct reader *r, const struct option_row *row, const yaml_node_t *value)
{
	struct options scratch;
	bool ours = options_find(r->groups, row->name, strlen(row->name)) != NULL;
	const char *text = scalar(r, value);
	char why[256] = "out of memory", what[400];
	int ret;

	if (!text)
		return refuse(r, value, "a plain value is expected here");
	options_init(&scratch, r->options->now_ns);
	ret = option_set(ours ? r->options : &scratch, row, text, r->level, why, sizeof(why));
	options_done(&scratch);
	if (ret == 0)
		return 0;
	snprintf(what, sizeof(what), "%s: %s", row->name, why);
	return refuse(r, value, what);
}

static int set_values(struct reader *r, const struct option_row *row, yaml_node_t *value)
{
	bool list = row->type == OPT_LIST || row->type == OPT_NUMBERS;
	int ret = 0;

	if (value->type != YAML_SEQUENCE_NODE)
		return set_value(r, row, value);
	if (!list)
		return refuse(r, value, "one value is expected here, not a list");
	for (yaml_node_item_t *i = value->data.sequence.items.start; i < value->data.sequence.items.top && !ret; i++)
		ret = set_value(r, row, yaml_document_get_node(r->doc, *i));
	return ret;
}

/* The user's rules go before the system's: the file that is read later has its first. */
static int set_names(const struct reader *r, yaml_node_t *list)
{
	struct name_rules *rules = name_rules_new();
	int ret;

	if (!rules)
		return say_error(EXIT_FAILED, "out of memory");
	ret = user_names_read(&r->config->arena, r->file, r->doc, list, rules);
	if (ret == 0 && name_rules_append(rules, r->config->names))
		ret = refuse(r, list, "too many rules, with those of the other file");
	if (ret) {
		name_rules_free(rules);
		return ret;
	}
	r->config->names = rules;
	r->options->names = rules;
	return 0;
}

static int read_document(void *arg, const char *file, yaml_document_t *doc)
{
	yaml_node_t *root = yaml_document_get_root_node(doc);
	struct reader *r = arg;
	int ret = 0;

	r->file = file;
	r->doc = doc;
	if (!root)         /* an empty file */
		return 0;
	if (root->type != YAML_MAPPING_NODE)
		return refuse(r, root, "a mapping of option names to values is expected");
	for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top && !ret; p++) {
		yaml_node_t *k = yaml_document_get_node(r->doc, p->key);
		const char *key = scalar(r, k);
		const struct option_row *row = key ? find_anywhere(key) : NULL;

		if (key && !strcmp(key, "protocols"))
			ret = user_protocols_read(&r->config->arena, file, doc, yaml_document_get_node(doc, p->value));
		else if (key && !strcmp(key, "names"))
			ret = set_names(r, yaml_document_get_node(doc, p->value));
		else if (!key)
			ret = refuse(r, k, "a key is expected to be a plain word");
		else if (!row)
			ret = unknown_key(r, k, key);
		else
			ret = set_values(r, row, yaml_document_get_node(r->doc, p->value));
	}
	return ret;
}

static int load_file(struct reader *r, const char *file, int level, bool must_exist)
{
	r->level = level;
	return yaml_file_read(file, must_exist, read_document, r);
}

static const char *user_file(char *buf, size_t cap)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (xdg && *xdg)
		snprintf(buf, cap, "%s/rootle/rootle.yaml", xdg);
	else if (home && *home)
		snprintf(buf, cap, "%s/.config/rootle/rootle.yaml", home);
	else
		return NULL;
	return buf;
}

int config_load(struct config *c, struct options *o, const struct option_row *const *groups, const char *file)
{
	struct reader r = {.config = c, .options = o, .groups = groups};
	char path[4096];
	const char *user = user_file(path, sizeof(path));
	int ret;

	arena_init(&c->arena, 1 << 20);
	if (file)
		return load_file(&r, file, LEVEL_USER, true);
	ret = load_file(&r, "/etc/rootle/rootle.yaml", LEVEL_SYSTEM, false);
	return ret || !user ? ret : load_file(&r, user, LEVEL_USER, false);
}

void config_done(struct config *c)
{
	user_reset();
	name_rules_free(c->names);
	arena_done(&c->arena);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "exit.h"
#include "nearest.h"
#include "say.h"
#include "user_names.h"

#define NAME_MAX_BYTES 63

struct reader {
	struct arena *arena;
	const char *file;
	yaml_document_t *doc;
};

static int refuse(const struct reader *r, const yaml_node_t *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int refuse(const struct reader *r, const yaml_node_t *at, const char *fmt, ...)
{
	char what[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return say_error(EXIT_USAGE, "%s:%zu: %s", r->file, at->start_mark.line + 1, what);
}

static const char *scalar(const yaml_node_t *n)
{
	return n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

static int read_text(const struct reader *r, const yaml_node_t *n, const char **to)
{
	const char *s = scalar(n);

	if (!s || !*s || strlen(s) != n->data.scalar.length)
		return refuse(r, n, "a text is expected here");
	*to = arena_strdup(r->arena, s);
	return *to ? 0 : say_error(EXIT_FAILED, "out of memory");
}

static int read_port(const struct reader *r, const yaml_node_t *n, uint16_t *to)
{
	const char *s = scalar(n);
	char *end;
	unsigned long v = s && *s >= '1' && *s <= '9' ? strtoul(s, &end, 10) : 0;

	if (!v || *end || v > UINT16_MAX)
		return refuse(r, n, "a port from 1 to 65535 is expected here");
	*to = (uint16_t)v;
	return 0;
}

static int read_ports(const struct reader *r, const yaml_node_t *n, struct name_rule *rule)
{
	size_t count = n->type == YAML_SEQUENCE_NODE ? (size_t)(n->data.sequence.items.top - n->data.sequence.items.start) : 1;
	int ret = 0;

	if (!count || count > NAME_RULE_PORTS)
		return refuse(r, n, "1 to %d ports are expected here", NAME_RULE_PORTS);
	for (size_t i = 0; i < count && !ret; i++) {
		const yaml_node_t *item = n->type == YAML_SEQUENCE_NODE ?
					  yaml_document_get_node(r->doc, n->data.sequence.items.start[i]) : n;
		ret = read_port(r, item, &rule->port[i]);
	}
	return ret;
}

static int unknown_field(const struct reader *r, const yaml_node_t *at, const char *key)
{
	struct nearest near;

	nearest_init(&near, key);
	nearest_offer(&near, "port");
	for (size_t i = 0; i < NAME_FIELDS; i++)
		nearest_offer(&near, name_field_keys[i]);
	return near.best ? refuse(r, at, "unknown key '%s', did you mean '%s'?", key, near.best) : refuse(r, at, "unknown key '%s'", key);
}

/* {exe: …, port: …}: what all have to match. */
static int read_match(const struct reader *r, const yaml_node_t *n, struct name_rule *rule)
{
	int ret = 0;

	if (n->type != YAML_MAPPING_NODE || n->data.mapping.pairs.start == n->data.mapping.pairs.top)
		return refuse(r, n, "what is matched is expected here, as 'exe: PATTERN'");
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top && !ret; p++) {
		const yaml_node_t *k = yaml_document_get_node(r->doc, p->key), *v = yaml_document_get_node(r->doc, p->value);
		const char *key = scalar(k);
		size_t field = 0;

		while (key && field < NAME_FIELDS && strcmp(key, name_field_keys[field]))
			field++;
		if (!key)
			ret = refuse(r, k, "a key is expected to be a plain word");
		else if (!strcmp(key, "port") ? rule->port[0] : field < NAME_FIELDS && rule->pattern[field])
			ret = refuse(r, k, "'%s' is there twice; several ports are a list", key);
		else if (!strcmp(key, "port"))
			ret = read_ports(r, v, rule);
		else
			ret = field == NAME_FIELDS ? unknown_field(r, k, key) : read_text(r, v, &rule->pattern[field]);
	}
	return ret;
}

static bool is_name(const char *s)
{
	char clean[NAME_MAX_BYTES + 1];

	text_clean(clean, sizeof(clean), s, strlen(s), true);
	return !strcmp(clean, s) && s[0] != ' ' && s[strlen(s) - 1] != ' ';
}

static int read_name(const struct reader *r, const yaml_node_t *k, const yaml_node_t *v, struct name_rule *rule)
{
	int ret = rule->name ? refuse(r, k, "either 'name' or 'group', once") : read_text(r, v, &rule->name);

	if (ret == 0 && strlen(rule->name) > NAME_MAX_BYTES)
		ret = refuse(r, v, "a name has at most %d bytes", NAME_MAX_BYTES);
	if (ret == 0 && !is_name(rule->name))
		ret = refuse(r, v, "a name is text that can be read: no control characters, no blanks around it");
	rule->group = !strcmp(scalar(k), "group");
	return ret;
}

static int read_rule(const struct reader *r, const yaml_node_t *n, struct name_rule *rule)
{
	bool matched = false;
	int ret = 0;

	if (n->type != YAML_MAPPING_NODE)
		return refuse(r, n, "a rule with 'match' and 'name' or 'group' is expected here");
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top && !ret; p++) {
		const yaml_node_t *k = yaml_document_get_node(r->doc, p->key), *v = yaml_document_get_node(r->doc, p->value);
		const char *key = scalar(k);

		if (key && !strcmp(key, "match")) {
			ret = matched ? refuse(r, k, "'match' is there twice") : read_match(r, v, rule);
			matched = true;
		} else if (key && (!strcmp(key, "name") || !strcmp(key, "group"))) {
			ret = read_name(r, k, v, rule);
		} else {
			ret = refuse(r, k, "unknown key '%s': a rule has 'match' and 'name' or 'group'", key ? key : "(no word)");
		}
	}
	if (ret == 0 && (!matched || !rule->name))
		ret = refuse(r, n, "a rule needs 'match', and 'name' or 'group'");
	return ret;
}

static int add_rule(const struct reader *r, const yaml_node_t *n, struct name_rules *rules)
{
	struct name_rule rule = {0};
	char why[256] = "";
	int ret = read_rule(r, n, &rule);

	if (ret)
		return ret;
	rule.where = arena_printf(r->arena, "%s:%zu", r->file, n->start_mark.line + 1);
	if (!rule.where)
		return say_error(EXIT_FAILED, "out of memory");
	ret = name_rules_add(rules, &rule, why, sizeof(why));
	if (ret == -ENOSPC)
		return refuse(r, n, "more than %d rules", NAME_RULES_MAX);
	return ret ? refuse(r, n, "%s", why[0] ? why : "out of memory") : 0;
}

int user_names_read(struct arena *a, const char *file, yaml_document_t *doc, yaml_node_t *list, struct name_rules *rules)
{
	struct reader r = {a, file, doc};
	int ret = 0;

	if (list->type != YAML_SEQUENCE_NODE)
		return refuse(&r, list, "a list of rules is expected here");
	for (yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top && !ret; i++)
		ret = add_rule(&r, yaml_document_get_node(doc, *i), rules);
	return ret;
}

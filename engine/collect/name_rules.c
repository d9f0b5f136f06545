/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/name_rules.h"

#include <errno.h>
#include <fnmatch.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/vec.h"

#define GROUPS 10

struct compiled { regex_t re; bool is; };

struct rule { struct name_rule r; struct compiled of[NAME_FIELDS]; };

struct name_rules { VEC(struct rule) rules; };

const char *const name_field_keys[NAME_FIELDS] = {
	[NAME_IS] = "name", [NAME_EXE] = "exe", [NAME_CMDLINE] = "cmdline", [NAME_COMM] = "comm", [NAME_CGROUP] = "cgroup",
	[NAME_CONTAINER] = "container", [NAME_IMAGE] = "image", [NAME_NAMESPACE] = "namespace", [NAME_POD] = "pod",
	[NAME_PARENT] = "parent",
};

struct name_rules *name_rules_new(void)
{
	return calloc(1, sizeof(struct name_rules));
}

static void rule_done(struct rule *r)
{
	for (size_t i = 0; i < NAME_FIELDS; i++)
		if (r->of[i].is)
			regfree(&r->of[i].re);
}

void name_rules_free(struct name_rules *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->rules.n; i++)
		rule_done(&r->rules.v[i]);
	vec_done(&r->rules);
	free(r);
}

static int pattern_compile(struct rule *r, size_t field, char *why, size_t cap)
{
	const char *p = r->r.pattern[field];
	char said[128];
	int err;

	if (!p || *p != '~')
		return 0;
	if (!p[1]) {
		snprintf(why, cap, "%s: '~' alone says nothing: a regular expression is to follow", name_field_keys[field]);
		return -EINVAL;
	}
	err = regcomp(&r->of[field].re, p + 1, REG_EXTENDED);
	r->of[field].is = err == 0;
	if (!err)
		return 0;
	regerror(err, &r->of[field].re, said, sizeof(said));
	snprintf(why, cap, "%s: '%s' is no regular expression: %s", name_field_keys[field], p + 1, said);
	return -EINVAL;
}

/* The pattern whose groups the name means: the first regular expression. */
static const struct compiled *groups_of(const struct rule *r)
{
	for (size_t i = 0; i < NAME_FIELDS; i++)
		if (r->of[i].is)
			return &r->of[i];
	return NULL;
}

static int name_check(const struct rule *r, char *why, size_t cap)
{
	const struct compiled *c = groups_of(r);
	size_t most = c ? c->re.re_nsub : 0;

	for (const char *p = strchr(r->r.name, '$'); p; p = strchr(p + 1, '$'))
		if (p[1] < '0' || p[1] > '9' || (size_t)(p[1] - '0') > most) {
			snprintf(why, cap, "the name asks for $%c, and there is no such group", p[1] ? p[1] : ' ');
			return -EINVAL;
		}
	return 0;
}

int name_rules_add(struct name_rules *r, const struct name_rule *rule, char *why, size_t cap)
{
	struct rule new = { .r = *rule }, *slot;
	int ret = r->rules.n < NAME_RULES_MAX ? 0 : -ENOSPC;

	for (size_t i = 0; i < NAME_FIELDS && !ret; i++)
		ret = pattern_compile(&new, i, why, cap);
	if (!ret)
		ret = name_check(&new, why, cap);
	slot = ret ? NULL : vec_push(&r->rules);
	if (!slot) {
		rule_done(&new);
		return ret ? ret : -ENOMEM;
	}
	*slot = new;
	return 0;
}

int name_rules_append(struct name_rules *r, struct name_rules *from)
{
	size_t n = from ? from->rules.n : 0, before = r->rules.n;

	if (before + n > NAME_RULES_MAX)
		return -ENOSPC;
	for (size_t i = 0; i < n; i++) {
		struct rule *slot = vec_push(&r->rules);
		if (!slot) {
			r->rules.n = before;
			return -ENOMEM;
		}
		*slot = from->rules.v[i];
	}
	if (from)
		vec_reset(&from->rules);
	name_rules_free(from);
	return 0;
}

/* --- matching --------------------------------------------------------------------------------------------------------- */

static bool port_matches(const struct name_rule *r, uint16_t port)
{
	if (!port)
		return !r->port[0];
	for (size_t i = 0; i < NAME_RULE_PORTS && r->port[i]; i++)
		if (r->port[i] == port)
			return true;
	return false;
}

static bool rule_matches(const struct rule *r, const struct name_facts *f, uint16_t port)
{
	for (size_t i = 0; i < NAME_FIELDS; i++) {
		const char *pattern = r->r.pattern[i], *text = f->text[i];
		if (!pattern)
			continue;
		if (!text || !*text)
			return false;
		if (r->of[i].is ? regexec(&r->of[i].re, text, 0, NULL, 0) : fnmatch(pattern, text, 0))
			return false;
	}
	return port_matches(&r->r, port);
}

/* The name with its groups filled in. */
static void name_fill(const struct rule *r, const struct name_facts *f, char *name, size_t cap)
{
	char raw[512];
	size_t n = 0;
	regmatch_t m[GROUPS] = { { -1, -1 } };
	const char *of = NULL;

	for (size_t i = 0; i < NAME_FIELDS && !of; i++)
		if (r->of[i].is && !regexec(&r->of[i].re, f->text[i], GROUPS, m, 0))
			of = f->text[i];
	for (const char *p = r->r.name; *p && n + 1 < sizeof(raw); p++) {
		const char *part = p;
		size_t len = 1;
		if (p[0] == '$') {
			int g = *++p - '0';
			part = g ? of + (m[g].rm_so > 0 ? m[g].rm_so : 0) : f->text[NAME_IS];
			len = g ? (size_t)(m[g].rm_eo - m[g].rm_so) : strlen(part);
		}
		len = len < sizeof(raw) - 1 - n ? len : sizeof(raw) - 1 - n;
		memcpy(raw + n, part, len);
		n += len;
	}
	text_clean(name, cap, raw, n, true);
}

const struct name_rule *name_rules_find(const struct name_rules *r, const struct name_facts *f, uint16_t port, char *name, size_t cap)
{
	for (size_t i = 0; r && i < r->rules.n; i++) {
		if (!rule_matches(&r->rules.v[i], f, port))
			continue;
		name_fill(&r->rules.v[i], f, name, cap);
		if (name[0])
			return &r->rules.v[i].r;
	}
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The arguments of a process, as the rules of names ask for them. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "collect/ident_rule.h"

bool one_of(const char *const *list, const char *s)
{
	for (; *list; list++)
		if (!strcmp(*list, s))
			return true;
	return false;
}

bool in_words(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = n ? list : NULL; p && (p = strstr(p, word)); p++)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

bool is_version_of(const char *program, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(program, name, n) && program[n + strspn(program + n, "0123456789.-")] == '\0';
}

const char *arg_next(const struct ident_facts *f, const char *arg)
{
	const char *p = arg ? arg + strlen(arg) + 1 : f->argv;

	return p && f->alen && p < f->argv + f->alen ? p : NULL;
}

const char *arg_skip(const struct ident_facts *f, int n)
{
	const char *a = arg_next(f, NULL);

	while (a && n-- > 0)
		a = arg_next(f, a);
	return a;
}

void title_copy(char *buf, size_t cap, const char *argv0)
{
	size_t n = strcspn(argv0, " :");
	char word[NAME_CAP];

	snprintf(word, sizeof(word), "%.*s", (int)(n < NAME_CAP ? n : NAME_CAP - 1), argv0 + (*argv0 == '-'));
	word[strcspn(word, " :")] = '\0';
	snprintf(buf, cap, "%s", text_basename(word));
}

const char *arg_value(const struct ident_facts *f, const char *option)
{
	size_t n = strlen(option);

	for (const char *a = arg_next(f, NULL); a; a = arg_next(f, a)) {
		if (strncmp(a, option, n))
			continue;
		if (a[n] == '=')
			return a + n + 1;
		if (!a[n])
			return arg_next(f, a);
	}
	return NULL;
}

bool arg_has_part(const struct ident_facts *f, const char *part)
{
	for (const char *a = arg_next(f, NULL); a; a = arg_next(f, a))
		if (strstr(a, part))
			return true;
	return false;
}

void verdict_name(struct ident_verdict *v, const char *name, const char *why)
{
	text_clean(v->name, sizeof(v->name), name, strlen(name), true);
	v->kind = v->kind ? v->kind : "app";
	v->why = why;
}

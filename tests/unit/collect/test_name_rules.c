/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/name_rules.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct name_rules *rules;
static char why[256];

static void make(void)
{
	rules = name_rules_new();
}

static void unmake(void)
{
	name_rules_free(rules);
}

TestSuite(name_rules, .init = make, .fini = unmake);

static int add(struct name_rule r)
{
	r.where = "here";
	return name_rules_add(rules, &r, why, sizeof(why));
}

static const struct name_facts facts = { .text = {
	[NAME_IS] = "stock.py", [NAME_EXE] = "/usr/bin/python3.11", [NAME_CMDLINE] = "python3 /srv/stock.py --region=eu",
	[NAME_CONTAINER] = "", [NAME_PARENT] = "bash",
} };

static const char *name_of(uint16_t port)
{
	static char name[64];

	return name_rules_find(rules, &facts, port, name, sizeof(name)) ? name : "none";
}

Test(name_rules, globs_are_of_all_of_the_text)
{
	cr_assert_eq(add((struct name_rule){ .pattern = { [NAME_EXE] = "python*" }, .name = "no" }), 0);
	cr_expect_str_eq(name_of(0), "none");
	cr_assert_eq(add((struct name_rule){ .pattern = { [NAME_EXE] = "/usr/*/python3.1[0-9]" }, .name = "yes" }), 0);
	cr_expect_str_eq(name_of(0), "yes");
}

Test(name_rules, all_must_match_and_the_first_rule_counts)
{
	add((struct name_rule){ .pattern = { [NAME_EXE] = "*", [NAME_PARENT] = "zsh" }, .name = "no" });
	add((struct name_rule){ .pattern = { [NAME_EXE] = "*", [NAME_PARENT] = "bash" }, .name = "first" });
	add((struct name_rule){ .pattern = { [NAME_EXE] = "*" }, .name = "second" });
	cr_expect_str_eq(name_of(0), "first");
}

Test(name_rules, what_is_not_known_matches_nothing)
{
	add((struct name_rule){ .pattern = { [NAME_CONTAINER] = "*" }, .name = "no" });
	add((struct name_rule){ .pattern = { [NAME_POD] = "*" }, .name = "no" });
	cr_expect_str_eq(name_of(0), "none");
}

Test(name_rules, groups)
{
	cr_assert_eq(add((struct name_rule){ .pattern = { [NAME_CMDLINE] = "~--region=([a-z]+)( x)?$" }, .name = "$1-$0$2" }), 0);
	cr_expect_str_eq(name_of(0), "eu-stock.py");
}

Test(name_rules, ports)
{
	cr_assert_eq(add((struct name_rule){ .pattern = { [NAME_IS] = "stock.py" }, .port = { 80, 443 }, .name = "edge" }), 0);
	add((struct name_rule){ .pattern = { [NAME_IS] = "stock.py" }, .name = "stock" });
	cr_expect_str_eq(name_of(443), "edge");
	cr_expect_str_eq(name_of(8080), "none");
	cr_expect_str_eq(name_of(0), "stock");
}

Test(name_rules, mistakes)
{
	cr_expect_eq(add((struct name_rule){ .pattern = { [NAME_EXE] = "~(" }, .name = "a" }), -EINVAL);
	cr_expect(strstr(why, "exe: '(' is no regular expression"), "%s", why);
	cr_expect_eq(add((struct name_rule){ .pattern = { [NAME_EXE] = "~(a)" }, .name = "$2" }), -EINVAL);
	cr_expect_str_eq(why, "the name asks for $2, and there is no such group");
	cr_expect_eq(add((struct name_rule){ .pattern = { [NAME_EXE] = "a" }, .name = "cost$" }), -EINVAL);
	cr_expect_str_eq(name_of(0), "none");
}

Test(name_rules, no_more_than_there_is_room_for)
{
	struct name_rules *more = name_rules_new();
	struct name_rule last = { .pattern = { [NAME_EXE] = "*" }, .name = "last", .where = "there" };

	for (int i = 0; i < NAME_RULES_MAX - 1; i++)
		cr_assert_eq(add((struct name_rule){ .pattern = { [NAME_EXE] = "~^x" }, .name = "x" }), 0);
	cr_assert_eq(name_rules_add(more, &last, why, sizeof(why)), 0);
	cr_assert_eq(name_rules_append(rules, more), 0, "moved and freed");
	cr_expect_str_eq(name_of(0), "last");
	cr_expect_eq(add((struct name_rule){ .pattern = { [NAME_EXE] = "*" }, .name = "x" }), -ENOSPC);
	more = name_rules_new();
	name_rules_add(more, &last, why, sizeof(why));
	cr_expect_eq(name_rules_append(rules, more), -ENOSPC);
	name_rules_free(more);
	cr_expect_eq(name_rules_append(rules, NULL), 0);
}

/* A name is shown in terminals. */
Test(name_rules, hostile_facts)
{
	struct name_facts f = { .text = { [NAME_IS] = "x", [NAME_CMDLINE] = "run \x1b[31m" } };
	char name[8];

	add((struct name_rule){ .pattern = { [NAME_CMDLINE] = "~run (.*)" }, .name = "$1$1$1$1$1$1" });
	cr_assert_not_null(name_rules_find(rules, &f, 0, name, sizeof(name)));
	cr_expect(!strchr(name, '\x1b') && strlen(name) < sizeof(name));
	f.text[NAME_CMDLINE] = "run ";
	cr_expect_null(name_rules_find(rules, &f, 0, name, sizeof(name)), "an empty name is none");
}

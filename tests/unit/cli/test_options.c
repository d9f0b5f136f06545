/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"

#define NOW (1700000000 * NS_PER_S)

static const struct option_row *const groups[] = {
	options_db, options_range, options_record, options_attach, options_explain, options_common, NULL,
};

static struct options o;
static char *args[16];
static int nargs;

static int parse(const char *line)
{
	static char copy[256];
	int argc = 0;

	strcpy(copy, line);
	args[argc++] = (char *)"test";
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		args[argc++] = word;
	args[argc] = NULL;
	options_init(&o, NOW);
	return options_parse(&o, "test", groups, argc, args, &nargs);
}

static void done(void)
{
	options_done(&o);
}

Test(options, defaults, .fini = done)
{
	cr_assert_eq(parse(""), 0);
	cr_expect_eq(o.since_ns, TIME_UNSET);
	cr_expect_eq(o.last_ns, 0);
	cr_expect_str_eq(o.color, "auto");
	cr_expect_float_eq(o.cpu_budget_ratio, 0.10, 1e-9);
	cr_expect_eq(o.memory_bytes, 48 << 20);
	cr_expect_eq(nargs, 0);
}

Test(options, values_both_ways, .fini = done)
{
	cr_assert_eq(parse("--since=@1589808367 --keep 1h30m --max-size=256M --db a --db b"), 0);
	cr_expect_eq(o.since_ns, 1589808367 * NS_PER_S);
	cr_expect_eq(o.keep_ns, 5400 * NS_PER_S);
	cr_expect_eq(o.max_bytes, 256 << 20);
	cr_assert_eq(o.db.n, 2);
	cr_expect_str_eq(o.db.v[1], "b");
}

Test(options, numbers, .fini = done)
{
	cr_assert_eq(parse("--port 80,443 --port 6379"), 0);
	cr_assert_eq(o.port.n, 3);
	cr_expect_eq(o.port.v[1], 443);
	cr_expect_eq(o.port.v[2], 6379);
}

Test(options, numbers_refused)
{
	static const char *const bad[] = {"--port 0", "--port 65536", "--port x", "--port 80,", "--port -1", "--port 80x"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_eq(parse(bad[i]), EXIT_USAGE, "%s was taken", bad[i]);
		options_done(&o);
	}
}

Test(options, positional, .fini = done)
{
	cr_assert_eq(parse("one --quiet two -- --three"), 0);
	cr_assert_eq(nargs, 3);
	cr_expect_str_eq(args[0], "one");
	cr_expect_str_eq(args[1], "two");
	cr_expect_str_eq(args[2], "--three");
	cr_expect(o.quiet);
}

Test(options, baseline, .fini = done)
{
	cr_assert_eq(parse("--baseline @100..@200"), 0);
	cr_expect_eq(o.baseline.since_ns, 100 * NS_PER_S);
	cr_expect_eq(o.baseline.until_ns, 200 * NS_PER_S);
}

Test(options, budget, .fini = done)
{
	cr_assert_eq(parse("--cpu-budget 10%"), 0);
	cr_expect_float_eq(o.cpu_budget_ratio, 0.1, 1e-9);
}

Test(options, refused)
{
	static const char *const bad[] = {
		"--sicne 10m", "--since yesterdayish", "--keep -5s", "--keep 5", "--max-size 0", "--baseline @200..@100",
		"--baseline @100", "--color blue", "--quiet=yes", "--db", "--db=", "--cpu-budget 120%", "--cpu-budget 10", "-x",
		"--symptom", "--symptom slow",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_eq(parse(bad[i]), EXIT_USAGE, "%s was taken", bad[i]);
		options_done(&o);
	}
}

Test(options, command_line_replaces_lists_of_the_file)
{
	char why[128];

	options_init(&o, NOW);
	const struct option_row *db = options_find(groups, "db", 2);

	cr_assert_eq(option_set(&o, db, "system", LEVEL_SYSTEM, why, sizeof(why)), 0);
	cr_assert_eq(option_set(&o, db, "user", LEVEL_USER, why, sizeof(why)), 0);
	cr_expect_eq(o.db.n, 1);
	cr_assert_eq(option_set(&o, db, "flag", LEVEL_COMMAND_LINE, why, sizeof(why)), 0);
	cr_assert_eq(option_set(&o, db, "flag2", LEVEL_COMMAND_LINE, why, sizeof(why)), 0);
	cr_expect_eq(o.db.n, 2);
	cr_expect_str_eq(o.db.v[0], "flag");
	options_done(&o);
}

/* What help, completions and the manual rely on. */
Test(options, table_is_consistent)
{
	for (const struct command *c = command_table; c->name; c++) {
		cr_assert_not_null(c->options, "%s has no options", c->name);
		cr_assert_not_null(c->run, "%s does nothing", c->name);
		for (const struct option_row *const *g = c->options; *g; g++)
			for (const struct option_row *row = *g; row->name; row++) {
				cr_expect_eq(row->type == OPT_FLAG, row->arg == NULL, "--%s: flags have no value", row->name);
				cr_expect_eq(row->type == OPT_CHOICE, row->choices != NULL, "--%s: choices", row->name);
				cr_expect_leq(strlen(row->help), 56, "--%s: the help is wider than 80 columns", row->name);
				cr_expect_eq(options_find(c->options, row->name, strlen(row->name)), row,
					     "%s has two --%s", c->name, row->name);
			}
	}
}

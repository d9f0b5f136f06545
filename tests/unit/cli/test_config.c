/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/config.h"

static struct options o;
static struct config config;
static char path[64];

static int load(const char *text)
{
	const struct command *record = command_find("record");
	int ret;

	strcpy(path, "/tmp/rootle-test-XXXXXX");
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	options_init(&o, 1700000000 * NS_PER_S);
	ret = config_load(&config, &o, record->options, path);
	unlink(path);
	return ret;
}

static void done(void)
{
	options_done(&o);
	config_done(&config);
}

Test(config, values, .fini = done)
{
	cr_assert_eq(load("keep: 2h\nexclude-port: [22, 9100]\nquiet: true\ndb: /x/y.db\n"), 0);
	cr_expect_eq(o.keep_ns, 7200 * NS_PER_S);
	cr_assert_eq(o.exclude_port.n, 2);
	cr_expect_eq(o.exclude_port.v[1], 9100);
	cr_expect(o.quiet);
	cr_expect_str_eq(o.db.v[0], "/x/y.db");
}

Test(config, empty_file, .fini = done)
{
	cr_expect_eq(load(""), 0);
}

static void expect_line(const char *text, int line, const char *needle)
{
	char got[512] = "", where[96];
	FILE *err;

	cr_redirect_stderr();
	cr_expect_eq(load(text), EXIT_USAGE, "this was taken: %s", text);
	err = cr_get_redirected_stderr();
	cr_assert_not_null(fgets(got, sizeof(got), err));
	snprintf(where, sizeof(where), "%s:%d: ", path, line);
	cr_expect_not_null(strstr(got, where), "no '%s' in: %s", where, got);
	cr_expect_not_null(strstr(got, needle), "no '%s' in: %s", needle, got);
}

Test(config, unknown_key_is_named, .fini = done)
{
	expect_line("quiet: true\nkeap: 2h\n", 2, "did you mean 'keep'");
}

Test(config, bad_value_is_placed, .fini = done)
{
	expect_line("\nkeep: soon\n", 2, "keep: 'soon'");
}

Test(config, not_yaml, .fini = done)
{
	expect_line("keep: [1h\n", 2, "not YAML");
}

Test(config, list_for_a_single_value, .fini = done)
{
	expect_line("keep: [1h, 2h]\n", 1, "not a list");
}

Test(config, not_a_mapping, .fini = done)
{
	expect_line("- keep\n", 1, "a mapping");
}

Test(config, options_of_one_run_are_no_keys, .fini = done)
{
	expect_line("json: true\n", 1, "unknown key 'json'");
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "command.h"
#include "config.h"
#include "filter.h"
#include "nearest.h"
#include "out.h"
#include "say.h"
#include "sort.h"
#include "user_protocols.h"

static int unknown_command(const char *name)
{
	struct nearest near;

	nearest_init(&near, name);
	for (const struct command *c = command_table; c->name; c++)
		if (!c->hidden)
			nearest_offer(&near, c->name);
	if (near.best)
		return say_error(EXIT_USAGE, "unknown command '%s', did you mean '%s'?", name, near.best);
	return say_error(EXIT_USAGE, "unknown command '%s', see rootle help", name);
}

static int check_args(const struct command *c, int nargs, char **argv)
{
	if (nargs < c->min_args)
		return say_error(EXIT_USAGE, "%s: an argument is missing: rootle %s %s", c->name, c->name, c->args);
	if (c->max_args >= 0 && nargs > c->max_args)
		return say_error(EXIT_USAGE, "%s: unexpected argument '%s', see rootle %s --help", c->name,
				 argv[c->max_args], c->name);
	return 0;
}

/* --sort by what the command's rows have. */
static int find_sort_key(const struct command *c, struct options *o)
{
	char names[256] = "";

	if (!o->sort || !c->sorts)
		return 0;
	o->sort_key = sort_find(c->sorts, o->sort);
	if (o->sort_key)
		return 0;
	for (const struct sort_key *k = c->sorts; k->name; k++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), " %s", k->name);
	return say_error(EXIT_USAGE, "%s: --sort: '%s' is none of%s", c->name, o->sort, names);
}

static int run_parsed(const struct command *c, struct options *o, int nargs, char **argv)
{
	int ret;

	say_level(o->quiet, o->verbose);
	out_init(o->color);
	if (o->help) {
		help_command(c);
		return out_finish(EXIT_OK);
	}
	if (o->version)
		return cmd_version(c, o, 0, argv);
	ret = check_args(c, nargs, argv);
	if (ret == 0)
		ret = find_sort_key(c, o);
	if (ret == 0)
		ret = filter_check(o);
	return ret ? ret : c->run(c, o, nargs, argv);
}

/* --config has to be known before the file is read, and the file before the flags that win over it: so the command line is
 * parsed twice, the first time for --config and for mistakes in it only. */
static int run_command(const struct command *c, int argc, char **argv)
{
	char **copy = calloc((size_t)argc + 1, sizeof(*copy));
	struct config config = {0};
	struct options o;
	int nargs, ret;

	if (!copy)
		return say_error(EXIT_FAILED, "out of memory");
	memcpy(copy, argv, (size_t)argc * sizeof(*copy));
	options_init(&o, clock_unix_ns());
	ret = options_parse(&o, c->name, c->options, argc, copy, &nargs);
	if (ret == 0 && !o.help && !o.version) {
		const char *file = o.config;

		options_done(&o);
		options_init(&o, clock_unix_ns());
		ret = config_load(&config, &o, c->options, file);
		if (ret == 0)
			ret = options_parse(&o, c->name, c->options, argc, argv, &nargs);
		if (ret == 0 && options_find(c->options, "protocols", strlen("protocols")))
			ret = user_protocols_load(&config.arena, &o);
	}
	if (ret == 0)
		ret = run_parsed(c, &o, nargs, argv);
	options_done(&o);
	config_done(&config);
	free(copy);
	return ret;
}

static const char *alias(const char *arg)
{
	if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
		return "help";
	return strcmp(arg, "--version") == 0 ? "version" : arg;
}

int command_main(int argc, char **argv)
{
	char *top[] = {(char *)"top", NULL};
	const struct command *c;

	if (argc < 2)
		return run_command(command_find("top"), 1, top);
	argv[1] = (char *)alias(argv[1]);
	c = command_find(argv[1]);
	if (!c && argv[1][0] == '-')      /* rootle --db F: the live view with options */
		return run_command(command_find("top"), argc, argv);
	if (!c)
		return unknown_command(argv[1]);
	if (c->raw)
		return c->run(c, NULL, argc - 1, argv + 1);
	return run_command(c, argc - 1, argv + 1);
}

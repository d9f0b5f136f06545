/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "out.h"
#include "sort.h"

#define HELP_COLUMNS 80

/* Words of s in lines of at most HELP_COLUMNS, each behind `indent` blanks. */
static void print_wrapped(const char *s, int indent)
{
	size_t width = (size_t)(HELP_COLUMNS - indent);

	while (*s) {
		size_t n = strlen(s);

		if (n > width) {
			n = width;
			while (n && s[n] != ' ')
				n--;
			n = n ? n : width;
		}
		out_line("%*s%.*s", indent, "", (int)n, s);
		s += n;
		s += strspn(s, " ");
	}
}

void help_program(void)
{
	out_line("usage: rootle [COMMAND] [OPTIONS]");
	out_line("%s", "");
	out_line("Says what broke on this node, and why. Without a command: the live view (top).");
	out_line("%s", "");
	for (const struct command *c = command_table; c->name; c++)
		if (!c->hidden)
			out_line("  %-10s %s", c->name, c->summary);
	out_line("%s", "");
	out_line("Most commands read a recording: --db FILE, else the one that is being written.");
	out_line("rootle COMMAND --help tells the options of a command; rootle(1) tells all.");
}

static void help_option(const struct option_row *row)
{
	char name[64];

	snprintf(name, sizeof(name), "--%s%s%s", row->name, row->arg ? " " : "", row->arg ? row->arg : "");
	out_line("  %-22s  %s", name, row->help);
}

static void help_sorts(const struct sort_key *k)
{
	char line[256] = "--sort KEY:";

	for (; k->name; k++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", k->name);
	out_line("%s", "");
	print_wrapped(line, 2);
}

void help_command(const struct command *c)
{
	out_line("usage: rootle %s [OPTIONS]%s%s", c->name, *c->args ? " " : "", c->args);
	out_line("%s", "");
	print_wrapped(c->summary, 0);
	if (c->about) {
		out_line("%s", "");
		print_wrapped(c->about, 0);
	}
	out_line("%s", "");
	for (const struct option_row *const *g = c->options; *g; g++)
		for (const struct option_row *row = *g; row->name; row++)
			help_option(row);
	if (c->sorts)
		help_sorts(c->sorts);
}

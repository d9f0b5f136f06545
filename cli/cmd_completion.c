/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "out.h"
#include "proto/proto.h"
#include "say.h"
#include "sort.h"

static void print_commands(void)
{
	out_bytes("\tlocal commands='", strlen("\tlocal commands='"));
	const char *gap = "";

	for (const struct command *c = command_table; c->name; c++)
		if (!c->hidden) {
			out_bytes(gap, strlen(gap));
			out_bytes(c->name, strlen(c->name));
			gap = " ";
		}
	out_line("'");
}

static void print_options(const struct command *c)
{
	char line[1024] = "";

	for (const struct option_row *const *g = c->options; *g; g++)
		for (const struct option_row *row = *g; row->name; row++) {
			strncat(line, *line ? " --" : "--", sizeof(line) - strlen(line) - 1);
			strncat(line, row->name, sizeof(line) - strlen(line) - 1);
		}
	out_line("\t%s) options='%s' ;;", c->name, line);
}

/* The choices of an option are the same in every command. */
static void print_choices(void)
{
	static const struct option_row *const all[] = {options_common, options_explain, options_export, NULL};

	for (const struct option_row *const *g = all; *g; g++)
		for (const struct option_row *row = *g; row->name; row++) {
			char words[128];

			if (!row->choices)
				continue;
			strncpy(words, row->choices, sizeof(words) - 1);
			words[sizeof(words) - 1] = '\0';
			for (char *p = words; *p; p++)
				*p = *p == '|' ? ' ' : *p;
			out_line("\t--%s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;", row->name, words);
		}
}

/* What --sort takes is told by the command. */
static void print_sorts(void)
{
	out_line("\t--sort) case ${COMP_WORDS[1]} in");
	for (const struct command *c = command_table; c->name; c++) {
		char words[256] = "";

		if (!c->sorts)
			continue;
		for (const struct sort_key *k = c->sorts; k->name; k++)
			snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s", *words ? " " : "", k->name);
		out_line("\t\t%s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")) ;;", c->name, words);
	}
	out_line("\t\tesac; return ;;");
}

static void print_protocols(void)
{
	char words[512] = "tcp udp unix";

	for (int id = PROTO_UNKNOWN + 1; id < PROTO_MAX; id++)
		snprintf(words + strlen(words), sizeof(words) - strlen(words), " %s", proto_name((enum proto_id)id));
	out_line("\t--protocol) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;", words);
}

static void print_bash(void)
{
	out_line("# bash completion of rootle: printed by `rootle completion bash`");
	out_line("_rootle()");
	out_line("{");
	out_line("\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} options=''");
	print_commands();
	out_line("\tif [ \"$COMP_CWORD\" -eq 1 ]; then");
	out_line("\t\tCOMPREPLY=($(compgen -W \"$commands --help --version\" -- \"$cur\"))");
	out_line("\t\treturn");
	out_line("\tfi");
	out_line("\tcase $prev in");
	print_choices();
	print_sorts();
	print_protocols();
	out_line("\t--db|--pcap|--write-pcap|--config) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;");
	out_line("\tesac");
	out_line("\tcase ${COMP_WORDS[1]} in");
	for (const struct command *c = command_table; c->name; c++)
		if (!c->hidden)
			print_options(c);
	out_line("\tesac");
	out_line("\tcase $cur in");
	out_line("\t-*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;");
	out_line("\t*) COMPREPLY=($(compgen -f -- \"$cur\")) ;;");
	out_line("\tesac");
	out_line("}");
	out_line("complete -o filenames -F _rootle rootle");
}

int cmd_completion(const struct command *c, struct options *o, int argc, char **argv)
{
	if (strcmp(argv[0], "bash"))
		return say_error(EXIT_USAGE, "completion: there is one for bash only, not for '%s'", argv[0]);
	print_bash();
	return out_finish(EXIT_OK);
}

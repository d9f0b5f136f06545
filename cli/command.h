/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command: the commands, a row each.  To add one: a file cmd_NOUN.c and a row in command_table[].
 */
#ifndef ROOTLE_CLI_COMMAND_H
#define ROOTLE_CLI_COMMAND_H

#include <stdbool.h>

#include "exit.h"
#include "options.h"

struct command {
	const char *name;
	const char *args;                        /* of the usage line: "FILE", "" for none */
	const char *summary;                     /* one line of the list of commands */
	const char *about;                       /* paragraph of --help, NULL none */
	const struct option_row *const *options; /* groups, NULL-terminated; never NULL itself */
	int (*run)(const struct command *c, struct options *o, int argc, char **argv);   /* an exit code */
	int min_args, max_args;                  /* positional; max -1: any number */
	const struct sort_key *sorts;            /* of --sort; NULL: it has none */
	bool hidden;                             /* not in the list of commands */
	bool raw;                                /* gets the whole command line, argv[0] its name, and parses it itself */
};

extern const struct command command_table[];         /* ends with a row without a name */
const struct command *command_find(const char *name);

/* The whole program. Returns the exit code. */
int command_main(int argc, char **argv);

/* help.c: to stdout */
void help_program(void);
void help_command(const struct command *c);

/* one file cmd_*.c each; see struct command */
int cmd_check(const struct command *c, struct options *o, int argc, char **argv);
int cmd_completion(const struct command *c, struct options *o, int argc, char **argv);
int cmd_demo(const struct command *c, struct options *o, int argc, char **argv);
int cmd_demo_part(const struct command *c, struct options *o, int argc, char **argv);
int cmd_edges(const struct command *c, struct options *o, int argc, char **argv);
int cmd_events(const struct command *c, struct options *o, int argc, char **argv);
int cmd_explain(const struct command *c, struct options *o, int argc, char **argv);
int cmd_export(const struct command *c, struct options *o, int argc, char **argv);
int cmd_help(const struct command *c, struct options *o, int argc, char **argv);
int cmd_import(const struct command *c, struct options *o, int argc, char **argv);
int cmd_incidents(const struct command *c, struct options *o, int argc, char **argv);
int cmd_map(const struct command *c, struct options *o, int argc, char **argv);
int cmd_mark(const struct command *c, struct options *o, int argc, char **argv);
int cmd_profile(const struct command *c, struct options *o, int argc, char **argv);
int cmd_record(const struct command *c, struct options *o, int argc, char **argv);
int cmd_requests(const struct command *c, struct options *o, int argc, char **argv);
int cmd_services(const struct command *c, struct options *o, int argc, char **argv);
int cmd_snapshot(const struct command *c, struct options *o, int argc, char **argv);
int cmd_status(const struct command *c, struct options *o, int argc, char **argv);
int cmd_stop(const struct command *c, struct options *o, int argc, char **argv);
int cmd_top(const struct command *c, struct options *o, int argc, char **argv);
int cmd_traces(const struct command *c, struct options *o, int argc, char **argv);
int cmd_version(const struct command *c, struct options *o, int argc, char **argv);

#endif

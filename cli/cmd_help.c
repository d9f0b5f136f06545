/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"
#include "out.h"
#include "say.h"

int cmd_help(const struct command *c, struct options *o, int argc, char **argv)
{
	if (argc == 0) {
		help_program();
		return out_finish(EXIT_OK);
	}
	const struct command *about = command_find(argv[0]);

	if (!about)
		return say_error(EXIT_USAGE, "help: there is no command '%s', see rootle help", argv[0]);
	help_command(about);
	return out_finish(EXIT_OK);
}

int cmd_version(const struct command *c, struct options *o, int argc, char **argv)
{
	out_line("rootle %s", ROOTLE_VERSION);
	return out_finish(EXIT_OK);
}

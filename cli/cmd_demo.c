/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"
#if __has_include("demo.h")
#include "demo.h"
#else
int demo_run(int argc, char **argv);
int demo_run(int argc, char **argv)
{
	return EXIT_FAILED;
}
#endif

int cmd_demo(const struct command *c, struct options *o, int argc, char **argv)
{
	return demo_run(argc, argv);
}

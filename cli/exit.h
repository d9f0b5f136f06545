/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exit: the exit codes that scripts depend on.  Never renumber.
 */
#ifndef ROOTLE_CLI_EXIT_H
#define ROOTLE_CLI_EXIT_H

enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_DATA = 3,           /* nothing in the range; status and stop: nobody is recording */
	EXIT_CAUSE_FOUND = 10,      /* explain --exit-code */
	EXIT_UNDETERMINED = 11,     /* explain --exit-code: something is wrong, no cause above the floor */
	EXIT_NOTHING_SEEN = 69,     /* nothing at all can be observed here */
	EXIT_NO_PERMISSION = 77,    /* no probe may be attached */
};

#endif

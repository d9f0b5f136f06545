/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * say: what goes to stderr: errors as one line "rootle: …" and notes.  Untrusted bytes are made harmless; a line is one
 * write, so that a recorder and a reader on one terminal do not mix theirs.
 */
#ifndef ROOTLE_CLI_SAY_H
#define ROOTLE_CLI_SAY_H

#include <stdbool.h>

/* How much is told from now on; errors always are. */
void say_level(bool quiet, bool verbose);

/* "rootle: TEXT\n"; returns code, so that `return say_error(EXIT_USAGE, …)` is one statement. */
int say_error(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "TEXT\n", unless quiet. */
void say_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "TEXT\n", only where verbose. */
void say_detail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

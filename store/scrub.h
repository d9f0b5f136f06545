/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scrub: text without what looks like a secret, for a copy that leaves the machine.  Errs on the side of taking out too
 * much.  Pure functions on strings.
 */
#ifndef ROOTLE_STORE_SCRUB_H
#define ROOTLE_STORE_SCRUB_H

#include <stddef.h>

/* Copies text to buf with secrets as "***": the values of password=…, --token …, Authorization: …, Bearer …; user:password@
 * in URLs; AWS keys, JSON web tokens; other words of 32 characters or more that mix letters and digits (paths excepted).
 * Always NUL-terminated, cut to cap. Returns buf. */
char *scrub_text(char *buf, size_t cap, const char *text);
/* The name of a function: as it is, for it is code's; where it has blanks or slashes (a JIT's, with the path of a script) as
 * scrub_text(). */
char *scrub_frame(char *buf, size_t cap, const char *name);
/* A command line reduced to the program and the script it runs; " …" stands for the rest. */
char *scrub_cmdline(char *buf, size_t cap, const char *cmdline);

#endif

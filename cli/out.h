/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out: what goes to stdout.  A line is one flushed write, except into a regular file.  A closed pipe is not an error: what
 * follows is dropped, and out_finish() says that all is well.  Untrusted bytes are the caller's business (table, json).
 */
#ifndef ROOTLE_CLI_OUT_H
#define ROOTLE_CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"

/* Looks at stdout once: terminal or not, its width, the character set. color: "auto" "always" "never". Ignores SIGPIPE. */
void out_init(const char *color);

bool out_colored(void);
bool out_terminal(void);      /* stdout is one: what is for eyes alone may take several lines */
bool out_utf8(void);          /* the terminal's character set is UTF-8 */
size_t out_columns(void);     /* of the terminal, else of COLUMNS; 80 where there is neither, never less than 40 */
size_t out_rows(void);        /* of the terminal, without the line of the prompt; 0: stdout is none, or does not say */
bool out_is_narrow(void);     /* a line must not be longer than that: on a terminal, or with COLUMNS */

/* Nobody reads any more, or the disk is full: there is no point in going on. */
bool out_closed(void);
/* Like out_closed(), but asks the pipe, for those that wait long between lines. */
bool out_probe(void);

void out_bytes(const char *s, size_t n);      /* n bytes; ends with '\n' where a line is complete */
void out_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));    /* adds '\n' */
void out_json(struct json *j);                /* one document and '\n'; resets j */

/* Escape sequences, "" without colour. */
const char *out_bold(void);
const char *out_red(void);
const char *out_dim(void);
const char *out_plain(void);

/* Flushes. code, or EXIT_FAILED with one line where not everything could be written; EXIT_OK after a closed pipe. */
int out_finish(int code);

#endif

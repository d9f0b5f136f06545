/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redis_names: which words are Redis commands.  A client that is out of step sends values where commands should be; what is
 * not a command is not repeated (it may be a secret, and there is no end of such names).
 */
#ifndef ROOTLE_PROTO_REDIS_NAMES_H
#define ROOTLE_PROTO_REDIS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* name: upper case, n bytes, not NUL-terminated. */
bool redis_command_known(const char *name, size_t n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redis_names: which words are Redis commands, and which are errors.  A client that is out of step sends values where
 * commands should be, and a script may fail with any word; what is not in the tables is not repeated (it may be a secret,
 * and there is no end of such names).
 */
#ifndef ROOTLE_PROTO_REDIS_NAMES_H
#define ROOTLE_PROTO_REDIS_NAMES_H

#include <stddef.h>

#include "proto/proto.h"

enum redis_kind {
	REDIS_PLAIN = 0,
	REDIS_CONTAINER,       /* its first argument is a subcommand */
	REDIS_WAITS,           /* is answered when there is something */
	REDIS_MAY_WAIT,        /* the same where it says BLOCK */
	REDIS_SUBSCRIBE,       /* is answered once for each channel */
	REDIS_UNSUBSCRIBE,
	REDIS_MONITOR,         /* the server talks on without being asked */
	REDIS_SYNC,            /* it is a replica: what follows is no conversation */
	REDIS_RESET,
	REDIS_UNKNOWN,         /* not a command */
};

/* name: upper case, n bytes, not NUL-terminated. */
enum redis_kind redis_command_kind(const char *name, size_t n);
/* The word of the error of n bytes, from the table; "ERR" where it is not in there. */
const char *redis_error_name(const char *text, size_t n, enum req_error *error);

#endif

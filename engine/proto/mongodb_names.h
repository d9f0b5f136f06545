/* SPDX-License-Identifier: BSD-2-Clause */
/* mongodb_names: which words are commands of MongoDB, and what its error codes are called. */
#ifndef ROOTLE_PROTO_MONGODB_NAMES_H
#define ROOTLE_PROTO_MONGODB_NAMES_H

#include "proto/proto.h"

enum mongodb_kind {
	MONGODB_UNKNOWN = 0,     /* not a command: it is not repeated */
	MONGODB_PLAIN,
	MONGODB_COLLECTION,      /* its value is the name of a collection */
	MONGODB_GETMORE,         /* that is in "collection"; may wait for something to come */
	MONGODB_HELLO,           /* may wait for a change */
};

enum mongodb_kind mongodb_command_kind(const char *name);
/* The name and the class of an error code; "Error" for one that is not in the table. */
const char *mongodb_error_name(int64_t code, enum req_error *error);

#endif

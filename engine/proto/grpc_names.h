/* SPDX-License-Identifier: BSD-2-Clause */
/* grpc_names: the status codes of gRPC (doc/statuscodes.md of grpc/grpc). */
#ifndef ROOTLE_PROTO_GRPC_NAMES_H
#define ROOTLE_PROTO_GRPC_NAMES_H

#include "proto/proto.h"

enum { GRPC_CANCELLED = 1, GRPC_INTERNAL = 13 };

/* "NOT_FOUND"…; NULL for OK, "unknown" for what is none. */
const char *grpc_name(int status);
/*
 * The request was wrong: INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, FAILED_PRECONDITION, ABORTED,
 * OUT_OF_RANGE, UNAUTHENTICATED, and CANCELLED, which the client did.  The server failed or refused for its own reasons: all others.
 */
enum req_error grpc_error(int status);
/* What clients make of an HTTP status without grpc-status (doc/http-grpc-status-mapping.md), */
int grpc_of_http(int status);
/* and of a stream's error code (PROTOCOL-HTTP2.md). */
int grpc_of_reset(uint32_t code);

#endif

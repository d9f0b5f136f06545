/* SPDX-License-Identifier: BSD-2-Clause */
/* http_op: what an HTTP request is called, in any version of HTTP. */
#ifndef ROOTLE_PROTO_HTTP_OP_H
#define ROOTLE_PROTO_HTTP_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/proto.h"

#define HTTP_OP_MAX 512
#define HTTP_OP_UNKNOWN "(unknown)"

/* "METHOD /path" without values: those of Elasticsearch keep their index and action. raw: with its values. Returns its length. */
size_t http_op(char *out, size_t cap, const char *method, size_t mn, const char *target, size_t tn, bool raw);
/* "/package.Service/Method" as it is where it is one, else as a path. Returns its length. */
size_t grpc_op(char *out, size_t cap, const char *path, size_t n, bool raw);
/* Class of a status. What is above 599 is as bad as 500 (RFC 9110, 15). */
enum req_error http_error(int status);

#endif

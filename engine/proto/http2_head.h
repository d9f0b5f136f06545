/* SPDX-License-Identifier: BSD-2-Clause */
/* http2_head: of the fields of a header block those that are needed. */
#ifndef ROOTLE_PROTO_HTTP2_HEAD_H
#define ROOTLE_PROTO_HTTP2_HEAD_H

#include "proto/http_op.h"

struct h2_head {
	char method[24], target[HTTP_OP_MAX];
	uint8_t method_n;       /* 0: none, or unknown */
	uint16_t target_n;      /* of :path; of :authority where there is none; 0: none, or unknown */
	bool path;              /* the target is :path */
	bool pseudo;            /* a pseudo-header was read */
	bool grpc;              /* content-type: application/grpc… */
	bool unknown;           /* there were fields that could not be read */
	int16_t status;         /* 0: none, or unknown */
	int32_t grpc_status;    /* -1: none, or unknown */
	uint32_t size;          /* of the list, as SETTINGS_MAX_HEADER_LIST_SIZE counts */
	struct trace_ids ids;
};

void h2_head_reset(struct h2_head *d);
/* An hpack_field with a struct h2_head as its argument. */
void h2_head_field(void *arg, const char *name, size_t name_n, const char *value, size_t value_n);
/* What the request is called, into HTTP_OP_MAX bytes; its length. */
size_t h2_head_op(const struct h2_head *d, char *op, bool raw);

#endif

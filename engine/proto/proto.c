/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/proto.h"
#include "proto/protocols.h"

#include <string.h>

/* The surest first: an encrypted record must not be offered to a parser that guesses. */
const struct proto_ops *const proto_table[] = {
	&proto_tls,
	&proto_http,
	&proto_postgres,
	&proto_redis,
	&proto_dns,
	NULL,
};

const struct proto_ops *proto_by_id(enum proto_id id)
{
	const struct proto_ops *const *o;

	for (o = proto_table; *o; o++)
		if ((*o)->id == id)
			return *o;
	return NULL;
}

const struct proto_ops *proto_by_name(const char *name)
{
	const struct proto_ops *const *o;

	for (o = proto_table; *o; o++)
		if (!strcmp((*o)->name, name))
			return *o;
	return NULL;
}

const char *proto_name(enum proto_id id)
{
	const struct proto_ops *o = proto_by_id(id);

	switch (id) {
	case PROTO_QUIC: return "quic";
	case PROTO_GRPC: return "grpc";
	default: return o ? o->name : "tcp";
	}
}

const char *req_error_name(enum req_error e)
{
	switch (e) {
	case REQ_OK: return "ok";
	case REQ_CLIENT_ERROR: return "client_error";
	case REQ_SERVER_ERROR: return "server_error";
	case REQ_ABORTED: return "aborted";
	}
	return "ok";
}

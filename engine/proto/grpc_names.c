/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/grpc_names.h"

#include <stddef.h>

enum {
	UNKNOWN = 2, PERMISSION_DENIED = 7, RESOURCE_EXHAUSTED = 8, UNIMPLEMENTED = 12, UNAVAILABLE = 14, UNAUTHENTICATED = 16,
};

static const struct grpc_status {
	const char *name;
	enum req_error error;
} status_table[] = {
	{NULL, REQ_OK},
	{"CANCELLED", REQ_CLIENT_ERROR},
	{"UNKNOWN", REQ_SERVER_ERROR},
	{"INVALID_ARGUMENT", REQ_CLIENT_ERROR},
	{"DEADLINE_EXCEEDED", REQ_SERVER_ERROR},
	{"NOT_FOUND", REQ_CLIENT_ERROR},
	{"ALREADY_EXISTS", REQ_CLIENT_ERROR},
	{"PERMISSION_DENIED", REQ_CLIENT_ERROR},
	{"RESOURCE_EXHAUSTED", REQ_SERVER_ERROR},
	{"FAILED_PRECONDITION", REQ_CLIENT_ERROR},
	{"ABORTED", REQ_CLIENT_ERROR},
	{"OUT_OF_RANGE", REQ_CLIENT_ERROR},
	{"UNIMPLEMENTED", REQ_SERVER_ERROR},
	{"INTERNAL", REQ_SERVER_ERROR},
	{"UNAVAILABLE", REQ_SERVER_ERROR},
	{"DATA_LOSS", REQ_SERVER_ERROR},
	{"UNAUTHENTICATED", REQ_CLIENT_ERROR},
};

static const struct grpc_status *status_row(int status)
{
	static const struct grpc_status none = {"unknown", REQ_SERVER_ERROR};

	return status >= 0 && (size_t)status < sizeof(status_table) / sizeof(*status_table) ? &status_table[status] : &none;
}

const char *grpc_name(int status)
{
	return status_row(status)->name;
}

enum req_error grpc_error(int status)
{
	return status_row(status)->error;
}

int grpc_of_http(int status)
{
	switch (status) {
	case 400: return GRPC_INTERNAL;
	case 401: return UNAUTHENTICATED;
	case 403: return PERMISSION_DENIED;
	case 404: return UNIMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504: return UNAVAILABLE;
	default: return UNKNOWN;
	}
}

int grpc_of_reset(uint32_t code)
{
	switch (code) {
	case 7: return UNAVAILABLE;             /* REFUSED_STREAM */
	case 8: return GRPC_CANCELLED;
	case 11: return RESOURCE_EXHAUSTED;     /* ENHANCE_YOUR_CALM */
	case 12: return PERMISSION_DENIED;      /* INADEQUATE_SECURITY */
	default: return GRPC_INTERNAL;
	}
}

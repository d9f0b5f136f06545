/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/http2_head.h"
#include "proto/http2_hpack.h"

#include <stdio.h>
#include <string.h>

#define FIELD_OVERHEAD 32       /* RFC 9113, 6.5.2 */

void h2_head_reset(struct h2_head *d)
{
	d->method_n = 0;
	d->target_n = 0;
	d->path = d->pseudo = d->grpc = d->unknown = false;
	d->status = 0;
	d->grpc_status = -1;
	d->size = 0;
	d->ids = (struct trace_ids){0};
}

/* A number of up to `digits` digits, or -1. */
static int number(const char *p, size_t n, size_t digits)
{
	int x = 0;

	if (!n || n > digits)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		x = x * 10 + (p[i] - '0');
	}
	return x;
}

static void take_target(struct h2_head *d, const char *p, size_t n)
{
	d->target_n = (uint16_t)(n < sizeof(d->target) ? n : sizeof(d->target));
	memcpy(d->target, p, d->target_n);
}

static void take_pseudo(struct h2_head *d, const char *name, size_t name_n, const char *value, size_t n)
{
	int status;

	d->pseudo = true;
	if (name_n == 7 && !memcmp(name, ":method", 7) && n <= sizeof(d->method)) {
		memcpy(d->method, value, n);
		d->method_n = (uint8_t)n;
	} else if (name_n == 5 && !memcmp(name, ":path", 5)) {
		take_target(d, value, n);
		d->path = true;
	} else if (name_n == 10 && !memcmp(name, ":authority", 10) && !d->path) {
		take_target(d, value, n);
	} else if (name_n == 7 && !memcmp(name, ":status", 7)) {
		status = number(value, n, 3);
		d->status = (int16_t)(status >= 100 ? status : 0);
	}
}

void h2_head_field(void *arg, const char *name, size_t name_n, const char *value, size_t n)
{
	struct h2_head *d = arg;

	d->size += (uint32_t)(name_n + n + FIELD_OVERHEAD);
	switch (*name) {
	case ':':
		take_pseudo(d, name, name_n, value, n);
		break;
	case HPACK_UNKNOWN:
		d->unknown = true;
		break;
	case 'c':
		if (name_n == 12 && !memcmp(name, "content-type", 12))
			d->grpc = n >= 16 && !memcmp(value, "application/grpc", 16) && (n == 16 || strchr("+; ", value[16]));
		else if (trace_ids_may(name, name_n))
			trace_ids_field(&d->ids, name, name_n, value, n);
		break;
	case 'g':
		if (name_n == 11 && !memcmp(name, "grpc-status", 11))
			d->grpc_status = number(value, n, 9);
		break;
	default:
		if (trace_ids_may(name, name_n))
			trace_ids_field(&d->ids, name, name_n, value, n);
	}
}

size_t h2_head_op(const struct h2_head *d, char *op, bool raw)
{
	static const char unknown[] = HTTP_OP_UNKNOWN;
	const char *method = d->method_n ? d->method : unknown;
	size_t n = d->method_n ? d->method_n : sizeof(unknown) - 1;
	bool connect = n == 7 && !memcmp(method, "CONNECT", 7);

	if (d->grpc && d->path)
		return grpc_op(op, HTTP_OP_MAX, d->target, d->target_n, raw);
	if (d->path || (connect && d->target_n))
		return http_op(op, HTTP_OP_MAX, method, n, d->target, d->target_n, raw);
	if (!d->method_n)
		return (size_t)snprintf(op, HTTP_OP_MAX, "%s", unknown);
	return (size_t)snprintf(op, HTTP_OP_MAX, "%.*s %s", (int)n, method, unknown);
}

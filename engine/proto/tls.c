/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls: recognised, not read.  A record (RFC 8446, 5.1) is type, version 3.x, length; in the middle of a connection only
 * records of type 20..23 in a chain are believed, for five bytes are little.
 */
#include "proto/protocols.h"

#define RECORD_MAX (16384 + 2048)

static int tls_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	size_t len;

	if (!n)
		return -1;
	if (p[0] < 20 || p[0] > 23)
		return 0;
	if (n < 6)
		return n > 1 && p[1] != 3 ? 0 : -1;
	len = (size_t)p[3] << 8 | p[4];
	if (p[1] != 3 || p[2] > 4 || !len || len > RECORD_MAX)
		return 0;
	if (p[0] == 22)
		return p[5] == (dir == FROM_CLIENT ? 1 : 2) ? 100 : 60;
	if (n < len + 5)
		return p[0] == 23 ? 70 : 0;
	if (n == len + 5)
		return 75;
	return n > len + 7 && p[len + 5] >= 20 && p[len + 5] <= 23 && p[len + 6] == 3 ? 95 : 0;
}

static void tls_init(void *state, bool mid)
{
}

static void tls_done(void *state, struct proto_sink *s)
{
}

static ssize_t tls_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	return PROTO_ENCRYPTED;
}

static ssize_t tls_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	return 0;
}

static const uint16_t tls_ports[] = {443, 8443, 6443, 0};

const struct proto_ops proto_tls = {
	.id = PROTO_TLS,
	.name = "tls",
	.ports = tls_ports,
	.infer = tls_infer,
	.init = tls_init,
	.done = tls_done,
	.parse = tls_parse,
	.gap = tls_gap,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FoundationDB: recognised by its transport's greeting (fdbrpc/FlowTransport.actor.cpp, struct ConnectPacket: a length, then the version of the
 * protocol, 0x0FDB00B… little endian), and no more.  What follows are serialized C++ objects, addressed by random tokens that were given out
 * in other messages and laid out as that very version does: which of them is a read, a commit or a reply cannot be told from
 * outside.  So the connection has its name and its bytes, and no requests.
 */
#include "proto/protocols.h"
#include "proto/wire.h"

#define GREETING 12u
#define GREETING_MAX 256u

static int foundationdb_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	if (n >= 4 && (le32(p) < GREETING || le32(p) > GREETING_MAX))
		return 0;
	if (n < GREETING)
		return n > 1 && p[1] ? 0 : -1;
	/* the topmost bits say how objects are serialized */
	return p[9] == 0 && p[10] == 0xdb && (p[11] & 0x0f) == 0x0f && (p[8] & 0xf0) == 0xb0 ? 95 : 0;
}

static void foundationdb_init(void *state, bool mid)
{
}

static void foundationdb_done(void *state, struct proto_sink *s)
{
}

static ssize_t foundationdb_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	return PROTO_OPAQUE;
}

static ssize_t foundationdb_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	return 0;
}

static const uint16_t foundationdb_ports[] = {4500, 4501, 0};

const struct proto_ops proto_foundationdb = {
	.id = PROTO_FOUNDATIONDB,
	.name = "foundationdb",
	.ports = foundationdb_ports,
	.duplex = true,
	.infer = foundationdb_infer,
	.init = foundationdb_init,
	.done = foundationdb_done,
	.parse = foundationdb_parse,
	.gap = foundationdb_gap,
};

/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/cassandra.h"
#include "proto/wire.h"

#include <string.h>

#define CRC24_BEGIN 0x875060
#define CRC24_POLYNOMIAL 0x1974f0b

static bool is_opcode(enum proto_dir dir, uint8_t opcode)
{
	switch (opcode) {
	case CQL_STARTUP: case CQL_OPTIONS: case CQL_QUERY: case CQL_PREPARE: case CQL_EXECUTE: case CQL_REGISTER: case CQL_BATCH:
	case CQL_AUTH_RESPONSE:
		return dir == FROM_CLIENT;
	case CQL_ERROR: case CQL_READY: case CQL_AUTHENTICATE: case CQL_SUPPORTED: case CQL_RESULT: case CQL_EVENT:
	case CQL_AUTH_CHALLENGE: case CQL_AUTH_SUCCESS:
		return dir == FROM_SERVER;
	}
	return false;
}

bool cql_head_read(struct cql_head *h, enum proto_dir dir, const uint8_t *p)
{
	h->version = p[0] & 0x7f;
	h->flags = p[1];
	h->stream = be16(p + 2);
	h->opcode = p[4];
	h->length = be32(p + 5);
	if (p[0] >> 7 != (dir == FROM_SERVER) || h->version < 3 || h->version > 5 || h->flags > 0x1f)
		return false;
	if (!is_opcode(dir, h->opcode) || h->length > CASSANDRA_BODY_MAX)
		return false;
	return dir == FROM_SERVER || h->stream < 0x8000;
}

static uint32_t crc24(const uint8_t *p, size_t n)
{
	uint32_t crc = CRC24_BEGIN;

	for (; n; n--, p++) {
		crc ^= (uint32_t)*p << 16;
		for (int i = 0; i < 8; i++) {
			crc <<= 1;
			if (crc & 0x1000000)
				crc ^= CRC24_POLYNOMIAL;
		}
	}
	return crc & 0xffffff;
}

int cql_frame_read(struct cql_frame *f, bool lz4, const uint8_t *p, size_t n)
{
	size_t bytes = lz4 ? 5 : 3;

	f->head = (uint32_t)bytes + 3;
	if (n < f->head)
		return 0;
	if (crc24(p, bytes) != le24(p + bytes))
		return -1;
	f->payload = le24(p) & 0x1ffff;
	f->unpacked = lz4 ? (le32(p + 1) >> 9) & 0x1ffff : 0;
	return 1;
}

/* A statement of CQL: its length before it, and a letter at its beginning. */
static int statement_fits(const struct cql_head *h, const uint8_t *p, size_t n)
{
	if (n < 5)
		return -1;
	return be32(p) && be32(p) <= h->length - 4 && ((p[4] | 0x20) >= 'a' && (p[4] | 0x20) <= 'z') ? 90 : 0;
}

static int content_fits(const struct cql_head *h, const uint8_t *p, size_t n)
{
	if (h->flags & ~0x10 && h->opcode != CQL_STARTUP)
		return 50;
	switch (h->opcode) {
	case CQL_OPTIONS: case CQL_READY:
		return h->length ? 0 : 80;
	case CQL_STARTUP:
		return h->length < 22 || h->length > 4096 ? 0 : n < 4 ? -1 : be16(p) < 64 && be16(p + 2) < 64 ? 85 : 0;
	case CQL_QUERY: case CQL_PREPARE:
		return h->length < 5 ? 0 : statement_fits(h, p, n);
	case CQL_EXECUTE:
		return h->length < 18 ? 0 : n < 2 ? -1 : be16(p) == 16 ? 80 : 0;
	case CQL_BATCH:
		return h->length < 6 ? 0 : n < 4 ? -1 : p[0] <= 2 && p[3] <= 1 ? 65 : 0;
	case CQL_RESULT:
		return h->length < 4 ? 0 : n < 4 ? -1 : be32(p) >= 1 && be32(p) <= 5 ? 80 : 0;
	case CQL_ERROR:
		return h->length < 6 ? 0 : n < 6 ? -1 : be32(p) < 0x3000 && be16(p + 4) <= h->length - 6 ? 80 : 0;
	case CQL_SUPPORTED:
		return h->length < 6 ? 0 : n < 4 ? -1 : be16(p) < 64 && be16(p + 2) < 64 ? 75 : 0;
	}
	return h->length < 4 || h->length > 1 << 16 ? 0 : 50;
}

/* A frame of version 5, and the first message in it. */
static int frame_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	struct cql_frame f;
	struct cql_head h;

	for (int lz4 = 0; lz4 < 2; lz4++) {
		if (cql_frame_read(&f, lz4, p, n) <= 0 || !f.payload)
			continue;
		if (f.unpacked)
			return 85;
		if (n < f.head + CASSANDRA_HEAD)
			return -1;
		if (cql_head_read(&h, dir, p + f.head) && h.version == 5)
			return 90;
	}
	return 0;
}

int cassandra_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	struct cql_head h;

	if (n < CASSANDRA_HEAD)
		return n && (p[0] & 0x7f) >= 3 && (p[0] & 0x7f) <= 5 && p[0] >> 7 == (dir == FROM_SERVER) ? -1 : 0;
	if (cql_head_read(&h, dir, p))
		return content_fits(&h, p + CASSANDRA_HEAD, n - CASSANDRA_HEAD);
	return frame_infer(dir, p, n);
}

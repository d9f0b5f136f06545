/* SPDX-License-Identifier: BSD-2-Clause */
/* cassandra: what the files of its parser share: frames and pairing (cassandra.c), what messages say (cassandra_body.c),
 * inference (cassandra_infer.c). Nobody else includes it. */
#ifndef ROOTLE_PROTO_CASSANDRA_H
#define ROOTLE_PROTO_CASSANDRA_H

#include "proto/proto.h"
#include "proto/statements.h"

#define CASSANDRA_HEAD 9
#define CASSANDRA_BODY_MAX (256u << 20)
#define CASSANDRA_OP_MAX 1024

enum {
	CQL_ERROR = 0x00, CQL_STARTUP = 0x01, CQL_READY = 0x02, CQL_AUTHENTICATE = 0x03, CQL_OPTIONS = 0x05, CQL_SUPPORTED = 0x06,
	CQL_QUERY = 0x07, CQL_RESULT = 0x08, CQL_PREPARE = 0x09, CQL_EXECUTE = 0x0a, CQL_REGISTER = 0x0b, CQL_EVENT = 0x0c,
	CQL_BATCH = 0x0d, CQL_AUTH_CHALLENGE = 0x0e, CQL_AUTH_RESPONSE = 0x0f, CQL_AUTH_SUCCESS = 0x10,
};

enum { CQL_FLAG_COMPRESSED = 0x01, CQL_FLAG_TRACING = 0x02, CQL_FLAG_PAYLOAD = 0x04, CQL_FLAG_WARNING = 0x08 };

/* A message's header, in version 5 the "envelope". */
struct cql_head {
	uint8_t version, flags, opcode;
	uint16_t stream;
	uint32_t length;
};

/* Bytes of a message's content, of which the end may be missing. */
struct cql_bytes {
	const uint8_t *p;
	size_t n;
};

/* A frame of version 5: 6 or 8 bytes in front of its payload, 4 behind it. */
struct cql_frame {
	uint32_t payload;          /* bytes on the wire */
	uint32_t unpacked;         /* bytes before compression; 0: it is not compressed */
	uint32_t head;             /* bytes of the header */
};

struct cql_result {
	int32_t code;
	enum req_error error;
	const char *detail;
	uint64_t rows;
	struct cql_bytes prepared; /* the id of a statement that was prepared; n 0: none */
};

/* A header at p of 9 bytes; false where it cannot be one of that direction. */
bool cql_head_read(struct cql_head *h, enum proto_dir dir, const uint8_t *p);
/* A frame's header at p, of n bytes, with lz4 or without: 1, 0 more bytes, -1 its checksum is wrong. */
int cql_frame_read(struct cql_frame *f, bool lz4, const uint8_t *p, size_t n);

/* The operation of a request, into op (CASSANDRA_OP_MAX bytes): its length. */
size_t cql_operation(char *op, const struct cql_head *h, struct cql_bytes c, const struct statements *prepared, bool raw);
/* The algorithm in the options of STARTUP: 'l' lz4, 's' snappy, 0 none. */
char cql_compression(struct cql_bytes c);
void cql_result_read(struct cql_result *r, const struct cql_head *h, struct cql_bytes c);
/* Unpacks the beginning of a compressed body of versions 3 and 4 to out: its length; -1. */
ssize_t cql_unpack(uint8_t *out, size_t cap, char how, struct cql_bytes c);

int cassandra_infer(enum proto_dir dir, const uint8_t *p, size_t n);
/* The name and the class of an error code. */
const char *cql_error_name(int32_t code, enum req_error *error);

#endif

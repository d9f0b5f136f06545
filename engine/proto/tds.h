/* SPDX-License-Identifier: BSD-2-Clause */
/* tds: what the files of SQL Server's protocol share. Nobody else includes it. */
#ifndef ROOTLE_PROTO_TDS_H
#define ROOTLE_PROTO_TDS_H

#include "proto/statements.h"

#define TDS_HEAD 8
#define TDS_PACKET_MAX 32767
#define TDS_OP_MAX 1024

enum { TDS_BATCH = 0x01, TDS_RPC = 0x03, TDS_RESULT = 0x04, TDS_ATTENTION = 0x06, TDS_BULK = 0x07, TDS_TRANSACTION = 0x0e,
       TDS_LOGIN7 = 0x10, TDS_SSPI = 0x11, TDS_PRELOGIN = 0x12 };

/* What a client's message asks for. */
struct tds_request {
	char op[TDS_OP_MAX];
	size_t op_len;
	bool prepares;          /* the answer holds the handle of a statement */
	char statement[TDS_OP_MAX];    /* its fingerprint */
	size_t statement_len;
	struct trace_ids ids;
};

/* What the end of a server's message says. */
struct tds_end {
	uint64_t rows;
	unsigned error;         /* number of the first error; 0: none, or not in the bytes */
	uint8_t severity;
	bool failed, cancelled;
	bool has_handle;
	uint32_t handle;
};

/* Reads the n bytes of a message's first packet, of that type. */
void tds_request_read(struct tds_request *r, uint8_t type, const uint8_t *p, size_t n, struct statements *statements,
		      struct proto_sink *s);
/* Reads the last packet of a server's message backwards as far as its tokens can be told: false where it ends with none. */
bool tds_end_read(struct tds_end *e, const uint8_t *p, size_t n);
/* A word for an error's number, or NULL; its class goes by the number and by the severity. */
const char *tds_error(unsigned number, uint8_t severity, enum req_error *class);
/* proto_ops.infer */
int tds_infer(enum proto_dir dir, const uint8_t *p, size_t n);
/* Is p a packet's head of that direction? */
bool tds_is_head(enum proto_dir dir, const uint8_t *p, size_t n);

#endif

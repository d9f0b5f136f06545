/* SPDX-License-Identifier: BSD-2-Clause */
/* http_head: the heads of HTTP/1 messages: where they begin and end, and of their fields those that are needed. */
#ifndef ROOTLE_PROTO_HTTP_HEAD_H
#define ROOTLE_PROTO_HTTP_HEAD_H

#include "proto/proto.h"

enum { UPGRADE_NONE = 0, UPGRADE_OTHER, UPGRADE_H2C };

struct http_head {
	int64_t length;         /* Content-Length; -1: none, -2: no number */
	bool chunked;           /* Transfer-Encoding, the last of which is chunked */
	bool coded;             /* Transfer-Encoding that is not: what it encodes ends with the connection */
	bool packed;            /* Content-Encoding: the body cannot be read */
	bool expects;           /* Expect: the body waits for the server */
	uint8_t upgrade;        /* UPGRADE_* */
	bool clickhouse;        /* a header of ClickHouse's own */
	int exception;          /* X-ClickHouse-Exception-Code; 0: none */
	uint64_t rows;          /* of X-ClickHouse-Summary: those of the result, else written, else read */
	struct trace_ids ids;
};

/* Could p be the beginning of a request line? 1 yes, 0 no, -1 too short. Of one with a method that nobody has registered the whole line
 * is wanted. */
int http_starts_request(const uint8_t *p, size_t n);
int http_starts_response(const uint8_t *p, size_t n);
/* Does the line end in " HTTP/1.x"? HTTP/2's preface and RTSP look alike up to there. 1 yes, 0 no, -1 its end is not here. */
int http_is_request_line(const uint8_t *p, size_t n);
/* Bytes of the head up to and with its empty line; 0: its end is not here. *scanned saves looking twice. */
size_t http_head_length(const struct proto_bytes *b, uint32_t *scanned);
/* The fields behind the first line, of n bytes that may end early. */
struct http_head http_head_read(const uint8_t *p, size_t n);

#endif

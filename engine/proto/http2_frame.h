/* SPDX-License-Identifier: BSD-2-Clause */
/* http2_frame: the frames of HTTP/2 (RFC 9113, 4 and 6): how they are headed, and whether bytes look like some. */
#ifndef ROOTLE_PROTO_HTTP2_FRAME_H
#define ROOTLE_PROTO_HTTP2_FRAME_H

#include "proto/proto.h"

#define H2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define H2_PREFACE_BYTES 24u
#define H2_HEADER_BYTES 9u

enum h2_type {
	H2_DATA = 0, H2_HEADERS, H2_PRIORITY, H2_RST_STREAM, H2_SETTINGS, H2_PUSH_PROMISE, H2_PING, H2_GOAWAY,
	H2_WINDOW_UPDATE, H2_CONTINUATION,
};

enum {                          /* flags */
	H2_END_STREAM = 0x1,
	H2_ACK = 0x1,
	H2_END_HEADERS = 0x4,
	H2_PADDED = 0x8,
	H2_WITH_PRIORITY = 0x20,
};

struct h2_frame {
	uint32_t length;        /* of the payload */
	uint8_t type, flags;
	uint32_t stream;
};

/* p has 9 bytes. */
struct h2_frame h2_frame_read(const uint8_t *p);
/* The header of a frame that an implementation of today may send in this direction: all that RFC 9113 says of one. */
bool h2_frame_is_sane(enum proto_dir dir, const struct h2_frame *f);
/* infer() of HTTP/2. */
int h2_infer(enum proto_dir dir, const uint8_t *p, size_t n);
/* After a hole: do frames begin here? 1 yes, 0 no, -1 too few bytes to tell. */
int h2_begins_frames(enum proto_dir dir, const uint8_t *p, size_t n);
/* Do the bytes begin with the preface? 1 yes, 0 no, -1 too few to tell. */
int h2_is_preface(const uint8_t *p, size_t n);

/* "CANCEL"…, of RST_STREAM and GOAWAY. Never NULL. */
const char *h2_error_name(uint32_t code);

#endif

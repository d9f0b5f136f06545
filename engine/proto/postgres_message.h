/* SPDX-License-Identifier: BSD-2-Clause */
/* postgres_message: how PostgreSQL's messages are framed and told from other bytes. Knows no state. */
#ifndef ROOTLE_PROTO_POSTGRES_MESSAGE_H
#define ROOTLE_PROTO_POSTGRES_MESSAGE_H

#include "proto/proto.h"

#define PG_STARTUP_MAX 10000
#define PG_V3 3                 /* the upper half of a start-up packet's code; the lower is the minor version */
#define PG_CANCEL 80877102
#define PG_SSL 80877103
#define PG_GSS 80877104
#define PG_CANCEL_MAX 268       /* protocol 3.2: a key of up to 256 bytes */

/* Is c the type of a message of that direction? */
bool pg_is_type(enum proto_dir dir, uint8_t c);
/* Can a message of this type have that in its length field? */
bool pg_length_fits(enum proto_dir dir, uint8_t c, uint32_t len);
/* The message of n bytes, n >= 5, looks as it must as far as that can be told from its ends. */
bool pg_content_fits(enum proto_dir dir, const uint8_t *p, size_t n);
/* Whole messages from p on: how many, *end, where they end, and *last, the type of the last; -1 where the bytes are none. */
int pg_messages_walk(enum proto_dir dir, const uint8_t *p, size_t n, size_t *end, uint8_t *last);
/* proto_ops.infer */
int pg_infer(enum proto_dir dir, const uint8_t *p, size_t n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kafka_body: the beginnings of the bodies of requests and responses.  Pure; reads only what is there, and says where that was not
 * enough by knowing less.
 */
#ifndef ROOTLE_PROTO_KAFKA_BODY_H
#define ROOTLE_PROTO_KAFKA_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/trace_id.h"

#define KAFKA_UUID 16

struct kafka_bytes { const uint8_t *p; size_t n; };

/* Where reading has come to. Past the end everything read is 0, and `over` is set. */
struct kafka_reader {
	struct kafka_bytes b;
	bool flexible;             /* compact strings and arrays, tagged fields */
	bool over;
};

struct kafka_topics {
	int64_t n;                 /* topics that it is about; 0: none or not said */
	struct kafka_bytes name;   /* of the first; n 0: see id */
	const uint8_t *id;         /* of the first, KAFKA_UUID bytes, or NULL */
	int acks;                  /* Produce: 0 nobody answers */
	bool session;              /* Fetch: of a session, which knows its topics from before */
	uint64_t records;          /* Produce of one partition: how many; else 0 */
	struct trace_ids ids;      /* Produce: of its first record, where that is not compressed */
};

struct kafka_result {
	int error;                 /* the first that is not 0 */
	uint64_t records;          /* Fetch: where all of it was there; else 0 */
};

int8_t kafka_i8(struct kafka_reader *r);
int16_t kafka_i16(struct kafka_reader *r);
int32_t kafka_i32(struct kafka_reader *r);
/* A string that may be null (then n is 0). */
struct kafka_bytes kafka_string(struct kafka_reader *r);
/* Elements of the array that follows; 0 for null. */
int64_t kafka_array(struct kafka_reader *r);
void kafka_skip(struct kafka_reader *r, size_t n);
void kafka_tags(struct kafka_reader *r);

struct kafka_topics kafka_request_body(struct kafka_reader *r, int key, int version);
struct kafka_result kafka_response_body(struct kafka_reader *r, int key, int version);

/* The topics of a Metadata response of version 10 and above, one by one. */
void kafka_metadata(struct kafka_reader *r, int version, void (*fn)(void *arg, const uint8_t *id, struct kafka_bytes name), void *arg);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kafka_names: APIs and error codes of Kafka (https://kafka.apache.org/protocol), up to 3.9.
 */
#ifndef ROOTLE_PROTO_KAFKA_NAMES_H
#define ROOTLE_PROTO_KAFKA_NAMES_H

#include "proto/proto.h"

#define KAFKA_NEVER 99             /* no version of it is flexible */
#define KAFKA_VERSION_MAX 20       /* none has come that far */

enum {
	KAFKA_PRODUCE = 0, KAFKA_FETCH = 1, KAFKA_METADATA = 3, KAFKA_API_VERSIONS = 18
};

/* Where a response has its error code, behind the time that it was throttled. */
enum kafka_error_at {
	KAFKA_ERROR_UNKNOWN,       /* not decoded */
	KAFKA_ERROR_TOP,           /* first */
	KAFKA_ERROR_PARTITIONS,    /* of topics: name, partitions: index, error */
	KAFKA_ERROR_TOPICS,        /* of topics: name, error */
};

struct kafka_api {
	const char *name;
	uint8_t flexible;          /* the first version with compact strings and tagged fields */
	uint8_t throttled;         /* the first version whose response begins with the throttle time; KAFKA_NEVER */
	uint8_t error_at;          /* enum kafka_error_at */
	bool waits;                /* answered when there is something to say */
};

/* NULL: none of this key. */
const struct kafka_api *kafka_api(int key);

/* Of an error code that is not 0: its name (NULL: not known), and whether it is the client's, the server's, or no failure. */
const char *kafka_error_name(int code);
enum req_error kafka_error_class(int code);

#endif

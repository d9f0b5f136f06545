/* SPDX-License-Identifier: BSD-2-Clause */
/* amqp_names: methods and reply codes of AMQP 0-9-1 and of RabbitMQ's extensions to it. */
#ifndef ROOTLE_PROTO_AMQP_NAMES_H
#define ROOTLE_PROTO_AMQP_NAMES_H

#include "proto/proto.h"

#define AMQP_METHOD(class, method) ((uint32_t)(class) << 16 | (method))

enum amqp_id {
	AMQP_CONNECTION_START_OK = AMQP_METHOD(10, 11), AMQP_CONNECTION_SECURE = AMQP_METHOD(10, 20),
	AMQP_CONNECTION_SECURE_OK = AMQP_METHOD(10, 21), AMQP_CONNECTION_TUNE = AMQP_METHOD(10, 30),
	AMQP_CONNECTION_CLOSE = AMQP_METHOD(10, 50), AMQP_CONNECTION_BLOCKED = AMQP_METHOD(10, 60),
	AMQP_CHANNEL_OPEN = AMQP_METHOD(20, 10), AMQP_CHANNEL_CLOSE = AMQP_METHOD(20, 40),
	AMQP_BASIC_CONSUME = AMQP_METHOD(60, 20), AMQP_BASIC_CONSUME_OK = AMQP_METHOD(60, 21),
	AMQP_BASIC_CANCEL = AMQP_METHOD(60, 30), AMQP_BASIC_PUBLISH = AMQP_METHOD(60, 40),
	AMQP_BASIC_RETURN = AMQP_METHOD(60, 50), AMQP_BASIC_DELIVER = AMQP_METHOD(60, 60),
	AMQP_BASIC_GET = AMQP_METHOD(60, 70), AMQP_BASIC_GET_OK = AMQP_METHOD(60, 71), AMQP_BASIC_GET_EMPTY = AMQP_METHOD(60, 72),
	AMQP_BASIC_ACK = AMQP_METHOD(60, 80), AMQP_BASIC_REJECT = AMQP_METHOD(60, 90), AMQP_BASIC_NACK = AMQP_METHOD(60, 120),
	AMQP_CONFIRM_SELECT = AMQP_METHOD(85, 10),
};

enum amqp_role {
	AMQP_OTHER = 0,            /* dealt with by its id, or of no interest */
	AMQP_ASKS,                 /* the client's, and answered */
	AMQP_ANSWERS,              /* the server's answer to `asked` */
};

struct amqp_method {
	uint32_t id;               /* AMQP_METHOD() */
	const char *name;
	uint8_t from;              /* bit 1 << enum proto_dir: who may send it */
	uint8_t role;
	uint16_t asked;            /* AMQP_ANSWERS: the method, of the same class, that it answers */
	bool reserved;             /* two bytes before the strings */
	uint8_t strings;           /* short strings before the flags */
	uint8_t shown;             /* the one that names what is meant, from 1; 0 none */
	uint8_t nowait;            /* the flag that forbids an answer, as a mask; 0 none */
};

/* NULL: there is none. */
const struct amqp_method *amqp_method(uint32_t id);
/* Of a reply code; NULL: not known. */
const char *amqp_reply_name(unsigned code);
enum req_error amqp_reply_class(unsigned code);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* amqp1: what the files of AMQP 1.0 share: the state of a connection, a frame, and who reads which part of it. */
#ifndef ROOTLE_PROTO_AMQP1_H
#define ROOTLE_PROTO_AMQP1_H

#include "proto/amqp1_value.h"
#include "proto/proto.h"

#define AMQP1_ADDRESS_MAX 96

enum amqp1_performative {
	AMQP1_OPEN = 0x10, AMQP1_BEGIN, AMQP1_ATTACH, AMQP1_FLOW, AMQP1_TRANSFER, AMQP1_DISPOSITION, AMQP1_DETACH, AMQP1_END,
	AMQP1_CLOSE,
	AMQP1_SASL_MECHANISMS = 0x40, AMQP1_SASL_INIT, AMQP1_SASL_CHALLENGE, AMQP1_SASL_RESPONSE, AMQP1_SASL_OUTCOME,
};

/* Each end numbers its channels, its handles and its deliveries for itself; [] is by enum proto_dir. */
struct amqp1_session {
	bool has[2];
	bool gone;                 /* the server has ended it: the client's end is the answer */
	uint16_t channel[2];
	bool sends;                /* sent and oldest are known */
	uint32_t sent, oldest;     /* deliveries of the client: the last, and the first whose outcome is not known */
};

struct amqp1_link {
	uint8_t session;           /* index */
	bool has[2];
	bool asked;                /* the attach waits for its answer */
	bool gone;                 /* the server has detached it: the client's detach is the answer */
	uint32_t handle[2];
	uint64_t name;             /* its hash; 0: joined behind the attach */
	uint8_t address_n;         /* 0: not known, or named by each message */
	char address[AMQP1_ADDRESS_MAX];
	bool open, settled;        /* a message passes, of one frame or several; nobody answers it */
	enum proto_dir from;       /* whose it is */
	uint32_t delivery;
	uint64_t begin_ns, bytes;
	struct trace_ids ids;
};

struct amqp1 {
	bool lost[2];
	bool opaque;               /* of a version that is not read */
	bool gone;                 /* the server has closed */
	bool passing[2];           /* a frame with a part of a message passes, */
	uint16_t passing_link[2];
	bool passing_last[2];      /* the last one */
	struct amqp1_session *sessions;
	struct amqp1_link *links;
	uint32_t session_n, session_cap, session_oldest, link_n, link_cap, link_oldest;
};

/* A frame and what it is read with. */
struct amqp1_frame {
	uint16_t channel;
	size_t size;               /* of all */
	struct amqp1_value body;   /* the performative, a list; its type says which */
	struct amqp1_cursor rest;  /* as much as there is of the payload behind it */
	const struct proto_bytes *b;
};

/* A performative of dir, begun and ended with the frame; what it says of a message counts when the frame has passed. */
void amqp1_read(struct amqp1 *a, enum proto_dir dir, const struct amqp1_frame *f, struct proto_sink *s);
/* The frame of dir that carried a message has passed. */
void amqp1_passed(struct amqp1 *a, enum proto_dir dir, uint64_t end_ns, struct proto_sink *s);

/* Past the bound the oldest is forgotten; NULL: no memory. */
struct amqp1_session *amqp1_session(struct amqp1 *a, enum proto_dir dir, uint16_t channel, struct proto_sink *s);
struct amqp1_link *amqp1_link(struct amqp1 *a, enum proto_dir dir, uint8_t session, uint32_t handle, struct proto_sink *s);
/* The server's begin: the session is that of this channel of the client. */
void amqp1_session_bind(struct amqp1 *a, uint16_t client, uint16_t server);
/* The session and all its links are forgotten. */
void amqp1_session_drop(struct amqp1 *a, uint8_t session);

/* What an error's condition means; detail is NULL where nobody knows it. */
enum req_error amqp1_condition(const struct amqp1_value *condition, const char **detail);

#endif

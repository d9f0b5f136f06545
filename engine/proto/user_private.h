/* SPDX-License-Identifier: BSD-2-Clause */
/* user_private: what the files of user share. Nobody else includes it. */
#ifndef ROOTLE_PROTO_USER_PRIVATE_H
#define ROOTLE_PROTO_USER_PRIVATE_H

#include "proto/user.h"

#define DETAIL_MAX 48

/* A message that is being read. Requests and responses are reported when they are complete. */
struct user_message {
	bool open;
	bool body_lines;           /* lines are skipped up to one that says that it was the last */
	bool ignored, oneway;
	uint64_t id, begin_ns, bytes;
	int status;
	enum req_error error;
	const char *detail;        /* of a table of the description */
	uint16_t op_len;
	char op[256];              /* of a request */
};

struct user_state {
	const struct user_protocol *def;   /* first: flow.c sets it (proto_ops.user) */
	bool lost[2];
	struct user_message m[2];
};

/* The message of dir is complete with what came before end_ns. */
void user_report(struct user_state *u, enum proto_dir dir, uint64_t end_ns, struct proto_sink *s);
/* Takes one message, or a part, as proto_ops.parse. */
ssize_t user_lines_parse(struct user_state *u, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s);
ssize_t user_frames_parse(struct user_state *u, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s);
/* 1: n bytes may begin a message of dir, 0 not, -1 too few to tell. */
int user_lines_plausible(const struct user_protocol *p, enum proto_dir dir, const uint8_t *b, size_t n);
int user_frames_plausible(const struct user_protocol *p, enum proto_dir dir, const uint8_t *b, size_t n);

#endif

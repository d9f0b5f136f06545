/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * user: protocols that the user has described (rootle-protocols(5)): lines, or messages with their length in front.
 *
 * A description is plain data; whoever reads it from a file (cli/user_protocols.c) has checked it.  Once added it is a protocol as any
 * other: inference asks it behind all built-in ones, and only where its ports or its magic bytes say so.
 */
#ifndef ROOTLE_PROTO_USER_H
#define ROOTLE_PROTO_USER_H

#include "proto/proto.h"

#define USER_PROTOCOLS_MAX (PROTO_END - PROTO_USER)
#define USER_PORTS_MAX 15
#define USER_WORDS_MAX 8           /* words of a line that may be looked at */
#define USER_HEADER_MAX 4096u      /* of a message with its length in front */

/* Texts with '*' for any bytes, NULL-terminated; NULL: none. */
struct user_patterns { const char *const *v; };

/* A number that lies in a message. */
struct user_field {
	uint16_t at;               /* offset */
	uint8_t size;              /* 1..8 bytes; 0: there is none */
	bool little;               /* byte order */
};

struct user_name {
	uint64_t value;
	const char *text;          /* NULL ends a table */
};

struct user_numbers { const uint64_t *v; unsigned n; };

/* Lines behind a line. */
struct user_body {
	struct user_patterns when; /* the line has one */
	uint8_t length_word;       /* 1..: this word is its length in bytes */
	uint8_t length_add;        /* and so many more (an end of line) */
	const char *until;         /* or: up to this line; NULL: no */
};

struct user_lines {
	const char *end;           /* of a line */
	size_t end_len;
	/* requests */
	uint8_t op_words;          /* so many words of the line, but for the id, are the operation */
	uint8_t request_id, response_id;   /* word that matches them, 1..; 0: they come in order */
	struct user_patterns requests;     /* none: all lines are */
	struct user_patterns oneway;       /* nobody answers these */
	struct user_body request_body;
	/* responses */
	struct user_patterns ignore;       /* answer nothing */
	struct user_patterns client_error, server_error;
	uint8_t status_word, detail_word;  /* 0: none */
	const struct user_name *details;   /* words that may be shown; detail_word: their table; values do not matter */
	struct user_body response_body;
};

enum user_counts { COUNTS_BODY, COUNTS_REST, COUNTS_ALL };   /* what the length counts: behind the header, behind itself, all */

struct user_frames {
	uint16_t header;           /* bytes before the body */
	struct user_field length;
	enum user_counts counts;
	uint32_t length_max;       /* of a whole message; more is another protocol */
	struct user_field op;
	bool op_is_text;           /* characters, not a number */
	const struct user_name *ops;
	struct user_field id, status;
	const struct user_name *statuses;  /* details */
	struct user_numbers oneway;        /* operations that nobody answers */
	struct user_numbers good, client_errors;   /* values of status; others are the server's errors. None: 0 is good */
};

struct user_protocol {
	const char *name;
	uint16_t ports[USER_PORTS_MAX + 1];        /* 0-terminated */
	/* What a connection begins with, [FROM_CLIENT]; with frames: what each message of a direction begins with. */
	struct { const uint8_t *p; uint8_t n; } magic[2];
	bool is_frames;
	union {
		struct user_lines lines;
		struct user_frames frames;
	};
};

/* All of them; terminated by NULL. */
extern const struct proto_ops *proto_user_table[USER_PROTOCOLS_MAX + 1];

/* Adds a description; it and what it points to must stay as long as any flow. 0, -EEXIST: the name is taken, -ENOSPC. */
int user_add(const struct user_protocol *p);
/* Forgets them all; no flow may be left. */
void user_reset(void);

/* What the first bytes say: 0 not this one; -1 too few; 50 nothing against it; 60 and more: its magic. */
int user_infer(const struct user_protocol *p, enum proto_dir dir, const uint8_t *b, size_t n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* mysql: what the files of MySQL's protocol share. Nobody else includes it. */
#ifndef ROOTLE_PROTO_MYSQL_H
#define ROOTLE_PROTO_MYSQL_H

#include "proto/mysql_names.h"
#include "proto/statements.h"

#define MYSQL_HEAD 4            /* three bytes of length, one number in the sequence */
#define MYSQL_SPLIT 0xffffff    /* a packet of this length goes on in the next */
#define MYSQL_QUERY_READ 8192   /* of a text */
#define MYSQL_OP_MAX 1024
#define MYSQL_UNKNOWN "(prepared statement)"

/* Capabilities: of the handshake, and MariaDB's own behind them. */
#define MYSQL_COMPRESS (1u << 5)
#define MYSQL_PROTOCOL_41 (1u << 9)
#define MYSQL_SSL (1u << 11)
#define MYSQL_DEPRECATE_EOF (1u << 24)
#define MYSQL_OPTIONAL_METADATA (1u << 25)
#define MYSQL_ZSTD (1u << 26)
#define MYSQL_ATTRIBUTES (1u << 27)
#define MARIADB_CACHE_METADATA (1u << 4)

/* What the next packet of the server is. */
enum mysql_state { STATE_FIRST = 0, STATE_COLUMNS, STATE_ROWS, STATE_DEFINITIONS };

/* Bytes of one direction that the frames of compression hold: parsed as packets once they are there. */
struct mysql_inner {
	uint8_t *p;             /* what the parser has left */
	uint32_t n;
	uint64_t begin_ns;      /* when p[0] was seen */
	uint64_t skip;          /* bytes to come that are not wanted */
};

struct mysql {
	bool lost[2];
	bool greeted;           /* the server has spoken */
	bool starting;          /* the connection is being made */
	bool known;             /* the capabilities were seen */
	bool split[2];          /* the packet before goes on */
	bool compress[2];       /* frames of compression from here on */
	bool frames_lost[2];
	bool opaque;
	uint32_t caps, mariadb; /* of both sides together */
	uint32_t server_caps, server_mariadb;
	/* client */
	uint64_t c_bytes;       /* of packets that belong to the next request */
	bool grows;             /* what follows of a split packet belongs to the newest request */
	uint32_t prepared;      /* prepares sent; modulo 32 the key of `pending` */
	struct statements pending;    /* sent and not answered */
	struct statements statements; /* by their ids */
	/* server */
	uint8_t state;
	bool file;              /* the client sends a file */
	bool columns_end;       /* of this result set, or answer to a prepare: the packet behind the columns has passed */
	uint8_t ends;           /* such packets still to come, STATE_DEFINITIONS */
	bool stray;             /* an end may follow that nobody waits for */
	uint32_t left;          /* definitions still to come */
	uint32_t last_id;       /* of the statement prepared last */
	uint64_t rows;
	uint64_t s_begin, s_bytes;
	uint64_t start_begin, start_end, start_bytes;
	struct mysql_inner inner[2];
};

/* How sure the bytes are MySQL's: proto_ops.infer. */
int mysql_infer(enum proto_dir dir, const uint8_t *p, size_t n);
/* Where the last packet of an answer begins that ends with the bytes; n: nowhere. */
size_t mysql_last_packet(const uint8_t *p, size_t n);
/* Is p the beginning of a command, or of an answer? */
bool mysql_is_command(const uint8_t *p, size_t n);
bool mysql_is_answer(const uint8_t *p, size_t n);

/* A number of one to nine bytes at *off, which moves behind it; 0 and *off > n where it is not all there. */
uint64_t mysql_number(const uint8_t *p, size_t n, size_t *off);

/* A command with its argument: 1 + n bytes of it are at p. */
void mysql_request(struct mysql *m, const uint8_t *p, size_t n, uint64_t begin_ns, uint64_t end_ns, size_t total,
		   struct proto_sink *s);
/* One packet of the server's, of `total` bytes, n of its content at p. */
void mysql_response(struct mysql *m, const uint8_t *p, size_t n, size_t total, uint64_t begin_ns, uint64_t end_ns,
		    struct proto_sink *s);
/* An error, n >= 3, answers the oldest request. */
void mysql_failed(struct mysql *m, const uint8_t *p, size_t n, uint64_t end_ns, struct proto_sink *s);
/* How much of the server's next packet, which has len bytes, is read; first: its first byte, where has_first. */
size_t mysql_response_read(const struct mysql *m, size_t len, bool has_first, uint8_t first);

/* Bytes of dir are lost, of the server n: the next packet has to be found. */
void mysql_lose(struct mysql *m, enum proto_dir dir, uint64_t n, struct proto_sink *s);
/* One packet, as proto_ops.parse. */
ssize_t mysql_packet(struct mysql *m, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s);
/* One frame of compression, as proto_ops.parse: opened where it is small, and its packets parsed. */
ssize_t mysql_frame(struct mysql *m, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s);
void mysql_frame_done(struct mysql *m, struct proto_sink *s);

#endif

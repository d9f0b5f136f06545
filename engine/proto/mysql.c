/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MySQL and MariaDB, client/server protocol 10 (MySQL's source documentation, "Client/Server Protocol"; MariaDB's knowledge base,
 * "Client/Server Protocol").
 *
 * One request per command that is answered; several statements in one text, or several results of a call, are one request with the
 * sum of their rows, returned or affected.  COM_STMT_EXECUTE is the statement's text by its id; one whose preparation was not seen is
 * "(prepared statement)", the preparation itself is "PREPARE ...".  status is the server's error number and detail its name, or its
 * SQLSTATE.  A login that is refused is a request "CONNECT", one that succeeds is none.  Binary logs are opaque from
 * "BINLOG DUMP" on.  Packets of 16 MB and more go on in the next; of texts the first MYSQL_QUERY_READ bytes are read.
 *
 * Compressed with zlib: frames up to 32 KB are opened, larger ones lose the packets in them; with zstd the connection is opaque.
 * What a compressed connection joined in the middle holds is not recognised.  bytes are those of the packets, before compression.
 */
#include "proto/mysql.h"
#include "proto/protocols.h"
#include "proto/wire.h"

#include <string.h>

#define ARGUMENT_READ 64
#define LOGIN_READ 36
#define GREETING_READ 128
#define SSL_REQUEST 32

static void mysql_init(void *state, bool mid)
{
	struct mysql *m = state;

	m->lost[0] = m->lost[1] = m->greeted = mid;
}

static void mysql_done(void *state, struct proto_sink *s)
{
	struct mysql *m = state;

	statements_done(&m->statements, s);
	statements_done(&m->pending, s);
	mysql_frame_done(m, s);
}

/* The client's first packet: what it can do, and who it is; or that TLS comes next. */
static ssize_t client_login(struct mysql *m, const struct proto_bytes *b, size_t len)
{
	const uint8_t *p = b->p + MYSQL_HEAD;

	if (b->n < MYSQL_HEAD + (len < LOGIN_READ ? len : LOGIN_READ))
		return 0;
	if (len < SSL_REQUEST || !(le32(p) & MYSQL_PROTOCOL_41))
		return PROTO_BAD;
	if (len == SSL_REQUEST && le32(p) & MYSQL_SSL)
		return PROTO_ENCRYPTED;
	/* without the greeting nothing is known of what the server can do, and of what it says now */
	m->known = m->starting = m->greeted;
	m->lost[FROM_SERVER] = !m->greeted;
	m->greeted = true;
	m->caps = le32(p) & m->server_caps;
	m->mariadb = le32(p) & 1 ? 0 : le32(p + 28) & m->server_mariadb;
	m->start_begin = proto_begin_ns(b);
	m->start_end = proto_end_ns(b, MYSQL_HEAD + len);
	m->start_bytes = MYSQL_HEAD + len;
	return (ssize_t)(MYSQL_HEAD + len);
}

/* What belongs to a command before it: its further parts, a file, a password. */
static void client_more(struct mysql *m, const struct proto_bytes *b, size_t total, struct proto_sink *s)
{
	if (m->starting)
		m->start_bytes += total;
	else if (m->grows)
		s->grow(s, 0, proto_end_ns(b, total), total);
	else
		m->c_bytes += total;
}

static ssize_t client_command(struct mysql *m, const struct proto_bytes *b, size_t len, struct proto_sink *s)
{
	size_t want = ARGUMENT_READ, n = b->n - MYSQL_HEAD, total = MYSQL_HEAD + len;
	enum mysql_answer answer;

	if (!len)
		return PROTO_BAD;
	if (!n)
		return 0;
	if (!mysql_command(b->p[4], &answer))
		return PROTO_BAD;
	if (b->p[4] == COM_QUERY || b->p[4] == COM_STMT_PREPARE)
		want = MYSQL_QUERY_READ;
	if (want > len)
		want = len;
	if (n < want && !b->cut)
		return 0;
	m->starting = false;
	m->split[FROM_CLIENT] = len == MYSQL_SPLIT;
	mysql_request(m, b->p + MYSQL_HEAD, n < want ? n : want, proto_begin_ns(b), proto_end_ns(b, total), total, s);
	return (ssize_t)total;
}

static ssize_t client_packet(struct mysql *m, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t len;

	if (m->opaque)
		return PROTO_OPAQUE;
	if (b->n < MYSQL_HEAD)
		return 0;
	len = le24(b->p);
	if (!m->greeted || (m->starting && !m->start_bytes))
		return b->p[3] == 1 ? client_login(m, b, len) : PROTO_BAD;
	if (b->p[3] == 0 && !m->file && !m->split[FROM_CLIENT])
		return client_command(m, b, len, s);
	client_more(m, b, MYSQL_HEAD + len, s);
	m->split[FROM_CLIENT] = m->split[FROM_CLIENT] && len == MYSQL_SPLIT;
	m->file = m->file && len;
	return (ssize_t)(MYSQL_HEAD + len);
}

/* A login that is refused. */
static void server_refuses(struct mysql *m, const struct proto_bytes *b, size_t n, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_request r = {.op = "CONNECT", .op_len = 7, .begin_ns = m->start_begin, .end_ns = m->start_end,
				  .bytes = m->start_bytes};

	/* before the client has said anything */
	if (!m->start_begin)
		r.begin_ns = r.end_ns = proto_begin_ns(b);
	s->request(s, &r);
	mysql_failed(m, b->p + MYSQL_HEAD, n, end_ns, s);
	m->starting = false;
}

static bool greeting_read(struct mysql *m, const uint8_t *p, size_t n)
{
	const uint8_t *nul = memchr(p + 1, 0, n - 1);
	size_t off;

	if (p[0] != 10 || !nul)
		return false;
	off = (size_t)(nul - p) + 1 + 4 + 8 + 1;
	if (off + 7 > n)
		return off + 2 <= n;
	m->server_caps = le16(p + off) | (uint32_t)le16(p + off + 5) << 16;
	if (!(m->server_caps & 1) && off + 18 <= n)
		m->server_mariadb = le32(p + off + 14);
	return true;
}

/* Until the login is over. */
static ssize_t server_start(struct mysql *m, const struct proto_bytes *b, size_t len, struct proto_sink *s)
{
	size_t n = len < GREETING_READ ? len : GREETING_READ, total = MYSQL_HEAD + len;
	const uint8_t *p = b->p + MYSQL_HEAD;

	if (!len)
		return PROTO_BAD;
	if (b->n < MYSQL_HEAD + n)
		return 0;
	if (!m->greeted && p[0] != 0xff && !greeting_read(m, p, n))
		return PROTO_BAD;
	m->starting = m->greeted ? m->starting : true;
	m->greeted = true;
	m->s_bytes += total;
	if (p[0] == 0xff && n >= 3) {
		server_refuses(m, b, n, proto_end_ns(b, total), s);
	} else if (!p[0] && m->start_bytes) {
		m->starting = false;
		m->s_bytes = 0;
		m->compress[FROM_SERVER] = m->compress[FROM_CLIENT] = m->caps & MYSQL_COMPRESS;
		m->opaque = m->caps & MYSQL_ZSTD && !(m->caps & MYSQL_COMPRESS);
	}
	return (ssize_t)total;
}

static ssize_t server_packet(struct mysql *m, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t len, n, total;
	bool more = m->split[FROM_SERVER];

	if (m->opaque)
		return PROTO_OPAQUE;
	if (b->n < MYSQL_HEAD)
		return 0;
	len = le24(b->p);
	total = MYSQL_HEAD + len;
	if (!m->greeted || m->starting)
		return server_start(m, b, len, s);
	if (more) {
		m->s_bytes += total;
		m->split[FROM_SERVER] = len == MYSQL_SPLIT;
		return (ssize_t)total;
	}
	n = mysql_response_read(m, len, b->n > MYSQL_HEAD, b->n > MYSQL_HEAD ? b->p[MYSQL_HEAD] : 0);
	if (b->n < MYSQL_HEAD + n)
		return 0;
	m->split[FROM_SERVER] = len == MYSQL_SPLIT;
	mysql_response(m, b->p + MYSQL_HEAD, n, total, proto_begin_ns(b), proto_end_ns(b, total), s);
	return (ssize_t)total;
}

static ssize_t client_lost(struct mysql *m, const struct proto_bytes *b, struct proto_sink *s)
{
	if (!b->start || !mysql_is_command(b->p, b->n))
		return (ssize_t)b->n;
	m->lost[FROM_CLIENT] = false;
	return client_packet(m, b, s);
}

/* Until an answer begins, or the packet is found that ends the one that waits. */
static ssize_t server_lost(struct mysql *m, const struct proto_bytes *b, struct proto_sink *s)
{
	bool begins = b->start && mysql_is_answer(b->p, b->n);
	size_t last = begins ? 0 : mysql_last_packet(b->p, b->n);

	if (last == b->n || s->tag(s) < 0)
		return (ssize_t)b->n;
	if (last)
		return (ssize_t)last;
	m->lost[FROM_SERVER] = false;
	s->resync(s, true);
	m->state = begins ? STATE_FIRST : STATE_ROWS;
	m->columns_end = !begins;
	m->rows = 0;
	return server_packet(m, b, s);
}

ssize_t mysql_packet(struct mysql *m, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	if (m->lost[dir])
		return dir == FROM_CLIENT ? client_lost(m, b, s) : server_lost(m, b, s);
	return dir == FROM_CLIENT ? client_packet(m, b, s) : server_packet(m, b, s);
}

static ssize_t mysql_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct mysql *m = state;

	if (m->compress[dir] && !m->opaque)
		return mysql_frame(m, dir, b, s);
	return mysql_packet(m, dir, b, s);
}

void mysql_lose(struct mysql *m, enum proto_dir dir, uint64_t n, struct proto_sink *s)
{
	m->lost[dir] = true;
	m->split[dir] = false;
	if (dir == FROM_CLIENT) {
		m->file = false;
		statements_done(&m->pending, s);
		return;
	}
	m->stray = false;
	m->s_bytes += n;
}

static ssize_t mysql_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct mysql *m = state;

	if (m->opaque)
		return 0;
	m->starting = false;
	m->greeted = true;
	mysql_lose(m, dir, n - tail->n, s);
	m->frames_lost[dir] = m->compress[dir];
	return dir == FROM_SERVER && !m->compress[dir] ? (ssize_t)tail->n : 0;
}

static const uint16_t mysql_ports[] = {3306, 3307, 4000, 6033, 0};

const struct proto_ops proto_mysql = {
	.id = PROTO_MYSQL,
	.name = "mysql",
	.ports = mysql_ports,
	.state_size = sizeof(struct mysql),
	.whole = true,
	.infer = mysql_infer,
	.init = mysql_init,
	.done = mysql_done,
	.parse = mysql_parse,
	.gap = mysql_gap,
};

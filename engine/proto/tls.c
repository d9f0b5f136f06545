/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls: recognised, and its handshake followed until it has succeeded or failed; what comes then is encrypted and left alone.
 * A record (RFC 8446, 5.1) is type, version 3.x, length; in the middle of a connection only records of type 20..23 in a
 * chain are believed, for five bytes are little.
 */
#include "proto/tls.h"

#include <string.h>

#include "proto/protocols.h"

#define RECORD_MAX (16384 + 2048)
#define RECORD_HEAD 5
#define MESSAGE_HEAD 4
/* Of a message that says something: a ClientHello with post-quantum key shares has 2 KB; of a certificate what is wanted
 * stands in its first few hundred bytes. */
#define MESSAGE_KEEP 8192
#define HIDDEN_ALERT_MAX 19     /* level, description, content type, tag */
#define TLS_1_3 0x0304

enum { REC_CHANGE = 20, REC_ALERT = 21, REC_HANDSHAKE = 22, REC_DATA = 23 };
enum { MSG_CLIENT_HELLO = 1, MSG_SERVER_HELLO = 2, MSG_CERTIFICATE = 11 };
enum { ALERT_CLOSE = 0, ALERT_NO_CERTIFICATE = 41, ALERT_CANCELED = 90, ALERT_NO_RENEGOTIATION = 100, ALERT_NAME = 112 };

struct side {
	uint32_t record_left;    /* readable handshake bytes of the record still to come */
	uint32_t message_left;   /* of the message, behind its head */
	uint8_t head[MESSAGE_HEAD];
	uint8_t head_n;
	bool spoke;              /* a record came */
	bool changed;            /* ChangeCipherSpec: what follows is encrypted (up to 1.2) */
	bool finished;           /* sent its Finished, or data already */
	bool ended;              /* FIN, or the connection was closed */
	uint8_t *message;        /* what is kept of it */
	uint32_t have, cap;
};

struct tls {
	struct side side[2];     /* by enum proto_dir */
	struct tls_handshake h;
	bool done;
	bool hidden;             /* 1.3, behind ServerHello */
};

static int tls_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	size_t len;

	if (!n)
		return -1;
	if (p[0] < REC_CHANGE || p[0] > REC_DATA)
		return 0;
	if (n < 6)
		return n > 1 && p[1] != 3 ? 0 : -1;
	len = (size_t)p[3] << 8 | p[4];
	if (p[1] != 3 || p[2] > 4 || !len || len > RECORD_MAX)
		return 0;
	if (p[0] == REC_HANDSHAKE)
		return p[5] == (dir == FROM_CLIENT ? MSG_CLIENT_HELLO : MSG_SERVER_HELLO) ? 100 : 60;
	if (n < len + 5)
		return p[0] == REC_DATA ? 70 : 0;
	if (n == len + 5)
		return 75;
	return n > len + 7 && p[len + 5] >= REC_CHANGE && p[len + 5] <= REC_DATA && p[len + 6] == 3 ? 95 : 0;
}

static void tls_init(void *state, bool mid)
{
}

static void message_drop(struct side *s, struct proto_sink *sink)
{
	sink->realloc(sink, s->message, s->cap, 0);
	s->message = NULL;
	s->have = s->cap = 0;
}

static void tls_done(void *state, struct proto_sink *s)
{
	struct tls *t = state;

	message_drop(&t->side[0], s);
	message_drop(&t->side[1], s);
}

/* The handshake is over, for better or worse; all that follows is of no interest. */
static void tls_report(struct tls *t, enum tls_outcome outcome, enum tls_by by, uint64_t ts_ns, struct proto_sink *s)
{
	if (t->done)
		return;
	t->done = true;
	t->h.outcome = outcome;
	t->h.by = by;
	t->h.end_ns = ts_ns;
	if (t->side[FROM_CLIENT].spoke)
		s->handshake(s, &t->h);
}

static enum tls_by who(enum proto_dir dir)
{
	return dir == FROM_CLIENT ? TLS_BY_CLIENT : TLS_BY_SERVER;
}

static void message_end(struct tls *t, enum proto_dir dir, struct proto_sink *sink)
{
	struct side *s = &t->side[dir];
	uint8_t type = s->head[0];

	if (type == MSG_CLIENT_HELLO && dir == FROM_CLIENT)
		tls_client_hello(s->message, s->have, &t->h);
	else if (type == MSG_SERVER_HELLO && dir == FROM_SERVER && !tls_server_hello(s->message, s->have, &t->h))
		t->hidden = t->h.version >= TLS_1_3;
	else if (type == MSG_CERTIFICATE && dir == FROM_SERVER)
		tls_certificate(s->message, s->have, &t->h);
	s->head_n = 0;
	message_drop(s, sink);
}

static void message_begin(struct tls *t, enum proto_dir dir, struct proto_sink *sink)
{
	struct side *s = &t->side[dir];
	uint8_t type = s->head[0];
	uint32_t keep;

	s->message_left = (uint32_t)s->head[1] << 16 | (uint32_t)s->head[2] << 8 | s->head[3];
	keep = s->message_left < MESSAGE_KEEP ? s->message_left : MESSAGE_KEEP;
	if (keep && (type == MSG_CLIENT_HELLO || type == MSG_SERVER_HELLO || (type == MSG_CERTIFICATE && dir == FROM_SERVER))) {
		s->message = sink->realloc(sink, NULL, 0, keep);
		s->cap = s->message ? keep : 0;
	}
	if (!s->message_left)
		message_end(t, dir, sink);
}

/* Bytes of the handshake, whichever records they came in. */
static void message_feed(struct tls *t, enum proto_dir dir, const uint8_t *p, size_t n, struct proto_sink *sink)
{
	struct side *s = &t->side[dir];

	while (n) {
		size_t part = n < s->message_left ? n : s->message_left, keep;

		if (s->head_n < MESSAGE_HEAD) {
			s->head[s->head_n++] = *p++;
			n--;
			if (s->head_n == MESSAGE_HEAD)
				message_begin(t, dir, sink);
			continue;
		}
		keep = part < s->cap - s->have ? part : s->cap - s->have;
		if (keep)
			memcpy(s->message + s->have, p, keep);
		s->have += (uint32_t)keep;
		s->message_left -= (uint32_t)part;
		p += part;
		n -= part;
		if (!s->message_left)
			message_end(t, dir, sink);
	}
}

/* Those that do not end a handshake (RFC 5246, 7.2; 6066, 3). */
static bool alert_is_warning(const uint8_t *alert)
{
	return alert[0] != 2 && (alert[1] == ALERT_CANCELED || alert[1] == ALERT_NO_RENEGOTIATION || alert[1] == ALERT_NAME ||
				 alert[1] == ALERT_NO_CERTIFICATE);
}

static void alert_take(struct tls *t, enum proto_dir dir, const uint8_t *alert, uint64_t ts_ns, struct proto_sink *s)
{
	if (alert_is_warning(alert))
		return;
	t->h.alert = alert[1];
	tls_report(t, alert[1] == ALERT_CLOSE ? TLS_CUT_SHORT : TLS_ALERT, who(dir), ts_ns, s);
}

/* TLS 1.3 behind ServerHello: sizes are all there is. The server says nothing more before the client's Finished, and what it
 * says first after it is data, a ticket, or the alert that refuses the client's certificate. */
static void hidden_take(struct tls *t, enum proto_dir dir, size_t len, uint64_t ts_ns, struct proto_sink *s)
{
	bool alert = len <= HIDDEN_ALERT_MAX;

	if (alert && dir == FROM_CLIENT && t->side[FROM_CLIENT].finished)
		tls_report(t, TLS_OK, TLS_BY_NOBODY, ts_ns, s);         /* close_notify */
	else if (alert)
		tls_report(t, TLS_ALERT_HIDDEN, who(dir), ts_ns, s);
	else if (dir == FROM_CLIENT)
		t->side[FROM_CLIENT].finished = true;
	else if (t->side[FROM_CLIENT].finished)
		tls_report(t, TLS_OK, TLS_BY_NOBODY, ts_ns, s);
}

/* Up to 1.2, behind ChangeCipherSpec: the first record is Finished or an alert that cannot be read. */
static void sealed_take(struct tls *t, enum proto_dir dir, uint8_t type, uint64_t ts_ns, struct proto_sink *s)
{
	if (type == REC_ALERT) {
		tls_report(t, TLS_ALERT_HIDDEN, who(dir), ts_ns, s);
		return;
	}
	t->side[dir].finished = true;
	if (t->side[!dir].finished)
		tls_report(t, TLS_OK, TLS_BY_NOBODY, ts_ns, s);
}

/* A record whose head is at p. Returns how many bytes it takes, more than n where the rest does not matter; 0: wait. */
static ssize_t record_take(struct tls *t, enum proto_dir dir, const struct proto_bytes *b, size_t len, struct proto_sink *s)
{
	struct side *side = &t->side[dir];
	const uint8_t *p = b->p;
	uint64_t ts_ns = proto_end_ns(b, RECORD_HEAD);

	if (p[0] == REC_ALERT && len == 2) {
		if (b->n < RECORD_HEAD + 2)
			return 0;
		alert_take(t, dir, p + RECORD_HEAD, proto_end_ns(b, RECORD_HEAD + 2), s);
	} else if (p[0] == REC_HANDSHAKE && !side->changed) {
		side->record_left = (uint32_t)len;
		return RECORD_HEAD;
	} else if (p[0] == REC_CHANGE) {
		side->changed = !t->hidden && !t->h.retried;    /* in 1.3 it is there for middleboxes and means nothing */
	} else if (t->hidden && p[0] == REC_DATA) {
		hidden_take(t, dir, len, ts_ns, s);
	} else if (side->changed) {
		sealed_take(t, dir, p[0], ts_ns, s);
	}
	return RECORD_HEAD + (ssize_t)len;
}

static ssize_t tls_record(struct tls *t, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct side *side = &t->side[dir];
	size_t len;

	/* the first byte tells plain text from TLS */
	if (b->n && (b->p[0] < REC_CHANGE || b->p[0] > REC_DATA || (b->n > 1 && b->p[1] != 3))) {
		tls_report(t, side->spoke ? TLS_UNSEEN : TLS_NOT_TLS, who(dir), proto_begin_ns(b), s);
		return PROTO_ENCRYPTED;
	}
	if (b->n < RECORD_HEAD + 1)
		return 0;
	len = (size_t)b->p[3] << 8 | b->p[4];
	/* joined in the middle: the handshake is over */
	if (!t->side[FROM_CLIENT].spoke &&
	    (dir == FROM_SERVER || b->p[0] != REC_HANDSHAKE || b->p[RECORD_HEAD] != MSG_CLIENT_HELLO))
		return PROTO_ENCRYPTED;
	if (!side->spoke && dir == FROM_CLIENT)
		t->h.begin_ns = proto_begin_ns(b);
	side->spoke = true;
	return record_take(t, dir, b, len, s);
}

static ssize_t tls_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct tls *t = state;
	struct side *side = &t->side[dir];
	size_t n = side->record_left < b->n ? side->record_left : b->n;
	ssize_t r = (ssize_t)n;

	if (n) {
		side->record_left -= (uint32_t)n;
		message_feed(t, dir, b->p, n, s);
	} else {
		r = tls_record(t, dir, b, s);
	}
	return t->done ? PROTO_ENCRYPTED : r;
}

static ssize_t tls_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	tls_report(state, TLS_UNSEEN, TLS_BY_NOBODY, tail->ts_new_ns, s);
	return PROTO_ENCRYPTED;
}

/* Both directions ended before the handshake did. A client of TLS 1.3 that has sent its Finished was content with the server. */
static void tls_end(void *state, enum proto_dir dir, uint64_t ts_ns, struct proto_sink *s)
{
	struct tls *t = state;
	bool content = t->hidden && t->side[FROM_CLIENT].finished;

	t->side[dir].ended = true;
	if (t->side[!dir].ended)
		tls_report(t, content ? TLS_OK : TLS_CUT_SHORT, TLS_BY_NOBODY, ts_ns > t->h.begin_ns ? ts_ns : t->h.begin_ns, s);
}

static const uint16_t tls_ports[] = {443, 8443, 6443, 0};

const struct proto_ops proto_tls = {
	.id = PROTO_TLS,
	.name = "tls",
	.ports = tls_ports,
	.state_size = sizeof(struct tls),
	.duplex = true,
	.infer = tls_infer,
	.init = tls_init,
	.done = tls_done,
	.parse = tls_parse,
	.gap = tls_gap,
	.end = tls_end,
};

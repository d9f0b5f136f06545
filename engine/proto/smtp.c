/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMTP (RFC 5321) and LMTP (RFC 2033), pipelined (RFC 2920), in chunks (RFC 3030), with AUTH (RFC 4954) and STARTTLS (RFC 3207).
 *
 * An operation is the command; addresses are not shown.  DATA and the message behind it are one request, which is answered when the
 * message is accepted or not; 354 and AUTH's 334 are no answers.  The status is the reply's code.  4xx is the server's error, for it
 * says "not now"; 5xx the client's.  Where TLS begins it is encrypted.
 *
 * Departures: LMTP answers a message once for each recipient; the first is taken for the answer.
 */
#include "proto/normalise.h"
#include "proto/protocols.h"

#include <string.h>
#include <strings.h>

#define LINE_MAX_BYTES 8192u

enum { TAG_PLAIN = 0, TAG_DATA, TAG_AUTH, TAG_STARTTLS };

struct smtp {
	bool lost[2];
	bool hold;               /* what the client says next depends on the answer */
	bool body, challenge;    /* a message, an answer to a challenge follows */
	bool judged;             /* the message was answered before its end was seen: the rest of it is nobody's */
	uint8_t dot;             /* of "\n.\r\n" so many were seen */
	bool tls;
	bool chunk;              /* BDAT's bytes have passed */
	uint64_t chunk_bytes;
	uint64_t s_begin, s_bytes;
};

static const struct { const char *word; uint8_t tag; } commands[] = {
	{"EHLO", 0}, {"HELO", 0}, {"LHLO", 0}, {"MAIL", 0}, {"RCPT", 0}, {"DATA", TAG_DATA}, {"BDAT", 0}, {"RSET", 0}, {"QUIT", 0},
	{"NOOP", 0}, {"VRFY", 0}, {"EXPN", 0}, {"HELP", 0}, {"AUTH", TAG_AUTH}, {"STARTTLS", TAG_STARTTLS}, {"ETRN", 0},
	{"XCLIENT", 0}, {"XFORWARD", 0}, {"BURL", 0}, {"TURN", 0},
};

static const struct { int code; const char *name; } replies[] = {
	{421, "NOT_AVAILABLE"}, {450, "MAILBOX_BUSY"}, {451, "LOCAL_ERROR"}, {452, "NO_STORAGE"}, {454, "TLS_NOT_AVAILABLE"},
	{455, "CANNOT_NOW"}, {500, "SYNTAX"}, {501, "ARGUMENTS"}, {502, "NOT_IMPLEMENTED"}, {503, "BAD_SEQUENCE"},
	{504, "NOT_IMPLEMENTED"}, {530, "AUTH_REQUIRED"}, {534, "AUTH_TOO_WEAK"}, {535, "AUTH_FAILED"}, {538, "TLS_REQUIRED"},
	{550, "MAILBOX_UNAVAILABLE"}, {551, "NOT_LOCAL"}, {552, "TOO_BIG"}, {553, "BAD_MAILBOX"}, {554, "REJECTED"},
	{555, "BAD_PARAMETERS"}, {556, "NO_MAIL"},
};

/* The row of the command that a line begins with; -1: none. */
static int command_find(const uint8_t *p, size_t n)
{
	size_t k = 0;

	while (k < n && (p[k] | 0x20) >= 'a' && (p[k] | 0x20) <= 'z')
		k++;
	if (k < n && p[k] != ' ' && p[k] != '\r' && p[k] != '\n')
		return -1;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strlen(commands[i].word) == k && !strncasecmp(commands[i].word, (const char *)p, k))
			return (int)i;
	return -1;
}

static size_t line_length(const uint8_t *p, size_t n)
{
	const uint8_t *lf = memchr(p, '\n', n < LINE_MAX_BYTES ? n : LINE_MAX_BYTES);

	return lf ? (size_t)(lf - p) + 1 : 0;
}

/* "250-text" or "250 text": the code; 0: no line of a reply. */
static int reply_code(const uint8_t *p, size_t n)
{
	if (n < 5 || p[0] < '2' || p[0] > '5' || p[1] < '0' || p[1] > '9' || p[2] < '0' || p[2] > '9' ||
	    (p[3] != ' ' && p[3] != '-' && p[3] != '\r' && p[3] != '\n'))
		return 0;
	return (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
}

/* FTP greets with 220 too: the greeting, which may have several lines, must say what it is. */
static int infer_server(const uint8_t *p, size_t n)
{
	size_t off = 0, line;

	if (n < 4)
		return n && memcmp(p, "220 ", n) && memcmp(p, "220-", n) ? 0 : -1;
	do {
		line = line_length(p + off, n - off);
		if (memcmp(p + off, "220", n - off < 3 ? n - off : 3))
			return 0;
		if (!line)
			return n < 512 ? -1 : 0;
		off += line;
	} while (line > 3 && p[off - line + 3] == '-');
	return memmem(p, off, "SMTP", 4) || memmem(p, off, "LMTP", 4) ? 85 : 30;
}

static int smtp_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	static const char *const words[] = {"EHLO ", "HELO ", "LHLO "};
	size_t line;

	if (!n)
		return -1;
	if (dir == FROM_SERVER)
		return infer_server(p, n);
	for (size_t i = 0; i < 3; i++) {
		if (strncasecmp((const char *)p, words[i], n < 5 ? n : 5))
			continue;
		line = line_length(p, n);
		return line ? 90 : n < 512 ? -1 : 0;
	}
	return 0;
}

static void smtp_init(void *state, bool mid)
{
	struct smtp *t = state;

	t->lost[0] = t->lost[1] = mid;
}

static void smtp_done(void *state, struct proto_sink *s)
{
}

/* Of AUTH the mechanism is shown. */
static size_t op_write(char *op, size_t cap, int command, const uint8_t *p, size_t n, bool raw)
{
	size_t len, k;

	if (raw && (command < 0 || commands[command].tag != TAG_AUTH))
		return normalise_raw(op, cap, (const char *)p, n);
	if (command < 0)
		return normalise_raw(op, cap, "(unknown command)", 17);
	len = normalise_raw(op, cap, commands[command].word, strlen(commands[command].word));
	if (commands[command].tag != TAG_AUTH || n < 6)
		return len;
	op[len++] = ' ';
	for (k = 5; k < n && k < 25 && (((p[k] | 0x20) >= 'a' && (p[k] | 0x20) <= 'z') || (p[k] >= '0' && p[k] <= '9') || p[k] == '-'); k++)
		op[len++] = (char)(p[k] >= 'a' && p[k] <= 'z' ? p[k] - 32 : p[k]);
	op[len] = '\0';
	return len;
}

/* "BDAT 4711 LAST" */
static uint64_t chunk_length(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 5; i < n && i < 18 && p[i] >= '0' && p[i] <= '9'; i++)
		v = v * 10 + (p[i] - '0');
	return v;
}

static ssize_t command_take(struct smtp *t, const struct proto_bytes *b, size_t line, struct proto_sink *s)
{
	int command = command_find(b->p, line);
	char op[512];
	struct proto_request r = {.op = op, .begin_ns = proto_begin_ns(b), .end_ns = proto_end_ns(b, line), .bytes = line};

	r.op_len = op_write(op, sizeof(op), command, b->p, line, s->raw);
	r.tag = command < 0 ? 0 : commands[command].tag;
	t->hold = r.tag != TAG_PLAIN;
	s->request(s, &r);
	if (command >= 0 && !strcmp(commands[command].word, "BDAT")) {
		t->chunk_bytes = chunk_length(b->p, line);
		t->chunk = t->chunk_bytes;
		return (ssize_t)(line + t->chunk_bytes);
	}
	return (ssize_t)line;
}

/* Up to the line that is a dot. Returns how many bytes belong to the message. */
static size_t body_take(struct smtp *t, const uint8_t *p, size_t n)
{
	static const char end[] = "\n.\r\n";

	for (size_t i = 0; i < n; i++) {
		if (p[i] == (uint8_t)end[t->dot])
			t->dot++;
		else
			t->dot = p[i] == '\n';
		if (t->dot == 4) {
			t->body = false;
			return i + 1;
		}
		if (!t->dot) {
			const uint8_t *lf = memchr(p + i, '\n', n - i);

			i = lf ? (size_t)(lf - p) - 1 : n - 1;
		}
	}
	return n;
}

static ssize_t smtp_client(struct smtp *t, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t line;

	if (t->chunk) {
		t->chunk = false;
		s->grow(s, 0, proto_end_ns(b, 0), t->chunk_bytes);
		return PROTO_AGAIN;
	}
	if (t->hold || !b->n)
		return 0;
	if (t->body) {
		size_t n = body_take(t, b->p, b->n);

		if (!t->judged)
			s->grow(s, 0, proto_end_ns(b, n), n);
		return (ssize_t)n;
	}
	line = line_length(b->p, b->n);
	if (!line)
		return b->n >= LINE_MAX_BYTES ? PROTO_BAD : 0;
	if (t->challenge) {
		t->challenge = false;
		t->hold = true;
		s->grow(s, 0, proto_end_ns(b, line), line);
		return (ssize_t)line;
	}
	return command_take(t, b, line, s);
}

static const char *reply_name(int code)
{
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++)
		if (replies[i].code == code)
			return replies[i].name;
	return NULL;
}

/* The last line of a reply is complete. */
static void reply_end(struct smtp *t, int code, uint64_t end_ns, struct proto_sink *s)
{
	int tag = s->tag(s);
	struct proto_response r = {.status = code, .begin_ns = t->s_begin, .end_ns = end_ns, .bytes = t->s_bytes};

	t->s_bytes = 0;
	if (tag < 0)
		return;                 /* the greeting, or a farewell that nobody asked for */
	if (tag == TAG_DATA && code == 354) {
		t->body = true;
		t->dot = 1;             /* as if behind the end of a line */
		t->hold = t->judged = false;
		s->turn = true;
		return;
	}
	if (tag == TAG_AUTH && code == 334) {
		t->challenge = s->turn = true;
		t->hold = false;
		return;
	}
	if (tag != TAG_PLAIN)
		t->hold = false;
	t->judged = t->body;
	t->tls = tag == TAG_STARTTLS && code == 220;
	r.error = code >= 500 ? REQ_CLIENT_ERROR : code >= 400 ? REQ_SERVER_ERROR : REQ_OK;
	r.detail = code >= 400 ? reply_name(code) : NULL;
	s->response(s, &r);
}

static ssize_t smtp_server(struct smtp *t, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t line;
	int code;

	if (t->tls)
		return PROTO_ENCRYPTED;
	line = line_length(b->p, b->n);
	if (!line)
		return b->n >= LINE_MAX_BYTES ? PROTO_BAD : 0;
	code = reply_code(b->p, line);
	if (!code)
		return PROTO_BAD;
	if (!t->s_bytes)
		t->s_begin = proto_begin_ns(b);
	t->s_bytes += line;
	if (b->p[3] != '-')
		reply_end(t, code, proto_end_ns(b, line), s);
	return (ssize_t)line;
}

static ssize_t smtp_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct smtp *t = state;

	if (t->lost[dir]) {
		if (!b->start || (dir == FROM_CLIENT ? command_find(b->p, b->n) < 0 : s->tag(s) < 0 || !reply_code(b->p, b->n)))
			return (ssize_t)b->n;
		t->lost[dir] = false;
	}
	return dir == FROM_CLIENT ? smtp_client(t, b, s) : smtp_server(t, b, s);
}

/* A hole in a message is a matter of course: what counts is whether its end was behind it. */
static ssize_t smtp_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct smtp *t = state;

	if (dir == FROM_SERVER) {
		t->lost[dir] = true;
		t->s_bytes = 0;
		t->hold = t->body = t->challenge = false;
		s->resync(s, false);
		return 0;
	}
	if (!t->body) {
		t->lost[dir] = true;
		t->hold = t->challenge = t->chunk = false;
		return 0;
	}
	t->dot = 0;
	if (!t->judged)
		s->grow(s, 0, tail->ts_new_ns, n - tail->n);
	return (ssize_t)tail->n;
}

static const uint16_t smtp_ports[] = {25, 587, 2525, 24, 0};

const struct proto_ops proto_smtp = {
	.id = PROTO_SMTP,
	.name = "smtp",
	.ports = smtp_ports,
	.state_size = sizeof(struct smtp),
	.strangers = true,
	.infer = smtp_infer,
	.init = smtp_init,
	.done = smtp_done,
	.parse = smtp_parse,
	.gap = smtp_gap,
};

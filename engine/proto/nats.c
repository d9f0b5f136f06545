/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NATS client protocol (https://docs.nats.io/reference/reference-protocols/nats-protocol), core and JetStream: lines, and
 * payloads whose length the line says.
 *
 * "REQUEST subject" is a PUB or HPUB that names an inbox to reply to; the first MSG or HMSG on that inbox answers it.  Every other
 * publication is a "PUBLISH subject", every other message of the server a "DELIVER subject"; nobody answers those.  PING waits for
 * PONG.  CONNECT, SUB, UNSUB and +OK are no requests; -ERR is told as what it is, an error of the server that may concern any of
 * them.  A pull of JetStream waits for messages by intent.
 */
#include "proto/normalise.h"
#include "proto/protocols.h"

#include <string.h>
#include <strings.h>

#include "base/map.h"

#define LINE_MAX_BYTES (40 * 1024)      /* INFO with a long list of servers */
#define SUBJECT_MAX 1024
#define PAYLOAD_MAX (64ll << 20)        /* the server's own upper bound of max_payload */
#define WORDS_MAX 7
#define HEAD_LOOK 2048                  /* as much of a message's head is looked at */
#define STATUS_BYTES 16                 /* "NATS/1.0 503\r\n" */
#define ID_PING 1

enum kind { KIND_NONE = 0, KIND_PUBLISH, KIND_REQUEST, KIND_DELIVER, KIND_REPLY };

/* A message whose payload has not passed. */
struct message {
	enum kind kind;
	uint64_t id, begin_ns, bytes;
	int status;
	struct trace_ids ids;
	uint16_t op_len;
	char op[200];
};

struct nats {
	bool lost[2];
	struct message now[2];
};

struct word { const char *p; size_t n; };

struct line {
	struct word v[WORDS_MAX];
	size_t n;               /* words, WORDS_MAX at most */
	size_t size;            /* of the whole line */
};

static bool word_is(struct word w, const char *name)
{
	return w.n == strlen(name) && !strncasecmp(w.p, name, w.n);
}

/* The words of the line at p: its length; 0 incomplete; PROTO_BAD. */
static ssize_t line_read(const uint8_t *p, size_t n, struct line *l)
{
	const uint8_t *lf = memchr(p, '\n', n);
	size_t i = 0, end;

	*l = (struct line){0};
	if (!lf)
		return n > LINE_MAX_BYTES ? PROTO_BAD : 0;
	end = (size_t)(lf - p);
	l->size = end + 1;
	if (!end || p[end - 1] != '\r')
		return PROTO_BAD;
	for (end--; i < end && l->n < WORDS_MAX;) {
		size_t from = i;

		while (i < end && p[i] != ' ' && p[i] != '\t')
			i++;
		if (i > from)
			l->v[l->n++] = (struct word){(const char *)p + from, i - from};
		i++;
	}
	return (ssize_t)l->size;
}

static bool number_read(struct word w, int64_t *v)
{
	*v = 0;
	if (!w.n || w.n > 9)
		return false;
	for (size_t i = 0; i < w.n; i++) {
		if (w.p[i] < '0' || w.p[i] > '9')
			return false;
		*v = *v * 10 + (w.p[i] - '0');
	}
	return *v <= PAYLOAD_MAX;
}

/* What is on a line that has a payload. Offsets are the protocol's: PUB subject [reply] size, HPUB subject [reply] head size,
 * MSG subject sid [reply] size, HMSG subject sid [reply] head size. */
struct shape {
	struct word subject, reply;
	int64_t head, size;
	bool headers;
};

static bool shape_read(const struct line *l, struct shape *sh)
{
	static const struct { const char *verb; bool sid, headers; } verbs[] = {
		{"PUB", false, false}, {"HPUB", false, true}, {"MSG", true, false}, {"HMSG", true, true},
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		size_t least = 3u + verbs[i].sid + verbs[i].headers;

		if (!l->n || !word_is(l->v[0], verbs[i].verb))
			continue;
		if (l->n < least || l->n > least + 1 || l->v[1].n > SUBJECT_MAX)
			return false;
		*sh = (struct shape){.subject = l->v[1], .headers = verbs[i].headers};
		if (l->n > least)
			sh->reply = l->v[2 + verbs[i].sid];
		if (!number_read(l->v[l->n - 1], &sh->size))
			return false;
		return !sh->headers || (number_read(l->v[l->n - 2], &sh->head) && sh->head <= sh->size);
	}
	return false;
}

static bool starts_with(struct word w, const char *prefix)
{
	return w.n >= strlen(prefix) && !memcmp(w.p, prefix, strlen(prefix));
}

static uint64_t inbox_id(struct word w)
{
	return hash_bytes(w.p, w.n) | 2;      /* neither 0 nor ID_PING */
}

/* Inboxes and acknowledgements carry ids of messages. */
static void op_set(struct message *m, const char *verb, struct word subject, bool raw)
{
	static const char *const tokens[] = {"_INBOX.", "$JS.ACK.", "_R_."};
	size_t n = strlen(verb);

	for (size_t i = 0; i < sizeof(tokens) / sizeof(*tokens) && !raw; i++)
		if (starts_with(subject, tokens[i]))
			subject.n = strlen(tokens[i]) - 1;
	memcpy(m->op, verb, n);
	m->op[n++] = ' ';
	m->op_len = (uint16_t)(n + normalise_name(m->op + n, sizeof(m->op) - n, subject.p, subject.n, raw));
}

/* Lines "name: value" behind the one with the version; those that are here. */
static struct trace_ids head_ids(const uint8_t *p, size_t n)
{
	struct trace_ids ids = {0};
	const uint8_t *end = p + n, *lf = memchr(p, '\n', n), *next;

	for (; lf && (next = memchr(lf + 1, '\n', (size_t)(end - lf - 1))); lf = next)
		trace_ids_line(&ids, (const char *)lf + 1, (size_t)(next - lf - 1));
	return ids;
}

static void message_begin(struct nats *t, enum proto_dir dir, const struct proto_bytes *b, const struct shape *sh, size_t line,
			  struct proto_sink *s)
{
	struct message *m = &t->now[dir];
	size_t here = b->n - line;

	*m = (struct message){.begin_ns = proto_begin_ns(b), .bytes = line + (uint64_t)sh->size + 2};
	if (sh->headers)
		m->ids = head_ids(b->p + line, here < (size_t)sh->head ? here : (size_t)sh->head);
	if (dir == FROM_SERVER) {
		m->id = inbox_id(sh->subject);
		m->kind = s->has(s, m->id) ? KIND_REPLY : KIND_DELIVER;
		op_set(m, "DELIVER", sh->subject, s->raw);
		return;
	}
	m->kind = starts_with(sh->reply, "_INBOX.") || starts_with(sh->reply, "_R_.") ? KIND_REQUEST : KIND_PUBLISH;
	op_set(m, m->kind == KIND_REQUEST ? "REQUEST" : "PUBLISH", sh->subject, s->raw);
	if (m->kind == KIND_REQUEST) {
		struct proto_request q = {.id = inbox_id(sh->reply), .op = m->op, .op_len = m->op_len, .begin_ns = m->begin_ns,
					  .end_ns = m->begin_ns, .bytes = line, .ids = &m->ids,
					  .waits = starts_with(sh->subject, "$JS.API.CONSUMER.MSG.NEXT.")};

		m->id = q.id;
		m->bytes -= line;
		s->request(s, &q);
	}
}

static void reply_end(const struct message *m, uint64_t end_ns, struct proto_sink *s)
{
	static const struct { int status; enum req_error error; const char *detail; } statuses[] = {
		{100, REQ_OK, NULL}, {404, REQ_OK, "NO_MESSAGES"}, {408, REQ_OK, "REQUEST_TIMEOUT"},
		{409, REQ_SERVER_ERROR, "CONSUMER_LIMIT"}, {503, REQ_SERVER_ERROR, "NO_RESPONDERS"},
	};
	struct proto_response r = {.id = m->id, .status = m->status, .begin_ns = m->begin_ns, .end_ns = end_ns, .bytes = m->bytes,
				   .rows = m->status ? 0 : 1};

	if (m->status >= 400)
		r.error = m->status < 500 ? REQ_CLIENT_ERROR : REQ_SERVER_ERROR;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (statuses[i].status == m->status) {
			r.error = statuses[i].error;
			r.detail = statuses[i].detail;
		}
	s->response(s, &r);
}

/* The payload has passed. */
static void message_end(struct message *m, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_request q = {.op = m->op, .op_len = m->op_len, .begin_ns = m->begin_ns, .end_ns = end_ns, .bytes = m->bytes,
				  .oneway = true, .rows = 1, .ids = &m->ids};

	if (m->kind == KIND_REQUEST)
		s->grow(s, m->id, end_ns, m->bytes);
	else if (m->kind == KIND_REPLY)
		reply_end(m, end_ns, s);
	else
		s->request(s, &q);
	m->kind = KIND_NONE;
}

/* The status of a message without data ("NATS/1.0 503"), 0: none. */
static int status_read(const uint8_t *p, int64_t head)
{
	if (head < 14 || memcmp(p, "NATS/1.0 ", 9) != 0 || p[9] < '1' || p[9] > '5')
		return 0;
	return (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
}

static ssize_t payload(struct nats *t, enum proto_dir dir, const struct proto_bytes *b, const struct line *l,
		       struct proto_sink *s)
{
	struct shape sh;
	size_t least = l->size, wanted = l->size;

	if (!shape_read(l, &sh))
		return PROTO_BAD;
	if (sh.headers) {
		least += sh.head < STATUS_BYTES ? (size_t)sh.head : STATUS_BYTES;
		wanted += sh.head < HEAD_LOOK ? (size_t)sh.head : HEAD_LOOK;
	}
	if (b->n < least || (b->n < wanted && !b->cut))
		return 0;
	message_begin(t, dir, b, &sh, l->size, s);
	if (sh.headers)
		t->now[dir].status = status_read(b->p + l->size, sh.head);
	return (ssize_t)(l->size + (size_t)sh.size + 2);
}

static void ping(const struct proto_bytes *b, size_t n, struct proto_sink *s)
{
	s->request(s, &(struct proto_request){.id = ID_PING, .op = "PING", .op_len = 4, .begin_ns = proto_begin_ns(b),
					      .end_ns = proto_end_ns(b, n), .bytes = n});
}

static ssize_t client_line(struct nats *t, const struct proto_bytes *b, const struct line *l, struct proto_sink *s)
{
	static const char *const quiet[] = {"CONNECT", "SUB", "UNSUB", "PONG"};

	if (word_is(l->v[0], "PING")) {
		ping(b, l->size, s);
		return (ssize_t)l->size;
	}
	for (size_t i = 0; i < sizeof(quiet) / sizeof(*quiet); i++)
		if (word_is(l->v[0], quiet[i]))
			return (ssize_t)l->size;
	return payload(t, FROM_CLIENT, b, l, s);
}

static void error_line(const struct proto_bytes *b, const struct line *l, struct proto_sink *s)
{
	static const struct { const char *text, *detail; enum req_error error; } errors[] = {
		{"Authorization", "AUTHORIZATION_VIOLATION", REQ_CLIENT_ERROR},
		{"Permissions", "PERMISSIONS_VIOLATION", REQ_CLIENT_ERROR},
		{"Authentication", "AUTHENTICATION_TIMEOUT", REQ_CLIENT_ERROR},
		{"User", "AUTHENTICATION_EXPIRED", REQ_CLIENT_ERROR},
		{"Unknown", "UNKNOWN_PROTOCOL_OPERATION", REQ_CLIENT_ERROR},
		{"Parser", "PARSER_ERROR", REQ_CLIENT_ERROR},
		{"Invalid", "INVALID_SUBJECT", REQ_CLIENT_ERROR},
		{"Maximum", "MAXIMUM_PAYLOAD", REQ_CLIENT_ERROR},
		{"maximum", "MAXIMUM_CONNECTIONS", REQ_SERVER_ERROR},
		{"Secure", "TLS_REQUIRED", REQ_CLIENT_ERROR},
		{"Stale", "STALE_CONNECTION", REQ_SERVER_ERROR},
		{"Slow", "SLOW_CONSUMER", REQ_SERVER_ERROR},
	};
	struct proto_request q = {.op = "-ERR", .op_len = 4, .begin_ns = proto_begin_ns(b), .end_ns = proto_end_ns(b, l->size),
				  .bytes = l->size, .oneway = true, .error = REQ_SERVER_ERROR};
	struct word w = l->n > 1 ? l->v[1] : (struct word){"", 0};

	if (w.n && w.p[0] == '\'')
		w = (struct word){w.p + 1, w.n - 1};
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (starts_with(w, errors[i].text)) {
			q.detail = errors[i].detail;
			q.error = errors[i].error;
			break;
		}
	s->request(s, &q);
}

static bool wants_tls(const uint8_t *p, size_t n)
{
	return memmem(p, n, "\"tls_required\":true", 19) != NULL;
}

static ssize_t server_line(struct nats *t, const struct proto_bytes *b, const struct line *l, struct proto_sink *s)
{
	if (word_is(l->v[0], "INFO"))
		return wants_tls(b->p, l->size) ? PROTO_ENCRYPTED : (ssize_t)l->size;
	if (word_is(l->v[0], "-ERR")) {
		error_line(b, l, s);
		return (ssize_t)l->size;
	}
	if (word_is(l->v[0], "PONG")) {
		/* what the server answers to a PING that was not seen is no loss */
		if (s->has(s, ID_PING))
			s->response(s, &(struct proto_response){.id = ID_PING, .begin_ns = proto_begin_ns(b),
								.end_ns = proto_end_ns(b, l->size), .bytes = l->size});
		return (ssize_t)l->size;
	}
	if (word_is(l->v[0], "PING") || word_is(l->v[0], "+OK"))
		return (ssize_t)l->size;
	return payload(t, FROM_SERVER, b, l, s);
}

/* Is p the beginning of a line that only NATS has? */
static bool is_message(enum proto_dir dir, const uint8_t *p, size_t n)
{
	struct line l;
	struct shape sh;

	if (line_read(p, n, &l) <= 0 || !l.n)
		return false;
	if (!shape_read(&l, &sh))
		return word_is(l.v[0], "PING") || word_is(l.v[0], "PONG");
	return (l.v[0].p[l.v[0].n - 1] | 0x20) == (dir == FROM_CLIENT ? 'b' : 'g');
}

static ssize_t nats_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct nats *t = state;
	struct line l;
	ssize_t r;

	if (t->now[dir].kind != KIND_NONE) {
		message_end(&t->now[dir], proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	if (t->lost[dir]) {
		if (!b->start || !is_message(dir, b->p, b->n))
			return (ssize_t)b->n;
		t->lost[dir] = false;
	}
	r = line_read(b->p, b->n, &l);
	if (r <= 0)
		return r;
	if (!l.n)
		return PROTO_BAD;
	return dir == FROM_CLIENT ? client_line(t, b, &l, s) : server_line(t, b, &l, s);
}

static ssize_t nats_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct nats *t = state;

	t->lost[dir] = true;
	if (dir == FROM_SERVER)
		s->resync(s, false);    /* what was answered in the hole cannot be told from what was not */
	t->now[dir].kind = KIND_NONE;
	return 0;
}

static void nats_init(void *state, bool mid)
{
	struct nats *t = state;

	t->lost[0] = t->lost[1] = mid;
}

static void nats_done(void *state, struct proto_sink *s)
{
}

/* Lines that others have too (PING, +OK) say little. */
static int nats_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	static const char *const first[] = {"CONNECT {", "INFO {"};
	const char *f = first[dir];
	size_t k = strlen(f);

	if (!n)
		return -1;
	if (!strncasecmp((const char *)p, f, n < k ? n : k))
		return n < k ? -1 : 90;
	if (!memchr(p, '\n', n))
		return n < 64 && memchr("PHMphm", p[0], 6) ? -1 : 0;
	if (!is_message(dir, p, n))
		return 0;
	return (p[0] | 0x20) == 'p' && (p[1] | 0x20) != 'u' ? 30 : 75;
}

static const uint16_t nats_ports[] = {4222, 0};

const struct proto_ops proto_nats = {
	.id = PROTO_NATS,
	.name = "nats",
	.ports = nats_ports,
	.state_size = sizeof(struct nats),
	.duplex = true,
	.whole = true,
	.infer = nats_infer,
	.init = nats_init,
	.done = nats_done,
	.parse = nats_parse,
	.gap = nats_gap,
};

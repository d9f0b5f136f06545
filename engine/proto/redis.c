/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Redis: RESP2 and RESP3 (https://redis.io/docs/latest/develop/reference/protocol-spec/).  An operation is the command,
 * for containers (CONFIG, XGROUP, ...) with its subcommand; keys and values are skipped.  A reply is counted by elements
 * still to come, so nesting needs no stack.  Streamed strings and aggregates ("$?") are not implemented by any server.
 */
#include "proto/protocols.h"
#include "proto/redis_names.h"

#include <string.h>
#include <strings.h>

#define LINE_MAX_BYTES (32 * 1024)
#define NAME_MAX_BYTES 32
#define BULK_MAX (1ll << 40)
#define ELEMENTS_MAX (1ll << 40)

enum { TAG_PLAIN = 0, TAG_SUBSCRIBE };

enum replies { REPLIES_SAME = 0, REPLIES_ON, REPLIES_OFF, REPLIES_SKIP };

struct redis {
	/* client */
	bool lost[2];
	bool open;                 /* a command is being read */
	bool opaque;               /* MONITOR, SYNC: the server talks on without being asked */
	bool subscribed;           /* RESP2: arrays may be messages */
	uint8_t arg;               /* arguments read, up to 3 */
	uint8_t argument;          /* of CLIENT REPLY: enum replies */
	bool off;                  /* CLIENT REPLY OFF: nothing is answered */
	bool skip_next, skip;      /* CLIENT REPLY SKIP: the next command is not answered; this one is not */
	uint8_t op_len;
	char op[2 * NAME_MAX_BYTES + 1];
	int64_t args;              /* bulk strings still to come */
	uint64_t c_begin, c_bytes;
	/* server */
	bool reply;                /* a reply is being read */
	bool push;                 /* it answers nothing */
	int64_t left;              /* elements still to come */
	uint64_t s_begin, s_bytes;
	enum req_error error;
	char detail[16];
};

/* A decimal line "<type><number>\r\n" at p: its length; 0 incomplete; PROTO_BAD. */
static ssize_t number_line(const uint8_t *p, size_t n, int64_t *v)
{
	bool minus = n > 1 && p[1] == '-';
	size_t i = 1 + minus;
	int64_t x = 0;

	for (; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
		if (i > 18)
			return PROTO_BAD;
		x = x * 10 + (p[i] - '0');
	}
	if (i == n)
		return 0;
	if (i == 1u + minus || p[i] != '\r')
		return PROTO_BAD;
	if (i + 1 == n)
		return 0;
	if (p[i + 1] != '\n')
		return PROTO_BAD;
	*v = minus ? -x : x;
	return (ssize_t)i + 2;
}

static bool is_name(const uint8_t *p, size_t n)
{
	if (!n || n > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i] | 0x20;

		if ((c < 'a' || c > 'z') && !(i && (p[i] == '.' || p[i] == '_' || p[i] == '-' ||
						    (p[i] >= '0' && p[i] <= '9'))))
			return false;
	}
	return true;
}

static bool name_is(const char *const *names, const char *p, size_t n)
{
	for (; *names; names++)
		if (strlen(*names) == n && !strncasecmp(*names, p, n))
			return true;
	return false;
}

static bool is_container(const char *p, size_t n)
{
	static const char *const names[] = {"ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "LATENCY",
		"MEMORY", "MODULE", "OBJECT", "PUBSUB", "SCRIPT", "SLOWLOG", "XGROUP", "XINFO", "SENTINEL", NULL};

	return name_is(names, p, n);
}

/* Commands that people type or that clients begin with: what an inline line must begin with to be believed. */
static bool is_common(const char *p, size_t n)
{
	static const char *const names[] = {"PING", "INFO", "GET", "SET", "INCR", "DEL", "AUTH", "SELECT", "QUIT", "ECHO",
		"MONITOR", "CLIENT", "CONFIG", "DBSIZE", "KEYS", "LPUSH", "RPUSH", "LRANGE", "HGET", "HSET",
		"EXISTS", "TTL", "FLUSHALL", "FLUSHDB", "SHUTDOWN", "SUBSCRIBE", "PUBLISH", "COMMAND", "MULTI", "EXEC", NULL};

	return name_is(names, p, n);
}

/* "*2\r\n$3\r\nGET\r\n": is p the beginning of a command? 1, 0, -1 more bytes will tell. */
static int starts_command(const uint8_t *p, size_t n)
{
	int64_t args, len;
	ssize_t a, b;
	size_t off;

	if (!n)
		return -1;
	if (p[0] != '*')
		return 0;
	a = number_line(p, n, &args);
	if (a <= 0)
		return a ? 0 : -1;
	if (args < 1 || args > 1024 * 1024)
		return 0;
	if ((size_t)a == n)
		return -1;
	if (p[a] != '$')
		return 0;
	b = number_line(p + a, n - (size_t)a, &len);
	if (b <= 0)
		return b ? 0 : -1;
	off = (size_t)a + (size_t)b;
	if (len < 1 || len > NAME_MAX_BYTES)
		return 0;
	if (n < off + (size_t)len + 2)
		return n == off || is_name(p + off, n - off > (size_t)len ? (size_t)len : n - off) ? -1 : 0;
	return is_name(p + off, (size_t)len) && p[off + (size_t)len] == '\r' && p[off + (size_t)len + 1] == '\n';
}

static int infer_client(const uint8_t *p, size_t n)
{
	const uint8_t *lf;
	size_t i = 0;
	int r;

	if (p[0] == '*') {
		r = starts_command(p, n);
		return r > 0 ? 90 : r;
	}
	while (i < n && (p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z')
		i++;
	if (!i || i > 12)
		return 0;
	lf = memchr(p, '\n', n);
	if (!lf)
		return i == n || p[i] == ' ' ? (n < 64 ? -1 : 0) : 0;
	return is_common((const char *)p, i) && (p[i] == ' ' || p[i] == '\r' || p[i] == '\n') ? 45 : 0;
}

static int infer_server(const uint8_t *p, size_t n)
{
	int64_t v;
	ssize_t r;

	if (p[0] == '+') {
		if (n < 5)
			return -1;
		return !memcmp(p, "+OK\r\n", 5) || (n >= 7 && !memcmp(p, "+PONG\r\n", 7)) ? 70 : 0;
	}
	if (p[0] == '-') {
		if (n < 5)
			return -1;
		return !memcmp(p, "-ERR ", 5) || (n >= 8 && (!memcmp(p, "-NOAUTH ", 8) || !memcmp(p, "-LOADING", 8))) ? 70 : 0;
	}
	if (!memchr("$*:%~>_", p[0], 7))
		return 0;
	r = number_line(p, n, &v);
	if (r <= 0)
		return r || n > 20 ? 0 : -1;
	return (size_t)r == n || memchr("$*:%~+-_,#", p[r], 10) || p[0] == '$' ? 45 : 0;
}

static int redis_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	if (!n)
		return -1;
	return dir == FROM_CLIENT ? infer_client(p, n) : infer_server(p, n);
}

static void redis_init(void *state, bool mid)
{
	struct redis *r = state;

	r->lost[0] = r->lost[1] = mid;
}

static void redis_done(void *state, struct proto_sink *s)
{
}

static void op_append(struct redis *r, const uint8_t *p, size_t n)
{
	if (r->op_len)
		r->op[r->op_len++] = ' ';
	for (size_t i = 0; i < n; i++)
		r->op[r->op_len++] = (char)(p[i] >= 'a' && p[i] <= 'z' ? p[i] - 32 : p[i]);
}

static bool is_client_reply(const struct redis *r)
{
	static const char reply[] = "CLIENT REPLY";

	return r->op_len == sizeof(reply) - 1 && !memcmp(r->op, reply, sizeof(reply) - 1);
}

static enum replies replies_read(const uint8_t *p, size_t n)
{
	static const char *const words[] = {"ON", "OFF", "SKIP"};

	for (size_t i = 0; i < 3; i++)
		if (strlen(words[i]) == n && !strncasecmp(words[i], (const char *)p, n))
			return (enum replies)(REPLIES_ON + i);
	return REPLIES_SAME;
}

/* Is the command just read answered? */
static bool command_answered(struct redis *r)
{
	r->skip = r->skip_next;
	r->skip_next = false;
	if (r->argument == REPLIES_ON)
		r->off = r->skip = false;
	else if (r->argument == REPLIES_OFF)
		r->off = true;
	else if (r->argument == REPLIES_SKIP)
		r->skip = r->skip_next = !r->off;
	return !r->off && !r->skip;
}

static size_t first_word(const struct redis *r)
{
	const char *blank = memchr(r->op, ' ', r->op_len);

	return blank ? (size_t)(blank - r->op) : r->op_len;
}

/* The command is complete with the bytes before end_ns. */
static void command_end(struct redis *r, uint64_t end_ns, struct proto_sink *s)
{
	static const char *const subscribe[] = {"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE",
						"SUNSUBSCRIBE", NULL};
	static const char *const endless[] = {"MONITOR", "SYNC", "PSYNC", NULL};
	static const char unknown[] = "(unknown command)";
	struct proto_request q = {.op = r->op, .op_len = r->op_len, .begin_ns = r->c_begin, .end_ns = end_ns,
				  .bytes = r->c_bytes};

	r->open = false;
	if (name_is(endless, r->op, r->op_len)) {
		r->opaque = true;
		return;
	}
	if (name_is(subscribe, r->op, r->op_len)) {
		q.tag = TAG_SUBSCRIBE;
		r->subscribed = true;
	}
	if (r->op_len && !redis_command_known(r->op, first_word(r))) {
		q.op = unknown;
		q.op_len = sizeof(unknown) - 1;
	}
	if (r->op_len && command_answered(r))
		s->request(s, &q);
}

static void command_begin(struct redis *r, const struct proto_bytes *b, int64_t args)
{
	r->open = true;
	r->args = args;
	r->arg = 0;
	r->argument = REPLIES_SAME;
	r->op_len = 0;
	r->c_begin = proto_begin_ns(b);
	r->c_bytes = 0;
}

/* "PING\r\n": RFC-less but alive: health checks and people with netcat. */
static ssize_t command_inline(struct redis *r, const struct proto_bytes *b, struct proto_sink *s)
{
	const uint8_t *lf = memchr(b->p, '\n', b->n);
	size_t line, n = 0, sub;

	if (!lf)
		return b->n > LINE_MAX_BYTES ? PROTO_BAD : 0;
	line = (size_t)(lf - b->p) + 1;
	while (n < line && b->p[n] > ' ')
		n++;
	command_begin(r, b, 0);
	r->c_bytes = line;
	if (!n && line <= 2) {
		r->open = false;
		return (ssize_t)line;
	}
	if (!is_name(b->p, n))
		return PROTO_BAD;
	op_append(r, b->p, n);
	if (is_container(r->op, n) && b->p[n] == ' ') {
		for (sub = n + 1; sub < line && b->p[sub] > ' '; sub++)
			;
		if (is_name(b->p + n + 1, sub - n - 1))
			op_append(r, b->p + n + 1, sub - n - 1);
		for (n = ++sub; sub < line && b->p[sub] > ' '; sub++)
			;
		if (is_client_reply(r) && sub > n)
			r->argument = replies_read(b->p + n, sub - n);
	}
	command_end(r, proto_end_ns(b, line), s);
	return (ssize_t)line;
}

/* One argument: the name and a container's subcommand are read, others skipped. */
static ssize_t command_argument(struct redis *r, const struct proto_bytes *b)
{
	bool replies = r->arg == 2 && is_client_reply(r);
	bool wanted = !r->arg || (r->arg == 1 && is_container(r->op, r->op_len)) || replies;
	int64_t len;
	ssize_t line;

	if (!b->n)
		return 0;
	if (b->p[0] != '$')
		return PROTO_BAD;
	line = number_line(b->p, b->n, &len);
	if (line <= 0)
		return line;
	if (len < 0 || len > BULK_MAX || (!r->arg && len > NAME_MAX_BYTES))
		return PROTO_BAD;
	if (wanted && len <= NAME_MAX_BYTES) {
		if (b->n < (size_t)(line + len + 2))
			return 0;
		if (replies)
			r->argument = replies_read(b->p + line, (size_t)len);
		else if (is_name(b->p + line, (size_t)len))
			op_append(r, b->p + line, (size_t)len);
		else if (!r->arg)
			return PROTO_BAD;
	}
	if (r->arg < 3)
		r->arg++;
	r->args--;
	r->c_bytes += (uint64_t)(line + len + 2);
	return line + len + 2;
}

static ssize_t redis_client(struct redis *r, const struct proto_bytes *b, struct proto_sink *s)
{
	int64_t args;
	ssize_t line;

	if (r->open && !r->args)
		command_end(r, proto_end_ns(b, 0), s);
	if (r->opaque)
		return PROTO_OPAQUE;
	if (r->open)
		return command_argument(r, b);
	if (!b->n)
		return 0;
	if (b->p[0] != '*')
		return command_inline(r, b, s);
	line = number_line(b->p, b->n, &args);
	if (line <= 0)
		return line;
	if (args > 1024 * 1024)
		return PROTO_BAD;
	if (args > 0) {
		command_begin(r, b, args);
		r->c_bytes = (uint64_t)line;
	}
	return line;
}

static enum req_error error_class(const char *word)
{
	static const char *const server[] = {"LOADING", "OOM", "MISCONF", "CLUSTERDOWN", "MASTERDOWN", "READONLY", "BUSY",
					     "NOREPLICAS", "TRYAGAIN", "IOERR", "UNKILLABLE", NULL};
	static const char *const redirect[] = {"MOVED", "ASK", NULL};

	if (name_is(redirect, word, strlen(word)))
		return REQ_OK;
	return name_is(server, word, strlen(word)) ? REQ_SERVER_ERROR : REQ_CLIENT_ERROR;
}

/* The first word of an error where it is one of the server's own (upper case), else ERR. */
static void error_read(struct redis *r, const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && i < sizeof(r->detail) - 1 && ((p[i] >= 'A' && p[i] <= 'Z') || p[i] == '_'))
		i++;
	if (i < 2 || (i < n && p[i] > ' ')) {
		p = (const uint8_t *)"ERR";
		i = 3;
	}
	memcpy(r->detail, p, i);
	r->detail[i] = '\0';
	r->error = error_class(r->detail);
}

static void reply_end(struct redis *r, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_response q = {.error = r->error, .detail = r->detail[0] ? r->detail : NULL, .begin_ns = r->s_begin,
				   .end_ns = end_ns, .bytes = r->s_bytes};

	r->reply = false;
	if (r->push)
		return;
	/* it answers, and nothing waits: the command that said so was lost */
	if (r->off && s->tag(s) < 0)
		r->off = false;
	s->response(s, &q);
}

/* The first string of an array that may be a message: 1 it answers no request, 0 it does, -1 more bytes are needed. */
static int is_push(const uint8_t *p, size_t n, int tag, bool resp3)
{
	static const char *const messages[] = {"message", "pmessage", "smessage", "invalidate", NULL};
	static const char *const confirms[] = {"subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe",
					       "sunsubscribe", NULL};
	int64_t len;
	ssize_t line;

	if (!n)
		return -1;
	if (p[0] != '$')
		return resp3;
	line = number_line(p, n, &len);
	if (line <= 0)
		return line ? 0 : -1;
	if (len < 0 || len > 16)
		return resp3;
	if (n < (size_t)(line + len))
		return -1;
	if (name_is(messages, (const char *)p + line, (size_t)len))
		return 1;
	if (name_is(confirms, (const char *)p + line, (size_t)len))
		return tag != TAG_SUBSCRIBE;
	return resp3;
}

static void reply_begin(struct redis *r, const struct proto_bytes *b)
{
	r->reply = true;
	r->left = 1;
	r->s_begin = proto_begin_ns(b);
	r->s_bytes = 0;
	r->error = REQ_OK;
	r->detail[0] = '\0';
}

/* Children of an aggregate type; 0: not one. */
static int children_of(uint8_t type)
{
	return type == '*' || type == '~' || type == '>' ? 1 : type == '%' || type == '|' ? 2 : 0;
}

static ssize_t element_line(struct redis *r, const struct proto_bytes *b)
{
	const uint8_t *lf = memchr(b->p, '\n', b->n);
	size_t line;

	if (!lf)
		return b->n > LINE_MAX_BYTES ? PROTO_BAD : 0;
	line = (size_t)(lf - b->p) + 1;
	if (line < 3 || lf[-1] != '\r')
		return PROTO_BAD;
	if (b->p[0] == '-' && r->left == 1 && !r->s_bytes)
		error_read(r, b->p + 1, line - 3);
	r->left--;
	r->s_bytes += line;
	return (ssize_t)line;
}

static ssize_t element_bulk(struct redis *r, const struct proto_bytes *b)
{
	int64_t len;
	ssize_t line = number_line(b->p, b->n, &len);

	if (line <= 0)
		return line;
	if (len < -1 || len > BULK_MAX)
		return PROTO_BAD;
	if (b->p[0] == '!' && r->left == 1 && !r->s_bytes) {
		size_t want = (size_t)line + (len < 16 ? (size_t)len : 16);

		if (len < 0)
			return PROTO_BAD;
		if (b->n < want)
			return 0;
		error_read(r, b->p + line, want - (size_t)line);
	}
	if (len >= 0)
		line += len + 2;
	r->left--;
	r->s_bytes += (uint64_t)line;
	return line;
}

static ssize_t element_aggregate(struct redis *r, const struct proto_bytes *b, int tag)
{
	int64_t n;
	ssize_t line = number_line(b->p, b->n, &n);
	int push;

	if (line <= 0)
		return line;
	if (n < -1 || n > INT32_MAX || r->left > ELEMENTS_MAX)
		return PROTO_BAD;
	if (!r->s_bytes && n > 0 && (b->p[0] == '>' || (b->p[0] == '*' && r->subscribed))) {
		push = is_push(b->p + line, b->n - (size_t)line, tag, b->p[0] == '>');
		if (push < 0)
			return 0;
		r->push = push;
	}
	if (n > 0)
		r->left += n * children_of(b->p[0]);
	if (b->p[0] != '|')
		r->left--;
	r->s_bytes += (uint64_t)line;
	return line;
}

static ssize_t redis_server(struct redis *r, const struct proto_bytes *b, struct proto_sink *s)
{
	if (r->reply && !r->left) {
		reply_end(r, proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	if (r->opaque && !r->reply && s->tag(s) < 0)
		return PROTO_OPAQUE;
	if (!b->n)
		return 0;
	if (!r->reply || !r->s_bytes) {
		reply_begin(r, b);
		r->push = false;
	}
	if (children_of(b->p[0]))
		return element_aggregate(r, b, s->tag(s));
	switch (b->p[0]) {
	case '+': case '-': case ':': case '_': case ',': case '#': case '(':
		return element_line(r, b);
	case '$': case '=': case '!':
		return element_bulk(r, b);
	}
	return PROTO_BAD;
}

/* A lost direction is found again where a segment begins with a command, or with a reply to a request after the loss. */
static bool redis_found(struct redis *r, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	if (!b->start || !b->n)
		return false;
	if (dir == FROM_CLIENT)
		return starts_command(b->p, b->n) || infer_client(b->p, b->n) > 0;
	return s->tag(s) >= 0 && memchr("+-:$*%~>_,#(=!|", b->p[0], 15);
}

static ssize_t redis_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct redis *r = state;

	if (r->lost[dir]) {
		if (!redis_found(r, dir, b, s))
			return (ssize_t)b->n;
		r->lost[dir] = false;
	}
	return dir == FROM_CLIENT ? redis_client(r, b, s) : redis_server(r, b, s);
}

static ssize_t redis_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct redis *r = state;

	if (r->opaque)
		return 0;
	r->lost[dir] = true;
	if (dir == FROM_CLIENT) {
		r->open = false;
		return 0;
	}
	/* replies carry nothing to tell one from another: only what was asked after the loss can be paired, or the newest
	 * where the hole swallowed whole replies before it */
	s->resync(s, false);
	r->reply = false;
	r->left = 0;
	return 0;
}

static const uint16_t redis_ports[] = {6379, 6380, 16379, 26379, 0};

const struct proto_ops proto_redis = {
	.id = PROTO_REDIS,
	.name = "redis",
	.ports = redis_ports,
	.state_size = sizeof(struct redis),
	.whole = true,
	.infer = redis_infer,
	.init = redis_init,
	.done = redis_done,
	.parse = redis_parse,
	.gap = redis_gap,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Redis: RESP2 and RESP3 (https://redis.io/docs/latest/develop/reference/protocol-spec/).  An operation is the command,
 * for containers (CONFIG, XGROUP, ...) with its subcommand; keys and values are skipped.  What waits by intent (BLPOP, XREAD
 * BLOCK) has no latency.  MOVED, ASK and NOSCRIPT are answers that a client acts upon, so they are no errors; of an aggregate
 * (EXEC) the first error in it is its error.  A replica's link is opaque behind its SYNC or PSYNC, a connection behind
 * MONITOR as well.  Streamed strings and aggregates ("$?") are not implemented by any server.
 */
#include "proto/protocols.h"
#include "proto/redis.h"

#include <string.h>
#include <strings.h>

/* Of XREADGROUP the options stand before this argument. */
#define OPTIONS_END 10

enum replies { REPLIES_SAME = 0, REPLIES_ON, REPLIES_OFF, REPLIES_SKIP };

ssize_t redis_number(const uint8_t *p, size_t n, int64_t *v)
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
	if (!n || n > REDIS_NAME_MAX)
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
	a = redis_number(p, n, &args);
	if (a <= 0)
		return a ? 0 : -1;
	if (args < 1 || args > 1024 * 1024)
		return 0;
	if ((size_t)a == n)
		return -1;
	if (p[a] != '$')
		return 0;
	b = redis_number(p + a, n - (size_t)a, &len);
	if (b <= 0)
		return b ? 0 : -1;
	off = (size_t)a + (size_t)b;
	if (len < 1 || len > REDIS_NAME_MAX)
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

static int redis_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	if (!n)
		return -1;
	return dir == FROM_CLIENT ? infer_client(p, n) : redis_infer_reply(p, n);
}

static void redis_init(void *state, bool mid)
{
	struct redis *r = state;

	r->lost[0] = r->lost[1] = r->subscribed = mid;
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

/* The name was read: what it says about its arguments and its reply. */
static void command_named(struct redis *r, const uint8_t *p, size_t n)
{
	static const char unknown[] = "(unknown command)";

	op_append(r, p, n);
	r->kind = redis_command_kind(r->op, r->op_len);
	if (r->kind == REDIS_UNKNOWN) {
		memcpy(r->op, unknown, sizeof(unknown) - 1);
		r->op_len = sizeof(unknown) - 1;
	}
}

/* How many replies (UN)SUBSCRIBE has; of one without channels it depends, and it has at least one. */
static uint8_t subscribe_tag(const struct redis *r)
{
	int64_t n = r->channels < 1 ? 1 : r->channels > REDIS_TAG_CHANNELS ? REDIS_TAG_CHANNELS : r->channels;

	return (uint8_t)(n | (r->kind == REDIS_UNSUBSCRIBE ? REDIS_TAG_UNSUBSCRIBE : 0));
}

static bool is_replconf_ack(const struct redis *r)
{
	static const char ack[] = "REPLCONF ACK";

	return r->op_len == sizeof(ack) - 1 && !memcmp(r->op, ack, sizeof(ack) - 1);
}

/* The command is complete with the bytes before end_ns. */
static void command_end(struct redis *r, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_request q = {.op = r->op, .op_len = r->op_len, .begin_ns = r->c_begin, .end_ns = end_ns,
				  .bytes = r->c_bytes, .waits = r->kind == REDIS_WAITS || r->waits};

	r->open = false;
	if (!r->op_len)
		return;
	/* a replica that was met in the middle */
	if (is_replconf_ack(r)) {
		r->opaque = true;
		return;
	}
	if (r->kind == REDIS_SUBSCRIBE || r->kind == REDIS_UNSUBSCRIBE)
		q.tag = subscribe_tag(r);
	r->opaque = r->kind == REDIS_MONITOR || r->kind == REDIS_SYNC;
	q.oneway = r->kind == REDIS_SYNC;
	if (r->kind == REDIS_RESET)
		r->off = r->skip_next = false;
	if (!command_answered(r))
		return;
	r->waiting += !q.oneway;
	s->request(s, &q);
}

static void command_begin(struct redis *r, const struct proto_bytes *b, int64_t args)
{
	r->open = true;
	r->args = args;
	r->channels = args - 1;
	r->arg = 0;
	r->argument = REPLIES_SAME;
	r->waits = false;
	r->kind = REDIS_PLAIN;
	r->op_len = 0;
	r->c_begin = proto_begin_ns(b);
	r->c_bytes = 0;
}

/* Is the argument now to be read one that says something? */
static bool argument_wanted(const struct redis *r)
{
	if (!r->arg)
		return true;
	if (r->kind == REDIS_CONTAINER)
		return r->arg == 1 || (r->arg == 2 && is_client_reply(r));
	return r->kind == REDIS_MAY_WAIT && r->arg < OPTIONS_END && !r->waits;
}

/* A wanted argument; false where it cannot be a command's. */
static bool argument_read(struct redis *r, const uint8_t *p, size_t n)
{
	if (!r->arg) {
		if (!is_name(p, n))
			return false;
		command_named(r, p, n);
	} else if (r->kind == REDIS_MAY_WAIT) {
		r->waits = n == 5 && !strncasecmp((const char *)p, "BLOCK", 5);
		if (n == 7 && !strncasecmp((const char *)p, "STREAMS", 7))
			r->arg = OPTIONS_END;
	} else if (r->arg == 2) {
		r->argument = replies_read(p, n);
	} else if (is_name(p, n)) {
		op_append(r, p, n);
	}
	return true;
}

/* "PING\r\n": what health checks and people with netcat send. */
static ssize_t command_inline(struct redis *r, const struct proto_bytes *b, struct proto_sink *s)
{
	const uint8_t *lf = memchr(b->p, '\n', b->n), *p = b->p, *word;
	int64_t words = 0;

	if (!lf)
		return b->n > REDIS_LINE_MAX ? PROTO_BAD : 0;
	command_begin(r, b, 0);
	r->c_bytes = (uint64_t)(lf - b->p) + 1;
	for (;; words++) {
		while (p < lf && *p <= ' ')
			p++;
		for (word = p; p < lf && *p > ' '; p++)
			;
		if (p == word)
			break;
		if (argument_wanted(r) && !argument_read(r, word, (size_t)(p - word)))
			return PROTO_BAD;
		r->arg += r->arg < 15;
	}
	r->channels = words - 1;
	command_end(r, proto_end_ns(b, (size_t)r->c_bytes), s);
	return (ssize_t)r->c_bytes;
}

/* One argument: the name, a container's subcommand and a few options are read, others skipped. */
static ssize_t command_argument(struct redis *r, const struct proto_bytes *b)
{
	int64_t len;
	ssize_t line;

	if (!b->n)
		return 0;
	if (b->p[0] != '$')
		return PROTO_BAD;
	line = redis_number(b->p, b->n, &len);
	if (line <= 0)
		return line;
	if (len < 0 || len > REDIS_BULK_MAX || (!r->arg && len > REDIS_NAME_MAX))
		return PROTO_BAD;
	if (argument_wanted(r) && len <= REDIS_NAME_MAX) {
		if (b->n < (size_t)(line + len + 2))
			return 0;
		if (!argument_read(r, b->p + line, (size_t)len))
			return PROTO_BAD;
	}
	r->arg += r->arg < 15;
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
	line = redis_number(b->p, b->n, &args);
	if (line <= 0)
		return line;
	if (args > INT32_MAX)
		return PROTO_BAD;
	if (args > 0) {
		command_begin(r, b, args);
		r->c_bytes = (uint64_t)line;
	}
	return line;
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

	if (r->lost[dir] && !r->opaque) {
		if (!redis_found(r, dir, b, s))
			return (ssize_t)b->n;
		r->lost[dir] = false;
	}
	return dir == FROM_CLIENT ? redis_client(r, b, s) : redis_replies(r, b, s);
}

static ssize_t redis_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct redis *r = state;

	if (r->opaque)
		return 0;
	if (dir == FROM_SERVER) {
		redis_replies_gap(r, n, tail, s);
	} else {
		r->lost[dir] = true;
		r->open = false;
	}
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

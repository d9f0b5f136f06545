/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/memcached.h"
#include "proto/wire.h"

#include <string.h>

#define HEAD 24
#define MAGIC_REQUEST 0x80
#define MAGIC_RESPONSE 0x81
#define OP_QUIT 0x07
#define OP_QUITQ 0x17
#define OP_STAT 0x10
#define KEY_MAX 250

enum { LOUD = MEMCACHED_LOUD, QUIET_GET = MEMCACHED_QUIET_GET, QUIET_CHANGE = MEMCACHED_QUIET_CHANGE };

/* By opcode: the name, without the q of the quiet ones; the least and the most that extras have; has it a key (2: maybe). */
static const struct opcode {
	const char *name;
	uint8_t quiet, extras_min, extras, key;
} opcodes[] = {
	[0x00] = {"get", LOUD, 0, 0, 1}, [0x01] = {"set", LOUD, 8, 8, 1}, [0x02] = {"add", LOUD, 8, 8, 1},
	[0x03] = {"replace", LOUD, 8, 8, 1}, [0x04] = {"delete", LOUD, 0, 0, 1}, [0x05] = {"incr", LOUD, 20, 20, 1},
	[0x06] = {"decr", LOUD, 20, 20, 1}, [0x07] = {"quit", LOUD, 0, 0, 0}, [0x08] = {"flush_all", LOUD, 0, 4, 0},
	[0x09] = {"get", QUIET_GET, 0, 0, 1}, [0x0a] = {"noop", LOUD, 0, 0, 0}, [0x0b] = {"version", LOUD, 0, 0, 0},
	[0x0c] = {"get", LOUD, 0, 0, 1}, [0x0d] = {"get", QUIET_GET, 0, 0, 1}, [0x0e] = {"append", LOUD, 0, 0, 1},
	[0x0f] = {"prepend", LOUD, 0, 0, 1}, [0x10] = {"stats", LOUD, 0, 0, 2}, [0x11] = {"set", QUIET_CHANGE, 8, 8, 1},
	[0x12] = {"add", QUIET_CHANGE, 8, 8, 1}, [0x13] = {"replace", QUIET_CHANGE, 8, 8, 1},
	[0x14] = {"delete", QUIET_CHANGE, 0, 0, 1}, [0x15] = {"incr", QUIET_CHANGE, 20, 20, 1},
	[0x16] = {"decr", QUIET_CHANGE, 20, 20, 1}, [0x17] = {"quit", QUIET_CHANGE, 0, 0, 0},
	[0x18] = {"flush_all", QUIET_CHANGE, 0, 4, 0}, [0x19] = {"append", QUIET_CHANGE, 0, 0, 1},
	[0x1a] = {"prepend", QUIET_CHANGE, 0, 0, 1}, [0x1b] = {"verbosity", LOUD, 4, 4, 0}, [0x1c] = {"touch", LOUD, 4, 4, 1},
	[0x1d] = {"gat", LOUD, 4, 4, 1}, [0x1e] = {"gat", QUIET_GET, 4, 4, 1}, [0x20] = {"sasl list", LOUD, 0, 0, 0},
	[0x21] = {"sasl auth", LOUD, 0, 0, 1}, [0x22] = {"sasl step", LOUD, 0, 0, 1}, [0x23] = {"gat", LOUD, 4, 4, 1},
	[0x24] = {"gat", QUIET_GET, 4, 4, 1},
};

static const struct status {
	uint16_t status;
	enum req_error error;
	const char *detail;
} statuses[] = {
	{0x01, REQ_OK, "NOT_FOUND"}, {0x02, REQ_OK, "EXISTS"}, {0x03, REQ_CLIENT_ERROR, "TOO_LARGE"},
	{0x04, REQ_CLIENT_ERROR, "INVALID_ARGUMENTS"}, {0x05, REQ_OK, "NOT_STORED"}, {0x06, REQ_CLIENT_ERROR, "NON_NUMERIC"},
	{0x07, REQ_OK, "NOT_MY_VBUCKET"}, {0x08, REQ_CLIENT_ERROR, "AUTH_ERROR"}, {0x09, REQ_OK, "AUTH_CONTINUE"},
	{0x20, REQ_CLIENT_ERROR, "AUTH_ERROR"}, {0x21, REQ_OK, "AUTH_CONTINUE"}, {0x81, REQ_CLIENT_ERROR, "UNKNOWN_COMMAND"},
	{0x82, REQ_SERVER_ERROR, "OUT_OF_MEMORY"}, {0x83, REQ_CLIENT_ERROR, "NOT_SUPPORTED"},
	{0x84, REQ_SERVER_ERROR, "INTERNAL_ERROR"}, {0x85, REQ_SERVER_ERROR, "BUSY"},
	{0x86, REQ_SERVER_ERROR, "TEMPORARY_FAILURE"},
};

static const struct opcode *opcode_find(unsigned code)
{
	return code < sizeof(opcodes) / sizeof(*opcodes) && opcodes[code].name ? &opcodes[code] : NULL;
}

/* Is the header at p one of the direction? */
static bool head_fits(enum proto_dir dir, const uint8_t *p)
{
	const struct opcode *o = opcode_find(p[1]);
	uint32_t body = be32(p + 8), key = be16(p + 2), extras = p[4];

	if (!o || p[0] != (dir == FROM_CLIENT ? MAGIC_REQUEST : MAGIC_RESPONSE) || p[5] || body > MEMCACHED_VALUE_MAX)
		return false;
	if (key > KEY_MAX || key + extras > body)
		return false;
	if (dir == FROM_SERVER)
		return be16(p + 6) < 0x100 && (extras == 0 || extras == 4);
	return extras >= o->extras_min && extras <= o->extras && (o->key == 2 || !!key == o->key) && (o->key || body == extras);
}

int memcached_binary_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	if (p[0] != (dir == FROM_CLIENT ? MAGIC_REQUEST : MAGIC_RESPONSE))
		return 0;
	if (n < HEAD)
		return n > 5 && p[5] ? 0 : -1;
	return head_fits(dir, p) ? 85 : 0;
}

ssize_t memcached_binary_client(struct memcached *r, const struct proto_bytes *b, struct proto_sink *s)
{
	const struct opcode *o;
	uint32_t body, key_at, key;

	if (r->open)
		memcached_request(r, proto_end_ns(b, 0), s);
	if (b->n < HEAD)
		return b->n && b->p[0] != MAGIC_REQUEST ? PROTO_BAD : 0;
	if (!head_fits(FROM_CLIENT, b->p))
		return PROTO_BAD;
	o = opcode_find(b->p[1]);
	body = be32(b->p + 8);
	key_at = HEAD + b->p[4];
	key = be16(b->p + 2);
	if (s->raw && b->n < key_at + key && !b->cut)
		return 0;
	r->c_begin = proto_begin_ns(b);
	r->c_bytes = HEAD + (uint64_t)body;
	r->tag = b->p[1];
	r->oneway = false;
	r->waits = o->quiet == QUIET_CHANGE;
	memcached_op(r, o->name, strlen(o->name), b->p + key_at, b->n < key_at + key ? 0 : key, s);
	r->open = b->p[1] != OP_QUIT && b->p[1] != OP_QUITQ;
	return (ssize_t)r->c_bytes;
}

enum memcached_quiet memcached_binary_quiet(int tag)
{
	const struct opcode *o = tag < 0 ? NULL : opcode_find((unsigned)tag);

	return o ? (enum memcached_quiet)o->quiet : MEMCACHED_LOUD;
}

static void status_read(struct memcached *r, unsigned status)
{
	r->status = (int)status;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (statuses[i].status == status) {
			r->error = statuses[i].error;
			r->detail = statuses[i].detail;
			return;
		}
	if (status) {
		r->error = REQ_SERVER_ERROR;
		r->detail = "ERROR";
	}
}

static bool is_get(unsigned code)
{
	const struct opcode *o = opcode_find(code);

	return o && o->name[0] == 'g';
}

/* The request that a response with this opcode answers is made the oldest: what was quiet before it had nothing to say. */
static bool request_find(struct memcached *r, int code, uint64_t at_ns, struct proto_sink *s)
{
	int tag = s->tag(s);

	for (; tag >= 0 && tag != code && memcached_binary_quiet(tag); tag = s->tag(s))
		if (!memcached_silent(r, at_ns, s))
			return false;
	return tag < 0 || tag == code;
}

ssize_t memcached_binary_server(struct memcached *r, const struct proto_bytes *b, struct proto_sink *s)
{
	uint32_t body;

	if (r->last) {
		r->last = false;
		memcached_answer(r, proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	if (b->n < HEAD)
		return b->n && b->p[0] != MAGIC_RESPONSE ? PROTO_BAD : 0;
	if (!head_fits(FROM_SERVER, b->p))
		return PROTO_BAD;
	body = be32(b->p + 8);
	if (b->p[1] == OP_QUIT)
		return HEAD + (ssize_t)body;
	if (!r->reply && !request_find(r, b->p[1], proto_begin_ns(b), s)) {
		r->waiting = s->resync(s, false);
		return HEAD + (ssize_t)body;
	}
	if (!r->reply)
		memcached_reply_begin(r, proto_begin_ns(b));
	status_read(r, be16(b->p + 6));
	r->rows = is_get(b->p[1]) && !r->status;
	r->s_bytes += HEAD + (uint64_t)body;
	/* statistics come one by one; an empty one ends them */
	r->last = b->p[1] != OP_STAT || r->status || !be16(b->p + 2);
	return HEAD + (ssize_t)body;
}

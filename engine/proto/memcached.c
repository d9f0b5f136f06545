/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memcached: text with meta commands (doc/protocol.txt of memcached 1.6) and binary (doc/protocol-binary.xml), over TCP.
 *
 * An operation is the command's name; quiet ones have the name of the others.  Rows are the values found.  What the client wants
 * no answer to (noreply) is one-way.  Quiet commands are answered where there is something to say, and otherwise by what is answered
 * behind them, in order; quiet changes have no latency, for that may be much later.  NOT_FOUND, NOT_STORED and EXISTS are answers.
 */
#include "proto/memcached.h"
#include "proto/normalise.h"
#include "proto/protocols.h"

#include <string.h>

/* So many quiet changes wait for a word about one of them; the oldest went well. */
#define QUIET_MAX 1024

static int memcached_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	if (!n)
		return -1;
	return p[0] & 0x80 ? memcached_binary_infer(dir, p, n) : memcached_text_infer(dir, p, n);
}

static void memcached_init(void *state, bool mid)
{
	struct memcached *r = state;

	r->lost[0] = r->lost[1] = mid;
}

static void memcached_done(void *state, struct proto_sink *s)
{
}

void memcached_op(struct memcached *r, const char *name, size_t n, const uint8_t *key, size_t key_n, struct proto_sink *s)
{
	memcpy(r->op, name, n);
	if (s->raw && key_n) {
		r->op[n++] = ' ';
		n += normalise_raw(r->op + n, sizeof(r->op) - n, (const char *)key, key_n);
	}
	r->op_len = (uint8_t)n;
}

static enum memcached_quiet quiet_of(const struct memcached *r, int tag)
{
	return r->binary ? memcached_binary_quiet(tag) : memcached_text_quiet(tag);
}

static bool answer(struct memcached *r, const struct proto_response *q, bool change, struct proto_sink *s)
{
	r->waiting -= r->waiting > 0;
	r->quiet -= change && r->quiet;
	return s->response(s, q);
}

static bool silent(struct memcached *r, uint64_t at_ns, bool change, struct proto_sink *s)
{
	struct proto_response q = {.begin_ns = at_ns, .end_ns = at_ns};

	return answer(r, &q, change, s);
}

bool memcached_silent(struct memcached *r, uint64_t at_ns, struct proto_sink *s)
{
	return silent(r, at_ns, quiet_of(r, s->tag(s)) == MEMCACHED_QUIET_CHANGE, s);
}

void memcached_request(struct memcached *r, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_request q = {.op = r->op, .op_len = r->op_len, .begin_ns = r->c_begin, .end_ns = end_ns, .bytes = r->c_bytes,
				  .tag = r->tag, .oneway = r->oneway, .waits = r->waits};

	r->open = false;
	if (r->quiet == QUIET_MAX && r->waiting == r->quiet)
		silent(r, end_ns, true, s);
	r->quiet += r->waits;
	r->waiting += !r->oneway;
	s->request(s, &q);
}

void memcached_reply_begin(struct memcached *r, uint64_t begin_ns)
{
	r->reply = true;
	r->s_begin = begin_ns;
	r->s_bytes = r->rows = 0;
	r->status = 0;
	r->error = REQ_OK;
	r->detail = NULL;
}

void memcached_answer(struct memcached *r, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_response q = {.status = r->status, .error = r->error, .detail = r->detail, .begin_ns = r->s_begin,
				   .end_ns = end_ns, .bytes = r->s_bytes, .rows = r->rows};

	r->reply = r->torn = false;
	answer(r, &q, quiet_of(r, s->tag(s)) == MEMCACHED_QUIET_CHANGE, s);
}

/* A lost direction is found again where a segment begins with a command, or with a reply while a request waits: 1; 0 not here,
 * -1 more bytes are needed. */
static int memcached_found(struct memcached *r, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	bool binary = b->n && b->p[0] & 0x80;
	int sure;

	if (!b->start || !b->n || (r->known && r->binary != binary) || (dir == FROM_SERVER && s->tag(s) < 0))
		return 0;
	sure = memcached_infer(dir, b->p, b->n);
	return sure < 0 ? -1 : sure > 0;
}

/* A reply with a hole, to the only request that waits: its last line is known when it is seen. */
static ssize_t torn_bytes(struct memcached *r, const struct proto_bytes *b, struct proto_sink *s)
{
	r->s_bytes += b->n;
	if (!b->cut && memcached_text_ends(b))
		memcached_answer(r, b->ts_new_ns, s);
	return (ssize_t)b->n;
}

static ssize_t memcached_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct memcached *r = state;

	if (r->opaque && (dir == FROM_CLIENT || s->tag(s) < 0))
		return PROTO_OPAQUE;
	if (r->lost[dir]) {
		int found = memcached_found(r, dir, b, s);

		if (found <= 0)
			return found ? 0 : (ssize_t)b->n;
		r->lost[dir] = false;
	}
	if (!r->known && b->n) {
		r->known = true;
		r->binary = b->p[0] & 0x80;
	}
	if (dir == FROM_CLIENT)
		return r->binary ? memcached_binary_client(r, b, s) : memcached_text_client(r, b, s);
	if (r->torn)
		return torn_bytes(r, b, s);
	return r->binary ? memcached_binary_server(r, b, s) : memcached_text_server(r, b, s);
}

static ssize_t memcached_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct memcached *r = state;

	if (dir == FROM_CLIENT) {
		r->lost[dir] = true;
		r->open = r->line = false;
		return 0;
	}
	if (r->torn || (!r->binary && r->reply && r->s_bytes && r->waiting == 1)) {
		r->torn = true;
		r->s_bytes += n - tail->n;
		torn_bytes(r, tail, s);
		return 0;
	}
	r->lost[dir] = true;
	r->reply = r->last = false;
	r->waiting = s->resync(s, false);
	r->quiet = 0;
	return 0;
}

/* Nothing more will be said: what was quiet went well. */
static void memcached_end(void *state, enum proto_dir dir, uint64_t ts_ns, struct proto_sink *s)
{
	struct memcached *r = state;

	while (dir == FROM_CLIENT && r->quiet && r->waiting == r->quiet)
		silent(r, ts_ns, true, s);
}

static const uint16_t memcached_ports[] = {11211, 11210, 0};

const struct proto_ops proto_memcached = {
	.id = PROTO_MEMCACHED,
	.name = "memcached",
	.ports = memcached_ports,
	.state_size = sizeof(struct memcached),
	.whole = true,
	.infer = memcached_infer,
	.init = memcached_init,
	.done = memcached_done,
	.parse = memcached_parse,
	.gap = memcached_gap,
	.end = memcached_end,
};

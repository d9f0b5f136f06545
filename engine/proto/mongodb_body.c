/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/mongodb.h"
#include "proto/normalise.h"
#include "proto/unpack.h"
#include "proto/wire.h"

#include <string.h>

/* The body of an OP_MSG behind flags: the section of kind 0, which is the first as a rule. */
static bool body_open(struct bson *d, const uint8_t *p, size_t n)
{
	size_t off = 4;

	while (off + 5 <= n && p[off] == 1) {
		uint32_t len = le32(p + off + 1);

		if (len < 5 || len > n - off - 1)
			return false;
		off += 1 + (size_t)len;
	}
	return off < n && p[off] == 0 && bson_open(d, p + off + 1, n - off - 1);
}

static void op_text(struct mongodb_call *c, const char *s)
{
	size_t n = strlen(s);

	memcpy(c->op + c->op_len, s, n);
	c->op_len += n;
}

static void op_name(struct mongodb_call *c, const char *s, size_t n, bool raw)
{
	if (!n)
		return;
	c->op[c->op_len++] = ' ';
	c->op_len += normalise_name(c->op + c->op_len, sizeof(c->op) - c->op_len, s, n, raw);
}

/* Fields behind the command that say more: the collection of getMore, and whether it waits. */
static void call_fields(struct mongodb_call *c, enum mongodb_kind kind, struct bson *d, bool raw)
{
	struct bson_element e;
	const char *s;
	size_t n;

	while (bson_next(d, &e)) {
		if (kind == MONGODB_GETMORE && !strcmp(e.name, "collection") && (s = bson_string(&e, &n)))
			op_name(c, s, n, raw);
		/* of a cursor that waits for more, and of a hello that waits for a change */
		c->waits |= !strcmp(e.name, kind == MONGODB_GETMORE ? "maxTimeMS" : "maxAwaitTimeMS");
	}
}

/* A command: its name is that of the first field. */
static bool call_command(struct mongodb_call *c, struct bson *d, bool raw)
{
	struct bson_element e;
	enum mongodb_kind kind;
	const char *s;
	size_t n;

	if (!bson_next(d, &e))
		return false;
	/* drivers of old wrapped what goes through mongos */
	if ((!strcmp(e.name, "$query") || !strcmp(e.name, "query")) && e.type == BSON_DOCUMENT)
		return bson_open(d, e.value, e.n) && call_command(c, d, raw);
	kind = mongodb_command_kind(e.name);
	op_text(c, kind == MONGODB_UNKNOWN ? "(unknown command)" : e.name);
	if (kind == MONGODB_COLLECTION && (s = bson_string(&e, &n)))
		op_name(c, s, n, raw);
	if (kind == MONGODB_GETMORE || kind == MONGODB_HELLO)
		call_fields(c, kind, d, raw);
	return true;
}

/* "database.collection" of the messages of old. */
static bool call_legacy(struct mongodb_call *c, uint32_t opcode, const uint8_t *p, size_t n, bool raw)
{
	const uint8_t *nul = n > 5 ? memchr(p + 4, 0, n - 4) : NULL, *dot = nul ? memchr(p + 4, '.', (size_t)(nul - p - 4)) : NULL;
	struct bson d;

	if (opcode == MONGODB_OP_KILL_CURSORS) {
		op_text(c, "killCursors");
		return true;
	}
	if (!dot)
		return false;
	if (opcode == MONGODB_OP_QUERY && !strcmp((const char *)dot, ".$cmd"))
		return (size_t)(nul - p) + 9 < n && bson_open(&d, nul + 9, n - (size_t)(nul + 9 - p)) && call_command(c, &d, raw);
	op_text(c, opcode == MONGODB_OP_QUERY ? "find" : opcode == MONGODB_OP_GET_MORE ? "getMore" :
		   opcode == MONGODB_OP_INSERT ? "insert" : opcode == MONGODB_OP_UPDATE ? "update" : "delete");
	op_name(c, (const char *)dot + 1, (size_t)(nul - dot) - 1, raw);
	return true;
}

bool mongodb_call_read(struct mongodb_call *c, uint32_t opcode, const uint8_t *p, size_t n, bool raw)
{
	struct bson d;

	memset(c, 0, sizeof(*c));
	c->oneway = opcode == MONGODB_OP_INSERT || opcode == MONGODB_OP_UPDATE || opcode == MONGODB_OP_DELETE ||
		    opcode == MONGODB_OP_KILL_CURSORS;
	if (opcode != MONGODB_OP_MSG)
		return call_legacy(c, opcode, p, n, raw);
	c->oneway = n >= 4 && le32(p) & MONGODB_MORE_TO_COME;
	return n > 5 && body_open(&d, p, n) && call_command(c, &d, raw);
}

/* The documents of an array from its first element on that are here. */
static uint64_t documents_count(const uint8_t *p, size_t n)
{
	struct bson d = {p, p + n};
	struct bson_element e;
	uint64_t count = 0;

	while (bson_next(&d, &e))
		count++;
	return count;
}

/* {firstBatch: [...], id: ..., ns: ...} */
static void result_cursor(struct mongodb_result *r, const struct bson_element *cursor)
{
	struct bson_element e;
	struct bson d;

	if (!bson_open(&d, cursor->value, cursor->n))
		return;
	while (bson_next(&d, &e)) {
		if (e.type != BSON_ARRAY || (strcmp(e.name, "firstBatch") && strcmp(e.name, "nextBatch")))
			continue;
		if (e.n < 4)
			return;
		r->batch = e.value + 4;
		r->batch_n = e.total - 4;
		r->rows = documents_count(r->batch, e.n - 4);
		return;
	}
}

static void result_error(struct mongodb_result *r, int64_t code)
{
	if (r->detail || !code)
		return;
	r->code = code;
	r->detail = mongodb_error_name(code, &r->error);
}

/* The code of {index: ..., code: ...}, or of the first of an array of such. */
static int64_t code_inside(const struct bson_element *of)
{
	struct bson_element e;
	struct bson d;
	int64_t code;

	if (!bson_open(&d, of->value, of->n))
		return 0;
	while (bson_next(&d, &e)) {
		if (of->type == BSON_ARRAY)
			return e.type == BSON_DOCUMENT ? code_inside(&e) : 0;
		if (!strcmp(e.name, "code") && bson_number(&e, &code))
			return code;
	}
	return 0;
}

static void result_document(struct mongodb_result *r, struct bson *d)
{
	int64_t ok = 1, code = 0, v;
	struct bson_element e;

	while (bson_next(d, &e)) {
		if (!strcmp(e.name, "cursor") && e.type == BSON_DOCUMENT)
			result_cursor(r, &e);
		else if (!strcmp(e.name, "writeErrors") || !strcmp(e.name, "writeConcernError"))
			result_error(r, code_inside(&e));
		else if (!strcmp(e.name, "ok") && bson_number(&e, &v))
			ok = v;
		else if (!strcmp(e.name, "code") && bson_number(&e, &v))
			code = v;
		else if (!strcmp(e.name, "n") && bson_number(&e, &v) && v > 0)
			r->rows = (uint64_t)v;
		else if (!strcmp(e.name, "$err"))
			ok = 0;
	}
	if (!ok)
		result_error(r, code ? code : 8);
}

static void result_legacy(struct mongodb_result *r, const uint8_t *p, size_t n)
{
	struct bson d;

	if (n < 20)
		return;
	r->rows = le32(p + 16);
	/* a single document is the answer to a command, as a rule */
	if ((r->rows == 1 || le32(p) & 2) && bson_open(&d, p + 20, n - 20))
		result_document(r, &d);
	if (le32(p) & 1)
		result_error(r, 43);
}

void mongodb_result_read(struct mongodb_result *r, uint32_t opcode, const uint8_t *p, size_t n)
{
	struct bson d;

	memset(r, 0, sizeof(*r));
	if (opcode == MONGODB_OP_REPLY) {
		result_legacy(r, p, n);
	} else if (n > 5) {
		r->more_to_come = le32(p) & MONGODB_MORE_TO_COME;
		if (body_open(&d, p, n))
			result_document(r, &d);
	}
}

ssize_t mongodb_unpack(uint8_t *out, size_t cap, uint32_t *opcode, const uint8_t *p, size_t n)
{
	if (n < 9)
		return -1;
	*opcode = le32(p);
	switch (p[8]) {
	case 0:
		cap = n - 9 < cap ? n - 9 : cap;
		memcpy(out, p + 9, cap);
		return (ssize_t)cap;
	case 1:
		return unpack_snappy(out, cap, p + 9, n - 9);
	case 2:
		return unpack_zlib(out, cap, p + 9, n - 9);
	case 3:
		return unpack_zstd(out, cap, p + 9, n - 9);
	}
	return -1;
}

static bool is_opcode(enum proto_dir dir, uint32_t opcode)
{
	if (opcode == MONGODB_OP_MSG || opcode == MONGODB_OP_COMPRESSED)
		return true;
	if (dir == FROM_SERVER)
		return opcode == MONGODB_OP_REPLY;
	return opcode == MONGODB_OP_QUERY || opcode == MONGODB_OP_GET_MORE || opcode == MONGODB_OP_INSERT ||
	       opcode == MONGODB_OP_UPDATE || opcode == MONGODB_OP_DELETE || opcode == MONGODB_OP_KILL_CURSORS;
}

/* Does the message begin as its opcode has it? */
static int content_fits(enum proto_dir dir, uint32_t opcode, const uint8_t *p, size_t n, size_t total)
{
	const uint8_t *nul;

	switch (opcode) {
	case MONGODB_OP_MSG:
		if (n < 10)
			return -1;
		if (le32(p) & ~0x10003u || p[4] > 1 || le32(p + 5) < 5 || le32(p + 5) > total - 5)
			return 0;
		return p[4] || le32(p + 5) == 5 || (p[9] && p[9] < 0x14) ? 95 : 0;
	case MONGODB_OP_COMPRESSED:
		return n < 9 ? -1 : is_opcode(dir, le32(p)) && le32(p) != opcode && p[8] <= 3 && le32(p + 4) < 1u << 27 ? 85 : 0;
	case MONGODB_OP_REPLY:
		return n < 20 ? -1 : !(le32(p) & ~0xfu) && le32(p + 16) < 1u << 24 && total >= 20 ? 75 : 0;
	case MONGODB_OP_KILL_CURSORS:
		return n < 8 ? -1 : !le32(p) && total == 8 + 8 * (size_t)le32(p + 4) ? 75 : 0;
	}
	if (n < 6)
		return -1;
	nul = memchr(p + 4, 0, n - 4);
	for (size_t i = 4; i < n && p[i]; i++)
		if (p[i] < ' ' || i > 200)
			return 0;
	return !nul ? -1 : memchr(p + 4, '.', (size_t)(nul - p - 4)) ? 90 : 0;
}

int mongodb_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	uint32_t len, opcode;

	if (n >= 4 && (le32(p) < 16 + 5 || le32(p) > 1u << 26))
		return 0;
	if (n < 16)
		return -1;
	len = le32(p);
	opcode = le32(p + 12);
	/* of a request it is 0, or -1 */
	if (!is_opcode(dir, opcode) || (dir == FROM_CLIENT && le32(p + 8) + 1 > 1))
		return 0;
	return content_fits(dir, opcode, p + 16, n - 16, len - 16);
}

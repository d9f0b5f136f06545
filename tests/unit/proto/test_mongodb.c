/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#include <zlib.h>
#include <zstd.h>

#include "proto/bson.h"
#include "proto/unpack.h"

/* Messages are put together in one buffer, which the turns point into. */
static char buf[256 * 1024];
static size_t used;

static void put(const void *p, size_t n)
{
	cr_assert_leq(used + n, sizeof(buf));
	memcpy(buf + used, p, n);
	used += n;
}

static void put32(uint32_t v)
{
	put(&v, sizeof(v));     /* the tests run on little-endian machines, as the protocol is */
}

static void patch32(size_t at, uint32_t v)
{
	memcpy(buf + at, &v, sizeof(v));
}

static size_t doc_begin(void)
{
	put32(0);
	return used - 4;
}

static void doc_end(size_t at)
{
	put("", 1);
	patch32(at, (uint32_t)(used - at));
}

static size_t doc_in(uint8_t type, const char *name)
{
	put(&type, 1);
	put(name, strlen(name) + 1);
	return doc_begin();
}

static void field_string(const char *name, const char *v)
{
	put("\2", 1);
	put(name, strlen(name) + 1);
	put32((uint32_t)strlen(v) + 1);
	put(v, strlen(v) + 1);
}

static void field_int(const char *name, int32_t v)
{
	put("\x10", 1);
	put(name, strlen(name) + 1);
	put32((uint32_t)v);
}

static void field_double(const char *name, double v)
{
	put("\1", 1);
	put(name, strlen(name) + 1);
	put(&v, sizeof(v));
}

static size_t head(uint32_t id, uint32_t to, uint32_t opcode)
{
	size_t at = used;

	put32(0);
	put32(id);
	put32(to);
	put32(opcode);
	return at;
}

/* OP_MSG with its body begun. */
static size_t msg_begin(uint32_t id, uint32_t to, uint32_t flags, size_t *doc)
{
	size_t at = head(id, to, 2013);

	put32(flags);
	put("", 1);
	*doc = doc_begin();
	return at;
}

static struct turn msg_end(enum proto_dir dir, size_t at, size_t doc)
{
	doc_end(doc);
	patch32(at, (uint32_t)(used - at));
	return (struct turn){dir, buf + at, used - at};
}

static struct turn command(uint32_t id, uint32_t flags, const char *name, const char *collection)
{
	size_t doc, at = msg_begin(id, 0, flags, &doc);

	if (collection)
		field_string(name, collection);
	else
		field_int(name, 1);
	field_string("$db", "shop");
	return msg_end(C, at, doc);
}

static struct turn answer_ok(uint32_t id, uint32_t to, uint32_t flags, int n)
{
	size_t doc, at = msg_begin(id, to, flags, &doc);

	if (n >= 0)
		field_int("n", n);
	field_double("ok", 1);
	return msg_end(S, at, doc);
}

static struct turn answer_error(uint32_t to, int code)
{
	size_t doc, at = msg_begin(900, to, 0, &doc);

	field_double("ok", 0);
	field_string("errmsg", "hunter2");
	field_int("code", code);
	return msg_end(S, at, doc);
}

/* A batch of n documents of so many bytes each. */
static struct turn answer_batch(uint32_t to, const char *name, unsigned n, size_t size)
{
	size_t doc, at = msg_begin(901, to, 0, &doc), cursor = doc_in(3, "cursor"), array = doc_in(4, name);
	static char value[4096];
	char key[16];

	memset(value, 'v', size);
	value[size] = '\0';
	for (unsigned i = 0; i < n; i++) {
		size_t d;

		snprintf(key, sizeof(key), "%u", i);
		d = doc_in(3, key);
		field_string("x", value);
		doc_end(d);
	}
	doc_end(array);
	field_string("ns", "shop.items");
	doc_end(cursor);
	field_double("ok", 1);
	return msg_end(S, at, doc);
}

Test(mongodb, commands)
{
	struct turn v[] = {
		command(1, 0, "hello", NULL), answer_ok(2, 1, 0, -1),
		command(3, 0, "find", "items"), answer_batch(3, "firstBatch", 3, 10),
		command(5, 0, "insert", "items"), answer_ok(6, 5, 0, 2),
		command(7, 0, "aggregate", "orders-2024-01-02"), answer_batch(7, "firstBatch", 0, 0),
		command(9, 0, "find", "items"), answer_error(9, 50),
		command(11, 0, "count", "items"), answer_error(11, 26),
		command(13, 0, "hunter2", NULL), answer_error(13, 59),
		command(15, 0, "ping", NULL), answer_ok(16, 15, 0, -1),
	};
	static char want[1024];
	static struct talk t;

	talk_init(&t, 27017, false);
	talk_play(&t, v, sizeof(v) / sizeof(*v), 0, 99, 0);
	talk_end(&t);
	cr_assert_not_null(strstr(t.log, "hello 0 ok - 0 "), "%s", t.log);
	cr_assert_not_null(strstr(t.log, "find items 0 ok - 3 "), "%s", t.log);
	cr_assert_not_null(strstr(t.log, "insert items 0 ok - 2 "), "%s", t.log);
	cr_assert_not_null(strstr(t.log, "aggregate orders-{id} 0 ok - 0 "), "%s", t.log);
	cr_assert_not_null(strstr(t.log, "find items 50 server_error MaxTimeMSExpired 0 "), "%s", t.log);
	cr_assert_not_null(strstr(t.log, "count items 26 client_error NamespaceNotFound 0 "), "%s", t.log);
	cr_assert_not_null(strstr(t.log, "(unknown command) 59 client_error CommandNotFound 0 "), "%s", t.log);
	cr_assert_null(strstr(t.log, "hunter2"), "%s", t.log);
	strcpy(want, t.log);
	TALK(27017, false, v, want);
	TALK(0, true, v, want);
	used = 0;
}

/* ok is 1, and yet nothing was written. */
Test(mongodb, write_errors)
{
	size_t doc, at, array, d;
	struct turn v[2] = {command(1, 0, "insert", "items")};
	static struct talk t;

	at = msg_begin(2, 1, 0, &doc);
	field_int("n", 0);
	array = doc_in(4, "writeErrors");
	d = doc_in(3, "0");
	field_int("index", 0);
	field_int("code", 11000);
	doc_end(d);
	doc_end(array);
	field_double("ok", 1);
	v[1] = msg_end(S, at, doc);
	talk_init(&t, 27017, false);
	talk_play(&t, v, 2, 0, 9, 0);
	talk_end(&t);
	cr_assert_not_null(strstr(t.log, "insert items 11000 client_error DuplicateKey 0 "), "%s", t.log);
	used = 0;
}

/* Documents in sections of their own, before the body or behind it; and getMore's collection is a field. */
Test(mongodb, sections)
{
	size_t at = head(1, 0, 2013), section, doc;
	struct turn v[4];
	static struct talk t;

	put32(0);
	put("\1", 1);
	section = doc_begin();
	put("documents", 10);
	doc_end(doc_begin());
	patch32(section, (uint32_t)(used - section));
	put("", 1);
	doc = doc_begin();
	field_string("insert", "items");
	v[0] = msg_end(C, at, doc);
	v[1] = answer_ok(2, 1, 0, 1);
	at = msg_begin(3, 0, 0, &doc);
	put("\x12getMore\0\1\2\3\4\5\6\7\x8", 17);
	field_string("collection", "items");
	v[2] = msg_end(C, at, doc);
	v[3] = answer_batch(3, "nextBatch", 101, 5);
	talk_init(&t, 27017, false);
	talk_play(&t, v, 4, 0, 9, 0);
	talk_end(&t);
	cr_assert_not_null(strstr(t.log, "insert items 0 ok - 1 "), "%s", t.log);
	cr_assert_not_null(strstr(t.log, "getMore items 0 ok - 101 "), "%s", t.log);
	used = 0;
}

/* A batch is counted document by document, and none of them is kept; a hole among them loses rows, not the reply. */
Test(mongodb, a_big_batch)
{
	struct turn ask = command(1, 0, "find", "items"), batch = answer_batch(1, "firstBatch", 40, 1500);
	static struct talk t;
	char want[128];

	snprintf(want, sizeof(want), "find items 0 ok - 40 %zu/%zu\n", ask.n, batch.n);
	for (size_t step = 1; step < 6000; step += 1234) {
		struct turn v[] = {ask, batch};

		talk_init(&t, 27017, false);
		talk_play(&t, v, 2, step, 9, 0);
		cr_assert_lt(t.pool.held_bytes, 8192, "%zu", t.pool.held_bytes);
		talk_end(&t);
		talk_expect(&t, want, "batch");
	}
	talk_init(&t, 27017, false);
	talk_say(&t, C, ask.p, ask.n);
	talk_cut(&t, S, batch.p, batch.n, 4000, 100);
	talk_say(&t, C, ask.p, ask.n);
	talk_say(&t, S, batch.p, batch.n);
	talk_end(&t);
	cr_assert_eq(t.pool.requests, 2, "%s", t.log);
	cr_assert_not_null(strstr(t.log, "find items 0 ok - 40 "), "%s", t.log);
	used = 0;
}

static size_t snappy_of(uint8_t *out, const uint8_t *p, size_t n)
{
	size_t at = 0;

	/* the length, one literal with the half of it, and the rest in a second one of two bytes of length */
	out[at++] = (uint8_t)(n | 0x80);
	out[at++] = (uint8_t)(n >> 7);
	out[at++] = 60 << 2;
	out[at++] = (uint8_t)(n - 1);
	memcpy(out + at, p, n);
	return at + n;
}

/* A message of `how`, from an OP_MSG. */
static struct turn packed(const struct turn *of, uint8_t how)
{
	static uint8_t out[8192];
	uLongf zn = sizeof(out);
	const uint8_t *body = (const uint8_t *)of->p + 16;
	size_t n = 0, at = used;
	uint32_t id, to;

	memcpy(&id, of->p + 4, 4);
	memcpy(&to, of->p + 8, 4);
	if (how == 1)
		n = snappy_of(out, body, of->n - 16);
	else if (how == 2 && compress(out, &zn, body, of->n - 16) == Z_OK)
		n = zn;
	else if (how == 3)
		n = ZSTD_compress(out, sizeof(out), body, of->n - 16, 3);
	head(id, to, 2012);
	put32(2013);
	put32((uint32_t)of->n - 16);
	put(&how, 1);
	put(out, n);
	patch32(at, (uint32_t)(used - at));
	return (struct turn){of->dir, buf + at, used - at};
}

Test(mongodb, compressed)
{
	for (uint8_t how = 1; how <= 3; how++) {
		struct turn a = command(1, 0, "find", "items"), b = answer_batch(1, "firstBatch", 4, 10), c = answer_error(1, 13);
		struct turn v[] = {packed(&a, how), packed(&b, how), packed(&a, how), packed(&c, how)};
		static struct talk t;
		char want[256];

		snprintf(want, sizeof(want), "find items 0 ok - 4 %zu/%zu\nfind items 13 client_error Unauthorized 0 %zu/%zu\n", v[0].n,
			 v[1].n, v[2].n, v[3].n);
		talk_init(&t, 27017, false);
		talk_play(&t, v, 4, 0, 9, 0);
		talk_end(&t);
		talk_expect(&t, want, "compressed");
		TALK(27017, false, v, want);
		used = 0;
	}
}

/* Gigabytes of zeros in a kilobyte: what is looked at is bounded. */
Test(mongodb, a_bomb)
{
	static uint8_t zeros[1 << 20], out[8192];
	uLongf n = sizeof(out);
	uint8_t some[256];

	cr_assert_eq(compress(out, &n, zeros, sizeof(zeros)), Z_OK);
	cr_assert_eq(unpack_zlib(some, sizeof(some), out, n), (ssize_t)sizeof(some));
	n = ZSTD_compress(out, sizeof(out), zeros, sizeof(zeros), 3);
	cr_assert_eq(unpack_zstd(some, sizeof(some), out, n), (ssize_t)sizeof(some));
	cr_assert_eq(unpack_snappy(some, sizeof(some), (const uint8_t *)"\xff\xff\xff\xff\x07\0x\xfe\1\0\xfe\1\0\xfe\1\0\xfe\1\0\xfe\1\0", 22),
		     (ssize_t)sizeof(some));
	cr_assert_eq(unpack_lz4(some, sizeof(some), (const uint8_t *)"\x1fx\1\0\xff\xff\xff", 7), 1);
	cr_assert_eq(unpack_lz4(some, sizeof(some), (const uint8_t *)"\x1fx\1\0\xff\xff\0", 7), (ssize_t)sizeof(some));
	cr_assert_eq(unpack_lz4(some, sizeof(some), (const uint8_t *)"\x10x\5\0", 4), -1);
}

static void note_latency(void *arg, struct flow *f, const struct request *r)
{
	strcat(arg, r->no_latency ? "w" : "-");
}

/* What asks for no reply is one-way; a hello that waits is no latency; what is streamed after it is no answer. */
Test(mongodb, waits_and_streams)
{
	size_t doc, at;
	char log[16] = "";
	struct turn v[7];
	static struct talk t;

	v[0] = command(1, 2, "insert", "items");
	at = msg_begin(3, 0, 1 << 16, &doc);
	field_int("hello", 1);
	field_int("maxAwaitTimeMS", 10000);
	v[1] = msg_end(C, at, doc);
	v[2] = answer_ok(4, 3, 2, -1);
	v[3] = answer_ok(5, 4, 2, -1);
	v[4] = answer_ok(6, 5, 0, -1);
	v[5] = command(7, 0, "ping", NULL);
	v[6] = answer_ok(8, 7, 0, -1);
	talk_init(&t, 27017, false);
	t.pool.on_request = note_latency;
	t.pool.arg = log;
	talk_play(&t, v, 7, 0, 99, 0);
	talk_end(&t);
	cr_assert_str_eq(log, "ww-");
	cr_assert_eq(t.pool.unpaired, 0);
	used = 0;
}

/* OP_QUERY and OP_REPLY: how every driver begins, and how those of old went on. */
Test(mongodb, legacy)
{
	size_t at = head(1, 0, 2004), doc;
	struct turn v[4];
	static struct talk t;

	put32(0);
	put("admin.$cmd", 11);
	put32(0);
	put32(UINT32_MAX);
	doc = doc_begin();
	field_int("isMaster", 1);
	v[0] = msg_end(C, at, doc);
	at = head(2, 1, 1);
	put("\x8\0\0\0" "\0\0\0\0\0\0\0\0" "\0\0\0\0" "\1\0\0\0", 20);
	doc = doc_begin();
	field_double("ok", 1);
	v[1] = msg_end(S, at, doc);
	at = head(3, 0, 2004);
	put32(0);
	put("shop.items", 11);
	put32(0);
	put32(0);
	doc = doc_begin();
	v[2] = msg_end(C, at, doc);
	at = head(4, 3, 1);
	put("\x8\0\0\0" "\0\0\0\0\0\0\0\0" "\0\0\0\0" "\2\0\0\0", 20);
	doc_end(doc_begin());
	doc = doc_begin();
	v[3] = msg_end(S, at, doc);
	talk_init(&t, 27017, false);
	talk_play(&t, v, 4, 0, 99, 0);
	talk_end(&t);
	cr_assert_not_null(strstr(t.log, "isMaster 0 ok - 1 "), "%s", t.log);
	cr_assert_not_null(strstr(t.log, "find items 0 ok - 2 "), "%s", t.log);
	used = 0;
}

/* A lost segment of a reply: those behind it are paired by their ids. */
Test(mongodb, a_lost_reply)
{
	struct turn ask = command(1, 0, "find", "items"), again = command(3, 0, "find", "items"), reply = answer_ok(4, 3, 0, 1);
	static struct talk t;

	talk_init(&t, 27017, false);
	talk_say(&t, C, again.p, again.n);
	talk_say(&t, S, reply.p, reply.n);
	talk_say(&t, C, ask.p, ask.n);
	t.seq[S] += 60;
	t.ts += 2000000000ull;
	talk_say(&t, C, again.p, again.n);
	talk_say(&t, S, reply.p, reply.n);
	t.ts += 2000000000ull;
	talk_say(&t, C, ask.p, ask.n);
	talk_end(&t);
	cr_assert_not_null(strstr(t.log, "find items 0 ok - 1 "), "%s", t.log);
	cr_assert_eq(t.pool.lost_requests, 1, "%s%lu", t.log, t.pool.lost_requests);
	used = 0;
}

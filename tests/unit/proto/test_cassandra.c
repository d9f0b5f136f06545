/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

/* version, stream, opcode, the length's last byte */
#define ASK(v, stream, op, len) v "\0\0" stream op "\0\0\0" len
#define SAY(v, stream, op, len) v "\0\0" stream op "\0\0\0" len
#define STARTUP(v) ASK(v, "\0", "\1", "\x16") "\0\1\0\x0b" "CQL_VERSION\0\5" "3.0.0"
#define READY(v) SAY(v, "\0", "\2", "\0")
#define QUERY(v, stream) ASK(v, stream, "\7", "\x2f") "\0\0\0\x28SELECT name FROM users WHERE id = 123456\0\1\0"
/* rows, the metadata left out: 2 columns, 3 rows */
#define ROWS(v, stream) SAY(v, stream, "\x8", "\x10") "\0\0\0\2" "\0\0\0\4" "\0\0\0\2" "\0\0\0\3"
#define SELECT "SELECT name FROM users WHERE id = ?"

Test(cassandra, queries)
{
	static const struct turn v[] = {
		T(C, ASK("\4", "\0", "\5", "\0")), T(S, SAY("\x84", "\0", "\6", "\x18") "\0\1\0\xb" "COMPRESSION\0\1\0\5snapp"),
		T(C, STARTUP("\4")), T(S, READY("\x84")),
		T(C, QUERY("\4", "\1") QUERY("\4", "\2")), T(S, SAY("\x84", "\2", "\x8", "\4") "\0\0\0\1"), T(S, ROWS("\x84", "\1")),
		T(S, SAY("\x84", "\xff", "\xc", "\4") "\0\2UP"),
		T(C, QUERY("\4", "\3")), T(S, SAY("\x84", "\3", "\0", "\xc") "\0\0\x12\0" "\0\6secret"),
		T(C, QUERY("\4", "\4")), T(S, SAY("\x84", "\4", "\0", "\6") "\0\0\x20\0" "\0\0"),
		T(C, QUERY("\4", "\4")), T(S, SAY("\x84", "\4", "\0", "\6") "\0\0\x10\1" "\0\0"),
	};
	static const char want[] = "OPTIONS 0 ok - 0 9/33\nSTARTUP 0 ok - 0 31/9\n" SELECT " 0 ok - 0 56/13\n" SELECT " 0 ok - 3 56/25\n"
				   SELECT " 4608 server_error ReadTimeout 0 56/21\n" SELECT " 8192 client_error SyntaxError 0 56/15\n"
				   SELECT " 4097 server_error Overloaded 0 56/15\n";

	TALK(9042, false, v, want);
	TALK(0, true, v, want);
}

/* Columns with names and types before the rows are counted. */
Test(cassandra, metadata)
{
	static const struct turn v[] = {
		T(C, QUERY("\4", "\1")),
		T(S, SAY("\x84", "\1", "\x8", "\x3d") "\0\0\0\2" "\0\0\0\1" "\0\0\0\2" "\0\4shop\0\5users"
		  "\0\2id\0\x0c" "\0\4tags\0\x21\0\x0d\0\x31\0\2\0\x09\0\x0d" "\0\0\0\2" "12345678"),
	};
	static struct talk t;

	talk_init(&t, 9042, false);
	talk_play(&t, v, 2, 0, 9, 0);
	talk_end(&t);
	talk_expect(&t, SELECT " 0 ok - 2 56/70\n", "metadata");
}

#define INSERT "INSERT INTO users (id, name) VALUES (?, ?)"
#define INSERTED "INSERT INTO users (id, name) VALUES (?)"
#define ID16 "0123456789abcdef"

/* What was prepared is known by its id. */
Test(cassandra, prepared)
{
	static const struct turn v[] = {
		T(C, ASK("\4", "\1", "\x9", "\x2e") "\0\0\0\x2a" INSERT),
		T(S, SAY("\x84", "\1", "\x8", "\x1a") "\0\0\0\4" "\0\x10" ID16 "\0\0\0\0"),
		T(C, ASK("\4", "\2", "\xa", "\x15") "\0\x10" ID16 "\0\1\0"), T(S, SAY("\x84", "\2", "\x8", "\4") "\0\0\0\1"),
		T(C, ASK("\4", "\3", "\xa", "\x15") "\0\x10" "another id here." "\0\1\0"),
		T(S, SAY("\x84", "\3", "\0", "\6") "\0\0\x25\0" "\0\0"),
		T(C, ASK("\4", "\4", "\xd", "\x1b") "\0\0\2\1\0\x10" ID16 "\0\0" "\0\1\0"), T(S, SAY("\x84", "\4", "\x8", "\4") "\0\0\0\1"),
	};

	TALK(9042, false, v, "PREPARE " INSERTED " 0 ok - 0 55/35\n" INSERTED " 0 ok - 0 30/13\n"
			     "(prepared statement) 9472 ok Unprepared 0 30/15\nBATCH " INSERTED " 0 ok - 0 36/13\n");
}

static uint32_t crc24(const uint8_t *p, size_t n)
{
	uint32_t crc = 0x875060;

	for (; n; n--, p++) {
		crc ^= (uint32_t)*p << 16;
		for (int i = 0; i < 8; i++) {
			crc <<= 1;
			if (crc & 0x1000000)
				crc ^= 0x1974f0b;
		}
	}
	return crc & 0xffffff;
}

/* A frame of version 5 around n bytes, with lz4's header or without; how long it is. */
static size_t frame(char *out, const char *p, size_t n, bool lz4, size_t unpacked)
{
	uint64_t bits = lz4 ? n | (uint64_t)unpacked << 17 | 1ull << 34 : n | 1 << 17;
	size_t head = lz4 ? 5 : 3;
	uint32_t crc;

	for (size_t i = 0; i < head; i++)
		out[i] = (char)(bits >> 8 * i);
	crc = crc24((const uint8_t *)out, head);
	for (size_t i = 0; i < 3; i++)
		out[head + i] = (char)(crc >> 8 * i);
	memcpy(out + head + 3, p, n);
	memset(out + head + 3 + n, 0x55, 4);
	return head + 3 + n + 4;
}

#define BYTES(text) text, sizeof(text) - 1

/* Frames with checksums; several messages in one, and one message in several. */
Test(cassandra, frames)
{
	static char ask[512], say[512], half[512], rest[512];
	static const char long_reply[] = SAY("\x85", "\3", "\x8", "\x2c") "\0\0\0\2" "\0\0\0\4" "\0\0\0\1" "\0\0\0\2"
					 "0123456789012345678901234567";
	struct turn v[] = {
		T(C, STARTUP("\5")), T(S, READY("\x85")),
		{C, ask, frame(ask, BYTES(QUERY("\5", "\1") QUERY("\5", "\2")), false, 0)},
		{S, say, frame(say, BYTES(ROWS("\x85", "\1") ROWS("\x85", "\2")), false, 0)},
		{C, ask, frame(ask, BYTES(QUERY("\5", "\1") QUERY("\5", "\2")), false, 0)},
		{S, half, frame(half, BYTES(ROWS("\x85", "\2")), false, 0)},
		{S, rest, frame(rest, BYTES(ROWS("\x85", "\1")), false, 0)},
	};
	static char parts[512];
	static struct talk t;
	size_t n;

	TALK(9042, false, v, "STARTUP 0 ok - 0 31/9\n" SELECT " 0 ok - 3 56/25\n" SELECT " 0 ok - 3 56/25\n" SELECT " 0 ok - 3 56/25\n" SELECT
			     " 0 ok - 3 56/25\n");
	TALK(0, true, v, "STARTUP 0 ok - 0 31/9\n" SELECT " 0 ok - 3 56/25\n" SELECT " 0 ok - 3 56/25\n" SELECT " 0 ok - 3 56/25\n" SELECT
			 " 0 ok - 3 56/25\n");
	talk_init(&t, 9042, false);
	talk_play(&t, v, 2, 0, 9, 0);
	n = frame(ask, BYTES(QUERY("\5", "\3")), false, 0);
	talk_say(&t, C, ask, n);
	n = frame(parts, long_reply, 30, false, 0);
	n += frame(parts + n, long_reply + 30, sizeof(long_reply) - 31, false, 0);
	talk_say(&t, S, parts, n);
	talk_end(&t);
	talk_expect(&t, "STARTUP 0 ok - 0 31/9\n" SELECT " 0 ok - 2 56/53\n", "parts");
}

/* One literal of LZ4. */
static size_t lz4_of(char *out, const char *p, size_t n)
{
	out[0] = (char)0xf0;
	out[1] = (char)(n - 15);
	memcpy(out + 2, p, n);
	return n + 2;
}

#define STARTUP_LZ4(v) ASK(v, "\0", "\1", "\x28") "\0\2\0\x0b" "CQL_VERSION\0\5" "3.0.0\0\xb" "COMPRESSION\0\3lz4"

Test(cassandra, compressed)
{
	static char ask[512], say[512], packed[512], old_ask[512], old_say[512];
	size_t n = lz4_of(packed, BYTES(QUERY("\5", "\1") QUERY("\5", "\2"))), m;
	struct turn v[4] = {T(C, STARTUP_LZ4("\5")), T(S, READY("\x85"))};
	static const char query[] = QUERY("\4", "\1"), rows[] = ROWS("\x84", "\1");

	v[2] = (struct turn){C, ask, frame(ask, packed, n, true, 112)};
	n = frame(say, BYTES(ROWS("\x85", "\1")), true, 0);
	m = lz4_of(packed, BYTES(ROWS("\x85", "\2")));
	v[3] = (struct turn){S, say, n + frame(say + n, packed, m, true, 25)};
	TALK(9042, false, v, "STARTUP 0 ok - 0 49/9\n" SELECT " 0 ok - 3 56/25\n" SELECT " 0 ok - 3 56/25\n");
	/* version 4: the content of a message, with its length in front */
	v[0] = (struct turn)T(C, STARTUP_LZ4("\4"));
	v[1] = (struct turn)T(S, READY("\x84"));
	memcpy(old_ask, query, 9);
	old_ask[1] = 1;
	n = lz4_of(old_ask + 13, query + 9, sizeof(query) - 10);
	old_ask[8] = (char)(n + 4);
	v[2] = (struct turn){C, old_ask, n + 13};
	memcpy(old_say, rows, 9);
	old_say[1] = 1;
	n = lz4_of(old_say + 13, rows + 9, sizeof(rows) - 10);
	old_say[8] = (char)(n + 4);
	v[3] = (struct turn){S, old_say, n + 13};
	TALK(9042, false, v, "STARTUP 0 ok - 0 49/9\n" SELECT " 0 ok - 3 62/31\n");
}

Test(cassandra, a_lost_segment)
{
	static const struct turn v[] = {T(C, QUERY("\4", "\1")), T(S, ROWS("\x84", "\1"))};
	static const char second[] = QUERY("\4", "\2"), answer[] = ROWS("\x84", "\2");
	static struct talk t;

	talk_init(&t, 9042, false);
	talk_play(&t, v, 2, 0, 9, 0);
	talk_say(&t, C, v[0].p, v[0].n);
	t.seq[S] += 25;
	t.ts += 2000000000ull;
	talk_say(&t, C, second, sizeof(second) - 1);
	talk_say(&t, S, answer, sizeof(answer) - 1);
	t.ts += 2000000000ull;
	talk_say(&t, C, v[0].p, v[0].n);
	talk_end(&t);
	cr_assert_eq(t.pool.lost_requests, 1);
	talk_expect(&t, SELECT " 0 ok - 3 56/25\n" SELECT " 0 ok - 3 56/25\n" SELECT " 0 aborted - 0 56/0\n", "hole");
}

/* Values of CQL that SQL does not have. */
Test(cassandra, literals)
{
#define CQL "SELECT a FROM t WHERE id = 5132b130-ae79-11e4-ab27-0800200c9a66 AND b = 0xcafe AND c = {'x': 1} AND d = [1, 2]"
	static const struct turn v[] = {T(C, ASK("\4", "\1", "\7", "\x74") "\0\0\0\x6d" CQL "\0\1\0"), T(S, ROWS("\x84", "\1"))};
	static struct talk t;

	talk_init(&t, 9042, false);
	talk_play(&t, v, 2, 0, 9, 0);
	talk_end(&t);
	cr_assert_null(strstr(t.log, "cafe"), "%s", t.log);
	cr_assert_null(strstr(t.log, "5132"), "%s", t.log);
	cr_assert_null(strstr(t.log, "c9a66"), "%s", t.log);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Conversations written from the description of the protocol, revision 54460. */
#include "talk.h"

Test(clickhouse, plain)
{
	static const struct turn v[] = {
		T(C, "\0\x11""ClickHouse client\x17\x8\xbc\xa9\x3\0\x7""default\x6secret"),
		T(S, "\0\xa""ClickHouse\x17\x8\xbc\xa9\x3\x3UTC\x4host\x3"),
		T(C, "\0\x1\0\x1\0\0\x6[::]:0\0\0\0\0\0\0\0\0\x1\x2me\x3""box\x11""ClickHouse client\x17\x8"
		     "\xbc\xa9\x3\0\0\x3\0\0\0\0\xbmax_threads\0\x1""4\0\0\x2\0\x1dSELECT * FROM t WHERE id = "
		     "42\0\x2\0\x1\0\x2\xff\xff\xff\xff\0\0\0"),
		T(S, "\x1\0\x1\0\x2\xff\xff\xff\xff\0\x7\0\x1""a\x6UInt64\0\x1""b\x6String\0\x1""c\x1eNullable"
		     "(DateTime64(3, 'UTC'))\0\x1""d\x17""Array(Nullable(String))\0\x1""e\x16LowCardinality(St"
		     "ring)\0\x1""f\xe""FixedString(5)\0\x1g\xe""Decimal(18, 4)\0\x1\0\x1\0\x2\xff\xff\xff\xff"
		     "\0\x7\x3\x1""a\x6UInt64\0888888888888888888888888\x1""b\x6String\0\x1x\x2yy\0\x1""c\x1eN"
		     "ullable(DateTime64(3, 'UTC'))\0\0\x1\0888888888888888888888888\x1""d\x17""Array(Nullable"
		     "(String))\0\x1\0\0\0\0\0\0\0\x1\0\0\0\0\0\0\0\x3\0\0\0\0\0\0\0\0\0\x1\x1q\x1w\0\x1""e"
		     "\x16LowCardinality(String)\0\x1\0\0\0\0\0\0\0\0\x6\0\0\0\0\0\0\x2\0\0\0\0\0\0\0\0\x3""ab"
		     "c\x3\0\0\0\0\0\0\0\x1\x1\0\x1""f\xe""FixedString(5)\0abcdeabcdeabcde\x1g\xe""Decimal(18,"
		     " 4)\0888888888888888888888888\x3\x1\x8\0\0\0d\x6\x3\x1\x8\0\0\0\xe\0\x1\0\x2\xff\xff\xff"
		     "\xff\0\x4\x1\x4host\x6String\0\x1h\x1t\x8""DateTime\0""1234\x4type#Enum8('increment' = 1"
		     ", 'gauge' = 2)\0\x1\x5value\x5Int64\0""12345678\x1\0\x1\0\x2\xff\xff\xff\xff\0\0\0\x5"),
		T(C, "\x4"),
		T(S, "\x4"),
		T(C, "\x1\0\x1\0\0\x6[::]:0\0\0\0\0\0\0\0\0\x1\x2me\x3""box\x11""ClickHouse client\x17\x8\xbc"
		     "\xa9\x3\0\0\x3\0\0\0\0\xbmax_threads\0\x1""4\0\0\x2\0\x8SELECT 1\0\x2\0\x1\0\x2\xff\xff"
		     "\xff\xff\0\0\0"),
		T(S, "\x3\x1\x8\0\0\0d\x2<\0\0\0\xd""DB::Exception\x11""DB::Exception: no\0\0"),
		T(C, "\x1\0\x1\0\0\x6[::]:0\0\0\0\0\0\0\0\0\x1\x2me\x3""box\x11""ClickHouse client\x17\x8\xbc"
		     "\xa9\x3\0\0\x3\0\0\0\0\xbmax_threads\0\x1""4\0\0\x2\0\x8SELECT 2\0\x2\0\x1\0\x2\xff\xff"
		     "\xff\xff\0\0\0"),
		T(S, "\x2\xf1\0\0\0\xd""DB::Exception\x11""DB::Exception: no\0\0"),
		T(C, "\x1\0\x1\0\0\x6[::]:0\0\0\0\0\0\0\0\0\x1\x2me\x3""box\x11""ClickHouse client\x17\x8\xbc"
		     "\xa9\x3\0\0\x3\0\0\0\0\xbmax_threads\0\x1""4\0\0\x2\0\x18INSERT INTO t (a) VALUES\0\x2\0"
		     "\x1\0\x2\xff\xff\xff\xff\0\0\0"),
		T(S, "\xb\0\x7""columns\x1\0\x1\0\x2\xff\xff\xff\xff\0\x1\0\x1""a\x6UInt64\0"),
		T(C, "\x2\0\x1\0\x2\xff\xff\xff\xff\0\x1\x2\x1""a\x6UInt64\08888888888888888\x2\0\x1\0\x2\xff"
		     "\xff\xff\xff\0\0\0"),
		T(S, "\x3\0\x8\0\x2\0d\x5"),
	};

	TALK(9000, false, v, "SELECT * FROM t WHERE id = ? 0 ok - 3 120/612\nPING 0 ok - 0 1/1\n"
			     "SELECT ? 60 client_error UNKNOWN_TABLE 0 99/46\nSELECT ? 241 server_error MEMORY_LIMIT_EXCEEDED 0 99/39\n"
			     "INSERT INTO t (a) VALUES 0 ok - 2 165/40\n");
}

/* Revision 54412: settings are binary, progress has no rows written. */
Test(clickhouse, an_old_revision)
{
	static const struct turn v[] = {
		T(C, "\0\x11""ClickHouse client\x12\x10\x8c\xa9\x3\0\x7""default\x6secret"),
		T(S, "\0\xa""ClickHouse\x12\x10\x8c\xa9\x3\x3UTC\x4host\x1"),
		T(C, "\x1\0\x1\0\0\x6[::]:0\x1\x2me\x3""box\x11""ClickHouse client\x12\x10\x8c\xa9\x3\0\x1\xbmax_threads\x4"
		     "\x6readon\0\0\x2\0\x1dSELECT * FROM t WHERE id = 42\x2\0\x1\0\x2\xff\xff\xff\xff\0\0\0"),
		T(S, "\x1\0\x1\0\x2\xff\xff\xff\xff\0\x1\x1\x1""a\x5UInt8\x7\x3\x1\x8\0\x6\x1\x1\x8\0\0\0\x5"),
	};

	TALK(9000, false, v, "SELECT * FROM t WHERE id = ? 0 ok - 1 111/33\n");
}

Test(clickhouse, compressed)
{
	static const struct turn v[] = {
		T(C, "\0\x11""ClickHouse client\x17\x8\xbc\xa9\x3\0\x7""default\x6secret"),
		T(S, "\0\xa""ClickHouse\x17\x8\xbc\xa9\x3\x3UTC\x4host\x3"),
		T(C, "\0"),
		T(C, "\x1\0\x1\0\0\x6[::]:0\0\0\0\0\0\0\0\0\x1\x2me\x3""box\x11""ClickHouse client\x17\x8\xbc"
		     "\xa9\x3\0\0\x3\0\0\0\0\xbmax_threads\0\x1""4\0\0\x2\x1\xfSELECT a FROM t\0\x2\0defghijkl"
		     "mnopqrs\x82\x13\0\0\0\x14\0\0\0zzzzzzzzzz"),
		T(S, "\x1\0defghijklmnopqrs\x82'\0\0\0(\0\0\0zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\x1\0defghijklmnopq"
		     "rs\x82""5\x1\0\0\0\0\x10\0zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
		     "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
		     "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
		     "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzdefghijklmnopqrs\x82""1\0"
		     "\0\0\x88\x13\0\0zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\x6\x7\x1\x8\0\0\0\xe\0\x1\0\x2"
		     "\xff\xff\xff\xff\0\x4\x1\x4host\x6String\0\x1h\x1t\x8""DateTime\0""1234\x4type#Enum8('in"
		     "crement' = 1, 'gauge' = 2)\0\x1\x5value\x5Int64\0""12345678\x1\0defghijklmnopqrs\x82\x13"
		     "\0\0\0\xb\0\0\0zzzzzzzzzz\x5"),
		T(C, "\x1\0\x1\0\0\x6[::]:0\0\0\0\0\0\0\0\0\x1\x2me\x3""box\x11""ClickHouse client\x17\x8\xbc"
		     "\xa9\x3\0\0\x3\0\0\0\0\xbmax_threads\0\x1""4\0\0\x2\x1\xfSELECT b FROM t\0\x2\0defghijkl"
		     "mnopqrs\x82\x13\0\0\0\x14\0\0\0zzzzzzzzzz"),
		T(S, "\x1\0defghijklmnopqrs\x82'\0\0\0(\0\0\0zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\x6\x1\x1\x8\0\0\0"
		     "\x5"),
	};

	TALK(9000, false, v, "SELECT a FROM t 0 ok - 7 131/601\nSELECT b FROM t 0 ok - 1 131/65\n");
}

Test(clickhouse, a_hello_that_is_refused)
{
	static const struct turn v[] = {
		T(C, "\0\x11""ClickHouse client\x17\x8\xbc\xa9\x3\0\x7""default\x6secret"),
		T(S, "\x2\x4\x2\0\0\xd""DB::Exception\x11""DB::Exception: no\0\0"),
	};

	TALK(9000, false, v, "CONNECT 516 client_error AUTHENTICATION_FAILED 0 40/39\n");
}

/* The answer ends with the last byte before the next question. */
Test(clickhouse, a_type_that_is_not_known)
{
	static const struct turn v[] = {
		T(C, "\0\x11""ClickHouse client\x17\x8\xbc\xa9\x3\0\x7""default\x6secret"),
		T(S, "\0\xa""ClickHouse\x17\x8\xbc\xa9\x3\x3UTC\x4host\x3"),
		T(C, "\0"),
		T(C, "\x1\0\x1\0\0\x6[::]:0\0\0\0\0\0\0\0\0\x1\x2me\x3""box\x11""ClickHouse client\x17\x8\xbc"
		     "\xa9\x3\0\0\x3\0\0\0\0\xbmax_threads\0\x1""4\0\0\x2\0\xfSELECT m FROM t\0\x2\0\x1\0\x2"
		     "\xff\xff\xff\xff\0\0\0"),
		T(S, "\x1\0\x1\0\x2\xff\xff\xff\xff\0\x1\x1\x1m\x13Map(String, String)\0\x1\0\0\0\0\0\0\0\x1k"
		     "\x1v\x6\x1\x1\x8\0\0\0\x5"),
		T(C, "\x1\0\x1\0\0\x6[::]:0\0\0\0\0\0\0\0\0\x1\x2me\x3""box\x11""ClickHouse client\x17\x8\xbc"
		     "\xa9\x3\0\0\x3\0\0\0\0\xbmax_threads\0\x1""4\0\0\x2\0\xfSELECT a FROM t\0\x2\0\x1\0\x2"
		     "\xff\xff\xff\xff\0\0\0"),
		T(S, "\x1\0\x1\0\x2\xff\xff\xff\xff\0\x1\x1\x1""a\x6UInt64\088888888\x6\x1\x1\x8\0\0\0\x5"),
	};

	TALK(9000, false, v, "SELECT m FROM t 0 ok - 0 106/55\nSELECT a FROM t 0 ok - 1 106/38\n");
}

Test(clickhouse, cancel)
{
	static const struct turn v[] = {
		T(C, "\0\x11""ClickHouse client\x17\x8\xbc\xa9\x3\0\x7""default\x6secret"),
		T(S, "\0\xa""ClickHouse\x17\x8\xbc\xa9\x3\x3UTC\x4host\x3"),
		T(C, "\0"),
		T(C, "\x1\0\x1\0\0\x6[::]:0\0\0\0\0\0\0\0\0\x1\x2me\x3""box\x11""ClickHouse client\x17\x8\xbc"
		     "\xa9\x3\0\0\x3\0\0\0\0\xbmax_threads\0\x1""4\0\0\x2\0\xfSELECT sleep(3)\0\x2\0\x1\0\x2"
		     "\xff\xff\xff\xff\0\0\0"),
		T(C, "\x3"),
		T(S, "\x1\0\x1\0\x2\xff\xff\xff\xff\0\x1\0\x1""a\x6UInt64\0\x5"),
	};

	TALK(9000, false, v, "CANCEL 0 ok - 0 1/0\nSELECT sleep(?) 0 ok - 0 106/23\n");
}

Test(clickhouse, joined_in_the_middle)
{
	static const struct turn v[] = {
		T(C, "\0\x11""ClickHouse client\x17\x8\xbc\xa9\x3\0\x7""default\x6secret"),
		T(S, "\0\xa""ClickHouse\x17\x8\xbc\xa9\x3\x3UTC\x4host\x3"),
		T(C, "\0\x1\0\x1\0\0\x6[::]:0\0\0\0\0\0\0\0\0\x1\x2me\x3""box\x11""ClickHouse client\x17\x8"
		     "\xbc\xa9\x3\0\0\x3\0\0\0\0\xbmax_threads\0\x1""4\0\0\x2\0\x1dSELECT * FROM t WHERE id = "
		     "42\0\x2\0\x1\0\x2\xff\xff\xff\xff\0\0\0"),
		T(S, "\x1\0\x1\0\x2\xff\xff\xff\xff\0\x7\0\x1""a\x6UInt64\0\x1""b\x6String\0\x1""c\x1eNullable"
		     "(DateTime64(3, 'UTC'))\0\x1""d\x17""Array(Nullable(String))\0\x1""e\x16LowCardinality(St"
		     "ring)\0\x1""f\xe""FixedString(5)\0\x1g\xe""Decimal(18, 4)\0\x1\0\x1\0\x2\xff\xff\xff\xff"
		     "\0\x7\x3\x1""a\x6UInt64\0888888888888888888888888\x1""b\x6String\0\x1x\x2yy\0\x1""c\x1eN"
		     "ullable(DateTime64(3, 'UTC'))\0\0\x1\0888888888888888888888888\x1""d\x17""Array(Nullable"
		     "(String))\0\x1\0\0\0\0\0\0\0\x1\0\0\0\0\0\0\0\x3\0\0\0\0\0\0\0\0\0\x1\x1q\x1w\0\x1""e"
		     "\x16LowCardinality(String)\0\x1\0\0\0\0\0\0\0\0\x6\0\0\0\0\0\0\x2\0\0\0\0\0\0\0\0\x3""ab"
		     "c\x3\0\0\0\0\0\0\0\x1\x1\0\x1""f\xe""FixedString(5)\0abcdeabcdeabcde\x1g\xe""Decimal(18,"
		     " 4)\0888888888888888888888888\x3\x1\x8\0\0\0d\x6\x3\x1\x8\0\0\0\xe\0\x1\0\x2\xff\xff\xff"
		     "\xff\0\x4\x1\x4host\x6String\0\x1h\x1t\x8""DateTime\0""1234\x4type#Enum8('increment' = 1"
		     ", 'gauge' = 2)\0\x1\x5value\x5Int64\0""12345678\x1\0\x1\0\x2\xff\xff\xff\xff\0\0\0\x5"),
		T(C, "\x4"),
		T(S, "\x4"),
		T(C, "\x1\0\x1\0\0\x6[::]:0\0\0\0\0\0\0\0\0\x1\x2me\x3""box\x11""ClickHouse client\x17\x8\xbc"
		     "\xa9\x3\0\0\x3\0\0\0\0\xbmax_threads\0\x1""4\0\0\x2\0\x8SELECT 1\0\x2\0\x1\0\x2\xff\xff"
		     "\xff\xff\0\0\0"),
		T(S, "\x3\x1\x8\0\0\0d\x2<\0\0\0\xd""DB::Exception\x11""DB::Exception: no\0\0"),
		T(C, "\x1\0\x1\0\0\x6[::]:0\0\0\0\0\0\0\0\0\x1\x2me\x3""box\x11""ClickHouse client\x17\x8\xbc"
		     "\xa9\x3\0\0\x3\0\0\0\0\xbmax_threads\0\x1""4\0\0\x2\0\x8SELECT 2\0\x2\0\x1\0\x2\xff\xff"
		     "\xff\xff\0\0\0"),
		T(S, "\x2\xf1\0\0\0\xd""DB::Exception\x11""DB::Exception: no\0\0"),
		T(C, "\x1\0\x1\0\0\x6[::]:0\0\0\0\0\0\0\0\0\x1\x2me\x3""box\x11""ClickHouse client\x17\x8\xbc"
		     "\xa9\x3\0\0\x3\0\0\0\0\xbmax_threads\0\x1""4\0\0\x2\0\x18INSERT INTO t (a) VALUES\0\x2\0"
		     "\x1\0\x2\xff\xff\xff\xff\0\0\0"),
		T(S, "\xb\0\x7""columns\x1\0\x1\0\x2\xff\xff\xff\xff\0\x1\0\x1""a\x6UInt64\0"),
		T(C, "\x2\0\x1\0\x2\xff\xff\xff\xff\0\x1\x2\x1""a\x6UInt64\08888888888888888\x2\0\x1\0\x2\xff"
		     "\xff\xff\xff\0\0\0"),
		T(S, "\x3\0\x8\0\x2\0d\x5"),
	};
	static struct talk t;

	talk_init(&t, 9000, true);
	talk_play(&t, v + 6, 4, 0, 9, 0);
	talk_end(&t);
	talk_expect(&t, "SELECT ? 60 client_error UNKNOWN_TABLE 0 99/46\nSELECT ? 241 server_error MEMORY_LIMIT_EXCEEDED 0 99/39\n", "joined");
}

Test(clickhouse, hostile)
{
	static const struct turn v[] = {
		T(C, "\0\5hello\1\1\xbc\xa9\3\0\0\0"), T(S, "\0\nClickHouse\1\1\xbc\xa9\3"), T(C, "\0" "\4"),
		T(S, "\1\0\1\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), T(C, "\4"), T(S, "\4"),
	};
	static struct talk t;

	talk_init(&t, 9000, false);
	talk_play(&t, v, sizeof(v) / sizeof(*v), 1, 99, 0);
	talk_end(&t);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Conversations written from [MS-TDS]. */
#include "talk.h"

#define BATCH "\1\1\0\x2e\0\0\1\0\x16\0\0\0\x12\0\0\0\2\0\0\0\0\0\0\0\0\0\1\0\0\0S\0E\0L\0E\0C\0T\0 \0001\0"
#define DONE(rows) "\xfd\x10\0\xc1\0" rows "\0\0\0\0\0\0\0"

Test(tds, batches)
{
	static const struct turn v[] = {
		T(C, "\x12\x1\0\x1a\0\0\x1\0\0\0\xb\0\x6\x1\0\x11\0\x1\xff\xf\0\x7\xd0\0\0\x2"),
		T(S, "\x4\x1\0\x1a\0\0\x1\0\0\0\xb\0\x6\x1\0\x11\0\x1\xff\xf\0\x7\xd0\0\0\x2"),
		T(C, "\x10\x1\0f\0\0\x1\0^\0\0\0\x4\0\0t\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		T(S, "\x4\x1\0*\0\0\x1\0\xe3\x5\0\x4\x1""8\0\0\xad\xa\0\x1t\0\0\x4\0\xf\0\x10\0\xfd\0\0\0\0\0"
		     "\0\0\0\0\0\0\0"),
		T(C, "\x1\x1\0X\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0S\0E\0L\0E\0C\0T\0 "
		     "\0a\0 \0F\0R\0O\0M\0 \0t\0 \0W\0H\0E\0R\0E\0 \0i\0d\0 \0=\0 \0""4\0""2\0"),
		T(S, "\x4\x1\0,\0\0\x1\0\x81\x1\0\0\0\0\0\0\08\x1""a\0\xd1\x7\0\0\0\xd1\x7\0\0\0\xfd\x10\0\xc1"
		     "\0\x2\0\0\0\0\0\0\0"),
		T(C, "\x1\x1\0d\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0U\0P\0D\0A\0T\0E\0 "
		     "\0t\0 \0S\0E\0T\0 \0a\0 \0=\0 \0""1\0;\0 \0S\0E\0L\0E\0C\0T\0 \0a\0 \0F\0R\0O\0M\0 \0t\0"),
		T(S, "\x4\x1\0""4\0\0\x1\0\xfd\x11\0\xc5\0\x3\0\0\0\0\0\0\0\x81\x1\0\0\0\0\0\0\08\x1""a\0\xd1"
		     "\x7\0\0\0\xfd\x10\0\xc1\0\x1\0\0\0\0\0\0\0"),
		T(C, "\x1\x1\0B\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0S\0E\0L\0E\0C\0T\0 "
		     "\0*\0 \0F\0R\0O\0M\0 \0n\0o\0p\0e\0"),
		T(S, "\x4\x1\0,\0\0\x1\0\xaa\x14\0\xd0\0\0\0\x1\x10\x2\0n\0o\0\x1s\0\0\x1\0\0\0\xfd\x2\0\0\0\0"
		     "\0\0\0\0\0\0\0"),
		T(C, "\x1\x1\0.\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0S\0E\0L\0E\0C\0T\0 "
		     "\0""1\0"),
		T(S, "\x4\x1\0,\0\0\x1\0\xaa\x14\0\xb5\x4\0\0\x1\xd\x2\0n\0o\0\x1s\0\0\x1\0\0\0\xfd\x2\0\0\0\0"
		     "\0\0\0\0\0\0\0"),
		T(C, "\xe\x1\0\"\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0\x7\0\0\0"),
		T(S, "\x4\x1\0\x1d\0\0\x1\0\xe3\x5\0\x4\x1""8\0\0\xfd\0\0\xd5\0\0\0\0\0\0\0\0\0"),
	};

	TALK(1433, false, v, "SELECT a FROM t WHERE id = ? 0 ok - 2 88/44\nUPDATE t SET a = ?; SELECT a FROM t 0 ok - 1 100/52\n"
			     "SELECT * FROM nope 208 client_error invalid object 0 66/44\nSELECT ? 1205 server_error deadlock 0 46/44\n"
			     "COMMIT TRANSACTION 0 ok - 0 34/29\n");
}

Test(tds, procedures)
{
	static const struct turn v[] = {
		T(C, "\x12\x1\0\x1a\0\0\x1\0\0\0\xb\0\x6\x1\0\x11\0\x1\xff\xf\0\x7\xd0\0\0\x2"),
		T(S, "\x4\x1\0\x1a\0\0\x1\0\0\0\xb\0\x6\x1\0\x11\0\x1\xff\xf\0\x7\xd0\0\0\x2"),
		T(C, "\x10\x1\0f\0\0\x1\0^\0\0\0\x4\0\0t\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		T(S, "\x4\x1\0*\0\0\x1\0\xe3\x5\0\x4\x1""8\0\0\xad\xa\0\x1t\0\0\x4\0\xf\0\x10\0\xfd\0\0\0\0\0"
		     "\0\0\0\0\0\0\0"),
		T(C, "\x3\x1\0\x8f\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0\xff\xff\xa\0\0\0"
		     "\0\0\xe7@\x1f\x9\x4\xd0\0""4<\0S\0E\0L\0E\0C\0T\0 \0a\0 \0F\0R\0O\0M\0 \0t\0 \0W\0H\0E\0"
		     "R\0E\0 \0i\0d\0 \0=\0 \0@\0p\0""0\0\0\0\xe7@\x1f\x9\x4\xd0\0""4\xe\0@\0p\0""0\0 \0i\0n\0"
		     "t\0\0\0&\x4\x4\x7\0\0\0"),
		T(S, "\x4\x1\09\0\0\x1\0\x81\x1\0\0\0\0\0\0\08\x1""a\0\xd1\x7\0\0\0\xff\x11\0\xc1\0\x1\0\0\0\0"
		     "\0\0\0y\0\0\0\0\xfe\0\0\xe0\0\0\0\0\0\0\0\0\0"),
		T(C, "\x3\x1\0\xa2\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0\xff\xff\xd\0\0\0"
		     "\0\x1&\x4\0\0\0\xe7@\x1f\x9\x4\xd0\0""4\xe\0@\0p\0""0\0 \0i\0n\0t\0\0\0\xe7\xff\xff\x9"
		     "\x4\xd0\0""4<\0\0\0\0\0\0\0<\0\0\0S\0E\0L\0E\0C\0T\0 \0b\0 \0F\0R\0O\0M\0 \0t\0 \0W\0H\0"
		     "E\0R\0E\0 \0i\0d\0 \0=\0 \0@\0p\0""0\0\0\0\0\0\0\0&\x4\x4\x7\0\0\0"),
		T(S, "\x4\x1\0P\0\0\x1\0\x81\x1\0\0\0\0\0\0\08\x1""a\0\xd1\x7\0\0\0\xd1\x7\0\0\0\xff\x11\0\xc1"
		     "\0\x2\0\0\0\0\0\0\0y\0\0\0\0\xac\0\0\0\x1\0\0\0\0\0\0&\x4\x4\x3\0\0\0\xfe\0\0\xe0\0\0\0"
		     "\0\0\0\0\0\0"),
		T(C, "\x3\x1\0""6\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0\xff\xff\xc\0\0\0"
		     "\0\0&\x4\x4\x3\0\0\0\0\0&\x4\x4\x8\0\0\0"),
		T(S, "\x4\x1\09\0\0\x1\0\x81\x1\0\0\0\0\0\0\08\x1""a\0\xd1\x7\0\0\0\xff\x11\0\xc1\0\x1\0\0\0\0"
		     "\0\0\0y\0\0\0\0\xfe\0\0\xe0\0\0\0\0\0\0\0\0\0"),
		T(C, "\x3\x1\0H\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0\xa\0s\0p\0_\0e\0x\0"
		     "e\0c\0u\0t\0e\0\0\0\0\0&\x4\x4\x3\0\0\0\0\0&\x4\x4\x9\0\0\0"),
		T(S, "\x4\x1\0""4\0\0\x1\0\x81\x1\0\0\0\0\0\0\08\x1""a\0\xff\x11\0\xc1\0\0\0\0\0\0\0\0\0y\0\0"
		     "\0\0\xfe\0\0\xe0\0\0\0\0\0\0\0\0\0"),
		T(C, "\x3\x1\0-\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0\xff\xff\xf\0\0\0\0"
		     "\0&\x4\x4\x3\0\0\0"),
		T(S, "\x4\x1\0\x1a\0\0\x1\0y\0\0\0\0\xfe\0\0\xe0\0\0\0\0\0\0\0\0\0"),
		T(C, "\x3\x1\0""6\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0\xff\xff\xc\0\0\0"
		     "\0\0&\x4\x4\x3\0\0\0\0\0&\x4\x4\x9\0\0\0"),
		T(S, "\x4\x1\0>\0\0\x1\0\xaa\x14\0\xf3\x1f\0\0\x1\x10\x2\0n\0o\0\x1s\0\0\x1\0\0\0\xff\x2\0\0\0"
		     "\0\0\0\0\0\0\0\0y\0\0\0\0\xfe\x2\0\xe0\0\0\0\0\0\0\0\0\0"),
		T(C, "\x3\x1\0I\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0\xf\0d\0b\0o\0.\0p\0"
		     "l\0a\0c\0e\0_\0o\0r\0d\0e\0r\0\0\0\0\0&\x4\x4\x1\0\0\0"),
		T(S, "\x4\x1\0'\0\0\x1\0\xff\x11\0\xc3\0\x1\0\0\0\0\0\0\0y\0\0\0\0\xfe\0\0\xe0\0\0\0\0\0\0\0\0"
		     "\0"),
	};

	TALK(1433, false, v, "SELECT a FROM t WHERE id = ? 0 ok - 1 143/57\nSELECT b FROM t WHERE id = ? 0 ok - 2 162/80\n"
			     "SELECT b FROM t WHERE id = ? 0 ok - 1 54/57\nSELECT b FROM t WHERE id = ? 0 ok - 0 72/52\n"
			     "UNPREPARE SELECT b FROM t WHERE id = ? 0 ok - 0 45/26\n"
			     "(prepared statement) 8179 client_error unknown handle 0 54/62\nEXEC dbo.place_order 0 ok - 1 73/39\n");
}

Test(tds, a_login_that_is_refused)
{
	static const struct turn v[] = {
		T(C, "\x12\x1\0\x1a\0\0\x1\0\0\0\xb\0\x6\x1\0\x11\0\x1\xff\xf\0\x7\xd0\0\0\x2"),
		T(S, "\x4\x1\0\x1a\0\0\x1\0\0\0\xb\0\x6\x1\0\x11\0\x1\xff\xf\0\x7\xd0\0\0\x2"),
		T(C, "\x10\x1\0f\0\0\x1\0^\0\0\0\x4\0\0t\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		T(S, "\x4\x1\0,\0\0\x1\0\xaa\x14\0\x18H\0\0\x1\xe\x2\0n\0o\0\x1s\0\0\x1\0\0\0\xfd\x2\0\0\0\0\0"
		     "\0\0\0\0\0\0"),
	};

	TALK(1433, false, v, "CONNECT 18456 client_error login failed 0 128/44\n");
}

Test(tds, a_login_that_is_encrypted)
{
	static const struct turn v[] = {
		T(C, "\x12\x1\0\x1a\0\0\x1\0\0\0\xb\0\x6\x1\0\x11\0\x1\xff\xf\0\x7\xd0\0\0\x2"),
		T(S, "\x4\x1\0\x1a\0\0\x1\0\0\0\xb\0\x6\x1\0\x11\0\x1\xff\xf\0\x7\xd0\0\0\x2"),
		T(C, "\x12\x1\0\x13\0\0\x1\0\x16\x3\x1\0\x5\x1hello"),
		T(S, "\x12\x1\0\x13\0\0\x1\0\x16\x3\x3\0\x5\x2hello"),
		T(C, "\x17\x3\x3\0\x6secret"),
		T(S, "\x4\x1\0*\0\0\x1\0\xe3\x5\0\x4\x1""8\0\0\xad\xa\0\x1t\0\0\x4\0\xf\0\x10\0\xfd\0\0\0\0\0"
		     "\0\0\0\0\0\0\0"),
		T(C, "\x1\x1\0.\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0S\0E\0L\0E\0C\0T\0 "
		     "\0""1\0"),
		T(S, "\x4\x1\0'\0\0\x1\0\x81\x1\0\0\0\0\0\0\08\x1""a\0\xd1\x7\0\0\0\xfd\x10\0\xc1\0\x1\0\0\0\0"
		     "\0\0\0"),
	};

	TALK(1433, false, v, "SELECT ? 0 ok - 1 46/39\n");
}

Test(tds, all_encrypted)
{
	static const struct turn v[] = {
		T(C, "\x12\x1\0\x1a\0\0\x1\0\0\0\xb\0\x6\x1\0\x11\0\x1\xff\xf\0\x7\xd0\0\0\x2"),
		T(S, "\x4\x1\0\x1a\0\0\x1\0\0\0\xb\0\x6\x1\0\x11\0\x1\xff\xf\0\x7\xd0\0\0\x1"),
		T(C, "\x12\x1\0\x13\0\0\x1\0\x16\x3\x1\0\x5\x1hello"),
		T(S, "\x12\x1\0\x13\0\0\x1\0\x16\x3\x3\0\x5\x2hello"),
		T(C, "\x17\x3\x3\0\x6secret"),
		T(S, "\x17\x3\x3\0\x6secret"),
	};
	static struct talk t;

	TALK(1433, false, v, "");
	talk_init(&t, 1433, false);
	talk_play(&t, v, 6, 0, 9, 0);
	cr_assert_eq(flow_proto(t.f), PROTO_TLS);
	talk_end(&t);
}

Test(tds, attention)
{
	static const struct turn v[] = {
		T(C, "\x12\x1\0\x1a\0\0\x1\0\0\0\xb\0\x6\x1\0\x11\0\x1\xff\xf\0\x7\xd0\0\0\x2"),
		T(S, "\x4\x1\0\x1a\0\0\x1\0\0\0\xb\0\x6\x1\0\x11\0\x1\xff\xf\0\x7\xd0\0\0\x2"),
		T(C, "\x10\x1\0f\0\0\x1\0^\0\0\0\x4\0\0t\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		T(S, "\x4\x1\0*\0\0\x1\0\xe3\x5\0\x4\x1""8\0\0\xad\xa\0\x1t\0\0\x4\0\xf\0\x10\0\xfd\0\0\0\0\0"
		     "\0\0\0\0\0\0\0"),
		T(C, "\x1\x1\0H\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0W\0A\0I\0T\0F\0O\0R"
		     "\0 \0D\0E\0L\0A\0Y\0 \0'\0""0\0""1\0:\0""0\0""0\0'\0"),
		T(C, "\x6\x1\0\x8\0\0\x1\0"),
		T(S, "\x4\x1\0\x15\0\0\x1\0\xfd \0\0\0\0\0\0\0\0\0\0\0"),
		T(C, "\x1\x1\0.\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0S\0E\0L\0E\0C\0T\0 "
		     "\0""1\0"),
		T(S, "\x4\x1\0'\0\0\x1\0\x81\x1\0\0\0\0\0\0\08\x1""a\0\xd1\x7\0\0\0\xfd\x10\0\xc1\0\x1\0\0\0\0"
		     "\0\0\0"),
	};

	TALK(1433, false, v, "CANCEL 0 ok - 0 8/0\nWAITFOR DELAY ? 0 server_error cancelled 0 72/21\nSELECT ? 0 ok - 1 46/39\n");
}

Test(tds, messages_of_several_packets)
{
	static const struct turn v[] = {
		T(C, "\x12\x1\0\x1a\0\0\x1\0\0\0\xb\0\x6\x1\0\x11\0\x1\xff\xf\0\x7\xd0\0\0\x2"),
		T(S, "\x4\x1\0\x1a\0\0\x1\0\0\0\xb\0\x6\x1\0\x11\0\x1\xff\xf\0\x7\xd0\0\0\x2"),
		T(C, "\x10\x1\0f\0\0\x1\0^\0\0\0\x4\0\0t\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		T(S, "\x4\x1\0*\0\0\x1\0\xe3\x5\0\x4\x1""8\0\0\xad\xa\0\x1t\0\0\x4\0\xf\0\x10\0\xfd\0\0\0\0\0"
		     "\0\0\0\0\0\0\0"),
		T(C, "\x1\0\0\xbc\0\0\x1\0\x16\0\0\0\x12\0\0\0\x2\0\0\0\0\0\0\0\0\0\x1\0\0\0S\0E\0L\0E\0C\0T\0"
		     " \0'\0x\0'\0,\0 \0a\0 \0F\0R\0O\0M\0 \0t\0 \0W\0H\0E\0R\0E\0 \0b\0 \0I\0N\0 \0(\0""0\0,"
		     "\0""1\0,\0""2\0,\0""3\0,\0""4\0,\0""5\0,\0""6\0,\0""7\0,\08\0,\09\0,\0""1\0""0\0,\0""1\0""1"
		     "\0,\0""1\0""2\0,\0""1\0""3\0,\0""1\0""4\0,\0""1\0""5\0,\0""1\0""6\0,\0""1\0""7\0,\0""1\0"
		     "8\0\x1\x1\x1\0\0\0\x2\0,\0""1\09\0,\0""2\0""0\0,\0""2\0""1\0,\0""2\0""2\0,\0""2\0""3\0,"
		     "\0""2\0""4\0,\0""2\0""5\0,\0""2\0""6\0,\0""2\0""7\0,\0""2\08\0,\0""2\09\0,\0""3\0""0\0,"
		     "\0""3\0""1\0,\0""3\0""2\0,\0""3\0""3\0,\0""3\0""4\0,\0""3\0""5\0,\0""3\0""6\0,\0""3\0""7"
		     "\0,\0""3\08\0,\0""3\09\0,\0""4\0""0\0,\0""4\0""1\0,\0""4\0""2\0,\0""4\0""3\0,\0""4\0""4"
		     "\0,\0""4\0""5\0,\0""4\0""6\0,\0""4\0""7\0,\0""4\08\0,\0""4\09\0,\0""5\0""0\0,\0""5\0""1"
		     "\0,\0""5\0""2\0,\0""5\0""3\0,\0""5\0""4\0,\0""5\0""5\0,\0""5\0""6\0,\0""5\0""7\0,\0""5\0"
		     "8\0,\0""5\09\0)\0"),
		T(S, "\x4\0\0$\0\0\x1\0\x81\x1\0\0\0\0\0\0\08\x1""a\0\xd1\x7\0\0\0\xd1\x7\0\0\0\xd1\x7\0\0\0"
		     "\x4\x1\0\x1f\0\0\x2\0\xd1\x7\0\0\0\xd1\x7\0\0\0\xfd\x10\0\xc1\0\x5\0\0\0\0\0\0\0"),
	};
	static struct talk t;

	talk_init(&t, 1433, false);
	talk_play(&t, v, sizeof(v) / sizeof(*v), 1, 99, 0);
	talk_end(&t);
	cr_assert_eq(t.pool.requests, 1, "%s", t.log);
	cr_assert_eq(strncmp(t.log, "SELECT ?, a FROM t WHERE b IN (", 31), 0, "%s", t.log);
	cr_assert(strstr(t.log, " 0 ok - 5 "), "%s", t.log);
}

Test(tds, joined_in_the_middle)
{
	static const char answer[] = "\4\1\0\x15\0\0\1\0" DONE("\1");
	static struct talk t;

	for (int swapped = 0; swapped < 2; swapped++) {
		enum proto_dir c = swapped ? S : C, s = swapped ? C : S;

		talk_init(&t, swapped ? 0 : 1433, true);
		talk_say(&t, s, "rows of an answer", 17);
		talk_say(&t, c, BATCH, sizeof(BATCH) - 1);
		talk_say(&t, s, answer, sizeof(answer) - 1);
		talk_say(&t, c, BATCH, sizeof(BATCH) - 1);
		talk_say(&t, s, answer, sizeof(answer) - 1);
		cr_assert_eq(flow_proto(t.f), PROTO_TDS);
		talk_end(&t);
		cr_assert(strstr(t.log, "SELECT ? 0 ok - 1 46/21\n"), "%s", t.log);
	}
}

/* Headers that say that they are longer than their message. */
Test(tds, hostile)
{
	static const struct turn v[] = {
		T(C, "\x12\1\0\x1a\0\0\1\0\0\0\xb\0\6\1\0\x11\0\1\xff\xf\0\7\xd0\0\0\2"),
		T(S, "\4\1\0\x1a\0\0\1\0\0\0\xb\0\6\1\0\x11\0\1\xff\xf\0\7\xd0\0\0\2"),
		T(C, "\3\1\0\x26\0\0\1\0\xdd\0\0\0\x12\0\0\0\2\0\0\0\0\0\0\0\0\0\1\0\0\0\xff\xff\x0d\0\0\0\0\1"),
		T(S, "\4\1\0\x15\0\0\1\0" DONE("\1")),
	};
	static struct talk t;

	talk_init(&t, 1433, false);
	talk_play(&t, v, 4, 1, 99, 0);
	talk_end(&t);
	cr_assert_eq(t.pool.requests, 1, "%s", t.log);
}

/* Thousands of rows of which only the ends were captured. */
Test(tds, hole_in_rows)
{
	static char big[4096 * 10];
	static const char end[] = DONE("\7");
	static struct talk t;

	for (size_t i = 0; i < sizeof(big); i += 4096) {
		memcpy(big + i, "\4\0\x10\0\0\0\1\0", 8);
		memset(big + i + 8, '\xd1', 4088);
	}
	big[sizeof(big) - 4096 + 1] = 1;
	memcpy(big + sizeof(big) - 13, end, 13);
	talk_init(&t, 1433, true);
	talk_say(&t, C, BATCH, sizeof(BATCH) - 1);
	talk_cut(&t, S, big, sizeof(big), 200, 64);
	talk_say(&t, C, BATCH, sizeof(BATCH) - 1);
	talk_cut(&t, S, big, sizeof(big), 200, 64);
	talk_end(&t);
	talk_expect(&t, "SELECT ? 0 ok - 7 46/40960\nSELECT ? 0 ok - 7 46/40960\n", "cut");
}

Test(tds, others_are_not_taken_for_it)
{
	static const char zero[64], *const texts[] = {"GET / HTTP/1.1\r\n\r\n", "*1\r\n$4\r\nPING\r\n", "\1\0\0\0\0\0\0\0", "EHLO x\r\n"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		for (int dir = 0; dir < 2; dir++)
			cr_expect_leq(proto_by_id(PROTO_TDS)->infer((enum proto_dir)dir, (const uint8_t *)texts[i], strlen(texts[i])), 50);
	for (size_t n = 1; n <= sizeof(zero); n++)
		for (int dir = 0; dir < 2; dir++)
			cr_expect_leq(proto_by_id(PROTO_TDS)->infer((enum proto_dir)dir, (const uint8_t *)zero, n), 0);
}

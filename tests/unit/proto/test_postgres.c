/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

/* messages whose length is written out; T() counts bytes, so NULs are fine */
#define STARTUP "\0\0\0\x11\0\3\0\0user\0me\0\0"
#define AUTH_OK "R\0\0\0\x8\0\0\0\0"
#define PARAM "S\0\0\0\x9""a\0bc\0"
#define KEY "K\0\0\0\xc\1\2\3\4\5\6\7\x8"
#define READY "Z\0\0\0\5I"
#define SYNC "S\0\0\0\4"
#define FLUSH "H\0\0\0\4"
#define SELECT1 "Q\0\0\0\xdSELECT 1\0"
#define BEGIN "Q\0\0\0\xb""BEGIN;\0"
#define TAG_BEGIN "C\0\0\0\xa""BEGIN\0"
#define ROWDESC "T\0\0\0\x6\0\0"
#define ROW "D\0\0\0\xb\0\1\0\0\0\1x"
#define TAG_SELECT "C\0\0\0\xdSELECT 3\0"
#define PARSE_A "P\0\0\0\x17""a\0SELECT x + 42;\0\0\0"
#define PARSE "P\0\0\0\x10\0SELECT 7\0\0\0"
#define BIND_A "B\0\0\0\xd\0""a\0\0\0\0\0\0\0"
#define BIND "B\0\0\0\xc\0\0\0\0\0\0\0\0"
#define DESCRIBE "D\0\0\0\6P\0"
#define EXECUTE "E\0\0\0\x9\0\0\0\0\0"
#define ERROR(code) "E\0\0\0\x17SERROR\0C" code "\0Mno\0\0"
#define PREPARE_A "P\0\0\0\x11""a\0SELECT a\0\0\0"
#define PREPARE_B "P\0\0\0\x11""b\0SELECT b\0\0\0"
#define BIND_B "B\0\0\0\xd\0""b\0\0\0\0\0\0\0"
#define DESCRIBE_A "D\0\0\0\7Sa\0"
#define SESSION T(C, STARTUP), T(S, AUTH_OK PARAM KEY READY)

Test(postgres, simple)
{
	static const struct turn v[] = {
		SESSION,
		T(C, BEGIN), T(S, TAG_BEGIN "Z\0\0\0\5T"),
		T(C, SELECT1), T(S, ROWDESC ROW ROW ROW TAG_SELECT "Z\0\0\0\5T"),
		T(C, SELECT1), T(S, ERROR("42P01") "Z\0\0\0\5E"),
		T(C, SELECT1), T(S, ERROR("53300") READY),
		T(C, "Q\0\0\0\5\0"), T(S, "I\0\0\0\4" READY),
		T(C, "X\0\0\0\4"),
	};

	TALK(5432, false, v, "BEGIN 0 ok - 0 12/17\nSELECT ? 0 ok - 3 14/63\nSELECT ? 0 client_error 42P01 0 14/30\n"
			     "SELECT ? 0 server_error 53300 0 14/30\n 0 ok - 0 6/11\n");
}

Test(postgres, ssl_refused_then_plain)
{
	static const struct turn v[] = {
		T(C, "\0\0\0\x8\x4\xd2\x16\x2f"), T(S, "N"), SESSION, T(C, SELECT1), T(S, TAG_SELECT READY),
	};

	TALK(5432, false, v, "SELECT ? 0 ok - 3 14/20\n");
}

Test(postgres, ssl_accepted_is_tls)
{
	static const struct turn v[] = {
		T(C, "\0\0\0\x8\x4\xd2\x16\x2f"), T(S, "S"), T(C, "\x16\3\1\0\5\1hello"), T(S, "\x16\3\3"),
	};
	static struct talk t;

	TALK(5432, false, v, "");
	talk_init(&t, 5432, false);
	talk_play(&t, v, 3, 0, 9, 0);
	cr_assert_eq(flow_proto(t.f), PROTO_TLS);
	cr_assert(flow_is_deaf(t.f));
	talk_end(&t);
}

Test(postgres, extended)
{
	static const struct turn v[] = {
		SESSION,
		T(C, PARSE BIND DESCRIBE EXECUTE SYNC),
		T(S, "1\0\0\0\4" "2\0\0\0\4" ROWDESC ROW TAG_SELECT READY),
		T(C, PARSE_A SYNC), T(S, "1\0\0\0\4" READY),
		T(C, BIND_A EXECUTE SYNC), T(S, "2\0\0\0\4" TAG_SELECT READY),
		T(C, BIND_A EXECUTE BIND EXECUTE SYNC), T(S, "2\0\0\0\4" TAG_SELECT "2\0\0\0\4" TAG_SELECT READY),
		T(C, BIND_A EXECUTE SYNC BIND_A EXECUTE SYNC),
		T(S, "2\0\0\0\4" TAG_SELECT READY "2\0\0\0\4" TAG_SELECT READY),
	};

	TALK(5432, false, v, "SELECT ? 0 ok - 3 47/43\nPREPARE SELECT x + ? 0 ok - 0 29/11\nSELECT x + ? 0 ok - 3 24/19\n"
			     "SELECT x + ? 0 ok - 3 24/19\nSELECT ? 0 ok - 3 23/19\n"
			     "SELECT x + ? 0 ok - 3 24/19\nSELECT x + ? 0 ok - 3 24/19\n");
}

Test(postgres, flush_then_execute)
{
	static const struct turn v[] = {
		SESSION, T(C, PARSE_A FLUSH), T(S, "1\0\0\0\4"), T(C, BIND_A EXECUTE SYNC), T(S, "2\0\0\0\4" TAG_SELECT READY),
	};
	static struct talk t;

	talk_init(&t, 5432, false);
	talk_play(&t, v, sizeof(v) / sizeof(*v), 1, 99, 0);
	talk_end(&t);
	cr_assert_eq(t.pool.requests, 1, "%s", t.log);
	cr_assert_eq(strncmp(t.log, "SELECT x + ? 0 ok - 3 ", 22), 0, "%s", t.log);
}

Test(postgres, an_error_fails_the_rest_of_the_batch)
{
	static const struct turn v[] = {
		SESSION,
		T(C, PARSE_A BIND_A EXECUTE BIND_A EXECUTE BIND_A EXECUTE SYNC BIND_A EXECUTE SYNC),
		T(S, "1\0\0\0\4" "2\0\0\0\4" TAG_SELECT ERROR("22012") READY "2\0\0\0\4" TAG_SELECT READY),
	};

	TALK(5432, false, v, "SELECT x + ? 0 ok - 3 48/24\nSELECT x + ? 0 client_error 22012 0 24/24\n"
			     "SELECT x + ? 0 client_error 22012 0 24/6\nSELECT x + ? 0 ok - 3 24/19\n");
}

Test(postgres, notices_are_no_responses)
{
	static const struct turn v[] = {
		SESSION, T(S, "A\0\0\0\xb\0\0\0\1c\0\0" "N\0\0\0\5\0"), T(C, SELECT1),
		T(S, "N\0\0\0\5\0" PARAM), T(S, TAG_SELECT READY),
	};

	TALK(5432, false, v, "DELIVER c 0 ok - 1 12/0\nSELECT ? 0 ok - 3 14/20\n");
}

Test(postgres, copy)
{
	static const struct turn v[] = {
		SESSION,
		T(C, "Q\0\0\0\x16""COPY t FROM STDIN\0"), T(S, "G\0\0\0\7\0\0\0"),
		T(C, "d\0\0\0\6a\nd\0\0\0\6b\nc\0\0\0\4"), T(S, "C\0\0\0\xb""COPY 2\0" READY),
		T(C, "Q\0\0\0\x15""COPY t TO STDOUT\0"),
		T(S, "H\0\0\0\7\0\0\0" "d\0\0\0\6a\n" "c\0\0\0\4" "C\0\0\0\xb""COPY 1\0" READY),
	};

	TALK(5432, false, v, "COPY t FROM STDIN 0 ok - 2 42/26\nCOPY t TO STDOUT 0 ok - 1 22/38\n");
}

Test(postgres, cancel)
{
	static const struct turn v[] = {T(C, "\0\0\0\x10\x4\xd2\x16\x2e\1\2\3\4\5\6\7\x8")};
	/* 3.2: a longer key */
	static const struct turn longer[] = {T(C, "\0\0\0\x14\x4\xd2\x16\x2e\1\2\3\4\5\6\7\x8\x9\xa\xb\xc")};

	TALK(5432, false, v, "CANCEL 0 ok - 0 16/0\n");
	TALK(0, false, longer, "CANCEL 0 ok - 0 20/0\n");
}

Test(postgres, replication_is_opaque_when_it_begins)
{
	static const struct turn v[] = {
		T(C, "\0\0\0\x22\0\3\0\0replication\0database\0\0\0\0\0\0"), T(S, AUTH_OK READY),
		T(C, "Q\0\0\0\x14IDENTIFY_SYSTEM\0"), T(S, ROWDESC ROW "C\0\0\0\x14IDENTIFY_SYSTEM\0" READY),
		T(C, "Q\0\0\0CSTART_REPLICATION SLOT s LOGICAL 0/16B3748 (proto_version '1')\0"), T(S, "W\0\0\0\7\0\0\0"),
		T(S, "d\0\0\0\6a\n"), T(C, "d\0\0\0\6b\n"), T(S, "d\0\0\0\6a\n"), T(C, SELECT1), T(S, TAG_SELECT READY),
	};

	TALK(5432, false, v, "IDENTIFY_SYSTEM 0 ok - 0 21/46\n"
			     "START_REPLICATION SLOT s LOGICAL ? / ? (proto_version ?) 0 ok - 0 68/8\n");
}

Test(postgres, a_start_up_that_is_refused)
{
	static const struct turn full[] = {T(C, STARTUP), T(S, ERROR("53300"))};
	static const struct turn password[] = {
		T(C, "\0\0\0\x8\x4\xd2\x16\x2f"), T(S, "N"), T(C, STARTUP), T(S, "R\0\0\0\x8\0\0\0\3"), T(C, "p\0\0\0\x6x\0"),
		T(S, ERROR("28P01")),
	};
	static const struct turn older[] = {T(C, "\0\0\0\x8\x4\xd2\x16\x2f"), T(S, ERROR("53300"))};

	TALK(5432, false, full, "CONNECT 0 server_error 53300 0 17/24\n");
	TALK(5432, false, password, "CONNECT 0 client_error 28P01 0 25/33\n");
	TALK(5432, false, older, "CONNECT 0 server_error 53300 0 8/24\n");
}

Test(postgres, gssapi_is_opaque)
{
	static const struct turn v[] = {
		T(C, "\0\0\0\x8\x4\xd2\x16\x30"), T(S, "G"), T(C, "\0\0\0\x5hello"), T(S, "\0\0\0\2no"), T(C, SELECT1),
	};

	TALK(5432, false, v, "");
}

Test(postgres, several_prepared_in_a_batch)
{
	static const struct turn v[] = {
		SESSION,
		T(C, PREPARE_A PREPARE_B SYNC), T(S, "1\0\0\0\4" "1\0\0\0\4" READY),
		T(C, PREPARE_A DESCRIBE_A PREPARE_B SYNC),
		T(S, "1\0\0\0\4" "t\0\0\0\6\0\0" ROWDESC ERROR("42601") READY),
		T(C, PREPARE_A PREPARE_B BIND_B EXECUTE SYNC), T(S, "1\0\0\0\4" "1\0\0\0\4" "2\0\0\0\4" TAG_SELECT READY),
	};

	TALK(5432, false, v, "PREPARE SELECT a 0 ok - 0 18/10\nPREPARE SELECT b 0 ok - 0 23/6\n"
			     "PREPARE SELECT a 0 ok - 0 26/43\nPREPARE SELECT b 0 client_error 42601 0 23/6\n"
			     "PREPARE SELECT a 0 ok - 0 18/10\nSELECT b 0 ok - 3 42/19\n");
}

Test(postgres, describe_and_close)
{
	static const struct turn v[] = {
		SESSION,
		T(C, PREPARE_A SYNC), T(S, "1\0\0\0\4" READY),
		T(C, DESCRIBE_A SYNC), T(S, "t\0\0\0\6\0\0" ROWDESC READY),
		T(C, SYNC), T(S, READY),
		T(C, "C\0\0\0\7Sa\0" SYNC), T(S, "3\0\0\0\4" READY),
		T(C, BIND_A EXECUTE SYNC), T(S, ERROR("26000") READY),
	};

	TALK(5432, false, v, "PREPARE SELECT a 0 ok - 0 23/11\nDESCRIBE SELECT a 0 ok - 0 13/20\nCLOSE SELECT a 0 ok - 0 13/11\n"
			     "(prepared statement) 0 client_error 26000 0 24/24\n");
}

Test(postgres, sql_prepares_too)
{
	static const struct turn v[] = {
		SESSION,
		T(C, "Q\0\0\0BPREPARE p1 (int) AS SELECT * FROM t WHERE id = $1 AND b = 'x'\0"), T(S, "C\0\0\0\xcPREPARE\0" READY),
		T(C, "Q\0\0\0\x14""EXECUTE p1 (42)\0"), T(S, TAG_SELECT READY),
		T(C, "Q\0\0\0\x15""EXECUTE \"p1\"(42)\0"), T(S, TAG_SELECT READY),
		T(C, "B\0\0\0\xe\0p1\0\0\0\0\0\0\0" EXECUTE SYNC), T(S, "2\0\0\0\4" TAG_SELECT READY),
		T(C, "Q\0\0\0\x12""DEALLOCATE p1\0"), T(S, "C\0\0\0\xf""DEALLOCATE\0" READY),
		T(C, "Q\0\0\0\x13""EXECUTE p1 (7)\0"), T(S, ERROR("26000") READY),
	};

	TALK(5432, false, v, "PREPARE p1 (int) AS SELECT * FROM t WHERE id = ? AND b = ? 0 ok - 0 67/19\n"
			     "SELECT * FROM t WHERE id = ? AND b = ? 0 ok - 3 21/20\nSELECT * FROM t WHERE id = ? AND b = ? 0 ok - 3 22/20\n"
			     "SELECT * FROM t WHERE id = ? AND b = ? 0 ok - 3 25/19\n"
			     "DEALLOCATE ? 0 ok - 0 19/22\nEXECUTE p1 (?) 0 client_error 26000 0 20/30\n");
}

Test(postgres, discard_all)
{
	static const struct turn v[] = {
		SESSION,
		T(C, PREPARE_A SYNC), T(S, "1\0\0\0\4" READY),
		T(C, "P\0\0\0\x13\0DISCARD ALL\0\0\0" BIND EXECUTE SYNC),
		T(S, "1\0\0\0\4" "2\0\0\0\4" "C\0\0\0\x10""DISCARD ALL\0" READY),
		T(C, BIND_A EXECUTE SYNC), T(S, ERROR("26000") READY),
	};

	TALK(5432, false, v, "PREPARE SELECT a 0 ok - 0 23/11\nDISCARD ALL 0 ok - 0 43/27\n"
			     "(prepared statement) 0 client_error 26000 0 24/24\n");
}

Test(postgres, portal_suspended)
{
	static const struct turn v[] = {
		SESSION,
		T(C, PREPARE_A "B\0\0\0\xe""c\0a\0\0\0\0\0\0\0" "E\0\0\0\xa""c\0\0\0\0\2" FLUSH),
		T(S, "1\0\0\0\4" "2\0\0\0\4" ROW ROW "s\0\0\0\4"),
		T(C, "E\0\0\0\xa""c\0\0\0\0\2" SYNC), T(S, ROW "C\0\0\0\xdSELECT 1\0" READY),
	};

	TALK(5432, false, v, "SELECT a 0 ok - 2 44/39\nSELECT a 0 ok - 1 16/26\n");
}

Test(postgres, many_statements_are_one_request)
{
	static const struct turn v[] = {
		SESSION, T(C, "Q\0\0\0,BEGIN; INSERT INTO t VALUES (1); COMMIT\0"),
		T(S, TAG_BEGIN "C\0\0\0\xfINSERT 0 1\0" "C\0\0\0\xb""COMMIT\0" READY),
	};

	TALK(5432, false, v, "BEGIN; INSERT INTO t VALUES (?); COMMIT 0 ok - 1 45/45\n");
}

/* A client that sends a batch without waiting for the one before, some without a Sync of their own (libpq's pipeline mode). */
Test(postgres, pipeline)
{
	static const struct turn v[] = {
		SESSION,
		T(C, PARSE BIND DESCRIBE EXECUTE PARSE BIND DESCRIBE EXECUTE), T(C, PARSE BIND DESCRIBE EXECUTE SYNC),
		T(S, "1\0\0\0\4" "2\0\0\0\4" ROWDESC ROW TAG_SELECT "1\0\0\0\4" "2\0\0\0\4" ROWDESC ROW TAG_SELECT),
		T(S, "1\0\0\0\4" "2\0\0\0\4" ROWDESC ROW TAG_SELECT READY),
	};

	TALK(5432, false, v, "SELECT ? 0 ok - 3 47/43\nSELECT ? 0 ok - 3 47/43\nSELECT ? 0 ok - 3 47/43\n");
}

Test(postgres, fatal)
{
	static const struct turn v[] = {SESSION, T(C, SELECT1), T(S, ERROR("57P01"))};

	TALK(5432, false, v, "SELECT ? 0 server_error 57P01 0 14/24\n");
}

Test(postgres, joined_in_the_middle)
{
	static const struct turn v[] = {
		T(S, ROW ROW TAG_SELECT READY), T(C, BIND_A EXECUTE SYNC), T(S, "2\0\0\0\4" TAG_SELECT READY),
		T(C, SELECT1), T(S, ROWDESC TAG_SELECT READY),
	};
	static struct talk t;

	talk_init(&t, 5432, true);
	talk_play(&t, v, sizeof(v) / sizeof(*v), 0, 99, 0);
	talk_end(&t);
	talk_expect(&t, "(prepared statement) 0 ok - 3 24/19\nSELECT ? 0 ok - 3 14/27\n", "whole");
	for (int i = 0; i < 5; i++) {
		struct turn turned[5];

		memcpy(turned, v, sizeof(v));
		for (int k = 0; k < 5; k++)
			turned[k].dir = (enum proto_dir)!turned[k].dir;
		talk_init(&t, 0, true);
		talk_play(&t, turned, 5, 0, 99, 0);
		cr_assert(flow_swapped(t.f));
		talk_end(&t);
		cr_assert_eq(t.pool.requests, 2, "%s", t.log);
	}
}

/* Thousands of rows in one segment of which only the ends were captured. */
Test(postgres, hole_in_rows_ends_at_ready)
{
	static const char end[] = TAG_SELECT READY;
	static char big[60000];
	static struct talk t;

	for (size_t i = 0; i + 12 <= sizeof(big); i += 12)
		memcpy(big + i, ROW, 12);
	memcpy(big + sizeof(big) - sizeof(end) + 1, end, sizeof(end) - 1);
	talk_init(&t, 5432, false);
	talk_say(&t, C, STARTUP, sizeof(STARTUP) - 1);
	talk_say(&t, S, AUTH_OK READY, sizeof(AUTH_OK READY) - 1);
	talk_say(&t, C, SELECT1, sizeof(SELECT1) - 1);
	talk_cut(&t, S, big, sizeof(big), 101, 64);
	talk_say(&t, C, BEGIN, sizeof(BEGIN) - 1);
	talk_say(&t, S, TAG_BEGIN READY, sizeof(TAG_BEGIN READY) - 1);
	talk_end(&t);
	cr_assert_eq(t.pool.lost_requests, 0);
	cr_assert_eq(strncmp(t.log, "SELECT ? 0 ok - 3 14/", 21), 0, "%s", t.log);
	cr_assert(strstr(t.log, "\nBEGIN 0 ok - 0 12/17\n"), "%s", t.log);
}

Test(postgres, a_long_statement_cut)
{
	static char big[30000];
	static struct talk t;
	uint32_t len = sizeof(big) - 1;

	memset(big, ' ', sizeof(big));
	memcpy(big, "Q\0\0\0\0SELECT 'secret' FROM t", 28);
	big[1] = 0;
	big[2] = (char)(len >> 16);
	big[3] = (char)(len >> 8);
	big[4] = (char)len;
	big[sizeof(big) - 1] = '\0';
	talk_init(&t, 5432, false);
	talk_say(&t, C, STARTUP, sizeof(STARTUP) - 1);
	talk_say(&t, S, AUTH_OK READY, sizeof(AUTH_OK READY) - 1);
	talk_cut(&t, C, big, sizeof(big), 600, 32);
	talk_say(&t, S, TAG_SELECT READY, sizeof(TAG_SELECT READY) - 1);
	talk_end(&t);
	talk_expect(&t, "SELECT ? FROM t 0 ok - 3 30000/20\n", "cut");
	cr_assert_eq(t.pool.lost_bytes, 0);
}

/* Longer than what is read of it, and with no end in sight: nothing behind the bytes is touched. */
Test(postgres, a_long_parse)
{
	static char big[20000];
	static struct talk t;
	uint32_t len = sizeof(big) - 1;

	memset(big, ' ', sizeof(big));
	memcpy(big, "P\0\0\0\0a\0SELECT 1, 'secret' FROM t", 32);
	big[3] = (char)(len >> 8);
	big[4] = (char)len;
	talk_init(&t, 5432, false);
	talk_say(&t, C, STARTUP, sizeof(STARTUP) - 1);
	talk_say(&t, S, AUTH_OK READY, sizeof(AUTH_OK READY) - 1);
	talk_say(&t, C, big, sizeof(big));
	talk_say(&t, C, BIND_A EXECUTE SYNC, sizeof(BIND_A EXECUTE SYNC) - 1);
	talk_say(&t, S, TAG_SELECT READY, sizeof(TAG_SELECT READY) - 1);
	talk_end(&t);
	talk_expect(&t, "SELECT ?, ? FROM t 0 ok - 3 20024/14\n", "long");
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#define SET "*3\r\n$3\r\nset\r\n$6\r\nsecret\r\n$5\r\nv\r\n$1\r\n"
#define GET "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"

Test(redis, commands)
{
	static const struct turn v[] = {
		T(C, SET), T(S, "+OK\r\n"),
		T(C, GET), T(S, "$5\r\na\r\nbc\r\n"),
		T(C, GET), T(S, "$-1\r\n"),
		T(C, "*3\r\n$6\r\nCONFIG\r\n$3\r\nget\r\n$4\r\nsave\r\n"), T(S, "*2\r\n$4\r\nsave\r\n$0\r\n\r\n"),
		T(C, "*1\r\n$7\r\nLPUSHXX\r\n"), T(S, "-ERR unknown command\r\n"),
		T(C, GET), T(S, "-LOADING Redis is loading\r\n"),
		T(C, GET), T(S, "-Secret value\r\n"),
		T(C, "PING\r\n"), T(S, "+PONG\r\n"),
	};

	TALK(6379, false, v, "SET 0 ok - 0 36/5\nGET 0 ok - 1 20/11\nGET 0 ok - 0 20/5\nCONFIG GET 0 ok - 2 35/20\n"
			     "(unknown command) 0 client_error ERR 0 17/22\nGET 0 server_error LOADING 0 20/27\n"
			     "GET 0 client_error ERR 0 20/15\nPING 0 ok - 0 6/7\n");
}

/* What is no command may be a value: a client out of step, or a person with netcat. */
Test(redis, only_commands_are_named)
{
	static const struct turn v[] = {
		T(C, "*1\r\n$8\r\nHUNTER22\r\n"), T(S, "-ERR unknown command\r\n"),
		T(C, "SETX secret\r\n"), T(S, "-ERR unknown command\r\n"),
		T(C, "*2\r\n$8\r\njson.get\r\n$1\r\nk\r\n"), T(S, "$-1\r\n"),
		T(C, "*2\r\n$2\r\nGE\r\n$1\r\nk\r\n"), T(S, "-HUNTER22 x\r\n"),
	};

	TALK(6379, false, v, "(unknown command) 0 client_error ERR 0 18/22\n(unknown command) 0 client_error ERR 0 13/22\n"
			     "JSON.GET 0 ok - 0 25/5\n(unknown command) 0 client_error ERR 0 19/13\n");
}

Test(redis, pipeline_and_multi)
{
	static const struct turn v[] = {
		T(C, GET GET "*1\r\n$5\r\nMULTI\r\n" GET "*1\r\n$4\r\nEXEC\r\n"),
		T(S, ":1\r\n$1\r\nx\r\n+OK\r\n+QUEUED\r\n*2\r\n*1\r\n:3\r\n*-1\r\n"),
		T(C, GET GET), T(S, ":1\r\n:2\r\n"),
	};

	TALK(0, false, v, "GET 0 ok - 0 20/4\nGET 0 ok - 1 20/7\nMULTI 0 ok - 0 15/5\nGET 0 ok - 0 20/9\n"
			  "EXEC 0 ok - 1 14/17\nGET 0 ok - 0 20/4\nGET 0 ok - 0 20/4\n");
}

Test(redis, resp3)
{
	static const struct turn v[] = {
		T(C, "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"), T(S, "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n"),
		T(C, GET),
		T(S, "|1\r\n+ttl\r\n:1\r\n>2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n"),
		T(C, GET), T(S, "_\r\n"), T(C, GET), T(S, "#t\r\n"), T(C, GET), T(S, ",1.5\r\n"), T(C, GET), T(S, "(123\r\n"),
		T(C, GET), T(S, "!10\r\nERR secret\r\n"), T(C, GET), T(S, "=5\r\ntxt:a\r\n"), T(C, GET), T(S, "~1\r\n:1\r\n"),
	};
	static struct talk t;

	talk_init(&t, 6379, false);
	talk_play(&t, v, sizeof(v) / sizeof(*v), 0, 99, 0);
	talk_end(&t);
	cr_assert(strstr(t.log, "GET 0 client_error ERR 0 20/17\n"), "%s", t.log);
	cr_assert_eq(t.pool.requests, 9, "%s", t.log);
}

Test(redis, pushes_answer_nothing)
{
	static const struct turn v2[] = {
		T(C, "*3\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n$1\r\nb\r\n"),
		T(S, "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n"),
		T(S, "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"),
		T(C, "*1\r\n$4\r\nPING\r\n"), T(S, "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n"),
	};

	TALK(6379, false, v2, "SUBSCRIBE 0 ok - 0 33/60\nPING 0 ok - 2 14/20\n");
}

Test(redis, monitor_is_opaque)
{
	static const struct turn v[] = {
		T(C, GET "*1\r\n$7\r\nMONITOR\r\n"), T(S, ":1\r\n+OK\r\n"), T(S, "+1700000000.1 [0 127.0.0.1:1] \"get\" \"secret\"\r\n"),
	};

	TALK(6379, false, v, "GET 0 ok - 0 20/4\nMONITOR 0 ok - 0 17/5\n");
}

Test(redis, a_big_reply_is_not_kept)
{
	static char big[60012];
	static struct talk t;

	memset(big, 'x', sizeof(big));
	memcpy(big, "$60001\r\n", 8);
	memcpy(big + sizeof(big) - 3, "x\r\n", 3);
	talk_init(&t, 6379, false);
	talk_say(&t, C, GET, strlen(GET));
	talk_cut(&t, S, big, 8 + 60001 + 2, 100, 20);
	talk_say(&t, C, GET, strlen(GET));
	talk_say(&t, S, ":1\r\n", 4);
	cr_assert_lt(t.pool.held_bytes, 2048, "%zu", t.pool.held_bytes);
	cr_assert_eq(t.pool.lost_bytes, 0);
	talk_end(&t);
	talk_expect(&t, "GET 0 ok - 1 20/60011\nGET 0 ok - 0 20/4\n", "cut");
}

Test(redis, joined_in_the_middle)
{
	static const struct turn v[] = {T(S, "est of a value\r\n"), T(C, GET), T(S, ":1\r\n"), T(C, SET), T(S, "+OK\r\n")};
	static const struct turn swapped[] = {T(S, SET), T(C, "+OK\r\n"), T(S, SET), T(C, "+OK\r\n")};

	TALK(6379, true, v, "GET 0 ok - 0 20/4\nSET 0 ok - 0 36/5\n");
	TALK(0, true, swapped, "SET 0 ok - 0 36/5\nSET 0 ok - 0 36/5\n");
}

Test(redis, a_lost_segment_of_replies)
{
	static struct talk t;

	talk_init(&t, 6379, false);
	talk_say(&t, C, GET GET GET, 60);
	talk_say(&t, S, ":1\r\n", 4);
	t.seq[S] += 4;
	talk_say(&t, S, ":3\r\n", 4);
	t.ts += 2000000000ull;
	talk_say(&t, C, SET, strlen(SET));
	talk_say(&t, S, "+OK\r\n", 5);
	talk_end(&t);
	talk_expect(&t, "GET 0 ok - 0 20/4\nSET 0 ok - 0 36/5\n", "hole");
	cr_assert_eq(t.pool.lost_requests, 2, "%lu", (unsigned long)t.pool.lost_requests);
	cr_assert_eq(t.pool.lost_bytes, 4);
}

#define REPLY(n, word) "*3\r\n$6\r\nCLIENT\r\n$5\r\nreply\r\n$" n "\r\n" word "\r\n"

/* What is not answered takes no place in the order. */
Test(redis, client_reply)
{
	static const struct turn v[] = {T(C, REPLY("3", "OFF") GET), T(C, SET REPLY("4", "skip")), T(C, REPLY("2", "ON")),
					T(S, "+OK\r\n"), T(C, REPLY("4", "SKIP") SET GET), T(S, ":7\r\n"),
					T(C, "CLIENT REPLY SKIP\r\nPING\r\n" GET), T(S, "-ERR x\r\n")};

	TALK(6379, false, v, "CLIENT REPLY 0 ok - 0 35/5\nGET 0 ok - 0 20/4\nGET 0 client_error ERR 0 20/8\n");
}

/* The command that turned replies on again was not seen: the first reply tells. */
Test(redis, client_reply_on_is_lost)
{
	static struct talk t;

	talk_init(&t, 6379, false);
	talk_say(&t, C, GET, strlen(GET));
	talk_say(&t, S, ":1\r\n", 4);
	talk_say(&t, C, REPLY("3", "OFF"), sizeof(REPLY("3", "OFF")) - 1);
	t.seq[C] += sizeof(REPLY("2", "ON")) - 1;
	t.ts += 2000000000ull;
	talk_say(&t, S, "+OK\r\n", 5);
	for (int i = 0; i < 3; i++) {
		talk_say(&t, C, SET, strlen(SET));
		t.ts += 2000000000ull;
		talk_say(&t, S, "+OK\r\n", 5);
	}
	talk_end(&t);
	cr_assert_not_null(strstr(t.log, "SET 0 ok"), "%s", t.log);
}

/* A failed command of a transaction is its EXEC's error; redirects are none. */
Test(redis, errors)
{
	static const struct turn v[] = {
		T(C, "*1\r\n$5\r\nMULTI\r\n"), T(S, "+OK\r\n"), T(C, GET), T(S, "+QUEUED\r\n"), T(C, SET), T(S, "+QUEUED\r\n"),
		T(C, "*1\r\n$4\r\nEXEC\r\n"), T(S, "*2\r\n$1\r\nx\r\n-WRONGTYPE Operation against\r\n"),
		T(C, GET), T(S, "-MOVED 1 10.0.0.1:6379\r\n"), T(C, GET), T(S, "-ASK 1 10.0.0.1:6379\r\n"),
		T(C, GET), T(S, "-CLUSTERDOWN The cluster is down\r\n"), T(C, GET), T(S, "!20\r\nREADONLY You can't..\r\n"),
		T(C, "*3\r\n$7\r\nEVALSHA\r\n$3\r\nabc\r\n$1\r\n0\r\n"), T(S, "-NOSCRIPT No matching script\r\n"),
		T(C, GET), T(S, "-ERR max number of clients reached\r\n"), T(C, GET), T(S, "-OOM command not allowed\r\n"),
	};

	TALK(6379, false, v, "MULTI 0 ok - 0 15/5\nGET 0 ok - 0 20/9\nSET 0 ok - 0 36/9\nEXEC 0 client_error WRONGTYPE 1 14/41\n"
			     "GET 0 ok MOVED 0 20/24\nGET 0 ok ASK 0 20/22\nGET 0 server_error CLUSTERDOWN 0 20/34\n"
			     "GET 0 server_error READONLY 0 20/27\nEVALSHA 0 ok NOSCRIPT 0 33/30\n"
			     "GET 0 server_error MAXCLIENTS 0 20/36\nGET 0 server_error OOM 0 20/26\n");
}

/* Rows: what was found. The same from both versions of the protocol. */
Test(redis, rows)
{
	static const struct turn v[] = {
		T(C, "*3\r\n$4\r\nMGET\r\n$1\r\na\r\n$1\r\nb\r\n"), T(S, "*2\r\n$1\r\nx\r\n$-1\r\n"),
		T(C, "*2\r\n$7\r\nHGETALL\r\n$1\r\nh\r\n"), T(S, "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n"),
		T(C, "*2\r\n$7\r\nHGETALL\r\n$1\r\nh\r\n"), T(S, "%2\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n"),
		T(C, "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n"), T(S, ":77\r\n"),
		T(C, "*3\r\n$6\r\nLRANGE\r\n$1\r\nl\r\n$1\r\n0\r\n"), T(S, "*0\r\n"),
	};

	TALK(6379, false, v, "MGET 0 ok - 1 28/16\nHGETALL 0 ok - 4 24/32\nHGETALL 0 ok - 4 24/32\nINCR 0 ok - 0 21/5\n"
			     "LRANGE 0 ok - 0 30/4\n");
}

static void note_waits(void *arg, struct flow *f, const struct request *r)
{
	strcat(arg, r->no_latency ? "w" : "-");
}

/* What is answered when something happens has no latency. */
Test(redis, blocking)
{
	static const struct turn v[] = {
		T(C, "*3\r\n$5\r\nblpop\r\n$1\r\nq\r\n$1\r\n0\r\n"), T(S, "*2\r\n$1\r\nq\r\n$1\r\nv\r\n"),
		T(C, "*6\r\n$5\r\nXREAD\r\n$5\r\nblock\r\n$1\r\n0\r\n$7\r\nSTREAMS\r\n$1\r\ns\r\n$1\r\n$\r\n"), T(S, "*-1\r\n"),
		T(C, "*5\r\n$5\r\nXREAD\r\n$7\r\nSTREAMS\r\n$5\r\nblock\r\n$1\r\ns\r\n$1\r\n0\r\n"), T(S, "*-1\r\n"),
		T(C, "BRPOP q 0\r\n" GET), T(S, "*-1\r\n:1\r\n"),
	};
	char log[16] = "";
	struct talk t;

	talk_init(&t, 6379, false);
	t.pool.on_request = note_waits;
	t.pool.arg = log;
	talk_play(&t, v, sizeof(v) / sizeof(*v), 0, 99, 0);
	talk_end(&t);
	cr_assert_str_eq(log, "ww-w-");
}

/* Each channel is confirmed on its own, and messages come in between. */
Test(redis, subscriptions)
{
#define CONFIRM(n, word, channel, left) "*3\r\n$" n "\r\n" word "\r\n$1\r\n" channel "\r\n:" left "\r\n"
#define MESSAGE "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"
	static const struct turn v[] = {
		T(C, "*3\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$10\r\nPSUBSCRIBE\r\n$1\r\nc\r\n"),
		T(S, CONFIRM("9", "subscribe", "a", "1") MESSAGE CONFIRM("9", "subscribe", "b", "2")
		  CONFIRM("10", "psubscribe", "c", "3")),
		T(C, "*1\r\n$11\r\nUNSUBSCRIBE\r\n*2\r\n$12\r\nPUNSUBSCRIBE\r\n$1\r\nc\r\n*2\r\n$6\r\nLRANGE\r\n$1\r\nl\r\n"),
		T(S, CONFIRM("11", "unsubscribe", "a", "2") CONFIRM("12", "punsubscribe", "c", "0") MESSAGE),
		T(C, "SUBSCRIBE a b\r\n"), T(S, "-NOAUTH Authentication required.\r\n"),
	};

	TALK(6379, false, v, "SUBSCRIBE 0 ok - 0 33/60\nPSUBSCRIBE 0 ok - 0 28/32\nUNSUBSCRIBE 0 ok - 0 22/33\n"
			     "PUNSUBSCRIBE 0 ok - 0 30/34\nLRANGE 0 ok - 3 23/32\nSUBSCRIBE 0 client_error NOAUTH 0 15/34\n");
}

/* The link of a replica is no conversation, whichever end it was met in the middle from. */
Test(redis, replication)
{
#define ACK "*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$2\r\n10\r\n"
	static const struct turn v[] = {
		T(C, "*3\r\n$8\r\nREPLCONF\r\n$4\r\ncapa\r\n$3\r\neof\r\n"), T(S, "+OK\r\n"),
		T(C, "*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n"), T(S, "\n"), T(S, "+FULLRESYNC abc 0\r\n$3\r\nrdb"), T(S, SET),
		T(C, ACK),
	};
	static const struct turn mid[] = {T(S, SET), T(S, SET), T(C, ACK), T(S, SET)};

	TALK(6379, false, v, "REPLCONF CAPA 0 ok - 0 37/5\nPSYNC 0 ok - 0 30/0\n");
	TALK(6379, true, mid, "");
	TALK(0, true, mid, "");
}

/* An array with a hole in it: its beginning said what it is, and its end was seen. */
Test(redis, a_torn_reply)
{
	static char big[9000];
	static struct talk t;
	size_t n = (size_t)snprintf(big, sizeof(big), "*800\r\n");

	for (int i = 0; i < 800; i++)
		n += (size_t)snprintf(big + n, sizeof(big) - n, "$4\r\n%04d\r\n", i);
	talk_init(&t, 6379, false);
	talk_say(&t, C, GET, strlen(GET));
	talk_cut(&t, S, big, n, 500, 20);
	cr_assert_eq(t.pool.requests, 1);
	talk_say(&t, C, GET, strlen(GET));
	talk_say(&t, S, ":1\r\n", 4);
	talk_end(&t);
	talk_expect(&t, "GET 0 ok - 50 20/8006\nGET 0 ok - 0 20/4\n", "torn");
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

Test(memcached, text)
{
	static const struct turn v[] = {
		T(C, "set k 0 0 5\r\nhello\r\n"), T(S, "STORED\r\n"),
		T(C, "get k\r\n"), T(S, "VALUE k 0 5\r\nEND\r\n\r\nEND\r\n"),
		T(C, "gets a b c\r\n"), T(S, "VALUE a 0 1 77\r\nx\r\nVALUE c 0 2 78\r\nyz\r\nEND\r\n"),
		T(C, "get missing\r\n"), T(S, "END\r\n"),
		T(C, "cas k 0 0 1 77\r\nx\r\n"), T(S, "EXISTS\r\n"),
		T(C, "add k 0 0 1\r\nx\r\n"), T(S, "NOT_STORED\r\n"),
		T(C, "delete k\r\nincr n 2\r\n"), T(S, "NOT_FOUND\r\n7\r\n"),
		T(C, "touch k 10\r\n"), T(S, "TOUCHED\r\n"),
		T(C, "gat 10 k\r\n"), T(S, "VALUE k 0 1\r\nx\r\nEND\r\n"),
		T(C, "stats\r\nversion\r\n"), T(S, "STAT pid 1\r\nSTAT uptime 1\r\nEND\r\nVERSION 1.6.18\r\n"),
		T(C, "hunter2 is it\r\n"), T(S, "ERROR\r\n"),
		T(C, "incr k 1\r\n"), T(S, "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"),
		T(C, "set big 0 0 1\r\nx\r\n"), T(S, "SERVER_ERROR out of memory storing object\r\n"),
		T(C, "quit\r\n"),
	};

	TALK(11211, false, v, "set 0 ok - 0 20/8\nget 0 ok - 1 7/25\ngets 0 ok - 2 12/44\nget 0 ok - 0 13/5\n"
			      "cas 0 ok EXISTS 0 19/8\nadd 0 ok NOT_STORED 0 16/12\ndelete 0 ok NOT_FOUND 0 10/11\n"
			      "incr 0 ok - 0 10/3\ntouch 0 ok - 0 12/9\ngat 0 ok - 1 10/21\nstats 0 ok - 0 7/32\nversion 0 ok - 0 9/16\n"
			      "(unknown command) 0 client_error ERROR 0 15/7\nincr 0 client_error CLIENT_ERROR 0 10/62\n"
			      "set 0 server_error OUT_OF_MEMORY 0 18/43\n");
}

/* What is not answered takes no place in the order. */
Test(memcached, noreply)
{
	static const struct turn v[] = {
		T(C, "set k 0 0 5 noreply\r\nhello\r\ndelete k noreply\r\nget k\r\n"), T(S, "END\r\n"),
		T(C, "flush_all noreply\r\nget noreply\r\n"), T(S, "END\r\n"),
	};

	TALK(11211, false, v, "set 0 ok - 0 28/0\ndelete 0 ok - 0 18/0\nget 0 ok - 0 7/5\nflush_all 0 ok - 0 19/0\nget 0 ok - 0 13/5\n");
}

/* A value is skipped, however long it is: one request. */
Test(memcached, a_big_value_is_not_kept)
{
	static char big[70024];
	static struct talk t;
	size_t head = (size_t)snprintf(big, sizeof(big), "set k 0 0 70000\r\n");

	memset(big + head, 'x', 70000);
	memcpy(big + head + 70000, "\r\n", 2);
	talk_init(&t, 11211, false);
	talk_cut(&t, C, big, head + 70002, 64, 8);
	talk_say(&t, S, "STORED\r\n", 8);
	talk_say(&t, C, "get k\r\n", 7);
	head = (size_t)snprintf(big, sizeof(big), "VALUE k 0 70000\r\n");
	memcpy(big + head + 70000, "\r\n", 2);
	talk_cut(&t, S, big, head + 70002, 64, 8);
	cr_assert_lt(t.pool.held_bytes, 4096, "%zu", t.pool.held_bytes);
	talk_say(&t, S, "END\r\n", 5);
	talk_end(&t);
	cr_assert_eq(t.pool.lost_bytes, 0);
	talk_expect(&t, "set 0 ok - 0 70019/8\nget 0 ok - 1 7/70024\n", "big");
}

/* More keys than a line that is kept: skipped to its end. */
Test(memcached, a_long_list_of_keys)
{
	static char keys[8000];
	static struct talk t;
	size_t n = (size_t)snprintf(keys, sizeof(keys), "get");

	while (n < 7900)
		n += (size_t)snprintf(keys + n, sizeof(keys) - n, " key%zu", n);
	n += (size_t)snprintf(keys + n, sizeof(keys) - n, "\r\n");
	for (size_t step = 1; step < 4000; step += 777) {
		struct turn v[] = {{C, keys, n}, T(S, "VALUE key 0 1\r\nx\r\nEND\r\n")};
		char want[64];

		snprintf(want, sizeof(want), "get 0 ok - 1 %zu/23\n", n);
		talk_init(&t, 11211, false);
		talk_play(&t, v, 2, step, 9, 0);
		talk_end(&t);
		talk_expect(&t, want, "long");
	}
}

Test(memcached, meta)
{
	static const struct turn v[] = {
		T(C, "mg a v\r\nmg b v\r\n"), T(S, "VA 2\r\nhi\r\nEN\r\n"),
		T(C, "ms a 2\r\nhi\r\nmd a\r\nma n\r\n"), T(S, "HD\r\nNF\r\nNS\r\n"),
		T(C, "mg a v q\r\nmg b v q\r\nmg c v q\r\nmn\r\n"), T(S, "VA 1\r\nx\r\nMN\r\n"),
		T(C, "ms a S1 q\r\nms b 1 q\r\nx\r\nmd c q\r\nmd d\r\n"), T(S, "HD\r\n"),
	};

	TALK(11211, false, v, "mg 0 ok - 1 8/10\nmg 0 ok - 0 8/4\nms 0 ok - 0 12/4\nmd 0 ok NOT_FOUND 0 6/4\nma 0 ok NOT_STORED 0 6/4\n"
			      "mg 0 ok - 1 10/9\nmg 0 ok - 0 10/0\nmg 0 ok - 0 10/0\nmn 0 ok - 0 4/4\n"
			      "ms 0 ok - 0 11/0\nms 0 ok - 0 13/0\nmd 0 ok - 0 8/0\nmd 0 ok - 0 6/4\n");
}

#define HEAD(magic, op, key, extras, status, body) magic op "\0" key extras "\0\0" status "\0\0\0" body "\0\0\0\1\0\0\0\0\0\0\0\0"
#define ASK(op, key, extras, body) HEAD("\x80", op, key, extras, "\0", body)
#define SAY(op, key, extras, status, body) HEAD("\x81", op, key, extras, status, body)
#define SET_FLAGS "\0\0\0\0\0\0\0\0"

Test(memcached, binary)
{
	static const struct turn v[] = {
		T(C, ASK("\1", "\1", "\x8", "\xb") SET_FLAGS "khi"), T(S, SAY("\1", "\0", "\0", "\0", "\0")),
		T(C, ASK("\0", "\1", "\0", "\1") "k"), T(S, SAY("\0", "\0", "\4", "\0", "\6") "\0\0\0\0hi"),
		T(C, ASK("\0", "\1", "\0", "\1") "x"), T(S, SAY("\0", "\0", "\0", "\1", "\x9") "Not found"),
		T(C, ASK("\x2", "\1", "\x8", "\xb") SET_FLAGS "khi"), T(S, SAY("\x2", "\0", "\0", "\x82", "\0")),
		T(C, ASK("\x10", "\0", "\0", "\0")), T(S, SAY("\x10", "\1", "\0", "\0", "\2") "a1" SAY("\x10", "\0", "\0", "\0", "\0")),
		T(C, ASK("\x7", "\0", "\0", "\0")), T(S, SAY("\x7", "\0", "\0", "\0", "\0")),
	};

	TALK(0, false, v, "set 0 ok - 0 35/24\nget 0 ok - 1 25/30\nget 1 ok NOT_FOUND 0 25/33\nadd 130 server_error OUT_OF_MEMORY 0 35/24\n"
			  "stats 0 ok - 0 24/50\n");
}

/* Quiet ones speak only if they have something to say; what is answered behind them tells that they had not. */
Test(memcached, binary_quiet)
{
	static const struct turn v[] = {
		T(C, ASK("\xd", "\1", "\0", "\1") "a" ASK("\xd", "\1", "\0", "\1") "b" ASK("\xd", "\1", "\0", "\1") "c"
		  ASK("\xa", "\0", "\0", "\0")),
		T(S, SAY("\xd", "\1", "\4", "\0", "\6") "\0\0\0\0bx" SAY("\xa", "\0", "\0", "\0", "\0")),
		T(C, ASK("\x11", "\1", "\x8", "\xb") SET_FLAGS "khi" ASK("\x14", "\1", "\0", "\1") "k"),
		T(C, ASK("\xa", "\0", "\0", "\0")),
		T(S, SAY("\x14", "\0", "\0", "\1", "\0") SAY("\xa", "\0", "\0", "\0", "\0")),
		T(C, ASK("\x11", "\1", "\x8", "\xb") SET_FLAGS "khi"),
	};

	TALK(0, false, v, "get 0 ok - 1 25/30\nget 0 ok - 0 25/0\nget 0 ok - 0 25/0\nnoop 0 ok - 0 24/24\n"
			  "set 0 ok - 0 35/0\ndelete 1 ok NOT_FOUND 0 25/24\nnoop 0 ok - 0 24/24\nset 0 ok - 0 35/0\n");
}

Test(memcached, joined_in_the_middle)
{
	static const struct turn v[] = {T(S, "the rest of a value\r\nEND\r\n"), T(C, "get k\r\n"), T(S, "VALUE k 0 1\r\nx\r\nEND\r\n"),
					T(C, "set k 0 0 1\r\nx\r\n"), T(S, "STORED\r\n")};
	static struct talk t;

	talk_init(&t, 11211, true);
	talk_play(&t, v, 5, 0, 9, 0);
	talk_end(&t);
	talk_expect(&t, "get 0 ok - 1 7/21\nset 0 ok - 0 16/8\n", "middle");
}

/* A list of values with a hole: its last line is seen. */
Test(memcached, a_torn_reply)
{
	static const char reply[] = "VALUE a 0 1\r\nx\r\nVALUE b 0 1\r\nx\r\nVALUE c 0 1\r\nx\r\nEND\r\n";
	static struct talk t;

	talk_init(&t, 11211, false);
	talk_say(&t, C, "get a b c\r\n", 11);
	talk_cut(&t, S, reply, sizeof(reply) - 1, 20, 8);
	talk_say(&t, C, "get k\r\n", 7);
	talk_say(&t, S, "END\r\n", 5);
	talk_end(&t);
	talk_expect(&t, "get 0 ok - 1 11/53\nget 0 ok - 0 7/5\n", "torn");
}

Test(memcached, what_is_none)
{
	static const struct turn lengths[] = {T(C, "set k 0 0 99999999999\r\n"), T(S, "CLIENT_ERROR\r\n")};
	static const struct turn zeros[] = {T(C, "\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), T(S, "\x81")};
	static struct talk t;

	TALK(11211, false, zeros, "");
	talk_init(&t, 11211, false);
	talk_play(&t, lengths, 2, 0, 9, 0);
	talk_end(&t);
	cr_assert_eq(t.pool.requests, 0);
}

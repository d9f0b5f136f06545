/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#include "proto/user.h"

static const char *const put_lines[] = {"PUT *", NULL}, *const items[] = {"ITEMS*", NULL}, *const logs[] = {"LOG *", NULL},
	*const wrong[] = {"ERR NOTFOUND*", NULL}, *const errors[] = {"ERR *", NULL}, *const events[] = {"EVENT *", NULL},
	*const only[] = {"GET *", "PUT *", "LIST *", "LOG *", NULL};
static const struct user_name details[] = {{0, "NOTFOUND"}, {0, "BUSY"}, {0, NULL}};
static const struct user_protocol stock = {
	.name = "stock",
	.ports = {7100},
	.lines = {
		.end = "\n", .end_len = 1, .op_words = 2, .requests = {only}, .oneway = {logs},
		.request_body = {.when = {put_lines}, .length_word = 4, .length_add = 1},
		.ignore = {events}, .client_error = {wrong}, .server_error = {errors}, .detail_word = 2, .details = details,
		.response_body = {.when = {items}, .until = "."},
	},
};
static const struct user_protocol numbered = {
	.name = "numbered",
	.magic = {{(const uint8_t *)"#1", 2}},
	.lines = {.end = "\r\n", .end_len = 2, .op_words = 1, .request_id = 1, .response_id = 1, .status_word = 2},
};
static const struct user_name ops[] = {{1, "Charge"}, {2, "Refund"}, {3, "Audit"}, {0, NULL}}, statuses[] = {{402, "NO_FUNDS"}, {0, NULL}};
static const uint64_t audit[] = {3}, client[] = {402};
static const struct user_protocol billing = {
	.name = "billing",
	.magic = {{(const uint8_t *)"\xb1\x11", 2}, {(const uint8_t *)"\xb1\x12", 2}},
	.is_frames = true,
	.frames = {
		.header = 10, .length = {.at = 8, .size = 2}, .length_max = 1 << 20, .op = {.at = 2, .size = 2}, .ops = ops,
		.oneway = {audit, 1}, .id = {.at = 4, .size = 4, .little = true}, .status = {.at = 2, .size = 2},
		.statuses = statuses, .client_errors = {client, 1},
	},
};

static void add_all(void)
{
	cr_assert_eq(user_add(&stock), 0);
	cr_assert_eq(user_add(&numbered), 0);
	cr_assert_eq(user_add(&billing), 0);
}

TestSuite(user, .init = add_all, .fini = user_reset);

Test(user, is_known_by_name)
{
	cr_assert_str_eq(proto_name((enum proto_id)(PROTO_USER + 1)), "numbered");
	cr_assert_eq(proto_by_name("billing")->id, PROTO_USER + 2);
	cr_assert_lt(user_add(&stock), 0);
}

Test(user, lines)
{
	static const struct turn v[] = {
		T(C, "GET item 4711\n"), T(S, "OK 17\n"), T(C, "PUT item 4711 9\nGET a b\n\n\n"), T(S, "EVENT x\nERR BUSY later\r\n"),
		T(C, "LOG shop x\nLIST all\n"), T(S, "ITEMS\nERR 1\n.\n"), T(C, "GET user:1234 x\n"), T(S, "ERR NOTFOUND x\n"),
		T(C, "GET item 1\nGET item 2\n"), T(S, "ERR s3cr3t\n"),
	};

	TALK(7100, false, v, "GET item 0 ok - 0 14/6\nPUT item 0 server_error BUSY 0 26/16\nLOG shop 0 ok - 0 11/0\nLIST all 0 ok - 0 9/14\n"
			     "GET user:{id} 0 client_error NOTFOUND 0 16/15\nGET item 0 server_error - 0 11/11\nGET item 0 aborted - 0 11/0\n");
}

Test(user, lines_by_id)
{
	static const struct turn v[] = {
		T(C, "#1 get x\r\n#2 put y\r\n"), T(S, "#2 200\r\n#1 404\r\n"), T(C, "#3 get\r\n"),
	};

	TALK(9, false, v, "put 200 ok - 0 10/8\nget 404 ok - 0 10/8\nget 0 aborted - 0 8/0\n");
}

#define CALL(op, id, n) "\xb1\x11\0" op id "\0\0\0\0" n
#define TOLD(status, id, n) "\xb1\x12" status id "\0\0\0\0" n

Test(user, frames)
{
	static const struct turn v[] = {
		T(C, CALL("\1", "\1", "\3") "abc" CALL("\2", "\2", "\0")), T(S, TOLD("\0\0", "\2", "\1") "x" TOLD("\1\x92", "\1", "\0")),
		T(C, CALL("\3", "\0", "\1") "s"), T(C, CALL("\x11", "\3", "\0")), T(S, TOLD("\1\xf4", "\3", "\0")),
	};

	TALK(9, false, v, "Refund 0 ok - 0 10/11\nCharge 402 client_error NO_FUNDS 0 13/10\nAudit 0 ok - 0 11/0\nop 17 500 server_error - 0 10/10\n");
}

/* A long body is not waited for, and its end is the end. */
Test(user, long_bodies_are_skipped)
{
	static char body[40000] = CALL("\1", "\1", "\x9c");
	static struct talk t;

	body[8] = (char)0x9c;
	body[9] = 0x36;                 /* 39990 */
	talk_init(&t, 9, false);
	for (size_t i = 0; i < sizeof(body); i += 1000)
		talk_cut(&t, C, body + i, 1000, i ? 0 : 500, 0);
	talk_say(&t, S, TOLD("\0\0", "\1", "\0"), 10);
	talk_end(&t);
	talk_expect(&t, "Charge 0 ok - 0 40000/10\n", "long");
}

/* Nothing but a port or the magic makes it theirs, and TLS stays TLS. */
Test(user, takes_nothing_from_others)
{
	static const struct { uint16_t port; const char *p; size_t n; enum proto_id want; } v[] = {
#define V(port, text, want) {port, text, sizeof(text) - 1, want}
		V(9, "GET item 1\n", PROTO_UNKNOWN), V(7100, "GET item 1\n", PROTO_USER), V(9, "#1 x\r\n", PROTO_USER + 1),
		V(7100, "HELLO\n", PROTO_UNKNOWN), V(7100, "GET / HTTP/1.1\r\n\r\n", PROTO_USER), V(80, "GET / HTTP/1.1\r\n\r\n", PROTO_HTTP),
		V(7100, "\x16\x03\x01\0\x05\x01\0\0\x01\x03", PROTO_TLS), V(9, "\xb1\x11\0\1\0\0\0\0\0\0", PROTO_USER + 2),
		V(9, "\xb1\x11\0\7\0\0\0\0\0\0", PROTO_UNKNOWN), V(9, "\xb1\x12\0\1\0\0\0\0\0\0", PROTO_UNKNOWN),
#undef V
	};
	static struct talk t;

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		talk_init(&t, v[i].port, false);
		talk_say(&t, C, v[i].p, v[i].n);
		cr_expect_eq(flow_proto(t.f), v[i].want, "case %zu is %s", i, proto_name(flow_proto(t.f)));
		talk_end(&t);
	}
}

Test(user, joined_in_the_middle_and_holes)
{
	static struct talk t;

	talk_init(&t, 7100, true);
	talk_say(&t, S, "rest of something", 17);
	talk_say(&t, C, "GET item 1\n", 11);
	talk_say(&t, S, "OK\n", 3);
	talk_cut(&t, C, "GET item 1\nGET item 2\n", 22, 3, 0);
	talk_say(&t, S, "OK\nOK\n", 6);
	talk_say(&t, C, "LIST all\n", 9);
	talk_say(&t, S, "ITEMS\n.\n", 8);
	talk_end(&t);
	talk_expect(&t, "GET item 0 ok - 0 11/3\nLIST all 0 ok - 0 9/8\n", "middle");
}

/* Lengths that cannot be end it at once, lines without an end when they are too long. */
Test(user, hostile)
{
	static char long_line[40000];
	static struct talk t;

	memset(long_line, 'x', sizeof(long_line));
	memcpy(long_line, "GET item ", 9);
	talk_init(&t, 7100, false);
	talk_say(&t, C, "GET item 1\n", 11);
	for (size_t i = 0; i < sizeof(long_line); i += 1000)
		talk_say(&t, C, long_line + i, 1000);
	cr_assert_eq(t.pool.broken, 1);
	talk_end(&t);
	talk_init(&t, 7100, false);
	talk_say(&t, C, "PUT a b 99999999999999999999\n", 29);
	cr_assert_eq(t.pool.broken, 1);
	talk_end(&t);
}

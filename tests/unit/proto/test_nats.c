/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#define INFO "INFO {\"server_id\":\"N1\",\"version\":\"2.9.10\",\"max_payload\":1048576}\r\n"
#define HELLO "CONNECT {\"verbose\":false,\"user\":\"me\",\"pass\":\"secret\"}\r\nPING\r\n"

Test(nats, publications_and_deliveries)
{
	static const struct turn v[] = {
		T(S, INFO), T(C, HELLO), T(S, "PONG\r\n"),
		T(C, "SUB orders.* 1\r\nPUB orders.new 5\r\nhello\r\n"),
		T(S, "MSG orders.new 1 5\r\nhello\r\n"),
		T(C, "PUB orders.4711.done 0\r\n\r\nHPUB orders.new 12 17\r\nNATS/1.0\r\n\r\nhello\r\n"),
		T(S, "HMSG orders.new 1 12 17\r\nNATS/1.0\r\n\r\nhello\r\nPING\r\n"), T(C, "PONG\r\n"),
	};

	TALK(0, false, v, "PING 0 ok - 0 6/6\nPUBLISH orders.new 0 ok - 1 25/0\nDELIVER orders.new 0 ok - 1 27/0\n"
			  "PUBLISH orders.{id}.done 0 ok - 1 26/0\nPUBLISH orders.new 0 ok - 1 42/0\n"
			  "DELIVER orders.new 0 ok - 1 44/0\n");
}

Test(nats, a_request_is_answered_on_its_inbox)
{
	static const struct turn v[] = {
		T(S, INFO), T(C, HELLO), T(S, "PONG\r\n"),
		T(C, "SUB _INBOX.Ab3.* 1\r\nPUB price.get _INBOX.Ab3.1 2\r\nab\r\nPUB price.get _INBOX.Ab3.2 2\r\ncd\r\n"),
		T(S, "MSG _INBOX.Ab3.2 1 3\r\n7.5\r\nMSG _INBOX.Ab3.1 1 1\r\n6\r\n"),
		T(C, "PUB nobody _INBOX.Ab3.3 0\r\n\r\n"),
		T(S, "HMSG _INBOX.Ab3.3 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n"),
		T(C, "PUB $JS.API.CONSUMER.MSG.NEXT.S.C _INBOX.Ab3.4 2\r\n{}\r\n"),
		T(S, "HMSG _INBOX.Ab3.4 1 16 16\r\nNATS/1.0 404\r\n\r\n\r\nMSG _INBOX.Ab3.4 1 1\r\nx\r\n"),
		T(C, "PUB _INBOX.zz.9 2\r\nok\r\nPUB $JS.ACK.S.C.1.5.5.1700000000.0 4\r\n+ACK\r\n"),
	};

	TALK(4222, false, v, "PING 0 ok - 0 6/6\nREQUEST price.get 0 ok - 1 34/27\nREQUEST price.get 0 ok - 1 34/25\n"
			     "REQUEST nobody 503 server_error NO_RESPONDERS 0 29/45\n"
			     "REQUEST $JS.API.CONSUMER.MSG.NEXT.S.C 404 ok NO_MESSAGES 0 54/45\nDELIVER _INBOX 0 ok - 1 25/0\n"
			     "PUBLISH _INBOX 0 ok - 1 23/0\nPUBLISH $JS.ACK 0 ok - 1 44/0\n");
}

Test(nats, errors_have_names)
{
	static const struct turn v[] = {
		T(S, INFO), T(C, HELLO), T(S, "-ERR 'Authorization Violation'\r\n"),
	};

	TALK(0, false, v, "-ERR 0 client_error AUTHORIZATION_VIOLATION 0 32/0\nPING 0 aborted - 0 6/0\n");
}

Test(nats, joined_in_the_middle)
{
	static const struct turn v[] = {
		T(C, "rest of a payload\r\n"), T(C, "PUB a.b 3\r\nxyz\r\n"), T(S, "PONG\r\n"), T(S, "MSG c 9 1\r\ny\r\n"),
	};
	static struct talk t;

	talk_init(&t, 4222, true);
	talk_play(&t, v, 4, 0, 4, 0);
	talk_end(&t);
	talk_expect(&t, "PUBLISH a.b 0 ok - 1 16/0\nDELIVER c 0 ok - 1 14/0\n", "middle");
}

/* The payload of a large message is not looked at, seen or not. */
Test(nats, a_hole_in_a_payload_loses_nothing_and_one_elsewhere_is_resynchronised)
{
	static char big[9000];
	static struct talk t;
	int n = snprintf(big, sizeof(big), "PUB big 8000\r\n");

	memset(big + n, 'x', 8000);
	memcpy(big + n + 8000, "\r\n", 2);
	talk_init(&t, 0, false);
	talk_say(&t, S, INFO, sizeof(INFO) - 1);
	talk_say(&t, C, HELLO, sizeof(HELLO) - 1);
	talk_say(&t, S, "PONG\r\n", 6);
	talk_cut(&t, C, big, (size_t)n + 8002, 1024, 64);
	talk_say(&t, C, "PUB a 1\r\nx\r\n", 12);
	t.seq[C] += 100;
	for (int i = 0; i < 40; i++)
		talk_say(&t, C, "PUB a 1\r\nx\r\n", 12);
	talk_end(&t);
	cr_assert(strstr(t.log, "PUBLISH big 0 ok - 1 8016/0\nPUBLISH a 0 ok - 1 12/0\n"), "%s", t.log);
	cr_assert_eq(t.pool.requests, 1 + 1 + 1 + 40);
}

Test(nats, gigantic_and_wrong_lengths_are_given_up)
{
	static const char *const bad[] = {"PUB a 999999999\r\n", "PUB a -1\r\n", "PUB a 1 2 3\r\n", "HPUB a 9 3\r\n", "MSG a 1\r\n",
					  "PUB a 1x\r\n", "NONSENSE\r\n", "\r\n"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		static struct talk t;

		talk_init(&t, 4222, false);
		talk_say(&t, S, INFO, sizeof(INFO) - 1);
		talk_say(&t, C, HELLO, sizeof(HELLO) - 1);
		talk_say(&t, C, bad[i], strlen(bad[i]));
		cr_expect_eq(flow_proto(t.f), PROTO_UNKNOWN, "%s", bad[i]);
		talk_end(&t);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#define CONNECT311 "\x10\x0e\0\4MQTT\4\2\0\x3c\0\2me"
#define CONNECT5 "\x10\x0f\0\4MQTT\5\2\0\x3c\0\0\2me"
#define CONNACK "\x20\2\0\0"

Test(mqtt, every_quality_of_service)
{
	static const struct turn v[] = {
		T(C, CONNECT311), T(S, CONNACK),
		T(C, "\x30\7\0\3a/bhi"),                                   /* 0 */
		T(C, "\x32\x09\0\3a/b\0\7hi" "\x32\x09\0\3a/b\0\x8hi"),    /* 1, twice */
		T(S, "\x40\2\0\x8" "\x40\2\0\7"),
		T(C, "\x34\x09\0\3c/d\0\x9hi"), T(S, "\x50\2\0\x9"), T(C, "\x62\2\0\x9"), T(S, "\x70\2\0\x9"),
		T(C, "\x82\x8\0\1\0\3a/+\1"), T(S, "\x90\3\0\1\1"),
		T(S, "\x30\7\0\3a/xhi" "\x32\x09\0\3a/x\0\1hi"), T(C, "\x40\2\0\1"),
		T(C, "\xc0\0"), T(S, "\xd0\0"), T(C, "\xa2\7\0\2\0\3a/+"), T(S, "\xb0\2\0\2"), T(C, "\xe0\0"),
	};

	TALK(0, false, v, "CONNECT 0 ok - 0 16/4\nPUBLISH a/b 0 ok - 1 9/0\nPUBLISH a/b 0 ok - 0 11/4\nPUBLISH a/b 0 ok - 0 11/4\n"
			  "PUBLISH c/d 0 ok - 0 11/4\nSUBSCRIBE a/+ 0 ok - 0 10/5\nDELIVER a/x 0 ok - 1 9/0\nDELIVER a/x 0 ok - 1 11/0\n"
			  "PING 0 ok - 0 2/2\nUNSUBSCRIBE a/+ 0 ok - 0 9/4\n");
}

Test(mqtt, reasons_of_version_5)
{
	static const struct turn v[] = {
		T(C, CONNECT5), T(S, "\x20\3\0\0\0"),
		T(C, "\x32\x0a\0\3a/b\0\7\0hi"), T(S, "\x40\4\0\7\x97\0"),
		T(C, "\x34\x0a\0\3a/b\0\x8\0hi"), T(S, "\x50\3\0\x8\x87"),
		T(C, "\x82\x9\0\1\0\0\3a/+\1"), T(S, "\x90\4\0\1\0\x8f"),
		T(C, "\x30\6\0\0\3\x23\0\1"),
		T(S, "\xe0\2\x8b\0"),
	};

	TALK(0, false, v, "CONNECT 0 ok - 0 17/5\nPUBLISH a/b 151 server_error QUOTA_EXCEEDED 0 12/6\n"
			  "PUBLISH a/b 135 client_error NOT_AUTHORIZED 0 12/5\nSUBSCRIBE a/+ 143 client_error TOPIC_FILTER_INVALID 0 11/6\n"
			  "PUBLISH (topic alias) 0 ok - 1 8/0\nDISCONNECT 0 server_error SERVER_SHUTTING_DOWN 0 4/0\n");
}

Test(mqtt, a_refused_connection_says_why)
{
	static const struct turn v[] = {T(C, CONNECT311), T(S, "\x20\2\0\5")};

	TALK(0, false, v, "CONNECT 5 client_error NOT_AUTHORIZED 0 16/4\n");
}

Test(mqtt, a_message_sent_again_is_one_request)
{
	static const struct turn v[] = {
		T(C, CONNECT311), T(S, CONNACK), T(C, "\x32\x09\0\3a/b\0\7hi"), T(C, "\x3a\x09\0\3a/b\0\7hi"), T(S, "\x40\2\0\7"),
	};

	TALK(0, false, v, "CONNECT 0 ok - 0 16/4\nPUBLISH a/b 0 ok - 0 11/4\n");
}

Test(mqtt, ids_in_topics_are_not_kept)
{
	static const struct turn v[] = {
		T(C, CONNECT311), T(S, CONNACK), T(C, "\x30\x1a\0\x16" "device/8412345/temp/up" "hi"),
	};

	TALK(0, false, v, "CONNECT 0 ok - 0 16/4\nPUBLISH device/{id}/temp/up 0 ok - 1 28/0\n");
}

Test(mqtt, joined_in_the_middle_needs_its_port)
{
	static const struct turn v[] = {T(C, "\x30\7\0\3a/bhi"), T(C, "\x32\x09\0\3a/b\0\7hi"), T(S, "\x40\2\0\7")};
	static struct talk t;

	talk_init(&t, 1883, true);
	talk_play(&t, v, 3, 0, 3, 0);
	talk_end(&t);
	talk_expect(&t, "PUBLISH a/b 0 ok - 1 9/0\nPUBLISH a/b 0 ok - 0 11/4\n", "port 1883");
	talk_init(&t, 4000, true);
	talk_play(&t, v, 3, 0, 3, 0);
	talk_end(&t);
	talk_expect(&t, "", "any port");
}

Test(mqtt, what_breaks_the_rules_is_no_request)
{
	static const struct turn bad[] = {
		T(C, "\x36\7\0\3a/bhi"), T(C, "\x30\xff\xff\xff\xff\x7f"), T(C, "\x30\3\0\x09g"), T(C, "\x80\5\0\1\0\0\1"), T(C, "\0\0"),
		T(C, "\x82\6\0\1\0\x20g\1"), T(S, "\xc0\0"), T(C, "\x20\2\0\0"),
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		static struct talk t;

		talk_init(&t, 1883, false);
		talk_say(&t, C, CONNECT311, sizeof(CONNECT311) - 1);
		talk_say(&t, S, CONNACK, sizeof(CONNACK) - 1);
		talk_say(&t, bad[i].dir, bad[i].p, bad[i].n);
		cr_expect_eq(t.pool.broken, 1, "case %zu", i);
		talk_end(&t);
		talk_expect(&t, "CONNECT 0 ok - 0 16/4\n", "nothing is made of it");
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames as AMQP 1.0 lays them out, written by a program of a few lines.  The server has chosen channel 5 for the client's 0. */
#include "talk.h"

#define SASL \
	"AMQP\x03\x01\x00\x00"
#define HELLO \
	"AMQP\x00\x01\x00\x00"
#define TLS \
	"AMQP\x02\x01\x00\x00"
#define OTHER \
	"AMQP\x00\x00\x09\x01"
#define MECHANISMS \
	"\x00\x00\x00\x15\x02\x01\x00\x00\x00S@\xc0\x08\x01\xa3\x05PLAIN"
#define INIT \
	"\x00\x00\x00*\x02\x01\x00\x00\x00SA\xc0\x1d\x03\xa3\x05PLAIN\xa0\x0d\x00guest\x00secret\xa1\x04host"
#define OUTCOME \
	"\x00\x00\x00\x10\x02\x01\x00\x00\x00SD\xc0\x03\x01P\x00"
#define REFUSED \
	"\x00\x00\x00\x10\x02\x01\x00\x00\x00SD\xc0\x03\x01P\x01"
#define OPEN \
	"\x00\x00\x00\x1f\x02\x00\x00\x00\x00S\x10\xc0\x12\x02\xa1\x09\x63ontainer\xa1\x04host"
#define OPEN_OK \
	"\x00\x00\x00\x16\x02\x00\x00\x00\x00S\x10\xc0\x09\x01\xa1\x06\x62roker"
#define BEGIN \
	"\x00\x00\x00\x15\x02\x00\x00\x00\x00S\x11\xc0\x08\x04@R\x00RdRd"
#define BEGIN_OK \
	"\x00\x00\x00\x17\x02\x00\x00\x05\x00S\x11\xc0\x0a\x04`\x00\x00R\x00RdRd"
#define ATTACH \
	"\x00\x00\x00*\x02\x00\x00\x00\x00S\x12\xc0\x1d\x07\xa1\x03outR\x00\x42@@\x00S(E\x00S)\xc0\x09\x01\xa1" \
	"\x06orders"
#define ATTACH_OK \
	"\x00\x00\x00*\x02\x00\x00\x05\x00S\x12\xc0\x1d\x07\xa1\x03outR\x07\x41@@\x00S(E\x00S)\xc0\x09\x01\xa1" \
	"\x06orders"
#define ATTACH_NULL \
	"\x00\x00\x00\x1a\x02\x00\x00\x05\x00S\x12\xc0\x0d\x07\xa1\x03outR\x07\x41@@@@"
#define ATTACH_IN \
	"\x00\x00\x00\x33\x02\x00\x00\x00\x00S\x12\xc0&\x07\xa1\x02inR\x01\x41@@\x00S(\xc0\x13\x01\xa1\x10/queue/" \
	"mail/4711\x00S)E"
#define ATTACH_IN_OK \
	"\x00\x00\x00\x33\x02\x00\x00\x05\x00S\x12\xc0&\x07\xa1\x02inR\x00\x42@@\x00S(\xc0\x13\x01\xa1\x10/queue/" \
	"mail/4711\x00S)E"
#define ATTACH_DYNAMIC \
	"\x00\x00\x00'\x02\x00\x00\x00\x00S\x12\xc0\x1a\x07\xa1\x03\x64ynR\x02\x41@@\x00S(\xc0\x06\x05@@@@A\x00S)" \
	"E"
#define ATTACH_DYNAMIC_OK \
	"\x00\x00\x00\x37\x02\x00\x00\x05\x00S\x12\xc0*\x07\xa1\x03\x64ynR\x01\x42@@\x00S(\xc0\x16\x01\xa1\x13" \
	"\x61mq.gen-JzTY20BRgKO\x00S)E"
#define CREDIT \
	"\x00\x00\x00\x1c\x02\x00\x00\x05\x00S\x13\xc0\x0f\x07R\x00RdR\x00RdR\x07R\x00Rd"
#define CREDIT_IN \
	"\x00\x00\x00\x1c\x02\x00\x00\x00\x00S\x13\xc0\x0f\x07R\x00RdR\x00RdR\x01R\x00Rd"
#define SEND_0 \
	"\x00\x00\x00)\x02\x00\x00\x00\x00S\x14\xc0\x12\x0aR\x00R\x00\xa0\x03tagR\x00\x42\x42@@@B\x00Su\xa0\x05he" \
	"llo"
#define SEND_1 \
	"\x00\x00\x00)\x02\x00\x00\x00\x00S\x14\xc0\x12\x0aR\x00R\x01\xa0\x03tagR\x00\x42\x42@@@B\x00Su\xa0\x05he" \
	"llo"
#define SEND_2 \
	"\x00\x00\x00)\x02\x00\x00\x00\x00S\x14\xc0\x12\x0aR\x00R\x02\xa0\x03tagR\x00\x42\x42@@@B\x00Su\xa0\x05he" \
	"llo"
#define SEND_SETTLED \
	"\x00\x00\x00)\x02\x00\x00\x00\x00S\x14\xc0\x12\x0aR\x00R\x03\xa0\x03tagR\x00\x41\x42@@@B\x00Su\xa0\x05he" \
	"llo"
#define SEND_TRACED \
	"\x00\x00\x00u\x02\x00\x00\x00\x00S\x14\xc0\x12\x0aR\x00R\x00\xa0\x03tagR\x00\x42\x42@@@B\x00St\xc1G\x02" \
	"\xa1\x0btraceparent\xa1\x37\x30\x30-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\x00Su\xa0\x05he" \
	"llo"
#define SEND_HALF \
	"\x00\x00\x00)\x02\x00\x00\x00\x00S\x14\xc0\x12\x0aR\x00R\x04\xa0\x03tagR\x00\x42\x41@@@B\x00Su\xa0\x05he" \
	"llo"
#define SEND_REST \
	"\x00\x00\x00(\x02\x00\x00\x00\x00S\x14\xc0\x11\x0aR\x00@\xa0\x03tagR\x00\x42\x42@@@B\x00Su\xa0\x05there"
#define SEND_ABORTED \
	"\x00\x00\x00\x1e\x02\x00\x00\x00\x00S\x14\xc0\x11\x0aR\x00@\xa0\x03tagR\x00\x42\x42@@@A"
#define SEND_5 \
	"\x00\x00\x00)\x02\x00\x00\x00\x00S\x14\xc0\x12\x0aR\x00R\x05\xa0\x03tagR\x00\x42\x42@@@B\x00Su\xa0\x05he" \
	"llo"
#define DELIVER_0 \
	"\x00\x00\x00)\x02\x00\x00\x05\x00S\x14\xc0\x12\x0aR\x00R\x00\xa0\x03tagR\x00\x42\x42@@@B\x00Su\xa0\x05he" \
	"llo"
#define DELIVER_DYNAMIC \
	"\x00\x00\x00)\x02\x00\x00\x05\x00S\x14\xc0\x12\x0aR\x01R\x01\xa0\x03tagR\x00\x42\x42@@@B\x00Su\xa0\x05he" \
	"llo"
#define ACCEPTED_0_1 \
	"\x00\x00\x00\x18\x02\x00\x00\x05\x00S\x15\xc0\x0b\x05\x41R\x00R\x01\x41\x00S$E"
#define ACCEPTED_0 \
	"\x00\x00\x00\x17\x02\x00\x00\x05\x00S\x15\xc0\x0a\x05\x41R\x00@A\x00S$E"
#define ACCEPTED_4 \
	"\x00\x00\x00\x17\x02\x00\x00\x05\x00S\x15\xc0\x0a\x05\x41R\x04@A\x00S$E"
#define REJECTED_2 \
	"\x00\x00\x00\x17\x02\x00\x00\x05\x00S\x15\xc0\x0a\x05\x41R\x02@A\x00S%E"
#define REJECTED_WHY_0 \
	"\x00\x00\x00K\x02\x00\x00\x05\x00S\x15\xc0>\x05\x41R\x00@A\x00S%\xc0\x33\x01\x00S\x1d\xc0-\x02\xa3\x1c" \
	"\x61mqp:resource-limit-exceeded\xa1\x0csecret words"
#define RELEASED_1 \
	"\x00\x00\x00\x17\x02\x00\x00\x05\x00S\x15\xc0\x0a\x05\x41R\x01@A\x00S&E"
#define MODIFIED_2 \
	"\x00\x00\x00\x17\x02\x00\x00\x05\x00S\x15\xc0\x0a\x05\x41R\x02@A\x00S'E"
#define RECEIVED_5 \
	"\x00\x00\x00\x1d\x02\x00\x00\x05\x00S\x15\xc0\x10\x05\x41R\x05@B\x00S#\xc0\x05\x02R\x00R\x00"
#define IN_TRANSACTION_5 \
	"\x00\x00\x00!\x02\x00\x00\x05\x00S\x15\xc0\x14\x05\x41R\x05@A\x00S4\xc0\x09\x02\xa0\x02tx\x00S$E"
#define CLIENT_ACCEPTS \
	"\x00\x00\x00\x17\x02\x00\x00\x00\x00S\x15\xc0\x0a\x05\x41R\x00@A\x00S$E"
#define CLIENT_REJECTS \
	"\x00\x00\x00\x18\x02\x00\x00\x00\x00S\x15\xc0\x0b\x05\x41R\x00R\x01\x41\x00S%E"
#define CLIENT_RELEASES \
	"\x00\x00\x00\x17\x02\x00\x00\x00\x00S\x15\xc0\x0a\x05\x41R\x01@A\x00S&E"
#define DETACH \
	"\x00\x00\x00\x11\x02\x00\x00\x00\x00S\x16\xc0\x04\x02R\x00\x41"
#define DETACH_OK \
	"\x00\x00\x00\x11\x02\x00\x00\x05\x00S\x16\xc0\x04\x02R\x07\x41"
#define DETACH_WHY \
	"\x00\x00\x00\x3f\x02\x00\x00\x05\x00S\x16\xc0\x32\x03R\x07\x41\x00S\x1d\xc0)\x02\xa3\x18\x61mqp:unauthor" \
	"ized-access\xa1\x0csecret words"
#define END \
	"\x00\x00\x00\x0c\x02\x00\x00\x00\x00S\x17\x45"
#define END_OK \
	"\x00\x00\x00\x0c\x02\x00\x00\x05\x00S\x17\x45"
#define END_WHY \
	"\x00\x00\x00\x32\x02\x00\x00\x05\x00S\x17\xc0%\x01\x00S\x1d\xc0\x1f\x02\xa3\x0e\x61mqp:not-found\xa1\x0c" \
	"secret words"
#define CLOSE \
	"\x00\x00\x00\x0c\x02\x00\x00\x00\x00S\x18\x45"
#define CLOSE_OK \
	"\x00\x00\x00\x0c\x02\x00\x00\x00\x00S\x18\x45"
#define CLOSE_WHY \
	"\x00\x00\x00:\x02\x00\x00\x00\x00S\x18\xc0-\x01\x00S\x1d\xc0'\x02\xa3\x16\x61mqp:connection:forced\xa1" \
	"\x0csecret words"
#define HEARTBEAT \
	"\x00\x00\x00\x08\x02\x00\x00\x00"

#define BEGUN HELLO OPEN BEGIN ATTACH
#define BEGUN_OK HELLO OPEN_OK BEGIN_OK ATTACH_OK CREDIT
#define BEGUN_ANSWERS "OPEN 0 ok - 0 31/22\nBEGIN 0 ok - 0 21/23\nATTACH orders 0 ok - 0 42/42\n"

Test(amqp1, a_connection_from_its_first_byte_to_its_last)
{
	static const struct turn v[] = {
		T(C, SASL), T(S, SASL MECHANISMS), T(C, INIT), T(S, OUTCOME), T(C, HELLO OPEN), T(S, HELLO OPEN_OK), T(C, BEGIN), T(S, BEGIN_OK),
		T(C, ATTACH), T(S, ATTACH_OK CREDIT), T(C, HEARTBEAT SEND_0), T(S, HEARTBEAT ACCEPTED_0), T(C, DETACH), T(S, DETACH_OK),
		T(C, END), T(S, END_OK), T(C, CLOSE), T(S, CLOSE_OK),
	};

	TALK(0, false, v, "SASL PLAIN 0 ok - 0 42/16\nOPEN 0 ok - 0 31/22\nBEGIN 0 ok - 0 21/23\n"
			  "ATTACH orders 0 ok - 0 42/42\nSEND orders 0 ok - 1 41/23\nDETACH orders 0 ok - 0 17/17\n"
			  "END 0 ok - 0 12/12\nCLOSE 0 ok - 0 12/12\n");
}

/* Several by one disposition, refused, with a reason, released; those sent settled have no answer. */
Test(amqp1, dispositions_answer_by_number)
{
	static const struct turn v[] = {
		T(C, BEGUN), T(S, BEGUN_OK), T(C, SEND_0 SEND_1 SEND_SETTLED SEND_2), T(S, REJECTED_2), T(S, ACCEPTED_0_1), T(S, ACCEPTED_0),
	};
	static const struct turn refused[] = {
		T(C, BEGUN), T(S, BEGUN_OK), T(C, SEND_0 SEND_1 SEND_2), T(S, REJECTED_WHY_0 RELEASED_1 MODIFIED_2),
	};

	TALK(0, false, v, BEGUN_ANSWERS "SEND orders 0 ok - 1 41/0\nSEND orders 0 client_error REJECTED 0 41/23\n"
			  "SEND orders 0 ok - 1 41/24\nSEND orders 0 ok - 1 41/24\n");
	TALK(0, false, refused, BEGUN_ANSWERS "SEND orders 0 server_error amqp:resource-limit-exceeded 0 41/75\n"
			  "SEND orders 0 server_error RELEASED 0 41/23\nSEND orders 0 server_error MODIFIED 0 41/23\n");
}

/* A message of two frames is one; what was aborted is none; part of a transaction, the outcome is within. */
Test(amqp1, a_message_may_have_several_frames)
{
	static const struct turn v[] = {
		T(C, BEGUN), T(S, BEGUN_OK), T(C, SEND_HALF), T(C, HEARTBEAT SEND_REST), T(S, ACCEPTED_4), T(C, SEND_HALF SEND_ABORTED SEND_5),
		T(S, RECEIVED_5 IN_TRANSACTION_5),
	};

	TALK(0, false, v, BEGUN_ANSWERS "SEND orders 0 ok - 1 81/23\nSEND orders 0 ok - 1 41/33\n");
}

Test(amqp1, deliveries_have_the_address_of_their_link)
{
	static const struct turn v[] = {
		T(C, HELLO OPEN BEGIN ATTACH_IN ATTACH_DYNAMIC CREDIT_IN), T(S, HELLO OPEN_OK BEGIN_OK ATTACH_IN_OK ATTACH_DYNAMIC_OK),
		T(S, DELIVER_0), T(C, CLIENT_ACCEPTS), T(S, DELIVER_DYNAMIC), T(C, CLIENT_REJECTS CLIENT_RELEASES),
	};

	TALK(0, false, v, "OPEN 0 ok - 0 31/22\nBEGIN 0 ok - 0 21/23\nATTACH /queue/mail/{id} 0 ok - 0 51/51\n"
			  "ATTACH {id} 0 ok - 0 39/55\nDELIVER /queue/mail/{id} 0 ok - 1 41/0\n"
			  "DELIVER {id} 0 ok - 1 41/0\nREJECT 0 ok - 2 24/0\nRELEASE 0 ok - 1 23/0\n");
}

/* The end of a link, of its session or of the connection says why. */
Test(amqp1, an_attach_is_refused)
{
	static const struct turn v[] = {
		T(C, HELLO OPEN BEGIN ATTACH), T(S, HELLO OPEN_OK BEGIN_OK ATTACH_NULL), T(S, DETACH_WHY), T(C, DETACH), T(C, ATTACH), T(S, END_WHY),
		T(C, END), T(C, BEGIN ATTACH), T(S, BEGIN_OK CLOSE_WHY), T(C, CLOSE),
	};

	TALK(0, false, v, "OPEN 0 ok - 0 31/22\nBEGIN 0 ok - 0 21/23\n"
			  "ATTACH orders 0 client_error amqp:unauthorized-access 0 42/63\n"
			  "ATTACH orders 0 client_error amqp:not-found 0 42/50\nBEGIN 0 ok - 0 21/23\n"
			  "ATTACH orders 0 server_error amqp:connection:forced 0 42/58\n");
}

Test(amqp1, what_the_server_ends_is_told)
{
	static const struct turn v[] = {
		T(C, BEGUN), T(S, BEGUN_OK), T(S, DETACH_WHY), T(C, DETACH), T(S, END_WHY), T(C, END), T(S, CLOSE_WHY), T(C, CLOSE),
	};
	static const struct turn refused[] = {T(C, SASL), T(S, SASL MECHANISMS), T(C, INIT), T(S, REFUSED)};

	TALK(0, false, v, BEGUN_ANSWERS "DETACH orders 0 client_error amqp:unauthorized-access 0 63/0\n"
			  "END 0 client_error amqp:not-found 0 50/0\nCLOSE 0 server_error amqp:connection:forced 0 58/0\n");
	TALK(0, false, refused, "SASL PLAIN 1 client_error AUTH 0 42/16\n");
}

#define JUNK "\xfe\xff rest of a message that began before, and is long enough to be nobody's beginning"

/* Links have no address then, and the server's channel is taken to be the client's. */
Test(amqp1, joined_in_the_middle)
{
	static const struct turn v[] = {T(S, JUNK), T(C, JUNK), T(C, SEND_0), T(S, DELIVER_0), T(C, SEND_1)};
	static struct talk t;

	talk_init(&t, 5672, true);
	talk_play(&t, v, 5, 0, 5, 0);
	talk_end(&t);
	talk_expect(&t, "DELIVER 0 ok - 1 41/0\nSEND 0 aborted - 0 41/0\nSEND 0 aborted - 0 41/0\n", "middle");
}

Test(amqp1, a_hole_is_resynchronised)
{
	static struct talk t;

	talk_init(&t, 5672, false);
	talk_say(&t, C, BEGUN, sizeof(BEGUN) - 1);
	talk_say(&t, S, BEGUN_OK, sizeof(BEGUN_OK) - 1);
	t.seq[C] += 5000;
	for (int i = 0; i < 40; i++) {
		t.ts += 100000000;
		talk_say(&t, C, SEND_SETTLED, sizeof(SEND_SETTLED) - 1);
	}
	talk_end(&t);
	cr_assert_geq(t.pool.requests, 38);
	cr_assert_leq(t.pool.requests, 43);
}

Test(amqp1, a_message_carries_the_id_of_a_trace)
{
	static const struct turn v[] = {T(C, BEGUN), T(S, BEGUN_OK), T(C, SEND_TRACED), T(S, ACCEPTED_0)};
	static struct talk t;

	talk_init(&t, 5672, false);
	talk_play(&t, v, 4, 0, 4, 0);
	talk_end(&t);
	cr_assert_neq(t.ids.trace, 0);
}

Test(amqp1, tls_is_encrypted_and_0_9_1_is_another)
{
	static struct talk t;

	talk_init(&t, 5672, false);
	talk_say(&t, C, TLS, sizeof(TLS) - 1);
	talk_say(&t, S, TLS, sizeof(TLS) - 1);
	cr_expect_eq(flow_proto(t.f), PROTO_TLS);
	talk_end(&t);
	talk_init(&t, 5672, false);
	talk_say(&t, C, HELLO OPEN, sizeof(HELLO OPEN) - 1);
	talk_say(&t, S, OTHER, sizeof(OTHER) - 1);
	talk_end(&t);
	talk_expect(&t, "OPEN 0 aborted - 0 31/0\n", "0-9-1");
}

Test(amqp1, what_is_no_frame_is_no_request)
{
	static const struct turn bad[] = {
		T(C, "AMQP\0\2\0\0AMQP\0\2\0\0"), T(C, "\0\0\0\x0c\2\0\0\0\0\x53\x19\x45............"), T(C, "\0\0\0\x07\2\0\0\0\0\x53\x10\x45............"),
		T(C, "\0\0\0\x0c\1\0\0\0\0\x53\x10\x45............"), T(C, "\0\0\0\x0c\2\1\0\0\0\x53\x10\x45............"),
		T(C, "\x7f\0\0\x0c\2\0\0\0\0\x53\x10\x45............"),
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		static struct talk t;

		talk_init(&t, 0, false);
		talk_say(&t, bad[i].dir, bad[i].p, bad[i].n);
		cr_expect_eq(flow_proto(t.f), PROTO_UNKNOWN, "case %zu", i);
		talk_end(&t);
		talk_expect(&t, "", "nothing");
	}
}

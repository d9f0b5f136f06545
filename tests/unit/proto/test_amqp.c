/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames as AMQP 0-9-1 lays them out, written by a program of a few lines. */
#include "talk.h"

#define HELLO \
	"AMQP\x00\x00\x09\x01"
#define START \
	"\x01\x00\x00\x00\x00\x00\x1c\x00\x0a\x00\x0a\x00\x09\x00\x00\x00\x00\x00\x00\x00\x05PLAIN\x00\x00\x00\x05" \
	"\x65n_US\xce"
#define START_OK \
	"\x01\x00\x00\x00\x00\x00!\x00\x0a\x00\x0b\x00\x00\x00\x00\x05PLAIN\x00\x00\x00\x09\x00u\x00secret\x05\x65" \
	"n_US\xce"
#define TUNE \
	"\x01\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x1e\x07\xff\x00\x02\x00\x00\x00<\xce"
#define TUNE_OK \
	"\x01\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x1f\x07\xff\x00\x02\x00\x00\x00<\xce"
#define OPEN \
	"\x01\x00\x00\x00\x00\x00\x08\x00\x0a\x00(\x01/\x00\x00\xce"
#define OPEN_OK \
	"\x01\x00\x00\x00\x00\x00\x05\x00\x0a\x00)\x00\xce"
#define REFUSED \
	"\x01\x00\x00\x00\x00\x00\x19\x00\x0a\x00\x32\x01\x93\x0e\x41\x43\x43\x45SS_REFUSED\x00\x00\x00\x00\xce"
#define CHANNEL \
	"\x01\x00\x01\x00\x00\x00\x05\x00\x14\x00\x0a\x00\xce"
#define CHANNEL_OK \
	"\x01\x00\x01\x00\x00\x00\x08\x00\x14\x00\x0b\x00\x00\x00\x00\xce"
#define DECLARE \
	"\x01\x00\x01\x00\x00\x00\x12\x00\x32\x00\x0a\x00\x00\x06orders\x02\x00\x00\x00\x00\xce"
#define DECLARE_OK \
	"\x01\x00\x01\x00\x00\x00\x13\x00\x32\x00\x0b\x06orders\x00\x00\x00\x00\x00\x00\x00\x00\xce"
#define DECLARE_QUIET \
	"\x01\x00\x01\x00\x00\x00\x11\x00\x32\x00\x0a\x00\x00\x05quiet\x10\x00\x00\x00\x00\xce"
#define DECLARE_ANY \
	"\x01\x00\x01\x00\x00\x00\x0c\x00\x32\x00\x0a\x00\x00\x00\x02\x00\x00\x00\x00\xce"
#define DECLARE_MADE \
	"\x01\x00\x01\x00\x00\x00*\x00\x32\x00\x0a\x00\x00\x1e\x61mq.gen-JzTY20BRgKO-HjmUJj0wLg\x03\x00\x00\x00" \
	"\x00\xce"
#define NOT_FOUND \
	"\x01\x00\x01\x00\x00\x00\x1f\x00\x14\x00(\x01\x94\x14NOT_FOUND - no queue\x00\x32\x00\x0a\xce"
#define CLOSED \
	"\x01\x00\x01\x00\x00\x00\x04\x00\x14\x00)\xce"
#define PUBLISH \
	"\x01\x00\x01\x00\x00\x00\x0f\x00<\x00(\x00\x00\x00\x06orders\x00\xce\x02\x00\x01\x00\x00\x00\x0e\x00<\x00" \
	"\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\xce\x03\x00\x01\x00\x00\x00\x05hello\xce"
#define PUBLISH_EMPTY \
	"\x01\x00\x01\x00\x00\x00\x14\x00<\x00(\x00\x00\x06\x65vents\x05\x61.b.c\x00\xce\x02\x00\x01\x00\x00\x00" \
	"\x0e\x00<\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xce"
#define PUBLISH_TWO \
	"\x01\x00\x01\x00\x00\x00\x14\x00<\x00(\x00\x00\x06\x65vents\x05\x61.b.c\x00\xce\x08\x00\x00\x00\x00\x00" \
	"\x00\xce\x02\x00\x01\x00\x00\x00\x0e\x00<\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08\x00\x00\xce\x03\x00\x01" \
	"\x00\x00\x00\x04half\xce\x03\x00\x01\x00\x00\x00\x04half\xce"
#define PUBLISH_CLOSE \
	"\x01\x00\x01\x00\x00\x00\x22\x00\x14\x00(\x01\x94\x17NOT_FOUND - no exchange\x00<\x00(\xce"
#define SELECT \
	"\x01\x00\x01\x00\x00\x00\x05\x00U\x00\x0a\x00\xce"
#define SELECT_OK \
	"\x01\x00\x01\x00\x00\x00\x04\x00U\x00\x0b\xce"
#define ACK_1 \
	"\x01\x00\x01\x00\x00\x00\x0d\x00<\x00P\x00\x00\x00\x00\x00\x00\x00\x01\x00\xce"
#define ACK_3_ALL \
	"\x01\x00\x01\x00\x00\x00\x0d\x00<\x00P\x00\x00\x00\x00\x00\x00\x00\x03\x01\xce"
#define NACK_2 \
	"\x01\x00\x01\x00\x00\x00\x0d\x00<\x00x\x00\x00\x00\x00\x00\x00\x00\x02\x00\xce"
#define RETURN \
	"\x01\x00\x01\x00\x00\x00\x1c\x00<\x00\x32\x01\x38\x08NO_ROUTE\x06\x65vents\x05\x61.b.c\xce\x02\x00\x01" \
	"\x00\x00\x00\x0e\x00<\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\xce\x03\x00\x01\x00\x00\x00\x03\x61" \
	"\x62\x63\xce"
#define GET \
	"\x01\x00\x01\x00\x00\x00\x0e\x00<\x00\x46\x00\x00\x06orders\x01\xce"
#define GET_OK \
	"\x01\x00\x01\x00\x00\x00\x19\x00<\x00G\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x06orders\x00\x00\x00\x00" \
	"\xce\x02\x00\x01\x00\x00\x00\x0e\x00<\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\xce\x03\x00\x01\x00" \
	"\x00\x00\x05hello\xce"
#define GET_EMPTY \
	"\x01\x00\x01\x00\x00\x00\x05\x00<\x00H\x00\xce"
#define CONSUME \
	"\x01\x00\x01\x00\x00\x00\x13\x00<\x00\x14\x00\x00\x06orders\x00\x00\x00\x00\x00\x00\xce"
#define CONSUME_OK \
	"\x01\x00\x01\x00\x00\x00\x0a\x00<\x00\x15\x05\x63tag1\xce"
#define DELIVER \
	"\x01\x00\x01\x00\x00\x00 \x00<\x00<\x05\x63tag1\x00\x00\x00\x00\x00\x00\x00\x01\x00\x06\x65vents\x05\x61." \
	"b.c\xce\x02\x00\x01\x00\x00\x00\x0e\x00<\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\xce\x03\x00\x01" \
	"\x00\x00\x00\x05hello\xce"
#define DELIVER_AGAIN \
	"\x01\x00\x01\x00\x00\x00 \x00<\x00<\x05\x63tag1\x00\x00\x00\x00\x00\x00\x00\x02\x01\x06\x65vents\x05\x61." \
	"b.c\xce\x02\x00\x01\x00\x00\x00\x0e\x00<\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\xce\x03\x00\x01" \
	"\x00\x00\x00\x05hello\xce"
#define CLIENT_ACK \
	"\x01\x00\x01\x00\x00\x00\x0d\x00<\x00P\x00\x00\x00\x00\x00\x00\x00\x01\x00\xce"
#define CLIENT_NACK \
	"\x01\x00\x01\x00\x00\x00\x0d\x00<\x00x\x00\x00\x00\x00\x00\x00\x00\x02\x02\xce"
#define BLOCKED \
	"\x01\x00\x00\x00\x00\x00\x12\x00\x0a\x00<\x0dlow on memory\xce"
#define CANCELLED \
	"\x01\x00\x01\x00\x00\x00\x0b\x00<\x00\x1e\x05\x63tag1\x01\xce"
#define BYE \
	"\x01\x00\x00\x00\x00\x00\x0e\x00\x0a\x00\x32\x00\xc8\x03\x62ye\x00\x00\x00\x00\xce"
#define BYE_OK \
	"\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x33\xce"

Test(amqp, a_connection_and_its_queues)
{
	static const struct turn v[] = {
		T(C, HELLO), T(S, START), T(C, START_OK), T(S, TUNE), T(C, TUNE_OK OPEN), T(S, OPEN_OK), T(C, CHANNEL), T(S, CHANNEL_OK),
		T(C, DECLARE), T(S, DECLARE_OK), T(C, DECLARE_QUIET DECLARE_ANY), T(S, DECLARE_OK), T(C, DECLARE_MADE),
		T(S, DECLARE_OK), T(C, GET), T(S, GET_OK), T(C, GET), T(S, GET_EMPTY), T(C, BYE), T(S, BYE_OK),
	};

	TALK(0, false, v, "Connection.Start 0 ok - 0 41/20\nConnection.Open / 0 ok - 0 16/13\nChannel.Open 0 ok - 0 13/16\n"
			  "Queue.Declare orders 0 ok - 0 26/27\nQueue.Declare quiet 0 ok - 0 25/0\n"
			  "Queue.Declare {id} 0 ok - 0 20/27\nQueue.Declare {id} 0 ok - 0 50/27\nBasic.Get orders 0 ok - 1 22/68\n"
			  "Basic.Get orders 0 ok - 0 22/13\nConnection.Close 0 ok - 0 22/12\n");
}

Test(amqp, nobody_answers_a_publication)
{
	static const struct turn v[] = {T(C, HELLO), T(C, PUBLISH PUBLISH_EMPTY), T(C, PUBLISH_TWO PUBLISH)};

	TALK(0, false, v, "PUBLISH orders 0 ok - 1 58/0\nPUBLISH events 0 ok - 1 50/0\nPUBLISH events 0 ok - 1 74/0\n"
			  "PUBLISH orders 0 ok - 1 58/0\n");
}

/* One by one, refused, and several at once; what is never confirmed before the channel closes is lost with it. */
Test(amqp, confirms_answer_by_number)
{
	static const struct turn v[] = {
		T(C, HELLO), T(C, CHANNEL), T(S, CHANNEL_OK), T(C, SELECT), T(S, SELECT_OK), T(C, PUBLISH), T(S, ACK_1),
		T(C, PUBLISH PUBLISH_EMPTY), T(S, RETURN NACK_2 ACK_3_ALL), T(C, PUBLISH_EMPTY), T(S, PUBLISH_CLOSE), T(C, CLOSED),
	};

	TALK(0, false, v, "Channel.Open 0 ok - 0 13/16\nConfirm.Select 0 ok - 0 13/12\nPUBLISH orders 0 ok - 1 58/21\n"
			  "RETURN events 0 client_error NO_ROUTE 1 69/0\nPUBLISH orders 0 server_error NACK 0 58/21\n"
			  "PUBLISH events 0 ok - 1 50/21\nChannel.Close 0 client_error NOT_FOUND 0 42/0\n"
			  "PUBLISH events 0 aborted - 0 50/42\n");
}

Test(amqp, several_are_confirmed_at_once)
{
	static const struct turn v[] = {
		T(C, HELLO), T(C, SELECT), T(S, SELECT_OK), T(C, PUBLISH PUBLISH PUBLISH), T(S, ACK_3_ALL),
	};

	TALK(0, false, v, "Confirm.Select 0 ok - 0 13/12\nPUBLISH orders 0 ok - 1 58/0\nPUBLISH orders 0 ok - 1 58/0\n"
			  "PUBLISH orders 0 ok - 1 58/21\n");
}

/* The queue is that of the Consume, whatever exchange the message came by. */
Test(amqp, deliveries_have_the_name_of_their_queue)
{
	static const struct turn v[] = {
		T(C, HELLO), T(C, CONSUME), T(S, CONSUME_OK DELIVER), T(C, CLIENT_ACK), T(S, DELIVER_AGAIN), T(C, CLIENT_NACK),
		T(S, CANCELLED BLOCKED),
	};

	TALK(0, false, v, "Basic.Consume orders 0 ok - 0 27/18\nDELIVER orders 0 ok - 1 75/0\nDELIVER orders 0 ok REDELIVERED 1 75/0\n"
			  "Basic.Nack 0 ok - 0 21/0\nCANCEL 0 server_error QUEUE_GONE 0 19/0\n"
			  "Connection.Blocked 0 server_error RESOURCE_ALARM 0 26/0\n");
}

Test(amqp, a_close_is_the_answer_to_its_reason)
{
	static const struct turn v[] = {T(C, HELLO), T(C, DECLARE), T(S, NOT_FOUND), T(C, CLOSED)};
	static const struct turn refused[] = {T(C, HELLO), T(S, START), T(C, START_OK), T(S, REFUSED), T(C, BYE_OK)};

	TALK(0, false, v, "Queue.Declare orders 404 client_error NOT_FOUND 0 26/39\n");
	TALK(0, false, refused, "Connection.Start 403 client_error ACCESS_REFUSED 0 41/33\n");
}

#define JUNK "\xfe\xff rest of a body that began before, and is long enough to be nobody's beginning"

/* Whether publications are confirmed is not known: they are counted. */
Test(amqp, joined_in_the_middle)
{
	static const struct turn v[] = {T(S, JUNK), T(C, JUNK), T(C, PUBLISH), T(S, ACK_1 DELIVER), T(C, PUBLISH_EMPTY)};
	static struct talk t;

	talk_init(&t, 5672, true);
	talk_play(&t, v, 5, 0, 5, 0);
	talk_end(&t);
	talk_expect(&t, "PUBLISH orders 0 ok - 1 58/0\nDELIVER events 0 ok - 1 75/0\nPUBLISH events 0 ok - 1 50/0\n", "middle");
}

Test(amqp, a_hole_is_resynchronised)
{
	static struct talk t;

	talk_init(&t, 5672, false);
	talk_say(&t, C, HELLO, sizeof(HELLO) - 1);
	talk_say(&t, C, SELECT PUBLISH, sizeof(SELECT PUBLISH) - 1);
	t.seq[C] += 5000;
	for (int i = 0; i < 40; i++) {
		t.ts += 100000000;
		talk_say(&t, C, PUBLISH, sizeof(PUBLISH) - 1);
	}
	talk_end(&t);
	cr_assert_geq(t.pool.requests, 38);
	cr_assert_leq(t.pool.requests, 42);
}

/* Of a large body only the beginning is seen. */
Test(amqp, a_body_is_skipped)
{
	static char big[8192] = PUBLISH;
	static struct talk t;
	size_t at = sizeof(PUBLISH) - 1 - 13;   /* the frame of the body */

	big[at - 5] = 0x1f;                      /* size of the body in the content's head, 0x1f05, its frame's, and its end */
	big[at + 5] = 0x1f;
	big[at - 4] = big[at + 6] = 0x05;
	big[at + 7 + 0x1f05] = (char)0xce;
	talk_init(&t, 5672, false);
	talk_say(&t, C, HELLO, sizeof(HELLO) - 1);
	for (int i = 0; i < 3; i++)
		talk_cut(&t, C, big, at + 8 + 0x1f05, 60, 0);
	talk_end(&t);
	talk_expect(&t, "PUBLISH orders 0 ok - 1 7994/0\nPUBLISH orders 0 ok - 1 7994/0\nPUBLISH orders 0 ok - 1 7994/0\n", "cut");
}

Test(amqp, what_is_no_frame_is_no_request)
{
	static const struct turn bad[] = {
		T(C, "AMQP\0\2\0\0AMQP\0\2\0\0"), T(C, "\1\0\1\0\0\0\4\0\x3c\0\x48\xce......"), T(C, "\1\0\1\0\0\0\4\0\x3c\0\x50\xcd......"),
		T(C, "\1\0\1\x7f\0\0\4\0\x3c\0\x50......."), T(C, "\2\0\1\0\0\0\xe\0\x3c\0\1\0\0\0\0\0\0\0\0\0\0\xce"),
		T(C, "\3\0\1\0\0\0\4abcd\xce"), T(C, "\5\0\1\0\0\0\4abcd\xce......"),
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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#define HEAD(flags, status, id, n) "\xda\xbb" flags status "\0\0\0\0\0\0\0" id "\0\0\0" n

Test(dubbo2, calls)
{
	static const struct turn v[] = {
		T(C, HEAD("\xc2", "\0", "\1", "\x46") "\5" "2.0.2\x17" "com.example.DemoService\5" "1.0.0\4find\x12Ljava/lang/String;\6s3cr3t123"),
		T(C, HEAD("\xc2", "\0", "\2", "\x46") "\5" "2.0.2\x17" "com.example.DemoService\5" "1.0.0\4drop\x12Ljava/lang/String;\6s3cr3t123"),
		T(S, HEAD("\2", "\x14", "\2", "\3") "\x90xx" HEAD("\2", "\x14", "\1", "\2") "\x91x"),
		T(C, HEAD("\xe2", "\0", "\3", "\1") "N"), T(S, HEAD("\x22", "\x14", "\3", "\1") "N"),
		T(C, HEAD("\xc6", "\0", "\4", "\x1b") "\"2.0.2\"\n\"a.B\"\nnull\n\"run\"\n\n\n"), T(S, HEAD("\6", "\x64", "\4", "\1") "x"),
		T(C, HEAD("\x8f", "\0", "\5", "\3") "abc"), T(S, HEAD("\xe2", "\0", "\x9", "\1") "N"), T(C, HEAD("\x22", "\x14", "\x9", "\1") "N"),
	};

	TALK(20880, false, v, "com.example.DemoService/drop 20 server_error EXCEPTION 0 86/19\ncom.example.DemoService/find 20 ok - 0 86/18\n"
			      "heartbeat 20 ok - 0 17/17\na.B/run 100 server_error THREADPOOL_EXHAUSTED 0 43/17\nrequest 0 ok - 0 19/0\n");
}

Test(dubbo2, gigantic_lengths)
{
	static struct talk t;

	talk_init(&t, 20880, false);
	talk_say(&t, C, "\xda\xbb\xc2\0\0\0\0\0\0\0\0\1\xff\xff\xff\xff", 16);
	cr_assert_eq(flow_proto(t.f), PROTO_UNKNOWN);
	talk_end(&t);
}

Test(foundationdb, has_a_name_and_no_requests)
{
	static struct talk t;

	talk_init(&t, 4500, false);
	talk_say(&t, C, "\x2c\0\0\0\0\0\0\x72\xb0\0\xdb\x0f\0\0\1\2\3\4\5\6\7\x08\0\0\0\0\0\0", 28);
	cr_assert_eq(flow_proto(t.f), PROTO_FOUNDATIONDB);
	talk_say(&t, S, "\x2c\0\0\0\0\0\0\x72\xb0\0\xdb\x0f\0\0\1\2\3\4\5\6\7\x08\0\0\0\0\0\0", 28);
	talk_say(&t, C, "\x10\0\0\0garbage", 11);
	cr_assert(flow_is_deaf(t.f), "the kernel may stop sending");
	cr_assert_eq(flow_proto(t.f), PROTO_FOUNDATIONDB);
	talk_end(&t);
	cr_assert_eq(t.len, 0, "%s", t.log);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#define ID(n) "\2\1" n
#define RESULT(tag, code) tag "\7\x0a\1" code "\4\0\4\0"

static const struct turn v[] = {
	T(C, "\x30\x16" ID("\1") "\x60\x11\2\1\3\4\4cn=a\x80\6s3cr3t"), T(S, "\x30\x0c" ID("\1") RESULT("\x61", "\x31")),
	T(C, "\x30\x0c" ID("\2") "\x60\7\2\1\3\4\0\x80\0"), T(S, "\x30\x0c" ID("\2") RESULT("\x61", "\0")),
	/* both at once, answered the other way round */
	T(C, "\x30\x1c" ID("\3") "\x63\x17\4\x0cou=p,dc=a,o=\x0a\1\2\x0a\1\0\2\1\0"
	     "\x30\x15" ID("\4") "\x4a\x10uid=s3cr3t,dc=ab"),
	T(S, "\x30\x08" ID("\3") "\x64\3\4\1x" "\x30\x0c" ID("\4") RESULT("\x6b", "\x20") "\x30\x08" ID("\3") "\x64\3\4\1y"
	     "\x30\x0c" ID("\3") RESULT("\x65", "\0")),
	T(C, "\x30\x1d" ID("\5") "\x77\x18\x80\x16" "1.3.6.1.4.1.1466.20037"), T(S, "\x30\x0c" ID("\5") RESULT("\x78", "\x34")),
	T(C, "\x30\5" ID("\6") "\x42\0"),
};

Test(ldap, operations)
{
	TALK(389, false, v, "BIND simple 49 client_error INVALID_CREDENTIALS 0 24/14\nBIND anonymous 0 ok - 0 14/14\n"
			    "DELETE uid={id},dc=ab 32 client_error NO_SUCH_OBJECT 0 23/14\nSEARCH sub ou=p,dc=a,o= 0 ok - 2 30/34\n"
			    "STARTTLS 52 server_error UNAVAILABLE 0 31/14\nUNBIND 0 ok - 0 7/0\n");
}

Test(ldap, starttls)
{
	static struct talk t;

	talk_init(&t, 389, false);
	talk_say(&t, C, "\x30\x1d" ID("\1") "\x77\x18\x80\x16" "1.3.6.1.4.1.1466.20037", 31);
	talk_say(&t, S, "\x30\x0c" ID("\1") RESULT("\x78", "\0"), 14);
	talk_say(&t, C, "\x16\3\1\0\5\1\0\0\1\3", 10);
	cr_assert_eq(flow_proto(t.f), PROTO_TLS);
	talk_end(&t);
	talk_expect(&t, "STARTTLS 0 ok - 0 31/14\n", "starttls");
}

Test(ldap, other_ber_is_not)
{
	static const char snmp[] = "\x30\x0c\2\1\1\4\6public\xa0\0";
	static struct talk t;

	talk_init(&t, 389, false);
	talk_say(&t, C, snmp, sizeof(snmp) - 1);
	cr_assert_eq(flow_proto(t.f), PROTO_UNKNOWN);
	talk_end(&t);
}

/* A length of four gigabytes, lengths of lengths, a message that is longer than its parts: all refused, at once. */
Test(ldap, hostile)
{
	static const char *const bad[] = {"\x30\x84\xff\xff\xff\xff\2\1\1\x63", "\x30\x88\0\0\0\0\0\0\0\5\2\1\1\x63", "\x30\x80\2\1\1\x63\0\0\0\0",
					  "\x30\x0c\2\5\1\1\1\1\1\x63\0\0\0\0"};
	static struct talk t;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		talk_init(&t, 389, false);
		talk_say(&t, v[2].dir, v[2].p, v[2].n);
		talk_say(&t, S, v[3].p, v[3].n);
		talk_say(&t, C, bad[i], 10);
		cr_expect_eq(t.pool.broken, 1, "case %zu", i);
		talk_end(&t);
	}
}

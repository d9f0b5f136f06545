/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#include "proto/normalise.h"

#define LEN(n) "\0" n
#define ASK(id) id "\1\0\0\1\0\0\0\0\0\0"                      /* recursion desired, one question */
#define ANSWER(id, rcode, n) id "\x81" rcode "\0\1\0" n "\0\0\0\0"
#define NAME "\7Example\3COM\0"
#define IN "\0\1"
#define A "\0\1" IN
#define AAAA "\0\x1c" IN
#define RR_A "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x5d\xb8\xd8\x22"   /* 16 bytes, its name a pointer */
#define OPT "\0\0\x29\x10\0\1\0\0\0\0\0"                       /* EDNS: the upper bits of the status are 1 */

/* What a resolver of libc does: both questions at once, answered in any order. */
Test(dns, answers_find_their_question)
{
	static const struct turn v[] = {
		T(C, LEN("\x1d") ASK("\0\0") NAME A), T(C, LEN("\x1d") ASK("\xab\2") NAME AAAA),
		T(S, LEN("\x1d") ANSWER("\xab\2", "\x80", "\0") NAME AAAA), T(S, LEN("\x2d") ANSWER("\0\0", "\x80", "\1") NAME A RR_A),
	};

	TALK(53, false, v, "AAAA example.com 0 ok - 0 29/29\nA example.com 0 ok - 1 29/45\n");
}

Test(dns, statuses)
{
	static const struct turn v[] = {
		T(C, LEN("\x1d") ASK("\0\1") NAME A), T(S, LEN("\x1d") ANSWER("\0\1", "\x83", "\0") NAME A),
		T(C, LEN("\x1d") ASK("\0\2") NAME A), T(S, LEN("\x1d") ANSWER("\0\2", "\x82", "\0") NAME A),
		T(C, LEN("\x1d") ASK("\0\3") NAME A), T(S, LEN("\x0c") "\0\3\x81\x85\0\0\0\0\0\0\0\0"),
		T(C, LEN("\x1d") ASK("\0\4") NAME A), T(S, LEN("\x28") "\0\4\x81\x80\0\1\0\0\0\0\0\1" NAME A OPT),
		T(C, LEN("\x1d") ASK("\0\5") NAME A),
	};

	TALK(53, false, v, "A example.com 3 ok NXDOMAIN 0 29/29\nA example.com 2 server_error SERVFAIL 0 29/29\n"
			   "A example.com 5 server_error REFUSED 0 29/12\nA example.com 16 client_error BADVERS 0 29/40\n"
			   "A example.com 0 aborted - 0 29/0\n");
}

/* What did not fit is asked for again over TCP; EDNS and DNSSEC's records are questions as others. */
Test(dns, truncated_and_edns)
{
	static const struct turn v[] = {
		T(C, LEN("\x28") "\0\1\1\0\0\1\0\0\0\0\0\1" NAME "\0\x30" IN OPT),
		T(S, LEN("\x28") "\0\1\x83\x80\0\1\0\0\0\0\0\1" NAME "\0\x30" IN "\0\0\x29\x10\0\0\0\0\0\0\0"),
	};

	TALK(53, false, v, "DNSKEY example.com 0 ok TRUNCATED 0 40/40\n");
}

/* Two of one id, because the first was not answered in time: one answer, one that never came. */
Test(dns, asked_again)
{
	static const struct turn v[] = {
		T(C, LEN("\x1d") ASK("\0\1") NAME A), T(C, LEN("\x1d") ASK("\0\1") NAME A),
		T(S, LEN("\x1d") ANSWER("\0\1", "\x80", "\0") NAME A),
	};

	TALK(53, false, v, "A example.com 0 ok - 0 29/29\nA example.com 0 aborted - 0 29/0\n");
}

Test(dns, other_kinds)
{
	static const struct turn v[] = {
		T(C, LEN("\x1d") "\0\1\x20\0\0\1\0\1\0\0\0\0" NAME "\0\6" IN), T(S, LEN("\x0c") "\0\1\xa0\0\0\0\0\0\0\0\0\0"),
		T(C, LEN("\x11") ASK("\0\2") "\0" "\0\2" IN), T(S, LEN("\x11") ANSWER("\0\2", "\x80", "\0") "\0" "\0\2" IN),
		T(C, LEN("\x11") ASK("\0\3") "\0" "\x12\x34" IN), T(S, LEN("\x0c") ANSWER("\0\3", "\x84", "\0")),
	};
	static struct talk t;

	talk_init(&t, 53, false);
	talk_play(&t, v, 5, 0, 9, 0);
	talk_end(&t);
	talk_expect(&t, "NOTIFY example.com 0 ok - 0 29/12\nNS . 0 ok - 0 17/17\nTYPE4660 . 0 aborted - 0 17/0\n", "whole");
}

/* A name that points to itself, one longer than its message, one longer than a name may be: none is a question. */
Test(dns, hostile_names)
{
	static const char *const bad[] = {
		LEN("\x12") ASK("\0\1") "\xc0\x0c" A, LEN("\x12") ASK("\0\1") "\x3f" "a" A, LEN("\x12") ASK("\0\1") "\x80" "a" A,
	};
	static struct talk t;
	char name[400];

	for (size_t i = 0; i < 3; i++) {
		talk_init(&t, 53, false);
		talk_say(&t, C, bad[i], 20);
		talk_end(&t);
		cr_assert_eq(t.len, 0, "%s", t.log);
	}
	memcpy(name, "\1\x7c" ASK("\0\1"), 14);
	for (size_t i = 14; i < sizeof(name); i += 64) {
		memset(name + i, 'a', sizeof(name) - i < 64 ? sizeof(name) - i : 64);
		name[i] = 63;
	}
	talk_init(&t, 53, false);
	talk_say(&t, C, name, 0x17e);
	talk_end(&t);
	cr_assert_eq(t.len, 0, "%s", t.log);
}

Test(dns, joined_in_the_middle)
{
	static const struct turn v[] = {
		T(S, "tail of an answer"), T(C, LEN("\x1d") ASK("\0\1") NAME A),
		T(S, LEN("\x1d") ANSWER("\0\1", "\x80", "\0") NAME A), T(C, LEN("\x1d") ASK("\0\2") NAME AAAA),
		T(S, LEN("\x1d") ANSWER("\0\2", "\x80", "\0") NAME AAAA),
	};
	static struct talk t;

	talk_init(&t, 53, true);
	talk_play(&t, v, 5, 0, 9, 0);
	talk_end(&t);
	cr_assert(strstr(t.log, "AAAA example.com 0 ok - 0 29/29\n"), "%s", t.log);
}

/* The answer of a large message is there when its head is; the rest may be cut off. */
Test(dns, cut)
{
	static char big[1202] = "\4\xb0" ANSWER("\0\1", "\x80", "\x40") NAME A;
	static struct talk t;

	talk_init(&t, 53, false);
	talk_say(&t, C, LEN("\x1d") ASK("\0\1") NAME A, 31);
	talk_cut(&t, S, big, sizeof(big), 512, 64);
	talk_say(&t, C, LEN("\x1d") ASK("\0\2") NAME A, 31);
	talk_say(&t, S, LEN("\x1d") ANSWER("\0\2", "\x80", "\0") NAME A, 31);
	talk_end(&t);
	talk_expect(&t, "A example.com 0 ok - 64 29/1200\nA example.com 0 ok - 0 29/29\n", "cut");
}

Test(dns, names)
{
	static const struct { const char *wire; size_t n; const char *want; } names[] = {
#define N(wire, want) {wire, sizeof(wire), want}
		N("\3www\7example\3org", "A www.example.org"),
		N("\1" "4\1" "3\1" "2\1" "1\7in-addr\4arpa", "A {id}.in-addr.arpa"),
		N("\1" "b\1" "a\1" "9\3ip6\4arpa", "A {id}.ip6.arpa"),
		N("\7redis-0\5redis\7default\3svc", "A redis-0.redis.default.svc"),
		N("\15ip-10-0-0-111\3ec2", "A {id}.ec2"),
		N("\40" "0123456789abcdef0123456789abcdef\3cdn\3net", "A {id}.cdn.net"),
		N("\5_http\4_tcp\3srv", "A _http._tcp.srv"),
		N("\5a\x1b.\xff\x80\1b", "A a????.b"),
		N("", "A ."),
#undef N
	};
	char out[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		normalise_dns(out, sizeof(out), "A", 1, (const uint8_t *)names[i].wire, names[i].n, false);
		cr_assert_str_eq(out, names[i].want);
	}
}

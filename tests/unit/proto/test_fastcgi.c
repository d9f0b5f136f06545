/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#define BEGIN(id) "\1\1\0" id "\0\x08\0\0\0\1\1\0\0\0\0\0"
#define END(id, app, how) "\1\3\0" id "\0\x08\0\0\0\0\0" app how "\0\0\0"
#define PARAMS(id, n, pairs) "\1\4\0" id "\0" n "\0\0" pairs
#define GET_X "\x0e\3REQUEST_METHODGET\x0b\x0bREQUEST_URI/x/1234?a=1"     /* 19 + 24 = 43 */
#define IN(id, n, body) "\1\5\0" id "\0" n "\0\0" body
#define OUT(id, n, text) "\1\6\0" id "\0" n "\0\0" text
#define ERR(id, n, text) "\1\7\0" id "\0" n "\0\0" text

static const struct turn plain[] = {
	T(C, BEGIN("\1") PARAMS("\1", "\x2b", GET_X) PARAMS("\1", "\0", "") IN("\1", "\0", "")),
	T(S, OUT("\1", "\x15", "Content-type: a\r\n\r\nhi") OUT("\1", "\0", "") END("\1", "\0", "\0")),
	T(C, BEGIN("\1") PARAMS("\1", "\x0a", "\x0e\4REQUEST_") PARAMS("\1", "\x1c", "METHODPOST\x80\0\0\x0b\2SCRIPT_NAME/y")
	     PARAMS("\1", "\0", "") IN("\1", "\3", "abc") IN("\1", "\0", "")),
	T(S, ERR("\1", "\4", "oops") OUT("\1", "\x0d", "Status: 404 N") OUT("\1", "\3", "\n\nx") END("\1", "\0", "\0")),
	T(C, BEGIN("\1") PARAMS("\1", "\x2b", GET_X) PARAMS("\1", "\0", "") IN("\1", "\0", "")),
	T(S, END("\1", "\0", "\2")),
};

Test(fastcgi, requests)
{
	TALK(9000, false, plain, "GET /x/{id} 200 ok - 0 83/53\nPOST /y 404 client_error STDERR 0 97/60\n"
				 "GET /x/{id} 0 server_error OVERLOADED 0 83/16\n");
}

/* Two at a time, answered the other way round. */
Test(fastcgi, multiplexed)
{
	static const struct turn v[] = {
		T(C, BEGIN("\1") BEGIN("\2") PARAMS("\2", "\x0d", "\x0b\0REQUEST_URI") PARAMS("\1", "\x2b", GET_X) PARAMS("\2", "\0", "")
		     PARAMS("\1", "\0", "") IN("\2", "\0", "") IN("\1", "\0", "")),
		T(S, OUT("\2", "\x12", "Status: 500 Bad\r\n\n") OUT("\1", "\1", "\n") END("\2", "\1", "\0") END("\1", "\0", "\0")),
	};

	TALK(9000, false, v, "REQUEST / 500 server_error - 0 53/42\nGET /x/{id} 200 ok - 0 83/25\n");
}

Test(fastcgi, values)
{
	static struct talk t;

	memset(&t, 0, sizeof(t));
	talk_init(&t, 9000, false);
	talk_end(&t);
	t.pool.raw = true;
	t.f = flow_new(&t.pool, 9000, false);
	talk_say(&t, C, plain[0].p, plain[0].n);
	talk_say(&t, S, plain[1].p, plain[1].n);
	talk_end(&t);
	talk_expect(&t, "GET /x/1234?a=1 200 ok - 0 83/53\n", "raw");
}

/* Ids are used again at once: behind a hole in the responses only what is asked later is paired. */
Test(fastcgi, holes)
{
	static struct talk t;

	talk_init(&t, 9000, false);
	talk_say(&t, C, plain[0].p, plain[0].n);
	talk_cut(&t, S, plain[1].p, plain[1].n, 0, 0);
	talk_say(&t, C, plain[2].p, plain[2].n);
	talk_say(&t, S, plain[3].p, plain[3].n);
	talk_end(&t);
	talk_expect(&t, "POST /y 404 client_error STDERR 0 97/60\n", "hole");
}

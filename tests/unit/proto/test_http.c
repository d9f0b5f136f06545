/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK(n, body) "HTTP/1.1 200 OK\r\nContent-Length: " #n "\r\n\r\n" body

Test(http, keep_alive)
{
	static const struct turn v[] = {
		T(C, GET("/a?secret=1")), T(S, OK(3, "abc")),
		T(C, GET("/users/123")), T(S, "HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n"),
		T(C, "POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"), T(S, "HTTP/1.0 503 Busy\r\nContent-Length: 1\r\n\r\nx"),
	};

	TALK(80, false, v, "GET /a 200 ok - 0 37/41\nGET /users/{id} 404 client_error - 0 36/44\n"
			   "POST /x 503 server_error - 0 44/41\n");
}

Test(http, pipelined)
{
	static const struct turn v[] = {
		T(C, GET("/1a") GET("/b") "HEAD /c HTTP/1.1\r\n\r\n" GET("/d")),
		T(S, OK(2, "xx") OK(0, "") OK(7, "") OK(1, "y")),
	};

	TALK(0, false, v, "GET /1a 200 ok - 0 29/40\nGET /b 200 ok - 0 28/38\nHEAD /c 200 ok - 0 20/38\n"
			  "GET /d 200 ok - 0 28/39\n");
}

Test(http, chunked)
{
	static const struct turn v[] = {
		T(C, "POST /up HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\n\r\n"),
		T(S, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n3 \r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"),
		T(C, GET("/next")), T(S, OK(0, "")),
	};

	TALK(0, false, v, "POST /up 200 ok - 0 74/86\nGET /next 200 ok - 0 31/38\n");
}

Test(http, interim_and_bodiless)
{
	static const struct turn v[] = {
		T(C, "PUT /f HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
		T(S, "HTTP/1.1 100 Continue\r\n\r\n"), T(C, "abc"),
		T(S, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
		T(C, GET("/e")), T(S, "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"),
		T(C, GET("/g")), T(S, OK(0, "")),
	};

	TALK(0, false, v, "PUT /f 204 ok - 0 63/27\nGET /e 304 ok - 0 28/49\nGET /g 200 ok - 0 28/38\n");
}

Test(http, to_the_end_and_lf_only)
{
	static const struct turn v[] = {T(C, "GET /a.html HTTP/1.0\n\n"), T(S, "HTTP/1.0 200 OK\n\nall the rest\r\n0\r\n\r\n")};

	TALK(0, false, v, "GET /a.html 200 ok - 0 22/17\n");
}

Test(http, connect_and_upgrade_are_opaque)
{
	static const struct turn connect[] = {
		T(C, "CONNECT h:443 HTTP/1.1\r\n\r\n"), T(S, "HTTP/1.1 200 Established\r\n\r\n"),
		T(C, GET("/not-a-request")), T(S, OK(0, "")),
	};
	static const struct turn upgrade[] = {
		T(C, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
		T(S, "HTTP/1.1 101 Switching Protocols\r\n\r\n"), T(C, "\x81\x05hello"), T(S, "\x81\x01x"),
	};
	static const struct turn refused[] = {
		T(C, "CONNECT h:443 HTTP/1.1\r\n\r\n"), T(S, "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"),
		T(C, GET("/a")), T(S, OK(0, "")),
	};

	TALK(0, false, connect, "CONNECT h:443 200 ok - 0 26/28\n");
	TALK(0, false, upgrade, "GET /ws 101 ok - 0 61/36\n");
	TALK(0, false, refused, "CONNECT h:443 407 client_error - 0 26/38\nGET /a 200 ok - 0 28/38\n");
}

Test(http, aborted)
{
	static const struct turn v[] = {T(C, GET("/a") GET("/b")), T(S, OK(0, "") "HTTP/1.1 200 OK\r\nContent-Le")};

	TALK(0, false, v, "GET /a 200 ok - 0 28/38\nGET /b 0 aborted - 0 28/0\n");
}

Test(http, joined_in_the_middle)
{
	static const struct turn v[] = {
		T(S, "the rest of some body\r\n"), T(C, GET("/a")), T(S, OK(0, "")), T(C, GET("/b")), T(S, OK(1, "x")),
	};
	static const struct turn swapped[] = {T(S, GET("/a")), T(C, OK(0, "")), T(S, GET("/b")), T(C, OK(1, "x"))};
	static struct talk t;

	TALK(0, true, v, "GET /a 200 ok - 0 28/38\nGET /b 200 ok - 0 28/39\n");
	TALK(0, true, swapped, "GET /a 200 ok - 0 28/38\nGET /b 200 ok - 0 28/39\n");
	talk_init(&t, 0, true);
	talk_play(&t, swapped, 2, 0, 9, 0);
	cr_assert(flow_swapped(t.f));
	cr_assert_eq(flow_proto(t.f), PROTO_HTTP);
	talk_end(&t);
}

Test(http, hole_in_a_body_is_free)
{
	static char big[40000], head[64];
	static struct talk t;
	int n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", sizeof(big) - 100);

	memset(big, 'x', sizeof(big));
	memcpy(big, head, (size_t)n);
	memcpy(big + n + sizeof(big) - 100 - 10, "HTTP/1.1 ", 9);
	talk_init(&t, 80, false);
	talk_say(&t, C, GET("/big"), strlen(GET("/big")));
	talk_cut(&t, S, big, sizeof(big) - 100 + (size_t)n, 512, 64);
	talk_say(&t, C, GET("/b"), strlen(GET("/b")));
	talk_say(&t, S, OK(0, ""), strlen(OK(0, "")));
	cr_assert_eq(t.pool.lost_bytes, 0);
	talk_end(&t);
	talk_expect(&t, "GET /big 200 ok - 0 30/39942\nGET /b 200 ok - 0 28/38\n", "cut");
}

Test(http, hole_in_chunks_ends_at_the_last)
{
	static const char end[] = "\r\n0\r\n\r\n";
	static char big[20000];
	static struct talk t;

	memset(big, 'x', sizeof(big));
	memcpy(big, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n", 53);
	memcpy(big + sizeof(big) - 7, end, 7);
	talk_init(&t, 80, false);
	talk_say(&t, C, GET("/big"), strlen(GET("/big")));
	talk_cut(&t, S, big, sizeof(big), 512, 64);
	talk_say(&t, C, GET("/b"), strlen(GET("/b")));
	talk_say(&t, S, OK(0, ""), strlen(OK(0, "")));
	talk_end(&t);
	cr_assert_gt(t.pool.lost_bytes, 0);
	cr_assert_eq(t.pool.requests, 2, "%s", t.log);
	cr_assert(strstr(t.log, "GET /b 200 ok"), "%s", t.log);
}

Test(http, http2_and_rtsp_are_not_http)
{
	static const struct turn h2[] = {T(C, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), T(S, "\0\0\0\4\0\0\0\0\0")};
	static const struct turn rtsp[] = {T(C, "OPTIONS rtsp://a RTSP/1.0\r\n\r\n"), T(S, "RTSP/1.0 200 OK\r\n\r\n")};

	TALK(80, false, h2, "");
	TALK(80, false, rtsp, "");
}

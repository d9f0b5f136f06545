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

Test(http, methods_of_others_and_forms_of_targets)
{
	static const struct turn v[] = {
		T(C, "PROPFIND /dav/ HTTP/1.1\r\n\r\n"), T(S, "HTTP/1.1 207 Multi-Status\r\nContent-Length: 0\r\n\r\n"),
		T(C, "VERSION-CONTROL /a HTTP/1.1\r\n\r\n"), T(S, "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n"),
		T(C, "OPTIONS * HTTP/1.1\r\n\r\n"), T(S, OK(0, "")),
		T(C, "GET http://shop:80/items/7 HTTP/1.1\r\n\r\n"), T(S, "HTTP/1.1 999 \r\ncontent-length: 0\r\n\r\n"),
		T(C, "\r\npatch /b HTTP/1.1\r\n\r\n"), T(S, "HTTP/1.1 501\r\nContent-Length: 0\r\n\r\n"),
	};

	TALK(80, false, v, "PROPFIND /dav/ 207 ok - 0 27/48\nVERSION-CONTROL /a 405 client_error - 0 31/38\n"
			   "OPTIONS * 200 ok - 0 22/38\nGET /items/{id} 999 server_error - 0 39/36\n"
			   "patch /b 501 server_error - 0 21/35\n");
}

Test(http, framing_that_is_odd)
{
	static const struct turn v[] = {
		T(C, GET("/both")), T(S, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
		T(C, GET("/folded")), T(S, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip,\r\n\t chunked\r\n\r\n0\r\n\r\n"),
		T(C, GET("/blank")), T(S, "HTTP/1.1 200 OK\r\nContent-Length : 2\r\nX-Obs: \xff\xfe\r\n\r\nab"),
		T(C, GET("/twice")), T(S, "HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nab"),
		T(C, GET("/zeros")), T(S, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000000002\r\nab\r\n0\r\n\r\n"),
		T(C, GET("/coded")), T(S, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\nContent-Length: 1\r\n\r\nabc"),
	};

	TALK(80, false, v, "GET /both 200 ok - 0 31/78\nGET /folded 200 ok - 0 33/61\nGET /blank 200 ok - 0 32/52\n"
			   "GET /twice 200 ok - 0 32/43\nGET /zeros 200 ok - 0 32/78\nGET /coded 200 ok - 0 32/72\n");
}

/* The answer comes before all of the question has: too large. What comes of the body then is nobody's. */
Test(http, answered_before_the_body)
{
	static const struct turn v[] = {
		T(C, "PUT /big HTTP/1.1\r\nUpgrade: tls\r\nContent-Length: 6\r\n\r\nabc"), T(S, "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"),
		T(C, "def"), T(C, GET("/b")), T(S, OK(0, "")),
	};

	TALK(80, false, v, "PUT /big 413 client_error - 0 54/38\nGET /b 200 ok - 0 28/38\n");
}

/* While what follows an upgrade is open, only its own answer decides. */
Test(http, upgrade_behind_a_pipelined_request)
{
	static const struct turn v[] = {
		T(C, GET("/a") "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"),
		T(S, OK(0, "")), T(S, "HTTP/1.1 101 Go\r\nUpgrade: websocket\r\n\r\n"), T(C, GET("/not-a-request")), T(S, OK(0, "")),
	};

	TALK(80, false, v, "GET /a 200 ok - 0 28/38\nGET /ws 101 ok - 0 40/39\n");
}

Test(http, upgrade_to_http2_refused)
{
	static const struct turn v[] = {
		T(C, "GET /a HTTP/1.1\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"), T(S, OK(0, "")),
		T(C, GET("/b")), T(S, OK(0, "")),
	};

	TALK(80, false, v, "GET /a 200 ok - 0 59/38\nGET /b 200 ok - 0 28/38\n");
}

Test(http, a_head_too_long_to_keep)
{
	static char head[70000];
	static struct talk t;

	memset(head, 'x', sizeof(head));
	memcpy(head, "GET /big HTTP/1.1\r\nCookie: ", 27);
	memcpy(head + sizeof(head) - 4, "\r\n\r\n", 4);
	talk_init(&t, 80, false);
	for (size_t off = 0; off < sizeof(head); off += 10000)
		talk_say(&t, C, head + off, 10000);
	talk_say(&t, S, "HTTP/1.1 431 No\r\nContent-Length: 0\r\n\r\n", 38);
	talk_say(&t, C, GET("/b"), strlen(GET("/b")));
	talk_say(&t, S, OK(0, ""), strlen(OK(0, "")));
	cr_assert_eq(t.pool.given_up, 0);
	talk_end(&t);
	cr_assert(strstr(t.log, "GET /big 431 client_error"), "%s", t.log);
	cr_assert(strstr(t.log, "GET /b 200 ok"), "%s", t.log);
}

Test(http, zeros_are_nothing)
{
	static const char zeros[64];
	static const struct turn v[] = {{C, zeros, 64}, {S, zeros, 64}};

	TALK(80, false, v, "");
	TALK(80, true, v, "");
}

Test(http, elasticsearch)
{
	static const struct {
		const char *target, *op;
	} of[] = {
		{"/items/_search?q=secret", "/items/_search"},
		{"/logs-2026.11.22/_search", "/logs-{date}/_search"},
		{"/logs-2026.11/_count", "/logs-{date}/_count"},
		{"/.ds-logs-nginx-default-2026.11.22-000001/_search", "/.ds-logs-nginx-default-{date}-{n}/_search"},
		{"/metrics-20261122,users/_search", "/metrics-{date},users/_search"},
		{"/logs-2026.w47/_bulk", "/logs-{date}/_bulk"},
		{"/logs-*/_search", "/logs-*/_search"},
		{"/items/_doc/some-name", "/items/_doc/{id}"},
		{"/items/type/_search", "/items/type/_search"},
		{"/_bulk", "/_bulk"},
		{"/_search/scroll/DXF1ZXJ5QW5kRmV0Y2gBAAAAAAAAAD4WYm9laVYtZndUQlNsdDcwakFMNjU1QQ==", "/_search/scroll/{id}"},
		{"/_cat/indices/logs-2026.11.22", "/_cat/indices/logs-{date}"},
		{"/_cluster/health", "/_cluster/health"},
		{"/shard-v2/_update/17", "/shard-v2/_update/{id}"},
		{"/users/_nothing/17", "/users/_nothing/{id}"},
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(*of); i++) {
		char ask[256], want[256];
		struct turn v[2] = {{C, ask, 0}, T(S, OK(0, ""))};

		v[0].n = (size_t)snprintf(ask, sizeof(ask), "POST %s HTTP/1.1\r\n\r\n", of[i].target);
		snprintf(want, sizeof(want), "POST %s 200 ok - 0 %zu/38\n", of[i].op, v[0].n);
		TALK(9200, false, v, want);
	}
}

#define SUMMARY "X-ClickHouse-Summary: {\"read_rows\":\"9\",\"written_rows\":\"0\",\"result_rows\":\"3\"}\r\n"

Test(http, clickhouse)
{
	static const struct turn v[] = {
		T(C, "POST / HTTP/1.1\r\nContent-Length: 29\r\n\r\nSELECT a FROM t WHERE a = 'x'"),
		T(S, "HTTP/1.1 200 OK\r\n" SUMMARY "Content-Length: 0\r\n\r\n"),
		T(C, "GET /?database=d&query=select+1%2B1 HTTP/1.1\r\n\r\n"), T(S, OK(0, "")),
		T(C, "POST /?query=INSERT%20INTO%20t%20FORMAT%20CSV HTTP/1.1\r\nContent-Length: 3\r\n\r\n1,2"), T(S, OK(0, "")),
		T(C, "POST /?user=me HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nSELECT 1\r\n0\r\n\r\n"),
		T(S, "HTTP/1.1 404 Not Found\r\nX-ClickHouse-Exception-Code: 60\r\nContent-Length: 0\r\n\r\n"),
		T(C, "POST / HTTP/1.1\r\nX-ClickHouse-User: me\r\nContent-Length: 4\r\n\r\nOOPS"),
		T(S, "HTTP/1.1 500 No\r\nX-ClickHouse-Exception-Code: 9876\r\nContent-Length: 0\r\n\r\n"),
		T(C, "POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\n{\"a\": 1}"), T(S, OK(0, "")),
		T(C, "GET /?query=shoes HTTP/1.1\r\n\r\n"), T(S, OK(0, "")),
	};

	TALK(8123, false, v, "SELECT a FROM t WHERE a = ? 200 ok - 3 68/116\nSELECT ? + ? 200 ok - 0 48/38\n"
			     "INSERT INTO t FORMAT CSV 200 ok - 0 80/38\nSELECT ? 404 client_error UNKNOWN_TABLE 0 73/78\n"
			     "OOPS 500 server_error 9876 0 65/73\nPOST / 200 ok - 0 46/38\nGET / 200 ok - 0 30/38\n");
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "http2.h"

static struct script s;
static struct talk t;

/* The script so far, whole. */
static void play(bool mid)
{
	talk_init(&t, 0, mid);
	talk_play(&t, s.turn, s.n, 0, s.n, 0);
}

Test(http2, one_after_the_other)
{
	script_init(&s);
	put_begin(&s);
	put_get(&s, 1, "/items/123?secret=1");
	put_headers(&s, S, END_HEADERS, 1, ":status: 200\ncontent-type: text/plain\n");
	put_frame(&s, S, 0, END_STREAM, 1, "hello", 5);
	put_get(&s, 3, "/none");
	put_headers(&s, S, END_HEADERS | END_STREAM, 3, ":status: 404\n");
	put_headers(&s, C, END_HEADERS, 5, ":method: PUT\n:scheme: http\n:path: /up\n");
	put_frame(&s, C, 0, 0, 5, "abc", 3);
	put_frame(&s, C, 0, END_STREAM, 5, "de", 2);
	put_headers(&s, S, END_HEADERS, 5, ":status: 503\n");
	put_frame(&s, S, 0, END_STREAM, 5, "", 0);
	script_check(&s, false, "GET /items/{id} 200 ok - 0 37/33\nGET /none 404 client_error - 0 19/10\n"
				"PUT /up 503 server_error - 0 43/23\n");
}

Test(http2, interleaved_with_interim_and_trailers)
{
	script_init(&s);
	put_begin(&s);
	put_get(&s, 1, "/a");
	put_get(&s, 3, "/b");
	put_get(&s, 5, "/c");
	put_headers(&s, S, END_HEADERS, 5, ":status: 103\nlink: x\n");
	put_headers(&s, S, END_HEADERS, 3, ":status: 200\n");
	put_headers(&s, S, END_HEADERS, 1, ":status: 200\n");
	put_frame(&s, S, 0, 0, 3, "x", 1);
	put_frame(&s, S, 6, 0, 0, "12345678", 8);
	put_frame(&s, S, 0, 0, 1, "y", 1);
	put_frame(&s, S, 0, END_STREAM, 3, "x", 1);
	put_headers(&s, S, END_HEADERS | END_STREAM, 1, "x-sum: 1\n");
	put_headers(&s, S, END_HEADERS | END_STREAM, 5, ":status: 204\n");
	script_check(&s, false, "GET /b 200 ok - 0 17/30\nGET /a 200 ok - 0 25/37\nGET /c 204 ok - 0 17/10\n");
}

Test(http2, padded_block_in_parts)
{
	uint8_t block[512] = {7, 0, 0, 0, 0, 16}, rest[16];
	size_t n;

	script_init(&s);
	put_begin(&s);
	n = pack(&s, C, ":method: GET\n:scheme: http\n:path: /padded\n", block + 6, 256);
	memcpy(rest, block + 6 + n - 4, 4);
	memset(block + 6 + n - 4, 0, 7);
	put_frame(&s, C, 1, END_STREAM | 0x8 | 0x20, 1, block, 6 + n - 4 + 7);
	put_frame(&s, C, 9, 0, 1, rest, 0);
	put_frame(&s, C, 9, 0, 1, rest, 3);
	put_frame(&s, C, 9, END_HEADERS, 1, rest + 3, 1);
	n = pack(&s, S, ":status: 200\nx-long: value\n", block, sizeof(block));
	put_frame(&s, S, 1, 0, 1, block, 2);
	put_frame(&s, S, 9, END_HEADERS, 1, block + 2, n - 2);
	put_frame(&s, S, 0, END_STREAM | 0x8, 1, "\3abc\0\0\0", 7);
	script_check(&s, false, "GET /padded 200 ok - 0 58/47\n");
}

Test(http2, resets)
{
	script_init(&s);
	put_begin(&s);
	for (uint32_t id = 1; id <= 11; id += 2)
		put_get(&s, id, "/x");
	put_frame(&s, C, 3, 0, 1, "\0\0\0\x8", 4);
	put_frame(&s, S, 3, 0, 3, "\0\0\0\x7", 4);
	put_headers(&s, S, END_HEADERS, 5, ":status: 200\n");
	put_frame(&s, S, 3, 0, 5, "\0\0\0\x2", 4);
	put_frame(&s, S, 3, 0, 7, "\0\0\0\x1", 4);
	put_frame(&s, S, 7, 0, 0, "\0\0\0\x9\0\0\0\0", 8);
	put_headers(&s, S, END_HEADERS | END_STREAM, 9, ":status: 200\n");
	put_frame(&s, S, 3, 0, 9, "\0\0\0\0", 4);
	script_check(&s, false, "GET /x 0 aborted CANCEL 0 25/0\nGET /x 0 server_error REFUSED_STREAM 0 17/0\n"
				"GET /x 200 server_error INTERNAL_ERROR 0 17/10\nGET /x 0 client_error PROTOCOL_ERROR 0 17/0\n"
				"GET /x 0 aborted GOAWAY 0 17/0\nGET /x 200 ok - 0 17/10\n");
}

Test(http2, cut_off)
{
	script_init(&s);
	put_begin(&s);
	put_get(&s, 1, "/a");
	put_get(&s, 3, "/b");
	put_headers(&s, S, END_HEADERS, 3, ":status: 200\n");
	put_frame(&s, S, 0, 0, 3, "abc", 3);
	script_check(&s, false, "GET /b 200 aborted - 0 17/22\nGET /a 0 aborted - 0 25/0\n");
}

Test(http2, a_tunnel_is_answered_by_its_head)
{
	script_init(&s);
	put_begin(&s);
	put_headers(&s, C, END_HEADERS, 1, ":method: CONNECT\n:authority: db:5432\n");
	put_headers(&s, S, END_HEADERS, 1, ":status: 200\n");
	put_frame(&s, C, 0, 0, 1, "abc", 3);
	put_frame(&s, S, 0, END_STREAM, 1, "abc", 3);
	put_headers(&s, C, END_HEADERS, 3, ":method: CONNECT\n:protocol: websocket\n:scheme: http\n:path: /chat\n");
	put_headers(&s, S, END_HEADERS, 3, ":status: 200\n");
	put_frame(&s, S, 0, 0, 3, "abc", 3);
	script_check(&s, false, "CONNECT db:5432 200 ok - 0 26/10\nCONNECT /chat 200 ok - 0 34/10\n");
}

Test(http2, pushed_responses_are_not_requests)
{
	uint8_t block[256] = {0, 0, 0, 2};
	size_t n;

	script_init(&s);
	put_begin(&s);
	put_get(&s, 1, "/page");
	n = pack(&s, S, ":method: GET\n:scheme: http\n:path: /style.css\n", block + 4, 128);
	put_frame(&s, S, 5, END_HEADERS, 1, block, n + 4);
	put_headers(&s, S, END_HEADERS, 2, ":status: 200\nx-pushed: yes\n");
	put_frame(&s, S, 0, END_STREAM, 2, "p {}", 4);
	put_headers(&s, S, END_HEADERS, 1, ":status: 200\nx-pushed: yes\n");
	put_frame(&s, S, 0, END_STREAM, 1, "page", 4);
	script_check(&s, false, "GET /page 200 ok - 0 27/24\n");
}

Test(http2, upgraded_from_http1)
{
	script_init(&s);
	PUT(&s, C, "GET /first HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
		   "HTTP2-Settings: AAMAAABk\r\n\r\n");
	PUT(&s, S, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" SETTINGS);
	put_headers(&s, S, END_HEADERS, 1, ":status: 202\n");
	PUT(&s, C, PREFACE SETTINGS);
	put_frame(&s, S, 0, END_STREAM, 1, "abc", 3);
	put_get(&s, 3, "/second");
	put_headers(&s, S, END_HEADERS | END_STREAM, 3, ":status: 200\n");
	script_check(&s, false, "GET /first 202 ok - 0 109/25\nGET /second 200 ok - 0 28/10\n");
}

Test(http2, response_seen_before_its_request)
{
	script_init(&s);
	put_begin(&s);
	play(false);
	s.n = 0;
	put_get(&s, 1, "/a");
	put_get(&s, 3, "/b");
	put_headers(&s, S, END_HEADERS, 3, ":status: 200\n");
	put_frame(&s, S, 0, END_STREAM, 3, "x", 1);
	/* the response comes out of the ring first; by its time it is the later one */
	talk_at(&t, S, t.seq[S], s.turn[1].p, s.turn[1].n, t.ts + 1000);
	talk_at(&t, C, t.seq[C], s.turn[0].p, s.turn[0].n, t.ts);
	t.ts += 2000;
	talk_end(&t);
	script_done(&s);
	talk_expect(&t, "GET /b 200 ok - 0 17/20\nGET /a 0 aborted - 0 25/0\n", "turned");
}

/* A request whose path becomes an entry of the table, the newest. */
static void put_new_path(uint32_t stream, const char *path)
{
	uint8_t block[64] = {0x82, 0x86, 0x44, (uint8_t)strlen(path)};

	memcpy(block + 4, path, strlen(path));
	put_frame(&s, C, 1, END_STREAM | END_HEADERS, stream, block, 4 + strlen(path));
}

/* One whose path is the i-th newest entry. */
static void put_old_path(uint32_t stream, unsigned i)
{
	uint8_t block[] = {0x82, 0x86, (uint8_t)(0xbe + i)};

	put_frame(&s, C, 1, END_STREAM | END_HEADERS, stream, block, sizeof(block));
}

Test(http2, joined_in_the_middle)
{
	size_t from;

	script_init(&s);
	put_begin(&s);
	put_new_path(1, "/before");
	put_headers(&s, S, END_HEADERS | END_STREAM, 1, ":status: 418\n");
	from = s.n;
	/* this path is an entry of the table; the next one is not; then it is */
	put_old_path(3, 0);
	put_headers(&s, S, END_HEADERS | END_STREAM, 3, ":status: 418\n");
	put_new_path(5, "/later");
	put_headers(&s, S, END_HEADERS | END_STREAM, 5, ":status: 503\n");
	put_old_path(7, 0);
	put_headers(&s, S, END_HEADERS | END_STREAM, 7, ":status: 503\n");
	put_old_path(9, 1);
	put_headers(&s, S, END_HEADERS | END_STREAM, 9, ":status: 200\n");
	talk_check(0, true, s.turn + from, s.n - from,
		   "GET (unknown) 0 ok unknown 0 12/10\nGET /later 503 server_error - 0 19/14\n"
		   "GET /later 503 server_error - 0 12/10\nGET (unknown) 200 ok - 0 12/10\n");
	script_done(&s);
}

Test(http2, joined_with_the_roles_turned)
{
	script_init(&s);
	put_get(&s, 7, "/a");
	put_headers(&s, S, END_HEADERS | END_STREAM, 7, ":status: 200\n");
	for (size_t i = 0; i < s.n; i++)
		s.turn[i].dir = (enum proto_dir)!s.turn[i].dir;
	play(true);
	cr_assert(flow_swapped(t.f));
	cr_assert_eq(flow_proto(t.f), PROTO_HTTP2);
	talk_end(&t);
	script_done(&s);
	talk_expect(&t, "GET /a 200 ok - 0 25/10\n", "turned");
}

Test(http2, hole_in_data_is_free)
{
	static char body[16000];

	script_init(&s);
	put_begin(&s);
	put_get(&s, 1, "/big");
	play(false);
	s.n = 0;
	put_headers(&s, S, END_HEADERS, 1, ":status: 200\n");
	put_frame(&s, S, 0, 0, 1, body, sizeof(body));
	put_frame(&s, S, 0, END_STREAM, 1, body, 40);
	talk_cut(&t, S, s.turn[0].p, s.turn[0].n, 512, 64);
	cr_assert_eq(t.pool.lost_bytes, 0);
	talk_end(&t);
	script_done(&s);
	talk_expect(&t, "GET /big 200 ok - 0 26/16068\n", "cut");
}

/* Behind a lost block what was in the table is not believed any more. */
Test(http2, hole_in_a_block)
{
	script_init(&s);
	put_begin(&s);
	put_new_path(1, "/one");
	put_headers(&s, S, END_HEADERS | END_STREAM, 1, ":status: 200\n");
	play(false);
	s.n = 0;
	put_new_path(3, "/two");
	t.seq[C] += (uint32_t)s.turn[0].n;
	s.n = 0;
	put_headers(&s, S, END_HEADERS | END_STREAM, 3, ":status: 200\n");
	put_old_path(5, 1);
	put_headers(&s, S, END_HEADERS | END_STREAM, 5, ":status: 200\n");
	put_new_path(7, "/three");
	put_headers(&s, S, END_HEADERS | END_STREAM, 7, ":status: 200\n");
	put_old_path(9, 0);
	put_headers(&s, S, END_HEADERS | END_STREAM, 9, ":status: 200\n");
	t.ts += 2000000000;
	talk_play(&t, s.turn, s.n, 0, 99, 0);
	talk_end(&t);
	script_done(&s);
	cr_assert_gt(t.pool.lost_bytes, 0);
	cr_assert_eq(t.pool.unpaired, 1);
	talk_expect(&t, "GET /one 200 ok - 0 17/10\nGET (unknown) 200 ok - 0 12/10\nGET /three 200 ok - 0 19/10\n"
			"GET /three 200 ok - 0 12/10\n", "a hole");
}

Test(http2, a_long_block_cut_in_two_gives_what_was_seen)
{
	static char lines[8192], cookie[6001];

	memset(cookie, '~', sizeof(cookie) - 1);
	script_init(&s);
	put_begin(&s);
	play(false);
	s.n = 0;
	snprintf(lines, sizeof(lines), ":method: GET\n:scheme: http\n:path: /early\nx-cookie: %s\nx-after: 1\n", cookie);
	put_headers(&s, C, END_STREAM | END_HEADERS, 1, lines);
	talk_cut(&t, C, s.turn[0].p, s.turn[0].n, 512, 64);
	s.n = 0;
	put_headers(&s, S, END_STREAM | END_HEADERS, 1, ":status: 200\n");
	talk_play(&t, s.turn, s.n, 0, 9, 0);
	talk_end(&t);
	script_done(&s);
	cr_assert(!strncmp(t.log, "GET /early 200 ok - 0 ", 22), "%s", t.log);
}

Test(http2, many_streams_at_once)
{
	static struct script many;
	enum { N = 1000 };
	uint64_t oldest;

	script_init(&s);
	put_begin(&s);
	play(false);
	many.n = many.used = 0;
	for (uint32_t i = 0; i < N; i++) {
		s.n = s.used = 0;
		put_get(&s, 2 * i + 1, "/many");
		talk_play(&t, s.turn, s.n, 0, 9, 0);
	}
	cr_assert_eq(flow_inflight(t.f, &oldest), N);
	for (uint32_t i = 0; i < N; i++) {
		s.n = s.used = t.len = 0;
		put_headers(&s, S, END_HEADERS | END_STREAM, 2 * ((i * 7) % N) + 1, ":status: 200\n");
		talk_play(&t, s.turn, s.n, 0, 9, 0);
		cr_assert(!strncmp(t.log, "GET /many 200 ok", 16), "%s", t.log);
	}
	cr_assert_eq(t.pool.requests, N);
	cr_assert_eq(flow_inflight(t.f, &oldest), 0);
	talk_end(&t);
	script_done(&s);
}

/* A few bytes that inflate to many: the field is put into the table once, and named again and again. */
Test(http2, header_bomb_is_given_up)
{
	static char block[16000], field[4000];
	size_t n;

	memset(field, 'a', sizeof(field));
	script_init(&s);
	put_begin(&s);
	memcpy(block, "\x40\1x\x7f\x81\x1e", 6);     /* literal, indexed, a value of 127 + 0x81… bytes */
	n = 127 + 1 + (0x1e << 7);
	memcpy(block + 6, field, n);
	memset(block + 6 + n, 0xbe, sizeof(block) - 6 - n);
	put_frame(&s, C, 1, END_STREAM | END_HEADERS, 1, block, sizeof(block));
	play(false);
	cr_assert_eq(flow_proto(t.f), PROTO_UNKNOWN);
	cr_assert_eq(t.pool.requests, 0);
	talk_end(&t);
	script_done(&s);
}

Test(http2, continuation_flood_is_given_up)
{
	script_init(&s);
	put_begin(&s);
	put_frame(&s, C, 1, 0, 1, "\x82", 1);
	for (int i = 0; i < 1000; i++)
		put_frame(&s, C, 9, 0, 1, "", 0);
	play(false);
	cr_assert_eq(flow_proto(t.f), PROTO_UNKNOWN);
	talk_end(&t);
	script_done(&s);
}

Test(http2, hostile_lengths)
{
	static const struct turn block[] = {T(C, PREFACE "\xff\xff\xff\1\4\0\0\0\1"), T(S, "x")};
	static const struct turn data[] = {T(C, PREFACE "\xff\xff\xff\0\1\0\0\0\1"), T(S, "\xff\xff\xff\x4\0\0\0\0\0")};
	static const struct turn pad[] = {T(C, PREFACE "\0\0\2\1\x0d\0\0\0\1\xff\x82"), T(S, SETTINGS)};
	static const struct turn index[] = {T(C, PREFACE "\0\0\1\1\5\0\0\0\1\xff"), T(S, SETTINGS)};

	TALK(0, false, block, "");
	TALK(0, false, data, "");
	TALK(0, false, pad, "");
	TALK(0, false, index, "");
}

Test(http2, zeros_are_nothing)
{
	static const char zeros[64];
	static const struct turn v[] = {{C, zeros, 64}, {S, zeros, 64}};

	for (int mid = 0; mid < 2; mid++) {
		TALK(0, mid, v, "");
		talk_init(&t, 50051, mid);
		talk_play(&t, v, 2, 0, 9, 0);
		cr_assert_eq(flow_proto(t.f), PROTO_UNKNOWN);
		talk_end(&t);
	}
}

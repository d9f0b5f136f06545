/* SPDX-License-Identifier: BSD-2-Clause */
#include "http2.h"

static struct script s;

static void put_answer(uint32_t stream, const char *trailers)
{
	put_headers(&s, S, END_HEADERS, stream, ":status: 200\ncontent-type: application/grpc\n");
	put_message(&s, S, 0, stream, 7);
	put_headers(&s, S, END_HEADERS | END_STREAM, stream, trailers);
}

Test(grpc, unary)
{
	script_init(&s);
	put_begin(&s);
	put_call(&s, 1, "/com.example.orders.v1.OrderService/GetOrder");
	put_message(&s, C, END_STREAM, 1, 10);
	put_answer(1, "grpc-status: 0\n");
	put_call(&s, 3, "/etcdserverpb.KV/Range");
	put_message(&s, C, END_STREAM, 3, 1);
	put_headers(&s, S, END_HEADERS | END_STREAM, 3, ":status: 200\ncontent-type: application/grpc\ngrpc-status: 5\n");
	put_call(&s, 5, "/etcdserverpb.KV/Range");
	put_message(&s, C, END_STREAM, 5, 1);
	put_answer(5, "grpc-status: 14\ngrpc-message: no\n");
	put_call(&s, 7, "/a.B/C");
	put_message(&s, C, END_STREAM, 7, 1);
	put_headers(&s, S, END_HEADERS | END_STREAM, 7, ":status: 502\n");
	script_check(&s, false, "/com.example.orders.v1.OrderService/GetOrder 0 ok - 1 98/65\n"
				"/etcdserverpb.KV/Range 5 client_error NOT_FOUND 0 47/14\n"
				"/etcdserverpb.KV/Range 14 server_error UNAVAILABLE 1 47/59\n"
				"/a.B/C 14 server_error UNAVAILABLE 0 36/13\n");
}

Test(grpc, streams)
{
	script_init(&s);
	put_begin(&s);
	put_call(&s, 1, "/a.B/Watch");
	put_message(&s, C, END_STREAM, 1, 1);
	put_headers(&s, S, END_HEADERS, 1, ":status: 200\ncontent-type: application/grpc\n");
	put_call(&s, 3, "/a.B/Chat");
	put_message(&s, S, 0, 1, 300);
	put_message(&s, C, 0, 3, 20);
	put_headers(&s, S, END_HEADERS, 3, ":status: 200\ncontent-type: application/grpc\n");
	/* two messages and the beginning of a third in a frame; its rest in two more, padded and not */
	put_frame(&s, S, 0, 0, 1, "\0\0\0\0\1x\0\0\0\0\0\0\0\0", 14);
	put_message(&s, S, 0, 3, 1);
	put_frame(&s, S, 0, 0x8, 1, "\2\0\4ab\0\0", 7);
	put_message(&s, C, END_STREAM, 3, 20);
	put_frame(&s, S, 0, 0, 1, "cd", 2);
	put_headers(&s, S, END_HEADERS | END_STREAM, 3, "grpc-status: 0\n");
	put_headers(&s, S, END_HEADERS | END_STREAM, 1, "grpc-status: 0\n");
	script_check(&s, false, "/a.B/Chat 0 ok - 1 91/47\n/a.B/Watch 0 ok - 4 65/397\n");
}

/* A stream that has had a message is in flight, but nobody waits for it; one that has not is waited for. */
Test(grpc, a_stream_is_not_waited_for)
{
	static struct talk t;
	uint64_t oldest;

	script_init(&s);
	put_begin(&s);
	put_call(&s, 1, "/a.B/Watch");
	put_headers(&s, S, END_HEADERS, 1, ":status: 200\ncontent-type: application/grpc\n");
	talk_init(&t, 0, false);
	talk_play(&t, s.turn, s.n, 0, 99, 0);
	cr_assert_eq(flow_inflight(t.f, &oldest), 1);
	cr_assert_neq(oldest, 0);
	s.n = 0;
	put_message(&s, S, 0, 1, 3);
	talk_play(&t, s.turn, s.n, 0, 99, 0);
	cr_assert_eq(flow_inflight(t.f, &oldest), 0);
	talk_end(&t);
	script_done(&s);
}

Test(grpc, what_the_client_ends)
{
	script_init(&s);
	put_begin(&s);
	put_call(&s, 1, "/a.B/Watch");
	put_message(&s, C, END_STREAM, 1, 1);
	put_call(&s, 3, "/a.B/Slow");
	put_message(&s, C, END_STREAM, 3, 1);
	put_headers(&s, S, END_HEADERS, 1, ":status: 200\ncontent-type: application/grpc\n");
	put_message(&s, S, 0, 1, 3);
	put_frame(&s, C, 3, 0, 1, "\0\0\0\x8", 4);
	put_frame(&s, C, 3, 0, 3, "\0\0\0\x8", 4);
	put_call(&s, 5, "/a.B/Busy");
	put_frame(&s, S, 3, 0, 5, "\0\0\0\x7", 4);
	script_check(&s, false, "/a.B/Watch 1 ok CANCELLED 1 65/40\n/a.B/Slow 1 aborted CANCELLED 0 38/0\n"
				"/a.B/Busy 14 server_error REFUSED_STREAM 0 23/0\n");
}

/* The path is sent as it is by this encoder, but the type of its content is an entry of the table: that it is gRPC cannot be known. */
Test(grpc, joined_in_the_middle)
{
	size_t from;

	script_init(&s);
	put_begin(&s);
	put_call(&s, 1, "/a.B/Get");
	put_message(&s, C, END_STREAM, 1, 1);
	put_answer(1, "grpc-status: 0\n");
	from = s.n;
	put_call(&s, 3, "/a.B/Get");
	put_message(&s, C, END_STREAM, 3, 1);
	put_answer(3, "grpc-status: 0\n");
	talk_check(0, true, s.turn + from, s.n - from, "POST /a.B/Get 200 ok - 0 37/42\n");
	script_done(&s);
}

Test(grpc, a_path_that_is_no_method_is_normalised)
{
	script_init(&s);
	put_begin(&s);
	put_call(&s, 1, "/users/8c5e3a0e-52f1-4c2b-9f0e-0d6b1b0b7a11/get");
	put_answer(1, "grpc-status: 99\n");
	script_check(&s, false, "POST /users/{id}/get 99 server_error unknown 1 75/66\n");
}

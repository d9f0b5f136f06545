/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

static void address(uint8_t ip[16], uint64_t cookie)
{
	memcpy(ip, "unix\0\0\0", 8);
	for (int i = 0; i < 8; i++)
		ip[15 - i] = (uint8_t)(cookie >> 8 * i);
}

static void told(struct world *w, uint64_t cookie, uint64_t peer, uint32_t pid, uint8_t role, uint8_t what, uint64_t out, uint64_t in)
{
	struct ev_conn e = {.h = {.ts_ns = w->now, .size = sizeof(e), .type = EV_CONN}, .cookie = cookie, .tgid = pid, .what = what,
			    .role = role, .l4 = L4_UNIX, .bytes_out = out, .bytes_in = in};

	address(e.laddr, cookie);
	address(e.raddr, peer);
	model_event(w->m, &e.h);
}

/* Two cookies are one connection, at port 0; the end of the one is the end of it. */
Test(unix_stream, requests_between_two)
{
	struct names *n = calloc(1, sizeof(*n));
	const struct tick_tcp *tcp;
	struct world w;
	struct tick *t;

	world_app_and(&w, "db");
	told(&w, 1, 2, 10, ROLE_CLIENT, CONN_ESTABLISHED, 0, 0);
	data(&w, 1, DIR_OUT, 0, "Qask");
	told(&w, 2, 1, 20, ROLE_SERVER, CONN_ESTABLISHED, 0, 4);
	data(&w, 2, DIR_OUT, 0, "R");
	told(&w, 2, 1, 20, ROLE_SERVER, CONN_CLOSE, 1, 4);
	t = tick(&w);
	learn(n, t);
	cr_assert_eq(t->requests.n, 1);
	cr_expect_str_eq(edge_text(n, t->requests.v[0].edge), "app -> db :0");
	cr_expect_eq(t->requests.v[0].count, 1);
	tcp = tcp_of(n, t, "app -> db :0");
	cr_assert_not_null(tcp);
	cr_expect_eq(tcp->opened, 1);
	cr_expect_eq(tcp->closed, 1);
	cr_expect_eq(tcp->open, 0);
	cr_expect_eq(tcp->bytes_out, 4);
	tick_free(t);
	model_free(w.m);
	free(n);
}

/* What cannot be read is wanted no more, and the connection is not kept; where it still talks, its totals come. */
Test(unix_stream, unreadable)
{
	struct names *n = calloc(1, sizeof(*n));
	const struct tick_tcp *tcp;
	struct world w;
	struct tick *t;

	world_app_and(&w, "db");
	told(&w, 1, 2, 10, ROLE_CLIENT, CONN_ESTABLISHED, 0, 0);
	told(&w, 2, 1, 20, ROLE_SERVER, CONN_ESTABLISHED, 0, 0);
	data(&w, 1, DIR_OUT, 0, "D...");
	cr_expect_eq(w.wished, WISH_NONE);
	t = tick(&w);
	learn(n, t);
	cr_expect_str_eq(n->protocol[0], "unix");
	tick_free(t);
	pass(&w);
	told(&w, 1, 2, 10, ROLE_CLIENT, CONN_OWNER, 1000, 0);
	told(&w, 1, 2, 10, ROLE_CLIENT, CONN_OWNER, 1500, 0);
	told(&w, 2, 1, 20, ROLE_SERVER, CONN_OWNER, 0, 1500);
	t = tick(&w);
	learn(n, t);
	tcp = tcp_of(n, t, "app -> db :0");
	cr_assert_not_null(tcp);
	cr_expect_eq(tcp->open, 1);
	cr_expect_eq(tcp->bytes_out, 500);
	tick_free(t);
	model_free(w.m);
	free(n);
}

/* Nobody tells of the end of a UNIX socket: silence is one, but for who waits for an answer. */
Test(unix_stream, silence)
{
	struct world w;
	uint64_t count = 0;

	world_app_and(&w, "db");
	told(&w, 1, 2, 10, ROLE_CLIENT, CONN_ESTABLISHED, 0, 0);
	told(&w, 2, 1, 20, ROLE_SERVER, CONN_ESTABLISHED, 0, 0);
	told(&w, 3, 4, 10, ROLE_CLIENT, CONN_ESTABLISHED, 0, 0);
	told(&w, 4, 3, 20, ROLE_SERVER, CONN_ESTABLISHED, 0, 0);
	data(&w, 3, DIR_OUT, 0, "Qslow");
	for (int i = 0; i < 70; i++) {
		struct tick *t = tick(&w);

		if (t->tcp.n)
			cr_expect_eq(t->tcp.v[0].inflight, 1);
		tick_free(t);
	}
	data(&w, 4, DIR_OUT, 0, "R");
	struct tick *t = tick(&w);

	for (size_t i = 0; i < t->requests.n; i++)
		count += t->requests.v[i].count;
	cr_expect_eq(count, 1);
	cr_assert_eq(t->tcp.n, 1);
	cr_expect_eq(t->tcp.v[0].open, 1);
	tick_free(t);
	model_free(w.m);
}

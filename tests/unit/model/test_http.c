/* SPDX-License-Identifier: BSD-2-Clause */
/* The model with the real flows and parsers behind it. */
#define WORLD_REAL_FLOW
#include "world.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define ANSWER(status) "HTTP/1.1 " status " X\r\nContent-Length: 2\r\n\r\nok"

static const struct sock near = {.cookie = 10, .pid = 200, .laddr = "127.0.0.1", .lport = 40000, .raddr = "127.0.0.1",
				 .rport = 8080, .role = ROLE_CLIENT};
static const struct sock far = {.cookie = 11, .pid = 100, .laddr = "127.0.0.1", .lport = 8080, .raddr = "127.0.0.1",
				.rport = 40000, .role = ROLE_SERVER};

/* As the client tells of it. */
static void connected(struct world *w)
{
	world_init(w, 0, 0);
	process(w, 100, 1, "server", "");
	process(w, 200, 1, "client", "");
	listening(w, 1, 100, "0.0.0.0", 8080);
	conn(w, &near, CONN_CONNECT);
	conn(w, &near, CONN_ESTABLISHED);
}

Test(http, requests_of_a_keep_alive_connection_are_exact)
{
	const char *const answer[] = {ANSWER("200"), ANSWER("404"), ANSWER("503"), ANSWER("429")};
	uint32_t out = 1, in = 1, i;
	struct names n = {0};
	struct world w;
	struct tick *t;

	connected(&w);
	conn(&w, &far, CONN_ESTABLISHED);
	for (i = 0; i < 400; i++) {
		data(&w, 10, DIR_OUT, out, GET("/items/42?token=secret"));
		out += (uint32_t)strlen(GET("/items/42?token=secret"));
		w.now += 3 * MS / 2;
		data(&w, 11, DIR_OUT, in, answer[i % 4]);
		in += (uint32_t)strlen(answer[i % 4]);
	}
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->requests.n, 1);
	cr_assert_str_eq(edge_text(&n, t->requests.v[0].edge), "client -> server :8080");
	cr_assert_str_eq(n.protocol[t->requests.v[0].edge], "http");
	cr_assert_str_eq(n.op[t->requests.v[0].op], "GET /items/{id}");
	cr_assert_eq(t->requests.v[0].count, 400);
	cr_assert_eq(t->requests.v[0].errors, 200, "503 and 429, not 404");
	cr_assert_float_eq(hist_quantile(&t->requests.v[0].hist, 0.5), 1.5e6, 1.5e4);
	cr_assert_eq(t->requests.v[0].begun, 400);
	cr_assert_eq(t->requests.v[0].first_ns, 400 * 3 * MS / 2);
	cr_assert_eq(t->outcomes.n, 3, "404, 503, 429; that 200 is the rest needs no row");
	for (i = 0; i < 3; i++) {
		static const int status[] = {404, 503, 429};

		cr_assert_eq(t->outcomes.v[i].status, status[i]);
		cr_assert_eq(t->outcomes.v[i].count, 100);
		cr_assert_str_eq(t->outcomes.v[i].error, status[i] == 503 ? "server_error" : "client_error");
		cr_assert_str_eq(t->outcomes.v[i].detail, "");
	}
	cr_assert_eq(t->tcp.v[0].bytes_out, out - 1);
	cr_assert_eq(t->tcp.v[0].bytes_in, in - 1);
	cr_assert_eq(t->tcp.v[0].inflight, 0);
	cr_assert_eq(t->lost, 0);
	tick_free(t);
	model_free(w.m);
}

Test(http, a_request_without_an_answer_ages_and_is_aborted_by_the_close)
{
	struct names n = {0};
	struct world w;
	struct tick *t;

	connected(&w);
	data(&w, 10, DIR_OUT, 1, GET("/slow"));
	pass(&w);
	t = tick(&w);
	cr_assert_eq(t->tcp.n, 1, "told again though nothing passed");
	cr_assert_eq(t->tcp.v[0].inflight, 1);
	cr_assert_eq(t->tcp.v[0].oldest_ns, 2 * S);
	tick_free(t);
	conn(&w, &near, CONN_CLOSE);
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->requests.n, 1);
	cr_assert_eq(t->requests.v[0].errors, 1);
	cr_assert_eq(t->requests.v[0].sum_ns, 2 * S);
	tick_free(t);
	model_free(w.m);
}

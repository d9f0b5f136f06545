/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#define CLIENT_PID 200u
#define SERVER_PID 100u

static void two_services(struct world *w, struct names *n)
{
	memset(n, 0, sizeof(*n));
	world_init(w, 0, 0);
	process(w, SERVER_PID, 1, "server", "v1");
	process(w, CLIENT_PID, 1, "client", "v1");
	listening(w, 1, SERVER_PID, "0.0.0.0", 8080);
}

static const struct sock near = {.cookie = 10, .pid = CLIENT_PID, .laddr = "127.0.0.1", .lport = 40000, .raddr = "127.0.0.1",
				 .rport = 8080, .role = ROLE_CLIENT};
static const struct sock far = {.cookie = 11, .pid = SERVER_PID, .laddr = "127.0.0.1", .lport = 8080, .raddr = "127.0.0.1",
				.rport = 40000, .role = ROLE_SERVER};

static void establish(struct world *w)
{
	conn(w, &near, CONN_CONNECT);
	conn(w, &near, CONN_ESTABLISHED);
	conn(w, &far, CONN_ESTABLISHED);
}

Test(connections, both_ends_on_loopback_are_one_edge_with_exact_counts)
{
	const struct tick_tcp *tcp;
	struct names n;
	struct world w;
	struct tick *t;
	uint32_t i;

	two_services(&w, &n);
	establish(&w);
	for (i = 0; i < 100; i++) {
		data(&w, 10, DIR_OUT, 1 + 4 * i, "QGET");
		w.now += 2 * MS;
		data(&w, 11, DIR_OUT, 1 + i, i < 3 ? "E" : "R");
	}
	data(&w, 10, DIR_OUT, 401, "QHANG");
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->requests.n, 1);
	cr_assert_str_eq(edge_text(&n, t->requests.v[0].edge), "client -> server :8080");
	cr_assert_str_eq(n.protocol[t->requests.v[0].edge], "redis");
	cr_assert_str_eq(n.op[t->requests.v[0].op], "GET");
	cr_assert_eq(t->requests.v[0].count, 100);
	cr_assert_eq(t->requests.v[0].errors, 3);
	cr_assert_eq(t->requests.v[0].sum_ns, 100 * 2 * MS);
	cr_assert_eq(t->requests.v[0].hist.count, 100);
	cr_assert_float_eq(hist_quantile(&t->requests.v[0].hist, 0.5), 2e6, 2e4);
	cr_assert_eq(t->tcp.n, 1);
	tcp = &t->tcp.v[0];
	cr_assert_eq(tcp->opened, 1);
	cr_assert_eq(tcp->open, 1);
	cr_assert_eq(tcp->closed, 0);
	cr_assert_eq(tcp->bytes_out, 405);
	cr_assert_eq(tcp->bytes_in, 100);
	cr_assert_eq(tcp->inflight, 1);
	cr_assert_eq(tcp->oldest_ns, S);
	cr_assert_eq(t->lost, 0);
	tick_free(t);

	/* it is aborted when the server closes, and counts as an error then */
	conn(&w, &far, CONN_CLOSE);
	conn(&w, &near, CONN_CLOSE);
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->services.n + t->edges.n, 0, "defined once");
	cr_assert_eq(t->requests.n, 1);
	cr_assert_str_eq(n.op[t->requests.v[0].op], "HANG");
	cr_assert_eq(t->requests.v[0].errors, 1);
	cr_assert_eq(t->tcp.v[0].closed, 1);
	cr_assert_eq(t->tcp.v[0].open, 0);
	cr_assert_eq(t->tcp.v[0].inflight, 0);
	tick_free(t);
	model_free(w.m);
}

Test(connections, reports_of_both_ends_of_a_veth_pair_count_once)
{
	struct sock a = {.cookie = 10, .pid = CLIENT_PID, .netns = 5, .laddr = "10.0.0.1", .lport = 40000, .raddr = "10.0.0.2",
			 .rport = 8080, .role = ROLE_CLIENT};
	struct sock b = {.cookie = 11, .pid = SERVER_PID, .netns = 6, .laddr = "10.0.0.2", .lport = 8080, .raddr = "10.0.0.1",
			 .rport = 40000, .role = ROLE_SERVER};
	struct names n;
	struct world w;
	struct tick *t;
	uint32_t i;

	two_services(&w, &n);
	conn(&w, &a, CONN_CONNECT);
	conn(&w, &a, CONN_ESTABLISHED);
	conn(&w, &b, CONN_ESTABLISHED);
	for (i = 0; i < 10; i++) {
		data(&w, 10, DIR_OUT, 100 + 2 * i, "QX");
		data(&w, 11, DIR_IN, 100 + 2 * i, "QX");
		data(&w, 11, DIR_OUT, 500 + i, "R");
		data(&w, 10, DIR_IN, 500 + i, "R");
	}
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->requests.n, 1);
	cr_assert_str_eq(edge_text(&n, t->requests.v[0].edge), "client -> server :8080");
	cr_assert_eq(t->requests.v[0].count, 10);
	cr_assert_eq(t->tcp.n, 1);
	cr_assert_eq(t->tcp.v[0].opened, 1);
	cr_assert_eq(t->tcp.v[0].bytes_out, 20);
	cr_assert_eq(t->tcp.v[0].bytes_in, 10);
	tick_free(t);
	model_free(w.m);
}

Test(connections, loopback_of_two_namespaces_is_kept_apart)
{
	struct sock b = near;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	establish(&w);
	process(&w, 300, 1, "other", "");
	b.cookie = 20;
	b.pid = 300;
	b.netns = 99;
	conn(&w, &b, CONN_CONNECT);
	conn(&w, &b, CONN_ESTABLISHED);
	data(&w, 20, DIR_OUT, 1, "QA");
	data(&w, 20, DIR_IN, 1, "R");
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->requests.n, 1);
	cr_assert_str_eq(edge_text(&n, t->requests.v[0].edge), "other -> 127.0.0.1:8080 :8080");
	cr_assert_not_null(tcp_of(&n, t, "client -> server :8080"));
	tick_free(t);
	model_free(w.m);
}

Test(connections, roles_guessed_wrong_are_turned_by_the_bytes)
{
	/* both unknown, no listener: the lower port is taken for the server's, but it is the client's */
	struct sock a = {.cookie = 10, .pid = CLIENT_PID, .laddr = "127.0.0.1", .lport = 3000, .raddr = "127.0.0.1",
			 .rport = 50000};
	struct sock b = {.cookie = 11, .pid = SERVER_PID, .laddr = "127.0.0.1", .lport = 50000, .raddr = "127.0.0.1",
			 .rport = 3000};
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	conn(&w, &a, CONN_EXISTING);
	conn(&w, &b, CONN_EXISTING);
	data(&w, 10, DIR_OUT, 1, "QA");
	data(&w, 11, DIR_OUT, 1, "R");
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->requests.n, 1);
	cr_assert_str_eq(edge_text(&n, t->requests.v[0].edge), "client -> server :50000");
	cr_assert_eq(t->tcp.v[0].opened, 0, "it was there before");
	cr_assert_eq(t->tcp.v[0].open, 1);
	tick_free(t);
	model_free(w.m);
}

Test(connections, a_listener_tells_who_the_server_is)
{
	struct sock a = near;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	listening(&w, 2, SERVER_PID, "0.0.0.0", 50001);
	a.role = ROLE_UNKNOWN;
	a.lport = 3000;
	a.rport = 50001;
	conn(&w, &a, CONN_EXISTING);
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->tcp.n, 1);
	cr_assert_str_eq(edge_text(&n, t->tcp.v[0].edge), "client -> server :50001");
	tick_free(t);
	model_free(w.m);
}

Test(connections, data_of_an_unknown_socket_is_counted_as_lost_until_it_is_announced)
{
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	data(&w, 10, DIR_OUT, 1, "QA");
	data(&w, 10, DIR_IN, 1, "R");
	conn(&w, &near, CONN_OWNER);
	data(&w, 10, DIR_OUT, 3, "QB");
	data(&w, 10, DIR_IN, 2, "R");
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(loss_of(t, "unknown_socket"), 2);
	cr_assert_eq(t->lost, 2);
	cr_assert_eq(t->requests.n, 1);
	cr_assert_eq(t->requests.v[0].count, 1);
	cr_assert_str_eq(n.op[t->requests.v[0].op], "B");
	cr_assert_str_eq(edge_text(&n, t->requests.v[0].edge), "client -> server :8080");
	tick_free(t);
	model_free(w.m);
}

Test(connections, a_refused_connect_names_the_service_that_is_gone)
{
	struct sock a = near;
	const struct tick_tcp *tcp;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	t = tick(&w);
	learn(&n, t);
	tick_free(t);
	unlisten(&w, 1, SERVER_PID, "0.0.0.0", 8080);
	proc_event(&w, PROC_EXIT, SERVER_PID, 0, 9);
	w.now += 30 * S;
	pass(&w);
	a.cookie = 50;
	conn(&w, &a, CONN_CONNECT);
	conn(&w, &a, CONN_REFUSED);
	conn(&w, &a, CONN_CLOSE);
	a.cookie = 51;                  /* the next one has the same port */
	conn(&w, &a, CONN_CONNECT);
	conn(&w, &a, CONN_REFUSED);
	conn(&w, &a, CONN_CLOSE);
	t = tick(&w);
	learn(&n, t);
	tcp = tcp_of(&n, t, "client -> server :8080");
	cr_assert_not_null(tcp);
	cr_assert_eq(tcp->refused, 2);
	cr_assert_eq(tcp->opened, 0);
	cr_assert_eq(tcp->closed, 0);
	cr_assert_eq(tcp->open, 0);
	tick_free(t);
	model_free(w.m);
}

Test(connections, peers_from_elsewhere_are_called_by_their_address)
{
	struct sock in = {.cookie = 10, .pid = SERVER_PID, .laddr = "10.0.0.1", .lport = 8080, .raddr = "192.0.2.7", .rport = 4444,
			  .role = ROLE_SERVER};
	struct sock out = {.cookie = 11, .pid = SERVER_PID, .laddr = "10.0.0.1", .lport = 5555, .raddr = "192.0.2.9", .rport = 443,
			   .role = ROLE_CLIENT};
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	conn(&w, &in, CONN_ESTABLISHED);
	conn(&w, &out, CONN_CONNECT);
	conn(&w, &out, CONN_ESTABLISHED);
	t = tick(&w);
	learn(&n, t);
	cr_assert_not_null(tcp_of(&n, t, "external:192.0.2.7 -> server :8080"));
	cr_assert_not_null(tcp_of(&n, t, "server -> 192.0.2.9:443 :443"));
	tick_free(t);
	model_free(w.m);
}

Test(connections, requests_wait_for_the_owner_until_the_end_of_the_tick)
{
	struct sock b = far;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	pass(&w);
	process(&w, 101, SERVER_PID, "worker", "");
	b.pid = 0;                      /* accepted, not read from yet; no listener's owner to fall back on */
	b.lport = 9090;
	conn(&w, &b, CONN_ESTABLISHED);
	data(&w, 11, DIR_IN, 1, "QA");
	data(&w, 11, DIR_OUT, 1, "R");
	b.pid = 101;
	conn(&w, &b, CONN_OWNER);
	data(&w, 11, DIR_IN, 3, "QA");
	data(&w, 11, DIR_OUT, 2, "R");
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->requests.n, 1, "both rows became one");
	cr_assert_eq(t->requests.v[0].count, 2);
	cr_assert_eq(t->requests.v[0].hist.count, 2);
	cr_assert_str_eq(edge_text(&n, t->requests.v[0].edge), "external:127.0.0.1 -> worker :9090");
	tick_free(t);
	model_free(w.m);
}

Test(connections, a_port_used_anew_is_a_new_connection)
{
	struct sock a = near;
	struct names n;
	struct world w;
	struct tick *t;
	uint64_t i;

	two_services(&w, &n);
	for (i = 0; i < 50; i++) {
		struct sock b = far;

		a.cookie = 1000 + i;
		b.cookie = 2000 + i;
		conn(&w, &a, CONN_CONNECT);
		conn(&w, &a, CONN_ESTABLISHED);
		conn(&w, &b, CONN_ESTABLISHED);
		data(&w, a.cookie, DIR_OUT, 7, "QA");
		data(&w, b.cookie, DIR_OUT, 9, "R");
		conn(&w, &b, CONN_CLOSE);
		conn(&w, &a, CONN_CLOSE);
	}
	t = tick(&w);
	cr_assert_eq(t->requests.n, 1);
	cr_assert_eq(t->requests.v[0].count, 50);
	cr_assert_eq(t->requests.v[0].errors, 0);
	cr_assert_eq(t->tcp.v[0].opened, 50);
	cr_assert_eq(t->tcp.v[0].closed, 50);
	cr_assert_eq(t->tcp.v[0].open, 0);
	tick_free(t);
	model_free(w.m);
}

Test(connections, health_counts_once_though_both_ends_tell)
{
	struct ev_conn e;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	establish(&w);
	e = conn_record(&w, &near, CONN_RETRANS);
	e.retrans = 1;
	e.srtt_us = 250;
	model_event(w.m, &e.h);
	e.retrans = 3;                  /* one record was lost in between */
	model_event(w.m, &e.h);
	conn(&w, &near, CONN_RESET_SENT);
	conn(&w, &far, CONN_RESET_RECV);
	e = conn_record(&w, &near, CONN_CLOSE);
	e.retrans = 3;
	e.bytes_out = 5001;
	e.bytes_in = 70;
	model_event(w.m, &e.h);
	t = tick(&w);
	cr_assert_eq(t->tcp.n, 1);
	cr_assert_eq(t->tcp.v[0].retrans, 3);
	cr_assert_eq(t->tcp.v[0].resets, 1);
	cr_assert_eq(t->tcp.v[0].srtt_us, 250);
	cr_assert_eq(t->tcp.v[0].bytes_out, 5001, "the kernel's totals stand in for segments not seen");
	cr_assert_eq(t->tcp.v[0].bytes_in, 70);
	tick_free(t);
	model_free(w.m);
}

Test(connections, a_retransmission_that_is_told_of_late_counts_once)
{
	struct ev_conn e;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	establish(&w);
	e = conn_record(&w, &near, CONN_OWNER);         /* who walks the sockets was faster than the ring */
	e.retrans = 2;
	model_event(w.m, &e.h);
	e = conn_record(&w, &near, CONN_RETRANS);
	e.retrans = 1;
	model_event(w.m, &e.h);
	e.retrans = 2;
	model_event(w.m, &e.h);
	t = tick(&w);
	cr_assert_eq(t->tcp.v[0].retrans, 2);
	tick_free(t);
	model_free(w.m);
}

Test(connections, a_deaf_flow_asks_for_no_more_payload)
{
	struct names n;
	struct world w;

	two_services(&w, &n);
	establish(&w);
	data(&w, 10, DIR_OUT, 1, "Q1");
	cr_assert_eq(w.wished, 0);
	data(&w, 10, DIR_OUT, 3, "D");
	cr_assert_eq(w.wished, 1);
	model_free(w.m);
}

Test(connections, a_syn_without_its_port_is_joined_when_the_port_is_known)
{
	struct sock a = near;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	a.lport = 0;
	conn(&w, &a, CONN_CONNECT);
	conn(&w, &near, CONN_ESTABLISHED);
	conn(&w, &far, CONN_ESTABLISHED);
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->tcp.n, 1);
	cr_assert_str_eq(edge_text(&n, t->tcp.v[0].edge), "client -> server :8080");
	cr_assert_eq(t->tcp.v[0].opened, 1);
	cr_assert_eq(t->tcp.v[0].open, 1);
	tick_free(t);
	model_free(w.m);
}

Test(connections, a_retransmission_is_not_more_bytes)
{
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	establish(&w);
	data(&w, 10, DIR_OUT, 1, "Q234567");
	data(&w, 10, DIR_OUT, 8, "Q234567");
	data(&w, 10, DIR_OUT, 1, "Q234567");            /* the first one again */
	data(&w, 10, DIR_OUT, 4, "4567Q234567+++");     /* and with three new ones behind */
	data(&w, 10, DIR_OUT, 0xf0000000u, "Q");        /* nonsense far away does not count as gigabytes */
	t = tick(&w);
	cr_assert_leq(t->tcp.v[0].bytes_out, 18);
	cr_assert_geq(t->tcp.v[0].bytes_out, 17);
	tick_free(t);
	model_free(w.m);
}

Test(connections, a_port_used_anew_ends_the_one_whose_close_was_lost)
{
	struct sock a = near;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	establish(&w);
	data(&w, 10, DIR_OUT, 1, "QA");
	a.cookie = 20;
	conn(&w, &a, CONN_CONNECT);
	conn(&w, &a, CONN_ESTABLISHED);
	data(&w, 20, DIR_OUT, 900, "QB");
	data(&w, 20, DIR_IN, 900, "R");
	w.now += S;
	t = tick(&w);
	cr_assert_eq(t->tcp.v[0].opened, 2);
	cr_assert_eq(t->tcp.v[0].closed, 1);
	cr_assert_eq(t->tcp.v[0].open, 1);
	cr_assert_eq(t->requests.n, 2, "B, and A, which was not answered");
	cr_assert_eq(t->requests.v[0].errors + t->requests.v[1].errors, 1);
	tick_free(t);
	model_free(w.m);
}

/* A socket that was refused and is connected again: bound is the port that the first life's records tell. */
static void refused_then_connected(uint16_t bound, bool tell_close)
{
	struct sock first = near, second = near, starting;
	const struct tick_tcp *tcp;
	struct names n;
	struct world w;
	struct tick *t;
	uint32_t i;

	two_services(&w, &n);
	t = tick(&w);
	learn(&n, t);
	tick_free(t);
	first.lport = bound;
	starting = second;
	starting.lport = bound ? second.lport : 0;
	conn(&w, &first, CONN_CONNECT);
	conn(&w, &first, CONN_REFUSED);
	if (tell_close)
		conn(&w, &first, CONN_CLOSE);
	w.now += 30 * MS;
	conn(&w, &starting, CONN_CONNECT);
	conn(&w, &second, CONN_ESTABLISHED);
	conn(&w, &far, CONN_ESTABLISHED);
	for (i = 0; i < 20; i++) {
		data(&w, 10, DIR_OUT, 1 + 4 * i, "QGET");
		w.now += 20 * MS;           /* the first life is forgotten in between */
		conn(&w, &(struct sock){.cookie = 500 + i, .pid = CLIENT_PID, .laddr = "127.0.0.1", .lport = (uint16_t)(50000 + i),
					.raddr = "127.0.0.1", .rport = 8080, .role = ROLE_CLIENT}, CONN_CONNECT);
		data(&w, 11, DIR_OUT, 1 + i, "R");
	}
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->requests.n, 1, "port %u: %zu rows", bound, t->requests.n);
	cr_expect_eq(t->requests.v[0].count, 20);
	tcp = tcp_of(&n, t, "client -> server :8080");
	cr_assert_not_null(tcp);
	cr_expect_eq(tcp->refused, 1);
	cr_expect_eq(tcp->opened, 1);
	cr_expect_eq(tcp->open, 1);
	cr_expect_eq(tcp->bytes_out, 80);
	tick_free(t);
	conn(&w, &second, CONN_CLOSE);
	conn(&w, &far, CONN_CLOSE);
	t = tick(&w);
	tcp = tcp_of(&n, t, "client -> server :8080");
	cr_assert_not_null(tcp);
	cr_expect_eq(tcp->closed, 1);
	cr_expect_eq(tcp->open, 0);
	tick_free(t);
	model_free(w.m);
}

Test(connections, a_refused_socket_that_connects_again_is_a_new_connection)
{
	refused_then_connected(39999, true);
}

Test(connections, so_where_the_kernel_told_the_port_late)
{
	refused_then_connected(0, true);
}

Test(connections, so_where_the_port_stays_or_the_close_is_missing)
{
	refused_then_connected(near.lport, true);
	refused_then_connected(39999, false);
}

Test(connections, the_same_addresses_in_another_namespace_are_another_connection)
{
	const struct sock one = {.cookie = 30, .pid = CLIENT_PID, .netns = 81, .laddr = "10.0.2.100", .lport = 40000,
				 .raddr = "10.0.2.2", .rport = 5432, .role = ROLE_CLIENT};
	struct sock other = one;
	struct names n;
	struct world w;
	struct tick *t;
	uint32_t open = 0;

	two_services(&w, &n);
	process(&w, 201, 1, "stranger", "v1");
	other.cookie = 31, other.netns = 82, other.pid = 201;
	conn(&w, &one, CONN_ESTABLISHED);
	conn(&w, &other, CONN_ESTABLISHED);
	data(&w, 30, DIR_OUT, 1, "QGET");
	data(&w, 31, DIR_OUT, 1, "QGET");
	data(&w, 30, DIR_IN, 1, "R");
	data(&w, 31, DIR_IN, 1, "R");
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->requests.n, 2, "each has its own");
	for (size_t i = 0; i < t->tcp.n; i++)
		open += t->tcp.v[i].open;
	cr_assert_eq(open, 2);
	tick_free(t);
	model_free(w.m);
}

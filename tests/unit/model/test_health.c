/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP health of an edge: connect times, who resets, queues and closed windows by side, accept queues. */
#include "world.h"

static const struct sock near = {.cookie = 10, .pid = 100, .laddr = "127.0.0.1", .lport = 40000, .raddr = "127.0.0.1",
				 .rport = 8080, .role = ROLE_CLIENT};
static const struct sock far = {.cookie = 20, .pid = 200, .laddr = "127.0.0.1", .lport = 8080, .raddr = "127.0.0.1",
				.rport = 40000, .role = ROLE_SERVER};
static const struct sock remote = {.cookie = 30, .pid = 200, .laddr = "10.0.0.1", .lport = 8080, .raddr = "10.9.9.9",
				   .rport = 50000, .role = ROLE_SERVER};

static void two_services(struct world *w, struct names *n)
{
	struct tick *t;

	memset(n, 0, sizeof(*n));
	world_init(w, 0, 0);
	process(w, 100, 1, "client", NULL);
	process(w, 200, 1, "server", NULL);
	listening(w, 5, 200, "0.0.0.0", 8080);
	t = tick(w);
	learn(n, t);
	tick_free(t);
}

static void establish(struct world *w)
{
	conn(w, &near, CONN_CONNECT);
	w->now += 3 * MS;
	conn(w, &near, CONN_ESTABLISHED);
	w->now += 1 * MS;
	conn(w, &far, CONN_ESTABLISHED);
}

static struct ev_health health_record(struct world *w, uint64_t cookie, uint8_t what)
{
	return (struct ev_health){.h = {.ts_ns = w->now, .size = sizeof(struct ev_health), .type = EV_HEALTH}, .cookie = cookie,
				  .what = what};
}

static void health_pass(struct world *w)
{
	struct ev_health e = health_record(w, 0, HEALTH_PASS);

	model_event(w->m, &e.h);
}

static void accept_queue(struct world *w, uint64_t cookie, uint32_t depth, uint32_t limit, uint32_t drops)
{
	struct ev_health e = health_record(w, cookie, HEALTH_LISTENER);

	e.recv_queue = depth;
	e.send_queue = limit;
	e.drops = drops;
	model_event(w->m, &e.h);
}

static const struct tick_tcp *the_edge(struct names *n, const struct tick *t)
{
	const struct tick_tcp *c;

	learn(n, t);
	c = tcp_of(n, t, "client -> server :8080");
	cr_assert_not_null(c);
	return c;
}

Test(health, connecting_takes_from_syn_to_established_at_the_caller)
{
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	establish(&w);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->connect_max_us, 3000);
	cr_expect_leq(the_edge(&n, t)->connect_p50_us, 3000);
	cr_expect_geq(the_edge(&n, t)->connect_p50_us, 2900);
	cr_expect_eq(the_edge(&n, t)->connecting, 0);
	tick_free(t);
	conn(&w, &near, CONN_CLOSE);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->connect_max_us, 0, "of its own interval");
	tick_free(t);
	model_free(w.m);
}

Test(health, a_syn_without_answer_is_seen_while_it_waits_and_when_it_was_given_up)
{
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	conn(&w, &near, CONN_CONNECT);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->connecting, 1);
	tick_free(t);
	conn_retrans(&w, &near, CONN_RETRANS, 1);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->connecting, 1);
	tick_free(t);
	conn_retrans(&w, &near, CONN_CLOSE, 1);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->connecting, 0);
	cr_expect_eq(the_edge(&n, t)->timeouts, 1, "the program lost patience before the kernel did");
	cr_expect_eq(the_edge(&n, t)->opened, 0);
	tick_free(t);
	model_free(w.m);
}

Test(health, a_syn_that_is_answered_at_the_second_try_took_that_long)
{
	struct sock early = near;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	early.lport = 0;                /* not chosen yet */
	conn(&w, &early, CONN_CONNECT);
	t = tick(&w);
	learn(&n, t);
	tick_free(t);
	conn_retrans(&w, &near, CONN_RETRANS, 1);
	conn(&w, &near, CONN_ESTABLISHED);
	conn(&w, &far, CONN_ESTABLISHED);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->opened, 1);
	cr_expect_eq(the_edge(&n, t)->connecting, 0);
	cr_expect_eq(the_edge(&n, t)->connect_max_us, 1000000);
	tick_free(t);
	conn(&w, &near, CONN_CLOSE);
	conn(&w, &far, CONN_CLOSE);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->closed, 1);
	cr_expect_eq(the_edge(&n, t)->timeouts, 0);
	tick_free(t);
	model_free(w.m);
}

Test(health, a_pass_may_run_ahead_of_the_records_in_the_ring)
{
	struct sock early = near;
	struct ev_health h;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	early.lport = 0;
	conn(&w, &early, CONN_CONNECT);
	h = health_record(&w, 10, HEALTH_SOCKET);
	h.bytes_out = 2;
	model_event(w.m, &h.h);
	health_pass(&w);
	t = tick(&w);
	learn(&n, t);
	tick_free(t);
	conn_retrans(&w, &near, CONN_RETRANS, 1);
	conn_retrans(&w, &near, CONN_ESTABLISHED, 1);
	conn(&w, &far, CONN_ESTABLISHED);
	data(&w, 10, DIR_OUT, 1, "Q1");
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->opened, 1);
	cr_expect_eq(the_edge(&n, t)->bytes_out, 2, "once");
	cr_expect_eq(the_edge(&n, t)->retrans, 1, "once");
	cr_expect_eq(the_edge(&n, t)->connecting, 0);
	tick_free(t);
	conn(&w, &near, CONN_CLOSE);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->timeouts, 0);
	tick_free(t);
	model_free(w.m);
}

Test(health, the_loser_of_a_race_of_connects_is_no_timeout)
{
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	conn(&w, &near, CONN_CONNECT);
	conn(&w, &near, CONN_CLOSE);
	t = tick(&w);
	learn(&n, t);
	for (size_t i = 0; i < t->tcp.n; i++)
		cr_expect_eq(t->tcp.v[i].timeouts, 0);
	tick_free(t);
	model_free(w.m);
}

Test(health, resets_and_retransmits_are_told_apart_by_their_sender)
{
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	establish(&w);
	conn_retrans(&w, &far, CONN_RETRANS, 2);
	conn(&w, &near, CONN_RESET_RECV);
	conn(&w, &far, CONN_RESET_SENT);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->resets, 1);
	cr_expect_eq(the_edge(&n, t)->resets_callee, 1, "received by the caller: the callee sent it");
	cr_expect_eq(the_edge(&n, t)->retrans, 2);
	cr_expect_eq(the_edge(&n, t)->retrans_callee, 2);
	tick_free(t);
	model_free(w.m);
}

Test(health, queues_belong_to_the_side_that_has_them_and_to_one_pass)
{
	struct ev_health e;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	establish(&w);
	e = health_record(&w, 10, HEALTH_SOCKET);
	e.send_queue = 5000;
	model_event(w.m, &e.h);
	model_event(w.m, &e.h);         /* told of twice: the list moved under the pass */
	e = health_record(&w, 20, HEALTH_SOCKET);
	e.recv_queue = 700;
	e.min_rtt_us = 40;
	model_event(w.m, &e.h);
	health_pass(&w);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->caller.send_queue_bytes, 5000);
	cr_expect_eq(the_edge(&n, t)->caller.recv_queue_bytes, 0);
	cr_expect_eq(the_edge(&n, t)->callee.send_queue_bytes, 0);
	cr_expect_eq(the_edge(&n, t)->callee.recv_queue_bytes, 700);
	cr_expect_eq(the_edge(&n, t)->min_rtt_us, 40);
	tick_free(t);
	data(&w, 10, DIR_OUT, 1, "Q1");
	health_pass(&w);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->callee.recv_queue_bytes, 0, "not told of: nothing is queued");
	tick_free(t);
	data(&w, 10, DIR_OUT, 3, "Q1");
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->callee.recv_queue_bytes, UINT64_MAX, "no pass: not known");
	tick_free(t);
	model_free(w.m);
}

Test(health, a_closed_window_is_counted_once_and_lasts_until_it_opens)
{
	struct ev_health e;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	establish(&w);
	e = health_record(&w, 20, HEALTH_SOCKET);
	e.zero_windows[DIR_OUT] = 1;
	e.zero_since_ns[DIR_OUT] = w.now;
	e.h.ts_ns = w.now + 400 * MS;
	model_event(w.m, &e.h);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->callee.zero_windows, 1);
	cr_expect_eq(the_edge(&n, t)->callee.zero_window_us, 400000);
	cr_expect_eq(the_edge(&n, t)->caller.zero_windows, 0);
	tick_free(t);
	e.h.ts_ns += S;
	model_event(w.m, &e.h);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->callee.zero_windows, 0);
	cr_expect_eq(the_edge(&n, t)->callee.zero_window_us, 1000000);
	tick_free(t);
	e.zero_since_ns[DIR_OUT] = 0;
	e.zero_ns[DIR_OUT] = 1500 * MS;
	e.zero_windows[DIR_OUT] = 3;
	e.h.ts_ns += S;
	model_event(w.m, &e.h);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->callee.zero_windows, 2);
	cr_expect_eq(the_edge(&n, t)->callee.zero_window_us, 100000);
	tick_free(t);
	model_free(w.m);
}

Test(health, a_peer_elsewhere_is_known_by_the_window_that_it_sends)
{
	struct ev_health e;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	conn(&w, &remote, CONN_ESTABLISHED);
	e = health_record(&w, 30, HEALTH_SOCKET);
	e.zero_windows[DIR_IN] = 2;
	e.zero_ns[DIR_IN] = 5 * MS;
	e.send_queue = 9;
	model_event(w.m, &e.h);
	health_pass(&w);
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->tcp.n, 1);
	cr_expect_eq(t->tcp.v[0].caller.zero_windows, 2);
	cr_expect_eq(t->tcp.v[0].caller.zero_window_us, 5000);
	cr_expect_eq(t->tcp.v[0].callee.send_queue_bytes, 9);
	cr_expect_eq(t->tcp.v[0].caller.recv_queue_bytes, UINT64_MAX, "its sockets are not here");
	tick_free(t);
	model_free(w.m);
}

Test(health, the_kernels_totals_stand_in_for_payload_that_nobody_wanted)
{
	struct ev_health e;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	establish(&w);
	data(&w, 10, DIR_OUT, 1, "Q1");
	e = health_record(&w, 10, HEALTH_SOCKET);
	e.bytes_out = 4;                /* of which two are in a record that is still in the ring */
	model_event(w.m, &e.h);
	data(&w, 10, DIR_OUT, 3, "D2");
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->bytes_out, 4, "segments are reported: they count");
	tick_free(t);
	e.bytes_out = 1000;             /* the flow is deaf now */
	e.bytes_in = 50;
	model_event(w.m, &e.h);
	e.cookie = 20;
	e.bytes_out = 50;
	e.bytes_in = 1000;
	model_event(w.m, &e.h);
	t = tick(&w);
	cr_expect_eq(the_edge(&n, t)->bytes_out, 996);
	cr_expect_eq(the_edge(&n, t)->bytes_in, 50);
	tick_free(t);
	model_free(w.m);
}

/* A listener's point: which is the metric. NaN: none. */
static double accept_point(const struct tick *t, enum metric_id which, double *limit)
{
	for (size_t i = 0; i < t->points.n; i++)
		if (t->points.v[i].metric == which && t->points.v[i].device &&
		    !strcmp(t->points.v[i].device, "0.0.0.0:8080")) {
			*limit = t->points.v[i].limit;
			return t->points.v[i].value;
		}
	return NAN;
}

Test(health, an_accept_queue_is_the_sum_of_the_sockets_at_an_address)
{
	struct names n;
	struct world w;
	double limit = 0;
	struct tick *t;

	two_services(&w, &n);
	listening(&w, 6, 200, "0.0.0.0", 8080);
	accept_queue(&w, 5, 3, 128, 90);
	accept_queue(&w, 6, 1, 128, 0);
	health_pass(&w);
	t = tick(&w);
	cr_expect_eq(accept_point(t, M_ACCEPT_QUEUE, &limit), 4);
	cr_expect_eq(limit, 256);
	cr_expect_eq(accept_point(t, M_ACCEPT_OVERFLOWS, &limit), 0, "what was thrown away before us is not counted");
	tick_free(t);
	accept_queue(&w, 5, 2, 128, 97);
	accept_queue(&w, 6, 0, 128, 3);
	health_pass(&w);
	t = tick(&w);
	cr_expect_eq(accept_point(t, M_ACCEPT_QUEUE, &limit), 2);
	cr_expect_eq(accept_point(t, M_ACCEPT_OVERFLOWS, &limit), 10);
	tick_free(t);
	t = tick(&w);
	cr_expect(isnan(accept_point(t, M_ACCEPT_QUEUE, &limit)), "no pass, no point");
	tick_free(t);
	model_free(w.m);
}

Test(health, records_of_what_is_not_known_are_harmless)
{
	struct ev_health e;
	struct names n;
	struct world w;
	struct tick *t;

	two_services(&w, &n);
	e = health_record(&w, 4711, HEALTH_SOCKET);
	e.send_queue = 1;
	model_event(w.m, &e.h);
	accept_queue(&w, 4711, 1, 1, 1);
	e = health_record(&w, 0, 99);
	model_event(w.m, &e.h);
	t = tick(&w);
	cr_expect_eq(loss_of(t, "bad_records"), 1);
	tick_free(t);
	model_free(w.m);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections that the budget leaves out: what is read stands for them. */
#include "world.h"

#include "bpf/sample.h"

#define CLIENT_PID 200u
#define SERVER_PID 100u
#define CONNS 2048u

static struct sock client_of(uint32_t i)
{
	return (struct sock){.cookie = 1000 + 2 * i, .pid = CLIENT_PID, .laddr = "127.0.0.1", .lport = (uint16_t)(30000 + i),
			     .raddr = "127.0.0.1", .rport = 8080, .role = ROLE_CLIENT};
}

static struct sock server_of(uint32_t i)
{
	return (struct sock){.cookie = 1001 + 2 * i, .pid = SERVER_PID, .laddr = "127.0.0.1", .lport = 8080,
			     .raddr = "127.0.0.1", .rport = (uint16_t)(30000 + i), .role = ROLE_SERVER};
}

/* As the kernel side decides, from the packet's addresses. */
static bool taken(uint32_t i, uint32_t shift)
{
	return sample_takes(sample_pair(0x7f000001, 0x7f000001, (uint16_t)(30000 + i), 8080), shift);
}

static void open_all(struct world *w)
{
	world_init(w, 0, 0);
	process(w, SERVER_PID, 1, "server", "v1");
	process(w, CLIENT_PID, 1, "client", "v1");
	listening(w, 1, SERVER_PID, "0.0.0.0", 8080);
	for (uint32_t i = 0; i < CONNS; i++) {
		struct sock c = client_of(i), s = server_of(i);

		conn(w, &c, CONN_CONNECT);
		conn(w, &c, CONN_ESTABLISHED);
		conn(w, &s, CONN_ESTABLISHED);
	}
}

/* The nth exchange of every connection; those that are not read are not seen. */
static void ask_all(struct world *w, uint32_t nth)
{
	for (uint32_t i = 0; i < CONNS; i++)
		if (taken(i, w->shift))
			data(w, 1000 + 2 * i, DIR_OUT, 1 + 4 * nth, "QGET");
}

static void answer_all(struct world *w, uint32_t nth)
{
	w->now += 2 * MS;
	for (uint32_t i = 0; i < CONNS; i++)
		if (taken(i, w->shift))
			data(w, 1001 + 2 * i, DIR_OUT, 1 + nth, "R");
}

static void set_level(struct world *w, uint8_t shift)
{
	w->shift = shift;
	model_sampling(w->m, shift, true);
}

static uint32_t number_taken(uint32_t shift)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < CONNS; i++)
		n += taken(i, shift);
	return n;
}

static void expect_requests(struct world *w, uint64_t count, uint32_t weight)
{
	struct tick *t = tick(w);
	uint64_t n = 0;

	for (size_t i = 0; i < t->requests.n; i++) {
		n += t->requests.v[i].count;
		cr_expect_eq(t->requests.v[i].hist.count, t->requests.v[i].count);
		cr_expect_eq(t->requests.v[i].sum_ns, t->requests.v[i].count * 2 * MS);
	}
	cr_expect_eq(n, count, "%lu requests, not %lu", (unsigned long)n, (unsigned long)count);
	cr_expect_eq(t->weight, weight, "weight %u", t->weight);
	cr_expect_eq(t->lost, 0);
	cr_expect_eq(t->loss.n, 0, "%s", t->loss.n ? t->loss.v[0].reason : "");
	for (size_t i = 0; i < t->tcp.n; i++)
		cr_expect_eq(t->tcp.v[i].inflight, 0, "%u in flight", t->tcp.v[i].inflight);
	tick_free(t);
}

Test(weight, everything_is_exact_at_weight_1)
{
	struct world w;

	open_all(&w);
	pass(&w);
	ask_all(&w, 0);
	answer_all(&w, 0);
	expect_requests(&w, CONNS, 1);
	model_free(w.m);
}

Test(weight, those_that_are_read_stand_for_the_others)
{
	struct world w;
	uint32_t nth = 0;

	open_all(&w);
	pass(&w);
	for (uint8_t shift = 1; shift <= 6; shift++) {
		double share = (double)(number_taken(shift) << shift) / CONNS;

		set_level(&w, shift);
		ask_all(&w, nth);
		answer_all(&w, nth++);
		expect_requests(&w, (uint64_t)number_taken(shift) << shift, 1u << shift);
		cr_expect_float_eq(share, 1, 5 * sqrt((1 << shift) / (double)CONNS), "shift %u: %g", shift, share);
	}
	model_free(w.m);
}

/* Under way while the level rises: those that are still read count for all of it; the others are neither lost nor in flight. */
Test(weight, rises_under_requests)
{
	struct world w;

	open_all(&w);
	pass(&w);
	ask_all(&w, 0);
	set_level(&w, 3);
	answer_all(&w, 0);
	expect_requests(&w, (uint64_t)number_taken(3) << 3, 8);
	model_free(w.m);
}

/* While it falls: the answers of those that come in now have no request; the others count as before. */
Test(weight, falls_under_requests)
{
	struct world w;

	open_all(&w);
	pass(&w);
	set_level(&w, 3);
	ask_all(&w, 0);
	set_level(&w, 1);
	answer_all(&w, 0);
	expect_requests(&w, (uint64_t)number_taken(3) << 3, 8);
	ask_all(&w, 1);
	answer_all(&w, 1);
	expect_requests(&w, (uint64_t)number_taken(1) << 1, 2);
	set_level(&w, 0);
	pass(&w);
	ask_all(&w, 2);
	answer_all(&w, 2);
	expect_requests(&w, CONNS, 1);
	model_free(w.m);
}

/* A segment that was on its way when the level rose begins nothing. */
Test(weight, stragglers_of_the_level_before)
{
	struct world w;

	open_all(&w);
	pass(&w);
	model_sampling(w.m, 4, true);
	ask_all(&w, 0);         /* w.shift is still 0 */
	w.shift = 4;
	answer_all(&w, 0);
	expect_requests(&w, (uint64_t)number_taken(4) << 4, 16);
	model_free(w.m);
}

Test(weight, in_flight_is_an_estimate_too)
{
	struct world w;
	struct tick *t;

	open_all(&w);
	pass(&w);
	set_level(&w, 2);
	ask_all(&w, 0);
	t = tick(&w);
	cr_assert_eq(t->tcp.n, 1);
	cr_expect_eq(t->tcp.v[0].inflight, number_taken(2) << 2);
	cr_expect_eq(t->tcp.v[0].open, CONNS, "connections are counted, not estimated");
	tick_free(t);
	model_free(w.m);
}

Test(weight, nothing_read_is_weight_0)
{
	struct world w;

	open_all(&w);
	pass(&w);
	ask_all(&w, 0);
	model_sampling(w.m, 6, false);
	expect_requests(&w, 0, 0);
	expect_requests(&w, 0, 0);
	set_level(&w, 0);
	ask_all(&w, 1);
	answer_all(&w, 1);
	expect_requests(&w, CONNS, 0);
	expect_requests(&w, 0, 1);
	model_free(w.m);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <malloc.h>

static struct sock numbered(uint32_t i, uint8_t role)
{
	static char addr[2][32];
	char *a = addr[role == ROLE_SERVER];

	snprintf(a, 32, "10.%u.%u.%u", 1 + (i >> 15), (i >> 7) & 255, 1 + (i & 127));
	return (struct sock){.cookie = 10 + i, .pid = 100, .laddr = "10.0.0.1", .lport = 8080, .raddr = a, .rport = 4000,
			     .role = role};
}

Test(limits, what_waits_by_intent_is_counted_without_a_latency)
{
	struct names n = {0};
	struct world w;
	struct tick *t;
	struct sock s = numbered(1, ROLE_SERVER);

	world_init(&w, 0, 0);
	process(&w, 100, 1, "server", "");
	listening(&w, 1, 100, "0.0.0.0", 8080);
	conn(&w, &s, CONN_ESTABLISHED);
	data(&w, 11, DIR_IN, 1, "Q~POP");
	w.now += 1000 * MS;
	data(&w, 11, DIR_OUT, 1, "R");
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->requests.n, 1);
	cr_assert_eq(t->requests.v[0].count, 1);
	cr_assert_eq(t->requests.v[0].waits, 1);
	cr_assert_eq(t->requests.v[0].sum_ns, 0);
	cr_assert_eq(t->requests.v[0].hist.count, 0);
	tick_free(t);
	model_free(w.m);
}

Test(limits, connections_past_the_limit_replace_the_longest_idle_and_are_counted)
{
	struct names n = {0};
	struct world w;
	struct tick *t;
	uint32_t i, open = 0;
	size_t k;

	world_init(&w, 100, 0);
	process(&w, 100, 1, "server", "");
	listening(&w, 1, 100, "0.0.0.0", 8080);
	for (i = 0; i < 150; i++) {
		struct sock s = numbered(i, ROLE_SERVER);

		if (i == 100)
			pass(&w);       /* what was touched in this tick is not idle */
		w.now += MS;
		conn(&w, &s, CONN_ESTABLISHED);
	}
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(loss_of(t, "connections_full"), 50);
	for (k = 0; k < t->tcp.n; k++)
		open += t->tcp.v[k].open;
	tick_free(t);
	/* the newest is there */
	data(&w, 10 + 149, DIR_IN, 1, "QA");
	data(&w, 10 + 149, DIR_OUT, 1, "R");
	t = tick(&w);
	cr_assert_eq(t->requests.n, 1);
	cr_assert_eq(loss_of(t, "unknown_socket"), 0);
	tick_free(t);
	/* the oldest is not */
	data(&w, 10 + 0, DIR_IN, 1, "QA");
	t = tick(&w);
	cr_assert_eq(loss_of(t, "unknown_socket"), 1);
	tick_free(t);
	model_free(w.m);
}

Test(limits, operations_past_the_limit_are_other)
{
	struct sock s = numbered(0, ROLE_SERVER);
	struct names n = {0};
	struct world w;
	struct tick *t;
	uint64_t other = 0;
	uint32_t i, seq = 1;
	char q[32];
	size_t k;

	world_init(&w, 0, 10);
	process(&w, 100, 1, "server", "");
	listening(&w, 1, 100, "0.0.0.0", 8080);
	conn(&w, &s, CONN_ESTABLISHED);
	for (i = 0; i < 50; i++) {
		snprintf(q, sizeof(q), "Qop%u", i);
		data(&w, s.cookie, DIR_IN, seq, q);
		data(&w, s.cookie, DIR_OUT, 1 + i, "R");
		seq += (uint32_t)strlen(q);
	}
	t = tick(&w);
	learn(&n, t);
	for (k = 0; k < t->requests.n; k++)
		if (!strcmp(n.op[t->requests.v[k].op], "(other)"))
			other = t->requests.v[k].count;
	cr_assert_eq(t->requests.n, 10);
	cr_assert_eq(other, 41);
	cr_assert_eq(loss_of(t, "ops_full"), 41);
	tick_free(t);
	model_free(w.m);
}

Test(limits, peers_past_the_limit_are_other)
{
	struct world w;
	struct tick *t;
	uint64_t opened = 0;
	uint32_t i;
	size_t k;

	world_init(&w, 0, 0);
	process(&w, 100, 1, "crawler", "");
	for (i = 0; i < 3000; i++) {
		struct sock s = numbered(i, ROLE_CLIENT);

		conn(&w, &s, CONN_ESTABLISHED);
	}
	t = tick(&w);
	cr_assert_lt(t->services.n, 1100);
	for (k = 0; k < t->tcp.n; k++)
		opened += t->tcp.v[k].opened;
	cr_assert_eq(opened, 3000, "counted all the same");
	cr_assert_gt(loss_of(t, "services_full"), 0);
	tick_free(t);
	model_free(w.m);
}

Test(limits, broken_records_are_counted_and_ignored)
{
	struct { struct ev_data d; uint8_t more[8]; } e = {.d = {.h = {.ts_ns = 1, .type = EV_DATA}, .cookie = 1}};
	struct ev_hdr h = {.ts_ns = 1, .size = sizeof(h), .type = 99};
	struct world w;
	struct tick *t;

	world_init(&w, 0, 0);
	model_event(w.m, &h);
	h.type = EV_CONN;
	model_event(w.m, &h);
	h.size = 3;
	model_event(w.m, &h);
	e.d.h.size = sizeof(e.d) + 8;
	e.d.len = 100;
	e.d.head = 9;                   /* more than the record holds */
	model_event(w.m, &e.d.h);
	e.d.head = 8;
	e.d.len = 4;                    /* more than there was */
	model_event(w.m, &e.d.h);
	t = tick(&w);
	cr_assert_eq(loss_of(t, "bad_records"), 5);
	cr_assert_eq(t->events, 5);
	tick_free(t);
	model_free(w.m);
}

Test(limits, loss_outside_is_told_by_its_growth)
{
	struct world w;
	struct tick *t;

	world_init(&w, 0, 0);
	model_loss(w.m, "kernel", "ring_data", 7);
	model_loss(w.m, "kernel", "bytes", 1000);
	t = tick(&w);
	cr_assert_eq(loss_of(t, "ring_data"), 7);
	cr_assert_eq(loss_of(t, "bytes"), 1000);
	cr_assert_eq(t->lost, 7);
	tick_free(t);
	model_loss(w.m, "kernel", "ring_data", 9);
	t = tick(&w);
	cr_assert_eq(t->lost, 2);
	tick_free(t);
	t = tick(&w);
	cr_assert_eq(t->loss.n, 0);
	tick_free(t);
	model_free(w.m);
}

Test(limits, idle_connections_whose_owner_is_gone_are_forgotten)
{
	struct sock s = numbered(0, ROLE_SERVER);
	struct names n = {0};
	struct world w;
	struct tick *t;
	int i;

	world_init(&w, 0, 0);
	process(&w, 100, 1, "server", "");
	conn(&w, &s, CONN_ESTABLISHED);
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->tcp.v[0].open, 1);
	tick_free(t);
	model_loss(w.m, "kernel", "ring_conn", 1);      /* so its CLOSE may have been among the lost */
	proc_event(&w, PROC_EXIT, 100, 0, 0);
	for (i = 0; i < 200; i++) {
		t = tick(&w);
		if (t->tcp.n && !t->tcp.v[0].open)
			i = 1000;
		tick_free(t);
	}
	cr_assert_geq(i, 1000, "still open");
	model_free(w.m);
}

#if !defined(__SANITIZE_ADDRESS__)
Test(limits, ten_thousand_idle_connections_cost_at_most_600_bytes_each)
{
	size_t before = mallinfo2().uordblks;
	struct world w;
	uint32_t i;

	world_init(&w, 0, 0);
	process(&w, 100, 1, "server", "");
	process(&w, 200, 1, "client", "");
	listening(&w, 1, 100, "0.0.0.0", 8080);
	for (i = 0; i < 10000; i++) {
		struct sock a = {.cookie = 10 + 2 * i, .pid = 200, .laddr = "127.0.0.1", .lport = (uint16_t)(10001 + i),
				 .raddr = "127.0.0.1", .rport = 8080, .role = ROLE_CLIENT};
		struct sock b = {.cookie = 11 + 2 * i, .pid = 100, .laddr = "127.0.0.1", .lport = 8080, .raddr = "127.0.0.1",
				 .rport = (uint16_t)(10001 + i), .role = ROLE_SERVER};

		conn(&w, &a, CONN_EXISTING);
		conn(&w, &b, CONN_EXISTING);
	}
	pass(&w);
	pass(&w);
	i = (uint32_t)((mallinfo2().uordblks - before) / 10000);
	cr_assert_leq(i, 600, "%u bytes a connection", i);
	cr_log_info("%u bytes a connection with both ends", i);
	model_free(w.m);
}
#endif

/* A proxy at the edge: the first clients keep their names, the others are one, and nothing is lost. */
Test(limits, clients_from_elsewhere_are_named_up_to_a_number)
{
	struct names n = {0};
	struct world w;
	struct tick *t;
	uint32_t i, opened = 0, others = 0;
	size_t k;

	world_init(&w, 0, 0);
	process(&w, 100, 1, "proxy", "");
	listening(&w, 1, 100, "0.0.0.0", 8080);
	for (i = 0; i < 200; i++) {
		struct sock s = numbered(i, ROLE_SERVER);

		conn(&w, &s, CONN_ESTABLISHED);
	}
	t = tick(&w);
	learn(&n, t);
	cr_expect_eq(t->tcp.n, 65, "%zu edges", t->tcp.n);
	for (k = 0; k < t->tcp.n; k++) {
		opened += t->tcp.v[k].opened;
		if (!strcmp(edge_text(&n, t->tcp.v[k].edge), "external:others -> proxy :8080"))
			others = t->tcp.v[k].opened;
	}
	cr_expect_eq(opened, 200);
	cr_expect_eq(others, 136);
	cr_expect_eq(loss_of(t, "services_full"), 0);
	cr_expect_eq(loss_of(t, "clients_folded"), 136);
	tick_free(t);
	/* one that has its name keeps it */
	data(&w, 10 + 3, DIR_IN, 1, "QA");
	data(&w, 10 + 3, DIR_OUT, 1, "R");
	t = tick(&w);
	cr_assert_eq(t->requests.n, 1);
	cr_expect_str_eq(edge_text(&n, t->requests.v[0].edge), "external:10.1.0.4 -> proxy :8080");
	tick_free(t);
	model_free(w.m);
}

/* Disks, interfaces and cgroups past their number are left out, and it is said. */
Test(limits, readings_past_the_limit_are_counted)
{
	struct sample s = {.ts_ns = 0};
	struct world w;
	struct tick *t;
	char name[70][8];

	world_init(&w, 0, 0);
	for (int i = 0; i < 70; i++) {
		snprintf(name[i], sizeof(name[i]), "sd%d", i);
		*vec_push(&s.devices) = (struct sample_device){.name = name[i]};
	}
	s.ts_ns = w.now;
	model_sample(w.m, &s);
	t = tick(&w);
	cr_expect_eq(loss_of(t, "devices_full"), 70 - 64, "%lu", (unsigned long)loss_of(t, "devices_full"));
	tick_free(t);
	vec_done(&s.devices);
	model_free(w.m);
}

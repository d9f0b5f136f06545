/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include "model/internal.h"

#define CLIENT 200u
#define SERVER 100u
#define BLUE 78u             /* the server's network namespace */
#define ROUTER 79u

/* The client calls 10.9.9.9:80; the server has 10.0.2.2:8080 and sees the client as 10.0.2.1:61000. */
static const struct sock caller = {.cookie = 10, .pid = CLIENT, .laddr = "10.0.1.2", .lport = 40000, .raddr = "10.9.9.9", .rport = 80,
				   .role = ROLE_CLIENT};
static const struct sock called = {.cookie = 11, .pid = SERVER, .netns = BLUE, .laddr = "10.0.2.2", .lport = 8080,
				   .raddr = "10.0.2.1", .rport = 61000, .role = ROLE_SERVER};

struct ends { const char *source; uint16_t sport; const char *destination; uint16_t dport; };

static void nat(struct world *w, uint8_t what, uint32_t netns, struct ends seen, struct ends far)
{
	struct ev_nat e = {.h = {.ts_ns = w->now, .size = sizeof(e), .type = EV_NAT}, .netns = netns, .what = what, .l4 = L4_TCP,
			   .seen_port = {seen.sport, seen.dport}, .far_port = {far.sport, far.dport}};

	ip4(e.seen[0], seen.source);
	ip4(e.seen[1], seen.destination);
	ip4(e.far[0], far.source);
	ip4(e.far[1], far.destination);
	model_event(w->m, &e.h);
}

static const struct ends as_seen = {"10.0.1.2", 40000, "10.9.9.9", 80}, behind = {"10.0.2.1", 61000, "10.0.2.2", 8080};

static void both(struct world *w, struct names *n)
{
	struct sock l = {.cookie = 1, .pid = SERVER, .netns = BLUE, .laddr = "0.0.0.0", .lport = 8080};
	struct tick *t;

	memset(n, 0, sizeof(*n));
	world_init(w, 0, 0);
	process(w, SERVER, 1, "server", NULL)->netns = BLUE;
	process(w, CLIENT, 1, "client", NULL);
	conn(w, &l, CONN_LISTEN);
	t = tick(w);
	learn(n, t);
	tick_free(t);
}

static void talk(struct world *w, uint64_t client, uint64_t server, uint32_t seq)
{
	data(w, client, DIR_OUT, seq, "QGET");
	if (server)
		data(w, server, DIR_IN, seq, "QGET");
	w->now += MS;
	if (server)
		data(w, server, DIR_OUT, seq, "R");
	data(w, client, DIR_IN, seq, "R");
}

/* "client -> server :8080 2", of all rows of the tick that is taken now. */
static const char *rows(struct world *w, struct names *n)
{
	static char text[512];
	struct tick *t = tick(w);
	size_t len = 0;

	text[0] = '\0';
	learn(n, t);
	for (size_t i = 0; i < t->requests.n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %u", i ? "; " : "", edge_text(n, t->requests.v[i].edge),
					(unsigned)t->requests.v[i].count);
	tick_free(t);
	return text;
}

Test(nat, ends_that_see_other_addresses_meet_behind_the_translation)
{
	struct names n;
	struct world w;

	both(&w, &n);
	nat(&w, NAT_BEGIN, ROUTER, as_seen, behind);
	conn(&w, &caller, CONN_ESTABLISHED);
	conn(&w, &called, CONN_ESTABLISHED);
	talk(&w, 10, 11, 1);
	talk(&w, 10, 11, 5);
	cr_assert_str_eq(rows(&w, &n), "client -> server :8080 2");
	model_free(w.m);
}

Test(nat, a_translation_that_is_told_of_late_joins_them_still)
{
	struct names n;
	struct world w;

	both(&w, &n);
	conn(&w, &caller, CONN_CONNECT);
	conn(&w, &caller, CONN_ESTABLISHED);
	conn(&w, &called, CONN_ESTABLISHED);
	nat(&w, NAT_BEGIN, ROUTER, as_seen, behind);
	talk(&w, 10, 11, 1);
	cr_assert_str_eq(rows(&w, &n), "client -> server :8080 1");
	model_free(w.m);
}

Test(nat, translations_one_behind_the_other_are_followed_in_any_order)
{
	const struct ends between = {"10.0.1.2", 40000, "10.9.9.10", 81};
	struct names n;
	struct world w;

	both(&w, &n);
	nat(&w, NAT_BEGIN, ROUTER, between, behind);
	conn(&w, &caller, CONN_ESTABLISHED);
	nat(&w, NAT_BEGIN, NETNS, as_seen, between);
	conn(&w, &called, CONN_ESTABLISHED);
	talk(&w, 10, 11, 1);
	cr_assert_str_eq(rows(&w, &n), "client -> server :8080 1");
	model_free(w.m);
}

Test(nat, an_end_that_is_not_here_is_called_by_the_address_that_was_used)
{
	struct names n;
	struct world w;

	both(&w, &n);
	nat(&w, NAT_BEGIN, ROUTER, as_seen, (struct ends){"10.0.2.1", 61000, "192.0.2.7", 8080});
	conn(&w, &caller, CONN_ESTABLISHED);
	talk(&w, 10, 0, 1);
	cr_assert_str_eq(rows(&w, &n), "client -> 10.9.9.9:80 :80 1");
	nat(&w, NAT_BEGIN, ROUTER, (struct ends){"198.51.100.4", 5000, "10.9.9.9", 80}, behind);
	conn(&w, &called, CONN_ESTABLISHED);
	data(&w, 11, DIR_IN, 1, "QGET");
	data(&w, 11, DIR_OUT, 1, "R");
	cr_assert_str_eq(rows(&w, &n), "external:198.51.100.4 -> server :8080 1");
	model_free(w.m);
}

Test(nat, a_port_that_is_used_again_for_somebody_else_does_not_join_strangers)
{
	struct sock other = caller, taken = called;
	struct names n;
	struct world w;

	both(&w, &n);
	process(&w, 201, 1, "other", NULL);
	nat(&w, NAT_BEGIN, ROUTER, as_seen, behind);
	conn(&w, &caller, CONN_ESTABLISHED);
	conn(&w, &called, CONN_ESTABLISHED);
	talk(&w, 10, 11, 1);
	conn(&w, &caller, CONN_CLOSE);
	conn(&w, &called, CONN_CLOSE);
	nat(&w, NAT_END, ROUTER, as_seen, behind);
	w.now += 10 * MS;
	other.cookie = 20, other.pid = 201, other.laddr = "10.0.1.3";
	taken.cookie = 21;
	nat(&w, NAT_BEGIN, ROUTER, (struct ends){"10.0.1.3", 40000, "10.9.9.9", 80}, behind);
	conn(&w, &other, CONN_ESTABLISHED);
	conn(&w, &taken, CONN_ESTABLISHED);
	talk(&w, 20, 21, 1);
	cr_assert_str_eq(rows(&w, &n), "client -> server :8080 1; other -> server :8080 1");
	model_free(w.m);
}

/* No end was told of (the text of /proc, an overrun), and its port calls another server now: that has the call. */
Test(nat, a_translation_that_was_outdated_when_it_was_used)
{
	static const struct sock other = {.cookie = 21, .pid = 101, .netns = 80, .laddr = "10.0.3.3", .lport = 8080, .raddr = "10.0.2.1",
					  .rport = 61000, .role = ROLE_SERVER};
	static const struct sock l = {.cookie = 2, .pid = 101, .netns = 80, .laddr = "0.0.0.0", .lport = 8080};
	static const struct ends behind_other = {"10.0.2.1", 61000, "10.0.3.3", 8080};
	struct sock again = caller;
	struct names n;
	struct world w;

	again.cookie = 20;
	both(&w, &n);
	process(&w, 101, 1, "other", NULL)->netns = 80;
	conn(&w, &l, CONN_LISTEN);
	nat(&w, NAT_BEGIN, ROUTER, as_seen, behind);
	conn(&w, &caller, CONN_ESTABLISHED);
	conn(&w, &called, CONN_ESTABLISHED);
	talk(&w, 10, 11, 1);
	cr_assert_str_eq(rows(&w, &n), "client -> server :8080 1");
	conn(&w, &caller, CONN_CLOSE);
	conn(&w, &called, CONN_CLOSE);
	rows(&w, &n);
	conn(&w, &again, CONN_ESTABLISHED);
	conn(&w, &other, CONN_ESTABLISHED);
	w.now += MS;
	nat(&w, NAT_BEGIN, ROUTER, as_seen, behind_other);
	talk(&w, 20, 21, 1);
	cr_assert_str_eq(rows(&w, &n), "client -> other :8080 1");
	model_free(w.m);
}

/* The port of a router is used for another caller: the address that this one used is shown, not that of the one before. */
Test(nat, a_router_uses_a_port_again)
{
	static const struct ends to_nobody = {"10.0.2.1", 61000, "192.0.2.7", 8080};
	struct sock again = caller;
	struct names n;
	struct world w;

	again.raddr = "10.9.9.8";
	again.cookie = 20;
	both(&w, &n);
	nat(&w, NAT_BEGIN, ROUTER, as_seen, to_nobody);
	nat(&w, NAT_BEGIN, ROUTER, (struct ends){"10.0.1.2", 40000, "10.9.9.8", 80}, to_nobody);
	conn(&w, &again, CONN_ESTABLISHED);
	talk(&w, 20, 0, 1);
	cr_assert_str_eq(rows(&w, &n), "client -> 10.9.9.8:80 :80 1");
	model_free(w.m);
}

/* ESTABLISHED with the numbers of the first bytes of each direction. */
static void established(struct world *w, const struct sock *s, uint32_t out, uint32_t in)
{
	struct ev_conn e = conn_record(w, s, CONN_ESTABLISHED);

	e.first_out = out;
	e.first_in = in;
	model_event(w->m, &e.h);
}

/* Nobody tells of the translation (a load balancer in BPF), but the numbers are the same at both ends. */
Test(nat, numbers_join_what_nobody_has_told_of)
{
	struct names n;
	struct world w;

	both(&w, &n);
	established(&w, &caller, 1000, 2000);
	established(&w, &called, 2000, 1000);
	talk(&w, 10, 11, 1);
	talk(&w, 10, 11, 5);
	cr_assert_str_eq(rows(&w, &n), "client -> server :8080 2");
	conn(&w, &caller, CONN_CLOSE);
	conn(&w, &called, CONN_CLOSE);
	rows(&w, &n);
	rows(&w, &n);
	cr_assert_eq(w.m->nconns, 0);
	cr_assert_eq(w.m->by_numbers.n, 0);
	model_free(w.m);
}

/* The table of translations tells of it later. */
Test(nat, numbers_first_and_the_translation_then)
{
	struct names n;
	struct world w;

	both(&w, &n);
	established(&w, &caller, 1000, 2000);
	established(&w, &called, 2000, 1000);
	talk(&w, 10, 11, 1);
	nat(&w, NAT_BEGIN, ROUTER, as_seen, behind);
	talk(&w, 10, 11, 5);
	cr_assert_str_eq(rows(&w, &n), "client -> server :8080 2");
	model_free(w.m);
}

/* Two networks with the same addresses, and the same ports at the same time, in every order that may be: a client is there before its
 * server. */
Test(nat, networks_with_the_same_addresses)
{
	static const struct sock end[2][2] = {
		{{.cookie = 30, .pid = CLIENT, .netns = 81, .laddr = "10.0.1.2", .lport = 40000, .raddr = "10.0.2.2", .rport = 8080, .role = ROLE_CLIENT},
		 {.cookie = 31, .pid = SERVER, .netns = 82, .laddr = "10.0.2.2", .lport = 8080, .raddr = "10.0.1.2", .rport = 40000, .role = ROLE_SERVER}},
		{{.cookie = 40, .pid = 201, .netns = 83, .laddr = "10.0.1.2", .lport = 40000, .raddr = "10.0.2.2", .rport = 8080, .role = ROLE_CLIENT},
		 {.cookie = 41, .pid = 101, .netns = 84, .laddr = "10.0.2.2", .lport = 8080, .raddr = "10.0.1.2", .rport = 40000, .role = ROLE_SERVER}},
	};
	static const uint8_t order[6][4] = {{0, 1, 2, 3}, {0, 2, 1, 3}, {0, 2, 3, 1}, {2, 3, 0, 1}, {2, 0, 3, 1}, {2, 0, 1, 3}};

	for (int k = 0; k < 12; k++) {
		struct names n;
		struct world w;

		both(&w, &n);
		process(&w, 201, 1, "thief", NULL);
		process(&w, 101, 1, "books", NULL);
		for (int i = 0; i < 4; i++) {
			unsigned net = order[k / 2][i] / 2, which = order[k / 2][i] % 2;
			uint32_t client = 1000 + net * 100, server = 2000 + net * 100;

			if (k % 2 && !which)
				conn(&w, &end[net][0], CONN_CONNECT);
			established(&w, &end[net][which], which ? server : client, which ? client : server);
		}
		for (uint32_t i = 0; i < 3; i++) {
			talk(&w, 30, 31, 1 + i * 4);
			talk(&w, 40, 41, 1 + i * 4);
		}
		cr_expect_str_eq(rows(&w, &n), "client -> server :8080 3; thief -> books :8080 3", "order %d", k);
		model_free(w.m);
	}
}

/* A proxy for SYNs gives the server's bytes other numbers on the way; the client's are as they were. */
Test(nat, numbers_that_are_told_anew_in_one_direction)
{
	static const struct sock c = {.cookie = 30, .pid = CLIENT, .netns = 81, .laddr = "10.0.1.2", .lport = 40000, .raddr = "10.0.2.2", .rport = 8080,
				      .role = ROLE_CLIENT};
	static const struct sock d = {.cookie = 31, .pid = SERVER, .netns = BLUE, .laddr = "10.0.2.2", .lport = 8080, .raddr = "10.0.1.2", .rport = 40000,
				      .role = ROLE_SERVER};
	struct names n;
	struct world w;

	both(&w, &n);
	established(&w, &c, 1000, 2000);
	established(&w, &d, 7000, 1000);
	talk(&w, 30, 31, 1);
	cr_assert_str_eq(rows(&w, &n), "client -> server :8080 1");
	model_free(w.m);
}

Test(nat, redirected_to_loopback_is_of_that_namespace_alone)
{
	const struct sock inner = {.cookie = 11, .pid = SERVER, .netns = BLUE, .laddr = "127.0.0.1", .lport = 8080,
				   .raddr = "10.0.1.2", .rport = 40000, .role = ROLE_SERVER};
	struct sock near = caller;
	struct names n;
	struct world w;

	both(&w, &n);
	near.netns = BLUE;
	nat(&w, NAT_BEGIN, BLUE, as_seen, (struct ends){"10.0.1.2", 40000, "127.0.0.1", 8080});
	conn(&w, &near, CONN_ESTABLISHED);
	conn(&w, &inner, CONN_ESTABLISHED);
	talk(&w, 10, 11, 1);
	cr_assert_str_eq(rows(&w, &n), "client -> server :8080 1");
	model_free(w.m);
}

Test(nat, the_table_is_bounded_and_keeps_what_is_open)
{
	struct names n;
	struct world w;
	char source[32];

	both(&w, &n);
	nat(&w, NAT_BEGIN, ROUTER, as_seen, behind);
	conn(&w, &caller, CONN_ESTABLISHED);
	for (unsigned i = 0; i < 40000; i++) {
		snprintf(source, sizeof(source), "10.1.%u.%u", i >> 8, i & 255);
		nat(&w, NAT_BEGIN, ROUTER, (struct ends){source, 40000, "10.9.9.9", 80},
		    (struct ends){"10.0.2.1", (uint16_t)(i + 1), "10.3.2.2", (uint16_t)(1 + (i >> 15))});
	}
	conn(&w, &called, CONN_ESTABLISHED);
	talk(&w, 10, 11, 1);
	cr_assert_str_eq(rows(&w, &n), "client -> server :8080 1");
	model_free(w.m);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#define WORLD_REAL_FLOW
#include "world.h"

#include "model/internal.h"

#define QUERY "\0\7\1\0\0\1\0\0\0\0\0\0\2ns\0\0\1\0\1"
#define ANSWER "\0\7\x81\x80\0\1\0\0\0\0\0\0\2ns\0\0\1\0\1"
#define NOBODY "\0\7\x81\x83\0\1\0\0\0\0\0\0\2ns\0\0\1\0\1"
#define SIZE (sizeof(QUERY) - 1)

static struct ev_conn udp_record(struct world *w, const struct sock *s, uint8_t what, uint64_t out, uint64_t in)
{
	struct ev_conn e = conn_record(w, s, what);

	e.l4 = L4_UDP;
	e.bytes_out = out;
	e.bytes_in = in;
	return e;
}

static void counted(struct world *w, const struct sock *s, uint8_t what, uint64_t out, uint64_t in)
{
	struct ev_conn e = udp_record(w, s, what, out, in);

	model_event(w->m, &e.h);
}

static void datagram(struct world *w, const struct sock *s, uint8_t dir, const char *bytes, size_t n)
{
	struct ev_datagram *e = calloc(1, sizeof(*e) + n);

	*e = (struct ev_datagram){.h = {.ts_ns = w->now, .size = (uint32_t)(sizeof(*e) + n), .type = EV_DATAGRAM},
				  .cookie = s->cookie, .netns = NETNS, .tgid = s->pid, .lport = s->lport, .rport = s->rport,
				  .len = (uint32_t)n, .head = (uint16_t)n, .dir = dir};
	ip4(e->laddr, s->laddr);
	ip4(e->raddr, s->raddr);
	memcpy(e->payload, bytes, n);
	model_event(w->m, &e->h);
	free(e);
	w->now += MS;
}

static const struct sock client = {1, 10, 0, "127.0.0.1", 40000, "127.0.0.1", 53, ROLE_CLIENT};
static const struct sock server = {2, 20, 0, "127.0.0.1", 53, "127.0.0.1", 40000, ROLE_SERVER};

static void ask(struct world *w)
{
	datagram(w, &client, DIR_OUT, QUERY, SIZE);
}

static void tell(struct world *w, const char *answer)
{
	datagram(w, &server, DIR_OUT, answer, SIZE);
}

Test(datagram, a_question_and_its_answer)
{
	struct names *n = calloc(1, sizeof(*n));
	const struct tick_tcp *tcp;
	struct world w;
	struct tick *t;

	world_app_and(&w, "resolver");
	ask(&w);
	tell(&w, ANSWER);
	ask(&w);
	tell(&w, NOBODY);
	t = tick(&w);
	learn(n, t);
	cr_assert_eq(t->requests.n, 2);
	cr_expect_str_eq(edge_text(n, t->requests.v[0].edge), "app -> resolver :53");
	cr_expect_str_eq(n->protocol[t->requests.v[0].edge], "dns");
	for (size_t i = 0; i < 2; i++) {
		cr_expect_eq(t->requests.v[i].count, 1);
		cr_expect_eq(t->requests.v[i].errors, 0);
		cr_expect(!strcmp(n->op[t->requests.v[i].op], "A ns") || !strcmp(n->op[t->requests.v[i].op], "A ns NXDOMAIN"));
	}
	tcp = tcp_of(n, t, "app -> resolver :53");
	cr_assert_not_null(tcp);
	cr_expect_eq(tcp->bytes_out, 2 * SIZE);
	cr_expect_eq(tcp->bytes_in, 2 * SIZE);
	cr_expect_eq(tcp->open, 0);
	tick_free(t);
	model_free(w.m);
	free(n);
}

/* Between two network namespaces of this node both ends tell of every datagram. */
Test(datagram, seen_from_both_ends)
{
	static const struct sock c = {1, 10, 0, "10.0.0.1", 40000, "10.0.0.2", 53, ROLE_CLIENT};
	static const struct sock s = {2, 20, 0, "10.0.0.2", 53, "10.0.0.1", 40000, ROLE_SERVER};
	struct world w;
	struct tick *t;

	world_app_and(&w, "resolver");
	datagram(&w, &c, DIR_OUT, QUERY, SIZE);
	datagram(&w, &s, DIR_IN, QUERY, SIZE);
	datagram(&w, &s, DIR_OUT, ANSWER, SIZE);
	datagram(&w, &c, DIR_IN, ANSWER, SIZE);
	t = tick(&w);
	cr_assert_eq(t->requests.n, 1);
	cr_expect_eq(t->requests.v[0].count, 1);
	cr_assert_eq(t->tcp.n, 1);
	cr_expect_eq(t->tcp.v[0].bytes_out, SIZE);
	cr_expect_eq(t->tcp.v[0].bytes_in, SIZE);
	tick_free(t);
	model_free(w.m);
}

static void translated(struct world *w, uint16_t port)
{
	struct ev_nat e = {.h = {.ts_ns = w->now, .size = sizeof(e), .type = EV_NAT}, .netns = 79, .what = NAT_BEGIN, .l4 = L4_UDP,
			   .seen_port = {port, 53}, .far_port = {port, 53}};

	ip4(e.seen[0], "10.0.1.2");
	ip4(e.seen[1], "10.9.9.9");
	ip4(e.far[0], "10.0.1.2");
	ip4(e.far[1], "10.0.2.2");
	model_event(w->m, &e.h);
}

/* The server's one socket is the end of all of them: nothing of it stays behind, whenever the translation is told of. */
Test(datagram, joined_behind_a_translation)
{
	struct world w;

	world_app_and(&w, "resolver");
	for (uint16_t i = 0; i < 300; i++) {
		struct sock c = {5000u + i, 10, 0, "10.0.1.2", (uint16_t)(20000 + i), "10.9.9.9", 53, ROLE_CLIENT};
		struct sock s = {7, 20, 0, "10.0.2.2", 53, "10.0.1.2", c.lport, ROLE_SERVER};

		datagram(&w, &c, DIR_OUT, QUERY, SIZE);
		datagram(&w, &s, DIR_IN, QUERY, SIZE);
		translated(&w, c.lport);
		datagram(&w, &s, DIR_OUT, ANSWER, SIZE);
	}
	for (int i = 0; i < 3; i++)
		tick_free(tick(&w));
	cr_assert_eq(w.m->nconns, 0);
	cr_assert_eq(w.m->by_cookie.n, 0);
	model_free(w.m);
}

Test(datagram, never_answered)
{
	struct world w;
	struct tick *t;
	uint64_t count = 0, errors = 0;

	world_app_and(&w, "resolver");
	ask(&w);
	for (int i = 0; i < 8; i++) {
		t = tick(&w);
		cr_expect(t->requests.n == 0 || i >= 5);
		count += t->requests.n ? t->requests.v[0].count : 0;
		errors += t->requests.n ? t->requests.v[0].errors : 0;
		tick_free(t);
	}
	cr_expect_eq(count, 1);
	cr_expect_eq(errors, 1);
	model_free(w.m);
}

/* What is no message, which anybody may send, costs nothing but itself. */
Test(datagram, noise)
{
	struct world w;
	struct tick *t;

	world_app_and(&w, "resolver");
	ask(&w);
	datagram(&w, &server, DIR_OUT, "\0\7\x81\x80\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1", 18);
	datagram(&w, &client, DIR_OUT, "twelve bytes", 12);
	tell(&w, ANSWER);
	datagram(&w, &server, DIR_OUT, "short", 5);
	t = tick(&w);
	cr_assert_eq(t->requests.n, 1);
	cr_expect_eq(t->requests.v[0].errors, 0);
	cr_expect_eq(loss_of(t, "bad_records"), 1);
	tick_free(t);
	model_free(w.m);
}

/* Totals of both ends are of one exchange; after a silence they begin anew. */
Test(datagram, counted_in_the_kernel)
{
	static const struct sock c = {1, 10, 0, "127.0.0.1", 40000, "127.0.0.1", 8125, ROLE_CLIENT};
	static const struct sock s = {2, 20, 0, "127.0.0.1", 8125, "127.0.0.1", 40000, ROLE_SERVER};
	static const uint64_t want[][2] = {{100, 7}, {50, 0}, {30, 0}};
	struct names *n = calloc(1, sizeof(*n));
	struct world w;

	world_app_and(&w, "resolver");
	for (size_t i = 0; i < 3; i++) {
		const struct tick_tcp *tcp;
		struct tick *t;

		counted(&w, &c, CONN_OWNER, i == 0 ? 100 : i == 1 ? 150 : 30, 0);
		counted(&w, &s, CONN_OWNER, i == 2 ? 0 : 7, 0);
		if (i == 1) {
			counted(&w, &c, CONN_CLOSE, 150, 0);
			counted(&w, &s, CONN_CLOSE, 7, 0);
		}
		t = tick(&w);
		learn(n, t);
		tcp = tcp_of(n, t, "app -> resolver :8125");
		cr_assert_not_null(tcp);
		cr_expect_eq(tcp->bytes_out, want[i][0], "%lu", (unsigned long)tcp->bytes_out);
		cr_expect_eq(tcp->bytes_in, want[i][1]);
		tick_free(t);
	}
	cr_expect_str_eq(n->protocol[0], "udp");
	model_free(w.m);
	free(n);
}

/* Who only receives is known by where it is bound. */
Test(datagram, a_server_that_never_answers)
{
	static const struct sock c = {1, 10, 0, "127.0.0.1", 40000, "127.0.0.1", 8125, ROLE_CLIENT};
	static const struct sock bound = {2, 20, 0, "0.0.0.0", 8125, "0.0.0.0", 0, ROLE_UNKNOWN};
	struct names *n = calloc(1, sizeof(*n));
	struct world w;
	struct tick *t;

	world_app_and(&w, "resolver");
	counted(&w, &bound, CONN_OWNER, 0, 0);
	counted(&w, &c, CONN_OWNER, 100, 0);
	t = tick(&w);
	learn(n, t);
	cr_expect_not_null(tcp_of(n, t, "app -> resolver :8125"));
	tick_free(t);
	model_free(w.m);
	free(n);
}

/* TCP and UDP of one port are two edges. */
Test(datagram, apart_from_tcp)
{
	static const struct sock c = {3, 10, 0, "127.0.0.1", 40000, "127.0.0.1", 53, ROLE_CLIENT};
	static const struct sock s = {4, 20, 0, "127.0.0.1", 53, "127.0.0.1", 40000, ROLE_SERVER};
	struct world w;
	struct tick *t;

	world_app_and(&w, "resolver");
	conn(&w, &c, CONN_CONNECT);
	conn(&w, &s, CONN_ESTABLISHED);
	ask(&w);
	tell(&w, ANSWER);
	t = tick(&w);
	cr_assert_eq(t->edges.n, 2);
	cr_expect(!strcmp(t->edges.v[0].protocol, "tcp") || !strcmp(t->edges.v[1].protocol, "tcp"));
	cr_expect(!strcmp(t->edges.v[0].protocol, "dns") || !strcmp(t->edges.v[1].protocol, "dns"));
	tick_free(t);
	model_free(w.m);
}

/* Nobody has told of the other end, and nobody will: the recording ends. */
Test(datagram, the_last_tick_waits_for_nobody)
{
	static const struct sock gone = {7, 10, 0, "127.0.0.1", 40007, "127.0.0.1", 20000, ROLE_CLIENT};
	struct world w;
	struct names n;
	struct tick *t;

	memset(&n, 0, sizeof(n));
	world_app_and(&w, "resolver");
	tick_free(tick(&w));
	counted(&w, &gone, CONN_OWNER, 300, 0);
	model_end(w.m);
	t = tick(&w);
	cr_assert_eq(t->tcp.n, 1);
	cr_assert_eq(t->tcp.v[0].bytes_out, 300);
	tick_free(t);
	model_free(w.m);
}

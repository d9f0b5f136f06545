/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which request caused which, from records made by hand: a service (pid 100) between clients and a backend, whose threads read and
 * write in an order that the test chooses.
 */
#include <time.h>

#define WORLD_REAL_FLOW
#include "world.h"

#include "model/internal.h"

#define FRONT 8080
#define BACK 9090
#define US 1000ull

/* One connection: of a client to the service (server cookie acts are the service's), or of the service to the backend. */
struct line { uint64_t near, far; uint32_t out, in; bool inward; };

struct shop {
	struct world w;
	struct line line[64];
	unsigned n;
	struct { struct tick_span v[256]; size_t n; } spans;
	struct names names;
};

static void shop_open(struct shop *s)
{
	memset(s, 0, sizeof(*s));
	world_init(&s->w, 0, 0);
	process(&s->w, 100, 1, "service", "");
	process(&s->w, 200, 1, "client", "");
	process(&s->w, 300, 1, "backend", "");
	listening(&s->w, 1, 100, "0.0.0.0", FRONT);
	listening(&s->w, 2, 300, "0.0.0.0", BACK);
	pass(&s->w);
}

/* Whose lines end where; their ports and cookies are by their number. */
static void line_ends(unsigned i, bool inward, struct sock *near, struct sock *far)
{
	*near = (struct sock){.cookie = 1000 + i * 2, .pid = inward ? 200 : 100, .laddr = "127.0.0.1", .lport = (uint16_t)(40000 + i),
			    .raddr = "127.0.0.1", .rport = inward ? FRONT : BACK, .role = ROLE_CLIENT};
	*far = (struct sock){.cookie = near->cookie + 1, .pid = inward ? 100 : 300, .laddr = "127.0.0.1", .lport = near->rport,
			     .raddr = "127.0.0.1", .rport = near->lport, .role = ROLE_SERVER};
}

/* connect() by thread tid, as it is told: before the kernel has chosen a port. */
static unsigned dial(struct shop *s, bool inward, uint32_t tid)
{
	unsigned i = s->n++;
	struct sock near, far;

	line_ends(i, inward, &near, &far);
	near.lport = 0;
	near.tid = tid;
	s->w.now += 10 * US;
	conn(&s->w, &near, CONN_CONNECT);
	s->line[i] = (struct line){.near = near.cookie, .far = far.cookie, .out = 1, .in = 1, .inward = inward};
	return i;
}

static void established(struct shop *s, unsigned line)
{
	struct sock near, far;

	line_ends(line, s->line[line].inward, &near, &far);
	conn(&s->w, &far, CONN_ESTABLISHED);
	conn(&s->w, &near, CONN_ESTABLISHED);
}

static unsigned connect_line(struct shop *s, bool inward)
{
	unsigned i = dial(s, inward, 0);

	established(s, i);
	return i;
}

static unsigned in_line(struct shop *s)
{
	return connect_line(s, true);
}

static unsigned out_line(struct shop *s)
{
	return connect_line(s, false);
}

/* A segment; tid 0: of a process that is not in the middle. */
static void segment(struct shop *s, uint64_t cookie, uint32_t *seq, uint32_t tid, const char *text)
{
	size_t n = strlen(text);
	struct ev_data *e = calloc(1, sizeof(*e) + n);

	s->w.now += 10 * US;
	*e = (struct ev_data){.h = {.ts_ns = s->w.now, .size = (uint32_t)(sizeof(*e) + n), .type = EV_DATA}, .cookie = cookie,
			      .seq = *seq, .len = (uint32_t)n, .head = (uint16_t)n, .dir = DIR_OUT, .tgid = tid ? 100 : 0, .tid = tid,
			      .flags = tid ? DATA_MIDDLE : 0};
	memcpy(e->payload, text, n);
	model_event(s->w.m, &e->h);
	*seq += (uint32_t)n;
	free(e);
}

static void was_read(struct shop *s, uint64_t cookie, uint32_t tid)
{
	struct ev_io e = {.h = {.ts_ns = s->w.now += 10 * US, .size = sizeof(e), .type = EV_IO}, .cookie = cookie, .tgid = 100,
			  .tid = tid, .dir = DIR_IN};

	model_event(s->w.m, &e.h);
}

/* fields: lines of the head, each with its end */
static void request_with(struct shop *s, unsigned line, uint32_t tid, const char *fields)
{
	char text[512];

	snprintf(text, sizeof(text), "GET /x HTTP/1.1\r\nHost: x\r\n%s\r\n", fields);
	segment(s, s->line[line].near, &s->line[line].out, tid, text);
}

static void request(struct shop *s, unsigned line, uint32_t tid, const char *id)
{
	char field[128] = "";

	if (id)
		snprintf(field, sizeof(field), "X-Request-ID: %s\r\n", id);
	request_with(s, line, tid, field);
}

static void answer(struct shop *s, unsigned line, uint32_t tid)
{
	segment(s, s->line[line].far, &s->line[line].in, tid, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

/* A client asks, and thread tid reads it. */
static void asked(struct shop *s, unsigned line, uint32_t tid)
{
	request(s, line, 0, NULL);
	was_read(s, s->line[line].far, tid);
}

/* The backend answers, and thread tid reads it. */
static void got(struct shop *s, unsigned line, uint32_t tid)
{
	answer(s, line, 0);
	was_read(s, s->line[line].near, tid);
}

static void call(struct shop *s, unsigned line, uint32_t tid)
{
	request(s, line, tid, NULL);
	got(s, line, tid);
}

static void take(struct shop *s, struct tick *t)
{
	size_t i;

	learn(&s->names, t);
	for (i = 0; i < t->spans.n; i++)
		s->spans.v[s->spans.n++ % 256] = t->spans.v[i];
	tick_free(t);
}

static void ticks(struct shop *s, unsigned n)
{
	while (n--)
		take(s, tick(&s->w));
}

/* Links of this method, or of any (LINK_METHODS). */
static unsigned linked(const struct shop *s, enum link_method method)
{
	const struct trace *t = &s->w.m->trace;
	unsigned n = 0;

	for (uint32_t i = 1; i <= t->nhops; i++) {
		const struct hop *h = trace_hop_at(t, i);

		n += h && h->parent && (method == LINK_METHODS || h->method == method);
	}
	return n;
}

static unsigned all_linked(const struct shop *s)
{
	return linked(s, LINK_METHODS);
}

/* The calls that left on a line have the request that came on the other as their cause. */
static void expect_parent(const struct shop *s, unsigned out, unsigned in)
{
	const struct trace *t = &s->w.m->trace;

	for (uint32_t i = 1; i <= t->nhops; i++) {
		const struct hop *h = trace_hop_at(t, i), *p = h ? trace_hop_at(t, h->parent) : NULL;
		unsigned end;

		if (!h || h->conn != conn_by_cookie(s->w.m, s->line[out].near, &end))
			continue;
		cr_assert_not_null(p, "line %u has no cause", out);
		cr_assert_eq(p->conn, conn_by_cookie(s->w.m, s->line[in].near, &end), "line %u has another's cause", out);
	}
}

static void shop_close(struct shop *s)
{
	model_free(s->w.m);
}

Test(trace, thread_of_a_request)
{
	struct shop s;
	unsigned a, b, x, y, i;

	shop_open(&s);
	a = in_line(&s), b = in_line(&s), x = out_line(&s), y = out_line(&s);
	for (i = 0; i < 10; i++) {
		asked(&s, a, 11);
		asked(&s, b, 12);
		request(&s, x, 11, NULL);
		request(&s, y, 12, NULL);
		got(&s, y, 12);
		got(&s, x, 11);
		call(&s, x, 11);
		answer(&s, b, 12);
		answer(&s, a, 11);
	}
	ticks(&s, 3);
	cr_assert_eq(linked(&s, LINK_THREAD), 30);
	cr_assert_eq(all_linked(&s), 30);
	expect_parent(&s, x, a);
	expect_parent(&s, y, b);
	shop_close(&s);
}

/* Goroutines: which thread goes on with one is chance, so one that did nothing else says little. */
Test(trace, threads_that_answer_what_others_have_read)
{
	struct shop s;
	unsigned a, b, x, i;

	shop_open(&s);
	a = in_line(&s), b = in_line(&s), x = out_line(&s);
	for (i = 0; i < 40; i++) {
		asked(&s, a, 11);
		answer(&s, a, 11 + i % 2);
	}
	ticks(&s, 2);
	asked(&s, a, 11);
	asked(&s, b, 12);
	call(&s, x, 11);
	answer(&s, a, 11);
	answer(&s, b, 12);
	ticks(&s, 3);
	cr_assert_eq(linked(&s, LINK_THREAD), 0);
	shop_close(&s);
}

/* An event loop: each read is followed by what it causes. */
Test(trace, turns_of_an_event_loop)
{
	struct shop s;
	unsigned a, b, x, y;

	shop_open(&s);
	a = in_line(&s), b = in_line(&s), x = out_line(&s), y = out_line(&s);
	asked(&s, a, 11);
	request(&s, x, 11, NULL);
	asked(&s, b, 11);
	request(&s, y, 11, NULL);
	got(&s, y, 11);
	answer(&s, b, 11);
	got(&s, x, 11);
	answer(&s, a, 11);
	ticks(&s, 3);
	expect_parent(&s, x, a);
	expect_parent(&s, y, b);
	cr_assert_eq(linked(&s, LINK_TURN), 1, "the second one, in the middle of the first");
	shop_close(&s);
}

/* Connections of their own: what is written when they are there comes turns after what it is for, in any order. */
Test(trace, connection_for_a_call)
{
	unsigned a, b, x, y, i;
	struct shop s;

	shop_open(&s);
	a = in_line(&s), b = in_line(&s);
	for (i = 0; i < 12; i++) {
		asked(&s, a, 11);
		x = dial(&s, false, 11);
		asked(&s, b, 11);
		y = dial(&s, false, 11);
		established(&s, x);
		established(&s, y);
		request(&s, y, 11, NULL);
		request(&s, x, 11, NULL);
		got(&s, x, 11);
		answer(&s, a, 11);
		got(&s, y, 11);
		answer(&s, b, 11);
		ticks(&s, 3);
		if (!i)
			continue;               /* it was not known to serve and call yet */
		expect_parent(&s, x, a);
		expect_parent(&s, y, b);
	}
	shop_close(&s);
}

/* It reads several sockets, and then writes several: believed once it was seen to be so. */
Test(trace, order_of_a_turn)
{
	struct shop s;
	unsigned in[3], out[3], i, turn;

	shop_open(&s);
	for (turn = 0; turn < 6; turn++) {
		for (i = 0; i < 3; i++)
			in[i] = in_line(&s), out[i] = out_line(&s);
		for (i = 0; i < 3; i++)
			asked(&s, in[i], 11);
		for (i = 0; i < 3; i++)
			request(&s, out[i], 11, NULL);
		for (i = 3; i-- > 0;)
			got(&s, out[i], 11);
		for (i = 3; i-- > 0;)
			answer(&s, in[i], 11);
		ticks(&s, 3);
	}
	cr_assert_geq(linked(&s, LINK_ORDER), 3);
	for (i = 0; i < 3; i++)
		expect_parent(&s, out[i], in[i]);
	shop_close(&s);
}

/* As many writes as reads, but the answers go the other way round: one of the two orders was another. */
Test(trace, what_disagrees_is_left_out)
{
	struct shop s;
	unsigned in[3], out[3], i;

	shop_open(&s);
	for (i = 0; i < 3; i++)
		in[i] = in_line(&s), out[i] = out_line(&s);
	for (i = 0; i < 3; i++)
		asked(&s, in[i], 11);
	for (i = 0; i < 3; i++)
		request(&s, out[i], 11, NULL);
	for (i = 0; i < 3; i++)
		got(&s, out[i], 11);
	for (i = 0; i < 3; i++)
		answer(&s, in[(i + 1) % 3], 11);
	ticks(&s, 3);
	cr_assert_eq(all_linked(&s), 0);
	cr_assert_eq(s.w.m->trace.ambiguous, 3);
	shop_close(&s);
}

/* One thread reads, others work. */
Test(trace, queue_of_workers)
{
	struct shop s;
	unsigned in[2], out[2], i;

	shop_open(&s);
	for (i = 0; i < 2; i++)
		in[i] = in_line(&s), out[i] = out_line(&s);
	for (i = 0; i < 2; i++)
		asked(&s, in[i], 11);
	for (i = 0; i < 2; i++)
		request(&s, out[i], 20 + i, NULL);
	for (i = 0; i < 2; i++)
		got(&s, out[i], 20 + i);
	for (i = 0; i < 2; i++)
		answer(&s, in[i], 20 + i);
	ticks(&s, 3);
	cr_assert_eq(linked(&s, LINK_QUEUE), 2);
	for (i = 0; i < 2; i++)
		expect_parent(&s, out[i], in[i]);
	shop_close(&s);
}

/* Whichever threads read and write, there is but one request that it can be. */
Test(trace, alone_in_its_process)
{
	struct shop s;
	unsigned a, x;

	shop_open(&s);
	a = in_line(&s), x = out_line(&s);
	asked(&s, a, 11);
	request(&s, x, 12, NULL);
	got(&s, x, 13);
	answer(&s, a, 14);
	ticks(&s, 3);
	cr_assert_eq(linked(&s, LINK_ALONE), 1);
	expect_parent(&s, x, a);
	shop_close(&s);
}

/* Pipelined: of two that were read on one connection its acts tell of one. */
Test(trace, the_only_connection_is_not_the_only_request)
{
	struct shop s;
	unsigned a, x;

	shop_open(&s);
	a = in_line(&s), x = out_line(&s);
	asked(&s, a, 11);
	asked(&s, a, 11);
	request(&s, x, 12, NULL);
	got(&s, x, 13);
	answer(&s, a, 14);
	answer(&s, a, 14);
	ticks(&s, 3);
	cr_assert_eq(linked(&s, LINK_ALONE), 0);
	shop_close(&s);
}

/* The head of an answer is not its end: until that comes it is served, and what it calls is its own. */
Test(trace, an_answer_that_is_streamed)
{
	struct shop s;
	unsigned a, b, x, y;

	shop_open(&s);
	a = in_line(&s), b = in_line(&s), x = out_line(&s), y = out_line(&s);
	asked(&s, a, 11);
	segment(&s, s.line[a].far, &s.line[a].in, 11, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	call(&s, y, 11);
	asked(&s, b, 12);
	request(&s, x, 13, NULL);
	got(&s, x, 14);
	segment(&s, s.line[a].far, &s.line[a].in, 11, "2\r\nok\r\n0\r\n\r\n");
	answer(&s, b, 14);
	ticks(&s, 3);
	expect_parent(&s, y, a);
	cr_assert_eq(all_linked(&s), 1, "the other call may be of either");
	shop_close(&s);
}

static void hang_up(struct shop *s, unsigned line)
{
	struct sock near, far;

	line_ends(line, s->line[line].inward, &near, &far);
	conn(&s->w, &near, CONN_CLOSE);
}

/* Its client has asked again, and the service is at work for both. */
Test(trace, the_client_that_went_away_is_served_still)
{
	struct shop s;
	unsigned a, b, x;

	shop_open(&s);
	a = in_line(&s), x = out_line(&s);
	asked(&s, a, 11);
	hang_up(&s, a);
	ticks(&s, 1);
	b = in_line(&s);
	asked(&s, b, 12);
	call(&s, x, 11);
	answer(&s, b, 12);
	ticks(&s, 3);
	cr_assert_eq(all_linked(&s), 0);
	shop_close(&s);
}

/* Opened for one, and used first by another: that it was alone at connect() says nothing. */
Test(trace, a_connection_that_was_opened_for_another)
{
	struct shop s;
	unsigned a, b, x, i;

	shop_open(&s);
	a = in_line(&s), b = in_line(&s);
	for (i = 0; i < 2; i++) {               /* the first: it was not known to serve and call yet */
		asked(&s, a, 11);
		x = dial(&s, false, 12);
		established(&s, x);
		asked(&s, b, 13);
		request(&s, x, 13, NULL);
		got(&s, x, 14);
		answer(&s, b, 15);
		answer(&s, a, 11);
		ticks(&s, 3);
		cr_assert_eq(linked(&s, LINK_ALONE), 0);
	}
	asked(&s, a, 11);
	x = dial(&s, false, 12);
	established(&s, x);
	answer(&s, a, 11);
	asked(&s, b, 13);
	request(&s, x, 14, NULL);
	got(&s, x, 15);
	answer(&s, b, 16);
	ticks(&s, 3);
	expect_parent(&s, x, b);
	shop_close(&s);
}

/* Of a request that took so long that its read has left the ring it is known when it ends, all the same. */
Test(trace, alone_after_one_that_took_long)
{
	struct shop s;
	unsigned a, b, x, i;

	shop_open(&s);
	a = in_line(&s), b = in_line(&s), x = out_line(&s);
	asked(&s, a, 11);
	for (i = 0; i < TRACE_ACTS / 2 + 1; i++) {
		asked(&s, b, 12);
		answer(&s, b, 12);
		if (i % 1000 == 0)
			ticks(&s, 1);
	}
	answer(&s, a, 11);
	asked(&s, b, 12);
	request(&s, x, 13, NULL);
	got(&s, x, 14);
	answer(&s, b, 15);
	ticks(&s, 3);
	cr_assert_eq(linked(&s, LINK_ALONE), 1);
	expect_parent(&s, x, b);
	shop_close(&s);
}

Test(trace, ids_decide)
{
	struct shop s;
	unsigned a, b, x;

	shop_open(&s);
	a = in_line(&s), b = in_line(&s), x = out_line(&s);
	request(&s, a, 0, "0123456789abcdef");
	was_read(&s, s.line[a].far, 11);
	request(&s, b, 0, "fedcba9876543210");
	was_read(&s, s.line[b].far, 11);
	request(&s, x, 12, "0123456789abcdef");
	got(&s, x, 13);
	answer(&s, b, 14);
	answer(&s, a, 14);
	ticks(&s, 3);
	cr_assert_eq(linked(&s, LINK_ID), 1);
	expect_parent(&s, x, a);
	shop_close(&s);
}

/* Two requests with these fields are served at once by threads that tell nothing, and what is called has that field. */
static void two_with(struct shop *s, const char *first, const char *second, const char *called, unsigned line[3])
{
	shop_open(s);
	line[0] = in_line(s), line[1] = in_line(s), line[2] = out_line(s);
	request_with(s, line[0], 0, first);
	was_read(s, s->line[line[0]].far, 11);
	request_with(s, line[1], 0, second);
	was_read(s, s->line[line[1]].far, 11);
	request_with(s, line[2], 12, called);
	got(s, line[2], 13);
	answer(s, line[1], 14);
	answer(s, line[0], 14);
	ticks(s, 3);
}

#define TRACE "0123456789abcdef0123456789abcdef"

/* Of one trace: the call names the span of its cause, or passes it on. */
Test(trace, spans_decide_within_a_trace)
{
	static const char *const called[] = {"b3: " TRACE "-00000000000000cc-1-00000000000000aa\r\n",
					     "b3: " TRACE "-00000000000000aa-1\r\n"};

	for (unsigned i = 0; i < 2; i++) {
		struct shop s;
		unsigned line[3];

		two_with(&s, "b3: " TRACE "-00000000000000aa-1\r\n", "b3: " TRACE "-00000000000000bb-1\r\n", called[i], line);
		cr_assert_eq(linked(&s, LINK_ID), 1, "%s", called[i]);
		expect_parent(&s, line[2], line[0]);
		shop_close(&s);
	}
}

/* A span of its own says nothing where two requests are of the trace, but the other id that it passes on does. */
Test(trace, ids_that_several_carry)
{
	struct shop s;
	unsigned line[3];

	two_with(&s, "traceparent: 00-" TRACE "-00000000000000aa-01\r\n", "traceparent: 00-" TRACE "-00000000000000bb-01\r\n",
		 "traceparent: 00-" TRACE "-00000000000000cc-01\r\n", line);
	cr_assert_eq(linked(&s, LINK_ID), 0);
	shop_close(&s);
	two_with(&s, "traceparent: 00-" TRACE "-00000000000000aa-01\r\nX-Request-ID: a\r\n",
		 "traceparent: 00-" TRACE "-00000000000000bb-01\r\nX-Request-ID: b\r\n",
		 "traceparent: 00-" TRACE "-00000000000000cc-01\r\nX-Request-ID: b\r\n", line);
	cr_assert_eq(linked(&s, LINK_ID), 1);
	expect_parent(&s, line[2], line[1]);
	shop_close(&s);
}

/* An id that one hop has in two fields (B3: the first span of a trace has its number) is carried by others all the same. */
Test(trace, an_id_in_two_fields)
{
	static const char *const b3 = "b3: 0123456789abcdef-%s-1\r\n";
	struct shop s;
	unsigned line[3];
	char field[3][64];

	snprintf(field[0], sizeof(field[0]), b3, "0123456789abcdef");
	snprintf(field[1], sizeof(field[1]), b3, "00000000000000aa");
	snprintf(field[2], sizeof(field[2]), b3, "00000000000000cc");
	for (unsigned i = 0; i < 2; i++) {
		two_with(&s, field[i], field[!i], field[2], line);
		cr_assert_eq(linked(&s, LINK_ID), 0);
		shop_close(&s);
	}
}

/* However many requests are in flight, each id finds its own. */
Test(trace, ids_of_many)
{
	enum { MANY = 3000 };
	struct shop s;
	unsigned a, b, x;
	char id[2][16];

	shop_open(&s);
	a = in_line(&s), b = in_line(&s), x = out_line(&s);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(id[0], sizeof(id[0]), "%u-a", i);
		snprintf(id[1], sizeof(id[1]), "%u-b", i);
		request(&s, a, 0, id[0]);
		was_read(&s, s.line[a].far, 11);
		request(&s, b, 0, id[1]);
		was_read(&s, s.line[b].far, 11);
		request(&s, x, 12, id[i % 2]);
		got(&s, x, 13);
		answer(&s, a, 14);
		answer(&s, b, 14);
	}
	ticks(&s, 3);
	cr_assert_eq(linked(&s, LINK_ID), MANY);
	cr_assert_eq(s.w.m->trace.carriers.lost, 0);
	shop_close(&s);
}

/* What is called while nothing is being served, or outlasts it, has no cause that is known. */
Test(trace, calls_of_its_own)
{
	struct shop s;
	unsigned a, x;

	shop_open(&s);
	a = in_line(&s), x = out_line(&s);
	call(&s, x, 11);
	asked(&s, a, 11);
	request(&s, x, 11, NULL);
	answer(&s, a, 11);
	got(&s, x, 11);
	ticks(&s, 3);
	cr_assert_eq(all_linked(&s), 0);
	shop_close(&s);
}

/* The request that may be the cause goes on for long: the call waits for it. */
Test(trace, cause_ends_ticks_later)
{
	struct shop s;
	unsigned a, b, x;

	shop_open(&s);
	a = in_line(&s), b = in_line(&s), x = out_line(&s);
	asked(&s, b, 12);
	asked(&s, a, 11);
	call(&s, x, 11);
	ticks(&s, 4);
	cr_assert_eq(all_linked(&s), 0);
	answer(&s, a, 11);
	ticks(&s, 3);
	cr_assert_eq(all_linked(&s), 1);
	expect_parent(&s, x, a);
	shop_close(&s);
}

/* Both ends of each hop are one span, and the spans of a trace hang together. */
Test(trace, whole_traces_in_a_tick)
{
	const struct tick_span *root = NULL, *child = NULL;
	struct shop s;
	unsigned a, x;
	size_t i;

	shop_open(&s);
	a = in_line(&s), x = out_line(&s);
	asked(&s, a, 11);
	call(&s, x, 11);
	answer(&s, a, 11);
	ticks(&s, 3);
	cr_assert_eq(s.spans.n, 2);
	for (i = 0; i < 2; i++)
		*(s.spans.v[i].parent ? &child : &root) = &s.spans.v[i];
	cr_assert_not_null(root);
	cr_assert_not_null(child);
	cr_assert_eq(child->parent, root->id);
	cr_assert_eq(child->trace, root->trace);
	cr_assert_neq(root->trace, 0);
	cr_assert_null(root->method);
	cr_assert_str_eq(child->method, "thread");
	cr_assert_eq(s.names.edge[root->edge].to, s.names.edge[child->edge].from);
	cr_assert_geq(child->unix_ns, root->unix_ns);
	cr_assert_leq(child->unix_ns + (int64_t)child->dur_ns, root->unix_ns + (int64_t)root->dur_ns);
	shop_close(&s);
}

/* A call fails, and its cause goes on for seconds: they are kept together, once it has ended. */
Test(trace, a_failure_waits_for_its_cause)
{
	struct shop s;
	unsigned a, b, x;

	shop_open(&s);
	a = in_line(&s), b = in_line(&s), x = out_line(&s);
	asked(&s, b, 12);
	asked(&s, a, 11);
	request(&s, x, 11, NULL);
	segment(&s, s.line[x].far, &s.line[x].in, 0, "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nok");
	was_read(&s, s.line[x].near, 11);
	ticks(&s, 4);
	cr_assert_eq(s.spans.n, 0, "whose it is is not known");
	answer(&s, a, 11);
	ticks(&s, 3);
	cr_assert_eq(s.spans.n, 2);
	cr_assert_eq(s.spans.v[0].trace, s.spans.v[1].trace);
	cr_assert_eq(s.spans.v[0].parent, 0);
	cr_assert_eq(s.spans.v[1].parent, s.spans.v[0].id);
	shop_close(&s);
}

/* Where it never ends the failure is kept alone. */
Test(trace, a_failure_without_a_cause_is_kept)
{
	struct shop s;
	unsigned b, x;

	shop_open(&s);
	b = in_line(&s), x = out_line(&s);
	asked(&s, b, 12);
	request(&s, x, 11, NULL);
	segment(&s, s.line[x].far, &s.line[x].in, 0, "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nok");
	was_read(&s, s.line[x].near, 11);
	ticks(&s, 70);
	cr_assert_eq(s.spans.n, 1);
	cr_assert_eq(s.spans.v[0].parent, 0);
	shop_close(&s);
}

/* More than the rings hold: what fell out is counted, and nothing is joined to what took its place. */
Test(trace, rings_are_bounded)
{
	struct shop s;
	unsigned a, x, i;

	shop_open(&s);
	a = in_line(&s), x = out_line(&s);
	for (i = 0; i < 2 * TRACE_ACTS / 6; i++) {
		asked(&s, a, 11);
		call(&s, x, 11);
		answer(&s, a, 11);
	}
	s.w.m->o.all_traces = false;
	pass(&s.w);
	pass(&s.w);
	cr_assert_gt(s.w.m->trace.hops_lost, 0);
	for (i = 1; i <= s.w.m->trace.nhops; i++) {
		const struct hop *h = trace_hop_at(&s.w.m->trace, i), *p = h ? trace_hop_at(&s.w.m->trace, h->parent) : NULL;

		if (p)
			cr_assert(p->begin_ns < h->begin_ns && p->end_ns > h->end_ns);
	}
	shop_close(&s);
}

/* CPU seconds of looking for the causes of so many calls of one thread, which reads the answers or does not. */
static double cost(bool reads)
{
	unsigned x, i;
	struct timespec t;
	struct shop s;
	double began;

	shop_open(&s);
	for (i = 0; i < 2; i++)
		asked(&s, in_line(&s), 11);
	x = out_line(&s);
	for (i = 0; i < TRACE_HOPS / 2; i++) {
		request(&s, x, 11, NULL);
		answer(&s, x, 0);
		if (reads)
			was_read(&s, s.line[x].near, 11);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	began = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
	ticks(&s, 2);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	shop_close(&s);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9 - began;
}

Test(trace, a_burst_of_publications_does_not_hold_up_the_recorder)
{
	double calls = cost(true), burst = cost(false);

	cr_assert_lt(burst, 5 * calls + 0.01, "a burst %g s, as many calls %g s", burst, calls);
}

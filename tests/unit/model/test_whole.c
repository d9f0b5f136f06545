/* SPDX-License-Identifier: BSD-2-Clause */
/* When the caller had read the answer is told after the request has ended: in which tick its time is added up, and how much. */
#define WORLD_REAL_FLOW
#include "world.h"

#define US 1000ull
#define GET "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

enum { CLIENT = 1, SERVER = 2 };

static const struct sock c = {.cookie = CLIENT, .pid = 10, .role = ROLE_CLIENT, .laddr = "127.0.0.1", .lport = 40000,
			      .raddr = "127.0.0.1", .rport = 8080},
			 s = {.cookie = SERVER, .pid = 20, .role = ROLE_SERVER, .laddr = "127.0.0.1", .lport = 8080,
			      .raddr = "127.0.0.1", .rport = 40000};

static void open_both(struct world *w)
{
	world_app_and(w, "server");
	conn(w, &c, CONN_CONNECT);
	conn(w, &c, CONN_ESTABLISHED);
	conn(w, &s, CONN_ESTABLISHED);
}

/* A segment of this socket, whose last read was of bytes before rd_seq that had come at arr_ns. */
static void segment(struct world *w, uint64_t cookie, uint32_t seq, const char *text, uint32_t rd_seq, uint64_t arr_ns,
		    uint64_t rd_ns)
{
	size_t n = strlen(text);
	struct ev_data *e = calloc(1, sizeof(*e) + n);

	*e = (struct ev_data){.h = {.ts_ns = w->now, .size = (uint32_t)(sizeof(*e) + n), .type = EV_DATA}, .cookie = cookie, .seq = seq,
			      .len = (uint32_t)n, .head = (uint16_t)n, .dir = DIR_OUT, .flags = DATA_LOOPBACK, .rd_seq = rd_seq,
			      .rd_ts_ns = rd_ns, .arr_ns = arr_ns, .rd_tid = rd_ns ? 7 : 0};
	memcpy(e->payload, text, n);
	model_event(w->m, &e->h);
	free(e);
}

/* 10 us there, 20 us until the read, 100 us of work. The answer ends at w->now. */
static void exchange(struct world *w, uint32_t i, uint32_t client_rd, uint64_t client_arr_ns, uint64_t client_rd_ns)
{
	uint32_t asked = 1 + i * (uint32_t)strlen(GET), said = 1 + i * (uint32_t)strlen(OK);

	w->now += 1000 * US;
	segment(w, CLIENT, asked, GET, client_rd, client_arr_ns, client_rd_ns);
	w->now += 130 * US;
	segment(w, SERVER, said, OK, asked + (uint32_t)strlen(GET), w->now - 120 * US, w->now - 100 * US);
}

static struct timing sum_of(const struct tick *t)
{
	struct timing sum = {0};

	for (size_t i = 0; i < t->requests.n; i++)
		timing_merge(&sum, &t->requests.v[i].timing);
	return sum;
}

/* Adds up n ticks. */
static struct timing ticks(struct world *w, int n)
{
	struct timing sum = {0};

	for (; n; n--) {
		struct tick *t = tick(w);
		struct timing x = sum_of(t);

		timing_merge(&sum, &x);
		tick_free(t);
	}
	return sum;
}

static void expect(const struct timing *t, uint64_t count, uint64_t back_ns, uint64_t client_ns, uint64_t more_ns)
{
	cr_expect_eq(t->count, count, "%lu", t->count);
	cr_expect_eq(t->part_ns[TIME_THERE], count * 10 * US);
	cr_expect_eq(t->part_ns[TIME_QUEUE], count * 20 * US);
	cr_expect_eq(t->part_ns[TIME_BACK], back_ns, "%lu", t->part_ns[TIME_BACK]);
	cr_expect_eq(t->part_ns[TIME_CLIENT], client_ns, "%lu", t->part_ns[TIME_CLIENT]);
	cr_expect_eq(t->total_ns, count * 130 * US + back_ns + client_ns + more_ns);
	cr_expect_eq(timing_unknown(t), count * 100 * US + more_ns);
}

Test(whole, the_next_segment_tells)
{
	struct world w;
	struct timing t;
	uint64_t end;

	open_both(&w);
	exchange(&w, 0, 0, 0, 0);
	end = w.now;
	exchange(&w, 1, 1 + (uint32_t)strlen(OK), end + 5 * US, end + 12 * US);
	t = ticks(&w, 5);
	expect(&t, 2, 5 * US, 7 * US, 0);
	model_free(w.m);
}

Test(whole, a_record_tells)
{
	struct ev_io io = {.h = {.size = sizeof(io), .type = EV_IO}, .cookie = CLIENT, .seq = 1 + (uint32_t)strlen(OK), .dir = DIR_IN,
			   .late = 1};
	struct world w;
	struct timing t;

	open_both(&w);
	exchange(&w, 0, 0, 0, 0);
	io.h.ts_ns = w.now + 9 * US;
	model_event(w.m, &io.h);
	t = ticks(&w, 5);
	expect(&t, 1, 0, 0, 9 * US);
	model_free(w.m);
}

Test(whole, a_read_of_something_else_tells_nothing)
{
	struct ev_io io = {.h = {.size = sizeof(io), .type = EV_IO}, .cookie = CLIENT, .seq = 7, .dir = DIR_IN, .late = 1};
	struct world w;
	struct timing t;

	open_both(&w);
	exchange(&w, 0, 0, 0, 0);
	io.h.ts_ns = w.now + 9 * US;
	model_event(w.m, &io.h);
	io.seq = 1 + (uint32_t)strlen(OK);
	io.cookie = SERVER;
	model_event(w.m, &io.h);
	t = ticks(&w, 5);
	expect(&t, 1, 0, 0, 0);
	model_free(w.m);
}

Test(whole, the_end_of_the_recording_waits_for_nobody)
{
	struct world w;
	struct timing t;

	open_both(&w);
	exchange(&w, 0, 0, 0, 0);
	model_end(w.m);
	t = ticks(&w, 1);
	expect(&t, 1, 0, 0, 0);
	model_free(w.m);
}

Test(whole, a_connection_that_is_forgotten)
{
	struct world w;
	struct timing t;

	open_both(&w);
	exchange(&w, 0, 0, 0, 0);
	conn(&w, &c, CONN_CLOSE);
	conn(&w, &s, CONN_CLOSE);
	t = ticks(&w, 5);
	expect(&t, 1, 0, 0, 0);
	model_free(w.m);
}

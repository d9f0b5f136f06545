/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK(n, body) "HTTP/1.1 200 OK\r\nContent-Length: " #n "\r\n\r\n" body

static const struct turn http[] = {
	T(C, GET("/a") GET("/b")), T(S, OK(3, "abc") OK(0, "")), T(C, "POST /c HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd"),
	T(S, "HTTP/1.1 100 Continue\r\n\r\n" OK(1, "x")), T(C, GET("/d")), T(S, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
};
static const char http_want[] = "GET /a 200 ok - 0 28/41\nGET /b 200 ok - 0 28/38\nPOST /c 200 ok - 0 43/39\n"
				"GET /d 500 server_error - 0 28/38\n";

static const struct turn redis[] = {
	T(C, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n"), T(S, "$5\r\nab\r\nc\r\n+PONG\r\n"),
	T(C, "*1\r\n$6\r\nDBSIZE\r\n"), T(S, ":5\r\n"), T(C, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"), T(S, "-WRONGTYPE x\r\n"),
};
static const char redis_want[] = "GET 0 ok - 1 20/11\nPING 0 ok - 0 14/7\nDBSIZE 0 ok - 0 16/4\n"
				 "GET 0 client_error WRONGTYPE 0 20/14\n";

struct sent {                   /* a segment on its way */
	enum proto_dir dir;
	uint32_t seq;
	const char *p;
	size_t n;
	uint64_t ts, arrives;
};

static int by_arrival(const void *a, const void *b)
{
	const struct sent *x = a, *y = b;

	return x->arrives < y->arrives ? -1 : x->arrives > y->arrives;
}

/* Random cuts, and then some segments are repeated in other cuts and some arrive late. */
static size_t scatter(struct sent *out, const struct turn *v, size_t turns, unsigned *seed, struct talk *t)
{
	uint32_t seq[2] = {t->seq[0], t->seq[1]};
	uint64_t ts = 1000;
	size_t k = 0;

	for (size_t i = 0; i < turns; i++) {
		for (size_t off = 0; off < v[i].n; ) {
			size_t n = 1 + (size_t)rand_r(seed) % 40;

			if (n > v[i].n - off)
				n = v[i].n - off;
			ts += 100;
			out[k++] = (struct sent){v[i].dir, seq[v[i].dir] + (uint32_t)off, v[i].p + off, n, ts,
						 ts + (off ? (unsigned)rand_r(seed) % 300 : 0)};
			if (rand_r(seed) % 4 == 0) {
				size_t back = (size_t)rand_r(seed) % (off + 1);

				out[k++] = (struct sent){v[i].dir, seq[v[i].dir] + (uint32_t)(off - back), v[i].p + off - back,
							 n + back, ts + 5, ts + 5 + (unsigned)rand_r(seed) % 300};
			}
			off += n;
		}
		seq[v[i].dir] += (uint32_t)v[i].n;
	}
	qsort(out, k, sizeof(*out), by_arrival);
	return k;
}

static void scatter_check(const struct turn *v, size_t turns, const char *want, unsigned first)
{
	static struct sent sent[4096];
	static struct talk t;
	char how[128];

	for (unsigned i = first; i < first + 400; i++) {
		unsigned seed = i;
		size_t k;

		talk_init(&t, 0, false);
		k = scatter(sent, v, turns, &seed, &t);
		for (size_t s = 0; s < k; s++)
			talk_at(&t, sent[s].dir, sent[s].seq, sent[s].p, sent[s].n, sent[s].ts);
		talk_end(&t);
		snprintf(how, sizeof(how), "seed %u", i);
		talk_expect(&t, want, how);
		cr_assert_eq(t.pool.lost_bytes, 0);
	}
}

Test(flow, splits)
{
	TALK(0, false, http, http_want);
	TALK(0, false, redis, redis_want);
}

Test(flow, scattered_repeated_reordered)
{
	scatter_check(http, 6, http_want, 1);
	scatter_check(redis, 6, redis_want, 1000);
}

/* The ring hands over a response before the request that it answers: the stamps decide. */
Test(flow, response_handed_over_first)
{
	static const struct turn *const all[] = {http, redis};
	static const char *const want[] = {http_want, redis_want};
	static struct talk t;

	for (int w = 0; w < 2; w++) {
		talk_init(&t, 0, false);
		for (int i = 0; i < 6; i += 2) {
			const struct turn *c = &all[w][i], *s = &all[w][i + 1];

			if (!i)
				talk_at(&t, C, t.seq[C], c->p, c->n, 1000);
			talk_at(&t, S, t.seq[S], s->p, s->n, 2000 + (uint64_t)i * 1000);
			if (i)
				talk_at(&t, C, t.seq[C], c->p, c->n, 1000 + (uint64_t)i * 1000);
			t.seq[C] += (uint32_t)c->n;
			t.seq[S] += (uint32_t)s->n;
		}
		talk_end(&t);
		talk_expect(&t, want[w], "early responses");
		cr_assert_eq(t.pool.unpaired, 0);
	}
}

Test(flow, nothing_is_recognised_in_noise)
{
	static struct talk t;
	static char noise[64];
	static const char *const texts[] = {"SSH-2.0-OpenSSH_9.2p1\r\n", "220 mail ready\r\n", "USER me\r\n", "hello world\n"};
	unsigned seed = 7;

	for (int mid = 0; mid < 2; mid++) {
		memset(noise, 0, sizeof(noise));
		for (int i = 0; i < 500; i++) {
			talk_init(&t, (uint16_t[]){80, 5432, 6379, 443}[i % 4], mid);
			for (int k = 0; k < 6; k++) {
				for (size_t b = 0; i && b < sizeof(noise); b++)
					noise[b] = (char)rand_r(&seed);
				talk_say(&t, (enum proto_dir)(k & 1), noise, sizeof(noise));
			}
			cr_assert_eq(flow_proto(t.f), PROTO_UNKNOWN, "round %d is %s", i, proto_name(flow_proto(t.f)));
			talk_end(&t);
			cr_assert_eq(t.pool.requests, 0);
		}
		for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
			talk_init(&t, 6379, mid);
			talk_say(&t, (enum proto_dir)(i != 2), texts[i], strlen(texts[i]));
			talk_say(&t, C, texts[i], strlen(texts[i]));
			cr_assert_eq(flow_proto(t.f), PROTO_UNKNOWN, "%s", texts[i]);
			talk_end(&t);
		}
	}
}

Test(flow, tls_is_recognised)
{
	static struct talk t;

	talk_init(&t, 5432, false);
	talk_say(&t, C, "\x16\x03\x01\x00\x10\x01\x00\x00\x0c\x03\x03", 11);
	cr_assert_eq(flow_proto(t.f), PROTO_TLS);
	talk_end(&t);
}

Test(flow, inflight)
{
	static struct talk t;
	uint64_t oldest = 1;

	talk_init(&t, 80, false);
	cr_assert_eq(flow_inflight(t.f, &oldest), 0);
	cr_assert_eq(oldest, 0);
	talk_say(&t, C, GET("/a") GET("/b"), 56);
	cr_assert_eq(flow_inflight(t.f, &oldest), 2);
	cr_assert_eq(oldest, 1000);
	talk_say(&t, S, OK(0, ""), 38);
	cr_assert_eq(flow_inflight(t.f, &oldest), 1);
	talk_end(&t);
	cr_assert(strstr(t.log, "GET /b 0 aborted"), "%s", t.log);
}

static struct request seen;

static void see(void *arg, struct flow *f, const struct request *r)
{
	seen = *r;
}

Test(flow, threads_and_times)
{
	struct flow_pool pool = {.limit_bytes = 1 << 20, .on_request = see};
	struct flow *f = flow_new(&pool, 80, false);
	static const char get[] = GET("/a"), ok[] = OK(3, "abc");
	struct segment s[] = {
		{.dir = C, .ts_ns = 100, .seq = 1, .len = 10, .head = (const uint8_t *)get, .head_len = 10, .tid = 7},
		{.dir = C, .ts_ns = 200, .seq = 11, .len = 18, .head = (const uint8_t *)get + 10, .head_len = 18, .tid = 8},
		{.dir = S, .ts_ns = 300, .seq = 1, .len = 40, .head = (const uint8_t *)ok, .head_len = 40, .tid = 9, .rd_tid = 5,
		 .rd_ts_ns = 250},
		{.dir = S, .ts_ns = 400, .seq = 41, .len = 1, .head = (const uint8_t *)ok + 40, .head_len = 1, .tid = 10,
		 .rd_tid = 6, .rd_ts_ns = 350},
	};

	for (int i = 0; i < 4; i++)
		flow_segment(f, &s[i]);
	cr_assert_eq(pool.requests, 1);
	cr_assert_eq(seen.begin_ns, 100);
	cr_assert_eq(seen.sent_ns, 200);
	cr_assert_eq(seen.first_ns, 300);
	cr_assert_eq(seen.end_ns, 400);
	cr_assert_eq(seen.client_tid, 8);
	cr_assert_eq(seen.server_tid, 10);
	cr_assert_eq(seen.server_read_tid, 5);
	cr_assert_eq(seen.server_read_ns, 250);
	flow_free(f);
}

/* What the thread that read has waited for is known up to the last segment that it wrote itself. */
Test(flow, waits_of_the_reader)
{
	struct flow_pool pool = {.limit_bytes = 1 << 20, .on_request = see};
	static const char get[] = GET("/a"), ok[] = OK(3, "abc");
	const uint8_t *p = (const uint8_t *)ok;
	struct segment s[] = {
		{.dir = C, .ts_ns = 100, .seq = 1, .len = 28, .head = (const uint8_t *)get, .head_len = 28},
		{.dir = S, .ts_ns = 300, .seq = 1, .len = 38, .head = p, .head_len = 38, .rd_ts_ns = 250, .rd_seq = 29,
		 .arr_ns = 150, .waits = {250, 300, {3}, 1}},
		{.dir = S, .ts_ns = 400, .seq = 39, .len = 1, .head = p + 38, .head_len = 1, .rd_ts_ns = 250, .rd_seq = 29,
		 .waits = {250, 400, {5}, 1}},
		{.dir = S, .ts_ns = 500, .seq = 40, .len = 1, .head = p + 39, .head_len = 1, .rd_ts_ns = 450, .rd_seq = 29,
		 .waits = {450, 500, {7}, 2}},
		{.dir = S, .ts_ns = 600, .seq = 41, .len = 1, .head = p + 40, .head_len = 1, .rd_ts_ns = 450, .rd_seq = 29},
		{.dir = C, .ts_ns = 700, .seq = 29, .len = 28, .head = (const uint8_t *)get, .head_len = 28},
		{.dir = S, .ts_ns = 800, .seq = 42, .len = 41, .head = p, .head_len = 41, .rd_ts_ns = 750, .rd_seq = 57},
	};
	struct flow *f = flow_new(&pool, 80, false);

	for (int i = 0; i < 5; i++)
		flow_segment(f, &s[i]);
	cr_assert_eq(pool.requests, 1);
	cr_assert_eq(seen.end_ns, 600);
	cr_expect_eq(seen.arrived_ns, 150);
	cr_expect_eq(seen.read_ns, 250);
	cr_expect_eq(seen.end_seq, 42);
	cr_expect_eq(seen.waits.read_ns, 250);
	cr_expect_eq(seen.waits.until_ns, 400, "a read within the response begins another account");
	cr_expect_eq(seen.waits.wait[0], 5);
	for (int i = 5; i < 7; i++)
		flow_segment(f, &s[i]);
	cr_assert_eq(pool.requests, 2);
	cr_expect_eq(seen.waits.until_ns, 0, "another thread wrote");
	cr_expect_eq(seen.read_ns, 750);
	flow_free(f);
}

/* Two requests are on their way, and read one after the other, before the first is answered: of the first it is not known when it
 * was read, of the second when, but not that the thread had nothing else to do. */
Test(flow, a_read_of_another_request_says_nothing)
{
	struct flow_pool pool = {.limit_bytes = 1 << 20, .on_request = see};
	static const char get[] = GET("/a"), ok[] = OK(0, "");
	const uint8_t *p = (const uint8_t *)ok;
	struct segment s[] = {
		{.dir = C, .ts_ns = 100, .seq = 1, .len = 28, .head = (const uint8_t *)get, .head_len = 28},
		{.dir = C, .ts_ns = 110, .seq = 29, .len = 28, .head = (const uint8_t *)get, .head_len = 28},
		{.dir = S, .ts_ns = 300, .seq = 1, .len = 38, .head = p, .head_len = 38, .rd_ts_ns = 250, .rd_seq = 57, .arr_ns = 150,
		 .waits = {250, 300, {3}, 1}},
		{.dir = S, .ts_ns = 400, .seq = 39, .len = 38, .head = p, .head_len = 38, .rd_ts_ns = 250, .rd_seq = 57, .arr_ns = 150,
		 .waits = {250, 400, {3}, 1}},
		{.dir = C, .ts_ns = 500, .seq = 57, .len = 28, .head = (const uint8_t *)get, .head_len = 28},
		{.dir = S, .ts_ns = 700, .seq = 77, .len = 38, .head = p, .head_len = 38, .rd_ts_ns = 600, .rd_seq = 85, .arr_ns = 550,
		 .waits = {600, 700, {3}, 1}},
	};
	static const uint64_t read_ns[] = {0, 250, 600}, arrived_ns[] = {0, 150, 550}, until_ns[] = {0, 0, 700};
	struct flow *f = flow_new(&pool, 80, false);
	uint64_t before = 0;

	for (int i = 0; i < 6; i++) {
		flow_segment(f, &s[i]);
		if (pool.requests == before)
			continue;
		cr_expect_eq(seen.read_ns, read_ns[before], "%lu: %lu", before, seen.read_ns);
		cr_expect_eq(seen.arrived_ns, arrived_ns[before]);
		cr_expect_eq(seen.waits.until_ns, until_ns[before]);
		before = pool.requests;
	}
	cr_expect_eq(before, 3);
	flow_free(f);
}

Test(flow, a_lost_segment_loses_only_what_it_must)
{
	static struct talk t;

	for (int lost = 1; lost < 6; lost++) {
		talk_init(&t, 80, false);
		for (int i = 0; i < 8; i++) {
			if (i == lost)
				t.seq[C] += 28;
			else
				talk_say(&t, C, GET("/a"), 28);
			talk_say(&t, S, OK(1, "x"), 39);
			t.ts += 100000000;
		}
		talk_end(&t);
		cr_assert_eq(t.pool.requests, 7, "request %d lost: %lu seen\n%s", lost, (unsigned long)t.pool.requests, t.log);
		cr_assert_eq(t.pool.lost_bytes, 28);
		cr_assert_eq(t.pool.unpaired, 1, "%lu unpaired", (unsigned long)t.pool.unpaired);
		talk_init(&t, 80, false);
		for (int i = 0; i < 8; i++) {
			talk_say(&t, C, GET("/a"), 28);
			if (i == lost)
				t.seq[S] += 39;
			else
				talk_say(&t, S, OK(1, "x"), 39);
			t.ts += 100000000;
		}
		talk_end(&t);
		cr_assert_eq(t.pool.requests, 7, "response %d lost: %lu seen\n%s", lost, (unsigned long)t.pool.requests, t.log);
		cr_assert_eq(t.pool.lost_requests, 1);
	}
}

Test(flow, idle_flows_are_small)
{
	static struct flow *f[1000];
	static struct talk t;
	size_t each;

	talk_init(&t, 80, false);
	for (int i = 0; i < 1000; i++) {
		struct segment s = {.dir = C, .ts_ns = 1, .seq = 1, .len = 28, .head = (const uint8_t *)GET("/a"), .head_len = 28};

		f[i] = flow_new(&t.pool, 80, false);
		cr_assert_not_null(f[i]);
		flow_segment(f[i], &s);
		s = (struct segment){.dir = S, .ts_ns = 2, .seq = 1, .len = 38, .head = (const uint8_t *)OK(0, ""), .head_len = 38};
		flow_segment(f[i], &s);
	}
	cr_assert_eq(t.pool.requests, 1000);
	each = t.pool.held_bytes / 1000;
	cr_assert_lt(each, 1100, "%zu bytes an idle flow", each);
	for (int i = 0; i < 1000; i++)
		flow_free(f[i]);
	talk_end(&t);
}

Test(flow, memory_is_bounded)
{
	static struct talk t;
	static char block[1400];

	memset(block, 'a', sizeof(block));
	talk_init(&t, 80, false);
	t.pool.limit_bytes = 100000;
	talk_say(&t, C, "GET /", 5);
	t.seq[C] += 10;         /* a hole that is never filled */
	for (int i = 0; i < 2000; i++) {
		talk_say(&t, C, block, sizeof(block));
		cr_assert_leq(t.pool.held_bytes, t.pool.limit_bytes);
	}
	talk_end(&t);
	cr_assert_eq(t.pool.requests, 0);
}

/* A new connection's first segments in every order: nothing tells the first sequence number but the bytes. */
Test(flow, first_segments_in_any_order)
{
	static const char *const part[] = {"POST /a HTTP/1.1\r\nHost: h\r\n", "Content-Length: 4\r\n\r\n", "ab\x01z"};
	static const uint8_t order[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static struct talk t;

	for (size_t i = 0; i < 6; i++) {
		talk_init(&t, 80, false);
		for (int k = 0; k < 3; k++) {
			uint32_t seq = t.seq[C];

			for (int before = 0; before < order[i][k]; before++)
				seq += (uint32_t)strlen(part[before]);
			talk_at(&t, C, seq, part[order[i][k]], strlen(part[order[i][k]]), t.ts + order[i][k]);
		}
		t.ts += 1000;
		talk_say(&t, S, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 43);
		talk_end(&t);
		cr_assert_eq(strncmp(t.log, "POST /a 201 ok", 14), 0, "order %zu: %s", i, t.log);
		cr_assert_eq(t.pool.duplicates, 0);
	}
}

/* A full segment behind the beginning of a message that was left: together they are more than is kept. */
Test(flow, a_full_segment_comes_behind_what_was_left)
{
	static const char get[] = "*2\r\n$3\r\nGET\r\n$7\r\nkey:123\r\n";
	enum { N = 2 * 65535 / (sizeof(get) - 1) };
	static char all[N * (sizeof(get) - 1)];
	static struct talk t;

	for (size_t i = 0; i < N; i++)
		memcpy(all + i * (sizeof(get) - 1), get, sizeof(get) - 1);
	talk_init(&t, 6379, false);
	t.pool.limit_bytes = 16 << 20;
	t.pool.on_request = NULL;
	talk_say(&t, C, all, 5);
	talk_say(&t, C, all + 5, 65535);
	talk_say(&t, C, all + 5 + 65535, sizeof(all) - 5 - 65535);
	for (size_t i = 0; i < N; i++)
		talk_say(&t, S, "$1\r\n1\r\n", 7);
	talk_end(&t);
	cr_assert_eq(t.pool.lost_memory, 0);
	cr_assert_eq(t.pool.broken, 0);
	cr_assert_eq(t.pool.requests, N, "%lu of %d", (unsigned long)t.pool.requests, N);
}

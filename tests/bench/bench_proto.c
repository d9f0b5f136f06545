/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests a second and core through flow_segment(), small requests, one segment each way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proto/flow.h"

struct load {
	const char *name;
	uint16_t port;
	const char *hello, *welcome;         /* once */
	size_t hello_n, welcome_n;
	const char *request, *response;
	size_t request_n, response_n;
	unsigned per_turn;                   /* requests in one turn */
};

#define LOAD(nm, port, hi, wel, rq, rs, per) {nm, port, hi, wel, sizeof(hi) - 1, sizeof(wel) - 1, rq, rs, sizeof(rq) - 1, \
					     sizeof(rs) - 1, per}
#define STARTUP "\0\0\0\x11\0\3\0\0user\0me\0\0"
#define READY "Z\0\0\0\5I"
#define PARSE "P\0\0\0\x17""a\0SELECT x + $1;\0\0\0"
#define BIND_A "B\0\0\0\xd\0""a\0\0\0\0\0\0\0"
#define EXECUTE "E\0\0\0\x9\0\0\0\0\0"
#define SYNC "S\0\0\0\4"
#define GET "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"
#define GET4 GET GET GET GET
#define VAL "$3\r\nabc\r\n"
#define VAL4 VAL VAL VAL VAL

#define MYSQL_LOGIN "\x28\0\0\1\x0d\xa2\2\1\0\0\0\1\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0root\0\0\0\0"
#define MYSQL_COLUMN "\x17\0\0\2\3def\0\0\0\1" "1\0\xc\x3f\0\1\0\0\0\3\x81\0\0\0\0"
#define MYSQL_RESULT "\1\0\0\1\1" MYSQL_COLUMN "\2\0\0\3\1" "1" "\7\0\0\4\xfe\0\0\2\0\0\0"
#define ID "\0\0\0\0"                /* of a stream, written before it is sent */
/* Method, scheme and user-agent are entries of tables, the path is a literal; a status, and five bytes of DATA. */
#define H2_HELLO "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" "\0\0\0\4\0\0\0\0\0" "\0\0\xa\1\5\0\0\0\1\x82\x86\x84\x7a\5bench"
#define H2_WELCOME "\0\0\0\4\0\0\0\0\0" "\0\0\1\1\5\0\0\0\1\x88"
#define H2_GET "\0\0\xf\1\5" ID "\x82\x86\4\xa/items/123\xbe"
#define H2_OK "\0\0\1\1\4" ID "\x88" "\0\0\5\0\1" ID "hello"
#define H2_HEADERS_ID 5            /* where the ids lie */
#define H2_DATA_ID 15

static const struct load loads[] = {
	LOAD("http", 80, "", "", "GET /items/123 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n\r\n",
	     "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello", 1),
	LOAD("http2", 80, H2_HELLO, H2_WELCOME, H2_GET, H2_OK, 1),
	LOAD("redis", 6379, "", "", GET, VAL, 1),
	LOAD("redis -P 16", 6379, "", "", GET4 GET4 GET4 GET4, VAL4 VAL4 VAL4 VAL4, 16),
	LOAD("memcached", 11211, "", "", "get key\r\n", "VALUE key 0 3\r\nabc\r\nEND\r\n", 1),
	LOAD("postgres simple", 5432, STARTUP, "R\0\0\0\x8\0\0\0\0" READY,
	     "Q\0\0\0\x3eSELECT abalance FROM pgbench_accounts WHERE aid = 123456;\0",
	     "T\0\0\0\x6\0\0" "D\0\0\0\xb\0\1\0\0\0\1x" "C\0\0\0\xdSELECT 1\0" READY, 1),
	LOAD("postgres prepared", 5432, STARTUP PARSE SYNC, "R\0\0\0\x8\0\0\0\0" READY "1\0\0\0\4" READY, BIND_A EXECUTE SYNC,
	     "2\0\0\0\4" "D\0\0\0\xb\0\1\0\0\0\1x" "C\0\0\0\xdSELECT 1\0" READY, 1),
	LOAD("mysql", 3306, MYSQL_LOGIN, "\7\0\0\2\0\0\0\2\0\0\0", "\x2f\0\0\0\3SELECT c FROM sbtest1 WHERE id = 12345 LIMIT 1",
	     MYSQL_RESULT, 1),
};

static void say(struct flow *f, enum proto_dir dir, const char *p, size_t n, uint32_t seq[2], uint64_t *ts)
{
	struct segment s = {.dir = dir, .ts_ns = *ts, .seq = seq[dir], .len = (uint32_t)n, .head = (const uint8_t *)p,
			    .head_len = (uint32_t)n};

	flow_segment(f, &s);
	seq[dir] += (uint32_t)n;
	*ts += 100;
}

/* A copy of the bytes, with the stream's id where HTTP/2 has it. */
static const char *with_id(const struct load *l, char *buf, size_t cap, const char *p, size_t n, bool data, unsigned turn)
{
	uint8_t id[4] = {(uint8_t)((2 * turn + 3) >> 24), (uint8_t)((2 * turn + 3) >> 16), (uint8_t)((2 * turn + 3) >> 8),
			 (uint8_t)(2 * turn + 3)};

	if (strcmp(l->name, "http2") || n > cap)
		return p;
	memcpy(buf, p, n);
	memcpy(buf + H2_HEADERS_ID, id, sizeof(id));
	if (data)
		memcpy(buf + H2_DATA_ID, id, sizeof(id));
	return buf;
}

static void run(const struct load *l, unsigned turns)
{
	char ask[64], answer[64];
	struct flow_pool pool = {.limit_bytes = 1 << 20};
	struct flow *f = flow_new(&pool, l->port, false);
	uint32_t seq[2] = {1, 1};
	struct timespec a, b;
	uint64_t ts = 1;
	double s;

	if (l->hello_n) {
		say(f, FROM_CLIENT, l->hello, l->hello_n, seq, &ts);
		say(f, FROM_SERVER, l->welcome, l->welcome_n, seq, &ts);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (unsigned i = 0; i < turns; i++) {
		say(f, FROM_CLIENT, with_id(l, ask, sizeof(ask), l->request, l->request_n, false, i), l->request_n, seq, &ts);
		say(f, FROM_SERVER, with_id(l, answer, sizeof(answer), l->response, l->response_n, true, i), l->response_n, seq,
		    &ts);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	printf("%-18s %9.0f requests/s and core, %.0f ns each (%lu counted)\n", l->name, turns * l->per_turn / s,
	       s * 1e9 / turns / l->per_turn, (unsigned long)pool.requests);
	flow_free(f);
}

int main(int argc, char **argv)
{
	unsigned turns = argc > 1 ? (unsigned)atoi(argv[1]) : 1000000;

	for (size_t i = 0; i < sizeof(loads) / sizeof(*loads); i++)
		run(&loads[i], turns / (loads[i].per_turn > 1 ? 4 : 1));
	return 0;
}

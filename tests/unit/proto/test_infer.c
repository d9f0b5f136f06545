/* SPDX-License-Identifier: BSD-2-Clause */
/* What each protocol's beginnings are taken for, by all of them. */
#include "talk.h"

#define SURE 60                 /* as flow_infer.c */
#define PORT 20

static const struct sample {
	enum proto_id id;
	enum proto_dir dir;
	const char *p;
	size_t n;
} samples[] = {
#define V(id, dir, text) {id, dir, text, sizeof(text) - 1}
	V(PROTO_HTTP, C, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), V(PROTO_HTTP, S, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
	V(PROTO_HTTP, C, "POST /x HTTP/1.0\r\n\r\n"),
	V(PROTO_HTTP2, C, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	V(PROTO_HTTP2, S, "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64" "\0\0\0\4\1\0\0\0\0"),
	V(PROTO_HTTP2, C, "\0\0\3\1\5\0\0\0\7\x82\x86\x84"), V(PROTO_HTTP2, S, "\0\0\1\1\5\0\0\0\7\x88"),
	V(PROTO_POSTGRES, C, "\0\0\0\x08\x04\xd2\x16\x2f"), V(PROTO_POSTGRES, C, "\0\0\0\x10\0\3\0\0user\0pg\0\0"),
	V(PROTO_POSTGRES, C, "Q\0\0\0\xdSELECT 1\0"), V(PROTO_POSTGRES, S, "Z\0\0\0\5I"),
	V(PROTO_MYSQL, S, "\x4a\0\0\0\xa""8.0.36\0\7\0\0\0abcdefgh\0\xff\xff\x21\2\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0abcdefghijkl\0"
			  "mysql_native_password\0"),
	V(PROTO_MYSQL, C, "\x9\0\0\0\3SELECT 1"), V(PROTO_MYSQL, S, "\x17\0\0\0\xff\x10\4Too many connections"),
	V(PROTO_TDS, C, "\x12\1\0\x1a\0\0\1\0\0\0\xb\0\6\1\0\x11\0\1\xff\xf\0\7\xd0\0\0\2"),
	V(PROTO_TDS, C, "\1\1\0\x2e\0\0\1\0\x16\0\0\0\x12\0\0\0\2\0\0\0\0\0\0\0\0\0\1\0\0\0S\0E\0L\0E\0C\0T\0 \0001\0"),
	V(PROTO_CLICKHOUSE, C, "\0\x11""ClickHouse client\x17\x8\xbc\xa9\3\0\7""default\0"),
	V(PROTO_CLICKHOUSE, S, "\0\xa""ClickHouse\x17\x8\xbc\xa9\3\3UTC\4host\3"),
	V(PROTO_REDIS, C, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"), V(PROTO_REDIS, S, "+PONG\r\n"), V(PROTO_REDIS, S, "-ERR unknown\r\n"),
	V(PROTO_MEMCACHED, C, "set k 0 0 5\r\nhello\r\n"), V(PROTO_MEMCACHED, S, "VALUE k 0 5\r\nhello\r\nEND\r\n"),
	V(PROTO_MEMCACHED, C, "\x80\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0k"),
	V(PROTO_MEMCACHED, S, "\x81\0\0\0\0\0\0\1\0\0\0\x9\0\0\0\0\0\0\0\0\0\0\0\0Not found"),
	V(PROTO_MONGODB, C, "\x23\0\0\0\1\0\0\0\0\0\0\0\xdd\7\0\0\0\0\0\0\0\xe\0\0\0\x10ping\0\1\0\0\0\0"),
	V(PROTO_MONGODB, S, "\x26\0\0\0\2\0\0\0\1\0\0\0\xdd\7\0\0\0\0\0\0\0\x11\0\0\0\1ok\0\0\0\0\0\0\0\xf0\x3f\0"),
	V(PROTO_CASSANDRA, C, "\4\0\0\0\5\0\0\0\0"), V(PROTO_CASSANDRA, S, "\x84\0\0\0\2\0\0\0\0"),
	V(PROTO_CASSANDRA, C, "\4\0\0\1\7\0\0\0\xf\0\0\0\x8SELECT 1\0\1\0"),
	V(PROTO_CASSANDRA, S, "\x84\0\0\1\x8\0\0\0\4\0\0\0\1"),
	V(PROTO_DNS, C, "\0\x1d\0\1\1\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"),
	V(PROTO_DNS, S, "\0\x1d\0\1\x81\x80\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"),
	V(PROTO_AMQP, C, "AMQP\0\0\x9\1"), V(PROTO_AMQP, C, "\1\0\1\0\0\0\5\0\x14\0\xa\0\xce"), V(PROTO_AMQP, S, "\x8\0\0\0\0\0\0\xce"),
	V(PROTO_AMQP1, C, "AMQP\3\1\0\0"), V(PROTO_AMQP1, S, "AMQP\0\1\0\0"), V(PROTO_AMQP1, C, "\0\0\0\x1a\2\0\0\0\0S\x11\xc0\xd\4@R\0p"),
	V(PROTO_AMQP1, S, "\0\0\0\x10\2\1\0\0\0SD\xc0\3\1P\0"), V(PROTO_AMQP1, C, "\0\0\0\x8\2\0\0\0"),
	V(PROTO_KAFKA, C, "\0\0\0\x18\0\x12\0\3\0\0\0\1\0\2me\0\3me\4""1.0\0\0"), V(PROTO_KAFKA, C, "\0\0\0\x1d\0\3\0\5\0\0\0\7\0\2me\0\0\0\1\0\6orders\0"),
	V(PROTO_NATS, S, "INFO {\"server_id\":\"a\",\"version\":\"2.9.0\"}\r\n"), V(PROTO_NATS, C, "CONNECT {\"verbose\":false}\r\n"),
	V(PROTO_NATS, C, "PUB orders.new 5\r\nhello\r\n"), V(PROTO_NATS, S, "MSG orders.new 1 5\r\nhello\r\n"),
	V(PROTO_MQTT, C, "\x10\xe\0\4MQTT\4\2\0\x3c\0\2me"), V(PROTO_MQTT, C, "\x10\xf\0\4MQTT\5\2\0\x3c\0\0\2me"),
	V(PROTO_ZOOKEEPER, C, "\0\0\0\x13\0\0\0\3\0\0\0\4\0\0\0\6/a/b/c\1"), V(PROTO_ZOOKEEPER, S, "\0\0\0\x10\xff\xff\xff\xfe\0\0\0\0\0\0\0\5\0\0\0\0"),
	V(PROTO_TLS, C, "\x16\x03\x01\0\x05\x01\0\0\x01\x03"),
	V(PROTO_HTTP2, C, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"), V(PROTO_MEMCACHED, C, "gets key:1 key:2\r\n"),
	V(PROTO_MEMCACHED, C, "set a 0 0 1\r\nx\r\n"), V(PROTO_MEMCACHED, S, "VALUE k 0 1\r\nv\r\nEND\r\n"),
	V(PROTO_MYSQL, S, "\x49\0\0\0\x0a" "8.0.30\0\1\0\0\0abcdefgh\0\xff\xf7\xff\2\0\xff\xc1\x15\0\0\0\0\0\0\0\0\0\0abcdefghijkl\0mysql_native_password\0"),
	V(PROTO_TDS, C, "\x12\1\0\x2f\0\0\1\0\0\0\x1a\0\6\1\0\x20\0\1\2\0\x21\0\1\3\0\x22\0\4\4\0\x26\0\1\xff\x11\0\0\0\0\0\0\0\0\0\0\0\0"),
	V(PROTO_FASTCGI, C, "\1\1\0\1\0\x08\0\0\0\1\0\0\0\0\0\0"), V(PROTO_FASTCGI, S, "\1\6\0\1\0\x10\0\0Status: 200 OK\r\n"),
	V(PROTO_SMTP, S, "220 mail.example ESMTP Postfix\r\n"), V(PROTO_SMTP, C, "EHLO client.example\r\n"),
	V(PROTO_LDAP, C, "\x30\x0c\2\1\1\x60\7\2\1\3\4\0\x80\0"), V(PROTO_LDAP, S, "\x30\x0c\2\1\1\x61\7\x0a\1\0\4\0\4\0"),
	V(PROTO_DUBBO2, C, "\xda\xbb\xc2\0\0\0\0\0\0\0\0\1\0\0\0\1x"), V(PROTO_DUBBO2, S, "\xda\xbb\2\x14\0\0\0\0\0\0\0\1\0\0\0\1x"),
	V(PROTO_FOUNDATIONDB, C, "\x2c\0\0\0\0\0\0\x72\xb0\0\xdb\x0f\0\0"),
#undef V
};

static int ask(const struct proto_ops *o, enum proto_dir dir, const char *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);      /* of exact size, so that reading past it shows */
	int r;

	memcpy(copy, p, n);
	r = o->infer(dir, copy, n);
	free(copy);
	return r;
}

/* Each is sure of its own beginnings on its own port, and nobody else is, wherever: no order of the table decides. */
Test(infer, beginnings_are_of_one_protocol)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		const struct sample *s = &samples[i];
		int own = ask(proto_by_id(s->id), s->dir, s->p, s->n);

		cr_expect_geq(own + PORT, SURE, "%s is but %d sure of its beginning %zu", proto_name(s->id), own, i);
		for (const struct proto_ops *const *o = proto_table; *o; o++) {
			int r = ask(*o, s->dir, s->p, s->n);

			cr_expect((*o)->id == s->id || r < SURE, "%s takes the beginning %zu of %s for its own: %d", (*o)->name, i,
				  proto_name(s->id), r);
		}
	}
}

/* What is the beginning of a beginning is never taken for something else on the way. */
Test(infer, nobody_is_sure_too_early)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		for (size_t n = 1; n < samples[i].n; n++)
			for (const struct proto_ops *const *o = proto_table; *o; o++) {
				int r = ask(*o, samples[i].dir, samples[i].p, n);

				cr_expect((*o)->id == samples[i].id || r < SURE, "%s takes %zu bytes of %s for its own: %d", (*o)->name, n,
					  proto_name(samples[i].id), r);
			}
}

/* Random bytes; and random bytes between those that protocols are made of, which may be anything but a crash. */
Test(infer, random_bytes_are_nothing, .timeout = 100)
{
	static const char common[] = "\0\0\0\0\1\2\3\4\x10\x16\x40\x80\xff\r\n \"$*+-:/09AaPz{}";
	unsigned seed = 7;
	uint8_t b[64];

	for (unsigned i = 0; i < 1000000; i++) {
		size_t n = 1 + (size_t)rand_r(&seed) % sizeof(b);

		for (size_t k = 0; k < n; k++) {
			int r = rand_r(&seed) >> 8;

			b[k] = (uint8_t)(i & 1 && r & 1 ? common[(r >> 1) % (int)(sizeof(common) - 1)] : r >> 1);
		}
		for (const struct proto_ops *const *o = proto_table; *o; o++)
			for (int d = 0; d < 2; d++) {
				int score = (*o)->infer((enum proto_dir)d, b, n);

				cr_assert(i & 1 || score <= 50, "%s believes in random bytes", (*o)->name);
			}
	}
}

/* One message among many that makes no sense is left out; more than two of five, and the guess was wrong. */
Test(infer, broken_messages)
{
	static const char get[] = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", bad[] = "*2\r\n$3\r\nGET\r\n!1\r\nk\r\n";
	static char noise[512];
	static struct talk t;

	talk_init(&t, 6379, false);
	for (int i = 0; i < 10; i++) {
		talk_say(&t, C, i == 5 ? bad : get, sizeof(get) - 1);
		talk_say(&t, S, "$1\r\nv\r\n", 7);
	}
	cr_assert_eq(flow_proto(t.f), PROTO_REDIS);
	cr_assert_eq(t.pool.broken, 1);
	cr_assert_eq(t.pool.requests, 9);
	for (int i = 0; i < 40 && flow_proto(t.f) == PROTO_REDIS; i++)
		talk_say(&t, C, bad, sizeof(bad) - 1);
	cr_assert_eq(flow_proto(t.f), PROTO_UNKNOWN, "%lu of %lu are broken", (unsigned long)t.pool.broken,
		     (unsigned long)t.pool.requests);
	memset(noise, 0xee, sizeof(noise));
	for (int i = 0; i < 40; i++)
		talk_say(&t, C, noise, sizeof(noise));
	cr_assert(flow_is_deaf(t.f), "the kernel may stop sending");
	cr_assert_eq(t.pool.given_up, 1);
	talk_end(&t);
}

/* A wrong guess is one message old: what comes next is looked at anew. */
Test(infer, another_protocol_is_tried)
{
	static struct talk t;

	talk_init(&t, 80, false);
	talk_say(&t, C, "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 37);
	talk_say(&t, C, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", 20);
	talk_say(&t, S, "$1\r\nv\r\n", 7);
	talk_say(&t, C, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", 20);
	talk_say(&t, S, "$1\r\nv\r\n", 7);
	talk_end(&t);
	cr_assert(strstr(t.log, "GET 0 ok - 1 20/7\n"), "%s", t.log);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The conversations are those of the fuzzer's corpus: OpenSSL's, with a certificate for shop.test and an expired one. */
#include "talk.h"

#include <errno.h>

#include "proto/tls.h"

#define CORPUS TEST_DIR "/../../fuzz/corpus/tls/"

static struct turn turns[256];
static uint8_t text[8192];
static size_t nturns;

/* In the fuzzers' format: a seed, then turns of direction, length, bytes. */
static void read_corpus(const char *name)
{
	char path[512];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), CORPUS "%s", name);
	f = fopen(path, "rb");
	cr_assert_not_null(f, "%s", path);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	nturns = 0;
	for (size_t i = 1; i + 2 <= n; i += 2u + text[i + 1])
		turns[nturns++] = (struct turn){(enum proto_dir)text[i], (const char *)text + i + 2, text[i + 1]};
}

static void note(void *arg, struct flow *f, const struct tls_handshake *h)
{
	struct talk *t = arg;
	const char *version = tls_version_name(h->version), *offered = tls_version_name(h->offered), *by = tls_by_name(h->by);

	cr_assert_leq(h->begin_ns, h->end_ns);
	t->len += (size_t)snprintf(t->log + t->len, sizeof(t->log) - t->len, "%s of %s, %s by %s, %s%s, %s, %s until %ld\n",
				   version ? version : "-", offered ? offered : "-", tls_result_name(h), by ? by : "-", h->sni,
				   h->retried ? " retried" : "", h->alpn[0] ? h->alpn : "-",
				   h->cert.subject[0] ? h->cert.subject : "-", (long)h->cert.not_after_s);
}

static void begin(struct talk *t)
{
	talk_init(t, 443, false);
	t->pool.on_handshake = note;
}

static void play(size_t step, size_t at, size_t cut, const char *want, const char *how)
{
	static struct talk t;

	begin(&t);
	talk_play(&t, turns, nturns, step, at, cut);
	talk_end(&t);
	talk_expect(&t, want, how);
	cr_assert_eq(t.pool.requests + t.pool.lost_requests + t.pool.unpaired + t.pool.lost_bytes, 0);
}

static void check(const char *name, const char *want)
{
	char how[128];

	read_corpus(name);
	play(0, nturns, 0, want, name);
	play(1, nturns, 0, want, "byte by byte");
	for (size_t i = 0; i < nturns; i++)
		for (size_t cut = 1; cut < turns[i].n; cut++) {
			snprintf(how, sizeof(how), "%s: turn %zu split behind byte %zu", name, i, cut);
			play(0, i, cut, want, how);
		}
}

#define GOOD_UNTIL "2110734279"
#define OLD_UNTIL "1795287879"

Test(tls, succeeds)
{
	check("tls12", "1.2 of 1.2, ok by -, shop.test, http/1.1, shop.test until " GOOD_UNTIL "\n");
	check("tls13", "1.3 of 1.3, ok by -, shop.test, http/1.1, - until 0\n");
	check("tls13_retry", "1.3 of 1.3, ok by -, shop.test retried, -, - until 0\n");
}

Test(tls, refused)
{
	check("tls12_expired", "1.2 of 1.2, certificate_expired by client, old.test, -, old.test until " OLD_UNTIL "\n");
	check("tls12_unknown_ca", "1.2 of 1.2, unknown_ca by client, shop.test, -, shop.test until " GOOD_UNTIL "\n");
	check("version", "- of 1.2, protocol_version by server, shop.test, -, - until 0\n");
	/* OpenSSL's client has no keys to write with yet: the alert is readable */
	check("tls13_refused_by_client", "1.3 of 1.3, certificate_expired by client, old.test, -, - until 0\n");
	check("tls13_refused_by_server", "1.3 of 1.3, alert by server, shop.test, -, - until 0\n");
}

Test(tls, ends_early)
{
	check("not_tls", "- of 1.3, not_tls by server, web.test, -, - until 0\n");
	check("cut_short", "- of 1.3, cut_short by -, web.test, -, - until 0\n");
}

/* Every beginning of a conversation is a connection that was closed there: one line, and never "ok" before both were content. */
Test(tls, every_prefix)
{
	static struct talk t;

	read_corpus("tls12");
	for (size_t n = 1; n < nturns; n++) {
		begin(&t);
		talk_play(&t, turns, n, 0, n, 0);
		talk_end(&t);
		cr_assert_not_null(strchr(t.log, '\n'));
		cr_assert_eq(strchr(t.log, '\n'), t.log + t.len - 1, "%s", t.log);
	}
}

Test(tls, a_hole_leaves_it_open)
{
	static struct talk t;

	read_corpus("tls12");
	begin(&t);
	for (size_t i = 0; i < nturns; i++) {
		if (i == 2)
			t.seq[turns[i].dir] += (uint32_t)turns[i].n;
		else
			talk_say(&t, turns[i].dir, turns[i].p, turns[i].n);
	}
	talk_end(&t);
	cr_assert(strstr(t.log, "unseen by -, shop.test"), "%s", t.log);
	cr_assert_eq(strchr(t.log, '\n'), t.log + t.len - 1, "%s", t.log);
}

/* Joined behind the handshake: encrypted, and nothing is said about it. */
Test(tls, joined_in_the_middle)
{
	static const char record[] = "\x17\3\3\0\4abcd\x17\3\3\0\4abcd";
	static struct talk t;

	talk_init(&t, 443, true);
	t.pool.on_handshake = note;
	talk_say(&t, C, record, sizeof(record) - 1);
	talk_say(&t, S, record, sizeof(record) - 1);
	cr_assert_eq(flow_proto(t.f), PROTO_TLS);
	cr_assert(flow_is_deaf(t.f));
	talk_end(&t);
	talk_expect(&t, "", "mid");
}

/* PostgreSQL agrees on TLS first. */
Test(tls, behind_another_protocol)
{
	static struct talk t;

	read_corpus("tls13");
	talk_init(&t, 5432, false);
	t.pool.on_handshake = note;
	talk_say(&t, C, "\0\0\0\x8\x4\xd2\x16\x2f", 8);
	talk_say(&t, S, "S", 1);
	talk_play(&t, turns, nturns, 0, nturns, 0);
	cr_assert_eq(flow_proto(t.f), PROTO_TLS);
	talk_end(&t);
	talk_expect(&t, "1.3 of 1.3, ok by -, shop.test, http/1.1, - until 0\n", "postgres");
}

/* The handshake message of one record, cut into records of 3 bytes. */
Test(tls, fragments)
{
	static struct talk t;
	size_t n = 0;
	char out[4096];

	read_corpus("cut_short");
	begin(&t);
	for (size_t i = 0, skip = 5; i < nturns; i++, skip = 0)
		for (size_t k = skip; k < turns[i].n; k++, n++)
			out[n] = turns[i].p[k];
	for (size_t i = 0; i < n; i += 3) {
		char record[8] = {0x16, 3, 1, 0, (char)(n - i < 3 ? n - i : 3)};

		memcpy(record + 5, out + i, (size_t)record[4]);
		talk_say(&t, C, record, 5 + (size_t)record[4]);
	}
	talk_end(&t);
	talk_expect(&t, "- of 1.3, cut_short by -, web.test, -, - until 0\n", "fragments");
}

static const uint8_t leaf[] = {
	0x30, 0x4d, 0x30, 0x4b, 0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x01, 0x07, 0x30, 0x00, 0x30, 0x00,
	0x30, 0x20, 0x17, 0x0d, '4', '9', '1', '2', '3', '1', '2', '3', '5', '9', '5', '9', 'Z',
	0x18, 0x0f, '2', '0', '5', '0', '0', '2', '2', '8', '0', '0', '0', '0', '0', '1', 'Z',
	0x30, 0x14, 0x31, 0x12, 0x30, 0x10, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x09, 'a', '\n', 'b', 0xc3, 0xa4, '.', 'd', 'e', 0xff,
	0x30, 0x00,
};

Test(x509, names_and_times)
{
	struct x509_leaf l = {.subject = "untouched"};

	cr_assert_eq(x509_leaf_parse(leaf, sizeof(leaf), &l), 0);
	cr_assert_eq(l.not_before_s, 2524607999);
	cr_assert_eq(l.not_after_s, 2529619201);
	cr_assert_eq(l.subject[0], 'a');
	cr_assert_neq(l.subject[1], '\n', "a control character went through");
	cr_assert(strstr(l.subject, "b\xc3\xa4.de"), "%s", l.subject);
}

Test(x509, every_prefix_and_every_broken_byte)
{
	for (size_t n = 0; n < sizeof(leaf); n++) {
		struct x509_leaf l = {.subject = "untouched"};
		uint8_t *exact = malloc(n ? n : 1);
		int err;

		memcpy(exact, leaf, n);
		err = x509_leaf_parse(exact, n, &l);
		/* all but the key, which nobody reads, must be there */
		cr_assert(err == (n < sizeof(leaf) - 2 ? -ENODATA : 0) || n + 3 > sizeof(leaf), "%zu bytes: %d", n, err);
		cr_assert(!err || !strcmp(l.subject, "untouched"));
		free(exact);
	}
	for (size_t i = 0; i < sizeof(leaf) * 8; i++) {
		uint8_t *exact = malloc(sizeof(leaf));
		struct x509_leaf l;

		memcpy(exact, leaf, sizeof(leaf));
		exact[i / 8] ^= (uint8_t)(1u << i % 8);
		x509_leaf_parse(exact, sizeof(leaf), &l);
		free(exact);
	}
}

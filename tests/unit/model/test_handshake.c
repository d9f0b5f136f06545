/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS handshakes on their way to an edge and to the timeline; the bytes are those of the fuzzer's corpus. */
#define WORLD_REAL_FLOW
#include <errno.h>

#include "world.h"

#include "bpf/sample.h"

#define CORPUS TEST_DIR "/../../fuzz/corpus/tls/"

static struct sock near = {.cookie = 10, .pid = 200, .laddr = "127.0.0.1", .lport = 40000, .raddr = "127.0.0.1",
				 .rport = 8443, .role = ROLE_CLIENT};
static struct sock far = {.cookie = 11, .pid = 100, .laddr = "127.0.0.1", .lport = 8443, .raddr = "127.0.0.1",
				.rport = 40000, .role = ROLE_SERVER};

static void say(struct world *w, uint64_t cookie, uint32_t seq, const uint8_t *p, uint32_t n)
{
	static uint64_t room[256];      /* aligned */
	struct ev_data *e = (struct ev_data *)room;

	*e = (struct ev_data){.h = {.ts_ns = w->now, .size = (uint32_t)sizeof(*e) + n, .type = EV_DATA}, .cookie = cookie, .seq = seq,
			      .len = n, .head = (uint16_t)n, .dir = DIR_OUT, .flags = DATA_LOOPBACK, .shift = w->shift};
	memcpy(e->payload, p, n);
	model_event(w->m, &e->h);
}

/* A connection that says what the file has, and ends. */
static void converse(struct world *w, const char *name)
{
	uint32_t seq[2] = {1, 1};
	char path[512];
	uint8_t p[8192];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), CORPUS "%s", name);
	f = fopen(path, "rb");
	cr_assert_not_null(f, "%s", path);
	n = fread(p, 1, sizeof(p), f);
	fclose(f);
	conn(w, &near, CONN_CONNECT);
	conn(w, &near, CONN_ESTABLISHED);
	conn(w, &far, CONN_ESTABLISHED);
	for (size_t i = 1; i + 2 <= n; i += 2u + p[i + 1]) {
		say(w, p[i] ? far.cookie : near.cookie, seq[p[i]], p + i + 2, p[i + 1]);
		seq[p[i]] += p[i + 1];
		w->now += MS;
	}
	conn(w, &near, CONN_CLOSE);
	conn(w, &far, CONN_CLOSE);
	w->now += 10 * MS;
}

static void begin(struct world *w)
{
	world_init(w, 0, 0);
	process(w, 100, 1, "server", "");
	process(w, 200, 1, "client", "");
	listening(w, 1, 100, "0.0.0.0", 8443);
}

Test(handshake, counts_by_result)
{
	struct names n = {0};
	struct world w;
	struct tick *t;

	begin(&w);
	for (int i = 0; i < 3; i++)
		converse(&w, "tls12");
	converse(&w, "tls13");
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->tls.n, 2);
	for (size_t i = 0; i < t->tls.n; i++) {
		const struct tick_tls *r = &t->tls.v[i];
		bool old = !strcmp(r->version, "1.2");

		cr_assert_str_eq(edge_text(&n, r->edge), "client -> server :8443");
		cr_assert_str_eq(r->result, "ok");
		cr_assert_str_eq(r->sni, "shop.test");
		cr_assert_str_eq(r->alpn, "http/1.1");
		cr_assert_null(r->by);
		cr_assert_eq(r->count, old ? 3 : 1);
		cr_assert_eq(r->subject != NULL, old, "1.3 hides the certificate");
	}
	cr_assert_eq(t->requests.n, 0, "a handshake is no request");
	cr_assert_eq(t->event.n, 0);
	cr_assert_eq(t->lost, 0);
	tick_free(t);
	t = tick(&w);
	cr_assert_eq(t->tls.n, 0, "counted twice");
	tick_free(t);
	model_free(w.m);
}

static size_t told(const struct tick *t, const char *kind, const char *words)
{
	size_t n = 0;

	for (size_t i = 0; i < t->event.n; i++)
		n += !strcmp(t->event.v[i].kind, kind) && strstr(t->event.v[i].detail, words);
	return n;
}

/* A server's file, found at the third time of asking. */
static int slow_ask(void *arg, const struct certificate_question *q, struct certificate *ret)
{
	int *asked = arg;

	cr_assert_eq(q->pid, 100);
	cr_assert_eq(q->port, 8443);
	cr_assert_eq(q->ip[12], 127);
	cr_assert_str_eq(q->host, "shop.test");
	if (++*asked < 3)
		return -EAGAIN;
	*ret = (struct certificate){.path = "/etc/a\n.pem", .subject = "shop.test", .not_after_s = 1500, .newer = true};
	return 1;
}

Test(handshake, the_certificate_of_1_3_comes_from_a_file)
{
	struct world w;
	struct tick *t;
	int asked = 0;

	world_certificates = (struct certificate_resolver){slow_ask, &asked};
	begin(&w);
	converse(&w, "tls12");
	converse(&w, "tls13");
	for (int i = 0; i < 3; i++) {
		t = tick(&w);
		cr_assert_eq(t->tls.n, i == 0 ? 2 : i == 1 ? 0 : 1, "tick %d", i);
		for (size_t k = 0; i == 0 && k < t->tls.n; k++)
			cr_assert(strcmp(t->tls.v[k].version, "1.3") ? !strcmp(t->tls.v[k].source, "wire") : !t->tls.v[k].source);
		if (i == 2) {
			const struct tick_tls *r = &t->tls.v[0];

			cr_assert_eq(r->count, 0, "the handshake was counted before");
			cr_assert_str_eq(r->version, "1.3");
			cr_assert_str_eq(r->sni, "shop.test");
			cr_assert_str_eq(r->subject, "shop.test");
			cr_assert_eq(r->not_after_s, 1500);
			cr_assert_str_eq(r->source, "newer file /etc/a\xef\xbf\xbd.pem");
			cr_assert_eq(told(t, "tls_expiring", "the certificate of shop.test (newer file /etc/"), 1);
		}
		tick_free(t);
	}
	converse(&w, "tls13");
	t = tick(&w);
	cr_assert_eq(t->tls.n, 1);
	cr_assert_eq(t->tls.v[0].count, 1);
	cr_assert_eq(t->tls.v[0].not_after_s, 1500, "known at once");
	cr_assert_eq(t->event.n, 0, "told once an hour");
	tick_free(t);
	cr_assert_eq(asked, 4, "1.2 shows it");
	model_free(w.m);
}

/* A process for each connection, which has ended when its files are looked for. */
static int ask_parent(void *arg, const struct certificate_question *q, struct certificate *ret)
{
	struct process_ident **child = arg;

	if (q->pid == (*child)->pid) {
		(*child)->gone = 1;
		return -ESRCH;
	}
	cr_assert_eq(q->pid, 50);
	*ret = (struct certificate){.path = "/server.crt", .not_after_s = 4000000000};
	return 1;
}

Test(handshake, a_process_for_each_connection)
{
	struct process_ident *child;
	struct world w;
	struct tick *t;

	world_certificates = (struct certificate_resolver){ask_parent, &child};
	world_init(&w, 0, 0);
	process(&w, 50, 1, "server", "")->exe = "/bin/server";
	child = process(&w, 100, 50, "server", "");
	child->exe = "/bin/server";
	process(&w, 200, 1, "client", "");
	listening(&w, 1, 50, "0.0.0.0", 8443);
	converse(&w, "tls13");
	t = tick(&w);
	cr_assert_eq(t->tls.v[0].not_after_s, 0);
	tick_free(t);
	t = tick(&w);
	cr_assert_eq(t->tls.n, 1);
	cr_assert_str_eq(t->tls.v[0].source, "file /server.crt");
	tick_free(t);
	model_free(w.m);
}

Test(handshake, one_that_is_read_stands_for_others)
{
	struct world w;
	struct tick *t;

	begin(&w);
	w.shift = 2;
	model_sampling(w.m, w.shift, true);
	while (!sample_takes(sample_pair(0x7f000001, 0x7f000001, near.lport, 8443), w.shift))
		far.rport = ++near.lport;
	converse(&w, "tls12");
	converse(&w, "tls12_expired");
	t = tick(&w);
	cr_assert_eq(t->tls.n, 2);
	cr_assert_eq(t->tls.v[0].count, 4);
	cr_assert_eq(t->tls.v[1].count, 4);
	tick_free(t);
	model_free(w.m);
}

Test(handshake, failures_are_told_once_a_minute)
{
	struct world w;
	struct tick *t;

	begin(&w);
	converse(&w, "tls12_expired");
	converse(&w, "tls12_expired");
	converse(&w, "tls12_unknown_ca");
	t = tick(&w);
	cr_assert_eq(t->tls.n, 2);
	cr_assert_eq(told(t, "tls_failure", "certificate_expired from the client; TLS 1.2, for old.test, certificate of old.test until "), 1);
	cr_assert_eq(told(t, "tls_failure", "unknown_ca from the client"), 1);
	tick_free(t);
	for (int s = 0; s < 90; s++) {
		converse(&w, "tls12_expired");
		t = tick(&w);
		cr_assert_eq(t->tls.n, 1);
		cr_assert_leq(t->event.n, 2);
		cr_assert_eq(told(t, "tls_failure", "expired"), s == 59, "second %d", s);
		tick_free(t);
	}
	model_free(w.m);
}

/* ---- plaintext beside the encrypted bytes ---- */

static void plain(struct world *w, uint64_t cookie, uint8_t dir, uint32_t seq, const char *text)
{
	static uint64_t room[256];      /* aligned */
	struct ev_data *e = (struct ev_data *)room;
	uint32_t n = (uint32_t)strlen(text);

	*e = (struct ev_data){.h = {.ts_ns = w->now, .size = (uint32_t)sizeof(*e) + n, .type = EV_DATA}, .cookie = cookie, .seq = seq,
			      .len = n, .head = (uint16_t)n, .dir = dir, .flags = DATA_PLAIN};
	memcpy(e->payload, text, n);
	model_event(w->m, &e->h);
}

#define GET "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
#define OK "HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\nok"

Test(plaintext, two_views_are_one_request)
{
	struct names n = {0};
	struct world w;
	struct tick *t;

	begin(&w);
	conn(&w, &near, CONN_CONNECT);
	conn(&w, &near, CONN_ESTABLISHED);
	conn(&w, &far, CONN_ESTABLISHED);
	for (uint32_t i = 0; i < 20; i++) {
		plain(&w, near.cookie, DIR_OUT, i * (uint32_t)strlen(GET), GET);
		plain(&w, far.cookie, DIR_IN, i * (uint32_t)strlen(GET), GET);
		w.now += MS;
		plain(&w, far.cookie, DIR_OUT, i * (uint32_t)strlen(OK), OK);
		plain(&w, near.cookie, DIR_IN, i * (uint32_t)strlen(OK), OK);
		w.now += MS;
	}
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->requests.n, 1);
	cr_assert_eq(t->requests.v[0].count, 20);
	cr_assert_eq(t->requests.v[0].errors, 0);
	cr_assert_str_eq(edge_text(&n, t->requests.v[0].edge), "client -> server :8443");
	cr_assert_str_eq(n.protocol[t->requests.v[0].edge], "http");
	cr_assert_eq(t->tcp.v[0].bytes_out, 0, "plaintext is not what went over the wire");
	tick_free(t);
	conn(&w, &near, CONN_CLOSE);
	conn(&w, &far, CONN_CLOSE);
	plain(&w, far.cookie, DIR_OUT, 4000, OK);
	t = tick(&w);
	cr_assert_eq(t->requests.n, 0, "what comes too late");
	tick_free(t);
	model_free(w.m);
}

Test(plaintext, the_handshake_is_told_all_the_same)
{
	struct names n = {0};
	struct world w;
	struct tick *t;

	begin(&w);
	converse(&w, "tls13");
	t = tick(&w);
	learn(&n, t);
	cr_assert_str_eq(n.protocol[t->tls.v[0].edge], "tls");
	tick_free(t);
	conn(&w, &near, CONN_CONNECT);
	conn(&w, &near, CONN_ESTABLISHED);
	conn(&w, &far, CONN_ESTABLISHED);
	plain(&w, near.cookie, DIR_OUT, 0, GET);
	plain(&w, near.cookie, DIR_IN, 0, OK);
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(t->requests.n, 1);
	cr_assert_str_eq(n.protocol[t->requests.v[0].edge], "http", "what is inside says more");
	tick_free(t);
	model_free(w.m);
}

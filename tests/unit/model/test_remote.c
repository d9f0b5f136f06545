/* SPDX-License-Identifier: BSD-2-Clause */
#define WORLD_REAL_FLOW
#include "world.h"

#define CLIENT 200u
#define BLUE 78u

static uint32_t next_port = 40000;

/* What the client calls is in the tick that is taken now: the callee's name. */
static const char *called(struct world *w, struct names *n, uint32_t netns, const char *address)
{
	struct sock s = {.cookie = next_port, .pid = CLIENT, .netns = netns, .laddr = "10.0.1.2", .lport = (uint16_t)next_port,
			 .raddr = address, .rport = 80, .role = ROLE_CLIENT};
	static char text[96];
	struct tick *t;

	next_port++;
	conn(w, &s, CONN_ESTABLISHED);
	data(w, s.cookie, DIR_OUT, 1, "GET / HTTP/1.1\r\nHost: there\r\n\r\n");
	data(w, s.cookie, DIR_IN, 1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	t = tick(w);
	learn(n, t);
	text[0] = '\0';
	for (size_t i = 0; i < t->requests.n; i++)
		if (n->edge[t->requests.v[i].edge].port == 80)
			snprintf(text, sizeof(text), "%s", n->service[n->edge[t->requests.v[i].edge].to]);
	tick_free(t);
	return text;
}

static void datagram(struct world *w, uint32_t netns, uint8_t dir, const uint8_t *message, size_t len)
{
	struct ev_datagram *e = calloc(1, sizeof(*e) + len);

	*e = (struct ev_datagram){.h = {.ts_ns = w->now, .size = (uint32_t)(sizeof(*e) + len), .type = EV_DATAGRAM}, .cookie = 7 + netns,
				  .netns = netns, .tgid = CLIENT, .lport = 5353, .rport = 53, .len = (uint32_t)len,
				  .head = (uint16_t)len, .dir = dir};
	ip4(e->laddr, "10.0.1.2");
	ip4(e->raddr, "10.0.1.53");
	memcpy(e->payload, message, len);
	model_event(w->m, &e->h);
	free(e);
}

/* A question and its answer with one address. */
static void ask(struct world *w, uint32_t netns, const char *label, const char *address, uint8_t ttl)
{
	uint8_t m[96] = {0, 1, 1, 0, 0, 1}, ip[16];
	size_t len = strlen(label), at = 12;

	m[at] = (uint8_t)len;
	memcpy(m + at + 1, label, len);
	at += len + 1;
	memcpy(m + at, "\4test\0\0\1\0\1", 10);
	at += 10;
	datagram(w, netns, DIR_OUT, m, at);
	m[2] = 0x81, m[3] = 0x80, m[7] = 1;
	memcpy(m + at, "\xc0\x0c\0\1\0\1\0\0\0", 9);
	m[at + 9] = ttl;
	m[at + 11] = 4;
	ip4(ip, address);
	memcpy(m + at + 12, ip + 12, 4);
	datagram(w, netns, DIR_IN, m, at + 16);
}

static void client(struct world *w, struct names *n)
{
	memset(n, 0, sizeof(*n));
	world_init(w, 0, 0);
	process(w, CLIENT, 1, "client", NULL);
	pass(w);
}

Test(remote, is_called_what_dns_said_and_the_last_answer_wins)
{
	struct names n;
	struct world w;

	client(&w, &n);
	cr_assert_str_eq(called(&w, &n, 0, "192.0.2.1"), "192.0.2.1:80");
	ask(&w, NETNS, "shop", "192.0.2.1", 60);
	pass(&w);
	cr_assert_str_eq(called(&w, &n, 0, "192.0.2.1"), "shop.test");
	ask(&w, NETNS, "cart", "192.0.2.1", 60);
	pass(&w);
	cr_assert_str_eq(called(&w, &n, 0, "192.0.2.1"), "cart.test");
	model_free(w.m);
}

Test(remote, what_a_client_of_the_same_namespace_was_told_goes_first)
{
	struct names n;
	struct world w;

	client(&w, &n);
	ask(&w, NETNS, "shop", "192.0.2.1", 60);
	ask(&w, BLUE, "books", "192.0.2.1", 60);
	pass(&w);
	cr_assert_str_eq(called(&w, &n, NETNS, "192.0.2.1"), "shop.test");
	cr_assert_str_eq(called(&w, &n, BLUE, "192.0.2.1"), "books.test");
	cr_assert_str_eq(called(&w, &n, 79, "192.0.2.1"), "books.test", "any other's, where there is none of its own");
	model_free(w.m);
}

Test(remote, an_answer_ends_with_its_time_to_live)
{
	struct names n;
	struct world w;

	client(&w, &n);
	ask(&w, NETNS, "shop", "192.0.2.1", 60);
	pass(&w);
	w.now += 3600 * S;
	cr_assert_str_eq(called(&w, &n, 0, "192.0.2.1"), "192.0.2.1:80");
	model_free(w.m);
}

Test(remote, an_answer_that_nobody_asked_for_is_none)
{
	const uint8_t forged[] = "\0\1\x81\x80\0\1\0\1\0\0\0\0\4shop\4test\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1";
	struct names n;
	struct world w;

	client(&w, &n);
	datagram(&w, NETNS, DIR_IN, forged, sizeof(forged) - 1);
	pass(&w);
	cr_assert_str_eq(called(&w, &n, 0, "192.0.2.1"), "192.0.2.1:80");
	model_free(w.m);
}

static bool till(void *arg, uint32_t pid, const uint8_t ip[16], char *name, size_t cap)
{
	if (pid != CLIENT || ip[15] != 3)
		return false;
	snprintf(name, cap, "till");
	return true;
}

Test(remote, a_name_of_etc_hosts_and_one_that_a_local_service_has)
{
	struct model_options o = {.node = "testnode", .hosts = {.find = till}};
	struct names n;
	struct world w;

	client(&w, &n);
	process(&w, 300, 1, "till", NULL);
	o.ident.resolve = world_resolve;
	o.ident.arg = &w;
	model_free(w.m);
	w.m = model_new(&o);
	pass(&w);
	cr_assert_str_eq(called(&w, &n, 0, "192.0.2.3"), "till");
	model_free(w.m);
	w.m = model_new(&o);
	listening(&w, 1, 300, "0.0.0.0", 99);
	pass(&w);
	cr_assert_str_eq(called(&w, &n, 0, "192.0.2.3"), "till:80", "it is not the one that is here");
	model_free(w.m);
}

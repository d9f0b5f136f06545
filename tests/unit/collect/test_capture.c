/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "collect/capture.h"
#include "packets.h"

#define MS 1000000ull

enum { CLIENT = 1, SERVER = 2 };

/* Records as text, a word each. */
struct log { char text[4096]; size_t n; struct ev_conn last; struct ev_health health; uint64_t cookie[2]; };

static struct log told;
static struct capture *capture;
static uint64_t now = 1000 * MS;
static unsigned id;

static void say(const char *what, uint64_t cookie, unsigned n)
{
	told.n += (size_t)snprintf(told.text + told.n, sizeof(told.text) - told.n, "%s%s%c%.0u", told.n ? " " : "", what,
				   cookie & 1 ? 'S' : 'C', n);
}

static void take(void *arg, const struct ev_hdr *ev)
{
	static const char *const names[] = {"", "existing", "listen", "connect", "established", "owner", "refused", "timeout", "retrans",
					    "reset", "reset_recv", "close"};
	const struct ev_conn *e = (const void *)ev;
	const struct ev_data *d = (const void *)ev;
	const struct ev_datagram *g = (const void *)ev;

	if (ev->type == EV_CONN) {
		told.last = *e;
		say(e->l4 == L4_UDP ? "udp" : names[e->what], e->cookie, 0);
	} else if (ev->type == EV_DATA) {
		say(d->head < d->len ? "cut" : d->flags & DATA_FIN ? "fin" : "data", d->cookie, d->len);
	} else if (ev->type == EV_DATAGRAM) {
		say("dns", 0, g->len);
	} else if (ev->type == EV_HEALTH) {
		told.health = *(const struct ev_health *)ev;
	}
}

static void setup(void)
{
	capture = capture_new(take, NULL);
}

static void teardown(void)
{
	capture_free(capture);
}

TestSuite(capture, .init = setup, .fini = teardown);

static void take_bytes(struct packet_bytes *b, uint32_t cap)
{
	struct capture_packet p;

	cr_assert_eq(capture_packet_parse(101, b->v, cap, b->n, NULL, now, &p), 1);
	capture_take(capture, now, &p);
}

/* The client is the lower address, so its cookie is the even one. */
static void segment_cut(int from, unsigned flags, uint32_t seq, uint32_t ack, unsigned len, unsigned cut)
{
	struct packet_bytes b = {0};

	now += MS;
	put_ipv4(&b, (unsigned)from, (unsigned)(3 - from), 6, ++id, 0, 20 + len);
	put_tcp(&b, from == CLIENT ? 40000 : 80, from == CLIENT ? 80 : 40000, seq, ack, flags, 1000);
	for (unsigned i = 0; i < len; i++)
		put8(&b, 'a' + i % 26);
	take_bytes(&b, b.n - cut);
}

static void segment(int from, unsigned flags, uint32_t seq, uint32_t ack, unsigned len)
{
	segment_cut(from, flags, seq, ack, len, 0);
}

static void handshake(void)
{
	segment(CLIENT, TCP_SYN, 99, 0, 0);
	segment(SERVER, TCP_SYN | TCP_ACK, 499, 100, 0);
	segment(CLIENT, TCP_ACK, 100, 500, 0);
}

static void expect(const char *text)
{
	cr_assert_str_eq(told.text, text);
}

Test(capture, a_connection)
{
	handshake();
	cr_assert_eq(told.last.srtt_us, 2000);
	cr_assert_eq(told.last.role, ROLE_SERVER);
	segment(CLIENT, TCP_ACK, 100, 500, 10);
	segment(SERVER, TCP_ACK, 500, 110, 20);
	segment(SERVER, TCP_FIN | TCP_ACK, 520, 110, 0);
	segment(CLIENT, TCP_FIN | TCP_ACK, 110, 521, 0);
	segment(SERVER, TCP_ACK, 521, 111, 0);
	expect("connectC establishedC establishedS dataC10 dataS20 closeC");
}

Test(capture, refused)
{
	segment(CLIENT, TCP_SYN, 99, 0, 0);
	segment(SERVER, TCP_RST | TCP_ACK, 0, 100, 0);
	expect("connectC refusedC closeC");
}

Test(capture, reset)
{
	handshake();
	segment(SERVER, TCP_RST, 500, 0, 0);
	segment(SERVER, TCP_RST, 500, 0, 0);
	expect("connectC establishedC establishedS resetS closeC");
}

Test(capture, nobody_answers)
{
	segment(CLIENT, TCP_SYN, 99, 0, 0);
	now += 1000 * MS;
	segment(CLIENT, TCP_SYN, 99, 0, 0);
	capture_tick(capture, now + 5000 * MS);
	expect("connectC retransC");
	capture_tick(capture, now + 7000 * MS);
	expect("connectC retransC timeoutC closeC");
}

Test(capture, sent_again)
{
	handshake();
	segment(CLIENT, TCP_ACK, 100, 500, 10);
	now += 200 * MS;
	segment(CLIENT, TCP_ACK, 100, 500, 10);
	expect("connectC establishedC establishedS dataC10 retransC dataC10");
	cr_assert_eq(told.last.retrans, 1);
}

Test(capture, overtaken_is_not_sent_again)
{
	handshake();
	segment(CLIENT, TCP_ACK, 110, 500, 10);
	segment(CLIENT, TCP_ACK, 100, 500, 10);
	expect("connectC establishedC establishedS dataC10 dataC10");
}

Test(capture, a_hole_that_is_filled_later_was_lost)
{
	handshake();
	segment(CLIENT, TCP_ACK, 110, 500, 10);
	now += 50 * MS;
	segment(CLIENT, TCP_ACK, 100, 500, 10);
	expect("connectC establishedC establishedS dataC10 retransC dataC10");
}

Test(capture, a_copy_counts_once)
{
	handshake();
	segment(CLIENT, TCP_ACK, 100, 500, 10);
	id--;
	segment(CLIENT, TCP_ACK, 100, 500, 10);
	expect("connectC establishedC establishedS dataC10");
	struct capture_counters n;

	capture_counters(capture, &n);
	cr_assert_eq(n.copies, 1);
}

Test(capture, a_keep_alive_is_no_payload)
{
	handshake();
	segment(CLIENT, TCP_ACK, 100, 500, 10);
	segment(CLIENT, TCP_ACK, 109, 500, 1);
	expect("connectC establishedC establishedS dataC10");
}

Test(capture, snap_length)
{
	handshake();
	segment_cut(CLIENT, TCP_ACK, 100, 500, 30, 25);
	expect("connectC establishedC establishedS cutC30");
}

Test(capture, joined_in_the_middle)
{
	segment(SERVER, TCP_ACK, 5000, 800, 20);
	expect("existingS existingC dataS20");
	cr_assert_eq(told.last.role, ROLE_UNKNOWN);
}

Test(capture, only_one_direction)
{
	segment(CLIENT, TCP_SYN, 99, 0, 0);
	segment(CLIENT, TCP_ACK, 100, 500, 0);
	segment(CLIENT, TCP_ACK, 100, 500, 10);
	segment(CLIENT, TCP_FIN | TCP_ACK, 110, 900, 0);
	expect("connectC establishedC establishedS dataC10");
}

Test(capture, only_the_answers)
{
	segment(SERVER, TCP_SYN | TCP_ACK, 499, 100, 0);
	segment(SERVER, TCP_ACK, 500, 110, 20);
	expect("establishedC establishedS dataS20");
	cr_assert_eq(told.last.role, ROLE_SERVER);
}

Test(capture, ports_used_anew)
{
	handshake();
	segment(CLIENT, TCP_SYN, 9000, 0, 0);
	expect("connectC establishedC establishedS closeC connectC");
}

Test(capture, another_connection_without_its_beginning)
{
	handshake();
	segment(CLIENT, TCP_ACK, 100 + (64 << 20), 500, 10);
	expect("connectC establishedC establishedS closeC existingC existingS dataC10");
}

Test(capture, a_fin_may_carry_payload)
{
	handshake();
	segment(CLIENT, TCP_FIN | TCP_ACK, 100, 500, 10);
	expect("connectC establishedC establishedS finC10");
}

Test(capture, a_closed_window)
{
	struct packet_bytes b = {0};

	handshake();
	now += MS;
	put_ipv4(&b, SERVER, CLIENT, 6, ++id, 0, 20);
	put_tcp(&b, 80, 40000, 500, 100, TCP_ACK, 0);
	take_bytes(&b, b.n);
	capture_tick(capture, now + 100 * MS);
	cr_assert_eq(told.health.cookie & 1, 1);
	cr_assert_eq(told.health.zero_windows[DIR_OUT], 1);
	cr_assert_eq(told.health.zero_since_ns[DIR_OUT], now);
}

Test(capture, no_wish_no_payload)
{
	handshake();
	capture_wish(capture, told.last.cookie & ~1ull, WISH_NONE);
	segment(CLIENT, TCP_ACK, 100, 500, 30);
	expect("connectC establishedC establishedS cutC30");
}

Test(capture, datagrams)
{
	struct packet_bytes dns = {0}, other = {0};

	put_ipv4(&dns, CLIENT, SERVER, 17, 1, 0, 8 + 17);
	put_udp(&dns, 40000, 53, 17);
	put(&dns, "\0\1\1\0\0\1\0\0\0\0\0\0\0\0\1\0\1", 17);
	take_bytes(&dns, dns.n);
	put_ipv4(&other, CLIENT, SERVER, 17, 2, 0, 8 + 4);
	put_udp(&other, 40000, 9, 4);
	put(&other, "ping", 4);
	take_bytes(&other, other.n);
	cr_assert_str_eq(told.text, "dnsC17");
	capture_tick(capture, now);
	cr_assert_eq(told.last.l4, L4_UDP);
	cr_assert_eq(told.last.bytes_out + told.last.bytes_in, 4);
	cr_assert_eq(told.last.role == ROLE_CLIENT ? told.last.rport : told.last.lport, 9);
}

/* More connections than are followed: the oldest closed one goes, and nothing is counted as forgotten. */
Test(capture, room_is_made_of_closed_ones)
{
	struct capture_counters n;

	for (unsigned i = 0; i < CAPTURE_CONNECTIONS + 100; i++) {
		struct packet_bytes b = {0};

		put_ipv4(&b, 256 + i / 60000, SERVER, 6, 1 + i % 60000, 0, 20);
		put_tcp(&b, 1000 + i % 60000, 80, i, 0, TCP_SYN, 1000);
		told.n = 0;
		take_bytes(&b, b.n);
		b.n = 0;
		put_ipv4(&b, SERVER, 256 + i / 60000, 6, 1 + i % 60000, 0, 20);
		put_tcp(&b, 80, 1000 + i % 60000, 0, i + 1, TCP_RST | TCP_ACK, 0);
		take_bytes(&b, b.n);
	}
	capture_counters(capture, &n);
	cr_assert_eq(n.forgotten, 0);
}

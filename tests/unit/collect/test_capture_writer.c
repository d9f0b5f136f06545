/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/capture_packet.h"
#include "collect/capture_writer.h"

#define RAW_IP 101

static struct { uint8_t v[1 << 16]; size_t n; } file;
static struct capture_writer *writer;

static void put(void *arg, const uint8_t *p, size_t n)
{
	cr_assert_eq(n % 4, 0);
	memcpy(file.v + file.n, p, n);
	file.n += n;
}

static const char *service(void *arg, uint32_t pid)
{
	return pid == 812 ? "shop" : NULL;
}

static void setup(void)
{
	writer = capture_writer_new(&(struct capture_writer_options){.put = put, .service = service});
}

static void teardown(void)
{
	capture_writer_free(writer);
}

TestSuite(capture_writer, .init = setup, .fini = teardown);

static uint32_t word(size_t at)
{
	uint32_t v;

	memcpy(&v, file.v + at, 4);
	return v;
}

/* The n-th packet of the file, as its reader sees it; its comment or "". */
static struct capture_packet packet(unsigned n, char comment[256])
{
	struct capture_packet p = {0};

	*comment = '\0';
	for (size_t at = 0; at < file.n; at += word(at + 4)) {
		uint32_t cap, len, size = word(at + 4);
		size_t option;

		cr_assert_eq(word(at + size - 4), size);
		if (word(at) != 6 || n--)
			continue;
		cap = word(at + 20);
		len = word(at + 24);
		cr_assert_eq(capture_packet_parse(RAW_IP, file.v + at + 28, cap, len, NULL, 1, &p), 1);
		option = at + 28 + (cap + 3) / 4 * 4;
		if (option + 4 < at + size)
			snprintf(comment, 256, "%.*s", (int)(word(option) >> 16), file.v + option + 4);
		return p;
	}
	cr_assert_fail("there is no such packet");
	return p;
}

static unsigned packets(void)
{
	unsigned n = 0;

	for (size_t at = 0; at < file.n; at += word(at + 4))
		n += word(at) == 6;
	return n;
}

static void tell(uint8_t what, uint8_t role)
{
	struct ev_conn e = {.h = {.size = sizeof(e), .type = EV_CONN}, .cookie = 7, .tgid = 812, .lport = 40000, .rport = 80, .what = what,
			    .role = role, .comm = "node"};

	memcpy(e.laddr, "\0\0\0\0\0\0\0\0\0\0\377\377\12\0\0\1", 16);
	memcpy(e.raddr, "\0\0\0\0\0\0\0\0\0\0\377\377\12\0\0\2", 16);
	capture_writer_take(writer, &e.h, 1);
}

static void data(uint8_t dir, uint32_t seq, uint32_t len, const char *head, const char *tail)
{
	uint16_t h = (uint16_t)strlen(head), t = (uint16_t)strlen(tail);
	struct ev_data *d = calloc(1, sizeof(*d) + h + t);

	*d = (struct ev_data){.h = {.size = (uint32_t)sizeof(*d) + h + t, .type = EV_DATA}, .cookie = 7, .seq = seq, .len = len, .head = h,
			      .tail = t, .dir = dir};
	memcpy(d->payload, head, h);
	memcpy(d->payload + h, tail, t);
	capture_writer_take(writer, &d->h, 2);
	free(d);
}

Test(capture_writer, a_connection)
{
	char comment[256];
	struct capture_packet p;

	tell(CONN_ESTABLISHED, ROLE_CLIENT);
	data(DIR_OUT, 1000, 5, "hello", "");
	data(DIR_IN, 9000, 5, "world", "");
	tell(CONN_CLOSE, ROLE_CLIENT);
	cr_assert_eq(packets(), 5);
	p = packet(0, comment);
	cr_assert_eq(p.flags, TCP_SYN);
	cr_assert_eq(p.seq, 999);
	p = packet(1, comment);
	cr_assert_eq(p.seq, 1000);
	cr_assert_eq(p.sport, 40000);
	cr_assert_eq(p.saddr[15], 1);
	cr_assert_arr_eq(p.payload, "hello", 5);
	cr_assert_str_eq(comment, "process=node pid=812 service=shop side=sender");
	p = packet(2, comment);
	cr_assert_eq(p.seq, 9000);
	cr_assert_eq(p.sport, 80);
	cr_assert_str_eq(comment, "process=node pid=812 service=shop side=receiver");
	p = packet(3, comment);
	cr_assert_eq(p.flags, TCP_FIN);
	cr_assert_eq(p.seq, 1005);
	p = packet(4, comment);
	cr_assert_eq(p.seq, 9005);
}

Test(capture_writer, the_server_speaks_first)
{
	char comment[256];

	tell(CONN_ESTABLISHED, ROLE_CLIENT);
	data(DIR_IN, 9000, 5, "hello", "");
	cr_assert_eq(packets(), 2);
	cr_assert_eq(packet(0, comment).flags, TCP_SYN | TCP_ACK);
	cr_assert_eq(packet(0, comment).sport, 80);
}

Test(capture_writer, one_from_before_has_no_beginning)
{
	char comment[256];

	tell(CONN_EXISTING, ROLE_CLIENT);
	data(DIR_OUT, 1000, 5, "hello", "");
	cr_assert_eq(packets(), 1);
	cr_assert_eq(packet(0, comment).len, 5);
}

Test(capture_writer, heads_and_tails)
{
	char comment[256];
	struct capture_packet p;

	tell(CONN_EXISTING, ROLE_CLIENT);
	data(DIR_OUT, 1000, 100000, "head", "tail");
	p = packet(0, comment);
	cr_assert_eq(p.len, 100000 - 4);
	cr_assert_eq(p.cap, 4);
	p = packet(1, comment);
	cr_assert_eq(p.seq, 1000 + 100000 - 4);
	cr_assert_eq(p.len, 4);
	cr_assert_arr_eq(p.payload, "tail", 4);
}

Test(capture_writer, a_reset_has_no_fin)
{
	char comment[256];

	tell(CONN_EXISTING, ROLE_CLIENT);
	data(DIR_OUT, 1000, 5, "hello", "");
	tell(CONN_RESET_RECV, ROLE_CLIENT);
	tell(CONN_CLOSE, ROLE_CLIENT);
	cr_assert_eq(packets(), 2);
	cr_assert_eq(packet(1, comment).flags, TCP_RST);
	cr_assert_eq(packet(1, comment).sport, 80);
}

Test(capture_writer, unknown_connections_are_counted)
{
	data(DIR_OUT, 1000, 5, "hello", "");
	cr_assert_eq(packets(), 0);
	cr_assert_eq(capture_writer_lost(writer), 1);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/packet_make.h"

#include <stdbool.h>
#include <string.h>

#define IPV4_HEADER 20u
#define IPV6_HEADER 40u
#define TCP_HEADER 20u
#define UDP_HEADER 8u
#define TTL 64
#define DONT_FRAGMENT 0x40
#define WINDOW 0xffff

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum { OPTION_END = 0, OPTION_COMMENT = 1, OPTION_NAME = 2, OPTION_USERAPPL = 4, OPTION_TSRESOL = 9 };
#define LINKTYPE_RAW 101

static void put_be16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put_be32(uint8_t *p, uint32_t v)
{
	put_be16(p, v >> 16);
	put_be16(p + 2, v);
}

/* RFC 1071 */
static uint16_t checksum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return (uint16_t)~sum;
}

/* What does not fit the field is written as 0, as of a packet that the network card is to cut. */
static uint32_t field(uint32_t n)
{
	return n <= UINT16_MAX ? n : 0;
}

static size_t make_ipv4(uint8_t *to, const struct packet_ends *e, uint8_t protocol, uint16_t id, uint32_t len)
{
	memset(to, 0, IPV4_HEADER);
	to[0] = 0x45;
	put_be16(to + 2, field(IPV4_HEADER + len));
	put_be16(to + 4, id);
	to[6] = DONT_FRAGMENT;
	to[8] = TTL;
	to[9] = protocol;
	memcpy(to + 12, e->saddr + 12, 4);
	memcpy(to + 16, e->daddr + 12, 4);
	put_be16(to + 10, checksum(to, IPV4_HEADER));
	return IPV4_HEADER;
}

static size_t make_ipv6(uint8_t *to, const struct packet_ends *e, uint8_t protocol, uint32_t len)
{
	memset(to, 0, IPV6_HEADER);
	to[0] = 0x60;
	put_be16(to + 4, field(len));
	to[6] = protocol;
	to[7] = TTL;
	memcpy(to + 8, e->saddr, 16);
	memcpy(to + 24, e->daddr, 16);
	return IPV6_HEADER;
}

static bool is_mapped(const uint8_t ip[16])
{
	return !memcmp(ip, "\0\0\0\0\0\0\0\0\0\0\377\377", 12);
}

static size_t make_ip(uint8_t *to, const struct packet_ends *e, uint8_t protocol, uint16_t id, uint32_t len)
{
	return is_mapped(e->saddr) && is_mapped(e->daddr) ? make_ipv4(to, e, protocol, id, len) : make_ipv6(to, e, protocol, len);
}

size_t packet_make_tcp(uint8_t to[PACKET_HEADERS_MAX], const struct packet_ends *e, uint32_t seq, uint32_t ack, uint8_t flags, uint32_t len)
{
	/* the same of what is told of twice, so that a reader knows a copy */
	size_t n = make_ip(to, e, 6, (uint16_t)(seq | 1), TCP_HEADER + len);
	uint8_t *h = to + n;

	memset(h, 0, TCP_HEADER);
	put_be16(h, e->sport);
	put_be16(h + 2, e->dport);
	put_be32(h + 4, seq);
	put_be32(h + 8, ack);
	h[12] = TCP_HEADER / 4 << 4;
	h[13] = flags;
	put_be16(h + 14, WINDOW);
	return n + TCP_HEADER;
}

size_t packet_make_udp(uint8_t to[PACKET_HEADERS_MAX], const struct packet_ends *e, uint16_t id, uint32_t len)
{
	size_t n = make_ip(to, e, 17, id, UDP_HEADER + len);
	uint8_t *h = to + n;

	put_be16(h, e->sport);
	put_be16(h + 2, e->dport);
	put_be16(h + 4, field(UDP_HEADER + len));
	put_be16(h + 6, 0);
	return n + UDP_HEADER;
}

/* ---- blocks: in this machine's byte order, which the section's magic number tells ---- */

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, 4);
	return p + 4;
}

static uint8_t *put16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, 2);
	return p + 2;
}

static uint8_t *put_padded(uint8_t *p, const void *from, size_t n)
{
	if (n)
		memcpy(p, from, n);
	for (p += n; n % 4; n++)
		*p++ = 0;
	return p;
}

static uint8_t *put_option(uint8_t *p, uint16_t code, const void *value, size_t n)
{
	return put_padded(put16(put16(p, code), (uint16_t)n), value, n);
}

static uint8_t *block_begin(uint8_t *p, uint32_t type)
{
	return put32(p, type) + 4;
}

static uint8_t *block_end(uint8_t *begin, uint8_t *p)
{
	uint32_t n = (uint32_t)(p - begin) + 4;

	put32(begin + 4, n);
	return put32(p, n);
}

size_t pcapng_begin(uint8_t to[PCAPNG_BEGIN_MAX], const char *program)
{
	static const uint8_t ns = 9;
	size_t n = strnlen(program, 64);
	uint8_t *p = block_begin(to, BLOCK_SECTION), *interface;

	p = put32(p, 0x1a2b3c4d);
	p = put16(put16(p, 1), 0);
	p = put32(put32(p, UINT32_MAX), UINT32_MAX);    /* the length of the section is not known */
	p = put_option(p, OPTION_USERAPPL, program, n);
	interface = block_end(to, put_option(p, OPTION_END, NULL, 0));
	p = block_begin(interface, BLOCK_INTERFACE);
	p = put32(put16(put16(p, LINKTYPE_RAW), 0), 0);
	p = put_option(p, OPTION_NAME, "rootle", 6);
	p = put_option(p, OPTION_TSRESOL, &ns, 1);
	p = block_end(interface, put_option(p, OPTION_END, NULL, 0));
	return (size_t)(p - to);
}

size_t pcapng_packet(uint8_t *to, const struct pcapng_packet *k)
{
	size_t comment = k->comment ? strnlen(k->comment, PCAPNG_COMMENT_MAX) : 0;
	uint8_t *p = block_begin(to, BLOCK_PACKET), *data;

	p = put32(p, 0);
	p = put32(put32(p, (uint32_t)(k->unix_ns >> 32)), (uint32_t)k->unix_ns);
	data = put32(put32(p, (uint32_t)k->header_n + k->cap), (uint32_t)k->header_n + k->len);
	memcpy(data, k->header, k->header_n);
	if (k->cap)
		memcpy(data + k->header_n, k->payload, k->cap);
	p = data + k->header_n + k->cap;
	while ((p - data) % 4)
		*p++ = 0;
	if (comment) {
		p = put_option(p, OPTION_COMMENT, k->comment, comment);
		p = put_option(p, OPTION_END, NULL, 0);
	}
	return (size_t)(block_end(to, p) - to);
}

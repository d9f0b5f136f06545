/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_make: the headers that a segment or datagram would have had, and the blocks of a pcapng file
 * (draft-ietf-opsawg-pcapng) around it.  Pure; writes into the caller's buffer.
 */
#ifndef ROOTLE_COLLECT_PACKET_MAKE_H
#define ROOTLE_COLLECT_PACKET_MAKE_H

#include <stddef.h>
#include <stdint.h>

#define PACKET_HEADERS_MAX 60u          /* IPv6 and TCP */
#define PCAPNG_BEGIN_MAX 256u
#define PCAPNG_COMMENT_MAX 255u
#define PCAPNG_AROUND_MAX (PACKET_HEADERS_MAX + PCAPNG_COMMENT_MAX + 64u)       /* of a block without its payload */

struct packet_ends {
	uint8_t saddr[16], daddr[16];   /* IPv4 as ::ffff:a.b.c.d */
	uint16_t sport, dport;
};

/* IP and TCP for len bytes of payload; bytes written to `to`. The checksum of TCP is 0: its payload need not be there. */
size_t packet_make_tcp(uint8_t to[PACKET_HEADERS_MAX], const struct packet_ends *e, uint32_t seq, uint32_t ack, uint8_t flags, uint32_t len);
/* IP and UDP, likewise. */
size_t packet_make_udp(uint8_t to[PACKET_HEADERS_MAX], const struct packet_ends *e, uint16_t id, uint32_t len);

struct pcapng_packet {
	uint64_t unix_ns;
	uint8_t header[PACKET_HEADERS_MAX];
	size_t header_n;
	const uint8_t *payload;
	uint32_t cap, len;              /* of the payload: bytes that are there, and that there were */
	const char *comment;            /* UTF-8, cut at PCAPNG_COMMENT_MAX; NULL: none */
};

/* What a file begins with: a section, written by `program`, with one interface of raw IP packets and times in ns. */
size_t pcapng_begin(uint8_t to[PCAPNG_BEGIN_MAX], const char *program);
/* A packet; `to` has room for PCAPNG_AROUND_MAX + p->cap bytes. */
size_t pcapng_packet(uint8_t *to, const struct pcapng_packet *p);

#endif

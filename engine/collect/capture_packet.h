/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture_packet: a packet of a capture file → addresses, ports, TCP header, payload.  Pure; reads nothing outside of the bytes that
 * were captured.
 *
 * Link layers: Ethernet with VLANs (802.1Q, 802.1ad), PPPoE and MPLS, Linux cooked 1 and 2, raw IP, BSD loopback, PPP.  Inside of
 * VXLAN, Geneve, GTP-U, GRE (with Ethernet and ERSPAN I, II), IP in IP it is the inner packet that counts, eight tunnels deep.
 * IPv4 (RFC 791) with options and fragments, IPv6 (RFC 8200) with extension headers and fragments, TCP (RFC 9293), UDP (RFC 768).
 *
 * Departures: checksums are not looked at (a host that captures its own packets has the network card make them); what the link
 * layer pads is cut off by the length of IP, unless that is 0, as of what the card is to cut (TSO).
 */
#ifndef ROOTLE_COLLECT_CAPTURE_PACKET_H
#define ROOTLE_COLLECT_CAPTURE_PACKET_H

#include <stdbool.h>
#include <stdint.h>

struct fragments;

enum {                          /* capture_packet.flags, as in the header */
	TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16,
};

struct capture_packet {
	uint8_t saddr[16], daddr[16];   /* IPv4 as ::ffff:a.b.c.d */
	uint16_t sport, dport;          /* host order */
	uint8_t l4;                     /* L4_TCP, L4_UDP */
	uint8_t flags;
	uint16_t window;                /* as in the header: unscaled */
	uint32_t seq, ack;
	const uint8_t *payload;
	uint32_t cap, len;              /* bytes of the payload that were captured, and that were sent; cap <= len */
	uint64_t print;                 /* the same for copies of one packet that were captured at several places */
	bool numbered;                  /* the IP header has an identification, so that print tells a copy from a repetition */
};

/* Is this link type (LINKTYPE_*, DLT_*) one that can be decoded? */
bool capture_link_known(int link);

/* cap bytes at p of a packet of len bytes. 1 and *ret (which points into p, or into a datagram put together in f, until the next
 * call); 0: something else, or a fragment whose others are missing; -1: cut short or broken within its headers.
 * f may be NULL: then later fragments are left out. */
int capture_packet_parse(int link, const uint8_t *p, uint32_t cap, uint32_t len, struct fragments *f, uint64_t ts_ns,
			 struct capture_packet *ret);

#endif

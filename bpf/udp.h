/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * udp: where the payload of a datagram is, between whom it went, and what it looks like.  Pure: the kernel side and the host tests
 * compile the same text.  PACKET_LOAD is as in packet.h.
 *
 * Only DNS is of interest as bytes.  Everything else is counted by socket and peer in the kernel (struct udp_count), so that a
 * flood of datagrams, or QUIC at full speed, costs one look into a table each.
 */
#ifndef ROOTLE_BPF_UDP_H
#define ROOTLE_BPF_UDP_H

#include "packet.h"

#define UDP_HEAD 12u            /* bytes of the payload that are looked at: a DNS header */
#define UDP_COPY 1232u          /* of DNS: what fits an IPv6 packet of the least MTU, the usual EDNS size */

struct udp_packet {
	__u8 saddr[16], daddr[16];      /* IPv4 as ::ffff:a.b.c.d */
	__u16 sport, dport;             /* host order */
	__u32 offset, len;              /* of the payload, from the IP header */
	__u8 head[UDP_HEAD];            /* zero behind the payload's end */
};

/* A socket and one of its peers, and what passed between them since it was entered. The table is `udp_counts`. */
#define UDP_COUNTS_MAX 8192u

struct udp_key {
	__u64 cookie;
	__u8 laddr[16], raddr[16];
	__u16 lport, rport;
	__u32 pad;
};
_Static_assert(sizeof(struct udp_key) == 48, "udp_key");

struct udp_count {
	__u64 bytes[2];                 /* by DIR_OUT, DIR_IN */
	__u64 last_ns;
	__u32 packets[2];
	__u32 tgid, netns;              /* 0 unknown */
	__u8 first;                     /* direction of the first datagram */
	__u8 quic;
	__u8 pad[6];
};
_Static_assert(sizeof(struct udp_count) == 48, "udp_count");

PACKET_INLINE void udp_mapped(__u8 to[16], const __u8 from[4])
{
	__builtin_memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	__builtin_memcpy(to + 12, from, 4);
}

/* Behind the extension headers: the offset of the UDP header, or 0 where there is none. */
PACKET_INLINE __u32 packet_ipv6_udp(void *ctx, __u8 next)
{
	__u32 offset = 40;
	__u8 ext[2];

	for (int i = 0; i < PACKET_EXT_MAX; i++) {
		if (next == 17)
			return offset;
		if (next != 0 && next != 43 && next != 51 && next != 60)
			return 0;
		if (PACKET_LOAD(ctx, offset, ext, 2) < 0)
			return 0;
		offset += next == 51 ? (ext[1] + 2u) * 4 : (ext[1] + 1u) * 8;
		next = ext[0];
	}
	return next == 17 ? offset : 0;
}

/* The addresses, and the offset of the UDP header; 0: something else, or a fragment without ports. */
PACKET_INLINE __u32 udp_addresses(void *ctx, __u32 total, struct udp_packet *ret)
{
	__u8 ip[40];

	if (total < 28 || PACKET_LOAD(ctx, 0, ip, 20) < 0)
		return 0;
	if (ip[0] >> 4 == 4) {
		if (ip[9] != 17 || (ip[6] & 0x1f) || ip[7] || (ip[0] & 15) < 5)
			return 0;
		udp_mapped(ret->saddr, ip + 12);
		udp_mapped(ret->daddr, ip + 16);
		return (__u32)(ip[0] & 15) * 4;
	}
	if (ip[0] >> 4 != 6 || total < 48 || PACKET_LOAD(ctx, 20, ip + 20, 20) < 0)
		return 0;
	__builtin_memcpy(ret->saddr, ip + 8, 16);
	__builtin_memcpy(ret->daddr, ip + 24, 16);
	return packet_ipv6_udp(ctx, ip[6]);
}

/* total: bytes of the packet from the IP header on. 1 and *ret for a datagram, 0 for anything else. The length is the packet's, for
 * one that is to be cut into many (UDP_SEGMENT) has but one header. */
PACKET_INLINE int udp_parse(void *ctx, __u32 total, struct udp_packet *ret)
{
	__u32 offset = udp_addresses(ctx, total, ret);
	__u8 h[8];

	if (!offset || offset + 8 > total || PACKET_LOAD(ctx, offset, h, 8) < 0)
		return 0;
	ret->sport = packet_be16(h);
	ret->dport = packet_be16(h + 2);
	ret->offset = offset + 8;
	ret->len = total - ret->offset;
	__builtin_memset(ret->head, 0, UDP_HEAD);
	if (ret->len >= UDP_HEAD)
		return PACKET_LOAD(ctx, ret->offset, ret->head, UDP_HEAD) == 0;
	return !ret->len || PACKET_LOAD(ctx, ret->offset, ret->head, 1) == 0;
}

/* RFC 1035, 4.1.1. At its own port whatever can be a header; elsewhere what is unmistakable: one question and no more answers than
 * a message holds. Multicast DNS (5353), LLMNR (5355) have the format, and no answers that belong to a question. */
PACKET_INLINE int udp_is_dns(const struct udp_packet *p)
{
	const __u8 *h = p->head;

	if (p->len < UDP_HEAD || h[3] & 0x40)
		return 0;
	if (p->sport == 53 || p->dport == 53)
		return 1;
	if (p->sport == 5353 || p->dport == 5353 || p->sport == 5355 || p->dport == 5355)
		return 0;
	if (h[4] || h[5] != 1 || h[6] || h[8] || h[10] || h[2] & 0x78 || p->len > 4096)
		return 0;
	if (h[2] & 0x80)
		return h[7] <= 64 && h[9] <= 32 && h[11] <= 32 && (h[3] & 15) <= 5;
	return !h[7] && !h[9] && h[11] <= 2 && !(h[3] & 0x8f);
}

/* RFC 9000, 17.2: a long header and a version of it (RFC 9369, the drafts; not 0, which negotiates one: zeros are in any protocol); at
 * port 443 a short header will do. */
PACKET_INLINE int udp_is_quic(const struct udp_packet *p)
{
	__u32 version = packet_be32(p->head + 1);

	if (p->head[0] & 0x80)
		return p->len > 20 && (version == 1 || version == 0x6b3343cf || version >> 8 == 0xff0000);
	return (p->head[0] & 0x40) && p->len > 20 && (p->sport == 443 || p->dport == 443);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * packet: where the payload of a TCP segment is.  Pure: the kernel side and the host tests compile the same text.  The
 * including file defines first
 *	PACKET_LOAD(ctx, offset, to, n)    copies n bytes at offset from the IP header; 0 or negative
 * RFC 791 (options), 8200 (extension headers), 9293 (data offset).  Fragments are not looked at: TCP does not make them
 * and a later fragment has no ports.
 */
#ifndef ROOTLE_BPF_PACKET_H
#define ROOTLE_BPF_PACKET_H

#include "event.h"
#include "sample.h"

#define PACKET_INLINE static inline __attribute__((always_inline))
#define PACKET_EXT_MAX 6        /* extension headers followed; more is nobody's honest packet */

struct packet {
	__u32 offset;           /* of the payload from the IP header */
	__u32 len;              /* payload bytes */
	__u32 seq;              /* host order */
	__u16 window;           /* as in the header: unscaled */
	__u32 pair;             /* sample_pair() of its addresses and ports */
	__u8 flags;             /* TCP's: 1 FIN, 2 SYN, 4 RST, 16 ACK */
};

PACKET_INLINE __u32 packet_be32(const __u8 *p)
{
	return (__u32)p[0] << 24 | (__u32)p[1] << 16 | (__u32)p[2] << 8 | p[3];
}

PACKET_INLINE __u16 packet_be16(const __u8 *p)
{
	return (__u16)(p[0] << 8 | p[1]);
}

/* Both addresses, xor-ed, of an IP header of 40 bytes; by words, for the kernel side's stack is small. */
PACKET_INLINE __u32 packet_addresses(const __u32 *ip, int v6)
{
	__u32 a = ip[3] ^ ip[4];

	if (v6)
		a ^= ip[2] ^ ip[5] ^ ip[6] ^ ip[7] ^ ip[8] ^ ip[9];
	return packet_be32((const __u8 *)&a);
}

/* tcp: the 20 bytes of the fixed header, which begins at `offset` of a packet of `total` bytes; addresses: both, xor-ed */
PACKET_INLINE int packet_tcp(const __u8 *tcp, __u32 addresses, __u32 offset, __u32 total, struct packet *ret)
{
	__u32 data = (__u32)(tcp[12] >> 4) * 4;

	if (data < 20 || offset + data > total)
		return 0;
	ret->offset = offset + data;
	ret->len = total - ret->offset;
	ret->seq = packet_be32(tcp + 4) + ((tcp[13] >> 1) & 1);
	ret->pair = sample_pair(addresses, 0, packet_be16(tcp), packet_be16(tcp + 2));
	ret->flags = tcp[13];
	ret->window = (__u16)(tcp[14] << 8 | tcp[15]);
	return 1;
}

/* The payload of a segment with its headers in memory from ip to end, IPv4 without options or IPv6 without extension headers, as
 * the kernel's own are: 1 and one past its last byte; 0 where it has none. No copying, for it is for segments of which nothing
 * else is wanted. */
PACKET_INLINE int packet_arrival(const __u8 *ip, const __u8 *end, __u32 total, __u32 *ret)
{
	__u32 head;
	const __u8 *tcp;

	if (ip + 40 > end)
		return 0;
	if (ip[0] == 0x45) {
		if (ip[9] != 6)
			return 0;
		tcp = ip + 20;
		head = 20;
	} else {
		if (ip[0] >> 4 != 6 || ip[6] != 6 || ip + 60 > end)
			return 0;
		tcp = ip + 40;
		head = 40;
	}
	head += (__u32)(tcp[12] >> 4) * 4;
	if (total <= head)
		return 0;
	*ret = packet_be32(tcp + 4) + ((tcp[13] >> 1) & 1) + total - head;
	return 1;
}

/* Behind the extension headers: the offset of the TCP header, or 0 where there is none. */
PACKET_INLINE __u32 packet_ipv6_tcp(void *ctx, __u8 next)
{
	__u32 offset = 40;
	__u8 ext[2];

	for (int i = 0; i < PACKET_EXT_MAX; i++) {
		if (next == 6)
			return offset;
		/* hop-by-hop, routing, authentication, destination options */
		if (next != 0 && next != 43 && next != 51 && next != 60)
			return 0;
		if (PACKET_LOAD(ctx, offset, ext, 2) < 0)
			return 0;
		offset += next == 51 ? (ext[1] + 2u) * 4 : (ext[1] + 1u) * 8;
		next = ext[0];
	}
	return next == 6 ? offset : 0;
}

/* total: bytes of the packet from the IP header on. 1 and *ret for a TCP segment (its len may be 0), 0 for anything else,
 * -1 where its headers could not be loaded. One load does for IPv4 without options, which is nearly every packet. */
PACKET_INLINE int packet_parse(void *ctx, __u32 total, struct packet *ret)
{
	__u8 ip[40] __attribute__((aligned(4)));
	__u32 offset, addresses;

	if (total < 40)
		return 0;
	if (PACKET_LOAD(ctx, 0, ip, 40) < 0)
		return -1;
	if (ip[0] >> 4 == 4) {
		if (ip[9] != 6 || (ip[6] & 0x3f) || ip[7])
			return 0;
		addresses = packet_addresses((const __u32 *)ip, 0);
		if (ip[0] == 0x45)
			return packet_tcp(ip + 20, addresses, 20, total, ret);
		offset = (__u32)(ip[0] & 15) * 4;
		if (offset < 20)
			return 0;
	} else if (ip[0] >> 4 == 6) {
		addresses = packet_addresses((const __u32 *)ip, 1);
		offset = packet_ipv6_tcp(ctx, ip[6]);
		if (!offset)
			return 0;
	} else {
		return 0;
	}
	if (offset + 20 > total)
		return 0;
	if (PACKET_LOAD(ctx, offset, ip, 20) < 0)
		return -1;
	return packet_tcp(ip, addresses, offset, total, ret);
}

#endif

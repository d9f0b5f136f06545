/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sample: which connections are read where the budget does not allow all.  Pure: the kernel side, user space and the host
 * tests compile the same text.
 *
 * Whole connections, by a hash of both addresses and ports that is the same for either end and on every hook: on loopback
 * each end reports what it sends, and a request without its response is worth nothing.  A connection is read at shift s where the
 * top s bits of its hash are 0, so those of s + 1 are among those of s: what is read stays read while the level rises,
 * until its turn comes.
 *
 * Why weights keep rates right: at shift s a connection is read with probability 2^-s, and a request on it counts
 * 2^s.  A request that the level changes under is seen to both ends only where its connection is read at the larger of
 * the two shifts, so it counts with that one.  Either way its expected count is 1.
 */
#ifndef ROOTLE_BPF_SAMPLE_H
#define ROOTLE_BPF_SAMPLE_H

#include "event.h"

#define SAMPLE_SHIFT_MAX 16u

/* The word that user space sets and every program reads: all there is to the level in force. */
#define LIMIT_SHIFT(limits) ((limits) & 0xffu)
#define LIMIT_SMALL_HEADS 0x100u

/* saddr, daddr: an IPv4 address, or the four words of an IPv6 one xor-ed (an IPv4 one in IPv6 form is then the same but for
 * 0xffff on both sides, which cancels out). Any byte order, the same for both. */
static inline __attribute__((always_inline)) __u32 sample_pair(__u32 saddr, __u32 daddr, __u16 sport, __u16 dport)
{
	return (saddr ^ daddr) ^ (__u32)(__u16)(sport ^ dport) * 0x10001u;
}

/* Of a UNIX stream: its two sockets' cookies, which the model has as addresses. */
static inline __attribute__((always_inline)) __u32 sample_cookies(__u64 a, __u64 b)
{
	a ^= b;
	return (__u32)a ^ (__u32)(a >> 32);
}

static inline __attribute__((always_inline)) __u32 sample_hash(__u32 pair)
{
	pair ^= pair >> 16;             /* Steele and Vigna, the 32-bit finalizer of SplitMix: every bit of the input */
	pair *= 0x21f0aaadu;            /* reaches the top ones */
	pair ^= pair >> 15;
	pair *= 0xd35a2d97u;
	return pair ^ pair >> 15;
}

/* Is this connection one of those that are read? */
static inline __attribute__((always_inline)) int sample_takes(__u32 pair, __u32 shift)
{
	if (!shift)
		return 1;
	if (shift > SAMPLE_SHIFT_MAX)
		shift = SAMPLE_SHIFT_MAX;
	return sample_hash(pair) >> (32 - shift) == 0;
}

#endif

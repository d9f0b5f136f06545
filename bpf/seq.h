/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * seq: arithmetic of TCP sequence numbers (RFC 9293, 3.4).  Pure: the kernel side and the host tests compile the same text.
 */
#ifndef ROOTLE_BPF_SEQ_H
#define ROOTLE_BPF_SEQ_H

#include "event.h"

/* a - b in sequence space: negative where a lies before b, also across the wrap at 2^32 */
static inline __attribute__((always_inline)) __s32 seq_diff(__u32 a, __u32 b)
{
	return (__s32)(a - b);
}

#endif

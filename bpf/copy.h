/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * copy: how many bytes of a segment's payload are taken.  Pure: the kernel side and the host tests compile the same text.
 *
 * Up to COPY_HEAD bytes a segment is taken whole.  Of a larger one the head is (request or status line, headers, the
 * first rows) and the last COPY_TAIL bytes (PostgreSQL's ReadyForQuery, the end of a chunked body), unless the wish for
 * this connection, or its credit, says to take all of it: a pipeline of 1000 Redis commands can only be counted whole.
 *
 * Who reads the ring looks at it 20 times a second when there is little, and a connection can send megabytes until it is
 * known what they are.  So the first credit is large, and whoever has used a quarter of it wakes the reader.
 */
#ifndef ROOTLE_BPF_COPY_H
#define ROOTLE_BPF_COPY_H

#include "event.h"

#define COPY_HEAD_SMALL 1024u           /* for WISH_HEADS, and where the budget is short */
#define COPY_TAIL 64u
#define COPY_PIECE 32768u               /* of a segment above 64 KB (head is 16 bits wide): records of this size, */
#define COPY_PIECES 8u                  /* at most */
#define COPY_WHOLE_MAX (COPY_PIECE * COPY_PIECES)
#define COPY_FIRST (1u << 20)           /* bytes of large segments taken whole, per socket and direction: at first, */
#define COPY_CREDIT (256u << 10)        /* and later, */
#define COPY_REFILL_NS 1000000000ull    /* time after which an empty credit is full again */
#define COPY_ASK (COPY_FIRST * 3 / 4)   /* of the first credit, where user space is woken to say what it wishes */

/* One word a slot, so that user space's store is atomic: cookie << 2 | wish. */
#define WISH_SLOT(cookie, slots) ((__u32)(cookie) & ((slots) - 1))        /* slots: a power of two */
#define WISH_WORD(cookie, wish) ((cookie) << 2 | (wish))

struct copy_credit {
	__u64 since_ns;         /* last refill */
	__u32 left;
	__u32 pad;
};

struct copy_plan { __u32 head, tail, wake; };   /* wake: 0 or 1 */

/* n - 1 in a way that the compiler does not see through.  Verifiers before 6.8 learn nothing from a comparison with 0: that a
 * length is 1 to cap they follow from this one's being below cap, if it is used right behind the comparison. */
static inline __attribute__((always_inline)) __u64 less_one(__u32 n)
{
	__u64 m = (__u64)n - 1;

	asm volatile("" : "+r"(m));
	return m;
}

static inline __attribute__((always_inline)) __u32 wish_of(__u64 word, __u64 cookie)
{
	return word >> 2 == cookie ? (__u32)word & 3 : WISH_AUTO;
}

/* Takes len bytes off the credit; 0 where it does not reach. */
static inline __attribute__((always_inline)) int copy_credit_take(struct copy_credit *c, __u32 len, __u64 now_ns, __u32 *wake)
{
	if (c->left < len && now_ns - c->since_ns >= COPY_REFILL_NS) {
		c->left = c->since_ns ? COPY_CREDIT : COPY_FIRST;
		c->since_ns = now_ns;
	}
	if (c->left < len)
		return 0;
	*wake = c->left > COPY_ASK && c->left - len <= COPY_ASK;
	c->left -= len;
	return 1;
}

/* For a wish other than WISH_NONE. small: the budget is short; what is wished for whole stays whole, for half a pipeline counts
 * nothing. */
static inline __attribute__((always_inline)) struct copy_plan copy_plan(__u32 len, __u32 wish, __u32 small,
                                                                        struct copy_credit *c, __u64 now_ns)
{
	__u32 limit;
	struct copy_plan p = { len, 0, 0 };

	if (small && wish == WISH_AUTO)
		wish = WISH_HEADS;
	limit = wish == WISH_HEADS ? COPY_HEAD_SMALL : COPY_HEAD;
	if (len <= limit)
		return p;
	if (wish != WISH_HEADS && len <= COPY_WHOLE_MAX && (wish == WISH_WHOLE || copy_credit_take(c, len, now_ns, &p.wake)))
		return p;
	p.head = limit;
	p.tail = len - limit < COPY_TAIL ? len - limit : COPY_TAIL;
	return p;
}

/* The ring buffer reserves constant sizes only: payload capacities, ascending, close together where the load is, for
 * what is reserved and not used shortens the time that the ring buffer bridges. COPY_CLASS(x) for each. */
#define COPY_CLASSES(COPY_CLASS) \
	COPY_CLASS(64) COPY_CLASS(128) COPY_CLASS(256) COPY_CLASS(512) COPY_CLASS(768) COPY_CLASS(1152) COPY_CLASS(2048) \
	COPY_CLASS(4160) COPY_CLASS(16384) COPY_CLASS(32768) COPY_CLASS(65535)

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * window: closed windows and queues of a TCP socket.  Pure: the kernel side and the host tests compile the same text.
 * RFC 9293, 3.8.6 (window management; a closed window is probed, not written into).
 */
#ifndef ROOTLE_BPF_WINDOW_H
#define ROOTLE_BPF_WINDOW_H

#include "event.h"

#define WINDOW_INLINE static inline __attribute__((always_inline))

#define TCP_FLAG_SYN 2
#define TCP_FLAG_RST 4
#define TCP_FLAG_ACK 16

/* The window that one end of a connection offers, as the segments that it sends say. */
struct zero_window {
	__u64 since_ns;         /* closed since; 0: open */
	__u64 total_ns;         /* was closed, without the time since since_ns */
	__u32 count;            /* times it closed */
	__u32 pad;
};

/* A segment with this window field (unscaled) and these flags closes the window. A SYN's field says nothing yet, an RST's
 * never does. */
WINDOW_INLINE int window_is_closed(__u16 field, __u8 flags)
{
	return !field && (flags & (TCP_FLAG_SYN | TCP_FLAG_RST | TCP_FLAG_ACK)) == TCP_FLAG_ACK;
}

/* A segment of the end passed. 1 where the window was open before it and is closed now. */
WINDOW_INLINE int window_note(struct zero_window *w, int closed, __u64 now_ns)
{
	if (closed) {
		if (w->since_ns)
			return 0;
		w->since_ns = now_ns;
		w->count++;
		return 1;
	}
	if (w->since_ns) {
		w->total_ns += now_ns > w->since_ns ? now_ns - w->since_ns : 0;
		w->since_ns = 0;
	}
	return 0;
}

enum {                          /* include/net/tcp_states.h; those in which a FIN counts as a byte */
	WINDOW_FIN_WAIT1 = 4, WINDOW_FIN_WAIT2 = 5, WINDOW_CLOSE_WAIT = 8, WINDOW_LAST_ACK = 9, WINDOW_CLOSING = 11,
	WINDOW_SYN_SENT = 2, WINDOW_SYN_RECV = 3,
};

/* Has the peer's FIN arrived? */
WINDOW_INLINE int fin_received(__u8 state)
{
	return state == WINDOW_CLOSE_WAIT || state == WINDOW_LAST_ACK || state == WINDOW_CLOSING;
}

/* Bytes from one sequence number to another. SYN and FIN take a number each and are no bytes; fin: the range ends with one. */
WINDOW_INLINE __u32 queue_bytes(__u32 end, __u32 begin, __u8 state, int fin)
{
	__s32 n = (__s32)(end - begin) - (fin ? 1 : 0);

	return state == WINDOW_SYN_SENT || state == WINDOW_SYN_RECV || n < 0 ? 0 : (__u32)n;
}

/* Bytes written and not yet acknowledged, sent or not. */
WINDOW_INLINE __u32 queue_unacked(__u32 write_seq, __u32 snd_una, __u8 state)
{
	return queue_bytes(write_seq, snd_una, state,
			   state == WINDOW_FIN_WAIT1 || state == WINDOW_LAST_ACK || state == WINDOW_CLOSING);
}

/* Payload acknowledged by the peer, of the kernel's count, to which an active opener's SYN and a FIN add one each. */
WINDOW_INLINE __u64 bytes_acked(__u64 counted, __u8 role, __u8 state)
{
	__u64 more = (role == ROLE_CLIENT) + (state == WINDOW_FIN_WAIT2);

	return counted > more ? counted - more : 0;
}

/* Payload received, of the kernel's count, to which the peer's FIN adds one. */
WINDOW_INLINE __u64 bytes_received(__u64 counted, __u8 state)
{
	return counted && fin_received(state) ? counted - 1 : counted;
}

/* Bytes that have arrived and were not read. An end of file that was not read is no byte. */
WINDOW_INLINE __u32 queue_unread(__u32 rcv_nxt, __u32 copied_seq, __u8 state)
{
	return queue_bytes(rcv_nxt, copied_seq, state, fin_received(state));
}

#endif

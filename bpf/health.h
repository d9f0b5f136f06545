/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * health: closed windows, which no counter of the kernel tells of a socket, and the filling of struct ev_health.
 *
 * Only sockets whose window was ever closed have a place in zero_windows.  Whether any window is closed now is one word, so
 * that a segment on a healthy node costs the comparison of its window field and of this word.  Where states are not kept with
 * the sockets (state.h) closed windows are not looked at.
 */
#ifndef ROOTLE_BPF_HEALTH_H
#define ROOTLE_BPF_HEALTH_H

#include "conn.h"
#include "window.h"

struct zero_windows { struct zero_window by[2]; };      /* of the socket (DIR_OUT) and of its peer (DIR_IN) */

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct zero_windows);
} zero_windows __weak SEC(".maps");

/* Some window may be closed: segments that open one are looked for. 2 where one closed since a pass began; a pass that finds
 * none takes it down by one, so that one which closes behind its back is not forgotten. */
__u32 windows_closed __weak SEC(".bss") = 0;
/* Some window has been closed since we attached. */
__u32 windows_seen __weak SEC(".bss") = 0;

/* A segment of sk (DIR_OUT) or of its peer (DIR_IN). */
static __always_inline void health_window(struct bpf_sock *sk, __u8 dir, int closed, __u64 now_ns)
{
	struct zero_windows *z = bpf_sk_storage_get(&zero_windows, sk, 0, closed ? BPF_SK_STORAGE_GET_F_CREATE : 0);

	if (!z) {
		if (closed)
			count_drop(DROP_STORAGE, 1);
		return;
	}
	if (window_note(&z->by[dir & 1], closed, now_ns))
		windows_closed = windows_seen = 2;
}

static __always_inline void health_zero(struct ev_health *e, const struct zero_windows *z)
{
	for (int i = 0; i < 2; i++) {
		e->zero_since_ns[i] = z->by[i].since_ns;
		e->zero_ns[i] = z->by[i].total_ns;
		e->zero_windows[i] = z->by[i].count;
	}
}

#ifndef READS_COPY

/* e is zero but for what is filled here. */
static __always_inline void health_socket(struct ev_health *e, struct tcp_sock *tp, const struct sock_state *st, __u8 state)
{
	ev_begin(&e->h, EV_HEALTH, sizeof(*e), bpf_ktime_get_ns());
	e->what = HEALTH_SOCKET;
	e->cookie = st->cookie;
	e->srtt_us = tp->srtt_us >> 3;
	e->min_rtt_us = tp->rtt_min.s[0].v;
	if (e->min_rtt_us == ~0u)       /* not measured yet */
		e->min_rtt_us = 0;
	e->bytes_out = bytes_acked(tp->bytes_acked, st->role, state);
	e->bytes_in = bytes_received(tp->bytes_received, state);
	e->send_queue = queue_unacked(tp->write_seq, tp->snd_una, state);
	e->recv_queue = queue_unread(tp->rcv_nxt, tp->copied_seq, state);
}

/* The last word on the windows of a socket that closes, which the next pass will not find any more. */
static __always_inline void health_close(struct sock *sk, const struct sock_state *st)
{
	struct zero_windows *z;
	struct ev_health *e;
	struct tcp_sock *tp;

	if (state_in_hash || !windows_seen)
		return;
	z = bpf_sk_storage_get(&zero_windows, sk, 0, 0);
	tp = tcp_of(sk);
	if (!z || !tp)
		return;
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count_drop(DROP_RING_CONN, 1);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	health_socket(e, tp, st, ST_CLOSE);
	e->send_queue = e->recv_queue = 0;
	e->bytes_out = e->bytes_in = 0;         /* which FINs count is not known any more; CONN_CLOSE tells */
	for (int i = 0; i < 2; i++)
		window_note(&z->by[i], 0, e->h.ts_ns);
	health_zero(e, z);
	bpf_sk_storage_delete(&zero_windows, sk);       /* it may be connected again */
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

#else

static __always_inline void health_close(struct sock *sk, const struct sock_state *st) {}

#endif

#endif

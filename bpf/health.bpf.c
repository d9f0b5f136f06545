/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * health: one pass over every socket that we know, in all network namespaces, at user space's pace.  Nothing is sampled on the
 * path of a packet: the kernel counts for itself, and a stuck socket, which has no packets, is found all the same.  What did
 * not move, has nothing queued and no closed window is passed over in silence.
 */
#include "health.h"

static bool window_found;       /* in this pass, which is the only one at a time */

static __always_inline void listener_tell(struct seq_file *seq, struct sock *sk)
{
	struct ev_health e = { .what = HEALTH_LISTENER };

	ev_begin(&e.h, EV_HEALTH, sizeof(e), bpf_ktime_get_ns());
	e.cookie = sock_cookie(sk);
	e.recv_queue = sk->sk_ack_backlog;
	e.send_queue = sk->sk_max_ack_backlog;
	e.drops = sk->sk_drops.counter;
	bpf_seq_write(seq, &e, sizeof(e));
}

static __always_inline void socket_tell(struct seq_file *seq, struct sock *sk, struct sock_state *st, __u8 state)
{
	struct tcp_sock *tp = tcp_of(sk);
	struct zero_windows *z = NULL;
	struct ev_health e = {};
	bool closed = false;
	__u32 segs;

	if (!tp)
		return;
	segs = tp->segs_in + tp->segs_out;
	if (windows_closed)
		z = bpf_sk_storage_get(&zero_windows, sk, 0, 0);
	if (z)
		closed = z->by[0].since_ns || z->by[1].since_ns;
	window_found |= closed;
	if (segs == st->segs && !closed && !queue_unacked(tp->write_seq, tp->snd_una, state) &&
	    !queue_unread(tp->rcv_nxt, tp->copied_seq, state))
		return;
	st->segs = segs;
	health_socket(&e, tp, st, state);
	if (!z && windows_seen)
		z = bpf_sk_storage_get(&zero_windows, sk, 0, 0);
	if (z)
		health_zero(&e, z);
	bpf_seq_write(seq, &e, sizeof(e));
}

static __always_inline void pass_end(struct seq_file *seq)
{
	struct ev_health e = { .what = HEALTH_PASS };

	if (!window_found && windows_closed)
		windows_closed--;
	window_found = false;
	ev_begin(&e.h, EV_HEALTH, sizeof(e), bpf_ktime_get_ns());
	bpf_seq_write(seq, &e, sizeof(e));
}

SEC("iter/bpf_sk_storage_map")
int health_each(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock_state *st = ctx->value;
	struct sock *sk = ctx->sk;
	__u8 state;

	if (!sk || !st) {
		pass_end(ctx->meta->seq);
		return 0;
	}
	if (!sock_is_tcp(sk))
		return 0;
	state = sk->__sk_common.skc_state;
	if (state == ST_LISTEN) {
		if (sock_passes(sk, st))
			listener_tell(ctx->meta->seq, sk);
		return 0;
	}
	/* not told of yet, or a socket that an earlier connection has left */
	if (!st->announced || state == ST_CLOSE || !sock_passes(sk, st))
		return 0;
	socket_tell(ctx->meta->seq, sk, st, state);
	if (read_untold(sk, st)) {
		struct ev_io e;

		read_fill(&e, st, 1);
		bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

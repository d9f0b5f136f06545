/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * existing: the sockets that were there before us, read once.
 */
#include "conn.h"
#include "unix.h"

/* One end of a UNIX stream that somebody is connected to. Told of with its owner; what it says later is read then. */
static __always_inline int unix_existing(struct bpf_iter__task_file *ctx, struct task_struct *t, struct sock *sk)
{
	struct sock *peer = unix_peer(sk);
	struct unix_state *st;
	struct ev_conn e;

	if (!peer || sk->__sk_common.skc_state != ST_ESTABLISHED)
		return 0;
	st = unix_get(sk);
	if (!st || st->existed)
		return 0;
	st->existed = 1;
	if (!st->owner) {
		st->owner = t->tgid;
		st->owner_tid = t->pid;
		__builtin_memcpy(st->comm, t->comm, sizeof(st->comm));
	}
	if (!st->peer)
		unix_meet(sk, st, peer);
	if (!unix_passes(st))
		return 0;
	unix_fill(&e, st, CONN_EXISTING, 0);
	st->told_ns = e.h.ts_ns;
	bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
	return 0;
}

/* One socket of one process: what was there before us. The same socket is in several tables after fork(): told of once, with
 * the lowest process id as its owner, which is the one that made it. */
SEC("iter/task_file")
int sock_existing(struct bpf_iter__task_file *ctx)
{
	struct task_struct *t = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock_state *st, copy;
	struct ev_conn e = {};
	struct sock *sk;
	__u8 state;

	if (!t || !file || t->tgid != t->pid)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	if (sock_is_unix_stream(sk))
		return unix_existing(ctx, t, sk);
	if (!sock_is_tcp(sk) && !sock_is_udp(sk))
		return 0;
	state = sk->__sk_common.skc_state;
	/* a UDP socket is in this state until it is connected */
	if (state == ST_CLOSE && !(sock_is_udp(sk) && sk->__sk_common.skc_num))
		return 0;
	st = sock_get(sk);
	if (!st || st->session == ctx->meta->session_id)
		return 0;
	st->session = ctx->meta->session_id;
	if (!st->owner) {
		st->owner = t->tgid;
		st->owner_tid = t->pid;
		__builtin_memcpy(st->comm, t->comm, sizeof(st->comm));
	}
	if (state == ST_LISTEN)
		listener_remember(sk, st);
	copy = *st;
	copy.cookie = sock_cookie(sk);
	if (!sock_passes(sk, &copy))
		return 0;
	conn_fill(&e, sk, &copy, state == ST_LISTEN ? CONN_LISTEN : CONN_EXISTING, 0);
	if (state == ST_LISTEN) {
		e.rx_queue = sk->sk_ack_backlog;
		e.tx_queue = sk->sk_max_ack_backlog;
	} else {
		struct tcp_sock *tp = tcp_of(sk);

		st->cookie = copy.cookie;
		st->announced = 1;
		if (tp) {
			e.rx_queue = tp->rcv_nxt - tp->copied_seq;
			e.tx_queue = tp->write_seq - tp->snd_una;
		}
	}
	bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

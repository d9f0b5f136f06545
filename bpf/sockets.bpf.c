/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sockets: the life of TCP sockets, and who reads and writes them.
 */
#include "conn.h"
#include "seq.h"

#define PEEK 2                  /* MSG_PEEK */
#define CHANGES_MAX 16
#define ECONNREFUSED 111
#define ENETUNREACH 101
#define ETIMEDOUT 110
#define EHOSTUNREACH 113

#define ARG(T, i) ((T)(ctx[i]))

/* The socket was read or written by current: its owner is known now, or another one. Told at once, because a socket that
 * only receives on loopback has no segment of its own that would tell it. */
static __always_inline void sock_used(struct sock *sk, struct sock_state *st, __u64 pid_tgid)
{
	if (!sock_own(st, pid_tgid) || st->changes >= CHANGES_MAX)
		return;
	st->changes++;
	if (!st->cookie)
		st->cookie = bpf_get_socket_cookie(sk);
	if (sock_passes(sk, st))
		st->announced = conn_emit(sk, st, CONN_OWNER, 0);
}

/* Where the segments of a write left later or in softirq, nobody knew the writer: say it now. */
static __always_inline void write_attribute(struct sock_state *st, __u32 write_seq, __u64 pid_tgid)
{
	struct ev_io *e;

	if (st->wrote && seq_diff(write_seq, st->wrote_seq) <= 0)
		return;
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count_drop(DROP_RING_IO, 1);
		return;
	}
	ev_begin(&e->h, EV_IO, sizeof(*e), bpf_ktime_get_ns());
	e->cookie = st->cookie;
	e->tgid = pid_tgid >> 32;
	e->tid = (__u32)pid_tgid;
	e->seq = write_seq;
	e->dir = DIR_OUT;
	e->pad[0] = e->pad[1] = e->pad[2] = 0;
	st->wrote_seq = write_seq;
	st->wrote = 1;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

SEC("tp_btf/sock_send_length")
int sock_wrote(__u64 *ctx)
{
	struct sock *sk = ARG(struct sock *, 0);
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct sock_state *st;
	struct tcp_sock *tp;

	if (ARG(int, 1) <= 0 || !sock_is_tcp(sk))
		return 0;
	st = sock_get(sk);
	tp = bpf_skc_to_tcp_sock(sk);
	if (!st || !tp)
		return 0;
	sock_used(sk, st, pid_tgid);
	if (sock_passes(sk, st))
		write_attribute(st, tp->write_seq, pid_tgid);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int sock_read(__u64 *ctx)
{
	struct sock *sk = ARG(struct sock *, 0);
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct sock_state *st;
	struct tcp_sock *tp;

	if (ARG(int, 1) <= 0 || ARG(int, 2) & PEEK || !sock_is_tcp(sk))
		return 0;
	st = sock_get(sk);
	tp = bpf_skc_to_tcp_sock(sk);
	if (!st || !tp)
		return 0;
	sock_used(sk, st, pid_tgid);
	st->rd_tid = (__u32)pid_tgid;
	st->rd_seq = tp->copied_seq;
	st->rd_ts_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline void state_tell(struct sock *sk, struct sock_state *st, __u8 what, __u8 err)
{
	if (sock_passes(sk, st) && conn_emit(sk, st, what, err))
		st->announced = 1;
}

/* connect(), in the context of its caller. The socket may have had another life before (connect to AF_UNSPEC). */
static __always_inline void state_connect(struct sock *sk, struct sock_state *st)
{
	st->announced = 0;
	st->rd_tid = st->rd_seq = 0;
	st->rd_ts_ns = 0;
	st->wrote = 0;
	st->role = ROLE_CLIENT;
	sock_own(st, bpf_get_current_pid_tgid());
	st->owner_tid = (__u32)bpf_get_current_pid_tgid();
	state_tell(sk, st, CONN_CONNECT, 0);
}

/* Every CONNECT and every ESTABLISHED has one CLOSE; what went wrong before it is a record of its own. A child that dies in
 * SYN_RECV was never told of. */
static __always_inline void state_close(struct sock *sk, struct sock_state *st, int old)
{
	int err = sk->sk_err;

	if (old == ST_SYN_RECV && st->role != ROLE_CLIENT)
		return;
	if (old == ST_SYN_SENT && err == ECONNREFUSED)
		state_tell(sk, st, CONN_REFUSED, err);
	else if (err == ETIMEDOUT || err == EHOSTUNREACH || err == ENETUNREACH)
		state_tell(sk, st, CONN_TIMEOUT, err);
	state_tell(sk, st, CONN_CLOSE, err);
	st->announced = 0;
}

static __always_inline void state_established(struct sock *sk, struct sock_state *st, int old)
{
	if (old == ST_SYN_RECV && st->role != ROLE_CLIENT)
		st->role = ROLE_SERVER;
	else
		st->role = ROLE_CLIENT;
	state_tell(sk, st, CONN_ESTABLISHED, 0);
}

/* A listener's state keeps cookie 0, for its children inherit it: told of with a copy. */
static __always_inline void state_listen(struct sock *sk, struct sock_state *st, __u8 what)
{
	struct sock_state copy;

	if (what == CONN_LISTEN)
		sock_own(st, bpf_get_current_pid_tgid());
	copy = *st;
	copy.cookie = bpf_get_socket_cookie(sk);
	state_tell(sk, &copy, what, 0);
}

SEC("tp_btf/inet_sock_set_state")
int sock_state_changed(__u64 *ctx)
{
	struct sock *sk = ARG(struct sock *, 0);
	int old = ARG(int, 1), new = ARG(int, 2);
	struct sock_state *st;

	if (old == new || !sock_is_tcp(sk))
		return 0;
	if (new != ST_SYN_SENT && new != ST_ESTABLISHED && new != ST_CLOSE && new != ST_LISTEN)
		return 0;
	st = sock_get(sk);
	if (!st)
		return 0;
	if (new == ST_LISTEN || old == ST_LISTEN) {
		state_listen(sk, st, new == ST_LISTEN ? CONN_LISTEN : CONN_UNLISTEN);
		return 0;
	}
	if (!st->cookie)
		st->cookie = bpf_get_socket_cookie(sk);
	if (new == ST_SYN_SENT)
		state_connect(sk, st);
	else if (new == ST_ESTABLISHED)
		state_established(sk, st, old);
	else
		state_close(sk, st, old);
	return 0;
}

static __always_inline int sock_event(struct sock *sk, __u8 what)
{
	struct sock_state *st = sock_get(sk);

	if (!st)
		return 0;
	if (!st->cookie)
		st->cookie = bpf_get_socket_cookie(sk);
	state_tell(sk, st, what, 0);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int sock_retransmitted(__u64 *ctx)
{
	return sock_event(ARG(struct sock *, 0), CONN_RETRANS);
}

/* Also called without a socket, or with a time-wait or request socket; kernels before 6.13 promise the verifier the contrary,
 * which then removes the check for NULL: the state read from NULL is 0 there. */
SEC("tp_btf/tcp_send_reset")
int sock_reset_sent(__u64 *ctx)
{
	struct sock *sk = ARG(struct sock *, 0);
	__u8 state;

	if (!sk)
		return 0;
	state = sk->__sk_common.skc_state;
	if (!state || state == ST_TIME_WAIT || state == ST_NEW_SYN_RECV || state == ST_LISTEN)
		return 0;
	return sock_event(sk, CONN_RESET_SENT);
}

/* An RST to our SYN is told of as REFUSED. */
SEC("tp_btf/tcp_receive_reset")
int sock_reset_received(__u64 *ctx)
{
	struct sock *sk = ARG(struct sock *, 0);

	if (sk->__sk_common.skc_state == ST_SYN_SENT)
		return 0;
	return sock_event(sk, CONN_RESET_RECV);
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
	if (!sk || !sock_is_tcp(sk))
		return 0;
	state = sk->__sk_common.skc_state;
	if (state == ST_CLOSE)
		return 0;
	st = bpf_sk_storage_get(&socks, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!st || st->session == ctx->meta->session_id)
		return 0;
	st->session = ctx->meta->session_id;
	if (!st->owner) {
		st->owner = t->tgid;
		st->owner_tid = t->pid;
		__builtin_memcpy(st->comm, t->comm, sizeof(st->comm));
	}
	copy = *st;
	copy.cookie = bpf_get_socket_cookie(sk);
	if (!sock_passes(sk, &copy))
		return 0;
	conn_fill(&e, sk, &copy, state == ST_LISTEN ? CONN_LISTEN : CONN_EXISTING, 0);
	if (state == ST_LISTEN) {
		e.rx_queue = sk->sk_ack_backlog;
		e.tx_queue = sk->sk_max_ack_backlog;
	} else {
		struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

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

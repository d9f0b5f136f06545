/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sockets: the life of TCP sockets.
 */
#include "cause.h"
#include "health.h"
#include "timing.h"

#define ECONNREFUSED 111
#define ENETUNREACH 101
#define ETIMEDOUT 110
#define EHOSTUNREACH 113

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
	st->rd_ts_ns = st->rd_arr_ns = st->arr_ns = 0;
	st->wrote = st->timed = st->open = 0;
	st->role = ROLE_CLIENT;
	sock_own(st, bpf_get_current_pid_tgid());
	st->owner_tid = (__u32)bpf_get_current_pid_tgid();
	middle_uses(st->owner, ROLE_CLIENT);
	state_tell(sk, st, CONN_CONNECT, 0);
}

/* Every CONNECT and every ESTABLISHED has one CLOSE; what went wrong before it is a record of its own. A child that dies in
 * SYN_RECV was never told of. */
static __always_inline void state_close(struct sock *sk, struct sock_state *st, int old)
{
	int err = READ(sk, sk_err);

	if (old == ST_SYN_RECV && st->role != ROLE_CLIENT) {
		sock_forget(sk);
		return;
	}
	if (old == ST_SYN_SENT && err == ECONNREFUSED)
		state_tell(sk, st, CONN_REFUSED, err);
	else if (err == ETIMEDOUT || err == EHOSTUNREACH || err == ENETUNREACH)
		state_tell(sk, st, CONN_TIMEOUT, err);
	health_close(sk, st);
	timing_drop(st);
	if (read_untold(sk, st) && sock_taken(sk) && sock_passes(sk, st))
		read_emit(st, 1);
	state_tell(sk, st, CONN_CLOSE, err);
	st->announced = 0;
	sock_forget(sk);
}

static __always_inline void state_established(struct sock *sk, struct sock_state *st, int old)
{
	if (old == ST_SYN_RECV && st->role != ROLE_CLIENT) {
		st->role = ROLE_SERVER;
		listener_inherit(sk, st);
	} else {
		st->role = ROLE_CLIENT;
	}
	state_tell(sk, st, CONN_ESTABLISHED, 0);
}

/* A listener's state keeps cookie 0, for its children inherit it: told of with a copy. */
static __always_inline void state_listen(struct sock *sk, struct sock_state *st, __u8 what)
{
	struct sock_state copy;

	if (what == CONN_LISTEN) {
		sock_own(st, bpf_get_current_pid_tgid());
		listener_remember(sk, st);
	}
	copy = *st;
	copy.cookie = sock_cookie(sk);
	state_tell(sk, &copy, what, 0);
	if (what == CONN_UNLISTEN)
		sock_forget(sk);
}

TRACE_PROGRAM(sock_state_changed, inet_sock_set_state)
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
		st->cookie = sock_cookie(sk);
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
		st->cookie = sock_cookie(sk);
	state_tell(sk, st, what, 0);
	return 0;
}

TRACE_PROGRAM(sock_retransmitted, tcp_retransmit_skb)
{
	return sock_event(ARG(struct sock *, 0), CONN_RETRANS);
}

/* Also called without a socket, or with a time-wait or request socket; kernels before 6.13 promise the verifier the contrary,
 * which then removes the check for NULL: the state read from NULL is 0 there. */
TRACE_PROGRAM(sock_reset_sent, tcp_send_reset)
{
	struct sock *sk = ARG(struct sock *, 0);
	__u8 state;

	if (!sk)
		return 0;
	state = READ(sk, __sk_common.skc_state);
	if (!state || state == ST_TIME_WAIT || state == ST_NEW_SYN_RECV || state == ST_LISTEN)
		return 0;
	return sock_event(sk, CONN_RESET_SENT);
}

/* An RST to our SYN is told of as REFUSED. */
TRACE_PROGRAM(sock_reset_received, tcp_receive_reset)
{
	struct sock *sk = ARG(struct sock *, 0);

	if (READ(sk, __sk_common.skc_state) == ST_SYN_SENT)
		return 0;
	return sock_event(sk, CONN_RESET_RECV);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

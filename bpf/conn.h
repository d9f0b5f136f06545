/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * conn: filling struct ev_conn from a kernel socket, and the owner of a socket.
 */
#ifndef ROOTLE_BPF_CONN_H
#define ROOTLE_BPF_CONN_H

#include "state.h"

static __always_inline void address_v4(__u8 *to, __u32 from)
{
	__u32 *a = (__u32 *)to;

	a[0] = 0;
	a[1] = 0;
	a[2] = bpf_htonl(0xffff);
	a[3] = from;
}

static __always_inline void address_v6(__u8 *to, const struct in6_addr *from)
{
	__u32 *a = (__u32 *)to;

	for (int i = 0; i < 4; i++)
		a[i] = READ(from, in6_u.u6_addr32[i]);
}

/* A socket that closes has given its port back, but not forgotten it. */
static __always_inline __u16 sock_port(struct sock *sk)
{
	__u16 port = READ(sk, __sk_common.skc_num);
	struct tcp_sock *tp;

	if (port)
		return port;
	tp = tcp_of(sk);
	return tp ? bpf_ntohs(READ(tp, inet_conn.icsk_inet.inet_sport)) : 0;
}

static __always_inline void conn_address(struct ev_conn *e, struct sock *sk)
{
	e->lport = sock_port(sk);
	e->rport = bpf_ntohs(READ(sk, __sk_common.skc_dport));
	e->netns = READ(sk, __sk_common.skc_net.net, ns.inum);
	if (READ(sk, __sk_common.skc_family) == FAMILY_INET6) {
		address_v6(e->laddr, &sk->__sk_common.skc_v6_rcv_saddr);
		address_v6(e->raddr, &sk->__sk_common.skc_v6_daddr);
		/* a dual-stack socket that talks IPv4 */
		e->family = ((__u32 *)e->raddr)[2] == bpf_htonl(0xffff) && !((__u32 *)e->raddr)[0] ? 4 : 6;
		return;
	}
	address_v4(e->laddr, READ(sk, __sk_common.skc_rcv_saddr));
	address_v4(e->raddr, READ(sk, __sk_common.skc_daddr));
	e->family = 4;
}

/* All but where the socket is and how it fares. */
static __always_inline void conn_begin(struct ev_conn *e, const struct sock_state *st, __u8 what, __u8 err)
{
	ev_begin(&e->h, EV_CONN, sizeof(*e), bpf_ktime_get_ns());
	e->cookie = st->cookie;
	e->netns = 0;
	e->tgid = st->owner;
	e->tid = st->owner_tid;
	e->what = what;
	e->role = st->role;
	e->err = err;
	e->srtt_us = e->min_rtt_us = e->retrans = e->rx_queue = e->tx_queue = 0;
	e->bytes_out = e->bytes_in = 0;
	e->l4 = e->quic = 0;
	__builtin_memset(e->pad, 0, sizeof(e->pad));
	__builtin_memcpy(e->comm, st->comm, sizeof(e->comm));
}

static __always_inline void conn_health(struct ev_conn *e, struct sock *sk)
{
	struct tcp_sock *tp = tcp_of(sk);

	if (!tp)
		return;
	e->srtt_us = READ(tp, srtt_us) >> 3;
	e->min_rtt_us = READ(tp, rtt_min.s[0].v);
	if (e->min_rtt_us == ~0u)       /* not measured yet */
		e->min_rtt_us = 0;
	e->retrans = READ(tp, total_retrans);
	e->bytes_out = READ(tp, bytes_acked);
	e->bytes_in = READ(tp, bytes_received);
}

/* Of a socket that becomes ESTABLISHED now: data that came with the last ACK are not in yet (tcp_rcv_state_process()). */
static __always_inline void conn_numbers(struct ev_conn *e, struct sock *sk)
{
	struct tcp_sock *tp = tcp_of(sk);

	if (!tp)
		return;
	e->first_out = READ(tp, snd_una);
	e->first_in = READ(tp, rcv_nxt);
}

static __always_inline void conn_fill(struct ev_conn *e, struct sock *sk, const struct sock_state *st, __u8 what, __u8 err)
{
	conn_begin(e, st, what, err);
	e->l4 = READ(sk, sk_protocol) == PROTOCOL_UDP ? L4_UDP : L4_TCP;
	conn_address(e, sk);
	conn_health(e, sk);
	if (what == CONN_ESTABLISHED)
		conn_numbers(e, sk);
}

/* Is what it reads requests? Of one that was open before we attached the lower port is the server's, as the model has it. */
static __always_inline bool sock_serves(struct sock *sk, const struct sock_state *st)
{
	if (st->role != ROLE_UNKNOWN)
		return st->role == ROLE_SERVER;
	return READ(sk, __sk_common.skc_num) < bpf_ntohs(READ(sk, __sk_common.skc_dport));
}

/* Has it read answers that it has told nobody of? */
static __always_inline bool read_untold(struct sock *sk, const struct sock_state *st)
{
	return st->rd_ts_ns && st->rd_told != st->rd_seq && !sock_serves(sk, st);
}

static __always_inline void read_fill(struct ev_io *e, struct sock_state *st, __u8 late)
{
	ev_begin(&e->h, EV_IO, sizeof(*e), st->rd_ts_ns);
	e->cookie = st->cookie;
	e->tgid = st->owner;
	e->tid = st->rd_tid;
	e->seq = st->rd_seq;
	e->dir = DIR_IN;
	e->late = late;
	e->pad[0] = e->pad[1] = 0;
	e->arr_ns = st->rd_arr_ns;
	st->rd_told = st->rd_seq;
}

static __always_inline void read_emit(struct sock_state *st, __u8 late)
{
	struct ev_io *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count_drop(DROP_RING_IO, 1);
		return;
	}
	read_fill(e, st, late);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/* False where the ring is full; counted. */
static __always_inline bool conn_emit(struct sock *sk, const struct sock_state *st, __u8 what, __u8 err)
{
	struct ev_conn *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count_drop(DROP_RING_CONN, 1);
		return false;
	}
	conn_fill(e, sk, st, what, err);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return true;
}

static __always_inline bool sock_passes(struct sock *sk, const struct sock_state *st)
{
	if (only_ports_n && !port_passes(sock_port(sk), bpf_ntohs(READ(sk, __sk_common.skc_dport))))
		return false;
	return !(only_pids_n || exclude_pids_n) || pid_passes(st->owner);
}

static __always_inline __u32 address_fold(const struct in6_addr *from)
{
	__u32 a = 0;

	for (int i = 0; i < 4; i++)
		a ^= READ(from, in6_u.u6_addr32[i]);
	return a;
}

/* As packet_parse() has it of this connection's packets. */
static __always_inline __u32 sock_pair(struct sock *sk)
{
	__u32 addresses;

	if (READ(sk, __sk_common.skc_family) == FAMILY_INET6)
		addresses = address_fold(&sk->__sk_common.skc_v6_rcv_saddr) ^ address_fold(&sk->__sk_common.skc_v6_daddr);
	else
		addresses = READ(sk, __sk_common.skc_rcv_saddr) ^ READ(sk, __sk_common.skc_daddr);
	return sample_pair(bpf_ntohl(addresses), 0, READ(sk, __sk_common.skc_num), bpf_ntohs(READ(sk, __sk_common.skc_dport)));
}

/* Is the payload of this socket read at the level in force? */
static __always_inline bool sock_taken(struct sock *sk)
{
	__u32 shift = LIMIT_SHIFT(limits);

	return !shift || sample_takes(sock_pair(sk), shift);
}

static __always_inline bool sock_is_inet(struct sock *sk)
{
	__u16 family = READ(sk, __sk_common.skc_family);

	return family == FAMILY_INET || family == FAMILY_INET6;
}

static __always_inline bool sock_is_tcp(struct sock *sk)
{
	return sock_is_inet(sk) && READ(sk, sk_protocol) == PROTOCOL_TCP;
}

static __always_inline bool sock_is_udp(struct sock *sk)
{
	return sock_is_inet(sk) && READ(sk, sk_protocol) == PROTOCOL_UDP;
}

/* In the context of the owner: true where it was not the owner before. */
static __always_inline bool sock_own(struct sock_state *st, __u64 pid_tgid)
{
	if (st->owner == pid_tgid >> 32)
		return false;
	st->owner = pid_tgid >> 32;
	st->owner_tid = (__u32)pid_tgid;
	bpf_get_current_comm(st->comm, sizeof(st->comm));
	return true;
}

#endif

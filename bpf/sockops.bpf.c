/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sockops: the life of TCP sockets without the kernel's types, from what struct bpf_sock_ops says.  The owner of a socket is who
 * made it.  Decides nothing.  A socket is marked as wanting to tell of its states; the mark means nothing once we are gone.
 */
#include "conn.h"

#define PASS 1
#define ECONNREFUSED 111
#define ETIMEDOUT 110

static __always_inline struct sock_state *ops_state(struct bpf_sock_ops *ctx)
{
	struct sock_state *st = NULL;
	struct bpf_sock *sk;

	if (state_in_hash) {
		st = state_by_cookie(bpf_get_socket_cookie(ctx));
	} else {
		sk = ctx->sk;
		if (sk)
			STORAGE_GET(st, &socks, sk);
	}
	if (!st)
		count_drop(DROP_STORAGE, 1);
	return st;
}

static __always_inline void ops_address(struct ev_conn *e, struct bpf_sock_ops *ctx)
{
	__u32 *l = (__u32 *)e->laddr, *r = (__u32 *)e->raddr;

	e->lport = ctx->local_port;
	e->rport = bpf_ntohl(ctx->remote_port);
	if (ctx->family == FAMILY_INET) {
		address_v4(e->laddr, ctx->local_ip4);
		address_v4(e->raddr, ctx->remote_ip4);
		e->family = 4;
		return;
	}
	l[0] = ctx->local_ip6[0], l[1] = ctx->local_ip6[1], l[2] = ctx->local_ip6[2], l[3] = ctx->local_ip6[3];
	r[0] = ctx->remote_ip6[0], r[1] = ctx->remote_ip6[1], r[2] = ctx->remote_ip6[2], r[3] = ctx->remote_ip6[3];
	e->family = r[2] == bpf_htonl(0xffff) && !r[0] ? 4 : 6;
}

static __always_inline void ops_tell(struct bpf_sock_ops *ctx, struct sock_state *st, __u8 what, __u8 err)
{
	struct ev_conn *e;

	if (!port_passes(ctx->local_port, bpf_ntohl(ctx->remote_port)))
		return;
	if ((only_pids_n || exclude_pids_n) && !pid_passes(st->owner))
		return;
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count_drop(DROP_RING_CONN, 1);
		return;
	}
	conn_begin(e, st, what, err);
	e->cookie = bpf_get_socket_cookie(ctx);
	ops_address(e, ctx);
	e->srtt_us = ctx->srtt_us >> 3;
	e->retrans = ctx->total_retrans;
	e->bytes_out = ctx->bytes_acked;
	e->bytes_in = ctx->bytes_received;
	if (what == CONN_ESTABLISHED) {
		e->first_out = ctx->snd_una;
		e->first_in = ctx->rcv_nxt;
	}
	st->announced = 1;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/* An attempt that failed: the error is not told here, but a SYN that was refused was sent once. */
static __always_inline void ops_failed(struct bpf_sock_ops *ctx, struct sock_state *st)
{
	if (ctx->total_retrans)
		ops_tell(ctx, st, CONN_TIMEOUT, ETIMEDOUT);
	else
		ops_tell(ctx, st, CONN_REFUSED, ECONNREFUSED);
}

static __always_inline void ops_closed(struct bpf_sock_ops *ctx, struct sock_state *st, __u32 old)
{
	__u64 cookie = bpf_get_socket_cookie(ctx);

	if (old == ST_LISTEN) {
		ops_tell(ctx, st, CONN_UNLISTEN, 0);
	} else if (old != ST_SYN_RECV) {
		if (old == ST_SYN_SENT)
			ops_failed(ctx, st);
		ops_tell(ctx, st, CONN_CLOSE, 0);
	}
	st->announced = 0;
	if (state_in_hash)
		bpf_map_delete_elem(&states, &cookie);
}

SEC("sockops")
int sock_lives(struct bpf_sock_ops *ctx)
{
	__u32 op = ctx->op;
	struct sock_state *st;

	if (op != BPF_SOCK_OPS_TCP_CONNECT_CB && op != BPF_SOCK_OPS_TCP_LISTEN_CB && op != BPF_SOCK_OPS_STATE_CB &&
	    op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB && op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		return PASS;
	if (op == BPF_SOCK_OPS_STATE_CB && ctx->args[1] != ST_CLOSE)
		return PASS;
	st = ops_state(ctx);
	if (!st)
		return PASS;
	if (op == BPF_SOCK_OPS_STATE_CB) {
		ops_closed(ctx, st, ctx->args[0]);
		return PASS;
	}
	bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
	if (op == BPF_SOCK_OPS_TCP_LISTEN_CB) {
		/* no cookie, for the children inherit this */
		ops_tell(ctx, st, CONN_LISTEN, 0);
		st->announced = 0;
		return PASS;
	}
	st->cookie = bpf_get_socket_cookie(ctx);
	st->role = op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB ? ROLE_SERVER : ROLE_CLIENT;
	ops_tell(ctx, st, op == BPF_SOCK_OPS_TCP_CONNECT_CB ? CONN_CONNECT : CONN_ESTABLISHED, 0);
	return PASS;
}

/* socket(), in the context of its caller */
SEC("cgroup/sock_create")
int sock_made(struct bpf_sock *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct sock_state *st;

	if (ctx->protocol != PROTOCOL_TCP)
		return PASS;
	if (state_in_hash)
		st = state_by_cookie(bpf_get_socket_cookie(ctx));
	else
		st = bpf_sk_storage_get(&socks, ctx, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!st) {
		count_drop(DROP_STORAGE, 1);
		return PASS;
	}
	st->owner = pid_tgid >> 32;
	st->owner_tid = (__u32)pid_tgid;
	bpf_get_current_comm(st->comm, sizeof(st->comm));
	return PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

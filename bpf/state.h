/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * state: where what is known about a socket is kept: with the socket (socket storage: no limit, gone with it, inherited by the
 * children of a listener), else in a hash by cookie.  Everything else asks here.
 */
#ifndef ROOTLE_BPF_STATE_H
#define ROOTLE_BPF_STATE_H

#include "maps.h"
#include "read.h"

/* 0 where it has none yet and this kernel cannot make one here: cookies.bpf.c makes one before a socket is first told of. */
static __always_inline __u64 sock_cookie(struct sock *sk)
{
#ifndef READS_COPY
	if (cookie_by_helper)
		return bpf_get_socket_cookie(sk);
#endif
	return READ(sk, __sk_common.skc_cookie.counter);
}

static const struct sock_state state_none;

static __always_inline struct sock_state *state_by_cookie(__u64 cookie)
{
	struct sock_state *st = bpf_map_lookup_elem(&states, &cookie);

	if (st || !cookie)
		return st;
	bpf_map_update_elem(&states, &cookie, &state_none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&states, &cookie);
}

/* The state of a socket, made where there was none; NULL is counted. */
static __always_inline struct sock_state *sock_get(struct sock *sk)
{
	struct sock_state *st;

#ifdef READS_COPY
	st = state_by_cookie(sock_cookie(sk));
#else
	if (state_in_hash)
		st = state_by_cookie(sock_cookie(sk));
	else
		STORAGE_GET(st, &socks, sk);
#endif
	if (!st)
		count_drop(DROP_STORAGE, 1);
	return st;
}

/* The same in the context of a packet. */
static __always_inline struct sock_state *sock_get_packet(struct __sk_buff *skb, struct bpf_sock *sk)
{
	struct sock_state *st;

	if (state_in_hash)
		st = state_by_cookie(bpf_get_socket_cookie(skb));
	else
		STORAGE_GET(st, &socks, sk);
	if (!st)
		count_drop(DROP_STORAGE, 1);
	return st;
}

/* The socket is closed and told of. */
static __always_inline void sock_forget(struct sock *sk)
{
#ifndef READS_COPY
	if (!state_in_hash)
		return;
#endif
	__u64 cookie = sock_cookie(sk);

	bpf_map_delete_elem(&states, &cookie);
}

static __always_inline struct listen_key listen_key(struct sock *sk)
{
	struct listen_key k = { .netns = READ(sk, __sk_common.skc_net.net, ns.inum), .port = READ(sk, __sk_common.skc_num) };

	return k;
}

/* For the hash, what BPF_F_CLONE does for socket storage: the children of this listener belong to its owner. */
static __always_inline void listener_remember(struct sock *sk, const struct sock_state *st)
{
	struct listen_key k;
	struct listen_owner o = { .tgid = st->owner, .tid = st->owner_tid };

#ifndef READS_COPY
	if (!state_in_hash)
		return;
#endif
	k = listen_key(sk);
	__builtin_memcpy(o.comm, st->comm, sizeof(o.comm));
	bpf_map_update_elem(&listeners, &k, &o, BPF_ANY);
}

static __always_inline void listener_inherit(struct sock *sk, struct sock_state *st)
{
	struct listen_owner *o;
	struct listen_key k;

#ifndef READS_COPY
	if (!state_in_hash)
		return;
#endif
	if (st->owner)
		return;
	k = listen_key(sk);
	o = bpf_map_lookup_elem(&listeners, &k);
	if (!o)
		return;
	st->owner = o->tgid;
	st->owner_tid = o->tid;
	__builtin_memcpy(st->comm, o->comm, sizeof(st->comm));
}

#endif

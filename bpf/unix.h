/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * unix: what is known of a UNIX stream socket, and telling of it.  Typed programs only: the state is with the socket.
 *
 * Bytes of such a stream have no numbers.  They are counted: `taken` of a socket is how many of those that it sent its peer has
 * taken off.  A read may copy them in several pieces, or look at them without taking them (MSG_PEEK), so it moves when the read
 * is over and says how much it took; `ahead` is what the read that goes on has copied.  Where no hook tells of reads (before 6.3)
 * each copy counts.
 */
#ifndef ROOTLE_BPF_UNIX_H
#define ROOTLE_BPF_UNIX_H

#include "cause.h"
#include "maps.h"
#include "read.h"

#define FAMILY_UNIX 1
#define TYPE_STREAM 1
#define UNIX_TELL_NS 10000000000ull     /* of a socket that is used, user space hears that often: a silent one it forgets */
#define UNIX_CHANGES_MAX 16

/* Is there a hook at the end of each read? */
const volatile bool unix_reads_told __weak SEC(".rodata") = true;

struct unix_state {
	__u64 cookie, peer;             /* 0: not looked at yet */
	__u64 told_ns;                  /* 0: never */
	__u64 rd_ts_ns;                 /* last read */
	__u64 taken;
	struct copy_credit credit;
	__u32 ahead;
	__u32 owner, owner_tid, rd_tid;
	__u8 role, changes;
	__u8 ignored;                   /* a pair (socketpair) that belongs to nobody's service */
	__u8 existed;                   /* before us */
	__u8 pad[4];
	__u8 comm[EV_COMM_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct unix_state);
} unix_socks __weak SEC(".maps");

static __always_inline bool sock_is_unix_stream(struct sock *sk)
{
	return sk->__sk_common.skc_family == FAMILY_UNIX && sk->sk_type == TYPE_STREAM;
}

static __always_inline struct unix_state *unix_get(struct sock *sk)
{
	struct unix_state *st;

	STORAGE_GET(st, &unix_socks, sk);
	if (!st)
		count_drop(DROP_STORAGE, 1);
	return st;
}

static __always_inline struct sock *unix_peer(struct sock *sk)
{
	struct unix_sock *u = bpf_skc_to_unix_sock(sk);

	return u ? u->peer : NULL;
}

/* accept() gives its socket the address of the listener. */
static __always_inline void unix_meet(struct sock *sk, struct unix_state *st, struct sock *peer)
{
	struct unix_sock *u = bpf_skc_to_unix_sock(sk), *p = bpf_skc_to_unix_sock(peer);
	bool mine = u && u->addr, theirs = p && p->addr;

	st->cookie = bpf_get_socket_cookie(sk);
	st->peer = bpf_get_socket_cookie(peer);
	st->ignored = !mine && !theirs;
	st->role = mine == theirs ? ROLE_UNKNOWN : mine ? ROLE_SERVER : ROLE_CLIENT;
}

static __always_inline bool unix_passes(const struct unix_state *st)
{
	return !st->ignored && !only_ports_n && (!(only_pids_n || exclude_pids_n) || pid_passes(st->owner));
}

static __always_inline void unix_address(__u8 to[16], __u64 cookie)
{
	__builtin_memcpy(to, "unix\0\0\0", 8);
	*(__u64 *)(to + 8) = bpf_cpu_to_be64(cookie);
}

static __always_inline void unix_fill(struct ev_conn *e, const struct unix_state *st, __u8 what, __u64 bytes_in)
{
	__builtin_memset(e, 0, sizeof(*e));
	ev_begin(&e->h, EV_CONN, sizeof(*e), bpf_ktime_get_ns());
	e->cookie = st->cookie;
	e->tgid = st->owner;
	e->tid = st->owner_tid;
	unix_address(e->laddr, st->cookie);
	unix_address(e->raddr, st->peer);
	e->what = what;
	e->role = st->role;
	e->bytes_out = st->taken;
	e->bytes_in = bytes_in;
	e->l4 = L4_UNIX;
	__builtin_memcpy(e->comm, st->comm, sizeof(e->comm));
}

static __always_inline void unix_emit(struct unix_state *st, __u8 what, __u64 bytes_in)
{
	struct ev_conn *e;

	if (!st->peer || !unix_passes(st))
		return;
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count_drop(DROP_RING_CONN, 1);
		return;
	}
	unix_fill(e, st, what, bytes_in);
	st->told_ns = e->h.ts_ns;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/* In the context of who uses the socket; peer may be NULL: gone. Told of where user space does not know it, or its owner. */
static __always_inline void unix_used(struct sock *sk, struct unix_state *st, struct sock *peer, __u64 bytes_in, __u64 now_ns)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 tgid = pid_tgid >> 32;
	bool changed = st->owner != tgid && st->changes < UNIX_CHANGES_MAX;

	st->owner_tid = (__u32)pid_tgid;
	if (changed) {
		st->changes++;
		st->owner = tgid;
		bpf_get_current_comm(st->comm, sizeof(st->comm));
	}
	if (!st->peer && peer)
		unix_meet(sk, st, peer);
	if (!st->told_ns)
		unix_emit(st, st->existed ? CONN_EXISTING : CONN_ESTABLISHED, bytes_in);
	else if (changed || now_ns - st->told_ns > UNIX_TELL_NS)
		unix_emit(st, CONN_OWNER, bytes_in);
}

/* Which thread of a process that serves and calls has read or written; the bytes are told of when their reader takes them. */
static __always_inline void unix_tell(const struct unix_state *st, __u32 seq, __u8 dir, __u64 now_ns)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();

	if (!st->peer || !middle_uses(pid_tgid >> 32, st->role) || !unix_passes(st))
		return;
	if (sample_takes(sample_cookies(st->cookie, st->peer), LIMIT_SHIFT(limits)))
		io_emit(st->cookie, pid_tgid, seq, dir, now_ns);
}

static __always_inline void unix_wrote(struct sock *sk)
{
	struct unix_state *st = unix_get(sk);
	__u64 now_ns;

	if (!st || st->ignored)
		return;
	now_ns = bpf_ktime_get_ns();
	unix_used(sk, st, unix_peer(sk), 0, now_ns);
	unix_tell(st, 0, DIR_OUT, now_ns);
}

/* A read that took n bytes is over, or one that only looked. Where there was nothing more to come and the peer has closed, so is
 * the connection: its own end is silent. */
static __always_inline void unix_was_read(struct sock *sk, int n, bool peeked)
{
	struct sock *peer = unix_peer(sk);
	struct unix_state *st, *from;

	if (!peer || n < 0)
		return;
	from = unix_get(peer);
	if (!from || from->ignored)
		return;
	from->ahead = 0;
	if (peeked)
		return;
	from->taken += n;
	st = unix_get(sk);
	if (!st)
		return;
	if (n) {
		st->rd_ts_ns = bpf_ktime_get_ns();
		st->rd_tid = (__u32)bpf_get_current_pid_tgid();
		unix_used(sk, st, peer, from->taken, st->rd_ts_ns);
		unix_tell(st, (__u32)from->taken, DIR_IN, st->rd_ts_ns);
	} else if (st->told_ns && peer->__sk_common.skc_state == ST_CLOSE) {
		unix_emit(st, CONN_CLOSE, from->taken);
	}
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * datagram: UDP, as the packet programs see it: DNS goes to the ring buffer, everything else is counted by socket and peer.
 */
#ifndef ROOTLE_BPF_DATAGRAM_H
#define ROOTLE_BPF_DATAGRAM_H

#include "state.h"
#include "udp.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, UDP_COUNTS_MAX);
	__type(key, struct udp_key);
	__type(value, struct udp_count);
} udp_counts __weak SEC(".maps");

/* What the socket is known by. */
struct udp_owner { __u64 cookie; __u32 tgid, tid; };

/* A datagram leaves in the context of who sends it, so an unknown owner is found there; a kernel thread's socket has none. */
static __always_inline void udp_owner_see(struct udp_owner *o, struct sock_state *st, __u8 dir)
{
#ifndef READS_COPY      /* the twin has no types to read a task by */
	if (!st->owner && dir == DIR_OUT) {
		struct task_struct *t = (void *)bpf_get_current_task();

		if (!(BPF_CORE_READ(t, flags) & KTHREAD_FLAG)) {
			st->owner = BPF_CORE_READ(t, tgid);
			st->owner_tid = BPF_CORE_READ(t, pid);
			BPF_CORE_READ_INTO(&st->comm, t, comm);
		}
	}
#endif
	o->cookie = st->cookie;
	o->tgid = st->owner;
	o->tid = st->owner_tid;
}

/* The network namespace, where the sender is at hand. */
static __always_inline __u32 udp_netns(__u8 dir)
{
#ifdef READS_COPY
	return 0;
#else
	struct task_struct *t = (void *)bpf_get_current_task();

	return dir == DIR_OUT ? BPF_CORE_READ(t, nsproxy, net_ns, ns.inum) : 0;
#endif
}

static __always_inline void udp_emit(struct __sk_buff *skb, const struct udp_packet *p, const struct udp_owner *o, __u8 dir,
                                     const __u32 cap)
{
	struct ev_datagram *e = bpf_ringbuf_reserve(&ring, sizeof(*e) + cap, 0);
	__u32 head = p->len < cap ? p->len : cap;
	__u64 less;

	if (!e) {
		count_drop(DROP_RING_DATA, 1);
		count_drop(DROP_BYTES, p->len);
		return;
	}
	ev_begin(&e->h, EV_DATAGRAM, sizeof(*e) + head, bpf_ktime_get_ns());
	e->cookie = o->cookie;
	e->netns = udp_netns(dir);
	e->tgid = o->tgid;
	e->tid = o->tid;
	__builtin_memcpy(e->laddr, dir == DIR_OUT ? p->saddr : p->daddr, 16);
	__builtin_memcpy(e->raddr, dir == DIR_OUT ? p->daddr : p->saddr, 16);
	e->lport = dir == DIR_OUT ? p->sport : p->dport;
	e->rport = dir == DIR_OUT ? p->dport : p->sport;
	e->len = p->len;
	e->head = head;
	e->dir = dir;
	e->flags = (skb->ifindex == 1 ? DATA_LOOPBACK : 0) | (head < p->len ? DATA_CUT : 0);
	less = less_one(head);
	if (less >= cap || bpf_skb_load_bytes(skb, p->offset, e->payload, less + 1) < 0) {
		count_drop(DROP_LOAD, 1);
		bpf_ringbuf_discard(e, BPF_RB_NO_WAKEUP);
		return;
	}
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/* Two processors may enter one peer at once: the second finds it there. */
static __always_inline struct udp_count *udp_count_get(const struct udp_key *k, const struct udp_owner *o, __u8 dir)
{
	struct udp_count *c = bpf_map_lookup_elem(&udp_counts, k), fresh = { .first = dir };

	if (c)
		return c;
	fresh.tgid = o->tgid;
	fresh.netns = udp_netns(dir);
	if (bpf_map_update_elem(&udp_counts, k, &fresh, BPF_NOEXIST) == -7 /* E2BIG: the table is full */)
		return NULL;
	return bpf_map_lookup_elem(&udp_counts, k);
}

static __always_inline void udp_add(const struct udp_packet *p, const struct udp_owner *o, __u8 dir, __u32 packets)
{
	struct udp_key k = { .cookie = o->cookie };
	struct udp_count *c;

	__builtin_memcpy(k.laddr, dir == DIR_OUT ? p->saddr : p->daddr, 16);
	__builtin_memcpy(k.raddr, dir == DIR_OUT ? p->daddr : p->saddr, 16);
	k.lport = dir == DIR_OUT ? p->sport : p->dport;
	k.rport = dir == DIR_OUT ? p->dport : p->sport;
	c = udp_count_get(&k, o, dir);
	if (!c) {
		count_drop(DROP_DATAGRAM, packets);
		return;
	}
	if (o->tgid)
		c->tgid = o->tgid;
	if (!c->netns && dir == DIR_OUT)
		c->netns = udp_netns(dir);
	if (udp_is_quic(p))
		c->quic = 1;
	__sync_fetch_and_add(&c->bytes[dir & 1], p->len);
	__sync_fetch_and_add(&c->packets[dir & 1], packets);
	c->last_ns = bpf_ktime_get_ns();
}

/* Is this DNS, as far as the reader has not said otherwise? */
static __always_inline bool udp_wanted(const struct udp_packet *p, __u64 cookie)
{
	__u32 slot = WISH_SLOT(cookie, wish_slots);
	__u64 *word;

	if (!udp_is_dns(p))
		return false;
	word = bpf_map_lookup_elem(&wishes, &slot);
	return !word || wish_of(*word, cookie) != WISH_NONE;
}

/* Not inlined: TCP shall not pay for its registers and its stack. */
static __noinline int datagram_see(struct __sk_buff *skb, __u8 dir)
{
	struct udp_owner o = {};
	struct sock_state *st;
	struct udp_packet p;
	struct bpf_sock *sk;

	if (!udp_parse(skb, skb->len, &p))
		return 0;
	sk = skb->sk;
	if (!sk)
		return 0;
	sk = bpf_sk_fullsock(sk);
	/* of a tunnel the socket is that of the packet inside */
	if (!sk || sk->protocol != PROTOCOL_UDP || !port_passes(p.sport, p.dport))
		return 0;
	st = sock_get_packet(skb, sk);
	if (!st)
		return 0;
	if (!st->cookie)
		st->cookie = bpf_get_socket_cookie(skb);
	udp_owner_see(&o, st, dir);
	if ((only_pids_n || exclude_pids_n) && !pid_passes(st->owner))
		return 0;
	if (!udp_wanted(&p, o.cookie))
		udp_add(&p, &o, dir, skb->gso_segs ? skb->gso_segs : 1);
	else if (p.len <= 128)
		udp_emit(skb, &p, &o, dir, 128);
	else if (p.len <= 512)
		udp_emit(skb, &p, &o, dir, 512);
	else
		udp_emit(skb, &p, &o, dir, UDP_COPY);
	return 0;
}

#endif

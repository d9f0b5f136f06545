/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * packets: payload of TCP segments, from cgroup_skb at the root of the cgroup v2 hierarchy, so whichever call sent it, in
 * every network namespace, also on sockets that were open before.  Always passes the packet.
 *
 * Its twin (READS_COPY) does without the kernel's types: of a socket it knows what struct bpf_sock says, so neither its network
 * namespace nor its counters, and not who is writing.
 *
 * A ring-buffer reservation of the next size class rather than a copy through per-CPU scratch: one copy instead of two, and
 * no scratch to be overwritten where a softirq sends while the task it interrupted was sending.
 */
#include "cause.h"
#include "health.h"
#include "timing.h"

#define PACKET_LOAD(ctx, offset, to, n) bpf_skb_load_bytes(ctx, offset, to, n)
#include "packet.h"
#include "datagram.h"

#define PASS 1
#define LOOPBACK_INDEX 1        /* LOOPBACK_IFINDEX: the kernel insists on it in every network namespace */

/* What a segment is, gathered before a record of the right size is reserved. */
struct segment {
	struct packet p;
	struct copy_plan plan;
	__u64 now_ns, cookie, rd_ts_ns, arr_ns;
	const struct sock_state *st;
	__u32 tgid, tid, rd_tid, rd_seq;
	__u32 limits;           /* as they were when it came */
	__u8 dir, flags;
};

static __always_inline void sock_arrived(struct sock_state *st, __u32 end, __u64 now_ns)
{
	WRITE_ONCE(st->arr_seq, end);
	WRITE_ONCE(st->arr_ns, now_ns);
}

#ifndef READS_COPY
/* Current is the writer where it belongs to the socket's owner. In softirq current is whom the interrupt hit, and nothing
 * tells the two apart on every kernel (__preempt_count cannot be had without KALLSYMS_ALL): queued data that an ACK sets free
 * while another thread of the same process runs is filed under that thread. Other writers are told by EV_IO. */
static __always_inline void segment_writer(struct segment *s, struct sock_state *st)
{
	struct task_struct *t;

	if (!st->owner)
		return;
	if (task_by_helper) {
		t = bpf_get_current_task_btf();
		s->tgid = t->tgid;
		s->tid = t->pid;
	} else {
		t = (void *)bpf_get_current_task();
		s->tgid = BPF_CORE_READ(t, tgid);
		s->tid = BPF_CORE_READ(t, pid);
	}
	if (st->owner != s->tgid) {
		s->tgid = s->tid = 0;
		return;
	}
	st->wrote_seq = s->p.seq + s->p.len;
	st->wrote = 1;
	if (timing_take(st, s->tid))
		s->flags |= DATA_TIMED;
	if (in_the_middle(s->tgid))
		s->flags |= DATA_MIDDLE;
}

/* Does the filter let this socket pass? It is told of where it was not: a lost announcement is made at the next segment. */
static __always_inline bool segment_announce(struct bpf_sock *sk, struct sock_state *st)
{
	struct sock *k;

	if (!(only_ports_n || only_pids_n || exclude_pids_n) && st->announced)
		return true;
	k = (struct sock *)bpf_skc_to_tcp_sock(sk);
	if (!k || !sock_passes(k, st))
		return false;
	if (!st->announced)
		st->announced = conn_emit(k, st, CONN_OWNER, 0);
	return true;
}
#else
static __always_inline void segment_writer(struct segment *s, struct sock_state *st)
{
}

static __always_inline void plain_address(struct ev_conn *e, struct bpf_sock *sk)
{
	__u32 *l = (__u32 *)e->laddr, *r = (__u32 *)e->raddr;

	e->lport = sk->src_port;
	e->rport = bpf_ntohs(sk->dst_port);
	if (sk->family == FAMILY_INET) {
		address_v4(e->laddr, sk->src_ip4);
		address_v4(e->raddr, sk->dst_ip4);
		e->family = 4;
		return;
	}
	l[0] = sk->src_ip6[0], l[1] = sk->src_ip6[1], l[2] = sk->src_ip6[2], l[3] = sk->src_ip6[3];
	r[0] = sk->dst_ip6[0], r[1] = sk->dst_ip6[1], r[2] = sk->dst_ip6[2], r[3] = sk->dst_ip6[3];
	e->family = r[2] == bpf_htonl(0xffff) && !r[0] ? 4 : 6;
}

static __always_inline bool plain_emit(struct bpf_sock *sk, const struct sock_state *st)
{
	struct ev_conn *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count_drop(DROP_RING_CONN, 1);
		return false;
	}
	conn_begin(e, st, CONN_OWNER, 0);
	plain_address(e, sk);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	return true;
}

static __always_inline bool segment_announce(struct bpf_sock *sk, struct sock_state *st)
{
	if (!port_passes(sk->src_port, bpf_ntohs(sk->dst_port)))
		return false;
	if ((only_pids_n || exclude_pids_n) && !pid_passes(st->owner))
		return false;
	if (!st->announced)
		st->announced = plain_emit(sk, st);
	return true;
}
#endif

static __always_inline void segment_fill(struct ev_data *e, const struct segment *s)
{
	ev_begin(&e->h, EV_DATA, sizeof(*e) + s->plan.head + s->plan.tail, s->now_ns);
	e->cookie = s->cookie;
	e->seq = s->p.seq;
	e->len = s->p.len;
	e->head = s->plan.head;
	e->tail = s->plan.tail;
	e->dir = s->dir;
	e->flags = s->flags;
	e->shift = LIMIT_SHIFT(s->limits);
	e->pad = 0;
	e->tgid = s->tgid;
	e->tid = s->tid;
	e->rd_tid = s->rd_tid;
	e->rd_seq = s->rd_seq;
	e->rd_ts_ns = s->rd_ts_ns;
	e->arr_ns = s->arr_ns;
	e->woken = 0;
	if (!(s->flags & DATA_TIMED) || !s->st)
		return;
	__builtin_memcpy(e->wait, s->st->wait, sizeof(e->wait));
	e->woken = s->st->woken;
}

static __always_inline int segment_copy(struct __sk_buff *skb, __u8 *to, const struct segment *s, const __u32 cap)
{
	__u64 head = less_one(s->plan.head), tail;

	if (head >= cap)
		return -1;
	if (bpf_skb_load_bytes(skb, s->p.offset, to, head + 1) < 0)
		return -1;
	if (!s->plan.tail)
		return 0;
	head = less_one(s->plan.head);
	if (head >= cap - COPY_TAIL)
		return -1;
	tail = less_one(s->plan.tail);
	if (tail >= COPY_TAIL)
		return -1;
	return bpf_skb_load_bytes(skb, s->p.offset + s->p.len - s->plan.tail, to + head + 1, tail + 1);
}

static __always_inline void segment_emit(struct __sk_buff *skb, const struct segment *s, const __u32 cap)
{
	struct ev_data *e = bpf_ringbuf_reserve(&ring, sizeof(*e) + cap, 0);

	if (!e) {
		count_drop(DROP_RING_DATA, 1);
		count_drop(DROP_BYTES, s->p.len);
		return;
	}
	segment_fill(e, s);
	if (segment_copy(skb, e->payload, s, cap) < 0) {
		count_drop(DROP_LOAD, 1);
		bpf_ringbuf_discard(e, BPF_RB_NO_WAKEUP);
		return;
	}
	bpf_ringbuf_submit(e, s->plan.wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

/* Whole, but larger than a record can say: as if it had come in several segments. s is used up (a copy would not fit the stack).
 * What was waited for is not told with these: the verifier would follow both ways at each piece, 2^8 in all. */
static __always_inline void segment_split(struct __sk_buff *skb, struct segment *s)
{
	__u32 left = s->p.len;
	__u8 flags = s->flags & ~DATA_TIMED;

	for (__u32 i = 0; i < COPY_PIECES && left; i++) {
		s->p.len = left < COPY_PIECE ? left : COPY_PIECE;
		s->plan.head = s->p.len;
		left -= s->p.len;
		s->flags = left ? flags & ~DATA_FIN : flags;
		segment_emit(skb, s, COPY_PIECE);
		s->p.offset += s->p.len;
		s->p.seq += s->p.len;
	}
}

static __always_inline void segment_submit(struct __sk_buff *skb, struct segment *s)
{
	__u32 n = s->plan.head + s->plan.tail;

#define COPY_CLASS(cap) if (n <= cap) { segment_emit(skb, s, cap); return; }
	COPY_CLASSES(COPY_CLASS)
#undef COPY_CLASS
	segment_split(skb, s);
}

/* False where nothing of this socket is wanted. */
static __always_inline bool segment_plan(struct segment *s, struct sock_state *st)
{
	__u32 slot = WISH_SLOT(s->cookie, wish_slots);
	__u64 *word = bpf_map_lookup_elem(&wishes, &slot);
	__u32 wish = word ? wish_of(*word, s->cookie) : WISH_AUTO;

	if (wish == WISH_NONE) {
		st->skipped_bytes += s->p.len;
		count_seen(SEEN_SEGMENTS, 1);
		count_seen(SEEN_PAYLOAD_BYTES, s->p.len);
		return false;
	}
	s->plan = copy_plan(s->p.len, wish, s->limits & LIMIT_SMALL_HEADS, &st->credit[s->dir], s->now_ns);
	if (s->plan.head + s->plan.tail < s->p.len)
		s->flags |= DATA_CUT;
	return true;
}

static __always_inline void segment_report(struct __sk_buff *skb, struct bpf_sock *sk, struct segment *s)
{
	struct sock_state *st = sock_get_packet(skb, sk);

	if (!st)
		return;
	if (!st->cookie)
		st->cookie = bpf_get_socket_cookie(skb);
	s->cookie = st->cookie;
	if (s->dir == DIR_OUT)
		segment_writer(s, st);
	if (!segment_announce(sk, st))
		return;
	s->rd_tid = st->rd_tid;
	s->rd_seq = st->rd_seq;
	s->rd_ts_ns = st->rd_ts_ns;
	s->arr_ns = st->rd_arr_ns;
	s->st = st;
	if (s->dir == DIR_IN)
		sock_arrived(st, s->p.seq + s->p.len, s->now_ns);
	else
		st->rd_told = st->rd_seq;
	if (segment_plan(s, st))
		segment_submit(skb, s);
}

static __always_inline int packet_see(struct __sk_buff *skb, __u8 dir)
{
	struct segment s = { .dir = dir };
	struct bpf_sock *sk;
	int tcp = packet_parse(skb, skb->len, &s.p), closed, taken;

	if (!tcp)
		datagram_see(skb, dir);
	if (tcp <= 0)
		return PASS;
	closed = !state_in_hash && window_is_closed(s.p.window, s.p.flags);
	if (!s.p.len && !closed && !windows_closed)
		return PASS;
	s.limits = limits;
	taken = sample_takes(s.p.pair, LIMIT_SHIFT(s.limits));
	if (!taken)
		count_seen(SEEN_LEFT_OUT, s.p.len > 0);
	if (!taken && !closed && !windows_closed)
		return PASS;
	sk = skb->sk;
	if (sk)
		sk = bpf_sk_fullsock(sk);
	/* data on the ACK that completes a handshake is still filed under the listener */
	if (!sk || sk->state == ST_LISTEN) {
		if (s.p.len)
			count_drop(DROP_NO_SOCK, 1);
		return PASS;
	}
	s.now_ns = bpf_ktime_get_ns();
	if (closed || windows_closed)
		health_window(sk, dir, closed, s.now_ns);
	if (!s.p.len || !taken)
		return PASS;
	s.flags = (s.p.flags & 1 ? DATA_FIN : 0) | (skb->ifindex == LOOPBACK_INDEX ? DATA_LOOPBACK : 0);
	segment_report(skb, sk, &s);
	return PASS;
}

#ifdef READS_COPY
#define PACKET_PROGRAM(name, hook) SEC("cgroup_skb/" #hook) int name##_copy(struct __sk_buff *skb)
#else
#define PACKET_PROGRAM(name, hook) SEC("cgroup_skb/" #hook) int name(struct __sk_buff *skb)
#endif

PACKET_PROGRAM(packet_out, egress)
{
	return packet_see(skb, DIR_OUT);
}

/* What comes over loopback was reported when it was sent, before it waited for whatever delays it: only when it came is new. The
 * headers are in the buffer's own memory: whoever sent them was this kernel. */
static __always_inline int packet_arrive(struct __sk_buff *skb)
{
	const __u8 *ip = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct sock_state *st;
	struct bpf_sock *sk;
	__u32 seq;

	if (!packet_arrival(ip, end, skb->len, &seq))
		return PASS;
	sk = skb->sk;
	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk || sk->state == ST_LISTEN)
		return PASS;
	st = sock_get_packet(skb, sk);
	if (st)
		sock_arrived(st, seq, bpf_ktime_get_ns());
	return PASS;
}

PACKET_PROGRAM(packet_in, ingress)
{
	if (skb->ifindex == LOOPBACK_INDEX)
		return packet_arrive(skb);
	return packet_see(skb, DIR_IN);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

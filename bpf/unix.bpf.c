/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * unix: payload of UNIX streams (local PostgreSQL, Redis, upstreams of a proxy), when their reader copies it.  So a request is seen
 * when the server takes it, an answer when the client does.  Fires for every socket that copies: what is not UNIX goes at once.
 */
#include "unix.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Bytes of a buffer that are in pages: open to tracing programs since 6.12. */
extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym __weak;

struct piece {
	const struct sk_buff *skb;
	struct copy_plan plan;
	__u64 now_ns;
	__u32 seq, len;
	__u32 offset;           /* in the buffer */
	__u32 linear;           /* bytes of the buffer outside of pages */
	__u32 limits;           /* as they were when it came */
	bool pages;             /* those in pages can be read; known when this is compiled */
};

static __always_inline int piece_copy(const struct piece *p, __u32 offset, void *to, __u32 n)
{
	struct bpf_dynptr ptr;

	if (offset + n <= p->linear)
		return bpf_probe_read_kernel(to, n, p->skb->data + offset);
	if (!p->pages || bpf_dynptr_from_skb((struct __sk_buff *)p->skb, 0, &ptr))
		return -1;
	return bpf_dynptr_read(to, n, &ptr, offset, 0);
}

static __always_inline void piece_fill(struct ev_data *e, const struct piece *p, const struct unix_state *st)
{
	ev_begin(&e->h, EV_DATA, sizeof(*e) + p->plan.head + p->plan.tail, p->now_ns);
	e->cookie = st->cookie;
	e->seq = p->seq;
	e->len = p->len;
	e->head = p->plan.head;
	e->tail = p->plan.tail;
	e->dir = DIR_OUT;
	e->flags = DATA_UNIX | (p->plan.head + p->plan.tail < p->len ? DATA_CUT : 0);
	e->shift = LIMIT_SHIFT(p->limits);
	e->pad = 0;
	e->tgid = st->owner;
	e->tid = st->owner_tid;
	e->rd_tid = st->rd_tid;
	e->rd_seq = 0;
	e->rd_ts_ns = st->rd_ts_ns;
	e->arr_ns = 0;
	__builtin_memset(e->wait, 0, sizeof(e->wait));
	e->woken = 0;
}

static __always_inline __u64 bounded(__u64 n, const __u32 cap)
{
	asm volatile("" : "+r"(n));
	return n > cap ? cap : n;
}

static __always_inline int piece_take(const struct piece *p, __u8 *to, const __u32 cap)
{
	__u64 head = bounded(p->plan.head, cap), tail;

	if (head && piece_copy(p, p->offset, to, head))
		return -1;
	if (!p->plan.tail)
		return 0;
	head = bounded(head, cap - COPY_TAIL);
	tail = bounded(p->plan.tail, COPY_TAIL);
	return piece_copy(p, p->offset + p->len - p->plan.tail, to + head, tail);
}

static __always_inline void piece_emit(const struct piece *p, const struct unix_state *st, const __u32 cap)
{
	struct ev_data *e = bpf_ringbuf_reserve(&ring, sizeof(*e) + cap, 0);

	if (!e) {
		count_drop(DROP_RING_DATA, 1);
		count_drop(DROP_BYTES, p->len);
		return;
	}
	piece_fill(e, p, st);
	if (piece_take(p, e->payload, cap)) {
		count_drop(DROP_LOAD, 1);
		bpf_ringbuf_discard(e, BPF_RB_NO_WAKEUP);
		return;
	}
	bpf_ringbuf_submit(e, p->plan.wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

/* What cannot be read is not planned for. */
static __always_inline void piece_plan(struct piece *p, struct unix_state *st, __u32 wish)
{
	p->plan = copy_plan(p->len, wish, p->limits & LIMIT_SMALL_HEADS, &st->credit, p->now_ns);
	if (p->pages || p->offset + p->len <= p->linear)
		return;
	p->plan.tail = 0;
	if (p->offset >= p->linear)
		p->plan.head = 0;
	else if (p->plan.head > p->linear - p->offset)
		p->plan.head = p->linear - p->offset;
}

static __always_inline void piece_submit(const struct piece *p, const struct unix_state *st)
{
	__u32 n = p->plan.head + p->plan.tail;

#define COPY_CLASS(cap) if (n <= cap) { piece_emit(p, st, cap); return; }
	COPY_CLASSES(COPY_CLASS)
#undef COPY_CLASS
}

/* Both ends are told of before their bytes are. The reader is current. The sender is reached anew through its file, for of a
 * pointer that was read from a buffer the verifier does not let helpers have; one that is closed has been told of when it sent. */
static __always_inline void ends_tell(const struct sk_buff *skb, struct unix_state *st, __u64 now_ns)
{
	struct sock *sender = skb->sk, *reader;
	struct unix_state *r;
	struct socket *file;

	file = sender ? sender->sk_socket : NULL;
	sender = file ? file->sk : NULL;
	reader = sender ? unix_peer(sender) : NULL;
	if (!reader)
		return;
	if (!st->peer)
		unix_meet(sender, st, reader);
	if (st->ignored)
		return;
	r = unix_get(reader);
	if (r) {
		unix_used(reader, r, sender, st->taken, now_ns);
		if (!st->told_ns)
			unix_emit(st, st->existed ? CONN_EXISTING : CONN_ESTABLISHED, r->taken);
	}
}

static __always_inline void unix_see(const struct sk_buff *skb, struct sock *sender, int len, const bool pages)
{
	struct unix_state *st = unix_get(sender);
	struct piece p = { .skb = skb, .len = len, .pages = pages };
	__u32 slot, wish;
	__u64 *word;

	if (!st || st->ignored)
		return;
	p.now_ns = bpf_ktime_get_ns();
	if (!st->told_ns || p.now_ns - st->told_ns > UNIX_TELL_NS)
		ends_tell(skb, st, p.now_ns);
	p.seq = (__u32)st->taken + st->ahead;
	if (unix_reads_told)
		st->ahead += len;
	else
		st->taken += len;
	if (!st->told_ns)
		return;
	p.limits = limits;
	if (!sample_takes(sample_cookies(st->cookie, st->peer), LIMIT_SHIFT(p.limits))) {
		count_seen(SEEN_LEFT_OUT, 1);
		return;
	}
	slot = WISH_SLOT(st->cookie, wish_slots);
	word = bpf_map_lookup_elem(&wishes, &slot);
	wish = word ? wish_of(*word, st->cookie) : WISH_AUTO;
	if (wish == WISH_NONE) {
		count_seen(SEEN_SEGMENTS, 1);
		count_seen(SEEN_PAYLOAD_BYTES, len);
		return;
	}
	p.offset = ((struct unix_skb_parms *)skb->cb)->consumed;
	p.linear = skb->len - skb->data_len;
	piece_plan(&p, st, wish);
	piece_submit(&p, st);
}

/* The socket that a buffer belongs to while it waits for its reader is its sender's. */
static __always_inline int copied(__u64 *ctx, const bool pages)
{
	const struct sk_buff *skb = ARG(const struct sk_buff *, 0);
	struct sock *sender = skb->sk;
	int len = ARG(int, 1);

	if (!sender || sender->__sk_common.skc_family != FAMILY_UNIX || sender->sk_type != TYPE_STREAM || len <= 0)
		return 0;
	unix_see(skb, sender, len, pages);
	return 0;
}

SEC("tp_btf/skb_copy_datagram_iovec")
int unix_copied(__u64 *ctx)
{
	return copied(ctx, true);
}

/* What is in the buffer's own memory: of messages of more than 3.7 KB little or nothing. */
SEC("tp_btf/skb_copy_datagram_iovec")
int unix_copied_linear(__u64 *ctx)
{
	return copied(ctx, false);
}

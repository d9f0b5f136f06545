/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tls: plaintext of TLS libraries, at the calls that take and give it.  An object of its own: it is loaded only when it is asked
 * for, and shares the ring and the counters with the others.
 *
 * Functions of C are hooked where they begin and where they return.  Go moves stacks, which a return probe does not survive:
 * there each RET instruction has a probe of its own, and a call belongs to a goroutine, whose address is in a register.
 */
#include <linux/ptrace.h>

#include "maps.h"
#include "tls.h"

#include <bpf/bpf_tracing.h>

#define PLAIN_MAX 16384u                /* a record of TLS; what is larger is copied in part */

#ifdef __TARGET_ARCH_x86
#define GO_OBJECT(ctx) ((ctx)->rax)
#define GO_BUF(ctx) ((ctx)->rbx)
#define GO_RESULT(ctx) ((ctx)->rax)
#define GO_ROUTINE(ctx) ((ctx)->r14)
#else
#define GO_OBJECT(ctx) (((struct user_pt_regs *)(ctx))->regs[0])
#define GO_BUF(ctx) (((struct user_pt_regs *)(ctx))->regs[1])
#define GO_RESULT(ctx) (((struct user_pt_regs *)(ctx))->regs[0])
#define GO_ROUTINE(ctx) (((struct user_pt_regs *)(ctx))->regs[28])
#endif

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);             /* tgid */
	__type(value, struct tls_process);
} tls_processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);             /* tgid << 32 | tid */
	__type(value, struct tls_call);
} tls_threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct tls_object); /* of a goroutine */
	__type(value, struct tls_call);
} tls_routines SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct tls_object);
	__type(value, struct tls_conn);
} tls_conns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} tls_hits SEC(".maps");

static const struct tls_call call_none;
static const struct tls_conn conn_none;

static __always_inline void count_hit(void)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(&tls_hits, &zero);

	if (n)
		++*n;
}

static __always_inline struct tls_call *call_of_thread(__u64 pid_tgid)
{
	struct tls_call *call = bpf_map_lookup_elem(&tls_threads, &pid_tgid);

	if (call)
		return call;
	bpf_map_update_elem(&tls_threads, &pid_tgid, &call_none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tls_threads, &pid_tgid);
}

static __always_inline struct tls_call *call_of_routine(__u32 tgid, __u64 routine)
{
	struct tls_object key = { .object = routine, .tgid = tgid };
	struct tls_call *call = bpf_map_lookup_elem(&tls_routines, &key);

	if (call)
		return call;
	bpf_map_update_elem(&tls_routines, &key, &call_none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tls_routines, &key);
}

static __always_inline struct tls_conn *conn_of(__u32 tgid, __u64 object)
{
	struct tls_object key = { .object = object, .tgid = tgid };
	struct tls_conn *c = bpf_map_lookup_elem(&tls_conns, &key);

	if (c)
		return c;
	bpf_map_update_elem(&tls_conns, &key, &conn_none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tls_conns, &key);
}

/* A process that user space has not told of: the library is hooked for all that map it. */
static __always_inline void process_note(__u32 tgid, __u32 kind)
{
	struct tls_process *p = bpf_map_lookup_elem(&tls_processes, &tgid), fresh = { .kinds = kind };

	if (p && p->kinds & kind)
		return;
	if (p)
		p->kinds |= kind;
	else
		bpf_map_update_elem(&tls_processes, &tgid, &fresh, BPF_NOEXIST);
}

static __always_inline void call_begin(struct tls_call *call, __u8 dir, __u64 object, __u64 buf, __u64 done)
{
	call->object = object;
	call->buf = buf;
	call->done = done;
	call->cookie = 0;
	call->dir = dir;
	call->active = 1;
	call->ts_ns = bpf_ktime_get_ns();
}

static __always_inline void plain_fill(struct ev_data *e, struct tls_conn *c, const struct tls_call *call, __u32 len,
                                       struct copy_plan plan, __u64 pid_tgid)
{
	/* written: when the call began; read: when it was given to the program */
	ev_begin(&e->h, EV_DATA, sizeof(*e) + plan.head + plan.tail, call->dir == DIR_OUT ? call->ts_ns : bpf_ktime_get_ns());
	e->cookie = c->cookie;
	e->seq = c->seq[call->dir & 1];
	e->len = len;
	e->head = plan.head;
	e->tail = plan.tail;
	e->dir = call->dir;
	e->flags = DATA_PLAIN | (plan.head + plan.tail < len ? DATA_CUT : 0);
	e->shift = e->pad = 0;
	e->tgid = pid_tgid >> 32;
	e->tid = call->dir == DIR_OUT ? (__u32)pid_tgid : 0;
	e->rd_tid = c->rd_tid;
	e->rd_seq = call->dir == DIR_OUT ? c->seq[DIR_IN] : 0;
	e->rd_ts_ns = c->rd_ts_ns;
	e->arr_ns = 0;
	__builtin_memset(e->wait, 0, sizeof(e->wait));
	e->woken = 0;
}

static __always_inline void plain_emit(struct tls_conn *c, const struct tls_call *call, __u32 len, struct copy_plan plan,
                                       __u64 pid_tgid, const __u32 cap)
{
	struct ev_data *e = bpf_ringbuf_reserve(&ring, sizeof(*e) + cap, 0);
	__u32 head = plan.head, tail = plan.tail;
	long err;

	if (!e) {
		count_drop(DROP_RING_DATA, 1);
		count_drop(DROP_BYTES, len);
		return;
	}
	plain_fill(e, c, call, len, plan, pid_tgid);
	asm volatile("" : "+r"(head));
	head = head > cap - COPY_TAIL ? cap - COPY_TAIL : head;
	err = bpf_probe_read_user(e->payload, head, (void *)call->buf);
	asm volatile("" : "+r"(tail));
	tail = tail > COPY_TAIL ? COPY_TAIL : tail;
	if (tail && !err)
		err = bpf_probe_read_user(e->payload + head, tail, (void *)(call->buf + len - tail));
	if (err) {
		count_drop(DROP_LOAD, 1);
		bpf_ringbuf_discard(e, BPF_RB_NO_WAKEUP);
		return;
	}
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

static __always_inline void plain_tell(struct tls_conn *c, struct tls_call *call, __u32 len, __u64 pid_tgid)
{
	struct copy_plan plan = copy_plan(len, len > PLAIN_MAX ? WISH_HEADS : WISH_AUTO, 0, &c->credit[call->dir & 1],
	                                  bpf_ktime_get_ns());

	if (!c->cookie) {
		count_drop(DROP_PLAIN_SOCKET, 1);
		return;
	}
	if (plan.head <= 448)
		plain_emit(c, call, len, plan, pid_tgid, 448 + COPY_TAIL);
	else if (plan.head <= COPY_HEAD)
		plain_emit(c, call, len, plan, pid_tgid, COPY_HEAD + COPY_TAIL);
	else
		plain_emit(c, call, len, plan, pid_tgid, PLAIN_MAX + COPY_TAIL);
}

/* moved: bytes; 0 or less: none, but the socket used within the call is worth knowing all the same. */
static __always_inline void call_end(struct tls_call *call, __u64 pid_tgid, __s64 moved)
{
	struct tls_conn *c;

	call->active = 0;
	c = conn_of(pid_tgid >> 32, call->object);
	if (!c) {
		count_drop(DROP_STORAGE, 1);
		return;
	}
	tls_bind(c, call);
	if (moved <= 0 || call->dir == TLS_HANDSHAKE)
		return;
	plain_tell(c, call, (__u32)moved, pid_tgid);
	c->seq[call->dir & 1] += (__u32)moved;
	if (call->dir == DIR_IN) {
		c->rd_tid = (__u32)pid_tgid;
		c->rd_ts_ns = bpf_ktime_get_ns();
	}
}

static __always_inline int c_begin(struct pt_regs *ctx, __u8 dir, __u64 done)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();

	struct tls_call *call = call_of_thread(pid_tgid);

	count_hit();
	process_note(pid_tgid >> 32, TLS_OF_C);
	/* the outermost call counts: libraries call their own functions */
	if (!call || (call->active && PT_REGS_SP(ctx) < call->sp))
		return 0;
	call_begin(call, dir, PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), done);
	call->sp = PT_REGS_SP(ctx);
	return 0;
}

/* int SSL_write(SSL *, const void *, int), ssize_t gnutls_record_send(session, const void *, size_t) */
SEC("uprobe")
int tls_write(struct pt_regs *ctx)
{
	return c_begin(ctx, DIR_OUT, 0);
}

SEC("uprobe")
int tls_read(struct pt_regs *ctx)
{
	return c_begin(ctx, DIR_IN, 0);
}

/* int SSL_write_ex(SSL *, const void *, size_t, size_t *written) */
SEC("uprobe")
int tls_write_ex(struct pt_regs *ctx)
{
	return c_begin(ctx, DIR_OUT, PT_REGS_PARM4(ctx));
}

SEC("uprobe")
int tls_read_ex(struct pt_regs *ctx)
{
	return c_begin(ctx, DIR_IN, PT_REGS_PARM4(ctx));
}

SEC("uprobe")
int tls_shake(struct pt_regs *ctx)
{
	return c_begin(ctx, TLS_HANDSHAKE, 0);
}

/* Of any of them. */
SEC("uretprobe")
int tls_return(struct pt_regs *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid(), done = 0;
	struct tls_call *call = bpf_map_lookup_elem(&tls_threads, &pid_tgid);
	__s64 result = (int)PT_REGS_RC(ctx);

	count_hit();
	if (!call || !call->active || PT_REGS_SP(ctx) < call->sp)
		return 0;
	if (call->done && result == 1) {
		if (bpf_probe_read_user(&done, sizeof(done), (void *)call->done))
			count_drop(DROP_LOAD, 1);
		result = (__s64)done;
	}
	call_end(call, pid_tgid, result);
	return 0;
}

/* SSL_free, gnutls_deinit: the next object at this address is another. */
SEC("uprobe")
int tls_free(struct pt_regs *ctx)
{
	struct tls_object key = { .object = PT_REGS_PARM1(ctx), .tgid = bpf_get_current_pid_tgid() >> 32 };

	count_hit();
	bpf_map_delete_elem(&tls_conns, &key);
	return 0;
}

static __always_inline int go_begin(struct pt_regs *ctx, __u8 dir)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct tls_call *call;

	count_hit();
	process_note(tgid, TLS_OF_GO);
	call = call_of_routine(tgid, GO_ROUTINE(ctx));
	if (call)
		call_begin(call, dir, GO_OBJECT(ctx), GO_BUF(ctx), 0);
	return 0;
}

/* func (c *tls.Conn) Write(b []byte) (int, error) */
SEC("uprobe")
int tls_go_write(struct pt_regs *ctx)
{
	return go_begin(ctx, DIR_OUT);
}

SEC("uprobe")
int tls_go_read(struct pt_regs *ctx)
{
	return go_begin(ctx, DIR_IN);
}

SEC("uprobe")
int tls_go_return(struct pt_regs *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct tls_object key = { .object = GO_ROUTINE(ctx), .tgid = pid_tgid >> 32 };
	struct tls_call *call = bpf_map_lookup_elem(&tls_routines, &key);

	count_hit();
	if (call && call->active) {
		call_end(call, pid_tgid, (__s64)GO_RESULT(ctx));
		bpf_map_delete_elem(&tls_routines, &key);
	}
	return 0;
}

/* A TCP socket is read or written by current: if that is within a call, the call is about it. */
static __always_inline void socket_used(__u64 cookie, bool read)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 tgid = pid_tgid >> 32;
	struct tls_process *p = bpf_map_lookup_elem(&tls_processes, &tgid);
	struct tls_call *call;

	if (!p)
		return;
	__sync_fetch_and_add(&p->ops, 1);
	if (p->kinds & TLS_OF_GO) {
		struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
		struct tls_object key = { .tgid = tgid };
		__u64 routine = 0;

		bpf_probe_read_kernel(&routine, sizeof(routine), &GO_ROUTINE(regs));
		key.object = routine;
		call = bpf_map_lookup_elem(&tls_routines, &key);
		if (call && call->active)
			call->cookie = cookie;
	}
	if (!(p->kinds & TLS_OF_C))
		return;
	call = read ? call_of_thread(pid_tgid) : bpf_map_lookup_elem(&tls_threads, &pid_tgid);
	if (!call)
		return;
	if (call->active)
		call->cookie = cookie;
	else if (read)
		call->last_read = cookie;
}

static __always_inline bool is_tcp(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return (family == FAMILY_INET || family == FAMILY_INET6) && sk->sk_protocol == PROTOCOL_TCP;
}

SEC("tp_btf/sock_send_length")
int tls_sock_wrote(__u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];

	if (is_tcp(sk))
		socket_used(bpf_get_socket_cookie(sk), false);
	return 0;
}

/* An attempt that found nothing tells as much about who reads which socket. */
SEC("tp_btf/sock_recv_length")
int tls_sock_read(__u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];

	if (is_tcp(sk))
		socket_used(bpf_get_socket_cookie(sk), (int)ctx[1] > 0);
	return 0;
}

/* Before 6.3 there are no such tracepoints. */
SEC("fentry/tcp_sendmsg")
int tls_sock_wrote_fentry(__u64 *ctx)
{
	socket_used(bpf_get_socket_cookie((struct sock *)ctx[0]), false);
	return 0;
}

SEC("fentry/tcp_recvmsg")
int tls_sock_read_fentry(__u64 *ctx)
{
	socket_used(bpf_get_socket_cookie((struct sock *)ctx[0]), true);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * owners: who reads and writes sockets; of TCP up to which byte.
 */
#include <linux/ptrace.h>

#include "cause.h"
#include "conn.h"
#include "seq.h"
#include "timing.h"
#include "unix.h"

#include <bpf/bpf_tracing.h>

#define PEEK 2                  /* MSG_PEEK */
#define CHANGES_MAX 16

/* The socket was read or written by current: its owner is known now, or another one. Told at once, because a socket that
 * only receives on loopback has no segment of its own that would tell it. */
static __always_inline void sock_used(struct sock *sk, struct sock_state *st, __u64 pid_tgid)
{
	if (!sock_own(st, pid_tgid) || st->changes >= CHANGES_MAX)
		return;
	st->changes++;
	if (!st->cookie)
		st->cookie = sock_cookie(sk);
	if (sock_passes(sk, st))
		st->announced = conn_emit(sk, st, CONN_OWNER, 0);
}

/* Where the segments of a write left later or in softirq, nobody knew the writer: say it now. */
static __always_inline void write_attribute(struct sock_state *st, __u32 write_seq, __u64 pid_tgid)
{
	if (st->wrote && seq_diff(write_seq, st->wrote_seq) <= 0)
		return;
	io_emit(st->cookie, pid_tgid, write_seq, DIR_OUT, bpf_ktime_get_ns());
	st->wrote_seq = write_seq;
	st->wrote = 1;
}

/* Current has written. */
static __always_inline void sock_was_written(struct sock *sk)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct sock_state *st = sock_get(sk);
	struct tcp_sock *tp = tcp_of(sk);

	if (!st || !tp)
		return;
	sock_used(sk, st, pid_tgid);
	if (sock_taken(sk) && sock_passes(sk, st))
		write_attribute(st, READ(tp, write_seq), pid_tgid);
}

/* Where a process serves and calls, what it writes next may have been caused by what it has read now. */
static __always_inline void read_tell(struct sock *sk, struct sock_state *st, __u64 pid_tgid)
{
	if (!middle_uses(pid_tgid >> 32, sock_serves(sk, st) ? ROLE_SERVER : ROLE_CLIENT) || !sock_taken(sk) || !sock_passes(sk, st))
		return;
	if (!st->cookie)
		st->cookie = sock_cookie(sk);
	read_emit(st, 0);
}

/* Current has taken bytes off the socket; where a hook does not tell a peek, the sequence number does not move. */
static __always_inline void sock_was_read(struct sock *sk)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct sock_state *st = sock_get(sk);
	struct tcp_sock *tp = tcp_of(sk);
	__u32 seq, arr_seq;
	__u64 arr_ns;

	if (!st || !tp)
		return;
	sock_used(sk, st, pid_tgid);
	seq = READ(tp, copied_seq);
	arr_ns = READ_ONCE(st->arr_ns);
	arr_seq = READ_ONCE(st->arr_seq);
	if (arr_ns && seq == arr_seq + 1)       /* a FIN that was read is no byte */
		seq = arr_seq;
	if (st->rd_ts_ns && st->rd_seq == seq)
		return;
	st->rd_arr_ns = arr_seq == seq ? arr_ns : 0;
	if (st->rd_tid != (__u32)pid_tgid)
		timing_drop(st);
	st->rd_tid = (__u32)pid_tgid;
	st->rd_seq = seq;
	st->rd_ts_ns = bpf_ktime_get_ns();
	if (sock_serves(sk, st))
		timing_mark(st, (__u32)pid_tgid);
	read_tell(sk, st, pid_tgid);
}

/* A socket that receives datagrams from anyone: whom they are for is known by where it is bound. */
static __always_inline void datagram_was_read(struct sock *sk)
{
	struct sock_state *st;

	if (READ(sk, sk_protocol) != PROTOCOL_UDP || READ(sk, __sk_common.skc_dport))
		return;
	st = sock_get(sk);
	if (st)
		sock_used(sk, st, bpf_get_current_pid_tgid());
}

TRACE_PROGRAM(sock_wrote, sock_send_length)
{
	struct sock *sk = ARG(struct sock *, 0);

	if (ARG(int, 1) <= 0)
		return 0;
	if (sock_is_tcp(sk))
		sock_was_written(sk);
#ifndef READS_COPY
	else if (sock_is_unix_stream(sk))
		unix_wrote(sk);
#endif
	return 0;
}

TRACE_PROGRAM(sock_read, sock_recv_length)
{
	struct sock *sk = ARG(struct sock *, 0);

#ifndef READS_COPY
	if (sock_is_unix_stream(sk)) {
		unix_was_read(sk, ARG(int, 1), ARG(int, 2) & PEEK);
		return 0;
	}
#endif
	if (ARG(int, 1) <= 0 || ARG(int, 2) & PEEK)
		return 0;
	if (sock_is_tcp(sk))
		sock_was_read(sk);
	else if (sock_is_inet(sk))
		datagram_was_read(sk);
	return 0;
}

/* Before 6.3 there is no such tracepoint. */
#ifndef READS_COPY
SEC("fexit/tcp_sendmsg")
int sock_wrote_fexit(__u64 *ctx)
{
	if (ARG(int, 3) > 0)
		sock_was_written(ARG(struct sock *, 0));
	return 0;
}

SEC("fentry/tcp_cleanup_rbuf")
int sock_read_fentry(__u64 *ctx)
{
	if (ARG(int, 1) > 0)
		sock_was_read(ARG(struct sock *, 0));
	return 0;
}
#else
/* The socket that a thread is writing to, for the return of the function. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct sock *);
} writing SEC(".maps");

SEC("kprobe/tcp_sendmsg")
int sock_wrote_kprobe(struct pt_regs *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct sock *sk = (void *)PT_REGS_PARM1(ctx);

	bpf_map_update_elem(&writing, &pid_tgid, &sk, BPF_ANY);
	return 0;
}

SEC("kretprobe/tcp_sendmsg")
int sock_wrote_kretprobe(struct pt_regs *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct sock **sk = bpf_map_lookup_elem(&writing, &pid_tgid);

	if (!sk)
		return 0;
	if ((int)PT_REGS_RC(ctx) > 0)
		sock_was_written(*sk);
	bpf_map_delete_elem(&writing, &pid_tgid);
	return 0;
}

SEC("kprobe/tcp_cleanup_rbuf")
int sock_read_kprobe(struct pt_regs *ctx)
{
	if ((int)PT_REGS_PARM2(ctx) > 0)
		sock_was_read((void *)PT_REGS_PARM1(ctx));
	return 0;
}
#endif

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * read: reading the kernel's structs, and the two kinds of programs that do.  A file that uses this is compiled twice:
 *
 *	typed    the kernel's own BTF says what the arguments are (tp_btf, fentry, iterators): a plain load that the verifier
 *		 has checked
 *	copying  (READS_COPY) arguments are numbers (raw_tp, kprobe): each read is a bpf_probe_read_kernel(); works with a BTF
 *		 file from elsewhere, and on kernels whose tracing programs lack a helper
 *
 * Both find fields by name when they are loaded (CO-RE).  The copying twin of a program f is named f_copy.
 */
#ifndef ROOTLE_BPF_READ_H
#define ROOTLE_BPF_READ_H

#include "kernel.h"

/* READ(p, a, b, c): p->a->b->c.  READ_BYTES(to, n, &p->a): n bytes, a constant. */
#ifdef READS_COPY
#define READ(...) BPF_CORE_READ(__VA_ARGS__)
#define READ_BYTES(to, n, from) bpf_core_read(to, n, from)
#else
#define READ_ARROW2(p, a) (p)->a
#define READ_ARROW3(p, a, b) (p)->a->b
#define READ_ARROW4(p, a, b, c) (p)->a->b->c
#define READ_ARROW5(p, a, b, c, d) (p)->a->b->c->d
#define READ_NTH(_1, _2, _3, _4, _5, nth, ...) nth
#define READ(...) READ_NTH(__VA_ARGS__, READ_ARROW5, READ_ARROW4, READ_ARROW3, READ_ARROW2, )(__VA_ARGS__)
#define READ_BYTES(to, n, from) __builtin_memcpy(to, from, n)
#endif

/* A program at a tracepoint, whose arguments are ARG(type, i) in either kind:
 *	TRACE_PROGRAM(sock_state_changed, inet_sock_set_state) { struct sock *sk = ARG(struct sock *, 0); … return 0; } */
#ifdef READS_COPY
#define TRACE_PROGRAM(name, point) SEC("raw_tp/" #point) int name##_copy(__u64 *ctx)
#else
#define TRACE_PROGRAM(name, point) SEC("tp_btf/" #point) int name(__u64 *ctx)
#endif
#define ARG(T, i) ((T)(ctx[i]))

/* A socket that is known to be TCP and no request or time-wait socket; NULL where it is not (typed only). */
static __always_inline struct tcp_sock *tcp_of(struct sock *sk)
{
#ifdef READS_COPY
	return (struct tcp_sock *)sk;
#else
	return bpf_skc_to_tcp_sock(sk);
#endif
}

#endif

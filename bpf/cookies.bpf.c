/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cookies: gives each TCP socket its cookie before the first record about it, where the programs that make the records cannot
 * (bpf_get_socket_cookie() in tracing programs: 5.12).  Decides nothing: every socket and connection is let through.
 */
#include "kernel.h"

#define PASS 1

SEC("cgroup/sock_create")
int cookie_created(struct bpf_sock *ctx)
{
	bpf_get_socket_cookie(ctx);
	return PASS;
}

/* A child of a listener begins without one; this comes before its state changes. */
SEC("sockops")
int cookie_established(struct bpf_sock_ops *ctx)
{
	if (ctx->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB || ctx->op == BPF_SOCK_OPS_TCP_CONNECT_CB)
		bpf_get_socket_cookie(ctx);
	return PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

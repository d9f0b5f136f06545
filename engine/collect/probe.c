/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/probe.h"

/* The kinds of rungs. Fields that only a few rows have follow the macro by name: { TP_BTF(…), .group = … }. */
#define TP_BTF(source_, part_, program_, point) \
	.source = source_, .part = part_, .rung = "tp_btf", .program = program_, .hook = "tp_btf/" point, .type = "tracing", \
	.knows = "btf_trace_" point, .needs = CAN_BPF | CAN_TRACE | CAN_KERNEL_BTF | CAN_TP_BTF
#define FENTRY(source_, part_, program_, where, function) \
	.source = source_, .part = part_, .rung = "fentry", .program = program_, .hook = where "/" function, .type = "tracing", \
	.knows = "function:" function, .needs = CAN_BPF | CAN_TRACE | CAN_KERNEL_BTF | CAN_FENTRY
#define KPROBE(source_, part_, program_, function) \
	.source = source_, .part = part_, .rung = "kprobe", .program = program_, .hook = "kprobe/" function, .type = "kprobe", \
	.knows = "function:" function, .needs = CAN_BPF | CAN_TRACE | CAN_KPROBE | CAN_RELOCATE
#define TRACEPOINT(source_, part_, program_, point) \
	.source = source_, .part = part_, .rung = "tracepoint", .program = program_, .hook = "raw_tp/" point, \
	.type = "raw_tracepoint", .knows = "btf_trace_" point, .needs = CAN_BPF | CAN_TRACE | CAN_RELOCATE
#define ITERATOR(source_, part_, program_, what, also_needs, group_) \
	.source = source_, .part = part_, .rung = "iterator", .program = program_, .hook = "iter/" what, .type = "tracing", \
	.knows = "bpf_iter__" what, .needs = CAN_BPF | CAN_TRACE | CAN_KERNEL_BTF | CAN_ITERATE | (also_needs), .group = group_
#define PACKETS(part_, rung_, program_, hook_, needs_) \
	.source = "packets", .part = part_, .rung = rung_, .program = program_, .hook = hook_, .type = "cgroup_skb", \
	.needs = CAN_BPF | CAN_CGROUP | (needs_), .group = PROBE_PACKETS | PROBE_STATE
/* Of UNIX streams: what is known of them is only kept with the socket. */
#define COPIED(program_) \
	.source = "unix", .part = "payload", .rung = "tp_btf", .program = program_, .type = "tracing", \
	.hook = "tp_btf/skb_copy_datagram_iovec", .knows = "btf_trace_skb_copy_datagram_iovec", \
	.needs = CAN_BPF | CAN_TRACE | CAN_KERNEL_BTF | CAN_TP_BTF | CAN_SOCK_STORAGE | CAN_SOCK_COOKIE
/* What is left without any of the rungs above it. */
#define FLOOR(source_, part_, rung_, lacks_) .source = source_, .part = part_, .rung = rung_, .lacks = lacks_

/* A tracepoint that is reached by type, else by copying; then nothing. */
#define TRACED(source, part, program, point, lacks, group_) \
	{ TP_BTF(source, part, program, point), .group = group_ }, \
	{ TRACEPOINT(source, part, program "_copy", point), .group = (group_) | PROBE_COPIES }, \
	{ FLOOR(source, part, "absent", lacks), .group = group_ }

const struct probe_row probe_table[] = {
	{ PACKETS("sent", "cgroup_skb", "packet_out", "cgroup_skb/egress", CAN_TRACE | CAN_KERNEL_BTF) },
	{ PACKETS("sent", "cgroup_skb-plain", "packet_out_copy", "cgroup_skb/egress", 0),
	  .lacks = "which thread wrote, where its owner is not told otherwise" },
	{ FLOOR("packets", "sent", "absent", "requests: nothing is read from connections"), .group = PROBE_PACKETS },
	{ PACKETS("received", "cgroup_skb", "packet_in", "cgroup_skb/ingress", CAN_TRACE | CAN_KERNEL_BTF) },
	{ PACKETS("received", "cgroup_skb-plain", "packet_in_copy", "cgroup_skb/ingress", 0) },
	{ FLOOR("packets", "received", "absent", "what other hosts send, requests and answers"), .group = PROBE_PACKETS },

	{ TP_BTF("sockets", "states", "sock_state_changed", "inet_sock_set_state"), .group = PROBE_STATE },
	{ TRACEPOINT("sockets", "states", "sock_state_changed_copy", "inet_sock_set_state"),
	  .group = PROBE_STATE | PROBE_COPIES },
	{ .source = "sockets", .part = "states", .rung = "sockops", .program = "sock_lives", .also = "sock_made",
	  .hook = "sockops, cgroup/sock_create", .type = "sock_ops", .needs = CAN_BPF | CAN_CGROUP, .group = PROBE_STATE,
	  .lacks = "why a connection ended; a process that was handed the socket" },
	{ FLOOR("sockets", "states", "sock_diag", "short connections, refused and timed out ones"), .group = PROBE_STATE },
	TRACED("sockets", "retransmits", "sock_retransmitted", "tcp_retransmit_skb", "when retransmits happened", PROBE_STATE),
	TRACED("sockets", "resets sent", "sock_reset_sent", "tcp_send_reset", "resets sent", PROBE_STATE),
	TRACED("sockets", "resets received", "sock_reset_received", "tcp_receive_reset", "resets received", PROBE_STATE),
	{ .source = "sockets", .part = "cookies", .rung = "cgroup_sock", .program = "cookie_created",
	  .also = "cookie_established", .hook = "cgroup/sock_create, sockops", .type = "cgroup_sock",
	  .needs = CAN_BPF | CAN_CGROUP, .group = PROBE_COOKIES },
	{ FLOOR("sockets", "cookies", "absent", "connections that exchange nothing"), .group = PROBE_COOKIES },

	{ TP_BTF("owners", "writes", "sock_wrote", "sock_send_length"), .group = PROBE_STATE },
	{ FENTRY("owners", "writes", "sock_wrote_fexit", "fexit", "tcp_sendmsg"), .group = PROBE_STATE },
	{ TRACEPOINT("owners", "writes", "sock_wrote_copy", "sock_send_length"), .group = PROBE_STATE | PROBE_COPIES },
	{ KPROBE("owners", "writes", "sock_wrote_kprobe", "tcp_sendmsg"), .also = "sock_wrote_kretprobe",
	  .group = PROBE_STATE | PROBE_COPIES },
	{ FLOOR("owners", "writes", "absent", "which thread wrote an answer"), .group = PROBE_STATE },
	{ TP_BTF("owners", "reads", "sock_read", "sock_recv_length"), .group = PROBE_STATE },
	{ FENTRY("owners", "reads", "sock_read_fentry", "fentry", "tcp_cleanup_rbuf"), .group = PROBE_STATE },
	{ TRACEPOINT("owners", "reads", "sock_read_copy", "sock_recv_length"), .group = PROBE_STATE | PROBE_COPIES },
	{ KPROBE("owners", "reads", "sock_read_kprobe", "tcp_cleanup_rbuf"), .group = PROBE_STATE | PROBE_COPIES },
	{ FLOOR("owners", "reads", "absent", "which thread read a request, and when"), .group = PROBE_STATE },

	{ COPIED("unix_copied") },
	{ COPIED("unix_copied_linear"), .lacks = "of messages of more than 3.7 KB over UNIX sockets all but the first bytes" },
	{ FLOOR("unix", "payload", "absent", "who talks over UNIX sockets, and what") },

	TRACED("processes", "forks", "proc_forked", "sched_process_fork", "processes shorter than a sample", 0),
	TRACED("processes", "programs", "proc_executed", "sched_process_exec", "programs started between samples", 0),
	TRACED("processes", "exits", "proc_exited", "sched_process_exit", "exit codes", 0),
	TRACED("processes", "signals", "proc_signalled", "signal_generate", "who killed or stopped whom", 0),
	TRACED("oom", "victims", "proc_victim", "mark_victim", "whom the kernel killed for memory", 0),
	TRACED("waits", "switches", "task_switched", "sched_switch",
	       "what threads wait for: disk, memory, locks, peers, CPU quota; the parts of a request", PROBE_SCHED),
	TRACED("reclaim", "begins", "task_reclaims", "mm_vmscan_direct_reclaim_begin", "CPU time of freeing memory first", PROBE_SCHED),
	TRACED("reclaim", "ends", "task_reclaimed", "mm_vmscan_direct_reclaim_end", "CPU time of freeing memory first", PROBE_SCHED),
	TRACED("reclaim", "begins in a limit", "task_limited", "mm_vmscan_memcg_reclaim_begin", "the same in a cgroup's limit",
	       PROBE_SCHED),
	TRACED("reclaim", "ends in a limit", "task_unlimited", "mm_vmscan_memcg_reclaim_end", "the same in a cgroup's limit",
	       PROBE_SCHED),

	{ .source = "profile", .part = "stacks", .rung = "perf_event", .program = "profile_sampled", .hook = "perf_event/cpu-clock",
	  .type = "perf_event", .needs = CAN_BPF | CAN_TRACE | CAN_RELOCATE, .group = PROBE_CLOCK },
	{ FLOOR("profile", "stacks", "absent", "which functions use the CPU"), .group = PROBE_CLOCK },

	{ ITERATOR("tasks", "threads", "task_each", "task", 0, PROBE_ITERATES) },
	{ FLOOR("tasks", "threads", "/proc", "cheap sampling") },
	{ ITERATOR("tcp health", "sockets", "health_each", "bpf_sk_storage_map", CAN_SOCK_STORAGE, PROBE_STATE | PROBE_STORAGE) },
	{ FLOOR("tcp health", "sockets", "absent", "queues, closed windows and accept queues") },
	{ ITERATOR("existing sockets", "sockets", "sock_existing", "task_file", CAN_SOCK_STORAGE, PROBE_STATE | PROBE_ITERATES) },
	{ FLOOR("existing sockets", "sockets", "sock_diag", "connections from before rootle in full: no counters of theirs") },
};
const size_t probe_table_n = sizeof(probe_table) / sizeof(probe_table[0]);

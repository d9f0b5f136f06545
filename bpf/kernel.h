/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * kernel: the kernel's types as far as the programs read them.  Fields are found by name when the programs are loaded
 * (CO-RE), so order, padding and missing fields here mean nothing.  A ___suffix is a flavour: the same kernel type as
 * another version has it; test with bpf_core_field_exists() or bpf_core_type_exists() before reading one.
 */
#ifndef ROOTLE_BPF_KERNEL_H
#define ROOTLE_BPF_KERNEL_H

#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;
typedef struct { __s64 counter; } atomic64_t;
typedef struct { __u32 val; } kuid_t;

struct ns_common { unsigned int inum; };
struct net { struct ns_common ns; };
typedef struct { struct net *net; } possible_net_t;

struct in6_addr { union { __u32 u6_addr32[4]; } in6_u; };

struct sock_common {
	__u32 skc_daddr, skc_rcv_saddr;
	__u16 skc_dport, skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
};

struct socket;
struct sock {
	struct sock_common __sk_common;
	struct socket *sk_socket;
	__u16 sk_type, sk_protocol;
	int sk_err;
	__u32 sk_ack_backlog, sk_max_ack_backlog;
	atomic_t sk_drops;
};
struct inet_sock { struct sock sk; __u16 inet_sport; };
struct inet_connection_sock { struct inet_sock icsk_inet; };
struct minmax_sample { __u32 t, v; };
struct minmax { struct minmax_sample s[3]; };
struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 copied_seq, rcv_nxt, write_seq, snd_una, srtt_us, total_retrans, segs_in, segs_out;
	struct minmax rtt_min;
	__u64 bytes_received, bytes_acked;
};
struct unix_address { int len; };
struct unix_sock { struct sock sk; struct unix_address *addr; struct sock *peer; };
struct unix_skb_parms { __u32 consumed; };                   /* what af_unix keeps in sk_buff.cb */
struct sk_buff { struct sock *sk; unsigned int len, data_len; unsigned char *data; char cb[48]; };
struct socket { struct sock *sk; };
struct file;

struct kernfs_node { __u64 id; };
struct cgroup { struct kernfs_node *kn; };
struct css_set { struct cgroup *dfl_cgrp; };
struct nsproxy { struct net *net_ns; };
struct cred { kuid_t uid; };
struct sched_info { unsigned long long run_delay; };
struct cfs_rq { int throttle_count; };                       /* with CFS_BANDWIDTH */
struct sched_entity { __u64 sum_exec_runtime; struct cfs_rq *cfs_rq; };
struct task_io_accounting { __u64 read_bytes, write_bytes, cancelled_write_bytes; };
struct percpu_counter { __s64 count; };
struct mm_rss_stat { atomic_long_t count[4]; };              /* until 6.1 */
struct mm_struct { struct percpu_counter rss_stat[4]; };     /* since 6.2 */
struct mm_struct___atomic { struct mm_rss_stat rss_stat; };
struct signal_struct {
	atomic_t live;
	int group_exit_code;
	unsigned int flags;
	struct task_io_accounting ioac;
};
struct task_struct {
	unsigned int __state;                                /* since 5.14 */
	unsigned int flags;
	int exit_state, exit_code;
	void *stack;
	unsigned in_iowait : 1;
	int pid, tgid;
	struct task_struct *real_parent, *group_leader;
	struct sched_entity se;
	struct sched_info sched_info;
	struct task_io_accounting ioac;
	struct mm_struct *mm;
	struct signal_struct *signal;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
	const struct cred *cred;
	__u64 start_boottime;                                /* since 5.5 */
	unsigned long maj_flt;
	char comm[16];
};
struct task_struct___state { volatile long state; };         /* until 5.13 */

struct linux_binprm { const char *filename; };

struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; __u64 session_id; };
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; };
struct bpf_iter__task_file { struct bpf_iter_meta *meta; struct task_struct *task; __u32 fd; struct file *file; };
struct bpf_map;
struct bpf_iter__bpf_sk_storage_map { struct bpf_iter_meta *meta; struct bpf_map *map; struct sock *sk; void *value; };

#pragma clang attribute pop

enum {                          /* include/net/tcp_states.h */
	ST_ESTABLISHED = 1, ST_SYN_SENT, ST_SYN_RECV, ST_FIN_WAIT1, ST_FIN_WAIT2, ST_TIME_WAIT, ST_CLOSE, ST_CLOSE_WAIT,
	ST_LAST_ACK, ST_LISTEN, ST_CLOSING, ST_NEW_SYN_RECV,
};

#define FAMILY_INET 2
#define FAMILY_INET6 10
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define KTHREAD_FLAG 0x00200000u        /* PF_KTHREAD */

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sample: one reading of the node, its processes, cgroups and devices.  Numbers are as the kernel counts them (since the boot,
 * the start of the process, the creation of the cgroup); differences are the model's business.  Unknown is NAN for doubles
 * and UINT64_MAX (UNKNOWN) for integers.  Units in the names.
 */
#ifndef ROOTLE_FACTS_SAMPLE_H
#define ROOTLE_FACTS_SAMPLE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/vec.h"

#define UNKNOWN UINT64_MAX

enum sample_wait {                /* what the threads of a process waited for, where a scheduler's probe tells */
	WAITED_IO,                /* devices and file systems */
	WAITED_MEM,               /* page faults that read or wait, freeing memory before an allocation */
	WAITED_FUTEX,             /* locks and conditions of user space, idle workers on them included */
	WAITED_NET,               /* the other end of a socket or pipe */
	WAITED_THROTTLED,         /* the CPU quota of their cgroup */
	WAITED_MAX
};

struct sample_psi { uint64_t some_us, full_us; };     /* totals */

struct sample_process {
	uint32_t pid;
	uint64_t start_ticks;     /* identity with pid */
	uint64_t cpu_ns, runq_wait_ns, disk_wait_ns;      /* all threads; runq and disk UNKNOWN where nothing tells; runq without
	                                                   * WAITED_THROTTLED where that is known; disk: all that is uninterruptible */
	uint64_t waited_ns[WAITED_MAX];                   /* all threads; UNKNOWN where nothing tells */
	uint64_t major_faults;
	uint64_t rss_bytes;
	uint64_t shared_bytes;    /* of these files' and shared memory, which other processes may have too; 0 where not known */
	uint64_t read_bytes, write_bytes;                 /* /proc/PID/io: from and to block devices */
	uint32_t threads, fds;    /* fds UINT32_MAX: not known, or not counted this time */
	uint64_t fd_limit;        /* soft RLIMIT_NOFILE */
	char state;               /* of the leader: R S D T Z I */
	const char *cgroup;       /* path of its row in sample.cgroups, as of now; NULL: the root, or none */
};

struct sample_cgroup {
	const char *path;         /* from the root of its hierarchy, as in process_ident.cgroup */
	uint64_t cpu_ns, throttled_ns, periods_throttled; /* throttling: of the level that has the quota */
	double quota_cores;       /* the tightest of this and the levels above; NAN: no quota */
	uint64_t mem_bytes;       /* working set: usage less inactive file cache */
	uint64_t mem_limit_bytes; /* the tightest of this and the levels above; UNKNOWN: none */
	uint64_t read_bytes, write_bytes;
	struct sample_psi psi_mem, psi_io, psi_cpu;       /* UNKNOWN on v1 */
	uint32_t pids;            /* threads and processes; UINT32_MAX unknown */
};

struct sample_device {            /* of /proc/diskstats, whole disks, partitions and loop devices with I/O */
	const char *name;
	uint64_t reads, writes, read_bytes, write_bytes;
	uint64_t read_ms, write_ms, busy_ms, weighted_ms;
};

struct sample_interface {
	const char *name;         /* of the node's own network namespace */
	uint64_t rx_bytes, tx_bytes, rx_drops, tx_drops, errors;
};

struct sample_node {
	uint32_t cpus;
	uint64_t cpu_user_ns, cpu_system_ns, cpu_idle_ns, cpu_iowait_ns, cpu_steal_ns, cpu_softirq_ns;
	uint64_t running;         /* runnable threads now */
	uint64_t mem_total_bytes, mem_available_bytes, swap_used_bytes;
	uint64_t major_faults;
	struct sample_psi psi_cpu, psi_mem, psi_io;
	uint64_t tcp_listen_overflows, tcp_listen_drops, tcp_syncookies, tcp_retrans_segs, tcp_out_segs;
};

struct sample {
	struct arena arena;       /* strings; reset with the sample */
	int64_t unix_ns;
	uint64_t ts_ns;           /* monotonic: rates are per this clock */
	struct sample_node node;
	VEC(struct sample_process) processes;
	VEC(struct sample_cgroup) cgroups;
	VEC(struct sample_device) devices;
	VEC(struct sample_interface) interfaces;
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metric: the resource metrics that we measure, a row each.  An imported metric may have any other name; it is evidence
 * all the same, described by its name.
 */
#ifndef ROOTLE_MODEL_METRIC_H
#define ROOTLE_MODEL_METRIC_H

#include <stdbool.h>

enum metric_id {
	/* of a service (summed over its processes) and of a cgroup */
	M_CPU_CORES,          /* CPU seconds per second */
	M_CPU_THROTTLED_S,    /* seconds throttled per second, of its cgroups; limit: quota in cores */
	M_RUNQ_WAIT_S,        /* thread-seconds waiting on a run queue, per second */
	M_MEM_BYTES,          /* resident; limit: of the cgroup */
	M_MEM_STALL_S,        /* PSI memory "some" of its cgroup, per second; node: of the node */
	M_MAJOR_FAULTS,       /* per second */
	M_DISK_READ_BYTES,    /* per second, caused by its processes */
	M_DISK_WRITE_BYTES,
	M_DISK_WAIT_S,        /* thread-seconds in uninterruptible sleep, per second; what they are for is in these: */
	M_IO_WAIT_S,          /* thread-seconds waiting for devices and file systems, per second */
	M_MEM_WAIT_S,         /* … in page faults that read or wait, and freeing memory before an allocation */
	M_FUTEX_WAIT_S,       /* … for locks and conditions of user space; idle workers wait so too */
	M_NET_WAIT_S,         /* … for the other end of a socket or pipe: reading, connecting, sending */
	M_QUOTA_WAIT_S,       /* … runnable, but throttled by the CPU quota of their cgroup */
	M_NET_RX_BYTES,       /* per second, TCP payload */
	M_NET_TX_BYTES,
	M_RETRANS_SEGMENTS,   /* per second */
	M_THREADS,
	M_FDS,                /* limit: smallest soft RLIMIT_NOFILE of its processes */
	M_CONNECTIONS,        /* open TCP connections */
	M_RESTARTS,           /* processes of it that were started anew in the interval */
	M_PROCESSES,
	M_STOPPED,            /* processes in state T */
	M_FORKS,              /* processes that its processes started, per second; node: all that were */
	M_ACCEPT_QUEUE,       /* connections that wait for accept(); device: the listener's address; limit: its backlog */
	M_ACCEPT_OVERFLOWS,   /* per second, attempts thrown away for a full queue; device: as above; node: all of them */
	/* of the node (service kind "node") */
	M_CPU_IDLE_CORES, M_CPU_STEAL_CORES, M_CPU_IOWAIT_CORES,
	M_LOAD_RUNNING,       /* runnable threads; limit: number of CPUs */
	M_PSI_CPU_SOME_S, M_PSI_MEM_FULL_S, M_PSI_IO_SOME_S, M_PSI_IO_FULL_S,
	M_MEM_AVAILABLE_BYTES,/* limit: total */
	M_SWAP_BYTES,
	M_SYNCOOKIES,         /* sent per second: the queue of half-open connections was full */
	/* of a device of the node: device is set */
	M_DEV_READ_BYTES, M_DEV_WRITE_BYTES, M_DEV_IOPS,
	M_DEV_AWAIT_S,        /* seconds an I/O took on average */
	M_DEV_QUEUE,          /* I/Os in flight, averaged over the interval */
	M_DEV_BUSY_RATIO,     /* share of the time with I/O in flight */
	M_IF_RX_BYTES, M_IF_TX_BYTES, M_IF_DROPS,
	METRIC_MAX
};

struct metric_info {
	enum metric_id id;
	const char *name;     /* as in the file and in ndjson: "cpu_cores" */
	const char *unit;     /* "cores" "s/s" "bytes" "bytes/s" "" … for sentences */
	const char *what;     /* "CPU use", for sentences */
	double floor;         /* a change below this many units is never worth a word */
	bool gauge;           /* false: a rate per second */
	bool aside;           /* says where the threads of a service are, which follows from the load and from others: no sign of
	                       * a fault of its own */
};

/* METRIC_MAX rows, indexed by id. */
extern const struct metric_info metric_table[];
const char *metric_name(enum metric_id id);
/* NULL for a name that is none of ours. */
const struct metric_info *metric_by_name(const char *name);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/metric.h"

#include <stddef.h>
#include <string.h>

#define MB (1024.0 * 1024.0)

/*
 * Floors: what an idle machine does by itself within a second (a timer tick, a log line, a page of read-ahead) must stay
 * below them, so that "0 → a little" is never news.  A hundredth of a second per second is one scheduler tick at HZ=100.
 */
const struct metric_info metric_table[] = {
	[M_CPU_CORES] = {M_CPU_CORES, "cpu_cores", "cores", "CPU use", 0.05, false},
	[M_CPU_THROTTLED_S] = {M_CPU_THROTTLED_S, "cpu_throttled_s", "s/s", "CPU quota throttling", 0.02, false},
	[M_RUNQ_WAIT_S] = {M_RUNQ_WAIT_S, "runq_wait_s", "s/s", "wait for a CPU", 0.05, false},
	[M_MEM_BYTES] = {M_MEM_BYTES, "mem_bytes", "bytes", "memory", 16 * MB, true},
	[M_MEM_STALL_S] = {M_MEM_STALL_S, "mem_stall_s", "s/s", "memory stall", 0.01, false},
	[M_MAJOR_FAULTS] = {M_MAJOR_FAULTS, "major_faults", "/s", "major page faults", 20, false},
	[M_DISK_READ_BYTES] = {M_DISK_READ_BYTES, "disk_read_bytes", "bytes/s", "disk reads", 1 * MB, false},
	[M_DISK_WRITE_BYTES] = {M_DISK_WRITE_BYTES, "disk_write_bytes", "bytes/s", "disk writes", 1 * MB, false},
	[M_DISK_WAIT_S] = {M_DISK_WAIT_S, "disk_wait_s", "s/s", "wait for the disk", 0.05, false},
	[M_IO_WAIT_S] = {M_IO_WAIT_S, "io_wait_s", "s/s", "wait for block I/O", 0.05, false, true},
	[M_MEM_WAIT_S] = {M_MEM_WAIT_S, "mem_wait_s", "s/s", "wait for memory", 0.01, false, true},
	[M_FUTEX_WAIT_S] = {M_FUTEX_WAIT_S, "futex_wait_s", "s/s", "wait for locks", 0.1, false, true},
	[M_NET_WAIT_S] = {M_NET_WAIT_S, "net_wait_s", "s/s", "wait for peers", 0.1, false, true},
	[M_QUOTA_WAIT_S] = {M_QUOTA_WAIT_S, "quota_wait_s", "s/s", "wait for the CPU quota", 0.02, false, true},
	[M_NET_RX_BYTES] = {M_NET_RX_BYTES, "net_rx_bytes", "bytes/s", "network received", 256 * 1024.0, false},
	[M_NET_TX_BYTES] = {M_NET_TX_BYTES, "net_tx_bytes", "bytes/s", "network sent", 256 * 1024.0, false},
	[M_RETRANS_SEGMENTS] = {M_RETRANS_SEGMENTS, "retrans_segments", "segments/s", "retransmits", 2, false},
	[M_THREADS] = {M_THREADS, "threads", "", "threads", 4, true},
	[M_FDS] = {M_FDS, "fds", "", "open files", 20, true},
	[M_CONNECTIONS] = {M_CONNECTIONS, "connections", "", "open connections", 4, true},
	[M_RESTARTS] = {M_RESTARTS, "restarts", "", "processes restarted", 1, true},
	[M_PROCESSES] = {M_PROCESSES, "processes", "", "processes", 2, true},
	[M_STOPPED] = {M_STOPPED, "stopped", "", "stopped processes", 1, true},
	[M_FORKS] = {M_FORKS, "forks", "/s", "processes started", 20, false},
	[M_ACCEPT_QUEUE] = {M_ACCEPT_QUEUE, "accept_queue", "connections", "accept queue", 4, true},
	[M_ACCEPT_OVERFLOWS] = {M_ACCEPT_OVERFLOWS, "accept_overflows", "/s", "accept-queue overflows", 0.5, false},
	[M_CPU_IDLE_CORES] = {M_CPU_IDLE_CORES, "cpu_idle_cores", "cores", "idle CPU", 0.1, false},
	[M_CPU_STEAL_CORES] = {M_CPU_STEAL_CORES, "cpu_steal_cores", "cores", "CPU taken by the hypervisor", 0.05, false},
	[M_CPU_IOWAIT_CORES] = {M_CPU_IOWAIT_CORES, "cpu_iowait_cores", "cores", "CPU idle for I/O", 0.1, false},
	[M_LOAD_RUNNING] = {M_LOAD_RUNNING, "load_running", "threads", "runnable threads", 2, true},
	[M_PSI_CPU_SOME_S] = {M_PSI_CPU_SOME_S, "psi_cpu_some_s", "s/s", "CPU pressure", 0.05, false},
	[M_PSI_MEM_FULL_S] = {M_PSI_MEM_FULL_S, "psi_mem_full_s", "s/s", "full memory stall", 0.01, false},
	[M_PSI_IO_SOME_S] = {M_PSI_IO_SOME_S, "psi_io_some_s", "s/s", "I/O pressure", 0.05, false},
	[M_PSI_IO_FULL_S] = {M_PSI_IO_FULL_S, "psi_io_full_s", "s/s", "full I/O stall", 0.05, false},
	[M_MEM_AVAILABLE_BYTES] = {M_MEM_AVAILABLE_BYTES, "mem_available_bytes", "bytes", "available memory", 64 * MB, true},
	[M_SWAP_BYTES] = {M_SWAP_BYTES, "swap_bytes", "bytes", "swap in use", 16 * MB, true},
	[M_SYNCOOKIES] = {M_SYNCOOKIES, "syncookies", "/s", "SYN cookies", 1, false},
	[M_DEV_READ_BYTES] = {M_DEV_READ_BYTES, "dev_read_bytes", "bytes/s", "device reads", 1 * MB, false},
	[M_DEV_WRITE_BYTES] = {M_DEV_WRITE_BYTES, "dev_write_bytes", "bytes/s", "device writes", 1 * MB, false},
	[M_DEV_IOPS] = {M_DEV_IOPS, "dev_iops", "/s", "device operations", 20, false},
	[M_DEV_AWAIT_S] = {M_DEV_AWAIT_S, "dev_await_s", "s", "time of one I/O", 0.002, true},
	[M_DEV_QUEUE] = {M_DEV_QUEUE, "dev_queue", "", "device queue", 0.5, true},
	[M_DEV_BUSY_RATIO] = {M_DEV_BUSY_RATIO, "dev_busy_ratio", "", "device busy", 0.05, true},
	[M_IF_RX_BYTES] = {M_IF_RX_BYTES, "if_rx_bytes", "bytes/s", "interface received", 256 * 1024.0, false},
	[M_IF_TX_BYTES] = {M_IF_TX_BYTES, "if_tx_bytes", "bytes/s", "interface sent", 256 * 1024.0, false},
	[M_IF_DROPS] = {M_IF_DROPS, "if_drops", "packets/s", "packets dropped", 1, false},
};
_Static_assert(sizeof(metric_table) / sizeof(metric_table[0]) == METRIC_MAX, "a row for each metric");

const char *metric_name(enum metric_id id)
{
	return (unsigned)id < METRIC_MAX ? metric_table[id].name : "unknown";
}

const struct metric_info *metric_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < METRIC_MAX; i++)
		if (!strcmp(metric_table[i].name, name))
			return &metric_table[i];
	return NULL;
}

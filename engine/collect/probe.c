/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRACE(probe, program, point, lacks, group) \
	{ probe, program, "tp_btf/" point, "btf_trace_" point, "tracing", "tp_btf", lacks, group }

const struct probe_row probe_table[] = {
	{ "packets", "packet_out", "cgroup_skb/egress", NULL, "cgroup_skb", "cgroup_skb",
	  "requests: nothing is read from connections", PROBE_PACKETS },
	{ "packets", "packet_in", "cgroup_skb/ingress", NULL, "cgroup_skb", "cgroup_skb",
	  "what other hosts send, requests and answers", PROBE_PACKETS },
	TRACE("sockets", "sock_state_changed", "inet_sock_set_state", "short connections, refused and timed out ones",
	      PROBE_OTHER),
	TRACE("sockets", "sock_retransmitted", "tcp_retransmit_skb", "when retransmits happened", PROBE_OTHER),
	TRACE("sockets", "sock_reset_sent", "tcp_send_reset", "resets sent", PROBE_OTHER),
	TRACE("sockets", "sock_reset_received", "tcp_receive_reset", "resets received", PROBE_OTHER),
	TRACE("owners", "sock_wrote", "sock_send_length", "which thread wrote an answer", PROBE_OTHER),
	TRACE("owners", "sock_read", "sock_recv_length", "which thread read a request, and when", PROBE_OTHER),
	TRACE("processes", "proc_forked", "sched_process_fork", "processes shorter than a sample", PROBE_OTHER),
	TRACE("processes", "proc_executed", "sched_process_exec", "programs started between samples", PROBE_OTHER),
	TRACE("processes", "proc_exited", "sched_process_exit", "exit codes", PROBE_OTHER),
	TRACE("processes", "proc_signalled", "signal_generate", "who killed or stopped whom", PROBE_OTHER),
	TRACE("oom", "proc_victim", "mark_victim", "whom the kernel killed for memory", PROBE_OTHER),
	TRACE("disk wait", "task_switched", "sched_switch", "uninterruptible waits of each thread", PROBE_SCHED),
	{ "tasks", "task_each", "iter/task", "bpf_iter__task", "tracing", "iterator", "cheap sampling: /proc is read instead",
	  PROBE_OTHER },
	{ "existing sockets", "sock_existing", "iter/task_file", "bpf_iter__task_file", "tracing", "iterator",
	  "owners of connections that were open before: sock_diag is read instead", PROBE_OTHER },
};
const size_t probe_table_n = sizeof(probe_table) / sizeof(probe_table[0]);

static const struct need {
	const char *name;
	uint32_t bit;
	bool admin_does;        /* CAP_SYS_ADMIN includes it */
} needs[] = {
	{ "CAP_BPF", CAP_BPF, true },
	{ "CAP_PERFMON", CAP_PERFMON, true },
	{ "CAP_NET_ADMIN", CAP_NET_ADMIN, false },
};

const char *probe_missing_capability(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = {0};
	uint64_t have;

	if (syscall(SYS_capget, &h, d) < 0)
		return NULL;
	have = (uint64_t)d[1].effective << 32 | d[0].effective;
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		bool admin = needs[i].admin_does && have >> CAP_SYS_ADMIN & 1;

		if (!admin && !(have >> needs[i].bit & 1))
			return needs[i].name;
	}
	return NULL;
}

/* mountinfo(5): "… root mountpoint options - fstype …"; the mount of the whole hierarchy, not of a part. */
static int cgroup_mounted(void)
{
	char line[4096], root[2048], point[2048];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	int fd = -ENOENT;

	if (!f)
		return -errno;
	while (fd < 0 && fgets(line, sizeof(line), f)) {
		if (!strstr(line, " - cgroup2 "))
			continue;
		if (sscanf(line, "%*s %*s %*s %2047s %2047s", root, point) != 2 || strcmp(root, "/"))
			continue;
		fd = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	fclose(f);
	return fd;
}

static int cgroup_private(void)
{
	int fs = syscall(SYS_fsopen, "cgroup2", 1u /* FSOPEN_CLOEXEC */), mnt, err;

	if (fs < 0)
		return -errno;
	if (syscall(SYS_fsconfig, fs, 6u /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) < 0)
		mnt = -1;
	else
		mnt = syscall(SYS_fsmount, fs, 1u /* FSMOUNT_CLOEXEC */, 0);
	err = errno;
	close(fs);
	return mnt < 0 ? -err : mnt;
}

int probe_cgroup_root(void)
{
	int fd = cgroup_mounted();

	return fd >= 0 ? fd : cgroup_private();
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR_BYTES 512      /* of /proc/diskstats, whatever the device's own */
#define MAX_DEVICES 1024
#define MAX_INTERFACES 1024

static const struct { const char *path, *probe, *lacks; } files[NODE_FILES] = {
	[NODE_STAT] = { "stat", "node CPU", "CPU time of the node" },
	[NODE_MEMINFO] = { "meminfo", "node memory", "memory of the node" },
	[NODE_VMSTAT] = { "vmstat", "node faults", "major page faults of the node" },
	[NODE_PSI_CPU] = { "pressure/cpu", "pressure", "time that tasks waited for CPU" },
	[NODE_PSI_MEM] = { "pressure/memory", "pressure", "time lost to too little memory" },
	[NODE_PSI_IO] = { "pressure/io", "pressure", "time lost waiting for devices" },
	[NODE_DISKSTATS] = { "diskstats", "disks", "load and delay of block devices" },
	[NODE_NET_DEV] = { "net/dev", "interfaces", "traffic and drops of interfaces" },
	[NODE_NETSTAT] = { "net/netstat", "TCP counters", "overflows of listen queues" },
	[NODE_SNMP] = { "net/snmp", "TCP counters", "retransmissions of the node" },
};

int node_init(struct node *n, int procfd)
{
	*n = (struct node){ .procfd = procfd, .tick_ns = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK) };
	for (int i = 0; i < NODE_FILES; i++)
		n->file[i].fd = -1;
	n->buf = malloc(NODE_BUF_BYTES);
	return n->buf ? 0 : -ENOMEM;
}

void node_done(struct node *n)
{
	for (int i = 0; i < NODE_FILES; i++)
		kept_close(&n->file[i]);
	free(n->buf);
	n->buf = NULL;
}

/* The text of the file; "" where it cannot be read, so that every lookup in it finds nothing. */
static const char *node_text(struct node *n, enum node_file f)
{
	ssize_t r = kept_read(&n->file[f], n->procfd, files[f].path, n->buf, NODE_BUF_BYTES);

	n->error[f] = r < 0 ? (int)r : r == 0 ? -ENODATA : 0;
	return n->buf;
}

static void cpu_line(const struct node *n, const char *p, struct sample_node *ret)
{
	uint64_t v[8] = { 0 };       /* user nice system idle iowait irq softirq steal; the later ones are younger */
	int got = 0;

	while (got < 8 && scan_u64(&p, &v[got]))
		got++;
	if (got < 4)
		return;
	ret->cpu_user_ns = (v[0] + v[1]) * n->tick_ns;
	ret->cpu_system_ns = (v[2] + v[5]) * n->tick_ns;
	ret->cpu_idle_ns = v[3] * n->tick_ns;
	ret->cpu_iowait_ns = v[4] * n->tick_ns;
	ret->cpu_softirq_ns = v[6] * n->tick_ns;
	ret->cpu_steal_ns = v[7] * n->tick_ns;
}

static void stat_read(struct node *n, struct sample_node *ret)
{
	const char *text = node_text(n, NODE_STAT);

	for (const char *l = text; !strncmp(l, "cpu", 3); l = scan_line(l)) {
		if (l[3] == ' ')
			cpu_line(n, l + 3, ret);
		else
			ret->cpus++;
	}
	ret->running = scan_key(text, "procs_running", UNKNOWN);
}

static uint64_t kb_bytes(const char *text, const char *key)
{
	uint64_t kb = scan_key(text, key, UNKNOWN);

	return kb == UNKNOWN ? UNKNOWN : kb * 1024;
}

static void meminfo_read(struct node *n, struct sample_node *ret)
{
	const char *text = node_text(n, NODE_MEMINFO);
	uint64_t total = kb_bytes(text, "SwapTotal:"), left = kb_bytes(text, "SwapFree:");

	ret->mem_total_bytes = kb_bytes(text, "MemTotal:");
	ret->mem_available_bytes = kb_bytes(text, "MemAvailable:");
	ret->swap_used_bytes = total == UNKNOWN || left == UNKNOWN ? UNKNOWN : total > left ? total - left : 0;
}

struct sample_psi psi_parse(const char *text)
{
	struct sample_psi ret = { UNKNOWN, UNKNOWN };

	for (const char *l = text; *l; l = scan_line(l)) {
		uint64_t *into = !strncmp(l, "some ", 5) ? &ret.some_us : !strncmp(l, "full ", 5) ? &ret.full_us : NULL;
		const char *end = scan_line(l), *total = strstr(l, " total=");
		if (!into || !total || total > end)
			continue;
		total += strlen(" total=");
		scan_u64(&total, into);
	}
	return ret;
}

/* Two lines, "TcpExt: Name Name …" and "TcpExt: 1 2 …": the number in the column of `name`. */
static uint64_t table_find(const char *text, const char *prefix, const char *name)
{
	size_t plen = strlen(prefix), nlen = strlen(name);

	for (const char *l = text; *l; l = scan_line(l)) {
		const char *values = scan_line(l), *end = values, *w;
		if (strncmp(l, prefix, plen) || strncmp(values, prefix, plen))
			continue;
		int column = 0;
		for (w = l + plen + strspn(l + plen, " "); w < end && *w != '\n'; column++) {
			if (!strncmp(w, name, nlen) && (w[nlen] == ' ' || w[nlen] == '\n'))
				break;
			w = scan_skip(w, 1);
			w += strspn(w, " ");
		}
		if (w >= end || *w == '\n')
			return UNKNOWN;
		uint64_t v = UNKNOWN;
		const char *p = scan_skip(values + plen, column);
		return scan_u64(&p, &v) ? v : UNKNOWN;
	}
	return UNKNOWN;
}

static void tcp_read(struct node *n, struct sample_node *ret)
{
	const char *text = node_text(n, NODE_NETSTAT);

	ret->tcp_listen_overflows = table_find(text, "TcpExt:", "ListenOverflows");
	ret->tcp_listen_drops = table_find(text, "TcpExt:", "ListenDrops");
	ret->tcp_syncookies = table_find(text, "TcpExt:", "SyncookiesSent");
	text = node_text(n, NODE_SNMP);
	ret->tcp_retrans_segs = table_find(text, "Tcp:", "RetransSegs");
	ret->tcp_out_segs = table_find(text, "Tcp:", "OutSegs");
}

/* "   7       0 loop0 reads merged sectors ms writes merged sectors ms inflight busy weighted …" */
static void device_line(const char *p, struct sample *ret)
{
	uint64_t num, v[11];
	int got = 0;

	if (!scan_u64(&p, &num) || !scan_u64(&p, &num))
		return;
	p += strspn(p, " ");
	const char *name = p;
	p = scan_skip(p, 1);
	size_t len = (size_t)(p - name);
	while (got < 11 && scan_u64(&p, &v[got]))
		got++;
	if (got < 11 || !len || (!v[0] && !v[4]) || !strncmp(name, "ram", 3))
		return;
	const char *kept = arena_strndup(&ret->arena, name, len);
	struct sample_device *d = kept ? vec_push(&ret->devices) : NULL;
	if (!d)
		return;
	*d = (struct sample_device){
		.name = kept, .reads = v[0], .writes = v[4], .read_bytes = v[2] * SECTOR_BYTES, .write_bytes = v[6] * SECTOR_BYTES,
		.read_ms = v[3], .write_ms = v[7], .busy_ms = v[9], .weighted_ms = v[10],
	};
}

/* "  eth0: bytes packets errs drop fifo frame compressed multicast  bytes packets errs drop …" */
static void interface_line(const char *p, struct sample *ret)
{
	p += strspn(p, " ");
	const char *colon = strpbrk(p, ":\n");
	uint64_t v[16];
	int got = 0;

	if (!colon || *colon != ':' || colon == p)
		return;
	const char *q = colon + 1;
	while (got < 16 && scan_u64(&q, &v[got]))
		got++;
	if (got < 12)
		return;
	const char *kept = arena_strndup(&ret->arena, p, (size_t)(colon - p));
	struct sample_interface *i = kept ? vec_push(&ret->interfaces) : NULL;
	if (!i)
		return;
	*i = (struct sample_interface){ .name = kept, .rx_bytes = v[0], .errors = v[2] + v[10], .rx_drops = v[3],
					.tx_bytes = v[8], .tx_drops = v[11] };
}

static struct sample_node node_unknown(void)
{
	struct sample_psi psi = { UNKNOWN, UNKNOWN };

	return (struct sample_node){
		.cpu_user_ns = UNKNOWN, .cpu_system_ns = UNKNOWN, .cpu_idle_ns = UNKNOWN, .cpu_iowait_ns = UNKNOWN,
		.cpu_steal_ns = UNKNOWN, .cpu_softirq_ns = UNKNOWN, .running = UNKNOWN, .mem_total_bytes = UNKNOWN,
		.mem_available_bytes = UNKNOWN, .swap_used_bytes = UNKNOWN, .major_faults = UNKNOWN,
		.psi_cpu = psi, .psi_mem = psi, .psi_io = psi, .tcp_listen_overflows = UNKNOWN,
		.tcp_listen_drops = UNKNOWN, .tcp_syncookies = UNKNOWN, .tcp_retrans_segs = UNKNOWN, .tcp_out_segs = UNKNOWN,
	};
}

int node_read(struct node *n, struct sample *ret)
{
	struct sample_node *node = &ret->node;

	*node = node_unknown();
	stat_read(n, node);
	meminfo_read(n, node);
	node->major_faults = scan_key(node_text(n, NODE_VMSTAT), "pgmajfault", UNKNOWN);
	node->psi_cpu = psi_parse(node_text(n, NODE_PSI_CPU));
	node->psi_mem = psi_parse(node_text(n, NODE_PSI_MEM));
	node->psi_io = psi_parse(node_text(n, NODE_PSI_IO));
	tcp_read(n, node);
	for (const char *l = node_text(n, NODE_DISKSTATS); *l && ret->devices.n < MAX_DEVICES; l = scan_line(l))
		device_line(l, ret);
	for (const char *l = node_text(n, NODE_NET_DEV); *l && ret->interfaces.n < MAX_INTERFACES; l = scan_line(l))
		interface_line(l, ret);
	return n->error[NODE_STAT] && n->error[NODE_MEMINFO] ? n->error[NODE_STAT] : 0;
}

void node_report(const struct node *n, struct probe_report *r)
{
	for (int i = 0; i < NODE_FILES; i++) {
		struct probe_line *l = n->error[i] ? vec_push(&r->lines) : NULL;
		if (l)
			*l = (struct probe_line){ .probe = files[i].probe, .rung = "absent", .lacks = files[i].lacks,
						  .why = strerrordesc_np(-n->error[i]) };
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/kernel_can.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "collect/probe.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define KPROBE_PMU "/sys/bus/event_source/devices/kprobe/type"
#define RING_BYTES 4096

/* Instructions, as linux/filter.h of the kernel writes them. */
#define LOAD_ARG(reg) { .code = BPF_LDX | BPF_DW | BPF_MEM, .dst_reg = reg, .src_reg = 1 }     /* reg = ctx[0] */
#define SET(reg, value) { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = reg, .imm = value }
#define SET_MAP(reg, fd) { .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = reg, .src_reg = BPF_PSEUDO_MAP_FD, .imm = fd }, {0}
#define CALL(helper) { .code = BPF_JMP | BPF_CALL, .imm = helper }
#define EXIT { .code = BPF_JMP | BPF_EXIT }

static bool loads(enum bpf_prog_type type, enum bpf_attach_type at, int btf_id, const struct bpf_insn *insns, size_t n)
{
	LIBBPF_OPTS(bpf_prog_load_opts, o, .expected_attach_type = at, .attach_btf_id = (uint32_t)btf_id);
	int fd = btf_id < 0 ? -ENOENT : bpf_prog_load(type, "rootle_can", "GPL", insns, n, &o);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool loads_nothing(enum bpf_prog_type type, enum bpf_attach_type at, int btf_id)
{
	const struct bpf_insn insns[] = { SET(0, 0), EXIT };

	return loads(type, at, btf_id, insns, COUNT(insns));
}

static int socket_tracepoint(const struct btf *btf)
{
	return btf__find_by_name_kind(btf, "btf_trace_inet_sock_set_state", BTF_KIND_TYPEDEF);
}

static bool can_sock_cookie(int tracepoint)
{
	const struct bpf_insn insns[] = { LOAD_ARG(1), CALL(BPF_FUNC_get_socket_cookie), SET(0, 0), EXIT };

	return loads(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, tracepoint, insns, COUNT(insns));
}

/* The type of the value must be known to the kernel: BTF of one int. */
static int storage_map(void)
{
	struct btf *btf = btf__new_empty();
	int id = btf ? btf__add_int(btf, "int", 4, BTF_INT_SIGNED) : -1, fd = -1;

	if (id > 0 && btf__load_into_kernel(btf) == 0) {
		LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = BPF_F_NO_PREALLOC, .btf_fd = (uint32_t)btf__fd(btf),
			    .btf_key_type_id = (uint32_t)id, .btf_value_type_id = (uint32_t)id);
		fd = bpf_map_create(BPF_MAP_TYPE_SK_STORAGE, "rootle_can", 4, 4, 0, &o);
	}
	btf__free(btf);
	return fd;
}

static bool can_sock_storage(int tracepoint)
{
	int map = storage_map();
	bool can;

	if (map < 0)
		return false;
	const struct bpf_insn insns[] = {
		LOAD_ARG(2), SET_MAP(1, map), SET(3, 0), SET(4, 0), CALL(BPF_FUNC_sk_storage_get), SET(0, 0), EXIT,
	};
	can = loads(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, tracepoint, insns, COUNT(insns));
	close(map);
	return can;
}

static bool can_current_task(void)
{
	const struct bpf_insn insns[] = { CALL(BPF_FUNC_get_current_task_btf), SET(0, 1), EXIT };

	return loads(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, 0, insns, COUNT(insns));
}

static bool can_ring(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "rootle_can", 0, 0, RING_BYTES, NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static uint32_t can_typed(const struct btf *btf)
{
	int point = socket_tracepoint(btf);
	uint32_t can = CAN_KERNEL_BTF;

	if (loads_nothing(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, point))
		can |= CAN_TP_BTF;
	if (loads_nothing(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, btf__find_by_name_kind(btf, "tcp_sendmsg", BTF_KIND_FUNC)))
		can |= CAN_FENTRY;
	if (loads_nothing(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, btf__find_by_name_kind(btf, "bpf_iter_task", BTF_KIND_FUNC)))
		can |= CAN_ITERATE;
	if (can_sock_storage(point))
		can |= CAN_SOCK_STORAGE;
	if (can_sock_cookie(point))
		can |= CAN_SOCK_COOKIE;
	return can;
}

static uint64_t capabilities(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = {0};
	uint64_t have;

	if (syscall(SYS_capget, &h, d) < 0)
		return ~0ull;
	have = (uint64_t)d[1].effective << 32 | d[0].effective;
	/* it includes them */
	return have >> CAP_SYS_ADMIN & 1 ? have | 1ull << CAP_BPF | 1ull << CAP_PERFMON | 1ull << CAP_NET_ADMIN : have;
}

uint32_t kernel_can(const struct btf *kernel_btf, bool file_btf)
{
	uint64_t have = capabilities();
	uint32_t can = 0;

	if (!(have >> CAP_BPF & 1) || !can_ring())
		return 0;
	can |= CAN_BPF;
	if (kernel_btf || file_btf)
		can |= CAN_RELOCATE;
	if (have >> CAP_NET_ADMIN & 1) {
		can |= CAN_CGROUP;
		if (can_current_task())
			can |= CAN_CURRENT_TASK;
	}
	if (!(have >> CAP_PERFMON & 1))
		return can;
	can |= CAN_TRACE;
	if (access(KPROBE_PMU, R_OK) == 0)
		can |= CAN_KPROBE;
	return kernel_btf ? can | can_typed(kernel_btf) : can;
}

const char *kernel_missing_capability(void)
{
	static const struct { const char *name; uint32_t bit; } needs[] = {
		{ "CAP_BPF", CAP_BPF }, { "CAP_PERFMON", CAP_PERFMON }, { "CAP_NET_ADMIN", CAP_NET_ADMIN },
	};
	uint64_t have = capabilities();

	for (size_t i = 0; i < COUNT(needs); i++)
		if (!(have >> needs[i].bit & 1))
			return needs[i].name;
	return NULL;
}

bool kernel_release_is_old(const char *release)
{
	char *end;
	unsigned long major = strtoul(release, &end, 10), minor;

	if (end == release || *end != '.')
		return false;
	release = end + 1;
	minor = strtoul(release, &end, 10);
	return end != release && (major < 5 || (major == 5 && minor < 8));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe: the table of probes.  A source ("sockets") has parts ("states", "resets sent"); the rows of a part are its ladder,
 * best rung first, and stand one after the other.  To add a probe is a row for its program and a row for what is left without
 * it; to add a rung, a row and a program.
 */
#ifndef ROOTLE_COLLECT_PROBE_H
#define ROOTLE_COLLECT_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a kernel and a process can; a row names what it needs. */
enum {
	CAN_BPF = 1 << 0,               /* CAP_BPF, and the ring buffer (5.8) */
	CAN_TRACE = 1 << 1,             /* CAP_PERFMON */
	CAN_CGROUP = 1 << 2,            /* CAP_NET_ADMIN: programs of a cgroup */
	CAN_RELOCATE = 1 << 3,          /* BTF of this kernel: its own, or a file that was given */
	CAN_KERNEL_BTF = 1 << 4,        /* its own */
	CAN_TP_BTF = 1 << 5,            /* typed programs at tracepoints */
	CAN_FENTRY = 1 << 6,            /* and at functions */
	CAN_ITERATE = 1 << 7,
	CAN_KPROBE = 1 << 8,
	CAN_SOCK_STORAGE = 1 << 9,      /* socket storage in tracing programs (5.11) */
	CAN_SOCK_COOKIE = 1 << 10,      /* bpf_get_socket_cookie() in them (5.12) */
	CAN_CURRENT_TASK = 1 << 11,     /* bpf_get_current_task_btf() in packet programs */
};

enum {                                  /* probe_row.group */
	PROBE_PACKETS = 1 << 0,         /* left out by probe_options.no_packets */
	PROBE_SCHED = 1 << 1,           /* by no_sched */
	PROBE_STATE = 1 << 2,           /* keeps what it knows with the socket (bpf/state.h) */
	PROBE_COPIES = 1 << 3,          /* reads by copying: cannot reach socket storage */
	PROBE_COOKIES = 1 << 4,         /* of use only where states are in a hash */
	PROBE_STORAGE = 1 << 5,         /* of use only where they are with the sockets */
	PROBE_ITERATES = 1 << 6,        /* over tasks: by no_iterators */
	PROBE_CLOCK = 1 << 7,           /* run by a clock that profile.h opens for each CPU; left out by no_profile */
};

struct probe_row {
	const char *source, *part;
	const char *rung;       /* "tp_btf" "kprobe"; of the last row of a part "absent", or who stands in: "/proc" */
	const char *program;    /* in the object; NULL: none */
	const char *also;       /* a second one that this rung takes; NULL: none */
	const char *hook, *type;        /* for people */
	const char *knows;      /* what the BTF must have: a type, or "function:NAME"; NULL: nothing */
	uint32_t needs;         /* CAN_* */
	uint32_t group;         /* PROBE_* */
	const char *lacks;      /* what is not known on this rung; NULL: nothing */
};

extern const struct probe_row probe_table[];
extern const size_t probe_table_n;

#endif

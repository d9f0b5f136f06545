/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * event: the records that the kernel side writes and user space reads.
 *
 * One ring buffer carries them all; each begins with struct ev_hdr, whose `type` says which struct follows and whose
 * `size` is the size of the whole record.  This file is compiled by the kernel side (clang -target bpf), by user space
 * and by the host tests of the kernel side: fixed-width fields only, padding written out, sizes asserted.
 *
 * Units: ts_ns is CLOCK_MONOTONIC (bpf_ktime_get_ns).  Ports are in host order.  Addresses are 16 bytes in network
 * order, IPv4 as ::ffff:a.b.c.d.  A cookie is the socket's cookie (SO_COOKIE), the same in every hook; 0 is unknown.
 * tgid is what user space calls the process id, tid the thread id; 0 is unknown.  netns is the inode number of the
 * network namespace.
 */
#ifndef ROOTLE_BPF_EVENT_H
#define ROOTLE_BPF_EVENT_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define EV_COMM_LEN 16

enum {                  /* ev_hdr.type */
	EV_CONN = 1,    /* struct ev_conn: something happened to a socket */
	EV_DATA = 2,    /* struct ev_data: a segment with payload passed */
	EV_IO = 3,      /* struct ev_io: which thread wrote or read up to a sequence number */
	EV_PROC = 4,    /* struct ev_proc: fork, exec, exit, signal, OOM kill */
	EV_HEALTH = 5,  /* struct ev_health: how a TCP socket is doing */
	EV_STACK = 6,   /* struct ev_stack: where a tick of the CPU clock found a thread; in a ring buffer of its own */
	EV_DATAGRAM = 7,/* struct ev_datagram: a datagram whose content is of interest passed */
	EV_NAT = 8,     /* struct ev_nat: the addresses of a connection are translated on its way; not from the ring buffer */
};

struct ev_hdr {
	__u64 ts_ns;
	__u32 size;     /* of the whole record, this header included */
	__u8 type;
	__u8 cpu;       /* low 8 bits; for the accounting of loss only */
	__u16 pad;
};
_Static_assert(sizeof(struct ev_hdr) == 16, "ev_hdr");

enum {                       /* ev_conn.what */
	CONN_EXISTING = 1,   /* was open before we attached (socket iterator, sock_diag) */
	CONN_LISTEN = 2,     /* began to listen, or was listening before we attached */
	CONN_CONNECT = 3,    /* SYN sent: tgid and tid are the caller of connect(); lport is 0 unless it was bound before */
	CONN_ESTABLISHED = 4,/* either side; role says which */
	CONN_OWNER = 5,      /* first sight of this socket, or its owning process became known or changed */
	CONN_REFUSED = 6,    /* an RST answered our SYN, or ECONNREFUSED */
	CONN_TIMEOUT = 7,    /* SYN or data never answered: ETIMEDOUT, EHOSTUNREACH, ENETUNREACH (err says) */
	CONN_RETRANS = 8,    /* one segment was retransmitted */
	CONN_RESET_SENT = 9,
	CONN_RESET_RECV = 10,
	CONN_CLOSE = 11,     /* went to TCP_CLOSE; counters are final */
	CONN_UNLISTEN = 12,  /* a listening socket was closed */
};

enum { ROLE_UNKNOWN = 0, ROLE_CLIENT = 1, ROLE_SERVER = 2 };   /* who sent the SYN: client */

enum { L4_TCP = 0, L4_UDP = 1, L4_UNIX = 2 };  /* ev_conn.l4 */

/*
 * l4 UDP: a socket and one peer of it, or where rport is 0 a socket that receives from anyone. EXISTING, LISTEN and OWNER tell of
 * it; CLOSE that it has been silent.
 * l4 UNIX (streams): the addresses are the cookies of the two sockets in their last 8 bytes, the ports 0; netns is 0. OWNER comes
 * again while bytes flow, a silent one may be forgotten. role: the accepted socket is the server's.
 */
struct ev_conn {
	struct ev_hdr h;
	__u64 cookie;
	__u32 netns;
	__u32 tgid;             /* owner of the socket where known, never the task that softirq interrupted */
	__u32 tid;
	__u16 lport, rport;
	__u8 laddr[16], raddr[16];
	__u8 what;
	__u8 role;
	__u8 family;            /* 4 or 6 */
	__u8 err;               /* errno for REFUSED and TIMEOUT and for CLOSE after an error, else 0 */
	__u32 srtt_us;          /* smoothed round trip, 0 unknown */
	__u32 min_rtt_us;       /* 0 unknown */
	__u32 retrans;          /* total retransmitted segments of this socket so far */
	union {
		__u32 rx_queue; /* LISTEN and EXISTING: accept-queue length or unread bytes */
		__u32 first_in; /* ESTABLISHED: sequence number of the first byte of the peer, and */
	};
	union {
		__u32 tx_queue; /* LISTEN and EXISTING: backlog limit or unacknowledged bytes */
		__u32 first_out;/* of its own, which both ends have in common whatever the addresses are; both 0: not known */
	};
	__u64 bytes_out;        /* acknowledged by the peer so far */
	__u64 bytes_in;         /* received so far */
	__u8 comm[EV_COMM_LEN]; /* of tgid where known, else zero bytes */
	__u8 l4;                /* L4_* */
	__u8 quic;              /* UDP: the datagrams look like QUIC */
	__u8 pad[6];
};
_Static_assert(sizeof(struct ev_conn) == 136, "ev_conn");

enum { DIR_OUT = 0, DIR_IN = 1 };  /* seen from the socket of the cookie: OUT is sent by it */

enum {                              /* ev_data.flags */
	DATA_FIN = 1 << 0,          /* the segment carries FIN */
	DATA_LOOPBACK = 1 << 1,     /* both ends are on this interface: only the sender's side is reported */
	DATA_CUT = 1 << 2,          /* head + tail < len: the middle was not copied */
	DATA_PLAIN = 1 << 4,        /* plaintext that a TLS library took or gave: seq counts it from its own beginning */
	DATA_UNIX = 1 << 5,         /* of a UNIX stream: seq counts the bytes that its reader has taken off it */
	DATA_TIMED = 1 << 6,        /* wait[] is set */
	DATA_MIDDLE = 1 << 7,       /* tid is set, and of a process that serves and calls: its reads are told of (ev_io) */
};

#define COPY_HEAD 4096u             /* larger segments are cut, if nobody has said that they are wanted whole (copy.h) */

/* What a thread can wait for. A kind is the call's that it sleeps in, else the sleep's. */
enum {
	WAIT_OTHER = 0,             /* in no call that we name, or the kernel does not say in which */
	WAIT_NET,                   /* for the other end of a socket or pipe: read, recv*, connect, send* */
	WAIT_POLL,                  /* for something to happen: poll, select, epoll_wait, accept … */
	WAIT_FUTEX,                 /* for a lock or a condition of user space */
	WAIT_IO,                    /* for a device or the file system: with in_iowait, or blocked in a call on files */
	WAIT_MEM,                   /* page fault that had to read or to wait; freeing memory before an allocation */
	WAIT_THROTTLED,             /* runnable, but its cgroup has used its CPU quota up */
	WAIT_SLEEP,                 /* nanosleep */
	WAIT_BLOCKED,               /* uninterruptible, for none of these */
	WAIT_KINDS
};

/* The parts of a request's time that its thread waits; what is left is on the CPU. */
enum {
	PART_RUNQ = 0,              /* runnable, while others had the CPU; without PART_THROTTLED */
	PART_THROTTLED,
	PART_IO,
	PART_MEM,
	PART_FUTEX,
	PART_NET,
	PART_POLL,
	PART_SLEEP,
	PART_OTHER,                 /* WAIT_OTHER and WAIT_BLOCKED */
	PART_MAX
};
#define PART_SHIFT 6                /* parts are in units of 64 ns: 274 s fit */

/*
 * A TCP segment (before GSO cuts it, so 64 KB and more) with payload; above 64 KB it may come as several.  `head` bytes of
 * payload follow the struct, then `tail` bytes that are the last of the segment; head + tail <= len, and where they are
 * equal nothing is missing.
 * tgid/tid: the thread that wrote these bytes, where the segment left in its context; else 0 and an EV_IO follows.
 * rd_*: the last read of this same socket before this segment left (who took the request off the socket and when):
 * bytes below rd_seq (in the peer's sequence space) had been read by rd_tid at rd_ts_ns.  0 where there was none.
 * arr_ns: when the last of these bytes had come to the socket, behind all queues on their way; 0 where more had come by that read, or
 * nobody saw it.
 * wait: with DATA_TIMED, what the thread that wrote has waited for since that read, which was its own too, by PART_*; woken:
 * how long it had been in a run queue when it was woken for the read, before rd_ts_ns.  In units of 1 << PART_SHIFT ns.
 */
struct ev_data {
	struct ev_hdr h;
	__u64 cookie;
	__u32 seq;              /* of the first payload byte, host order */
	__u32 len;              /* payload bytes of the segment */
	__u16 head, tail;       /* bytes copied */
	__u8 dir;               /* DIR_OUT or DIR_IN */
	__u8 flags;
	__u8 shift;             /* one of 1 << shift connections was read (bpf/sample.h): what is on this one counts as many */
	__u8 pad;
	__u32 tgid, tid;
	__u32 rd_tid, rd_seq;
	__u64 rd_ts_ns;
	__u64 arr_ns;
	__u32 wait[PART_MAX];
	__u32 woken;
	__u8 payload[];
};
_Static_assert(sizeof(struct ev_data) == 112, "ev_data");

/* A datagram that is, or looks like, DNS: the first `head` bytes of its payload follow. Only OUT where both ends are on this
 * interface; where they are on this node but not on one interface, both are reported. */
struct ev_datagram {
	struct ev_hdr h;
	__u64 cookie;
	__u32 netns;            /* 0 unknown */
	__u32 tgid, tid;        /* owner of the socket where known */
	__u16 lport, rport;
	__u8 laddr[16], raddr[16];
	__u32 len;              /* payload bytes of the datagram */
	__u16 head;             /* bytes copied */
	__u8 dir;
	__u8 flags;             /* DATA_LOOPBACK, DATA_CUT */
	__u8 payload[];
};
_Static_assert(sizeof(struct ev_datagram) == 80, "ev_datagram");

/* A write whose segments could not be attributed inline; a read that was the last one and that no segment has told since, of the
 * side that connected: when the socket closes, and where it is silent, by the pass over the sockets; and of processes that serve
 * and call (DATA_MIDDLE) each read at once, and each write to a UNIX stream. seq is one past the last byte written (OUT, our
 * sequence space; UNIX: 0) or read (IN, the peer's). */
struct ev_io {
	struct ev_hdr h;
	__u64 cookie;
	__u32 tgid, tid;
	__u32 seq;
	__u8 dir;
	__u8 late;              /* 1: told of some time after ts_ns, when it was */
	__u8 pad[2];
	__u64 arr_ns;           /* IN: as in ev_data */
};
_Static_assert(sizeof(struct ev_io) == 48, "ev_io");

enum {                          /* ev_health.what */
	HEALTH_SOCKET = 1,      /* a connection's socket that moved since the last pass, has something queued or a closed window */
	HEALTH_LISTENER = 2,    /* a listening socket */
	HEALTH_PASS = 3,        /* a pass over all sockets ends: those it did not tell of have nothing queued; no cookie */
};

enum { HEALTH_NO_WINDOWS = 1 << 0 };     /* ev_health.flags: who tells this cannot know zero_* */

/*
 * Numbers of one socket. Totals are since it was made, so that a lost record costs nothing; queues are as of now.
 * zero_*: [DIR_OUT] the window that it offered, [DIR_IN] the window that its peer did, which is not looked at where the peer
 * is on this node too, on loopback.
 */
struct ev_health {
	struct ev_hdr h;
	__u64 cookie;
	__u64 bytes_out;        /* payload acknowledged by the peer */
	__u64 bytes_in;         /* payload received */
	__u64 zero_since_ns[2]; /* its window is closed since; 0: it is open */
	__u64 zero_ns[2];       /* its window was closed for, before that */
	__u32 zero_windows[2];  /* times that it closed */
	__u32 srtt_us;          /* 0 unknown */
	__u32 min_rtt_us;       /* 0 unknown */
	__u32 send_queue;       /* bytes written and not acknowledged; LISTENER: most connections that may wait for accept() */
	__u32 recv_queue;       /* bytes not read; LISTENER: connections that wait for accept() */
	__u32 drops;            /* LISTENER: SYNs and final ACKs thrown away, for a full queue nearly always (sk_drops) */
	__u8 what;
	__u8 flags;             /* HEALTH_NO_WINDOWS */
	__u8 pad[2];
};
_Static_assert(sizeof(struct ev_health) == 104, "ev_health");

enum {                          /* ev_proc.what */
	PROC_FORK = 1,          /* a new process (not a thread): tgid is the child, ptgid its parent */
	PROC_EXEC = 2,          /* path is the file executed */
	PROC_EXIT = 3,          /* the whole process ended: code is the wait status */
	PROC_SIGNAL = 4,        /* code is the signal, tgid its target, from its sender; only those that end or stop:
	                         * HUP INT QUIT ILL ABRT BUS FPE KILL SEGV TERM STOP CONT TSTP */
	PROC_OOM = 5,           /* the kernel picked tgid as the OOM victim; rss_kb is its size */
};

enum { NAT_BEGIN = 1, NAT_END = 2 };     /* ev_nat.what */

/* A connection that has other addresses behind the translation than before it, as connection tracking knows it. [0] is who
 * called, [1] who is called; seen: by who called, far: by who is called. */
struct ev_nat {
	struct ev_hdr h;
	__u32 netns;            /* that translates */
	__u8 what;
	__u8 l4;                /* L4_TCP or L4_UDP */
	__u8 pad[2];
	__u16 seen_port[2], far_port[2];
	__u8 seen[2][16], far[2][16];
};
_Static_assert(sizeof(struct ev_nat) == 96, "ev_nat");

#define EV_PATH_LEN 128

struct ev_proc {
	struct ev_hdr h;
	__u32 tgid, tid;
	__u32 ptgid;            /* parent */
	__u32 from;             /* tgid of the sender of a signal, else 0 */
	__s32 code;
	__u32 rss_kb;
	__u64 cgroup;           /* id of its cgroup in the v2 hierarchy, 0 unknown */
	__u8 what;
	__u8 pad[7];
	__u8 comm[EV_COMM_LEN];
	__u8 path[EV_PATH_LEN]; /* NUL-terminated, PROC_EXEC only */
};
_Static_assert(sizeof(struct ev_proc) == 200, "ev_proc");

/* One thread, as the task iterator writes it: a stream of these is what reading the iterator yields. Counters are since
 * the thread began, in ns and bytes. */
struct ev_task {
	__u64 start_ns;         /* CLOCK_BOOTTIME, start of the thread: with tid, its identity */
	__u64 oncpu_ns;
	__u64 runq_ns;          /* waited on a run queue or throttled (sched_info.run_delay; 0: the kernel lacks SCHED_INFO) */
	__u64 read_bytes;       /* from block devices, process total, set on the leader only */
	__u64 write_bytes;      /* dirtied, less cancelled, process total, leader only */
	__u64 majflt;
	__u64 rss_pages;        /* leader only */
	__u64 anon_pages;       /* of these the process's own: neither of files nor shared memory */
	__u64 cgroup;           /* v2 id */
	__u32 tgid, tid, ptgid;
	__u32 netns;
	__u32 uid;
	__u8 state;             /* one of R S D T Z X I as /proc prints it */
	__u8 kthread;
	__u16 pad;
	__u8 comm[EV_COMM_LEN];
	__u64 wait_ns[WAIT_KINDS];  /* since the sched_switch probe looks (0 without); of the leader, here and in runq_ns, also those
	                         * of the threads that ended since */
};
_Static_assert(sizeof(struct ev_task) == 184, "ev_task");

#define EV_STACK_KERNEL_MAX 64
#define EV_STACK_USER_MAX 127

/* One sample of the CPU clock. `kernel` addresses follow, then `user` ones, each innermost first: the first is where the thread
 * was, the others are return addresses. A number that is the most there can be was cut at its outer end. User stacks are walked
 * by frame pointers. */
struct ev_stack {
	struct ev_hdr h;
	__u32 tgid, tid;
	__u64 image;            /* mm->start_stack: with tgid it tells what is executed; 0: a kernel thread */
	__u16 kernel, user;
	__u32 pad;
	__u64 ip[];
};
_Static_assert(sizeof(struct ev_stack) == 40, "ev_stack");

/* What user space may wish of a socket's payload (bpf_source_wish): to be left alone, nothing (encrypted, unknown), heads only,
 * or whole segments (pipelines). */
enum { WISH_AUTO = 0, WISH_NONE = 1, WISH_HEADS = 2, WISH_WHOLE = 3 };

/* Every branch that loses something has a counter: slots of `drops` in the per-CPU map `counts`. The same order as
 * ev_drop_names[] in engine/collect/source.c. */
enum {
	DROP_RING_CONN = 0,     /* ring buffer full */
	DROP_RING_DATA,
	DROP_RING_IO,
	DROP_RING_PROC,
	DROP_BYTES,             /* payload bytes of the data records lost to a full ring */
	DROP_NO_SOCK,           /* a packet without a full socket (time-wait, request sock): not looked at */
	DROP_STORAGE,           /* socket storage could not be had */
	DROP_LOAD,              /* the payload could not be copied */
	DROP_TASK_SLOT,         /* two threads met in one slot of the wait table */
	DROP_DATAGRAM,          /* datagrams that no counter could be had for: too many peers */
	DROP_RING_STACK,        /* the ring buffer of the samples was full */
	DROP_PLAIN_SOCKET,      /* plaintext of which the connection could not be told */
	DROP_MAX
};

/* Counters that are not loss. Of what reaches the ring buffer its reader counts; `seen` in the map `counts` is only what is
 * skipped in the kernel. */
enum {
	SEEN_SEGMENTS = 0, SEEN_PAYLOAD_BYTES, SEEN_COPIED_BYTES, SEEN_CUT_SEGMENTS, SEEN_RECORDS,
	SEEN_LEFT_OUT,          /* segments of connections that are not read at this level of the budget */
	SEEN_MAX
};

#endif

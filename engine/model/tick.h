/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tick: one interval of facts (normally one second) on its way from the model to the store.  Self-contained: every
 * string lives in the tick's own arena, so that the writer's thread needs nothing of the model.
 *
 * Services, edges and operations are numbered by the model from 0, once for the life of the process; a tick defines those that
 * are new or changed in it (`services`, `edges`, `ops`) and uses the numbers of earlier ticks freely.
 */
#ifndef ROOTLE_MODEL_TICK_H
#define ROOTLE_MODEL_TICK_H

#include <stdint.h>

#include "base/arena.h"
#include "base/hist.h"
#include "base/vec.h"
#include "model/metric.h"
#include "model/timing.h"
#include "proto/proto.h"

#define ID_NONE UINT32_MAX

struct tick_service {
	uint32_t id;
	const char *name;        /* what people call it; unique */
	const char *kind;        /* app db cache queue proxy dns external node */
	const char *exe;         /* path, NULL unknown */
	const char *image;       /* of its container, NULL unknown */
	const char *why;         /* how the name was found: "executable", "script of python3", "listening port" … */
};

struct tick_edge {
	uint32_t id;
	uint32_t from, to;       /* service ids */
	uint16_t port;           /* of the callee */
	const char *protocol;    /* "http" … "tcp" "udp" "unix"; may change once from these to a better name: then defined again.
	                          * Of UDP: "dns" "quic"; DNS over TCP is "dns-tcp". port is 0 for UNIX sockets. */
};

struct tick_op { uint32_t id; const char *text; };

struct tick_requests {
	uint32_t edge, op;
	uint64_t count, errors;
	uint64_t waits;          /* of count: without a latency, for they wait by intent (BLPOP, long polls) or nobody answers */
	uint64_t sum_ns;         /* of the latencies (end - begin) */
	uint64_t bytes_request, bytes_response, rows;
	uint64_t begun;          /* with a latency, and a response that began */
	uint64_t first_ns;       /* sum of their times to its first byte */
	struct timing timing;    /* of those that could be timed */
	struct hist hist;        /* of the latencies; owned by the tick */
};

/* Requests of an operation that ended in the same way, where that is more than plain success (model/outcome.h). */
struct tick_outcome {
	uint32_t edge, op;
	int status;              /* protocol's own; 0: none */
	const char *error;       /* its class: req_error_name() */
	const char *detail;      /* SQLSTATE, error word; "": none */
	uint64_t count;
};

/* Calls on the edge `callee` that requests of an operation made, as far as they waited for them (timing_calls()). */
struct tick_downstream { uint32_t edge, op, callee; uint64_t count, ns; };

/* One side of an edge. UNKNOWN (UINT64_MAX) where its sockets are elsewhere, or nobody looked. */
struct tick_side {
	uint64_t send_queue_bytes;      /* written by it, not acknowledged by the other side; at the end of the tick */
	uint64_t recv_queue_bytes;      /* arrived for it, not read; at the end of the tick */
	uint64_t zero_windows;          /* times its window closed: it did not read, the other side may not send */
	uint64_t zero_window_us;        /* its windows were closed for, summed over the connections */
};

/* Health of the TCP connections of an edge in the interval; numbers are totals in it unless said otherwise. An edge where
 * connections are open and nothing happens has a row every ten seconds. */
struct tick_tcp {
	uint32_t edge;
	uint32_t opened, closed, refused, timeouts, resets, retrans;
	uint32_t open;           /* at the end of the tick */
	uint32_t inflight;       /* requests waiting for an answer at the end of the tick */
	uint64_t oldest_ns;      /* age of the oldest of them; 0 none */
	uint32_t srtt_us;        /* median of the connections that told, 0 unknown */
	uint64_t bytes_out, bytes_in;   /* payload, seen from the caller */
	uint32_t connect_p50_us, connect_max_us;   /* from SYN to established, of the callers on this node; 0 unknown */
	uint32_t min_rtt_us;     /* least round trip of the connections that told, 0 unknown */
	uint32_t resets_callee;  /* of resets: sent by the callee */
	uint32_t retrans_callee; /* of retrans: sent again by the callee */
	uint32_t connecting;     /* SYNs without an answer at the end of the tick */
	struct tick_side caller, callee;
};

/* TLS handshakes of an edge that ended in the interval; count 0: none, but the certificate of earlier ones became known. */
struct tick_tls {
	uint32_t edge;
	const char *version;     /* "1.3"; NULL: the server did not say */
	const char *sni;         /* host asked for; "": none */
	const char *result;      /* "ok" "unseen" "cut_short" "not_tls" "alert" (encrypted), or the name of the alert */
	const char *by;          /* "client" "server": who refused; NULL: nobody */
	uint64_t count;
	const char *alpn;        /* protocol asked for or chosen; NULL: none */
	const char *subject;     /* of the server's certificate; NULL: not seen */
	int64_t not_after_s;     /* Unix time; 0: not known */
	const char *source;      /* of subject and not_after_s: "wire", "file PATH", "newer file PATH" (than the process); NULL: none */
};

/* Not every series has a point in every tick: one that has been the same for a minute comes every ten seconds (CPU and memory
 * of a service on the network come always), and so does a service that does nothing. */
struct tick_point {
	uint32_t service;        /* the node is a service too */
	enum metric_id metric;
	const char *device;      /* NULL: none */
	double value;
	double limit;            /* NaN: none */
};

struct tick_event {
	int64_t unix_ns;
	uint32_t service;        /* ID_NONE: of the node */
	const char *kind;        /* exec exit start restart deploy signal oom_kill stop cont listen unlisten config_change mark
	                          * recorder … */
	const char *detail;      /* one line for people */
	const char *version_before, *version_after;   /* NULL none */
	const char *actor;       /* who did it: "bash[812]" , NULL unknown */
	uint32_t pid;            /* 0: none */
};

/* A process that did something in this interval (CPU >= 1 %, or any I/O, or it began or ended). */
struct tick_process {
	uint32_t pid, ppid;
	int64_t start_unix_ns;   /* with pid, its identity */
	uint32_t service;
	const char *comm, *exe, *cmdline, *cgroup;
	double cpu_s, runq_wait_s, disk_wait_s;       /* in the interval */
	uint64_t read_bytes, write_bytes, rss_bytes;
	uint32_t threads, fds, connections;
	char state;
};

struct tick_cgroup {
	const char *path;
	uint32_t service;        /* most of its processes belong to; ID_NONE */
	double cpu_s, throttled_s, quota_cores;       /* NaN: no quota */
	uint64_t mem_bytes, read_bytes, write_bytes;
	double mem_limit_bytes;  /* NaN: none */
	uint32_t periods_throttled, pids;
};

/* Where samples of the CPUs found the threads of a service. */
struct tick_stack {
	uint32_t service;        /* ID_NONE: not known whose they are */
	uint32_t pid;            /* 0: several */
	const char *frames;      /* functions, outermost first, separated by ';'; "(other)": rarer ones below that caller */
	uint64_t samples;
};

/*
 * One request on one connection, seen from either end or both, as a step of a trace: the requests that one request caused.
 * Only kept traces have spans; those of one trace come in one tick, or in later ones.
 */
struct tick_span {
	uint64_t trace, id;      /* not 0; look random */
	uint64_t parent;         /* id of the request that caused it; 0: a root */
	uint32_t edge, op;
	int64_t unix_ns;         /* first byte of the request */
	uint64_t dur_ns;         /* to the last byte of the response */
	int status;              /* as in struct tick_outcome, and so are the next two */
	const char *error, *detail;
	const char *method;      /* how the parent was found; static; NULL: a root */
	float confidence;        /* of the parent, 0..1 */
	bool timed;              /* the parts are known */
	uint64_t part_ns[TIME_PARTS];   /* together never more than dur_ns; what is missing to it is not known */
};

/* What was not seen, and what was. Stage: "kernel", "flow", "model", "store" …; reason: "ring_data", "lost_bytes" … */
struct tick_loss { const char *stage, *reason; uint64_t count; };

struct tick {
	struct arena arena;
	int64_t unix_ns;         /* start of the interval; multiples of dur_ns as far as the clock allows */
	int64_t dur_ns;
	uint64_t events;         /* events taken in in this interval */
	uint64_t lost;           /* of which we know that they are missing */
	uint32_t weight;         /* the most that a request in it counts for: requests are exact at 1, else estimates; 0: for a
	                          * while none were read */
	VEC(struct tick_service) services;
	VEC(struct tick_edge) edges;
	VEC(struct tick_op) ops;
	VEC(struct tick_requests) requests;
	VEC(struct tick_outcome) outcomes;
	VEC(struct tick_downstream) downstream;
	VEC(struct tick_tcp) tcp;
	VEC(struct tick_tls) tls;
	VEC(struct tick_point) points;
	VEC(struct tick_event) event;
	VEC(struct tick_process) processes;
	VEC(struct tick_cgroup) cgroups;
	VEC(struct tick_stack) stacks;
	VEC(struct tick_span) spans;
	VEC(struct tick_loss) loss;
};

struct tick *tick_new(int64_t unix_ns, int64_t dur_ns);   /* NULL: no memory */
void tick_free(struct tick *t);                           /* with everything in it */

#endif

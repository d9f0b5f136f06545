/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * summary: a window added up: one row an operation, an edge, a service.  What `requests`, `edges`, `services`, `map` and the
 * terminal view show, so that they cannot disagree.  A pure function of the window.
 *
 * Rates are per second of the range that has rows.  Where any row of a group lacks a histogram (imports), its quantiles are
 * the means of the known columns weighted by count.  NaN: not known; a sum is over the rows that know, and not known where
 * none does.
 */
#ifndef ROOTLE_MODEL_SUMMARY_H
#define ROOTLE_MODEL_SUMMARY_H

#include <stdbool.h>

#include "model/window.h"

struct sum_latency {
	double count, errors;          /* totals */
	double waits;                  /* of count: without a latency (struct tick_requests) */
	double rate_per_s, error_ratio;   /* errors by the requests of which it is known whether they failed */
	double avg_ms, p50_ms, p90_ms, p95_ms, p99_ms, max_ms;
	double first_byte_avg_ms;      /* from the first byte of the request to that of the response */
	double bytes_request, bytes_response, rows;
	struct win_timing timing;      /* sums */
};

struct sum_op { uint32_t edge, op; struct sum_latency l; };

/* Requests of an operation that ended alike (struct tick_outcome). */
struct sum_outcome {
	uint32_t edge, op;
	int status;
	const char *error, *detail;
	double count;
};

struct sum_side { double send_queue_bytes, recv_queue_bytes /* highest */, zero_windows, zero_window_us /* totals */; };

struct sum_edge {
	uint32_t edge;
	struct sum_latency l;          /* count 0: no requests understood on it */
	double opened, closed, refused, timeouts, resets, retrans;       /* totals */
	double open, inflight, oldest_ms;                                /* of the newest row */
	double srtt_us;                                                  /* mean of the rows that know */
	double bytes_out_per_s, bytes_in_per_s;
	double connect_p50_us;                                           /* mean of the rows that know, by connections opened */
	double connect_max_us, min_rtt_us;
	double resets_callee, retrans_callee;                            /* totals */
	double connecting;                                               /* of the newest row */
	struct sum_side caller, callee;
};

/* TLS handshakes of an edge with this result; strings as in struct win_tls. */
struct sum_tls {
	uint32_t edge;
	const char *version, *sni, *result, *sender, *alpn, *subject, *source;
	double count;
	int64_t not_after_s;           /* the earliest; 0: not known */
};

struct sum_service {
	uint32_t service;
	struct sum_latency in, out;    /* requests it answered, requests it made */
	double inflight, refused;      /* of the edges to it */
	double cpu_cores, cpu_throttled_s, runq_wait_s, disk_wait_s;     /* means over the range */
	double io_wait_s, mem_wait_s, futex_wait_s, net_wait_s, quota_wait_s;
	double mem_bytes, mem_limit_bytes, threads, fds, connections, processes;  /* newest */
	double disk_read_bytes, disk_write_bytes;                        /* per second, means */
	double restarts;                                                 /* total */
	double accept_queue, accept_queue_limit;                         /* highest of any listener of it */
	double accept_overflows;                                         /* total */
};

/* Calls on the edge `callee` that requests made, and how long they waited for them (struct tick_downstream). */
struct sum_call { uint32_t edge, op, callee; double count, ns; };

/* Which requests and connections a summary is of, by number in the window; NULL: all. */
struct sum_only {
	const bool *edge, *op;         /* an operation that is not known is none of op's */
};

struct summary {
	const struct window *window;   /* borrowed */
	struct sum_only only;
	int64_t since_ns, until_ns;
	double seconds;                /* of the range that was recorded: what rates are of */
	VEC(struct sum_op) ops;        /* by count, most first */
	VEC(struct sum_outcome) outcomes;   /* by edge and operation, and the most first */
	VEC(struct sum_call) calls;    /* by edge, operation and callee */
	VEC(struct sum_edge) edges;    /* one for each edge with any row in the range, in the window's order */
	VEC(struct sum_tls) tls;       /* by edge, and the most first */
	VEC(struct sum_service) services;   /* one for each service of the window with any row or edge in the range */
};

/* What of the total no part explains. */
double win_timing_unknown(const struct win_timing *t);

/* The rows that begin in [since_ns, until_ns). NULL: no memory. */
struct summary *summary_new(const struct window *w, int64_t since_ns, int64_t until_ns);
/* The same of some requests and connections; what is measured of services stays. only is borrowed until summary_free(). */
struct summary *summary_of(const struct window *w, int64_t since_ns, int64_t until_ns, struct sum_only only);
void summary_free(struct summary *s);

bool sum_tls_failed(const struct sum_tls *t);
/* Parts of summary_of(): fill s->tls, s->outcomes, s->calls. 0, or -1: no memory. */
int summary_add_tls(struct summary *s);
int summary_add_outcomes(struct summary *s);
int summary_add_calls(struct summary *s);

/* Is a row of this edge and operation one of summary_of()'s? */
static inline bool sum_has(const struct summary *s, uint32_t edge, uint32_t op)
{
	return (!s->only.edge || s->only.edge[edge]) && (!s->only.op || (op != WIN_NONE && s->only.op[op]));
}

/* How the requests of an operation ended, the most first: *n of them; NULL where all went well. */
const struct sum_outcome *summary_outcomes(const struct summary *s, uint32_t edge, uint32_t op, size_t *n);

#define SUM_CALLS_MAX 32
/* Of the requests of an operation, of an edge, or to a service: their calls by callee, those that were waited for longest first.
 * Returns how many, at most SUM_CALLS_MAX: beyond it those of the callees that come later by number are left out. */
size_t summary_calls_of_op(const struct summary *s, uint32_t edge, uint32_t op, struct sum_call top[SUM_CALLS_MAX]);
size_t summary_calls_of_edge(const struct summary *s, uint32_t edge, struct sum_call top[SUM_CALLS_MAX]);
size_t summary_calls_of_service(const struct summary *s, uint32_t service, struct sum_call top[SUM_CALLS_MAX]);

/* The row of this service or edge; NULL where it had none. */
const struct sum_service *summary_service(const struct summary *s, uint32_t service);
const struct sum_edge *summary_edge(const struct summary *s, uint32_t edge);

#endif

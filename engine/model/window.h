/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * window: a range of a recording in memory: what every view and the diagnosis read.
 *
 * It is the interchange model (ndjson) with numbers for names.  Rows keep the interval that they were recorded or imported
 * with (t_ns, dur_ns: one second live, ten seconds after roll-up, five minutes from elsewhere).  Rows are sorted by t_ns
 * within each vector.  Filled by store/, or by hand in tests; nothing here does I/O.
 */
#ifndef ROOTLE_MODEL_WINDOW_H
#define ROOTLE_MODEL_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/hist.h"
#include "base/map.h"
#include "base/vec.h"
#include "model/timing.h"

#define WIN_NONE UINT32_MAX

struct win_service { const char *name, *kind, *exe, *why, *image, *node; };   /* kind may be NULL */
struct win_edge { uint32_t from, to; const char *protocol; uint32_t port; };  /* from WIN_NONE: not known who called */
struct win_series { uint32_t service; const char *metric, *device; };         /* device NULL: none */

struct win_timing {                /* as struct timing; all 0: nothing is known */
	double count, total_ns, part_ns[TIME_PARTS];
};

struct win_requests {
	int64_t t_ns, dur_ns;
	uint32_t edge;
	uint32_t op;               /* index into ops, WIN_NONE: not known */
	double count, errors;      /* totals in the interval; may be fractional when imported; errors NaN: not known */
	double waits;              /* of count: without a latency (struct tick_requests) */
	double avg_ms, p50_ms, p90_ms, p95_ms, p99_ms;   /* NaN: not known */
	double begun, first_ns;    /* as in struct tick_requests; 0: not known */
	double bytes_request, bytes_response, rows;      /* NaN: not known */
	struct win_timing timing;
	const struct hist *hist;   /* NULL: only the columns above are known */
};

/* As struct tick_downstream. */
struct win_downstream { int64_t t_ns, dur_ns; uint32_t edge, op, callee; double count, ns; };

/* As struct tick_outcome. */
struct win_outcome {
	int64_t t_ns, dur_ns;
	uint32_t edge, op;         /* op WIN_NONE: not known */
	int status;
	const char *error, *detail;
	double count;
};

struct win_side {
	double send_queue_bytes, recv_queue_bytes;   /* at the end */
	double zero_windows, zero_window_us;         /* totals */
};

struct win_tcp {
	int64_t t_ns, dur_ns;
	uint32_t edge;
	double opened, closed, refused, timeouts, resets, retrans, open, inflight;
	double oldest_ms, srtt_us;
	double bytes_out, bytes_in;
	double connect_p50_us, connect_max_us, min_rtt_us;
	double resets_callee, retrans_callee, connecting;
	struct win_side caller, callee;              /* as struct tick_side; all: NaN: not known */
};

/* As struct tick_tls. */
struct win_tls {
	int64_t t_ns, dur_ns;
	uint32_t edge;
	const char *version, *sni, *result, *sender, *alpn, *subject, *source;   /* version, sni, sender: "" not known, none */
	double count;
	int64_t not_after_s;       /* 0: not known */
};

struct win_point { int64_t t_ns, dur_ns; uint32_t series; double value, limit; };   /* limit NaN: none */

struct win_event {
	int64_t t_ns;
	uint32_t service;          /* WIN_NONE: of the node */
	const char *kind, *detail, *version_before, *version_after, *actor;
	uint32_t pid;
};

struct win_log {
	int64_t t_ns, dur_ns;
	uint32_t service;
	const char *template, *level, *sample;
	double count, baseline_count;   /* baseline NaN: not known */
};

/* A frame and what called it. */
struct win_stack {
	uint32_t parent;           /* index into stacks, less than its own; WIN_NONE: the outermost */
	const char *frame;         /* function, demangled where that is possible; see rootle-schema(5) for "_[k]", "[…]" and "(other)" */
};

struct win_profile {
	int64_t t_ns, dur_ns;
	uint32_t service;          /* WIN_NONE: not known */
	uint32_t pid;              /* 0: several */
	uint32_t stack;            /* index into stacks: the innermost frame */
	double samples;            /* ticks of the CPU clock in the interval */
};

struct win_pause { int64_t t_ns, dur_ns; double s; };             /* so long in the interval the CPUs were not sampled */

struct win_process {               /* the newest facts of a process that was active in the range */
	uint32_t pid, ppid, service;
	int64_t start_ns, end_ns;  /* end 0: was not seen to end */
	const char *comm, *exe, *cmdline, *cgroup;
};

/* As struct tick_span, or from another tracer. */
struct win_span {
	int64_t t_ns, dur_ns;
	int64_t row;               /* in the recording: greater where it came later, whenever it was */
	const char *trace, *id;
	const char *parent;        /* NULL: a root; may be the id of a span that is not there */
	uint32_t service;          /* that answered */
	uint32_t edge, op;         /* WIN_NONE: not known */
	const char *status;        /* the protocol's own, or a word of another tracer; NULL: none */
	const char *error;         /* class of the failure, req_error_name(); NULL: nobody said */
	const char *detail;        /* NULL: none */
	const char *method;        /* NULL: a root, or nobody said */
	double confidence;         /* of the parent; NaN: not known */
	bool timed;                /* part_ns is known */
	double part_ns[TIME_PARTS];
};

struct win_tick { int64_t t_ns, dur_ns; };

struct win_loss { const char *stage, *reason; double count; };    /* as struct tick_loss */

struct win_coverage {
	double events, lost_events;                  /* NaN: not known */
	double weight;                               /* the most that a request counts for: exact at 1, else estimates; NaN */
	double blind_s;                              /* ticks in which, for a while, no requests were read */
	VEC(const char *) notes;                     /* sentences: "payload of 3 TLS connections was not seen" */
	VEC(struct win_loss) loss;
};

struct window {
	struct arena arena;        /* all strings and histograms */
	const char *node;          /* host name, NULL unknown */
	int64_t since_ns, until_ns;            /* what was asked for, resolved, cut to what there is */
	int64_t first_ns, last_ns;             /* first and last tick there is in the recording */
	VEC(struct win_tick) ticks;            /* that there are in it, whether they have rows or not; none: a window by hand */
	VEC(struct win_service) services;
	VEC(struct win_edge) edges;
	VEC(const char *) ops;
	VEC(struct win_series) series;
	VEC(struct win_requests) requests;
	VEC(struct win_outcome) outcomes;
	VEC(struct win_downstream) downstream;
	VEC(struct win_tcp) tcp;
	VEC(struct win_tls) tls;
	VEC(struct win_point) points;
	VEC(struct win_event) events;
	VEC(struct win_log) logs;
	VEC(struct win_process) processes;
	VEC(struct win_stack) stacks;
	VEC(struct win_profile) profile;
	VEC(struct win_pause) pauses;
	VEC(struct win_span) spans;
	double profile_hz;         /* ticks of the CPU clock a second and CPU; NaN: not known */
	struct win_coverage coverage;
	struct map index_;         /* private: name → id while it is being filled */
	struct win_hist *hists_;   /* private: those of window_hist(), to be freed */
};

/* An empty window on the heap; NULL: no memory. */
struct window *window_new(void);
void window_free(struct window *w);

/* Find or add; the strings are copied. WIN_NONE: no memory. */
uint32_t window_service(struct window *w, const char *name);
uint32_t window_edge(struct window *w, uint32_t from, uint32_t to, const char *protocol, uint32_t port);
uint32_t window_op(struct window *w, const char *text);
uint32_t window_series(struct window *w, uint32_t service, const char *metric, const char *device);
/* parent WIN_NONE: the outermost frame */
uint32_t window_stack(struct window *w, uint32_t parent, const char *frame);
/* Find only. */
uint32_t window_find_service(const struct window *w, const char *name);
/* Seconds of a range in which the CPUs were sampled, where they are at all. */
double window_sampled_s(const struct window *w, int64_t since_ns, int64_t until_ns);
/* A histogram whose memory goes with the window; NULL: no memory. */
struct hist *window_hist(struct window *w);
/* Sorts every vector by time, as the readers expect. Call once when filled. */
void window_sort(struct window *w);

#endif

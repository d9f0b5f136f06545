/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows: one fact, one row: the INSERTs, for the recorder and for imports.
 *
 * Numbers are doubles here because imported ones may be fractional; SQLite keeps whole ones as integers.  NaN is NULL.
 * Each returns 0 or negative with s->why; -EEXIST: the tick has such a row already.
 */
#ifndef ROOTLE_STORE_ROWS_H
#define ROOTLE_STORE_ROWS_H

#include "base/hist.h"
#include "model/timing.h"
#include "store/store.h"

#define QUANTILES 4               /* p50 p90 p95 p99 */

/* Of a request row, in the order of the table: how many were timed, their latencies, the parts (model/timing.h). */
#define TIMED_NUMBERS (2 + TIME_PARTS)
#define TIMED_COLUMNS "timed, timed_ns, " PART_COLUMNS
/* The parts alone, in the order of time_part_table[], and a place for each in a VALUES(). */
#define PART_COLUMNS "there_ns, queue_ns, cpu_ns, runq_ns, quota_ns, io_ns, mem_ns, lock_ns, net_ns, poll_ns, sleep_ns, down_ns, " \
	"back_ns, client_ns, remote_ns"
#define PART_VALUES "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"

struct requests_row {
	int64_t tick, edge, op;
	double count, errors, waits;    /* waits: NaN or 0: none */
	double sum_ns;                  /* of those that do not wait */
	double p_ns[QUANTILES], bytes_request, bytes_response, rows;
	double begun, first_ns;       /* NaN or 0: not known */
	double timed[TIMED_NUMBERS];  /* all 0: none, and none but the first is stored */
	const struct hist *hist;      /* NULL or empty: none */
};

/* detail '' and status 0: none. */
struct outcome_row { int64_t tick, edge, op, status; const char *detail, *error; double count; };

struct downstream_row { int64_t tick, edge, op, callee; double count, ns; };

#define TCP_NUMBERS 26            /* opened … callee_zero_window_us, in the order of the table */
struct tcp_row { int64_t tick, edge; double v[TCP_NUMBERS]; };

/* NULL strings: '' in the key, NULL behind it. not_after_s 0: not known. */
struct tls_row {
	int64_t tick, edge, not_after_s;
	const char *version, *sni, *result, *sender, *alpn, *subject, *source;
	double count;
};

struct profile_row;               /* fold.h */

#define PROCESS_NUMBERS 9         /* cpu_s … connections */
struct process_tick_row { int64_t tick, process; double v[PROCESS_NUMBERS]; char state[2]; };

#define CGROUP_NUMBERS 9          /* cpu_s … pids */
struct cgroup_tick_row { int64_t tick, cgroup; double v[CGROUP_NUMBERS]; };

struct event_row {
	int64_t t_ns, service;        /* service 0: of the node */
	const char *kind, *detail, *version_before, *version_after, *actor;
	uint32_t pid;
	int source;
};

struct span_row {
	const char *trace, *span, *parent;          /* parent NULL: a root */
	int64_t service, edge, op, t_ns, dur_ns;    /* edge 0: not known */
	const char *status, *error, *detail, *method;   /* NULL: none, not known */
	double confidence;
	double part_ns[TIME_PARTS];   /* all NaN: not known */
	int source;
};

/* NaN for an empty histogram. */
void quantiles_ns(const struct hist *h, double p_ns[QUANTILES]);

int row_requests(struct store *s, const struct requests_row *r);
int row_outcome(struct store *s, const struct outcome_row *r);
int row_downstream(struct store *s, const struct downstream_row *r);
int row_tcp(struct store *s, const struct tcp_row *r);
int row_tls(struct store *s, const struct tls_row *r);
int row_point(struct store *s, int64_t tick, int64_t series, double value, double limit);
int row_log(struct store *s, int64_t tick, int64_t pattern, double count, double baseline);
int row_process_tick(struct store *s, const struct process_tick_row *r);
int row_cgroup_tick(struct store *s, const struct cgroup_tick_row *r);
/* Adds to the row that is there. */
int row_profile(struct store *s, int64_t tick, const struct profile_row *r);
int row_loss(struct store *s, int64_t tick, const char *stage, const char *reason, double count);
int row_event(struct store *s, const struct event_row *r);
int row_span(struct store *s, const struct span_row *r);

#endif

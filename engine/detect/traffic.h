/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traffic: the requests and connections of each edge on one grid of time, whatever the intervals of the rows were (1 s
 * live, 10 s rolled up, 5 min from elsewhere): the place where rows become comparable.  Knows nothing of causes.
 *
 * A row belongs to the bin its middle lies in, with all it counts: sums stay exact, and the bins are only as fine as the rows.
 */
#ifndef ROOTLE_DETECT_TRAFFIC_H
#define ROOTLE_DETECT_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "model/window.h"

struct grid {
	int64_t origin_ns, bin_ns;
	uint32_t bins;
};

/* The bin a moment lies in, clamped to the grid. */
uint32_t grid_bin(const struct grid *g, int64_t t_ns);
int64_t grid_time(const struct grid *g, uint32_t bin);      /* its start */

struct cell {
	double count, errors;                   /* totals in the bin */
	double mean_ms, p50_ms, p90_ms, p99_ms; /* NaN: not known */
	double refused, timeouts, resets, retrans, opened;   /* totals */
	double inflight;                        /* mean over the bin */
	double oldest_ms;                       /* largest; 0 none */
	double srtt_us;                         /* mean of what is known, NaN */
	struct hist hist;                       /* of the latencies, empty where only columns are known */
	double seconds;                         /* covered by rows of requests */
	double timed, tcp_rows, srtt_rows;      /* weights of the means above */
};

struct flow {
	struct cell *cell;     /* grid.bins; NULL: nothing is known */
	double count;          /* requests in all */
	bool tcp;
};

struct traffic {
	struct grid grid;
	struct flow *flow;     /* by edge of the window */
	size_t n;
};

/* Reads the rows that begin in [since_ns, until_ns). 0, or -ENOMEM (nothing to free). */
int traffic_init(struct traffic *t, const struct window *w, int64_t since_ns, int64_t until_ns);
void traffic_done(struct traffic *t);

/* Sums flows into one (the front of a service has several edges); 0 or -ENOMEM. Free with flow_done(). */
int flow_merge(struct flow *into, const struct flow *from, uint32_t bins);
void flow_done(struct flow *f, uint32_t bins);
/* Works out the means and quantiles of each cell once everything is in it. */
void flow_finish(struct flow *f, uint32_t bins);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile: what is normal for a flow, and by how much a bin departs from it: seconds waited and requests failed beyond the
 * normal, zero where that could be noise.
 */
#ifndef ROOTLE_DETECT_PROFILE_H
#define ROOTLE_DETECT_PROFILE_H

#include "detect/robust.h"
#include "detect/traffic.h"

enum { Q_P50, Q_P90, Q_P99, Q_MAX };

struct profile {
	uint32_t bins;                 /* with requests; 0: nothing is known, then everything is an excess */
	double requests;
	double per_s;                  /* requests per second */
	double mean_ms;                /* median of the bins' means */
	double error_share;
	struct spread log_q[Q_MAX];    /* of log(milliseconds) per bin */
	double p50_ms, p90_ms, p99_ms; /* medians of the bins; NaN not known */
	double tail_ms;                /* p99 of all together, where histograms are known; NaN */
	double inflight, refused_per_s, failed_per_s;   /* failed: timeouts and resets of connections */
	double retrans_share;          /* retransmits a request */
	double srtt_us;                /* NaN: not known */
};

/* The normal of a flow: the bins whose mark has `bit`. `scratch` holds `bins` doubles. */
void profile_of(struct profile *p, const struct flow *f, const struct grid *g, const uint8_t *mark, uint8_t bit,
		double *scratch);

struct excess {
	double z;          /* how sure the latency is another one, in scales; < 3.5 is noise */
	double novel;      /* the same against the furthest it ever was from normal: > 1 was never seen before */
	double seconds;    /* waited beyond the normal, requests still open included */
	double failures;   /* answered with an error beyond the normal, not answered, refused */
	double stuck;      /* requests open beyond the normal, on average over the bin */
};

/* Of one bin. */
struct excess profile_excess(const struct profile *p, const struct cell *c, double bin_s);
/* The share of requests slower than nearly all used to be (old p99); NaN without histograms. */
double profile_tail_share(const struct profile *p, const struct cell *c);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "detect/profile.h"

#include <math.h>

#define Z_SURE 3.5
#define FAILURES_MIN 3.0       /* extra failures … */
#define FAILURE_SHARE_MIN 0.005 /* … and half a percentage point */
#define STUCK_MIN 2.0
#define TAIL_SHARE 0.01

/* Noise that the quantile of a few hundred requests has by itself, in log units. */
static const double log_floor[Q_MAX] = {[Q_P50] = 0.05, [Q_P90] = 0.08, [Q_P99] = 0.20};
/* A change below this factor is not worth a word, in log units. */
static const double log_least[Q_MAX] = {[Q_P50] = 0.10, [Q_P90] = 0.15, [Q_P99] = 0.40};

static double cell_q(const struct cell *c, int q)
{
	return q == Q_P50 ? c->p50_ms : q == Q_P90 ? c->p90_ms : c->p99_ms;
}

static double log_ms(double ms)
{
	return log(fmax(ms, 1e-3));
}

/* A quantile needs some requests behind it: one in a hundred is nothing among twenty. */
static bool quantile_known(const struct cell *c, int q)
{
	static const double least[Q_MAX] = {[Q_P50] = 5, [Q_P90] = 20, [Q_P99] = 100};

	return c->count >= least[q] && !isnan(cell_q(c, q));
}

static double known_positive(double v)
{
	return v > 0 ? v : 0;
}

static double sum_share(double sum, double of)
{
	return of > 0 ? sum / of : 0;
}

static void profile_sums(struct profile *p, const struct flow *f, const struct grid *g, const uint8_t *mark, uint8_t bit)
{
	double errors = 0, refused = 0, failed = 0, retrans = 0, inflight = 0, srtt = 0, srtts = 0, bins = 0;
	double bin_s = (double)g->bin_ns / 1e9, seconds;
	uint32_t i = 0;

	/* Before its first request it was not there yet: that is no lower rate. */
	while (i < g->bins && f->count > 0 && !(f->cell[i].count > 0) && !(f->cell[i].opened > 0))
		i++;
	for (; i < g->bins; i++) {
		const struct cell *c = &f->cell[i];

		if (!(mark[i] & bit))
			continue;
		bins++;
		p->bins += c->count > 0;
		p->requests += c->count;
		errors += c->errors;
		refused += c->refused;
		failed += c->timeouts + c->resets;
		retrans += c->retrans;
		inflight += c->inflight;
		if (!isnan(c->srtt_us)) {
			srtt += c->srtt_us;
			srtts++;
		}
	}
	seconds = bins * bin_s;
	p->per_s = sum_share(p->requests, seconds);
	p->error_share = sum_share(errors, p->requests);
	p->refused_per_s = sum_share(refused, seconds);
	p->failed_per_s = sum_share(failed, seconds);
	p->retrans_share = sum_share(retrans, p->requests);
	p->inflight = sum_share(inflight, bins);
	p->srtt_us = srtts > 0 ? srtt / srtts : NAN;
}

static struct spread bins_spread(const struct flow *f, const struct grid *g, const uint8_t *mark, uint8_t bit, int q,
				 double *scratch)
{
	uint32_t i;
	size_t n = 0;

	for (i = 0; i < g->bins; i++)
		if ((mark[i] & bit) && quantile_known(&f->cell[i], q))
			scratch[n++] = log_ms(cell_q(&f->cell[i], q));
	return robust_spread(scratch, n, log_floor[q]);
}

static double bins_mean(const struct flow *f, const struct grid *g, const uint8_t *mark, uint8_t bit, double *scratch)
{
	uint32_t i;
	size_t n = 0;

	for (i = 0; i < g->bins; i++)
		if ((mark[i] & bit) && f->cell[i].count > 0 && !isnan(f->cell[i].mean_ms))
			scratch[n++] = f->cell[i].mean_ms;
	robust_sort(scratch, n);
	return robust_quantile(scratch, n, 0.5);
}

void profile_of(struct profile *p, const struct flow *f, const struct grid *g, const uint8_t *mark, uint8_t bit,
		double *scratch)
{
	int q;

	*p = (struct profile){.mean_ms = NAN, .p50_ms = NAN, .p90_ms = NAN, .p99_ms = NAN, .tail_ms = NAN, .srtt_us = NAN};
	for (q = 0; q < Q_MAX; q++)
		p->log_q[q] = (struct spread){.median = NAN, .p90 = NAN};
	if (!f->cell)
		return;
	profile_sums(p, f, g, mark, bit);
	for (q = 0; q < Q_MAX; q++)
		p->log_q[q] = bins_spread(f, g, mark, bit, q, scratch);
	p->mean_ms = bins_mean(f, g, mark, bit, scratch);
	p->p50_ms = exp(p->log_q[Q_P50].median);
	p->p90_ms = exp(p->log_q[Q_P90].median);
	p->p99_ms = exp(p->log_q[Q_P99].median);
	p->tail_ms = p->p99_ms;
}

double profile_tail_share(const struct profile *p, const struct cell *c)
{
	if (isnan(p->tail_ms) || !c->hist.count)
		return NAN;
	return hist_above(&c->hist, (uint64_t)(p->tail_ms * 1e6));
}

struct latency { double z, novel, extra_ms; };

/*
 * How far the bin's quantiles lie above the normal ones: in scales, against the furthest that they ever were, and in
 * milliseconds a request.  The last is the positive part of the difference of the two quantile functions: a tail that grew
 * counts although the mean fell, because the mix of the requests changed.
 */
static struct latency latency_beyond(const struct profile *p, const struct cell *c)
{
	static const double mass[Q_MAX] = {[Q_P50] = 0.70, [Q_P90] = 0.25, [Q_P99] = 0.04};
	struct latency l = {0};
	int q;

	for (q = 0; q < Q_MAX; q++) {
		const struct spread *s = &p->log_q[q];
		double up, z;

		if (!quantile_known(c, q) || s->n < 3)
			continue;
		up = log_ms(cell_q(c, q)) - s->median;
		z = up / s->scale;
		if (up < log_least[q] || z < Z_SURE)
			continue;
		l.extra_ms += mass[q] * (cell_q(c, q) - exp(s->median));
		if (z > l.z) {
			l.z = z;
			l.novel = up / fmax(s->worst, 1e-9);
		}
	}
	if (l.z > 0 && !isnan(p->mean_ms))
		l.extra_ms = fmax(l.extra_ms, c->mean_ms - p->mean_ms);
	return l;
}

static double failures_beyond(const struct profile *p, const struct cell *c, double bin_s)
{
	double errors = c->errors - p->error_share * c->count;
	double lost = fmax(0, c->refused - p->refused_per_s * bin_s) +
		      fmax(0, c->timeouts + c->resets - p->failed_per_s * bin_s);
	double noise = 3 * sqrt(p->error_share * c->count), slow = 0;

	if (errors < fmax(FAILURES_MIN, noise) || errors < FAILURE_SHARE_MIN * c->count)
		errors = 0;
	if (lost < FAILURES_MIN)
		lost = 0;
	/* A caller that gave up fails although nothing here did: what took this long may as well not have come. */
	if (!isnan(p->tail_ms) && c->hist.count)
		slow = c->count * hist_above(&c->hist, (uint64_t)((5 * p->tail_ms + 500) * 1e6));
	return fmax(errors, 0) + fmax(lost, slow);
}

struct excess profile_excess(const struct profile *p, const struct cell *c, double bin_s)
{
	struct excess e = {0};
	struct latency l = latency_beyond(p, c);

	e.stuck = c->inflight - p->inflight;
	if (e.stuck < fmax(STUCK_MIN, p->inflight) || c->oldest_ms < fmax(500, 5 * known_positive(p->p99_ms)))
		e.stuck = 0;
	if (!p->bins) {
		e.z = e.novel = INFINITY;
		e.seconds = c->count > 0 && !isnan(c->mean_ms) ? c->mean_ms * c->count / 1e3 : 0;
	} else {
		e.z = l.z;
		e.novel = l.novel;
		e.seconds = l.extra_ms * c->count / 1e3;
	}
	/* Requests that never end are in no latency: what is open over the bin has waited that long in it. */
	e.seconds = fmax(e.seconds, e.stuck * bin_s);
	e.failures = failures_beyond(p, c, bin_s) + e.stuck;
	return e;
}

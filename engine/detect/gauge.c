/* SPDX-License-Identifier: BSD-2-Clause */
#include "detect/gauge.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/metric.h"

#define BLOCKS_MAX 240
#define SPARSE_NS (10 * NS_PER_S)

int gauges_init(struct gauges *g, const struct window *w)
{
	size_t i;

	g->w = w;
	g->first = calloc(w->series.n + 2, sizeof(*g->first));
	g->order = calloc(w->points.n ? w->points.n : 1, sizeof(*g->order));
	if (!g->first || !g->order) {
		gauges_done(g);
		return -ENOMEM;
	}
	/* A counting sort; stable, so that time stays in order. first[] is one ahead while it is filled. */
	for (i = 0; i < w->points.n; i++)
		if (w->points.v[i].series < w->series.n)
			g->first[w->points.v[i].series + 2]++;
	for (i = 2; i < w->series.n + 2; i++)
		g->first[i] += g->first[i - 1];
	for (i = 0; i < w->points.n; i++)
		if (w->points.v[i].series < w->series.n)
			g->order[g->first[w->points.v[i].series + 1]++] = (uint32_t)i;
	return 0;
}

void gauges_done(struct gauges *g)
{
	free(g->first);
	free(g->order);
	*g = (struct gauges){0};
}

static const struct win_point *point_at(const struct gauges *g, uint32_t i)
{
	return &g->w->points.v[g->order[i]];
}

static int64_t point_middle(const struct win_point *p)
{
	return p->t_ns + p->dur_ns / 2;
}

/* The first point of the series at or after t. */
static uint32_t point_from(const struct gauges *g, uint32_t series, int64_t t_ns)
{
	uint32_t low = g->first[series], high = g->first[series + 1];

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (point_middle(point_at(g, mid)) < t_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Block means of the range into v (BLOCKS_MAX + 1 of room); their number. */
static size_t blocks_of(const struct gauges *g, uint32_t series, struct span range, double *v)
{
	uint32_t a = point_from(g, series, range.since_ns), b = point_from(g, series, range.until_ns), i;
	uint32_t size = (b - a + BLOCKS_MAX - 1) / BLOCKS_MAX, in = 0;
	double sum = 0;
	size_t n = 0;

	for (i = a; i < b; i++) {
		double value = point_at(g, i)->value;

		if (!isnan(value) && !isinf(value)) {
			sum += value;
			in++;
		}
		if (in && (in == size || i + 1 == b)) {
			v[n++] = sum / in;
			sum = 0;
			in = 0;
		}
	}
	return n;
}

/* A metric that we do not know has no natural floor; a scale of a ten-thousandth of nothing must still not be zero. */
static double series_floor(const char *metric)
{
	const struct metric_info *m = metric_by_name(metric);

	return m ? m->floor : 1e-6;
}

struct shift gauge_shift(const struct gauges *g, uint32_t series, struct span base, struct span now)
{
	double before[BLOCKS_MAX + 1], after[BLOCKS_MAX + 1];
	size_t n = blocks_of(g, series, base, before), m = blocks_of(g, series, now, after);

	return robust_shift(before, n, after, m, series_floor(g->w->series.v[series].metric));
}

/* The time that is known of a series in the range, and the sum over it of its values, each at most `cap`. */
struct known { double ns, sum; };

static struct known known_capped(const struct gauges *g, uint32_t series, struct span range, double cap)
{
	uint32_t i, b = point_from(g, series, range.until_ns);
	const struct win_point *last = NULL;
	struct known k = {0};

	for (i = point_from(g, series, range.since_ns); i < b; i++) {
		const struct win_point *p = point_at(g, i);
		int64_t gap;

		if (isnan(p->value) || isinf(p->value))
			continue;
		gap = last ? p->t_ns - (last->t_ns + last->dur_ns) : 0;
		if (gap > 0 && gap <= SPARSE_NS) {
			k.ns += (double)gap;
			k.sum += fmin(cap, fmin(last->value, p->value)) * (double)gap;
		}
		k.ns += (double)p->dur_ns;
		k.sum += fmin(cap, p->value) * (double)p->dur_ns;
		last = p;
	}
	return k;
}

static double mean_capped(const struct gauges *g, uint32_t series, struct span range, double cap)
{
	struct known k = known_capped(g, series, range, cap);

	return k.ns > 0 && range.until_ns > range.since_ns ? k.sum / (double)(range.until_ns - range.since_ns) : NAN;
}

double gauge_mean(const struct gauges *g, uint32_t series, struct span range)
{
	return mean_capped(g, series, range, INFINITY);
}

static int by_value_down(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

/* What the series exceeds for a tenth of the range; where it has no points it is zero. */
static double busiest_tenth(const struct gauges *g, uint32_t series, struct span range)
{
	double v[BLOCKS_MAX + 1], known = known_capped(g, series, range, INFINITY).ns;
	size_t n = blocks_of(g, series, range, v), skip;

	if (!n || !(known > 0))
		return INFINITY;
	skip = (size_t)(0.1 * (double)(range.until_ns - range.since_ns) * (double)n / known);
	qsort(v, n, sizeof(*v), by_value_down);
	return skip < n ? v[skip] : 0;
}

double gauge_mean_lasting(const struct gauges *g, uint32_t series, struct span range)
{
	return mean_capped(g, series, range, busiest_tenth(g, series, range));
}

double gauge_limit(const struct gauges *g, uint32_t series, struct span now)
{
	uint32_t i = point_from(g, series, now.until_ns);

	while (i-- > g->first[series] && point_middle(point_at(g, i)) >= now.since_ns)
		if (!isnan(point_at(g, i)->limit))
			return point_at(g, i)->limit;
	return NAN;
}

double gauge_max(const struct gauges *g, uint32_t series, struct span range)
{
	uint32_t i, b = point_from(g, series, range.until_ns);
	double most = NAN;

	for (i = point_from(g, series, range.since_ns); i < b; i++)
		most = fmax(most, point_at(g, i)->value);
	return most;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "detect/robust.h"

#include <math.h>
#include <stdlib.h>

#define SCORE_MAX 6.0   /* log1p(400): past 400 scales more is not surer */

static int value_order(const void *pa, const void *pb)
{
	double a = *(const double *)pa, b = *(const double *)pb;

	return a < b ? -1 : a > b;
}

void robust_sort(double *v, size_t n)
{
	if (n > 1)
		qsort(v, n, sizeof(*v), value_order);
}

double robust_quantile(const double *sorted, size_t n, double q)
{
	double at = q * (double)(n ? n - 1 : 0);
	size_t i = (size_t)at;

	if (!n)
		return NAN;
	if (i + 1 >= n)
		return sorted[n - 1];
	return sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]);
}

/* Median distance from `mid` of ascending values, without a copy: the distances fall, then rise, so the k smallest are
 * neighbours and two pointers walk outwards. */
static double median_distance(const double *sorted, size_t n, double mid)
{
	size_t right = 0, left, i;
	double d = 0;

	while (right < n && sorted[right] < mid)
		right++;
	left = right;
	for (i = 0; i <= n / 2 && (left > 0 || right < n); i++) {
		if (left == 0 || (right < n && sorted[right] - mid <= mid - sorted[left - 1]))
			d = sorted[right++] - mid;
		else
			d = mid - sorted[--left];
	}
	return d;
}

struct spread robust_spread(double *v, size_t n, double floor)
{
	struct spread s = {.median = NAN, .p90 = NAN, .scale = floor, .n = n};

	if (!n)
		return s;
	robust_sort(v, n);
	s.median = robust_quantile(v, n, 0.5);
	s.p90 = robust_quantile(v, n, 0.9);
	s.scale = fmax(s.scale, 1.4826 * median_distance(v, n, s.median));
	s.scale = fmax(s.scale, (robust_quantile(v, n, 0.75) - robust_quantile(v, n, 0.25)) / 1.349);
	s.scale = fmax(s.scale, 0.05 * fabs(s.median));
	s.worst = fmax(v[n - 1] - s.median, s.median - v[0]);
	return s;
}

struct shift robust_shift(double *before, size_t n, double *after, size_t m, double floor)
{
	struct spread b = robust_spread(before, n, floor), a = robust_spread(after, m, floor);
	struct shift s = {
		.before = b.median, .after = a.median, .p90_before = b.p90, .p90_after = a.p90, .n_before = n, .n_after = m,
	};
	double middle, high;

	if (!n || !m || b.scale <= 0)
		return s;
	middle = (a.median - b.median) / b.scale;
	/* Of a single value p90 is the value; a burst must stand out of the bursts before it. */
	high = 0.5 * (a.p90 - b.p90) / fmax(b.scale, b.p90 - b.median);
	s.z = fabs(high) > fabs(middle) ? high : middle;
	return s;
}

double shift_score(const struct shift *s)
{
	double score = fmin(log1p(fabs(s->z)), SCORE_MAX);

	return s->z < 0 ? score / 2 : score;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * robust: statistics that a few wild values do not move: medians, their spread, and the shift between
 * two samples.  Pure; values are doubles in any unit; NaN must have been left out by the caller.
 */
#ifndef ROOTLE_DETECT_ROBUST_H
#define ROOTLE_DETECT_ROBUST_H

#include <stddef.h>

/* Sorts v ascending. */
void robust_sort(double *v, size_t n);
/* Quantile q (0..1) of ascending values, interpolated; NaN when there are none. */
double robust_quantile(const double *sorted, size_t n, double q);

struct spread {
	double median, p90;   /* NaN: no values */
	double scale;         /* of one value, in its unit, never below the floor */
	double worst;         /* largest distance of a value from the median */
	size_t n;
};

/* The spread of v, which is sorted in place: scale = max(1.4826 MAD, IQR / 1.349, 5 % of the median, floor).  A scale of
 * zero would turn "0, always" → "a little" into an infinite change and put it above every fault. */
struct spread robust_spread(double *v, size_t n, double floor);

struct shift {
	double before, after;          /* medians, NaN: no values */
	double p90_before, p90_after;
	double z;                      /* signed, in scales of before; 0 where either side has no values */
	size_t n_before, n_after;
};

/* Both arrays are sorted in place. */
struct shift robust_shift(double *before, size_t n, double *after, size_t m, double floor);
/* log1p(|z|) up to a cap, so that no series outranks the rest just for having been quiet; falls count half. */
double shift_score(const struct shift *s);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gauge: the points of each resource series, found by series, and how a series shifted from one range of time to another.
 */
#ifndef ROOTLE_DETECT_GAUGE_H
#define ROOTLE_DETECT_GAUGE_H

#include "detect/robust.h"
#include "model/window.h"

struct gauges {
	const struct window *w;        /* borrowed */
	uint32_t *first;               /* by series: where its points begin in `order`; one more at the end */
	uint32_t *order;               /* indices of points, by series, then by time */
};

/* 0, or -ENOMEM (nothing to free). */
int gauges_init(struct gauges *g, const struct window *w);
void gauges_done(struct gauges *g);

struct span { int64_t since_ns, until_ns; };

/* The shift of a series from the range `base` to the range `now`; each is thinned to at most 240 block means. */
struct shift gauge_shift(const struct gauges *g, uint32_t series, struct span base, struct span now);
/* The mean of a series over the whole range; NaN: no points in it.  Where it has none for up to ten seconds it is taken as the
 * lower of its neighbours (a series that stays the same is sparse), beyond that as zero: nobody was there. */
double gauge_mean(const struct gauges *g, uint32_t series, struct span range);
/* The same, but no value counts for more than what the series reaches in the busiest tenth of the range: a level that lasts, not
 * a burst. A range of fewer than ten values has no burst. */
double gauge_mean_lasting(const struct gauges *g, uint32_t series, struct span range);
/* Newest limit of a series in the range, NaN: none. */
double gauge_limit(const struct gauges *g, uint32_t series, struct span now);
/* Largest value in the range; NaN: none. */
double gauge_max(const struct gauges *g, uint32_t series, struct span range);

#endif

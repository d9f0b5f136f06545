/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <math.h>

#include "detect/robust.h"

#define CLOSE(a, b) cr_assert(fabs((a) - (b)) < 1e-9, "%g, wanted %g", (double)(a), (double)(b))

Test(robust, quantiles)
{
	const double v[] = {1, 2, 3, 4, 5};

	CLOSE(robust_quantile(v, 5, 0), 1);
	CLOSE(robust_quantile(v, 5, 0.5), 3);
	CLOSE(robust_quantile(v, 5, 0.9), 4.6);
	CLOSE(robust_quantile(v, 5, 1), 5);
	cr_assert(isnan(robust_quantile(v, 0, 0.5)));
}

Test(robust, spread_ignores_a_wild_value)
{
	double v[] = {10, 11, 9, 10, 12, 8, 10, 1000};
	struct spread s = robust_spread(v, 8, 0.1);

	CLOSE(s.median, 10);
	CLOSE(s.worst, 990);
	cr_assert(s.scale < 3, "scale %g", s.scale);
}

/* The distances from the median 3 are 2 1 0 1 2: their median is 1. */
Test(robust, median_distance)
{
	double v[] = {5, 1, 4, 2, 3};

	CLOSE(robust_spread(v, 5, 0).scale, fmax(1.4826, 2 / 1.349));
}

Test(robust, a_quiet_series_has_a_floor)
{
	double before[] = {0, 0, 0, 0, 0, 0}, after[] = {1, 1, 1, 1};
	struct shift s = robust_shift(before, 6, after, 4, 2);

	CLOSE(s.z, 0.5);
	CLOSE(s.before, 0);
	CLOSE(s.after, 1);
}

Test(robust, shift_up_down_and_burst)
{
	double a[] = {9, 10, 11, 10, 9, 11}, up[] = {40, 41, 39}, b[] = {9, 10, 11, 10, 9, 11}, down[] = {1, 1, 1};
	double c[] = {9, 10, 11, 10, 9, 11}, burst[] = {10, 10, 10, 10, 10, 10, 90, 95, 90};

	cr_assert(robust_shift(a, 6, up, 3, 0.1).z > 10);
	cr_assert(robust_shift(b, 6, down, 3, 0.1).z < -3);
	cr_assert(robust_shift(c, 6, burst, 9, 0.1).z > 10, "a burst in a third of the time is seen");
}

Test(robust, no_values_no_shift)
{
	double v[] = {1, 2};

	CLOSE(robust_shift(v, 0, v, 2, 1).z, 0);
	CLOSE(robust_shift(v, 2, v, 0, 1).z, 0);
}

Test(robust, score_is_capped_and_falls_count_half)
{
	struct shift huge = {.z = 1e12}, more = {.z = 1e6}, up = {.z = 10}, down = {.z = -10};

	CLOSE(shift_score(&huge), shift_score(&more));
	CLOSE(shift_score(&down), shift_score(&up) / 2);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <math.h>

#include "base/clock.h"
#include "detect/gauge.h"

/* A series with a point of one second at each of the seconds, values beside them. */
static struct window *series_of(const int *second, const double *value, size_t n)
{
	struct window *w = window_new();
	uint32_t id = window_series(w, window_service(w, "cc1"), "cpu_cores", NULL);
	size_t i;

	for (i = 0; i < n; i++) {
		struct win_point *p = vec_push(&w->points);

		*p = (struct win_point){.t_ns = second[i] * NS_PER_S, .dur_ns = NS_PER_S, .series = id, .value = value[i], .limit = NAN};
	}
	window_sort(w);
	return w;
}

static double mean_of(struct window *w, int since, int until)
{
	struct gauges g;
	double mean;

	cr_assert_eq(gauges_init(&g, w), 0);
	mean = gauge_mean(&g, 0, (struct span){since * NS_PER_S, until * NS_PER_S});
	gauges_done(&g);
	window_free(w);
	return mean;
}

Test(gauge, mean_of_one_that_was_there_for_a_moment)
{
	static const int second[] = {5, 30};
	static const double value[] = {1, 1};

	cr_assert_float_eq(mean_of(series_of(second, value, 2), 0, 40), 2.0 / 40, 1e-9);
}

Test(gauge, mean_of_one_that_stays_the_same)
{
	static const int second[] = {0, 10, 20, 30, 39};
	static const double value[] = {1, 1, 1, 1, 1};

	cr_assert_float_eq(mean_of(series_of(second, value, 5), 0, 40), 1, 1e-9);
}

Test(gauge, mean_takes_the_lower_neighbour)
{
	static const int second[] = {0, 9};
	static const double value[] = {0, 1};

	cr_assert_float_eq(mean_of(series_of(second, value, 2), 0, 10), 0.1, 1e-9);
}

Test(gauge, mean_leaves_out_what_is_not_known)
{
	static const int second[] = {0, 1, 2, 3};
	const double value[] = {1, NAN, INFINITY, 1};

	cr_assert_float_eq(mean_of(series_of(second, value, 4), 0, 4), 1, 1e-9);
}

Test(gauge, mean_of_nothing)
{
	static const int second[] = {50};
	static const double value[] = {1};

	cr_assert(isnan(mean_of(series_of(second, value, 1), 0, 40)));
}

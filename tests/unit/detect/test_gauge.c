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

static double mean_by(double (*mean)(const struct gauges *, uint32_t, struct span), struct window *w, int since, int until)
{
	struct gauges g;
	double value;

	cr_assert_eq(gauges_init(&g, w), 0);
	value = mean(&g, 0, (struct span){since * NS_PER_S, until * NS_PER_S});
	gauges_done(&g);
	window_free(w);
	return value;
}

static double mean_of(struct window *w, int since, int until)
{
	return mean_by(gauge_mean, w, since, until);
}

static double lasting_of(struct window *w, int since, int until)
{
	return mean_by(gauge_mean_lasting, w, since, until);
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

Test(gauge, a_burst_does_not_last)
{
	static const int second[] = {5, 30};
	static const double value[] = {500, 100};

	cr_assert_eq(lasting_of(series_of(second, value, 2), 0, 40), 0);
}

Test(gauge, a_burst_on_top_of_a_level_counts_as_the_level)
{
	int second[40];
	double value[40];
	int i;

	for (i = 0; i < 40; i++) {
		second[i] = i;
		value[i] = i == 7 ? 500 : 8;
	}
	cr_assert_float_eq(lasting_of(series_of(second, value, 40), 0, 40), 8, 1e-9);
}

Test(gauge, every_other_second_lasts)
{
	static const int second[] = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18};
	double value[10];
	int i;

	for (i = 0; i < 10; i++)
		value[i] = i % 2 ? 0 : 8;
	cr_assert_float_eq(lasting_of(series_of(second, value, 10), 0, 20), 2, 1e-9);
}

Test(gauge, one_that_stays_the_same_lasts)
{
	static const int second[] = {0, 10, 20, 30, 40, 50};
	static const double value[] = {1, 1, 1, 1, 1, 1};

	cr_assert_float_eq(lasting_of(series_of(second, value, 6), 0, 51), 1, 1e-9);
}

Test(gauge, a_short_range_has_no_burst)
{
	static const int second[] = {1};
	static const double value[] = {6};

	cr_assert_float_eq(lasting_of(series_of(second, value, 1), 0, 6), 1, 1e-9);
}

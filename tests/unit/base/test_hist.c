/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/hist.h"

Test(hist, buckets_join_without_gap_or_overlap)
{
	uint32_t b;

	for (b = 0; b < 3600; b++)
		cr_assert_eq(hist_bucket_high(b) + 1, hist_bucket_low(b + 1), "bucket %u", b);
}

Test(hist, every_value_lies_in_its_bucket_within_two_percent)
{
	uint64_t v;

	for (v = 1; v < UINT64_MAX / 3; v = v * 2 + v / 7 + 1) {
		uint32_t b = hist_bucket(v);
		double mid = ((double)hist_bucket_low(b) + (double)hist_bucket_high(b)) / 2;

		cr_assert(hist_bucket_low(b) <= v && v <= hist_bucket_high(b), "value %lu", v);
		cr_assert_lt(fabs(mid - (double)v) / (double)v, 0.02, "value %lu mid %g", v, mid);
	}
	cr_assert(hist_bucket_low(hist_bucket(UINT64_MAX)) <= UINT64_MAX);
}

static int cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

Test(hist, quantiles_agree_with_sorting)
{
	static const double q[] = {0, 0.01, 0.5, 0.9, 0.99, 1};
	uint64_t v[5000];
	struct hist h;
	size_t i;

	srand(7);
	hist_init(&h);
	for (i = 0; i < 5000; i++) {
		v[i] = (uint64_t)exp(8 + 10 * (rand() / (double)RAND_MAX));
		cr_assert_eq(hist_add(&h, v[i], 1), 0);
	}
	qsort(v, 5000, sizeof(*v), cmp);
	for (i = 0; i < sizeof(q) / sizeof(*q); i++) {
		size_t rank = (size_t)ceil(q[i] * 5000);
		double want = (double)v[rank ? rank - 1 : 0], got = hist_quantile(&h, q[i]);

		cr_assert_lt(fabs(got - want) / want, 0.02, "q %g: want %g got %g", q[i], want, got);
	}
	hist_done(&h);
}

Test(hist, merging_is_adding_both)
{
	struct hist a, b, both;
	uint64_t i;

	hist_init(&a);
	hist_init(&b);
	hist_init(&both);
	for (i = 0; i < 1000; i++) {
		hist_add(i % 3 ? &a : &b, i * i * 37, i + 1);
		hist_add(&both, i * i * 37, i + 1);
	}
	cr_assert_eq(hist_merge(&a, &b), 0);
	cr_assert_eq(a.count, both.count);
	cr_assert_eq(a.n, both.n);
	for (i = 0; i < a.n; i++) {
		cr_assert_eq(a.cell[i].bucket, both.cell[i].bucket);
		cr_assert_eq(a.cell[i].count, both.cell[i].count);
	}
	hist_done(&a);
	hist_done(&b);
	hist_done(&both);
}

Test(hist, encoding_round_trips_and_refuses_every_broken_prefix)
{
	struct hist h, back;
	uint8_t *blob;
	size_t n, i;

	hist_init(&h);
	hist_init(&back);
	for (i = 0; i < 300; i++)
		hist_add(&h, (uint64_t)1 << (i % 60), i * 1000 + 1);
	n = hist_encode(&h, NULL, 0);
	blob = malloc(n);
	cr_assert_eq(hist_encode(&h, blob, n), n);
	cr_assert_eq(hist_decode(&back, blob, n), 0);
	cr_assert_eq(back.count, h.count);
	cr_assert_eq(back.n, h.n);
	cr_assert_eq(hist_decode(&back, blob, 0), -EINVAL);
	cr_assert_eq(hist_decode(&back, blob, 2), -EINVAL, "a bucket without a count");
	blob[0] = 9;
	cr_assert_eq(hist_decode(&back, blob, n), -EINVAL, "another version");
	cr_assert_eq(back.count, h.count, "a refused blob changes nothing");
	free(blob);
	hist_done(&h);
	hist_done(&back);
}

Test(hist, share_above)
{
	struct hist h;

	hist_init(&h);
	hist_add(&h, 10, 90);
	hist_add(&h, 1000000, 10);
	cr_assert_float_eq(hist_above(&h, 10), 0.1, 1e-9);
	cr_assert_float_eq(hist_above(&h, 5), 1, 1e-9);
	cr_assert_float_eq(hist_above(&h, 2000000), 0, 1e-9);
	hist_done(&h);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hist: a log-linear histogram of durations in nanoseconds (the HdrHistogram scheme, base 2).
 *
 * Values below 2^SUB are exact; above, each power of two is split into 2^(SUB-1) equal buckets, SUB = 7, so the
 * relative error of a bucket's midpoint is at most 1/128 = 0.8 %. Sparse: a sorted array of (bucket, count), so a
 * histogram of a second costs a few hundred bytes.  Not for several threads.
 */
#ifndef ROOTLE_BASE_HIST_H
#define ROOTLE_BASE_HIST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HIST_SUB_BITS 7

struct hist_cell { uint32_t bucket; uint32_t pad; uint64_t count; };

struct hist {
	struct hist_cell *cell;   /* ascending by bucket */
	size_t n, cap;
	uint64_t count;           /* sum of the cells' counts */
};

uint32_t hist_bucket(uint64_t ns);
uint64_t hist_bucket_low(uint32_t bucket);    /* smallest value of the bucket */
uint64_t hist_bucket_high(uint32_t bucket);   /* largest value of the bucket */

void hist_init(struct hist *h);
void hist_done(struct hist *h);
void hist_reset(struct hist *h);              /* empties, keeps the memory */

/* 0, or -ENOMEM (histogram unchanged). */
int hist_add(struct hist *h, uint64_t ns, uint64_t count);
int hist_merge(struct hist *into, const struct hist *from);

/* The value below or at which a share q (0..1) of the counts lies: the midpoint of its bucket; 0 when empty. */
double hist_quantile(const struct hist *h, double q);
/* Share of the counts above `ns`, 0..1; 0 when empty. Buckets across the border count in proportion. */
double hist_above(const struct hist *h, uint64_t ns);
/* Sum of bucket midpoints × counts, in ns. */
double hist_sum(const struct hist *h);

/* The stored form: version byte 1, then for each cell varint(bucket - previous bucket), varint(count).
 * hist_encode returns the bytes needed; it writes only where they fit in cap. hist_decode merges into h: 0, or
 * -EINVAL for a broken blob (h then unchanged), -ENOMEM. */
size_t hist_encode(const struct hist *h, uint8_t *buf, size_t cap);
int hist_decode(struct hist *h, const uint8_t *buf, size_t len);

#endif

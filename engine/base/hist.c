/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hist.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SUB HIST_SUB_BITS
#define HALF (1u << (SUB - 1))
#define BUCKET_MAX ((64 - SUB) * HALF + (1u << SUB) - 1)
#define ENCODING_VERSION 1

/* Values below 2^SUB have a bucket each. From there on, the exponent e (of the leading bit) and the SUB-1 bits behind it
 * make the bucket: HALF buckets an octave, continuing without a gap at 2^SUB. */
uint32_t hist_bucket(uint64_t ns)
{
	uint32_t shift;

	if (ns < 1u << SUB)
		return (uint32_t)ns;
	shift = (uint32_t)(63 - __builtin_clzll(ns)) - (SUB - 1);
	return shift * HALF + (uint32_t)(ns >> shift);
}

uint64_t hist_bucket_low(uint32_t bucket)
{
	uint32_t shift;

	if (bucket < 1u << SUB)
		return bucket;
	shift = bucket / HALF - 1;
	return (uint64_t)(bucket - shift * HALF) << shift;
}

uint64_t hist_bucket_high(uint32_t bucket)
{
	if (bucket < 1u << SUB)
		return bucket;
	return hist_bucket_low(bucket) + ((uint64_t)1 << (bucket / HALF - 1)) - 1;
}

static double midpoint(uint32_t bucket)
{
	return ((double)hist_bucket_low(bucket) + (double)hist_bucket_high(bucket)) / 2;
}

void hist_init(struct hist *h)
{
	*h = (struct hist){0};
}

void hist_done(struct hist *h)
{
	free(h->cell);
	hist_init(h);
}

void hist_reset(struct hist *h)
{
	h->n = 0;
	h->count = 0;
}

/* First cell whose bucket is not below. */
static size_t lower_bound(const struct hist *h, uint32_t bucket)
{
	size_t lo = 0, hi = h->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (h->cell[mid].bucket < bucket)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int add_bucket(struct hist *h, uint32_t bucket, uint64_t count)
{
	size_t i = lower_bound(h, bucket);

	if (i == h->n || h->cell[i].bucket != bucket) {
		if (h->n == h->cap) {
			size_t cap = h->cap ? h->cap * 2 : 8;
			struct hist_cell *cell = realloc(h->cell, cap * sizeof(*cell));

			if (!cell)
				return -ENOMEM;
			h->cell = cell;
			h->cap = cap;
		}
		memmove(&h->cell[i + 1], &h->cell[i], (h->n - i) * sizeof(*h->cell));
		h->cell[i] = (struct hist_cell){.bucket = bucket};
		h->n++;
	}
	h->cell[i].count += count;
	h->count += count;
	return 0;
}

int hist_add(struct hist *h, uint64_t ns, uint64_t count)
{
	return count ? add_bucket(h, hist_bucket(ns), count) : 0;
}

/* Where `into` has every bucket of `from` already, as after a few ticks of steady traffic, merging is adding in place. */
static bool merge_in_place(struct hist *into, const struct hist *from)
{
	size_t i, k;

	for (i = k = 0; k < from->n; k++) {
		while (i < into->n && into->cell[i].bucket < from->cell[k].bucket)
			i++;
		if (i == into->n || into->cell[i].bucket != from->cell[k].bucket)
			return false;
	}
	for (i = k = 0; k < from->n; k++) {
		while (into->cell[i].bucket < from->cell[k].bucket)
			i++;
		into->cell[i].count += from->cell[k].count;
	}
	into->count += from->count;
	return true;
}

/* Merges two sorted runs into a fresh array, so that a failure leaves `into` as it was. */
static int merge_anew(struct hist *into, const struct hist *from)
{
	struct hist out = {.cap = into->n + from->n};
	size_t i = 0, k = 0;

	out.cell = malloc(out.cap * sizeof(*out.cell));
	if (!out.cell)
		return -ENOMEM;
	while (i < into->n || k < from->n) {
		if (k == from->n || (i < into->n && into->cell[i].bucket < from->cell[k].bucket)) {
			out.cell[out.n++] = into->cell[i++];
		} else if (i == into->n || from->cell[k].bucket < into->cell[i].bucket) {
			out.cell[out.n++] = from->cell[k++];
		} else {
			out.cell[out.n] = into->cell[i++];
			out.cell[out.n++].count += from->cell[k++].count;
		}
	}
	out.count = into->count + from->count;
	free(into->cell);
	*into = out;
	return 0;
}

int hist_merge(struct hist *into, const struct hist *from)
{
	if (!from->n || merge_in_place(into, from))
		return 0;
	return merge_anew(into, from);
}

double hist_quantile(const struct hist *h, double q)
{
	double rank = q * (double)h->count;
	uint64_t seen = 0;
	size_t i;

	if (!h->n)
		return 0;
	for (i = 0; i < h->n; i++) {
		seen += h->cell[i].count;
		if ((double)seen >= rank && seen)
			return midpoint(h->cell[i].bucket);
	}
	return midpoint(h->cell[h->n - 1].bucket);
}

double hist_above(const struct hist *h, uint64_t ns)
{
	double above = 0;
	size_t i;

	if (!h->count)
		return 0;
	for (i = lower_bound(h, hist_bucket(ns)); i < h->n; i++) {
		uint64_t low = hist_bucket_low(h->cell[i].bucket), high = hist_bucket_high(h->cell[i].bucket);
		double share = low > ns ? 1 : (double)(high - ns) / (double)(high - low + 1);

		above += share * (double)h->cell[i].count;
	}
	return above / (double)h->count;
}

double hist_sum(const struct hist *h)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < h->n; i++)
		sum += midpoint(h->cell[i].bucket) * (double)h->cell[i].count;
	return sum;
}

/* LEB128, as in DWARF. */
static size_t varint_put(uint8_t *buf, size_t cap, size_t at, uint64_t v)
{
	do {
		uint8_t byte = v & 0x7f;

		v >>= 7;
		if (at < cap)
			buf[at] = byte | (v ? 0x80 : 0);
		at++;
	} while (v);
	return at;
}

static size_t varint_get(const uint8_t *buf, size_t len, size_t at, uint64_t *v)
{
	unsigned shift = 0;

	*v = 0;
	for (; at < len && shift < 64; shift += 7) {
		uint8_t byte = buf[at++];

		if (shift == 63 && byte > 1)
			return 0;
		*v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return at;
	}
	return 0;
}

size_t hist_encode(const struct hist *h, uint8_t *buf, size_t cap)
{
	uint32_t previous = 0;
	size_t at = 1, i;

	if (cap)
		buf[0] = ENCODING_VERSION;
	for (i = 0; i < h->n; i++) {
		at = varint_put(buf, cap, at, h->cell[i].bucket - previous);
		at = varint_put(buf, cap, at, h->cell[i].count);
		previous = h->cell[i].bucket;
	}
	return at;
}

static int decode_cells(struct hist *out, const uint8_t *buf, size_t len)
{
	uint64_t bucket = 0, delta, count;
	size_t at = 1;
	int err;

	while (at < len) {
		at = varint_get(buf, len, at, &delta);
		if (!at || delta > BUCKET_MAX || (out->n && !delta))
			return -EINVAL;
		at = varint_get(buf, len, at, &count);
		bucket += delta;
		if (!at || bucket > BUCKET_MAX || !count || out->count + count < count)
			return -EINVAL;
		err = add_bucket(out, (uint32_t)bucket, count);
		if (err)
			return err;
	}
	return 0;
}

int hist_decode(struct hist *h, const uint8_t *buf, size_t len)
{
	struct hist got = {0};
	int err;

	if (!len || buf[0] != ENCODING_VERSION)
		return -EINVAL;
	err = decode_cells(&got, buf, len);
	if (!err)
		err = hist_merge(h, &got);
	hist_done(&got);
	return err;
}

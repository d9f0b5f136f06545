/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/unpack.h"

#include <stdbool.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define ZSTD_WINDOW_LOG 20

ssize_t unpack_zlib(uint8_t *out, size_t cap, const uint8_t *in, size_t n)
{
	z_stream z = {.next_in = (Bytef *)in, .avail_in = (uInt)n, .next_out = out, .avail_out = (uInt)cap};
	int r;

	if (inflateInit(&z) != Z_OK)
		return -1;
	r = inflate(&z, Z_SYNC_FLUSH);
	inflateEnd(&z);
	return r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR ? (ssize_t)(cap - z.avail_out) : -1;
}

ssize_t unpack_zstd(uint8_t *out, size_t cap, const uint8_t *in, size_t n)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer i = {in, n, 0};
	ZSTD_outBuffer o = {out, cap, 0};
	size_t r = 1, before;

	if (!z)
		return -1;
	if (ZSTD_isError(ZSTD_initDStream(z)) || ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG)))
		r = 0;
	while (r && o.pos < o.size) {
		before = o.pos + i.pos;
		r = ZSTD_decompressStream(z, &o, &i);
		if (ZSTD_isError(r) || o.pos + i.pos == before)
			break;
	}
	ZSTD_freeDStream(z);
	return ZSTD_isError(r) ? -1 : (ssize_t)o.pos;
}

/* Where the output is: copies take what is there already, one byte after the other, for they may overlap. */
struct output {
	uint8_t *p;
	size_t n, cap;
};

static bool output_copy(struct output *o, size_t distance, size_t len)
{
	if (!distance || distance > o->n)
		return false;
	for (; len && o->n < o->cap; len--, o->n++)
		o->p[o->n] = o->p[o->n - distance];
	return true;
}

static void output_put(struct output *o, const uint8_t *p, size_t len)
{
	if (len > o->cap - o->n)
		len = o->cap - o->n;
	memcpy(o->p + o->n, p, len);
	o->n += len;
}

/* Little-endian, of 1 to 4 bytes. */
static uint32_t number_read(const uint8_t *p, size_t bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

/* One element of snappy (format_description.txt): how long it is; 0: it is cut off; -1: broken. */
static ssize_t snappy_element(struct output *o, const uint8_t *p, size_t n)
{
	size_t len = p[0] >> 2, extra;

	switch (p[0] & 3) {
	case 0:
		extra = len >= 60 ? len - 59 : 0;
		if (n < 1 + extra)
			return 0;
		len = extra ? number_read(p + 1, extra) : len;
		len++;
		output_put(o, p + 1 + extra, len < n - 1 - extra ? len : n - 1 - extra);
		return len > n - 1 - extra ? 0 : (ssize_t)(1 + extra + len);
	case 1:
		return n < 2 ? 0 : output_copy(o, (size_t)(p[0] >> 5) << 8 | p[1], 4 + (len & 7)) ? 2 : -1;
	case 2:
		return n < 3 ? 0 : output_copy(o, number_read(p + 1, 2), len + 1) ? 3 : -1;
	default:
		return n < 5 ? 0 : output_copy(o, number_read(p + 1, 4), len + 1) ? 5 : -1;
	}
}

ssize_t unpack_snappy(uint8_t *out, size_t cap, const uint8_t *in, size_t n)
{
	struct output o = {out, 0, cap};
	size_t off = 0;
	ssize_t r = 1;

	while (off < n && off < 5 && in[off] & 0x80)
		off++;
	if (off >= 5)
		return -1;
	for (off++; off < n && o.n < cap && r > 0; off += (size_t)r) {
		r = snappy_element(&o, in + off, n - off);
		if (r < 0)
			return -1;
	}
	return (ssize_t)o.n;
}

/* A length of LZ4 goes on in further bytes while they are 255; false where they are cut off. */
static bool lz4_length(size_t *len, const uint8_t *in, size_t n, size_t *off)
{
	if (*len < 15)
		return true;
	while (*off < n) {
		*len += in[*off];
		if (in[(*off)++] != 255)
			return true;
	}
	return false;
}

ssize_t unpack_lz4(uint8_t *out, size_t cap, const uint8_t *in, size_t n)
{
	struct output o = {out, 0, cap};
	size_t off = 0, len, distance;
	uint8_t token;

	while (off < n && o.n < cap) {
		token = in[off++];
		len = token >> 4;
		if (!lz4_length(&len, in, n, &off))
			break;
		output_put(&o, in + off, len < n - off ? len : n - off);
		if (len + 2 > n - off)
			break;
		off += len;
		distance = number_read(in + off, 2);
		off += 2;
		len = token & 15;
		if (!lz4_length(&len, in, n, &off))
			break;
		if (!output_copy(&o, distance, len + 4))
			return -1;
	}
	return (ssize_t)o.n;
}

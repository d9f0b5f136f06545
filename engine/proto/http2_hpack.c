/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/http2_hpack.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_DEFAULT 4096u
#define TABLE_MAX (64u * 1024)
/* Entries that stand for unknown ones: the least that an entry with a name takes is 33 bytes (RFC 7541, 4.1), so there are as many
 * as the real table can have. */
#define UNKNOWN_ENTRIES (TABLE_DEFAULT / 33)

/* nghttp2 frees without saying how much: the size lies in front of each piece. */
union piece {
	size_t n;
	max_align_t align;
};

static void *mem_realloc(void *old, size_t n, void *arg)
{
	struct hpack *h = arg;
	union piece *was = old ? (union piece *)old - 1 : NULL, *x;

	if (n > SIZE_MAX / 2)
		return NULL;
	x = h->sink->realloc(h->sink, was, was ? was->n : 0, n + sizeof(*x));
	if (!x)
		return NULL;
	x->n = n + sizeof(*x);
	return x + 1;
}

static void *mem_malloc(size_t n, void *arg)
{
	return mem_realloc(NULL, n, arg);
}

static void *mem_calloc(size_t k, size_t n, void *arg)
{
	void *p;

	if (n && k > SIZE_MAX / 2 / n)
		return NULL;
	p = mem_realloc(NULL, k * n, arg);
	if (p)
		memset(p, 0, k * n);
	return p;
}

static void mem_free(void *p, void *arg)
{
	struct hpack *h = arg;
	union piece *x = p ? (union piece *)p - 1 : NULL;

	if (x)
		h->sink->realloc(h->sink, x, x->n, 0);
}

/* Feeds a block or a part of one. */
static int inflate(struct hpack *h, const uint8_t *p, size_t n, bool last, hpack_field *fn, void *arg)
{
	nghttp2_nv nv;
	int flags;

	for (;;) {
		ssize_t r = nghttp2_hd_inflate_hd2(h->inflater, &nv, &flags, p, n, last);

		if (r < 0)
			return -1;
		p += r;
		n -= (size_t)r;
		if (flags & NGHTTP2_HD_INFLATE_EMIT) {
			if (fn)
				fn(arg, (const char *)nv.name, nv.namelen, (const char *)nv.value, nv.valuelen);
			continue;
		}
		if (flags & NGHTTP2_HD_INFLATE_FINAL)
			return nghttp2_hd_inflate_end_headers(h->inflater) ? -1 : 0;
		if (!n)
			return last ? -1 : 0;
	}
}

/* Fills the table with entries that nobody knows: literals with a name of one character and no value. */
static int fill_unknown(struct hpack *h)
{
	static const uint8_t entry[4] = {0x40, 1, HPACK_UNKNOWN, 0};
	uint8_t block[UNKNOWN_ENTRIES * sizeof(entry)];

	for (size_t i = 0; i < sizeof(block); i += sizeof(entry))
		memcpy(block + i, entry, sizeof(entry));
	return inflate(h, block, sizeof(block), true, NULL, NULL);
}

static int hpack_begin(struct hpack *h, struct proto_sink *s)
{
	if (h->inflater)
		return 0;
	h->sink = s;
	h->mem = (nghttp2_mem){h, mem_malloc, mem_free, mem_calloc, mem_realloc};
	if (nghttp2_hd_inflate_new2(&h->inflater, &h->mem)) {
		h->inflater = NULL;
		return -1;
	}
	/* of a connection joined in the middle it is not known what was allowed */
	h->allowed = h->lost ? TABLE_MAX : TABLE_DEFAULT;
	if (h->lost && nghttp2_hd_inflate_change_table_size(h->inflater, TABLE_MAX))
		return -1;
	return h->lost ? fill_unknown(h) : 0;
}

/* Not within a block, so it is done at the beginning of the next. */
static int take_allowance(struct hpack *h)
{
	uint32_t want = h->table_max < TABLE_MAX ? h->table_max : TABLE_MAX;

	if (h->inside || want <= h->allowed)
		return 0;
	h->allowed = want;
	return nghttp2_hd_inflate_change_table_size(h->inflater, want);
}

void hpack_allow(struct hpack *h, uint32_t bytes)
{
	if (bytes > h->table_max)
		h->table_max = bytes;
}

int hpack_block(struct hpack *h, struct proto_sink *s, const uint8_t *p, size_t n, bool last, hpack_field *fn, void *arg)
{
	if (!hpack_begin(h, s) && !take_allowance(h) && !inflate(h, p, n, last, fn, arg)) {
		h->inside = !last;
		return 0;
	}
	hpack_lost(h);
	return -1;
}

void hpack_lost(struct hpack *h)
{
	hpack_done(h);
	h->lost = true;
}

void hpack_done(struct hpack *h)
{
	if (h->inflater)
		nghttp2_hd_inflate_del(h->inflater);
	h->inflater = NULL;
	h->inside = false;
}

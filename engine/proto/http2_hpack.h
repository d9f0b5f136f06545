/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http2_hpack: the header blocks of one direction of an HTTP/2 connection (RFC 7541), inflated by libnghttp2 within the memory
 * that the sink allows.  Knows the dynamic table, and that a part of it may not be known; knows no frames.
 *
 * Indices into the dynamic table count from the newest entry.  So of a connection joined in the middle, or behind a lost
 * block, what is inserted from then on is known for certain, and what was there before never is: it is stood for by entries
 * named HPACK_UNKNOWN, one character.
 */
#ifndef ROOTLE_PROTO_HTTP2_HPACK_H
#define ROOTLE_PROTO_HTTP2_HPACK_H

#include "proto/proto.h"

#include <nghttp2/nghttp2.h>

#define HPACK_UNKNOWN '?'         /* the name of an entry that is unknown: no token of RFC 9110 */

struct hpack {
	nghttp2_hd_inflater *inflater;  /* NULL: none needed yet */
	nghttp2_mem mem;                /* the inflater points to it: do not move */
	struct proto_sink *sink;
	uint32_t table_max;             /* the largest table that the reader of these blocks has allowed */
	uint32_t allowed;               /* the same, as the inflater knows it */
	bool inside;                    /* a block */
	bool lost;                      /* entries from before now are unknown */
};

/* A field; the strings are valid during the call. */
typedef void hpack_field(void *arg, const char *name, size_t name_n, const char *value, size_t value_n);

/* A part of a header block, the last one or not. 0, or -1: it is broken, or needs more memory than there is; what came before
 * the fault has been said, the rest of the block must not be given, and the table is lost. */
int hpack_block(struct hpack *h, struct proto_sink *s, const uint8_t *p, size_t n, bool last, hpack_field *fn, void *arg);
/* The reader of the blocks allows a table of so many bytes. */
void hpack_allow(struct hpack *h, uint32_t bytes);
/* A block was lost: between blocks or in the middle of one. */
void hpack_lost(struct hpack *h);
void hpack_done(struct hpack *h);

#endif

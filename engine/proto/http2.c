/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP/2 (RFC 9113) and the gRPC that runs on it (PROTOCOL-HTTP2.md of grpc/grpc): with prior knowledge, after an upgrade from
 * HTTP/1.1, or the plaintext of TLS.  This file reads frames; http2_request.c knows what they mean.
 *
 * A request is a stream.  DATA is skipped, seen or not; of the responses of gRPC the prefixes of messages are read, to count them.
 * Departures: what only concerns the two ends is not checked (flow control, priorities, the states of streams); responses that the
 * server pushes are not counted, for nobody has asked.  Frames after a hole, or of a connection joined in the middle, are taken up
 * where a segment begins with a sane one.  Header blocks that need a table that is not known give what they can (http2_hpack.h).
 * Given up: blocks, lists of fields and runs of CONTINUATION beyond a bound, and what cannot be read though the table is known.
 */
#include "proto/http2_conn.h"
#include "proto/protocols.h"
#include "proto/wire.h"

#include <string.h>

#define HEADERS_MAX (60u * 1024)        /* a frame of them; the flow keeps 64 KB */
#define BLOCK_MAX (256u * 1024)
#define FRAGMENTS_MAX 256
#define LIST_MAX (512u * 1024)          /* what a block inflates to */
#define ERRORS_MAX 16                   /* blocks that cannot be read for want of the table */

static void http2_init(void *state, bool mid)
{
	struct http2 *h = state;

	h->mid = mid;
	h->side[FROM_CLIENT].step = mid ? H2_STEP_LOST : H2_STEP_PREFACE;
	h->side[FROM_SERVER].step = mid ? H2_STEP_LOST : H2_STEP_FRAME;
	for (int d = 0; d < 2; d++)
		h->side[d].hpack.lost = mid;
}

static void http2_done(void *state, struct proto_sink *s)
{
	struct http2 *h = state;

	h2_streams_clear(&h->streams, s);
	for (int d = 0; d < 2; d++)
		hpack_done(&h->side[d].hpack);
}

/* What stands in front of the fragment of a HEADERS, PUSH_PROMISE or CONTINUATION, and behind it; false: more than there is. */
static bool fragment_bounds(const struct h2_frame *f, const uint8_t *p, size_t have, size_t *at, size_t *n)
{
	size_t pad = 0;

	*at = 0;
	if (f->type != H2_CONTINUATION && f->flags & H2_PADDED) {
		if (!have)
			return false;
		pad = p[0];
		*at = 1;
	}
	if (f->type == H2_HEADERS && f->flags & H2_WITH_PRIORITY)
		*at += 5;
	if (f->type == H2_PUSH_PROMISE)
		*at += 4;
	if (*at + pad > f->length || *at > have)
		return false;
	*n = f->length - *at - pad;
	if (*n > have - *at)
		*n = have - *at;
	return true;
}

static void block_begin(struct h2_side *d, const struct h2_frame *f, uint64_t begin_ns)
{
	d->in_block = true;
	d->broken = false;
	d->pushed = f->type == H2_PUSH_PROMISE;
	d->ends = f->type == H2_HEADERS && f->flags & H2_END_STREAM;
	d->stream = f->stream;
	d->block_bytes = d->fragments = 0;
	d->block_ns = begin_ns;
	h2_head_reset(&d->head);
}

/* Inflates a fragment. seen: all of its frame was. */
static int block_feed(struct h2_side *d, const uint8_t *p, size_t n, bool last, bool seen, struct proto_sink *s)
{
	bool lost = d->hpack.lost;

	if (d->broken)
		return 0;
	if (hpack_block(&d->hpack, s, p, n, last && seen, h2_head_field, &d->head)) {
		if (!lost || ++d->errors > ERRORS_MAX)
			return PROTO_BAD;
		d->broken = true;
	} else if (!seen) {
		hpack_lost(&d->hpack);
		d->broken = true;
	}
	d->head.unknown |= d->broken;
	return d->head.size > LIST_MAX ? PROTO_BAD : 0;
}

static ssize_t headers_frame(struct http2 *h, enum proto_dir dir, const struct h2_frame *f, const struct proto_bytes *b,
			     struct proto_sink *s)
{
	struct h2_side *d = &h->side[dir];
	size_t total = H2_HEADER_BYTES + f->length, at, n, seen = b->n < total ? b->n : total;
	bool last = f->flags & H2_END_HEADERS;

	if (f->length > HEADERS_MAX || !f->stream)
		return PROTO_BAD;
	if (b->n < total && !b->cut)
		return 0;
	if (f->type == H2_CONTINUATION ? !d->in_block : d->in_block)
		return PROTO_BAD;
	if (!fragment_bounds(f, b->p + H2_HEADER_BYTES, seen - H2_HEADER_BYTES, &at, &n))
		return b->n < total ? 0 : PROTO_BAD;
	if (f->type != H2_CONTINUATION)
		block_begin(d, f, proto_begin_ns(b));
	d->block_bytes += (uint32_t)total;
	if (d->block_bytes > BLOCK_MAX || ++d->fragments > FRAGMENTS_MAX ||
	    block_feed(d, b->p + H2_HEADER_BYTES + at, n, last, seen == total, s))
		return PROTO_BAD;
	if (last) {
		d->in_block = false;
		if (h2_block_end(h, dir, proto_end_ns(b, seen), s))
			return PROTO_BAD;
	}
	return (ssize_t)total;
}

/* Goes on with DATA of which `off` bytes of b are done with. */
static ssize_t data_go(struct http2 *h, enum proto_dir dir, const struct proto_bytes *b, size_t off, struct proto_sink *s)
{
	struct h2_side *d = &h->side[dir];
	size_t n;

	while (d->left && off <= b->n) {
		n = h2_data_take(h, dir, b->p + off, b->n - off, d->left, s);
		if (!n && b->cut) {
			h2_data_lost(h, dir);
			continue;
		}
		if (!n)
			return (ssize_t)off;
		d->left -= (uint32_t)n;
		off += n;
	}
	if (d->left)
		return (ssize_t)off;
	off += d->pad;
	d->pad = 0;
	if (off > b->n)
		return (ssize_t)off;
	d->step = H2_STEP_FRAME;
	h2_data_end(h, dir, proto_end_ns(b, off), s);
	return off ? (ssize_t)off : PROTO_AGAIN;
}

static ssize_t data_frame(struct http2 *h, enum proto_dir dir, const struct h2_frame *f, const struct proto_bytes *b,
			  struct proto_sink *s)
{
	struct h2_side *d = &h->side[dir];
	bool padded = f->flags & H2_PADDED;
	uint32_t pad = 0;

	if (!f->stream || (padded && !f->length))
		return PROTO_BAD;
	if (padded) {
		if (b->n <= H2_HEADER_BYTES)
			return 0;
		pad = b->p[H2_HEADER_BYTES];
		if (pad >= f->length)
			return PROTO_BAD;
	}
	d->step = H2_STEP_DATA;
	d->stream = f->stream;
	d->ends = f->flags & H2_END_STREAM;
	d->block_bytes = H2_HEADER_BYTES + f->length;
	d->left = f->length - padded - pad;
	d->pad = pad;
	return data_go(h, dir, b, H2_HEADER_BYTES + padded, s);
}

/* What one end allows the other's table to be. It is never made smaller here: the encoder says when it does so itself. */
static void settings_read(struct http2 *h, enum proto_dir dir, const uint8_t *p, size_t n)
{
	for (; n >= 6; p += 6, n -= 6)
		if (be16(p) == 1)
			hpack_allow(&h->side[!dir].hpack, be32(p + 2));
}

/* The frames that are read as a whole, and are short. */
static ssize_t control_frame(struct http2 *h, enum proto_dir dir, const struct h2_frame *f, const struct proto_bytes *b,
			     struct proto_sink *s)
{
	size_t total = H2_HEADER_BYTES + f->length;
	const uint8_t *p = b->p + H2_HEADER_BYTES;

	if (f->length > HEADERS_MAX)
		return PROTO_BAD;
	if (b->n < total)
		return b->cut ? (ssize_t)total : 0;
	if (f->type == H2_SETTINGS)
		settings_read(h, dir, p, f->length);
	if (f->type == H2_RST_STREAM && f->length == 4)
		h2_reset(h, dir, f->stream, be32(p), proto_end_ns(b, total), s);
	if (f->type == H2_GOAWAY && f->length >= 8 && dir == FROM_SERVER)
		h2_goaway(h, be32(p) & INT32_MAX, proto_end_ns(b, total), s);
	return (ssize_t)total;
}

static ssize_t frame(struct http2 *h, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct h2_side *d = &h->side[dir];
	struct h2_frame f;

	if (b->n < H2_HEADER_BYTES)
		return 0;
	f = h2_frame_read(b->p);
	if (d->in_block && (f.type != H2_CONTINUATION || f.stream != d->stream))
		return PROTO_BAD;
	switch (f.type) {
	case H2_DATA:
		return data_frame(h, dir, &f, b, s);
	case H2_HEADERS:
	case H2_PUSH_PROMISE:
	case H2_CONTINUATION:
		return headers_frame(h, dir, &f, b, s);
	case H2_RST_STREAM:
	case H2_SETTINGS:
	case H2_GOAWAY:
		return control_frame(h, dir, &f, b, s);
	default:
		return (ssize_t)(H2_HEADER_BYTES + f.length);
	}
}

static ssize_t preface(struct http2 *h, const struct proto_bytes *b)
{
	int r = b->n ? h2_is_preface(b->p, b->n) : -1;

	if (r <= 0)
		return r < 0 ? 0 : PROTO_BAD;
	h->side[FROM_CLIENT].step = H2_STEP_FRAME;
	return H2_PREFACE_BYTES;
}

/* Joined in the middle, but not quite: all is seen of the connection after all. */
static void begin_anew(struct http2 *h)
{
	struct h2_side *server = &h->side[FROM_SERVER];

	h->side[FROM_CLIENT].step = H2_STEP_PREFACE;
	h->side[FROM_CLIENT].hpack.lost = false;
	if (server->step != H2_STEP_LOST || h->last)
		return;
	server->step = H2_STEP_FRAME;
	server->hpack.lost = false;
}

/* Drops what comes until frames begin. */
static ssize_t lost(struct http2 *h, enum proto_dir dir, const struct proto_bytes *b)
{
	int r = b->start && b->n ? h2_begins_frames(dir, b->p, b->n) : 0;

	if (!r)
		return (ssize_t)b->n;
	if (r < 0)
		return b->cut ? (ssize_t)b->n : 0;
	h->side[dir].step = H2_STEP_FRAME;
	if (dir == FROM_CLIENT && h2_is_preface(b->p, b->n))
		begin_anew(h);
	return PROTO_AGAIN;
}

static ssize_t http2_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct http2 *h = state;

	if (!h->begun) {
		h->begun = true;
		if (h2_upgraded(h, s))
			return PROTO_BAD;
	}
	switch (h->side[dir].step) {
	case H2_STEP_PREFACE: return preface(h, b);
	case H2_STEP_DATA: return data_go(h, dir, b, 0, s);
	case H2_STEP_LOST: return lost(h, dir, b);
	default: return frame(h, dir, b, s);
	}
}

static ssize_t http2_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct http2 *h = state;
	struct h2_side *d = &h->side[dir];
	uint64_t missing = n - tail->n, of_data;

	if (d->step == H2_STEP_DATA && missing <= (uint64_t)d->left + d->pad) {
		of_data = missing < d->left ? missing : d->left;
		d->left -= (uint32_t)of_data;
		d->pad -= (uint32_t)(missing - of_data);
		h2_data_lost(h, dir);
		return (ssize_t)tail->n;
	}
	d->step = H2_STEP_LOST;
	d->in_block = false;
	d->left = d->pad = 0;
	hpack_lost(&d->hpack);
	if (dir == FROM_SERVER) {
		/* which of them were answered in there? */
		s->resync(s, false);
		h2_streams_clear(&h->streams, s);
	}
	return 0;
}

static void http2_end(void *state, enum proto_dir dir, uint64_t ts_ns, struct proto_sink *s)
{
	if (dir == FROM_SERVER)
		h2_cut_off(state, ts_ns, s);
}

static const uint16_t http2_ports[] = {50051, 2379, 0};

const struct proto_ops proto_http2 = {
	.id = PROTO_HTTP2,
	.name = "http2",
	.ports = http2_ports,
	.state_size = sizeof(struct http2),
	.state_max = 1024 * 1024,
	.duplex = true,
	.whole = true,
	.strangers = true,
	.infer = h2_infer,
	.init = http2_init,
	.done = http2_done,
	.parse = http2_parse,
	.gap = http2_gap,
	.end = http2_end,
};

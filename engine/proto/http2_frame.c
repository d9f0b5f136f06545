/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/http2_frame.h"
#include "proto/wire.h"

#include <string.h>

/* Nobody sends larger ones who has not been asked to (SETTINGS_MAX_FRAME_SIZE), and few ask. */
#define SANE_LENGTH 16384u
/* A connection of a billion requests would be another one. */
#define SANE_STREAM (1u << 30)
/* A chain of frames without HEADERS is looked at up to here, in the hope of some. */
#define HOPE_BYTES 1024

struct h2_frame h2_frame_read(const uint8_t *p)
{
	return (struct h2_frame){.length = be24(p), .type = p[3], .flags = p[4], .stream = be32(p + 5) & INT32_MAX};
}

int h2_is_preface(const uint8_t *p, size_t n)
{
	if (memcmp(p, H2_PREFACE, n < H2_PREFACE_BYTES ? n : H2_PREFACE_BYTES))
		return 0;
	return n < H2_PREFACE_BYTES ? -1 : 1;
}

/* Even streams are pushed: by servers, and HEADERS of clients are never on one. */
static bool stream_is_sane(enum proto_dir dir, const struct h2_frame *f)
{
	switch (f->type) {
	case H2_SETTINGS:
	case H2_PING:
	case H2_GOAWAY:
		return !f->stream;
	case H2_WINDOW_UPDATE:
		return f->stream < SANE_STREAM;
	case H2_DATA:
	case H2_HEADERS:
	case H2_CONTINUATION:
		return f->stream && f->stream < SANE_STREAM && (f->stream & 1 || dir == FROM_SERVER);
	default:
		return f->stream && f->stream < SANE_STREAM;
	}
}

bool h2_frame_is_sane(enum proto_dir dir, const struct h2_frame *f)
{
	static const uint8_t flags[] = {
		[H2_DATA] = H2_END_STREAM | H2_PADDED,
		[H2_HEADERS] = H2_END_STREAM | H2_END_HEADERS | H2_PADDED | H2_WITH_PRIORITY,
		[H2_SETTINGS] = H2_ACK,
		[H2_PUSH_PROMISE] = H2_END_HEADERS | H2_PADDED,
		[H2_PING] = H2_ACK,
		[H2_CONTINUATION] = H2_END_HEADERS,
	};

	if (f->length > SANE_LENGTH || f->type > H2_CONTINUATION || !stream_is_sane(dir, f) ||
	    (f->type < sizeof(flags) ? f->flags & ~flags[f->type] : f->flags))
		return false;
	switch (f->type) {
	case H2_DATA: return f->length || f->flags & H2_END_STREAM;
	case H2_HEADERS: return f->length > (f->flags & H2_WITH_PRIORITY ? 5 : 0);
	case H2_PRIORITY: return f->length == 5;
	case H2_RST_STREAM:
	case H2_WINDOW_UPDATE: return f->length == 4;
	case H2_SETTINGS: return !(f->length % 6) && f->length <= 20 * 6 && !(f->flags & H2_ACK && f->length);
	case H2_PUSH_PROMISE: return f->length > 4 && dir == FROM_SERVER;
	case H2_PING: return f->length == 8;
	case H2_GOAWAY: return f->length >= 8;
	default: return f->length > 0;
	}
}

/* Whose header block begins so? A request's with a static pseudo-header of requests, a response's with :status (RFC 7541, A). */
static bool block_is_sane(enum proto_dir dir, const struct h2_frame *f, const uint8_t *p, size_t n)
{
	size_t at = (f->flags & H2_PADDED ? 1 : 0) + (f->flags & H2_WITH_PRIORITY ? 5 : 0);
	uint8_t c;

	if (n <= at)
		return true;
	c = p[at];
	if (c == 0x80)
		return false;
	return dir == FROM_CLIENT ? (c < 0x88 || c > 0x8e) && c != 0x48 && c != 0x08 && c != 0x18 :
				    c < 0x81 || c > 0x87;
}

/* What the bytes behind the header say against the frame. */
static bool payload_is_sane(enum proto_dir dir, const struct h2_frame *f, const uint8_t *p, size_t n)
{
	if (n > f->length)
		n = f->length;
	switch (f->type) {
	case H2_HEADERS:
		return block_is_sane(dir, f, p, n);
	case H2_WINDOW_UPDATE:
		return n < 4 || (be32(p) && !(p[0] & 0x80));
	case H2_RST_STREAM:
		return n < 4 || be32(p) <= 13;
	case H2_SETTINGS:
		for (; n >= 6; p += 6, n -= 6)
			if (!be16(p) || (be16(p) > 16 && be16(p) < 0xf000))
				return false;
		return true;
	default:
		return true;
	}
}

/* Fewer bytes than a frame has in front: could they be some? */
static bool may_begin(const uint8_t *p, size_t n)
{
	return n && !p[0] && (n < 2 || p[1] <= SANE_LENGTH >> 8) && (n < 4 || p[3] <= H2_CONTINUATION);
}

int h2_begins_frames(enum proto_dir dir, const uint8_t *p, size_t n)
{
	size_t off = 0;
	int preface = dir == FROM_CLIENT ? h2_is_preface(p, n) : 0;

	if (preface)
		return preface;
	while (off + H2_HEADER_BYTES <= n) {
		struct h2_frame f = h2_frame_read(p + off);

		off += H2_HEADER_BYTES;
		if (p[off - 4] & 0x80 || !h2_frame_is_sane(dir, &f) || !payload_is_sane(dir, &f, p + off, n - off))
			return 0;
		off += f.length;
	}
	if (off < n && !may_begin(p + off, n - off))
		return 0;
	return off ? 1 : -1;
}

int h2_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	size_t off = 0, frames = 0;
	bool headers = false, settings = false;
	int preface;

	preface = dir == FROM_CLIENT ? h2_is_preface(p, n) : 0;
	if (preface)
		return preface > 0 ? 100 : -1;
	while (off + H2_HEADER_BYTES <= n) {
		struct h2_frame f = h2_frame_read(p + off);

		off += H2_HEADER_BYTES;
		if (p[off - 4] & 0x80 || !h2_frame_is_sane(dir, &f) || !payload_is_sane(dir, &f, p + off, n - off))
			return 0;
		headers |= f.type == H2_HEADERS && off < n;
		settings |= f.type == H2_SETTINGS && f.length && off + f.length <= n;
		off += f.length;
		frames += off <= n;
	}
	if (headers)
		return 85;
	if (off < n && !may_begin(p + off, n - off))
		return 0;
	if (settings && dir == FROM_SERVER && frames > 1)
		return 85;
	return n < HOPE_BYTES ? -1 : frames > 2 ? 65 : 0;
}

const char *h2_error_name(uint32_t code)
{
	static const char *const names[] = {"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR",
		"SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
		"CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"};

	return code < sizeof(names) / sizeof(*names) ? names[code] : "unknown";
}

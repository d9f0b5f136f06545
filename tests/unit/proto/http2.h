/* SPDX-License-Identifier: BSD-2-Clause */
/* http2: frames and header blocks made by hand, or by nghttp2's encoder, for the tests of HTTP/2 and gRPC. */
#ifndef ROOTLE_TESTS_HTTP2_H
#define ROOTLE_TESTS_HTTP2_H

#include <nghttp2/nghttp2.h>

#include "talk.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define SETTINGS_ACK "\0\0\0\4\1\0\0\0\0"

/* A script of turns, in memory of its own. */
struct script {
	struct turn turn[256];
	size_t n;
	char bytes[128 * 1024];
	size_t used;
	nghttp2_hd_deflater *hpack[2];
};

static inline void script_init(struct script *s)
{
	s->n = s->used = 0;
	for (int d = 0; d < 2; d++)
		cr_assert_eq(nghttp2_hd_deflate_new(&s->hpack[d], 4096), 0);
}

static inline void script_done(struct script *s)
{
	for (int d = 0; d < 2; d++)
		nghttp2_hd_deflate_del(s->hpack[d]);
}

/* Bytes behind the last turn, which they make longer where it is of this direction. */
static inline void put(struct script *s, enum proto_dir dir, const void *p, size_t n)
{
	cr_assert_leq(s->used + n, sizeof(s->bytes));
	memcpy(s->bytes + s->used, p, n);
	if (s->n && s->turn[s->n - 1].dir == dir) {
		s->turn[s->n - 1].n += n;
	} else {
		cr_assert_lt(s->n, sizeof(s->turn) / sizeof(*s->turn));
		s->turn[s->n++] = (struct turn){dir, s->bytes + s->used, n};
	}
	s->used += n;
}

#define PUT(s, dir, text) put(s, dir, text, sizeof(text) - 1)

static inline void put_frame(struct script *s, enum proto_dir dir, int type, int flags, uint32_t stream, const void *p, size_t n)
{
	uint8_t head[9] = {(uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n, (uint8_t)type, (uint8_t)flags,
			   (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};

	put(s, dir, head, sizeof(head));
	put(s, dir, p, n);
}

/* "name: value" lines, as nghttp2 packs them; the names of pseudo-headers begin with a colon. Their bytes. */
static inline size_t pack(struct script *s, enum proto_dir dir, const char *lines, uint8_t *out, size_t cap)
{
	nghttp2_nv nv[64];
	size_t n = 0;
	ssize_t used;

	while (*lines) {
		const char *colon = strstr(lines + 1, ": "), *end = strchr(lines, '\n');

		nv[n++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)lines, .namelen = (size_t)(colon - lines),
				       .value = (uint8_t *)(uintptr_t)(colon + 2), .valuelen = (size_t)(end - colon - 2)};
		lines = end + 1;
	}
	used = nghttp2_hd_deflate_hd(s->hpack[dir], out, cap, nv, n);
	cr_assert_gt(used, 0);
	return (size_t)used;
}

static inline void put_headers(struct script *s, enum proto_dir dir, int flags, uint32_t stream, const char *lines)
{
	uint8_t block[16384];
	size_t n = pack(s, dir, lines, block, sizeof(block));

	put_frame(s, dir, 1, flags, stream, block, n);
}

#define END_STREAM 1
#define END_HEADERS 4

static inline void put_begin(struct script *s)
{
	PUT(s, C, PREFACE SETTINGS);
	PUT(s, S, SETTINGS SETTINGS_ACK);
	PUT(s, C, SETTINGS_ACK);
}

static inline void put_get(struct script *s, uint32_t stream, const char *path)
{
	char lines[1024];

	snprintf(lines, sizeof(lines), ":method: GET\n:scheme: http\n:path: %s\n:authority: shop\nuser-agent: test\n", path);
	put_headers(s, C, END_STREAM | END_HEADERS, stream, lines);
}

static inline void put_call(struct script *s, uint32_t stream, const char *path)
{
	char lines[1024];

	snprintf(lines, sizeof(lines), ":method: POST\n:scheme: http\n:path: %s\n:authority: shop\ncontent-type: application/grpc\n"
		 "te: trailers\n", path);
	put_headers(s, C, END_HEADERS, stream, lines);
}

/* DATA with a gRPC message of n bytes. */
static inline void put_message(struct script *s, enum proto_dir dir, int flags, uint32_t stream, size_t n)
{
	uint8_t body[4096] = {0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n};

	put_frame(s, dir, 0, flags, stream, body, 5 + n);
}

static inline void script_check(struct script *s, bool mid, const char *want)
{
	talk_check(0, mid, s->turn, s->n, want);
	script_done(s);
}

#endif

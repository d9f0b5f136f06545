/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The compressed protocol: frames of a head (length, number, length before compression or 0) and bytes that hold packets as a
 * stream.  A frame is opened into memory of the connection's bound; one that says more than INNER_MAX is not opened at all.
 */
#include "proto/mysql.h"
#include "proto/wire.h"

#include <string.h>
#include <zlib.h>

#define FRAME_HEAD 7
#define INNER_MAX (32 * 1024)

static void inner_drop(struct mysql_inner *in, struct proto_sink *s)
{
	s->realloc(s, in->p, in->n, 0);
	*in = (struct mysql_inner){0};
}

void mysql_frame_done(struct mysql *m, struct proto_sink *s)
{
	inner_drop(&m->inner[0], s);
	inner_drop(&m->inner[1], s);
}

/* Parses the packets in p, whose first `old` bytes were left before: how many bytes are done with, or an error. */
static ssize_t packets_parse(struct mysql *m, enum proto_dir dir, struct proto_bytes b, struct proto_sink *s)
{
	size_t off = 0;
	ssize_t r;

	while ((r = mysql_packet(m, dir, &b, s)) > 0) {
		off += (size_t)r;
		if ((size_t)r >= b.n)
			break;
		b.p += r;
		b.n -= (size_t)r;
		b.fresh -= (size_t)r < b.fresh ? (size_t)r : b.fresh;
		b.start = false;
	}
	return r < 0 ? r : (ssize_t)off;
}

/* Keeps what the parser has left of the n bytes at p. */
static void inner_keep(struct mysql *m, enum proto_dir dir, const uint8_t *p, size_t n, uint64_t begin_ns, struct proto_sink *s)
{
	struct mysql_inner *in = &m->inner[dir];
	uint8_t *copy = n ? s->realloc(s, NULL, 0, n) : NULL;

	inner_drop(in, s);
	if (copy) {
		memcpy(copy, p, n);
		*in = (struct mysql_inner){.p = copy, .n = (uint32_t)n, .begin_ns = begin_ns};
	} else if (n) {
		mysql_lose(m, dir, 0, s);
	}
}

/* The n bytes that a frame holds are at p + in->n, what was left before them. */
static ssize_t inner_parse(struct mysql *m, enum proto_dir dir, const uint8_t *p, size_t n, uint64_t begin_ns, uint64_t end_ns,
			   struct proto_sink *s)
{
	struct mysql_inner *in = &m->inner[dir];
	size_t skip = in->skip < n ? (size_t)in->skip : n, left = in->n;
	struct proto_bytes b = {p + skip, left + n - skip, left, left ? in->begin_ns : begin_ns, end_ns, !left && !skip, false};
	ssize_t r;

	in->skip -= skip;
	if (in->skip || !b.n)
		return 1;
	r = packets_parse(m, dir, b, s);
	if (r < 0)
		return r;
	if ((size_t)r > b.n) {
		inner_drop(in, s);
		in->skip = (size_t)r - b.n;
		return 1;
	}
	inner_keep(m, dir, b.p + r, b.n - (size_t)r, (size_t)r < left ? in->begin_ns : begin_ns, s);
	return 1;
}

/* A frame that is all there. 1, or an error. */
static ssize_t frame_open(struct mysql *m, enum proto_dir dir, const struct proto_bytes *b, size_t len, size_t opened,
			  struct proto_sink *s)
{
	struct mysql_inner *in = &m->inner[dir];
	size_t left = in->n, n = opened ? opened : len;
	uint8_t *p = s->realloc(s, NULL, 0, left + n);
	uLongf got = n;
	ssize_t r = PROTO_BAD;

	if (!p) {
		inner_drop(in, s);
		mysql_lose(m, dir, n, s);
		return 1;
	}
	if (left)
		memcpy(p, in->p, left);
	if (!opened)
		memcpy(p + left, b->p + FRAME_HEAD, len);
	if (!opened || (uncompress(p + left, &got, b->p + FRAME_HEAD, len) == Z_OK && got == n))
		r = inner_parse(m, dir, p, n, proto_begin_ns(b), proto_end_ns(b, FRAME_HEAD + len), s);
	s->realloc(s, p, left + n, 0);
	return r;
}

/* A frame that is not opened holds n bytes: the packets among them that were not skipped are lost. */
static void frame_skip(struct mysql *m, enum proto_dir dir, uint64_t n, struct proto_sink *s)
{
	struct mysql_inner *in = &m->inner[dir];

	if (in->skip >= n) {
		in->skip -= n;
		return;
	}
	n -= in->skip;
	inner_drop(in, s);
	mysql_lose(m, dir, n, s);
}

ssize_t mysql_frame(struct mysql *m, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	size_t len, opened;
	ssize_t r;

	if (b->n < FRAME_HEAD)
		return 0;
	len = le24(b->p);
	opened = le24(b->p + 4);
	if (m->frames_lost[dir]) {
		/* a segment that begins with a frame, which zlib has made */
		if (!b->start || b->n < FRAME_HEAD + 1 || !opened || opened < len / 2 || b->p[FRAME_HEAD] != 0x78)
			return (ssize_t)b->n;
		m->frames_lost[dir] = false;
		inner_drop(&m->inner[dir], s);
	}
	if (len > INNER_MAX || opened > INNER_MAX) {
		frame_skip(m, dir, opened ? opened : len, s);
		return (ssize_t)(FRAME_HEAD + len);
	}
	if (b->n < FRAME_HEAD + len)
		return 0;
	r = frame_open(m, dir, b, len, opened, s);
	return r < 0 ? r : (ssize_t)(FRAME_HEAD + len);
}

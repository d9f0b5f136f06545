/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * talk: a conversation as turns of bytes, played to a flow in one piece, split, reordered, cut, doubled; the requests
 * that come out are written down as lines "op status error detail rows bytes/bytes".
 */
#ifndef ROOTLE_TESTS_TALK_H
#define ROOTLE_TESTS_TALK_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/flow.h"

#define C FROM_CLIENT
#define S FROM_SERVER
#define T(dir, text) {dir, text, sizeof(text) - 1}

struct turn {
	enum proto_dir dir;
	const char *p;
	size_t n;
};

struct talk {
	struct flow_pool pool;
	struct flow *f;
	uint64_t ts;
	uint32_t seq[2];
	char log[65536];
	size_t len;
	struct trace_ids ids;   /* of the newest request that has some */
};

static void talk_note(void *arg, struct flow *f, const struct request *r)
{
	struct talk *t = arg;

	if (r->ids.trace | r->ids.request)
		t->ids = r->ids;
	cr_assert_leq(r->begin_ns, r->end_ns, "%s ends before it begins", r->op);
	cr_assert_leq(r->begin_ns, r->sent_ns, "%s", r->op);
	t->len += (size_t)snprintf(t->log + t->len, sizeof(t->log) - t->len, "%s %d %s %s %lu %lu/%lu\n", r->op, r->status,
				   req_error_name(r->error), r->detail ? r->detail : "-", (unsigned long)r->rows,
				   (unsigned long)r->bytes_request, (unsigned long)r->bytes_response);
	cr_assert_lt(t->len, sizeof(t->log));
}

static inline void talk_init(struct talk *t, uint16_t port, bool mid)
{
	memset(t, 0, sizeof(*t));
	t->pool = (struct flow_pool){.limit_bytes = 1 << 20, .on_request = talk_note, .arg = t};
	t->f = flow_new(&t->pool, port, mid);
	t->seq[0] = UINT32_MAX - 20;   /* both wrap around early */
	t->seq[1] = UINT32_MAX - 9;
	t->ts = 1000;
}

/* One segment from an exact-size copy, so that reading past it shows. */
static inline void talk_at(struct talk *t, enum proto_dir dir, uint32_t seq, const char *p, size_t n, uint64_t ts)
{
	uint8_t *copy = malloc(n ? n : 1);
	struct segment s = {.dir = dir, .ts_ns = ts, .seq = seq, .len = (uint32_t)n, .head = copy, .head_len = (uint32_t)n};

	memcpy(copy, p, n);
	flow_segment(t->f, &s);
	free(copy);
}

static inline void talk_say(struct talk *t, enum proto_dir dir, const char *p, size_t n)
{
	talk_at(t, dir, t->seq[dir], p, n, t->ts);
	t->seq[dir] += (uint32_t)n;
	t->ts += 1000;
}

/* A segment of which only the first and the last bytes were captured. */
static inline void talk_cut(struct talk *t, enum proto_dir dir, const char *p, size_t n, size_t head, size_t tail)
{
	struct segment s = {.dir = dir, .ts_ns = t->ts, .seq = t->seq[dir], .len = (uint32_t)n, .head = (const uint8_t *)p,
			    .head_len = (uint32_t)head, .tail = (const uint8_t *)p + n - tail, .tail_len = (uint32_t)tail};

	flow_segment(t->f, &s);
	t->seq[dir] += (uint32_t)n;
	t->ts += 1000;
}

static inline void talk_end(struct talk *t)
{
	flow_close(t->f, t->ts);
	flow_free(t->f);
	cr_assert_eq(t->pool.held_bytes, 0, "%zu bytes are still held", t->pool.held_bytes);
}

/* The whole conversation, each turn in pieces of `step` bytes (0: whole), and turn `at` split behind `cut`. */
static inline void talk_play(struct talk *t, const struct turn *v, size_t turns, size_t step, size_t at, size_t cut)
{
	for (size_t i = 0; i < turns; i++) {
		size_t off = 0;

		while (off < v[i].n) {
			size_t n = v[i].n - off;

			if (step && n > step)
				n = step;
			if (i == at && off < cut && off + n > cut)
				n = cut - off;
			talk_say(t, v[i].dir, v[i].p + off, n);
			off += n;
		}
	}
}

static inline void talk_expect(const struct talk *t, const char *want, const char *how)
{
	cr_assert_str_eq(t->log, want, "%s:\n--- got\n%s--- want\n%s", how, t->log, want);
}

/* Whole, byte by byte, and at every two-way split: always the same requests. */
static inline void talk_check(uint16_t port, bool mid, const struct turn *v, size_t turns, const char *want)
{
	static struct talk t;
	char how[128];

	talk_init(&t, port, mid);
	talk_play(&t, v, turns, 0, turns, 0);
	talk_end(&t);
	talk_expect(&t, want, "whole");
	talk_init(&t, port, mid);
	talk_play(&t, v, turns, 1, turns, 0);
	talk_end(&t);
	talk_expect(&t, want, "byte by byte");
	for (size_t i = 0; i < turns; i++) {
		for (size_t cut = 1; cut < v[i].n; cut++) {
			talk_init(&t, port, mid);
			talk_play(&t, v, turns, 0, i, cut);
			talk_end(&t);
			snprintf(how, sizeof(how), "turn %zu split behind byte %zu", i, cut);
			talk_expect(&t, want, how);
		}
	}
}

#define TALK(port, mid, v, want) talk_check(port, mid, v, sizeof(v) / sizeof(*(v)), want)

#endif

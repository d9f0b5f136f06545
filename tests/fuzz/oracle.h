/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oracle: an input is a conversation; it is played whole and in random splits, and the same requests must come out.
 *
 * Input: byte 0 is a seed, then turns: one byte direction (bit 0) and one byte length, then the bytes.
 */
#ifndef ROOTLE_TESTS_ORACLE_H
#define ROOTLE_TESTS_ORACLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "proto/flow_private.h"

struct oracle {
	struct flow_pool pool;
	uint64_t hash;         /* of all requests so far, but for their times */
	uint64_t n;
	enum proto_id proto;   /* what the flow is taken for now */
	uint64_t protos;       /* hash of all that it was taken for, one after the other */
	bool noise;            /* there were bytes that nobody recognised, or that a parser began in the middle of, or of a protocol that
				* another target is for */
};

static void oracle_note(void *arg, struct flow *f, const struct request *r)
{
	struct oracle *o = arg;
	char line[4096];
	int n = snprintf(line, sizeof(line), "%lx %s %d %d %s %lu %lu %lu", (unsigned long)o->hash, r->op, r->status, r->error,
			 r->detail ? r->detail : "-", (unsigned long)r->rows, (unsigned long)r->bytes_request,
			 (unsigned long)r->bytes_response);

	if (r->begin_ns > r->end_ns || r->begin_ns > r->sent_ns)
		abort();
	o->hash = hash_bytes(line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
	o->n++;
}

/* One segment from an exact-size copy. */
static inline void oracle_say(struct flow *f, enum proto_dir dir, uint32_t seq, const uint8_t *p, size_t n, uint64_t ts)
{
	uint8_t *copy = malloc(n);
	struct segment s = {.dir = dir, .ts_ns = ts, .seq = seq, .len = (uint32_t)n, .head = copy, .head_len = (uint32_t)n};

	if (!copy)
		abort();
	memcpy(copy, p, n);
	flow_segment(f, &s);
	free(copy);
}

static inline void oracle_guess(struct oracle *o, const struct flow *f)
{
	if (flow_proto(f) == o->proto)
		return;
	o->proto = flow_proto(f);
	o->protos = o->protos * 31 + o->proto;
}

static inline bool is_of_port(const struct proto_ops *o, uint16_t port)
{
	const uint16_t *p = o ? o->ports : NULL;

	while (p && *p && *p != port)
		p++;
	return !o || o->id >= PROTO_USER || (p && *p);
}

static inline struct oracle oracle_play(const uint8_t *data, size_t size, uint16_t port, bool split)
{
	struct oracle o = {.pool = {.limit_bytes = 4 << 20}};
	struct flow *f;
	uint32_t seq[2] = {UINT32_MAX - 100, 7};
	unsigned seed = size ? data[0] : 0;
	uint64_t ts = 1000;

	o.pool.on_request = oracle_note;
	o.pool.arg = &o;
	f = flow_new(&o.pool, port, false);
	if (!f)
		abort();
	for (size_t i = 1; i + 2 < size; ts += 1000) {
		enum proto_dir dir = (enum proto_dir)(data[i] & 1);
		size_t len = data[i + 1], off = 0;

		i += 2;
		if (len > size - i)
			len = size - i;
		while (off < len) {
			size_t n = split ? 1 + (size_t)rand_r(&seed) % 9 : len;

			if (n > len - off)
				n = len - off;
			oracle_say(f, dir, seq[dir], data + i + off, n, ts);
			oracle_guess(&o, f);
			seq[dir] += (uint32_t)n;
			off += n;
		}
		i += len;
	}
	o.noise = f->mid || f->misses || !is_of_port(f->ops, port);
	flow_close(f, ts);
	flow_free(f);
	if (o.pool.held_bytes)
		abort();
	return o;
}

/* A guess from the beginning of a message may differ from one that saw more, so only conversations that both playings took
 * for the same, one after the other, are compared: what a parser gives up, it may give up at another byte, and
 * what it finds again behind a broken message, or behind noise, depends on segments. */
static inline void oracle_check(const uint8_t *data, size_t size, uint16_t port)
{
	struct oracle whole = oracle_play(data, size, port, false), parts = oracle_play(data, size, port, true);

	if (whole.protos != parts.protos || whole.noise || parts.noise || whole.pool.given_up || parts.pool.given_up ||
	    whole.pool.lost_requests || parts.pool.lost_requests || whole.pool.broken || parts.pool.broken)
		return;
	if (whole.n != parts.n || whole.hash != parts.hash)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif

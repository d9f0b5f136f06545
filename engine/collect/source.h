/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source: where events come from.  Ring buffer, sock_diag, capture file: each is {fd, drain, close} and yields the records of
 * bpf/event.h, so that everything behind it is the same and is tested without root.
 */
#ifndef ROOTLE_COLLECT_SOURCE_H
#define ROOTLE_COLLECT_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

struct source;

/* The record is valid during the call. */
typedef void source_fn(void *arg, const struct ev_hdr *ev);

struct source_counters {
	uint64_t drops[DROP_MAX];     /* totals since open */
	uint64_t seen[SEEN_MAX];
};

struct source_ops {
	const char *name;
	int (*fd)(struct source *s);     /* wakes, where a drain is urgent, whoever polls it (EPOLLET); -1: none */
	int (*drain)(struct source *s, source_fn *fn, void *arg);        /* records handed on, or -errno */
	void (*counters)(struct source *s, struct source_counters *ret); /* zero where it has none */
	void (*close)(struct source *s);                                 /* frees s */
};

struct source { const struct source_ops *ops; };

extern const char *const ev_drop_names[DROP_MAX];   /* "ring_conn" … */

#endif

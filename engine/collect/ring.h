/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring: the reader's side of a BPF ring buffer.  Unlike libbpf's it gives room back once for a batch of records, not once
 * for each (the producers read that line of memory at every reservation), and one drain ends where the producers stood when
 * it began, so a busy producer cannot hold the reader.
 */
#ifndef ROOTLE_COLLECT_RING_H
#define ROOTLE_COLLECT_RING_H

#include <stddef.h>

#include "collect/source.h"

struct ring {
	unsigned long *consumer;        /* page written by us */
	const unsigned long *producer;  /* page written by the kernel, the data behind it, mapped twice in a row */
	const uint8_t *data;
	size_t size, page;
};

/* Maps the ring buffer of this map. 0 or -errno. */
int ring_open(struct ring *r, int map_fd, size_t size);
void ring_close(struct ring *r);

/* Hands on all records that are complete, in the order of their reservation; stops at one still being written. Their
 * number. Costs two loads where there is none. seen, may be NULL, is added to. */
int ring_drain(struct ring *r, source_fn *fn, void *arg, uint64_t *seen);

#endif

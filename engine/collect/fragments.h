/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragments: puts fragments of IP datagrams together.  Bounded: 32 datagrams of 64 KB at a time, the oldest goes for a new one
 * and what is older than 30 s is not waited for (RFC 791 says 15 s, RFC 8200 60 s).
 */
#ifndef ROOTLE_COLLECT_FRAGMENTS_H
#define ROOTLE_COLLECT_FRAGMENTS_H

#include <stdbool.h>
#include <stdint.h>

struct fragments;

struct fragment {
	uint8_t saddr[16], daddr[16];
	uint32_t id;
	uint8_t protocol;
	bool more;                      /* others follow it */
	uint32_t offset;                /* in the datagram's payload, a multiple of 8 */
	const uint8_t *p;
	uint32_t n;                     /* bytes captured: all of it, else it is of no use */
};

struct fragments *fragments_new(void);          /* NULL: no memory */
void fragments_free(struct fragments *f);

/* Takes a fragment. Where it completes its datagram: the payload, *n bytes, valid until the next call; else NULL. */
const uint8_t *fragments_put(struct fragments *f, const struct fragment *x, uint64_t ts_ns, uint32_t *n);

/* Datagrams that were given up because some of their fragments did not come. */
uint64_t fragments_lost(const struct fragments *f);

#endif

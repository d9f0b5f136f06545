/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture: packets of a capture file → the records of bpf/event.h, as the kernel side would have written them.  Pure: no file, no
 * clock; ts_ns is the time of the packet, whichever clock that is.
 *
 * It keeps a table of the TCP connections: who sent the SYN, when it was answered, what was sent again, round trips, closed
 * windows, how it ended.  Each end has a cookie of its own, made here.  A connection that was there before the capture is known
 * from its first packet on, and its server by a SYN that somebody else sent there.  Only one direction may have been
 * captured; copies of a packet (captured on several interfaces) count once.
 *
 * Round trips are what the two halves of the way took, from the place of the capture: data → acknowledgement, smoothed as in
 * RFC 6298, and not of what was sent again (Karn).  A segment that fills a hole is a retransmission if it comes later than a
 * round trip after what follows it, else it was overtaken.
 *
 * Of UDP, DNS is handed on with its bytes; everything else is counted by pair of addresses and told of each second.
 */
#ifndef ROOTLE_COLLECT_CAPTURE_H
#define ROOTLE_COLLECT_CAPTURE_H

#include "collect/capture_packet.h"
#include "collect/source.h"

struct capture;

#define CAPTURE_CONNECTIONS 65536u      /* followed at a time; past it the longest closed, else the longest idle is forgotten */
#define CAPTURE_PAIRS 16384u            /* of UDP */

struct capture_counters {
	uint64_t segments, datagrams;   /* that were looked at */
	uint64_t copies;                /* packets that had been captured before, at another place */
	uint64_t cut_segments;          /* payload that was not captured whole (snaplen) */
	uint64_t forgotten;             /* connections and pairs for want of room */
};

/* Records go to fn. NULL: no memory. */
struct capture *capture_new(source_fn *fn, void *arg);
void capture_free(struct capture *c);

/* A packet. ts_ns should not go back; where it does by a little, nothing breaks. */
void capture_take(struct capture *c, uint64_t ts_ns, const struct capture_packet *p);
/* An interval ends at ts_ns: what is told of once in each. Call it before the model's tick. */
void capture_tick(struct capture *c, uint64_t ts_ns);

/* What WISH_NONE (bpf/event.h) of the model means: the payload of this end is of no interest any more, only its length. */
void capture_wish(struct capture *c, uint64_t cookie, int wish);

void capture_counters(const struct capture *c, struct capture_counters *ret);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture_writer: the records of bpf/event.h → packets of a pcapng file, the way back of capture.h.  Pure: blocks go to a function.
 *
 * What was seen is written, no more: heads and tails of payload, each packet with the length that it had.  Headers are made from
 * addresses, ports and sequence numbers; a connection that was seen to begin has one SYN or SYN-ACK in front of its first payload, and
 * ends with a FIN or RST as it did.  Acknowledgements were not seen, so there are none, and no round trips can be told from the file.  Who owned the socket is a comment: "process=nginx pid=812 service=nginx side=sender".
 * Not written are plaintext that TLS libraries gave (it was encrypted on the wire), UNIX sockets and datagrams other than DNS (they
 * come without bytes).
 */
#ifndef ROOTLE_COLLECT_CAPTURE_WRITER_H
#define ROOTLE_COLLECT_CAPTURE_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

struct capture_writer;

struct capture_writer_options {
	/* A block of a pcapng file, to be appended. */
	void (*put)(void *arg, const uint8_t *p, size_t n);
	/* The name of the service that a process belongs to; NULL: not known. */
	const char *(*service)(void *arg, uint32_t pid);
	void *arg;
};

/* NULL: no memory. Puts what the file begins with. */
struct capture_writer *capture_writer_new(const struct capture_writer_options *o);
void capture_writer_free(struct capture_writer *w);

/* A record, and the wall clock's time of it. */
void capture_writer_take(struct capture_writer *w, const struct ev_hdr *ev, uint64_t unix_ns);

/* Segments of connections whose addresses are not known (too many, or their announcement was lost). */
uint64_t capture_writer_lost(const struct capture_writer *w);

#endif

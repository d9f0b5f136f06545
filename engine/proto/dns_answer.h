/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns_answer: which addresses a DNS response gives for the name that was asked for (RFC 1035), along a chain of CNAMEs.
 */
#ifndef ROOTLE_PROTO_DNS_ANSWER_H
#define ROOTLE_PROTO_DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_ADDRESSES 32

struct dns_answer {
	char name[112];         /* asked for, in lower case, without the last dot; longer ones are no answer */
	uint32_t ttl_s;         /* the least of all records */
	uint32_t n;
	uint8_t ip[DNS_ADDRESSES][16];  /* IPv4 as ::ffff:a.b.c.d */
};

/* The first n bytes of a message, without a length in front. False: no response with an address, or its name has other characters
 * than names of hosts have. */
bool dns_answer_read(const uint8_t *p, size_t n, struct dns_answer *ret);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x509: whom a certificate names and until when it is good: a walk over its DER (X.690; RFC 5280, 4.1) down to those fields
 * and no further, and whether a name or an address is among those it is for.  It verifies nothing.  Pure; allocates nothing; the input may be any bytes.
 */
#ifndef ROOTLE_PROTO_X509_H
#define ROOTLE_PROTO_X509_H

#include <stddef.h>
#include <stdint.h>

struct x509_leaf {
	char subject[128];         /* common name, else the first DNS name of subjectAltName; "" where neither was found. UTF-8 */
	int64_t not_before_s, not_after_s;   /* Unix time */
};

/* p is a certificate or the first n bytes of one: what lies behind subject is wanted only where the subject has no common
 * name. 0; -EINVAL: not a certificate; -ENODATA: it ends before the end of its subject. *ret is set on success only. */
int x509_leaf_parse(const uint8_t *p, size_t n, struct x509_leaf *ret);

/* Is it a certificate for this host (RFC 6125, 6.4: names of subjectAltName; the common name where there are none of these)?
 * host "": for this address (16 bytes; those of IPv4 as ::ffff:a.b.c.d). 0: no; 1: by a "*" in the place of the first label; 2: by
 * its name. The whole certificate is wanted. */
int x509_is_for(const uint8_t *p, size_t n, const char *host, const uint8_t ip[16]);

#endif

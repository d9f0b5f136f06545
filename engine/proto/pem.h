/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pem: the first certificate of a text file (RFC 7468), which is the server's own where a chain follows (RFC 8446, 4.4.2).
 * Pure; allocates nothing; the input may be any bytes.
 */
#ifndef ROOTLE_PROTO_PEM_H
#define ROOTLE_PROTO_PEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Writes the DER of the first block that is a certificate to der, as much of it as the text has. Bytes; -ENOENT: there is no such
 * block; -EINVAL: what is in it is not base64; -ENOSPC: it is larger than cap. */
ssize_t pem_certificate(const char *text, size_t n, uint8_t *der, size_t cap);

#endif

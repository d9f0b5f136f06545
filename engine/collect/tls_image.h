/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_image: the functions of a program or library that plaintext passes through: OpenSSL, BoringSSL (also linked into the
 * program, with symbols: Node.js), GnuTLS, and Go's crypto/tls.
 */
#ifndef ROOTLE_COLLECT_TLS_IMAGE_H
#define ROOTLE_COLLECT_TLS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_HOOKS_MAX 160        /* the two functions of Go with every return of theirs */

enum tls_hook {
	TLS_HOOK_WRITE, TLS_HOOK_READ, TLS_HOOK_WRITE_EX, TLS_HOOK_READ_EX, TLS_HOOK_SHAKE, TLS_HOOK_FREE,
	TLS_HOOK_GO_WRITE, TLS_HOOK_GO_READ, TLS_HOOK_GO_RETURN, TLS_HOOKS,
};

/* Also where it returns: a call, of C. */
bool tls_hook_returns(enum tls_hook hook);

struct tls_image {
	const char *library;     /* "openssl" (BoringSSL and LibreSSL too) "gnutls" "go"; static */
	struct { enum tls_hook hook; uint64_t offset; /* in the file */ } at[TLS_HOOKS_MAX];
	size_t n;
};

/* 0; -ENOENT: no TLS library is in this file; -ENOTSUP: one that cannot be hooked (a Go before 1.18); -EILSEQ: its code cannot be
 * read; -errno. Blocks: reads the file's symbols. */
int tls_image_read(const char *path, struct tls_image *ret);

#endif

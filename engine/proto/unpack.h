/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unpack: the beginning of what was compressed, as far as its first bytes give it.  Never more than the caller's buffer is
 * written, whatever the data says of its size; memory of the libraries lives during the call only and has a bound
 * (zlib 50 KB, zstd 1.5 MB, others none).
 */
#ifndef ROOTLE_PROTO_UNPACK_H
#define ROOTLE_PROTO_UNPACK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Each: n bytes at in, which may end early, to at most cap bytes at out; how many those are, or -1: not such data. */
ssize_t unpack_zlib(uint8_t *out, size_t cap, const uint8_t *in, size_t n);
ssize_t unpack_zstd(uint8_t *out, size_t cap, const uint8_t *in, size_t n);
/* Snappy's raw format, with the length in front. The library cannot stop early, nor begin with a part. */
ssize_t unpack_snappy(uint8_t *out, size_t cap, const uint8_t *in, size_t n);
/* A block of LZ4, without its length. The same. */
ssize_t unpack_lz4(uint8_t *out, size_t cap, const uint8_t *in, size_t n);

#endif

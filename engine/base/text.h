/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text: untrusted bytes made fit for a terminal, and a few string and file chores shared by every layer.
 */
#ifndef ROOTLE_BASE_TEXT_H
#define ROOTLE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Copies s (n bytes) to buf so that a terminal shows it and does nothing else: control characters (C0, DEL, C1), bytes
 * that are not UTF-8 and bidi overrides become '?' (or U+FFFD when utf8). Always NUL-terminated; cut at a character. Returns buf. */
char *text_clean(char *buf, size_t cap, const char *s, size_t n, bool utf8);
/* Columns that a clean UTF-8 string takes (wcwidth sums; 1 for unknown). */
size_t text_width(const char *s);

/* Bytes of the valid UTF-8 character at s, 0 where there is none (RFC 3629). */
size_t utf8_length(const char *s, size_t n);
size_t utf8_decode(const char *s, size_t n, uint32_t *cp);

/* A character that changes how a terminal shows what follows, that hides, or that is none. */
bool utf8_unsafe(uint32_t cp);

bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);
/* The part behind the last '/'. */
const char *text_basename(const char *path);
/* "256M" "1.5G" "4096" "64K" (powers of 1024, optional B/iB). 0 and *bytes, or -EINVAL. */
int size_parse(const char *s, int64_t *bytes);
char *size_format(char *buf, size_t cap, double bytes);      /* "1.5 GB"; returns buf */
/* "850 us" "4.1 ms" "2.3 s" "4m30s"; "-" for NaN. Returns buf. */
char *ms_format(char *buf, size_t cap, double ms);
char *count_format(char *buf, size_t cap, double v);         /* "12.3k"; returns buf */

/* Reads a small file (as in /proc) whole into buf, NUL-terminated; bytes read, or -errno. dirfd may be AT_FDCWD. */
ssize_t file_read(int dirfd, const char *path, char *buf, size_t cap);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mask: command lines fit to be stored.  Values that look like secrets become "***": of options and assignments whose name says so
 * (--password=x, --token x, PASSWORD=x, "Authorization: x"), the word behind such a name, of the short options of well-known
 * clients, also grouped (mysql -px, redis-cli -a x, curl -sSu x), URLs' userinfo, and words in the form of well-known tokens.
 * Statements (psql -c …, mysql -e …), the queries of URLs and the paths of webhooks become "…".  In doubt it masks.
 */
#ifndef ROOTLE_COLLECT_MASK_H
#define ROOTLE_COLLECT_MASK_H

#include <stddef.h>

/* argv is NUL-separated, alen bytes; buf gets the arguments joined by spaces, clean for a terminal, NUL-terminated and
 * cut at cap - 1. Returns the length. Also looks into arguments that are themselves command lines (sh -c '…'). */
size_t cmdline_mask(const char *argv, size_t alen, char *buf, size_t cap);

#endif

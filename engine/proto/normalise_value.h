/* SPDX-License-Identifier: BSD-2-Clause */
/* normalise_value: which words of paths and names are values, and names without them. Nobody but normalisers includes it. */
#ifndef ROOTLE_PROTO_NORMALISE_VALUE_H
#define ROOTLE_PROTO_NORMALISE_VALUE_H

#include "proto/normalise_out.h"

/*
 * Writes a name whose words are separated by . : - _ with {id} for words that are values; several in a row are one. Values are
 * numbers and dates, UUIDs and hashes (hexadecimal with a digit), tokens (capitals, small letters and digits mixed), words with four
 * digits, what holds characters that names do not have, long titles (five words and more). short_numbers: words of one or two
 * digits are names too ("retry-2").
 */
void out_name(struct out *o, const char *s, size_t n, bool short_numbers);

#endif

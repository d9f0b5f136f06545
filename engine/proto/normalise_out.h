/* SPDX-License-Identifier: BSD-2-Clause */
/* normalise_out: the bounded text that normalisers write. Nobody else includes it. */
#ifndef ROOTLE_PROTO_NORMALISE_OUT_H
#define ROOTLE_PROTO_NORMALISE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct out {
	char *p;
	size_t n, cap;     /* n <= cap - 1 */
	bool full;         /* something did not fit */
};

void out_char(struct out *o, char c);
/* Untrusted bytes: control characters and what is not UTF-8 become '?'. */
void out_text(struct out *o, const char *s, size_t n);
/* The same as one line: white space and control characters become one blank. */
void out_flat(struct out *o, const char *s, size_t n);
/* Ends the text, with "…" where something did not fit; its length. */
size_t out_end(struct out *o);

#endif

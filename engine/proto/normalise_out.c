/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/normalise_out.h"
#include "base/text.h"

#include <string.h>

void out_char(struct out *o, char c)
{
	if (o->full || o->n + 1 >= o->cap) {
		o->full = true;
		return;
	}
	o->p[o->n++] = c;
}

void out_text(struct out *o, const char *s, size_t n)
{
	size_t i = 0, k;

	while (i < n && !o->full) {
		if ((uint8_t)s[i] < 0x80) {
			out_char(o, (uint8_t)s[i] < ' ' || s[i] == 0x7f ? '?' : s[i]);
			i++;
			continue;
		}
		k = utf8_length(s + i, n - i);
		if (!k || (k == 2 && (uint8_t)s[i] == 0xc2 && (uint8_t)s[i + 1] < 0xa0)) {
			out_char(o, '?');
			i += k ? k : 1;
			continue;
		}
		if (o->n + k >= o->cap) {
			o->full = true;
			return;
		}
		memcpy(o->p + o->n, s + i, k);
		o->n += k;
		i += k;
	}
}

void out_flat(struct out *o, const char *s, size_t n)
{
	size_t i = 0, k;

	while (i < n && !o->full) {
		for (k = i; k < n && (uint8_t)s[k] > ' '; k++)
			;
		out_text(o, s + i, k - i);
		for (i = k; i < n && (uint8_t)s[i] <= ' '; i++)
			;
		if (i > k && i < n && o->n)
			out_char(o, ' ');
	}
}

size_t out_end(struct out *o)
{
	static const char more[] = "\xe2\x80\xa6";

	if (!o->cap)
		return 0;
	if (o->full && o->cap > 3) {
		if (o->n > o->cap - 4)
			o->n = o->cap - 4;
		/* not in the middle of a character */
		while (o->n && ((uint8_t)o->p[o->n] & 0xc0) == 0x80)
			o->n--;
		memcpy(o->p + o->n, more, 3);
		o->n += 3;
	}
	o->p[o->n] = '\0';
	return o->n;
}

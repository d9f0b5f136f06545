/* SPDX-License-Identifier: BSD-2-Clause */
#include "svg.h"

void svg_put_escaped(FILE *out, const char *s)
{
	for (; *s; s++) {
		const char *entity = *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : *s == '"' ? "&quot;" : NULL;

		entity ? fputs(entity, out) : fputc(*s, out);
	}
}

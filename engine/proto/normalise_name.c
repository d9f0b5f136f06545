/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/normalise.h"
#include "proto/normalise_value.h"

size_t normalise_raw(char *out, size_t cap, const char *text, size_t n)
{
	struct out o = {.p = out, .cap = cap};

	out_flat(&o, text, n);
	return out_end(&o);
}

size_t normalise_name(char *out, size_t cap, const char *name, size_t n, bool raw)
{
	struct out o = {.p = out, .cap = cap};
	size_t i = 0, k;

	if (raw)
		return normalise_raw(out, cap, name, n);
	while (i < n && !o.full) {
		for (k = i; k < n && name[k] != '/'; k++)
			;
		out_name(&o, name + i, k - i, true);
		if (k < n)
			out_char(&o, '/');
		i = k + 1;
	}
	return out_end(&o);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/normalise.h"
#include "proto/normalise_value.h"

#include <string.h>

size_t normalise_raw(char *out, size_t cap, const char *text, size_t n)
{
	struct out o = {.p = out, .cap = cap};

	out_flat(&o, text, n);
	return out_end(&o);
}

/* A word that stands for any: MQTT + #, NATS * >, AMQP * #. */
static bool is_wildcard(const char *s, size_t i, size_t n)
{
	return memchr("+#*>", s[i], 4) && (!i || s[i - 1] == '.' || s[i - 1] == '/') &&
	       (i + 1 == n || s[i + 1] == '.' || s[i + 1] == '/');
}

size_t normalise_name(char *out, size_t cap, const char *name, size_t n, bool raw)
{
	struct out o = {.p = out, .cap = cap};
	size_t i = 0, k;

	if (raw)
		return normalise_raw(out, cap, name, n);
	while (i < n && !o.full) {
		for (k = i; k < n && name[k] != '/' && !is_wildcard(name, k, n); k++)
			;
		out_name(&o, name + i, k - i, true);
		if (k < n)
			out_char(&o, name[k]);
		i = k + 1;
	}
	return out_end(&o);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as SQL and as a target: terminated, valid, and as long as said; short buffers cut. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/normalise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *out, size_t n, size_t cap)
{
	size_t k;

	if (n >= cap || strlen(out) != n)
		abort();
	for (size_t i = 0; i < n; i += k)
		if (!(k = utf8_length(out + i, n - i)))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t cap = size ? 1 + data[0] * 4u : 1;
	char *out = malloc(cap);

	if (!out)
		abort();
	check(out, normalise_sql(out, cap, (const char *)data, size), cap);
	check(out, normalise_http(out, cap, "GET", 3, (const char *)data, size), cap);
	free(out);
	return 0;
}

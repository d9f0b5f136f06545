/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"

/* Compared are conversations behind a greeting.  Of what begins without one the flow decides late what it is, and then parses what it has
 * kept of both sides, the client's first, whatever was said when: such must only end in order. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t begin[] = "\0\1\x10" "220 mail ESMTP\r\n";
	uint8_t copy[sizeof(begin) - 1 + 4096];

	if (!size || !(data[0] & 1) || size > 4096) {
		oracle_play(data, size, 25, true);
		return 0;
	}
	memcpy(copy, begin, sizeof(begin) - 1);
	copy[0] = data[0];
	memcpy(copy + sizeof(begin) - 1, data + 1, size - 1);
	oracle_check(copy, sizeof(begin) - 1 + size - 1, 25);
	return 0;
}

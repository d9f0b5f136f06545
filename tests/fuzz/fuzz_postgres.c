/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* without a startup packet the client is found where a segment begins with a message, so splits do matter */
	if (size > 3 && !(data[1] & 1) && data[2] && !data[3])
		oracle_check(data, size, 5432);
	else
		oracle_play(data, size, 5432, true);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* the server speaks first; without a greeting a packet is found where a segment begins, so splits do matter */
	if (size > 7 && data[1] & 1 && data[2] > 40 && !data[6] && data[7] == 10)
		oracle_check(data, size, 3306);
	else
		oracle_play(data, size, 3306, true);
	return 0;
}

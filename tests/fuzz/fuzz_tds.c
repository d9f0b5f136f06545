/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* without a prelogin a packet is found where a segment begins, so splits do matter */
	if (size > 3 && !(data[1] & 1) && data[3] == 0x12)
		oracle_check(data, size, 1433);
	else
		oracle_play(data, size, 1433, true);
	return 0;
}

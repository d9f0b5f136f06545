/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"

/* What a client says behind a query is taken as it comes, and answers that cannot be followed end with a segment: splits do matter. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	oracle_play(data, size, 9000, false);
	oracle_play(data, size, 9000, true);
	return 0;
}

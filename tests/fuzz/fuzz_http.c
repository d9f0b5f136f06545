/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	oracle_check(data, size, 80);
	return 0;
}

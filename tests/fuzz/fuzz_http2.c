/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"

/* Half of the inputs are the frames behind a preface, so that the fuzzer need not find it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t begin[] = "\0\0\x21PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\1\x9\0\0\0\4\0\0\0\0\0";
	uint8_t copy[sizeof(begin) - 1 + 4096];

	if (!size || !(data[0] & 1) || size > 4096) {
		oracle_check(data, size, 50051);
		return 0;
	}
	memcpy(copy, begin, sizeof(begin) - 1);
	copy[0] = data[0];
	memcpy(copy + sizeof(begin) - 1, data + 1, size - 1);
	oracle_check(copy, sizeof(begin) - 1 + size - 1, 50051);
	return 0;
}

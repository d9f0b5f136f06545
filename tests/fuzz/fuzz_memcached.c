/* SPDX-License-Identifier: BSD-2-Clause */
/* The first turns are given, by the seed of one protocol or the other: what early bytes are taken for is fuzz_flow's. */
#include "oracle.h"

#define TEXT "\0\x09version\r\n" "\1\x10VERSION 1.6.18\r\n"
#define NOOP(magic) magic "\xa\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define BINARY "\0\x18" NOOP("\x80") "\1\x18" NOOP("\x81")

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool binary = size && data[0] & 1;
	size_t n = binary ? sizeof(BINARY) - 1 : sizeof(TEXT) - 1;
	uint8_t *talk;

	if (!size)
		return 0;
	talk = malloc(size + n);
	if (!talk)
		abort();
	talk[0] = data[0];
	memcpy(talk + 1, binary ? BINARY : TEXT, n);
	memcpy(talk + 1 + n, data + 1, size - 1);
	oracle_check(talk, size + n, 11211);
	free(talk);
	return 0;
}

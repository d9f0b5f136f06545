/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"
#include "proto/protocols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t turn = size > 3 ? data[2] : 0;

	/* the server speaks first; without a whole greeting packets are found where a segment begins, so splits do matter */
	if (size > 3 + turn && data[1] & 1 && turn > 40 && !data[4] && data[3] + 4u <= turn &&
	    proto_mysql.infer(FROM_SERVER, data + 3, turn) > 90)
		oracle_check(data, size, 3306);
	else
		oracle_play(data, size, 3306, true);
	return 0;
}

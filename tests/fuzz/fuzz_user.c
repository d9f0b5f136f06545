/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle.h"
#include "proto/user.h"

static const char *const posts[] = {"PUT *", NULL}, *const items[] = {"I*E*", NULL}, *const logs[] = {"LOG *", NULL};
static const struct user_protocol lines = {
	.name = "lines",
	.ports = {7},
	.lines = {.end = "\n", .end_len = 1, .op_words = 2, .request_id = 1, .response_id = 1, .oneway = {logs},
		  .request_body = {.when = {posts}, .length_word = 3, .length_add = 1}, .response_body = {.when = {items}, .until = "."}},
};
static const struct user_name ops[] = {{1, "One"}, {2, "Two"}, {0, NULL}};
static const struct user_protocol frames = {
	.name = "frames",
	.magic = {{(const uint8_t *)"ab", 2}, {(const uint8_t *)"ab", 2}},
	.is_frames = true,
	.frames = {.header = 10, .length = {.at = 8, .size = 2}, .counts = COUNTS_REST, .length_max = 1 << 20, .op = {.at = 2, .size = 2},
		   .ops = ops, .id = {.at = 4, .size = 4, .little = true}, .status = {.at = 2, .size = 1}},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!proto_by_name("lines") && (user_add(&lines) || user_add(&frames)))
		abort();
	oracle_check(data, size, 7);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "model/redact.h"

Test(redact, as_if_it_had_not_been_raw)
{
	static const char *const v[][3] = {
		{"http", "GET /users/1234?token=s3cr3t", "GET /users/{id}"}, {"fastcgi", "POST /x?y", "POST /x"}, {"http", "GET", "GET /"},
		{"postgres", "SELECT 's3cr3t', 1", "SELECT ?, ?"}, {"mysql", "SELECT \"s3cr3t\"", "SELECT ?"},
		{"dns", "A 12345678.shop.test", "A {id}.shop.test"}, {"dns", "A .", "A ."}, {"redis", "GET user:s3cr3t", "GET"},
		{NULL, "GET /s3cr3t", "GET"}, {"stock", "PUT", "PUT"}, {"dns", "", ""},
	};
	char out[64];

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		redact_op(out, sizeof(out), v[i][0], v[i][1]);
		cr_expect_str_eq(out, v[i][2], "%s: %s", v[i][1], out);
	}
}

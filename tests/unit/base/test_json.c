/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <math.h>

#include "base/json.h"

static void check(struct json *j, const char *want)
{
	cr_assert_not(j->failed);
	cr_assert_str_eq(j->buf, want);
	json_done(j);
}

Test(json, nesting_and_commas)
{
	struct json j;

	json_init(&j, false);
	json_object(&j, NULL);
	json_string(&j, "a", "x");
	json_array(&j, "b");
	json_int(&j, NULL, -1);
	json_object(&j, NULL);
	json_object_end(&j);
	json_array(&j, NULL);
	json_array_end(&j);
	json_array_end(&j);
	json_bool(&j, "c", true);
	json_null(&j, "d");
	json_object_end(&j);
	check(&j, "{\"a\":\"x\",\"b\":[-1,{},[]],\"c\":true,\"d\":null}");
}

Test(json, strings_are_always_valid_utf8)
{
	static const char bytes[] = "q\"\\\n\t\x01\x7f \xc3\xa9 \xff\xc0\xaf \xed\xa0\x80|";
	struct json j;

	json_init(&j, false);
	json_stringn(&j, NULL, bytes, sizeof(bytes) - 1);
	check(&j, "\"q\\\"\\\\\\n\\t\\u0001\\u007f \xc3\xa9 \\u00ff\\u00c0\\u00af \\u00ed\\u00a0\\u0080|\"");
}

Test(json, numbers)
{
	struct json j;

	json_init(&j, false);
	json_array(&j, NULL);
	json_number(&j, NULL, 3);
	json_number(&j, NULL, 0.25);
	json_number(&j, NULL, -1.5e-9);
	json_number(&j, NULL, NAN);
	json_number(&j, NULL, INFINITY);
	json_number(&j, NULL, 1692608400.5);
	json_number(&j, NULL, 1e18);
	json_uint(&j, NULL, UINT64_MAX);
	json_array_end(&j);
	check(&j, "[3,0.25,-1.5e-09,null,null,1692608400.5,1e+18,18446744073709551615]");
}

Test(json, times)
{
	struct json j;

	json_init(&j, false);
	json_array(&j, NULL);
	json_time(&j, NULL, 1589808367123456789);
	json_time(&j, NULL, 0);
	json_array_end(&j);
	check(&j, "[\"2020-05-18T13:26:07.123Z\",null]");
}

Test(json, pretty)
{
	struct json j;

	json_init(&j, true);
	json_object(&j, NULL);
	json_int(&j, "a", 1);
	json_array(&j, "b");
	json_int(&j, NULL, 2);
	json_array_end(&j);
	json_object_end(&j);
	check(&j, "{\n  \"a\": 1,\n  \"b\": [\n    2\n  ]\n}");
}

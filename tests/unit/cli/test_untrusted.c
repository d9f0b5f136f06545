/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "cli/untrusted.h"

static void becomes(const char *text, const char *wanted)
{
	char *got = untrusted_array(text);

	if (wanted)
		cr_expect_str_eq(got ? got : "(refused)", wanted, "from %s", text);
	else
		cr_expect_null(got, "%s was taken", text ? text : "NULL");
	free(got);
}

Test(untrusted, arrays_come_out_as_json)
{
	becomes("[]", "[]");
	becomes("[ {\"probe\": \"packets\",\n\"state\":\"on\"} ]", "[{\"probe\":\"packets\",\"state\":\"on\"}]");
	becomes("[\"\\u001b[31m\xc2\x9b\"]", "[\"\\u001B[31m\\u009B\"]");
}

Test(untrusted, everything_else_is_refused)
{
	becomes(NULL, NULL);
	becomes("", NULL);
	becomes("{}", NULL);
	becomes("[1", NULL);
	becomes("[1],\"recording\":true,\"x\":[2]", NULL);
	becomes("[\"\033[31m\"]", NULL);
	becomes("[\"\xff\"]", NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "base/text.h"

Test(text, nothing_untrusted_reaches_the_terminal)
{
	static const char evil[] = "a\x1b[31mb\r\nc\x9b" "d\xe2\x80\xae" "e\x7f\xc2\x9b.";
	char buf[64];

	cr_assert_str_eq(text_clean(buf, sizeof(buf), evil, sizeof(evil) - 1, false), "a?[31mb??c?d?e??.");
	text_clean(buf, sizeof(buf), evil, sizeof(evil) - 1, true);
	cr_assert_null(strpbrk(buf, "\x1b\r\n\x7f"));
	cr_assert_str_eq(text_clean(buf, sizeof(buf), "a\xd8\x9c" "b\xef\xbf\xbf" "c", 8, true), "a\xef\xbf\xbd" "b\xef\xbf\xbd" "c",
			 "a bidi mark; what no XML may hold");
}

Test(text, cut_at_a_character)
{
	char buf[5];

	cr_assert_str_eq(text_clean(buf, sizeof(buf), "abc\xc3\xa9", 5, true), "abc");
	cr_assert_str_eq(text_clean(buf, sizeof(buf), "ab\xc3\xa9", 4, true), "ab\xc3\xa9");
}

Test(text, width)
{
	cr_assert_not_null(setlocale(LC_ALL, "C.UTF-8"));
	cr_assert_eq(text_width("abc"), 3);
	cr_assert_eq(text_width("\xc3\xa9\xe4\xb8\xad"), 3, "e acute is one column, a CJK character two");
}

Test(text, sizes)
{
	static const char *const bad[] = {"", "x", "-1", "5Q", "5MM", " 5", "1e30T"};
	char buf[32];
	int64_t v;
	size_t i;

	cr_assert_eq(size_parse("256M", &v), 0);
	cr_assert_eq(v, 268435456);
	cr_assert_eq(size_parse("1.5GiB", &v), 0);
	cr_assert_eq(v, 1610612736);
	cr_assert_eq(size_parse("4096", &v), 0);
	cr_assert_eq(v, 4096);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_eq(size_parse(bad[i], &v), -EINVAL, "%s", bad[i]);
	cr_assert_str_eq(size_format(buf, sizeof(buf), 1610612736), "1.50 GB");
	cr_assert_str_eq(size_format(buf, sizeof(buf), 512), "512 B");
	cr_assert_str_eq(count_format(buf, sizeof(buf), 12345), "12.3k");
}

static void expect_ms(double ms, const char *want)
{
	char buf[32];

	cr_expect_str_eq(ms_format(buf, sizeof(buf), ms), want, "%g ms reads '%s', not '%s'", ms, buf, want);
}

Test(text, durations)
{
	expect_ms(NAN, "-");
	expect_ms(0.85, "850 us");
	expect_ms(4.06, "4.1 ms");
	expect_ms(41, "41 ms");
	expect_ms(2300, "2.3 s");
	expect_ms(270000, "4m30s");
}

Test(text, files)
{
	char buf[8];

	cr_assert_eq(file_read(AT_FDCWD, "/proc/self/comm", buf, sizeof(buf)), 7, "cut to the buffer");
	cr_assert_eq(buf[7], '\0');
	cr_assert_eq(file_read(AT_FDCWD, "/no/such/file", buf, sizeof(buf)), -ENOENT);
}

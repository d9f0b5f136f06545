/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define NOW 1767362706500000000ll           /* 2026-01-02 14:05:06.5 UTC */

Test(clock, durations)
{
	static const struct { const char *text; int64_t ns; } good[] = {
		{"500ms", 500 * NS_PER_MS}, {"10s", 10 * NS_PER_S}, {"5m", 300 * NS_PER_S}, {"1h30m", 5400 * NS_PER_S},
		{"2d", 172800 * NS_PER_S}, {"1.5h", 5400 * NS_PER_S}, {"0s", 0}, {"3us", 3000}, {"7ns", 7},
	};
	static const char *const bad[] = {"", "10", "s", "-5s", "5 s", "5x", "1h30", "0x5s", "inf", "1e400s", "9999999w", "ms"};
	int64_t ns;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		cr_assert_eq(duration_parse(good[i].text, &ns), 0, "%s", good[i].text);
		cr_assert_eq(ns, good[i].ns, "%s", good[i].text);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_eq(duration_parse(bad[i], &ns), -EINVAL, "%s", bad[i]);
}

Test(clock, duration_texts)
{
	static const struct { int64_t ns; const char *text; } good[] = {
		{0, "0ns"}, {1500, "1.5us"}, {250 * NS_PER_MS, "250ms"}, {45 * NS_PER_S, "45s"}, {270 * NS_PER_S, "4m30s"},
		{5400 * NS_PER_S, "1h30m"}, {3600 * NS_PER_S, "1h"}, {300 * NS_PER_S, "5m"}, {260000 * NS_PER_S, "3d"},
	};
	char buf[32];
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++)
		cr_assert_str_eq(duration_format(buf, sizeof(buf), good[i].ns), good[i].text);
}

Test(clock, points_in_time)
{
	static const struct { const char *text; int64_t ns; } good[] = {
		{"now", NOW}, {"10m", NOW - 600 * NS_PER_S}, {"@1589808367", 1589808367 * NS_PER_S},
		{"@1589808367.5", 1589808367 * NS_PER_S + NS_PER_S / 2}, {"2026-01-02T14:05:06Z", 1767362706 * NS_PER_S},
		{"2026-01-02T16:05:06.25+02:00", 1767362706 * NS_PER_S + 250 * NS_PER_MS},
		{"2026-01-02 15:05:06", 1767362706 * NS_PER_S}, {"15:05", 1767362700 * NS_PER_S},
		{"15:05:07", 1767362707 * NS_PER_S - 86400 * NS_PER_S}, {"2026-01-02", 1767308400 * NS_PER_S},
	};
	static const char *const bad[] = {"", "yesterday", "25:00", "14:5", "14:05:61x", "2026-13-01", "2026-01-02T14:05Q", "@", "@x",
					  "@99999999999999999999", "-10m", "2026-01-02 14:05:06 junk", "2023-02-30T10:00:00Z", "2023-02-29", "9999-12-31T23:59:59Z"};
	int64_t ns;
	size_t i;

	setenv("TZ", "CET-1", 1);
	tzset();
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		cr_assert_eq(time_parse(good[i].text, NOW, &ns), 0, "%s", good[i].text);
		cr_assert_eq(ns, good[i].ns, "%s: %ld", good[i].text, ns);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_eq(time_parse(bad[i], NOW, &ns), -EINVAL, "%s", bad[i]);
}

Test(clock, texts)
{
	char buf[40];

	setenv("TZ", "UTC", 1);
	tzset();
	cr_assert_str_eq(time_rfc3339(buf, sizeof(buf), NOW), "2026-01-02T14:05:06.500Z");
	cr_assert_str_eq(time_clock(buf, sizeof(buf), NOW), "14:05:06");
}

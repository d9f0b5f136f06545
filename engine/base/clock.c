/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t clock_ts_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

int64_t clock_unix_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t clock_wall(uint64_t ts_ns)
{
	return clock_unix_ns() - (int64_t)(clock_ts_ns() - ts_ns);
}

static const struct unit { const char *name; double ns; } units[] = {
	{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}, {"w", 604800e9},
};

static const struct unit *unit_find(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strlen(units[i].name) == n && !memcmp(units[i].name, s, n))
			return &units[i];
	return NULL;
}

int duration_parse(const char *s, int64_t *ns)
{
	double sum = 0;

	if (!*s)
		return -EINVAL;
	while (*s) {
		const struct unit *u;
		const char *end;
		char *at;
		double v;

		if (!isdigit((unsigned char)*s))        /* strtod would take signs, hex, inf and blanks */
			return -EINVAL;
		if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
			return -EINVAL;
		v = strtod(s, &at);
		for (end = at; isalpha((unsigned char)*end); end++)
			;
		u = unit_find(at, (size_t)(end - at));
		if (!u)
			return -EINVAL;
		sum += v * u->ns;
		s = end;
	}
	if (!(sum < 9e18))
		return -EINVAL;
	*ns = (int64_t)llround(sum);
	return 0;
}

char *duration_format(char *buf, size_t cap, int64_t ns)
{
	int64_t s = ns / NS_PER_S;

	if (ns < 1000)
		snprintf(buf, cap, "%" PRId64 "ns", ns);
	else if (ns < NS_PER_MS)
		snprintf(buf, cap, "%gus", (double)(ns / 100) / 10);
	else if (ns < NS_PER_S)
		snprintf(buf, cap, "%gms", (double)(ns / 100000) / 10);
	else if (s < 60)
		snprintf(buf, cap, "%gs", (double)(ns / 100000000) / 10);
	else if (s < 3600)
		snprintf(buf, cap, s % 60 ? "%" PRId64 "m%" PRId64 "s" : "%" PRId64 "m", s / 60, s % 60);
	else if (s < 2 * 86400)
		snprintf(buf, cap, s / 60 % 60 ? "%" PRId64 "h%" PRId64 "m" : "%" PRId64 "h", s / 3600, s / 60 % 60);
	else
		snprintf(buf, cap, s / 3600 % 24 ? "%" PRId64 "d%" PRId64 "h" : "%" PRId64 "d", s / 86400, s / 3600 % 24);
	return buf;
}

/* n digits at *s as a number, moves on; -1 where they are not digits. */
static int digits(const char **s, int n)
{
	int v = 0;

	for (; n; n--, (*s)++) {
		if (!isdigit((unsigned char)**s))
			return -1;
		v = v * 10 + (**s - '0');
	}
	return v;
}

static bool take(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* "14:05" or "14:05:06[.fraction]" into tm and *fraction_ns. */
static int parse_clock(const char **s, struct tm *tm, int64_t *fraction_ns)
{
	int64_t scale = NS_PER_S / 10;

	tm->tm_hour = digits(s, 2);
	if (tm->tm_hour < 0 || tm->tm_hour > 23 || !take(s, ':'))
		return -EINVAL;
	tm->tm_min = digits(s, 2);
	if (tm->tm_min < 0 || tm->tm_min > 59)
		return -EINVAL;
	if (!take(s, ':'))
		return 0;
	tm->tm_sec = digits(s, 2);
	if (tm->tm_sec < 0 || tm->tm_sec > 60)
		return -EINVAL;
	if (!take(s, '.'))
		return 0;
	if (!isdigit((unsigned char)**s))
		return -EINVAL;
	for (; isdigit((unsigned char)**s); (*s)++, scale /= 10)
		*fraction_ns += (**s - '0') * scale;
	return 0;
}

/* "Z" or "+02:00": seconds east of UTC. */
static int parse_zone(const char **s, long *east)
{
	int sign = **s == '-' ? -1 : 1, h, m;

	*east = 0;
	if (take(s, 'Z') || take(s, 'z'))
		return 0;
	if (**s != '+' && **s != '-')
		return -EINVAL;
	(*s)++;
	h = digits(s, 2);
	take(s, ':');
	m = digits(s, 2);
	if (h < 0 || h > 23 || m < 0 || m > 59)
		return -EINVAL;
	*east = sign * (h * 3600L + m * 60L);
	return 0;
}

static int parse_date(const char *s, int64_t *unix_ns)
{
	struct tm tm = {.tm_isdst = -1}, given;
	int64_t fraction = 0;
	long east;
	time_t t;

	tm.tm_year = digits(&s, 4) - 1900;
	if (tm.tm_year < 0 || !take(&s, '-'))
		return -EINVAL;
	tm.tm_mon = digits(&s, 2) - 1;
	if (tm.tm_mon < 0 || tm.tm_mon > 11 || !take(&s, '-'))
		return -EINVAL;
	tm.tm_mday = digits(&s, 2);
	if (tm.tm_mday < 1 || tm.tm_mday > 31)
		return -EINVAL;
	if (*s && !take(&s, ' ') && !take(&s, 'T') && !take(&s, 't'))
		return -EINVAL;
	if (*s && parse_clock(&s, &tm, &fraction))
		return -EINVAL;
	given = tm;
	if (!*s) {
		t = mktime(&tm);
	} else {
		if (parse_zone(&s, &east) || *s)
			return -EINVAL;
		tm.tm_isdst = 0;
		t = timegm(&tm) - east;
	}
	/* February 30 would have become March 2 */
	if (tm.tm_mday != given.tm_mday || tm.tm_mon != given.tm_mon || t < 0 || t > INT64_MAX / NS_PER_S - 1)
		return -EINVAL;
	*unix_ns = (int64_t)t * NS_PER_S + fraction;
	return 0;
}

static int parse_today(const char *s, int64_t now_ns, int64_t *unix_ns)
{
	time_t now = (time_t)(now_ns / NS_PER_S), t;
	int64_t fraction = 0;
	struct tm tm;

	if (!localtime_r(&now, &tm))
		return -EINVAL;
	tm.tm_sec = 0;
	if (parse_clock(&s, &tm, &fraction) || *s)
		return -EINVAL;
	tm.tm_isdst = -1;
	t = mktime(&tm);
	if (t > now) {
		tm.tm_mday--;
		tm.tm_isdst = -1;
		t = mktime(&tm);
	}
	*unix_ns = (int64_t)t * NS_PER_S + fraction;
	return 0;
}

static int parse_epoch(const char *s, int64_t *unix_ns)
{
	int64_t whole = 0, fraction = 0, scale = NS_PER_S / 10;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	for (; isdigit((unsigned char)*s); s++) {
		whole = whole * 10 + (*s - '0');
		if (whole > INT64_MAX / NS_PER_S - 1)
			return -EINVAL;
	}
	if (*s == '.')
		for (s++; isdigit((unsigned char)*s); s++, scale /= 10)
			fraction += (*s - '0') * scale;
	if (*s)
		return -EINVAL;
	*unix_ns = whole * NS_PER_S + fraction;
	return 0;
}

int time_parse(const char *s, int64_t now_ns, int64_t *unix_ns)
{
	int64_t ago;

	if (!strcmp(s, "now")) {
		*unix_ns = now_ns;
		return 0;
	}
	if (*s == '@')
		return parse_epoch(s + 1, unix_ns);
	if (!duration_parse(s, &ago)) {
		*unix_ns = now_ns - ago;
		return 0;
	}
	if (strlen(s) > 4 && s[4] == '-')
		return parse_date(s, unix_ns);
	return parse_today(s, now_ns, unix_ns);
}

char *time_rfc3339(char *buf, size_t cap, int64_t unix_ns)
{
	time_t t = (time_t)(unix_ns / NS_PER_S);
	char date[32];
	struct tm tm;

	if (unix_ns < 0 || !gmtime_r(&t, &tm))
		return strcpy(buf, "?");
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, cap, "%s.%03dZ", date, (int)(unix_ns / NS_PER_MS % 1000));
	return buf;
}

char *time_clock(char *buf, size_t cap, int64_t unix_ns)
{
	time_t t = (time_t)(unix_ns / NS_PER_S);
	struct tm tm;

	if (unix_ns < 0 || !localtime_r(&t, &tm) || !strftime(buf, cap, "%H:%M:%S", &tm))
		snprintf(buf, cap, "?");
	return buf;
}

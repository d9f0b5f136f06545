/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/map_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* With as many decimals as there is room for; ".03" rather than "0.0". */
static char *fit(char buf[MAP_TEXT], double v, const char *unit, int width)
{
	for (int decimals = v >= 100 ? 0 : v >= 10 ? 1 : 2; decimals >= 0; decimals--) {
		int n = snprintf(buf, MAP_TEXT, "%.*f%s", decimals, v, unit);

		if (n > width && buf[0] == '0' && buf[1] == '.')
			memmove(buf, buf + 1, (size_t)n--);
		if (n <= width)
			break;
	}
	return buf;
}

char *map_rate(char buf[MAP_TEXT], double per_s, int width)
{
	static const char *const units[] = {"/s", "k/s", "M/s", "G/s"};
	int unit = 0;

	if (isnan(per_s))
		return strcpy(buf, "-");
	if (per_s > 0 && per_s * 3600 < 0.05)
		return strcpy(buf, "<.1/h");
	if (per_s > 0 && per_s < 0.05)                     /* "2.4/m", "0.2/h" rather than "0.00/s" */
		return per_s * 60 >= 0.05 ? fit(buf, per_s * 60, "/m", width) : fit(buf, per_s * 3600, "/h", width);
	for (; unit < 3 && per_s >= 999.5; unit++)
		per_s /= 1000;
	if (unit && per_s >= 99.5 && width < 6) {          /* "123k/s" has no room: ".1M/s" */
		unit++;
		per_s /= 1000;
	}
	return fit(buf, per_s < 9999 ? per_s : 9999, units[unit < 3 ? unit : 3], width);
}

char *map_time(char buf[MAP_TEXT], double ms, int width)
{
	if (isnan(ms))
		return strcpy(buf, "-");
	if (ms < 0.9995)
		return fit(buf, ms * 1000, "us", width);
	return ms < 999.5 ? fit(buf, ms, "ms", width) : fit(buf, ms < 9999e3 ? ms / 1000 : 9999, "s", width);
}

char *map_ratio(char buf[MAP_TEXT], double ratio)
{
	if (isnan(ratio))
		return strcpy(buf, "-");
	if (ratio < 0.001)
		return strcpy(buf, ratio > 0 ? "<.1%" : "");
	snprintf(buf, MAP_TEXT, ratio < 0.0995 ? "%.1f%%" : "%.0f%%", 100 * ratio);
	return buf;
}

const char *map_words(char buf[MAP_TEXT], const struct map_edge *e)
{
	if (e->trouble || e->spoken)
		return e->trouble;
	if (e->reset || isnan(e->open))
		return e->reset ? "reset" : "-";
	snprintf(buf, MAP_TEXT, "%.0f open", e->open < 99999 ? e->open : 99999);
	return buf;
}

const char *map_errors(char buf[MAP_TEXT], const struct map_edge *e, int width)
{
	if (e->errors > 0)
		return map_ratio(buf, e->error_ratio);
	return e->reset ? (width < 5 ? "rst" : "reset") : "";
}

char *map_cores(char buf[MAP_TEXT], double cores)
{
	snprintf(buf, MAP_TEXT, cores < 9.995 ? "%.2fc" : cores < 99.95 ? "%.1fc" : "%.0fc", cores);
	return buf;
}

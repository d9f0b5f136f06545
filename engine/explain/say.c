/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain/say.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

const char *say_ms(struct study *s, double ms)
{
	if (isnan(ms))
		return "unknown";
	if (ms >= 1e5)
		return study_text(s, "%.0f s", ms / 1000);
	if (ms >= 1000)
		return study_text(s, "%.3g s", ms / 1000);
	return study_text(s, ms >= 10 ? "%.0f ms" : "%.2g ms", ms);
}

const char *say_share(struct study *s, double ratio)
{
	if (isnan(ratio))
		return "unknown";
	return study_text(s, fabs(ratio) < 0.1 ? "%.2g %%" : "%.0f %%", ratio * 100);
}

const char *say_value(struct study *s, double v, const char *unit)
{
	char buf[64];

	if (isnan(v))
		return "unknown";
	if (!unit || !*unit)
		return study_text(s, "%.4g", v);
	if (!strncmp(unit, "bytes", 5))
		return study_text(s, "%s%s", size_format(buf, sizeof(buf), v), unit + 5);
	if (!strcmp(unit, "ms"))
		return say_ms(s, v);
	if (!strcmp(unit, "ratio"))
		return say_share(s, v);
	if (!strcmp(unit, "per_s"))
		return study_text(s, v < 10 ? "%.2g/s" : "%.0f/s", v);
	if (!strcmp(unit, "s/s"))
		return study_text(s, "%s a second", say_ms(s, v * 1e3));
	return study_text(s, v < 1 ? "%.2g %s" : "%.3g %s", v, unit);
}

const char *say_time(struct study *s, int64_t t_ns)
{
	char buf[16];

	return study_text(s, "%s", time_clock(buf, sizeof(buf), t_ns));
}

const char *say_version(struct study *s, const char *version)
{
	return strlen(version) > 12 && strspn(version, "0123456789abcdef") == strlen(version) ?
	       study_text(s, "%.12s", version) : version;
}

const char *say_word(struct study *s, const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@-";
	char buf[512];
	size_t n = 0, i;

	if (*name && strspn(name, plain) == strlen(name))
		return name;
	buf[n++] = '\'';
	for (i = 0; name[i] && n + 6 < sizeof(buf); i++) {
		if (name[i] == '\'') {
			memcpy(buf + n, "'\\''", 4);
			n += 4;
		} else {
			buf[n++] = name[i];
		}
	}
	buf[n++] = '\'';
	buf[n] = '\0';
	return study_text(s, "%s", buf);
}

const char *say_query(struct study *s, const char *what, uint32_t service)
{
	int64_t since = s->blind ? s->sick.since_ns : s->base.since_ns;

	return study_text(s, "rootle %s --service %s --since @%lld --until @%lld", what, say_word(s, study_name(s, service)),
			  (long long)(since / NS_PER_S), (long long)((s->sick.until_ns + NS_PER_S - 1) / NS_PER_S));
}

const char *say_check(struct study *s, const char *what, uint32_t service)
{
	return study_text(s, "rootle %s --service %s --since @%lld", what, say_word(s, study_name(s, service)),
			  (long long)(s->sick.since_ns / NS_PER_S));
}

const char *say_change(struct study *s, const char *before, const char *after, bool known)
{
	return known ? study_text(s, "%s -> %s", before, after) : after;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

/* RFC 3629: shortest form, no surrogates, at most U+10FFFF. */
size_t utf8_decode(const char *s, size_t n, uint32_t *cp)
{
	const unsigned char *p = (const unsigned char *)s;
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len, i;
	uint32_t c;

	if (!n)
		return 0;
	c = p[0];
	if (c < 0x80) {
		*cp = c;
		return 1;
	}
	len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c > 0xf4 || len > n)
		return 0;
	c &= 0x7fu >> len;
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < smallest[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return len;
}

size_t utf8_length(const char *s, size_t n)
{
	uint32_t cp;

	return utf8_decode(s, n, &cp);
}

/*
 * Characters that change how a terminal shows what follows, or that hide: C0, DEL, C1, line separators, bidi controls; and what
 * is no character at all (U+FFFE, U+FFFF: no XML may hold them).
 */
bool utf8_unsafe(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029 || cp == 0x200e || cp == 0x200f ||
	       (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0x061c || cp == 0xfeff || (cp & 0xfffe) == 0xfffe;
}

char *text_clean(char *buf, size_t cap, const char *s, size_t n, bool utf8)
{
	size_t i = 0, at = 0;

	while (i < n) {
		uint32_t cp = 0;
		size_t len = utf8_decode(s + i, n - i, &cp), out;
		const char *from = s + i;

		if (!len || utf8_unsafe(cp) || (!utf8 && cp >= 0x80)) {
			from = utf8 ? "\xef\xbf\xbd" : "?";
			out = utf8 ? 3 : 1;
		} else {
			out = len;
		}
		if (at + out + 1 > cap)
			break;
		memcpy(buf + at, from, out);
		at += out;
		i += len ? len : 1;
	}
	if (cap)
		buf[at] = '\0';
	return buf;
}

size_t text_width(const char *s)
{
	size_t n = strlen(s), i = 0, width = 0;

	while (i < n) {
		uint32_t cp = 0;
		size_t len = utf8_decode(s + i, n - i, &cp);
		int w = len ? wcwidth((wchar_t)cp) : 1;

		width += w >= 0 ? (size_t)w : 1;
		i += len ? len : 1;
	}
	return width;
}

bool text_starts(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool text_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !memcmp(s + n - m, suffix, m);
}

const char *text_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int size_parse(const char *s, int64_t *bytes)
{
	static const char units[] = "KMGT";
	double v, factor = 1;
	const char *u;
	char *end;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	v = strtod(s, &end);
	u = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (u) {
		factor = pow(1024, (double)(u - units + 1));
		end++;
		if (*end == 'i')
			end++;
	}
	if (*end == 'B' || *end == 'b')
		end++;
	if (*end || !(v * factor < 9e18))
		return -EINVAL;
	*bytes = (int64_t)(v * factor);
	return 0;
}

static char *scaled(char *buf, size_t cap, double v, double base, const char *const *units, size_t n)
{
	size_t u = 0;

	if (!isfinite(v)) {
		snprintf(buf, cap, "?");
		return buf;
	}
	while (fabs(v) >= base && u + 1 < n) {
		v /= base;
		u++;
	}
	/* three figures, and no point where there is no unit */
	if (fabs(v) >= 100 || (!u && v == floor(v)))
		snprintf(buf, cap, "%.0f%s", v, units[u]);
	else if (fabs(v) >= 10)
		snprintf(buf, cap, "%.1f%s", v, units[u]);
	else
		snprintf(buf, cap, "%.2f%s", v, units[u]);
	return buf;
}

char *size_format(char *buf, size_t cap, double bytes)
{
	static const char *const units[] = {" B", " KB", " MB", " GB", " TB", " PB"};

	return scaled(buf, cap, bytes, 1024, units, 6);
}

char *count_format(char *buf, size_t cap, double v)
{
	static const char *const units[] = {"", "k", "M", "G", "T"};

	return scaled(buf, cap, v, 1000, units, 5);
}

ssize_t file_read(int dirfd, const char *path, char *buf, size_t cap)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	size_t at = 0;

	if (fd < 0)
		return -errno;
	while (at + 1 < cap) {
		ssize_t n = read(fd, buf + at, cap - 1 - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int err = errno;

			close(fd);
			return -err;
		}
		if (!n)
			break;
		at += (size_t)n;
	}
	close(fd);
	buf[at] = '\0';
	return (ssize_t)at;
}

char *ms_format(char *buf, size_t cap, double ms)
{
	if (isnan(ms))
		snprintf(buf, cap, "-");
	else if (ms < 1)
		snprintf(buf, cap, "%.0f us", ms * 1000);
	else if (ms < 10)
		snprintf(buf, cap, "%.1f ms", ms);
	else if (ms < 1000)
		snprintf(buf, cap, "%.0f ms", ms);
	else if (ms < 100000)
		snprintf(buf, cap, "%.1f s", ms / 1000);
	else
		snprintf(buf, cap, "%.0fm%02.0fs", floor(ms / 60000), floor(fmod(ms / 1000, 60)));
	return buf;
}

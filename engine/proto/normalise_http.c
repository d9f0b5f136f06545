/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/normalise.h"
#include "proto/normalise_out.h"

#include <string.h>

struct shape {                  /* what the characters of a segment are */
	size_t digits, letters, hex, upper, other, dashes;
	bool odd;               /* a character that no name has */
};

static struct shape shape_of(const char *s, size_t n)
{
	struct shape h = {0};

	for (size_t i = 0; i < n; i++) {
		char c = s[i], l = (char)(c | 0x20);

		if (c >= '0' && c <= '9')
			h.digits++, h.hex++;
		else if (l >= 'a' && l <= 'z')
			h.letters++, h.hex += l <= 'f', h.upper += c != l;
		else if (c == '-' || c == '_')
			h.dashes++;
		else
			h.other++, h.odd |= (uint8_t)c <= ' ' || (uint8_t)c >= 0x7f || strchr("%@+=,:!*'()$&|~", c) != NULL;
	}
	return h;
}

/*
 * Is this a value and not a name? Numbers and dates, UUIDs and hashes (hexadecimal with a digit), tokens (long, with
 * digits or with capitals inside), anything with four digits or with characters that names do not have.
 */
static bool is_value(const char *s, size_t n)
{
	struct shape h = shape_of(s, n);

	if (!n)
		return false;
	if (h.odd || n > 64)
		return true;
	if (h.digits && !h.letters)
		return true;
	if (h.digits >= 4)
		return true;
	if (n >= 8 && h.hex + h.dashes == n && (h.digits || n >= 16))
		return true;
	return n >= 20 && !h.dashes && (h.digits || h.upper > 3 || n > 32);
}

/* "name.ext": the extension, its point included, or 0. */
static size_t extension(const char *s, size_t n)
{
	for (size_t k = 1; k < n && k <= 6; k++) {
		char c = s[n - k], l = (char)(c | 0x20);

		if (c == '.')
			return k > 1 ? k : 0;
		if ((l < 'a' || l > 'z') && (k > 1 ? (c < '0' || c > '9') : (c < '0' || c > '9')))
			return 0;
	}
	return 0;
}

static bool has_letter(const char *s, size_t n)
{
	return shape_of(s, n).letters > 0;
}

static void put_segment(struct out *o, const char *s, size_t n)
{
	const char *semicolon = memchr(s, ';', n);
	size_t ext;

	if (semicolon)
		n = (size_t)(semicolon - s);
	ext = extension(s, n);
	if (ext && !has_letter(s + n - ext, ext))
		ext = 0;
	if (ext && is_value(s, n - ext)) {
		out_text(o, "{id}", 4);
		out_text(o, s + n - ext, ext);
	} else if (!ext && is_value(s, n)) {
		out_text(o, "{id}", 4);
	} else {
		out_text(o, s, n);
	}
}

/* "http://host/path": the path, as proxies are asked for it. */
static const char *skip_origin(const char *t, size_t *n)
{
	const char *p, *end = t + *n;

	if (!*n || *t == '/' || !(p = memmem(t, *n, "://", 3)))
		return t;
	p += 3;
	while (p < end && *p != '/' && *p != '?' && *p != '#')
		p++;
	*n = (size_t)(end - p);
	return p;
}

size_t normalise_http(char *out, size_t cap, const char *method, size_t mn, const char *target, size_t tn)
{
	struct out o = {.p = out, .cap = cap};
	size_t i = 0, k;

	out_text(&o, method, mn < 32 ? mn : 32);
	out_char(&o, ' ');
	if (mn == 7 && !memcmp(method, "CONNECT", 7)) {
		out_text(&o, target, tn);
		return out_end(&o);
	}
	target = skip_origin(target, &tn);
	for (k = 0; k < tn && target[k] != '?' && target[k] != '#'; k++)
		;
	tn = k;
	if (!tn)
		out_char(&o, '/');
	while (i < tn) {
		if (target[i] == '/') {
			out_char(&o, '/');
			i++;
			continue;
		}
		for (k = i; k < tn && target[k] != '/'; k++)
			;
		if (tn == 1 && *target == '*')
			out_char(&o, '*');
		else
			put_segment(&o, target + i, k - i);
		i = k;
	}
	return out_end(&o);
}

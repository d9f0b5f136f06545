/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/normalise.h"
#include "proto/normalise_value.h"

#include <string.h>

/* "name.ext": the extension, its point included, or 0. It begins with a letter, so that no number is one. */
static size_t extension(const char *s, size_t n)
{
	for (size_t k = 1; k < n && k <= 6; k++) {
		char c = s[n - k], l = (char)(c | 0x20);

		if (c == '.')
			return k > 1 && (s[n - k + 1] | 0x20) >= 'a' ? k : 0;
		if ((l < 'a' || l > 'z') && (c < '0' || c > '9'))
			return 0;
	}
	return 0;
}

/* Services that are asked for an entity by a key: "Orders(17)", "Orders('A')". */
static bool put_call(struct out *o, const char *s, size_t n)
{
	const char *open = memchr(s, '(', n);

	if (!open || open == s || s[n - 1] != ')')
		return false;
	out_name(o, s, (size_t)(open - s), false);
	out_text(o, "({id})", 6);
	return true;
}

static void put_segment(struct out *o, const char *s, size_t n)
{
	const char *semicolon = memchr(s, ';', n);
	size_t ext;

	if (semicolon)
		n = (size_t)(semicolon - s);
	if (!n || put_call(o, s, n))
		return;
	ext = extension(s, n);
	out_name(o, s, n - ext, false);
	out_text(o, s + n - ext, ext);
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

size_t normalise_http(char *out, size_t cap, const char *method, size_t mn, const char *target, size_t tn, bool raw)
{
	struct out o = {.p = out, .cap = cap};
	size_t i = 0, k;

	out_text(&o, method, mn < 32 ? mn : 32);
	out_char(&o, ' ');
	if (raw || (mn == 7 && !memcmp(method, "CONNECT", 7))) {
		out_flat(&o, target, tn);
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

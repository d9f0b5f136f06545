/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/normalise_value.h"

#include <string.h>

#define LONGEST_WORD 48         /* nobody gives a longer one by hand */

#define UUID 36

struct shape {                  /* what the characters of a text are */
	size_t digits, letters, hex, upper, separators;
	size_t changes;         /* neighbours of different kinds: small letter, capital, digit */
	bool inner_digit;       /* one with a letter behind it */
	bool odd;               /* a character that no name has */
};

enum kind { OTHER = 0, DIGIT, LOWER, UPPER };

static enum kind kind_of(char c)
{
	if (c >= '0' && c <= '9')
		return DIGIT;
	if (c >= 'a' && c <= 'z')
		return LOWER;
	return c >= 'A' && c <= 'Z' ? UPPER : OTHER;
}

static bool is_separator(char c)
{
	return c == '.' || c == ':' || c == '-' || c == '_';
}

static struct shape shape_of(const char *s, size_t n)
{
	struct shape h = {0};
	enum kind last = OTHER;

	for (size_t i = 0; i < n; i++) {
		enum kind k = kind_of(s[i]);
		char l = (char)(s[i] | 0x20);

		h.digits += k == DIGIT;
		h.letters += k >= LOWER;
		h.upper += k == UPPER;
		h.hex += k == DIGIT || (k >= LOWER && l <= 'f');
		h.separators += is_separator(s[i]);
		h.changes += k != last && k && last;
		h.inner_digit |= last == DIGIT && k >= LOWER;
		h.odd |= (uint8_t)s[i] <= ' ' || (uint8_t)s[i] >= 0x7f || strchr("%@+=,!*'()&|~;\"<>[]{}\\^`?#/", s[i]) != NULL;
		last = k;
	}
	return h;
}

/* Letters of both kinds and digits without the order that words have: base64, base62. */
static bool is_token(const struct shape *h, size_t n)
{
	size_t lower = h->letters - h->upper;

	if (!h->digits)
		return n >= 20 && lower && h->upper * 3 > n;
	if (h->upper && lower)
		return n >= 8 && h->inner_digit && h->changes * 20 >= n * 9;
	return n >= 20 && h->changes * 10 >= n * 3;
}

static bool begins_with_name(const char *s, size_t n)
{
	size_t k = 0;

	while (k < n && s[k] >= 'a' && s[k] <= 'z')
		k++;
	return k > 1 && k < n && is_separator(s[k]);
}

/* A whole text that is one value, separators and all: a number, a date, a UUID, a token, a title. */
static bool is_one_value(const struct shape *h, const char *s, size_t n)
{
	if (h->odd)
		return true;
	if (h->digits && !h->letters)
		return true;
	if (n >= 8 && h->hex + h->separators == n && (h->digits || n >= 16))
		return true;
	/* base64 for URLs has - and _ in it; "cus_NffrFeUfNV2Hib" begins with a name */
	return n >= 16 && h->separators * 6 <= n && h->upper && is_token(h, n) && !begins_with_name(s, n);
}

/* Five words and thirty characters: what somebody wrote about, not what a programmer called it. */
static bool is_title(const struct shape *h, const char *s, size_t n)
{
	size_t words = 1;

	for (size_t i = 0; i < n; i++)
		words += s[i] == '-';
	return words > 4 && n >= 30 && h->digits * 4 < n;
}

/* A word between separators. */
static bool is_value(const char *s, size_t n, bool short_numbers)
{
	struct shape h = shape_of(s, n);

	if (!n || (short_numbers && h.digits == n && n <= 2))
		return false;
	if (h.odd || (h.digits && !h.letters) || h.digits >= 4 || n > LONGEST_WORD)
		return true;
	if (n >= 8 && h.hex == n && (h.digits || n >= 16))
		return true;
	if (n >= 6 && s[0] == '0' && (s[1] | 0x20) == 'x' && h.hex + 1 == n)
		return true;
	return is_token(&h, n);
}

static bool is_hex(char c)
{
	return kind_of(c) == DIGIT || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* 8-4-4-4-12 hexadecimal digits, nothing like it behind them. */
static bool is_uuid(const char *s, size_t n)
{
	if (n < UUID || (n > UUID && kind_of(s[UUID])))
		return false;
	for (size_t i = 0; i < UUID; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? s[i] != '-' : !is_hex(s[i]))
			return false;
	return true;
}

void out_name(struct out *o, const char *s, size_t n, bool short_numbers)
{
	struct shape whole = shape_of(s, n);
	bool value = false;
	size_t i = 0, k;

	if (n && !(short_numbers && n <= 2) && (is_one_value(&whole, s, n) || is_title(&whole, s, n))) {
		out_text(o, "{id}", 4);
		return;
	}
	while (i < n) {
		size_t begin = i;

		while (i < n && is_separator(s[i]))
			i++;
		for (k = is_uuid(s + i, n - i) ? i + UUID : i; k < n && !is_separator(s[k]); k++)
			;
		/* behind a number the short ones belong to it: a date, a version */
		if (!is_value(s + i, k - i, short_numbers && !value)) {
			out_text(o, s + begin, k - begin);
			value = false;
		} else if (!value) {
			out_text(o, s + begin, i - begin);
			out_text(o, "{id}", 4);
			value = true;
		}
		i = k;
	}
}

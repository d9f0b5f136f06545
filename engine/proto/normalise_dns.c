/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/normalise.h"
#include "proto/normalise_out.h"

#include <stdio.h>
#include <string.h>

/* "ip-10-0-0-7": numbers between dashes are an address; a single one is the number of a replica, which people name. */
static size_t numbers_in(const uint8_t *s, size_t n)
{
	size_t found = 0;

	for (size_t i = 0, from = 0; i <= n; i++) {
		if (i < n && s[i] >= '0' && s[i] <= '9')
			continue;
		if (i == n || s[i] == '-') {
			found += i > from;
			from = i + 1;
		} else {
			while (i < n && s[i] != '-')
				i++;
			from = i + 1;
		}
	}
	return found;
}

/* Is a label a value and not a name: numbers, hexadecimal with a digit, long with digits, an address in words. */
static bool is_value(const uint8_t *s, size_t n)
{
	size_t digits = 0, hex = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = s[i], l = c | 0x20;

		digits += c >= '0' && c <= '9';
		hex += (c >= '0' && c <= '9') || (l >= 'a' && l <= 'f') || c == '-';
	}
	if (digits == n || numbers_in(s, n) >= 3)
		return true;
	if (!digits)
		return n > 40;
	return (n >= 8 && hex == n) || n >= 24 || digits >= 6;
}

static bool is_arpa(const uint8_t *name, size_t n)
{
	return n > 6 && !memcmp(name + n - 6, "\4arpa", 6);
}

static void put_label(struct out *o, const uint8_t *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = s[i];

		out_char(o, (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c <= ' ' || c >= 0x7f || c == '.' ? '?' : c));
	}
}

/* The labels; a run of values is one {id}. In a zone of addresses a nibble is one letter. */
static void put_name(struct out *o, const uint8_t *name, size_t n, bool raw)
{
	bool value = false, arpa = is_arpa(name, n), first = true;

	for (size_t i = 0; i < n && name[i] && i + 1 + name[i] <= n; i += name[i] + 1u) {
		bool is = !raw && (is_value(name + i + 1, name[i]) || (arpa && name[i] == 1));

		if (is && value)
			continue;
		if (!first)
			out_char(o, '.');
		if (is)
			out_text(o, "{id}", 4);
		else
			put_label(o, name + i + 1, name[i]);
		value = is;
		first = false;
	}
	if (first)
		out_char(o, '.');
}

size_t normalise_dns(char *out, size_t cap, const char *verb, unsigned type, const uint8_t *name, size_t n, bool raw)
{
	struct out o = {.p = out, .cap = cap};
	char number[16];

	if (!verb) {
		snprintf(number, sizeof(number), "TYPE%u", type);
		verb = number;
	}
	out_text(&o, verb, strlen(verb));
	out_char(&o, ' ');
	put_name(&o, name, n, raw);
	return out_end(&o);
}

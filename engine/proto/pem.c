/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RFC 7468 as it is written by programs of 30 years: lines of any length, CR LF, text before and between the blocks; "X509
 * CERTIFICATE" and "TRUSTED CERTIFICATE" (OpenSSL's, with a trailer behind the certificate) are certificates too.
 */
#include "proto/pem.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define BEGIN "-----BEGIN "

static const char *const labels[] = {"CERTIFICATE-----", "X509 CERTIFICATE-----", "TRUSTED CERTIFICATE-----"};

/* Behind the label of a certificate's first line; NULL: p is no such line. */
static const char *behind_label(const char *p, size_t n)
{
	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
		size_t len = strlen(labels[i]);

		if (n >= len && !memcmp(p, labels[i], len))
			return p + len;
	}
	return NULL;
}

/* 0..63; -1: not of the alphabet. */
static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Up to the line that ends the block, or the end of the text. */
static ssize_t decode(const char *p, const char *end, uint8_t *der, size_t cap)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	for (; p < end && *p != '-' && *p != '='; p++) {
		int d = digit(*p);

		if (*p == '\n' || *p == '\r' || *p == ' ' || *p == '\t')
			continue;
		if (d < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)d;
		have += 6;
		if (have < 8)
			continue;
		if (n == cap)
			return -ENOSPC;
		have -= 8;
		der[n++] = (uint8_t)(bits >> have);
	}
	return n ? (ssize_t)n : -EINVAL;
}

ssize_t pem_certificate(const char *text, size_t n, uint8_t *der, size_t cap)
{
	const char *end = text + n, *p = text;

	while (p < end && (p = memmem(p, (size_t)(end - p), BEGIN, sizeof(BEGIN) - 1))) {
		const char *body;

		p += sizeof(BEGIN) - 1;
		body = behind_label(p, (size_t)(end - p));
		if (body)
			return decode(body, end, der, cap);
	}
	return -ENOENT;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates in files, and whom they are for. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "certificates.h"
#include "proto/pem.h"
#include "proto/x509.h"

static const char names[] = PEM_NAMES;
static uint8_t der[4096];

/* On an exact-size copy, so that a byte read behind it is seen. */
static ssize_t decode(const char *text, size_t n, size_t cap)
{
	char *exact = calloc(1, n ? n : 1);     /* GCC does not see that n bytes are copied */
	ssize_t r;

	memcpy(exact, text, n);
	r = pem_certificate(exact, n, der, cap);
	free(exact);
	return r;
}

static void is_names(const char *text)
{
	struct x509_leaf leaf;
	ssize_t n = decode(text, strlen(text), sizeof(der));

	cr_assert_gt(n, 0, "%.40s", text);
	cr_assert_eq(x509_leaf_parse(der, (size_t)n, &leaf), 0);
	cr_assert_str_eq(leaf.subject, "plain.test");
	cr_assert_eq(leaf.not_after_s, PEM_NAMES_UNTIL);
}

Test(pem, the_first_certificate)
{
	is_names(names);
	is_names("Bag Attributes\n  friendlyName: x\n" PEM_NAMES PEM_ONLY);
	is_names("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n" PEM_NAMES);
}

Test(pem, lines_as_they_come)
{
	char text[2 * sizeof(names)], *to = text;

	for (const char *p = names; *p; p++) {
		if (*p == '\n')
			*to++ = '\r';
		*to++ = *p;
	}
	*to = '\0';
	is_names(text);
	/* one line of base64 */
	to = text;
	for (const char *p = names; *p; p++)
		if (*p != '\n')
			*to++ = *p;
	*to = '\0';
	is_names(text);
}

Test(pem, what_is_none)
{
	cr_assert_eq(decode("", 0, sizeof(der)), -ENOENT);
	cr_assert_eq(decode("-----BEGIN ", 11, sizeof(der)), -ENOENT);
	cr_assert_eq(decode("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n", 41, sizeof(der)), -ENOENT);
	cr_assert_eq(decode("-----BEGIN CERTIFICATE-----\nA!AA\n", 33, sizeof(der)), -EINVAL);
	cr_assert_eq(decode("-----BEGIN CERTIFICATE-----", 27, sizeof(der)), -EINVAL, "nothing in it");
	cr_assert_eq(decode("-----BEGIN CERTIFICATE-----\nAA", 30, sizeof(der)), 1);
	cr_assert_eq(decode(names, sizeof(names) - 1, 16), -ENOSPC);
}

Test(pem, every_prefix_and_every_broken_byte)
{
	char broken[sizeof(names)];
	struct x509_leaf leaf;

	for (size_t n = 0; n < sizeof(names); n++) {
		ssize_t r = decode(names, n, sizeof(der));

		if (r > 0 && x509_leaf_parse(der, (size_t)r, &leaf) == 0)
			cr_assert_eq(leaf.not_after_s, PEM_NAMES_UNTIL);
	}
	for (size_t i = 0; i < (sizeof(names) - 1) * 8; i++) {
		ssize_t r;

		memcpy(broken, names, sizeof(names));
		broken[i / 8] ^= (char)(1u << i % 8);
		r = decode(broken, sizeof(names) - 1, sizeof(der));
		if (r > 0) {
			uint8_t *exact = malloc((size_t)r);

			memcpy(exact, der, (size_t)r);
			x509_leaf_parse(exact, (size_t)r, &leaf);
			x509_is_for(exact, (size_t)r, "shop.test", (const uint8_t[16]){0});
			free(exact);
		}
	}
}

static int is_for(const char *text, const char *host, const uint8_t ip[16])
{
	ssize_t n = pem_certificate(text, strlen(text), der, sizeof(der));

	cr_assert_gt(n, 0);
	return x509_is_for(der, (size_t)n, host, ip);
}

Test(x509, whom_it_is_for)
{
	static const uint8_t nobody[16] = {0}, near[16] = {[10] = 0xff, 0xff, 127, 0, 0, 1}, far[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1},
			     near6[16] = {[15] = 1};
	static const struct { const char *host; int is; } hosts[] = {
		{"shop.test", 2}, {"SHOP.test", 2}, {"www.shop.test", 1}, {"a.www.shop.test", 0}, {".shop.test", 1}, {"xshop.test", 0},
		{"shop.tes", 0}, {"test", 0}, {"plain.test", 0}, {"*.shop.test", 1}, {"127.0.0.1", 0},
	};

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		cr_assert_eq(is_for(PEM_NAMES, hosts[i].host, near), hosts[i].is, "%s", hosts[i].host);
	cr_assert_eq(is_for(PEM_NAMES, "", near), 2);
	cr_assert_eq(is_for(PEM_NAMES, "", near6), 2);
	cr_assert_eq(is_for(PEM_NAMES, "", far), 0);
	cr_assert_eq(is_for(PEM_NAMES, "", nobody), 0);
	cr_assert_eq(is_for(PEM_ONLY, "only.test", nobody), 2, "the common name where there is no other");
	cr_assert_eq(is_for(PEM_ONLY, "shop.test", nobody), 0);
	cr_assert_eq(is_for(PEM_ONLY, "", nobody), 0);
}

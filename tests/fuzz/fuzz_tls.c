/* SPDX-License-Identifier: BSD-2-Clause */
/* Conversations whole and in random splits, and any bytes as a certificate. What comes out may be shown and stored. */
#include "oracle.h"

#include "base/text.h"
#include "proto/pem.h"
#include "proto/tls.h"

static void check_text(const char *s, size_t cap)
{
	size_t n = strnlen(s, cap), k;

	if (n == cap)
		abort();
	for (size_t i = 0; i < n; i += k) {
		k = utf8_length(s + i, n - i);
		if (!k || (unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			abort();
	}
}

static void check(const uint8_t *p, size_t n)
{
	struct tls_handshake h = {0};

	tls_client_hello(p, n, &h);
	tls_server_hello(p, n, &h);
	tls_certificate(p, n, &h);
	check_text(h.sni, sizeof(h.sni));
	check_text(h.alpn, sizeof(h.alpn));
	check_text(h.cert.subject, sizeof(h.cert.subject));
}

/* The same bytes as a file that has a certificate in it. */
static void check_file(const uint8_t *p, size_t n)
{
	static const uint8_t ip[16] = {[15] = 1};
	uint8_t der[512];
	ssize_t r = pem_certificate((const char *)p, n, der, sizeof(der));

	if (r > (ssize_t)sizeof(der) || !r)
		abort();
	if (r > 0)
		x509_is_for(der, (size_t)r, "shop.test", ip);
	if (x509_is_for(p, n, "shop.test", ip) > 2)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct x509_leaf leaf;

	oracle_check(data, size, 443);
	check(data, size);
	check_file(data, size);
	if (!x509_leaf_parse(data, size, &leaf))
		check_text(leaf.subject, sizeof(leaf.subject));
	return 0;
}

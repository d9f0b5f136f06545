/* SPDX-License-Identifier: BSD-2-Clause */
/* The bodies of those handshake messages that say something, and the words for it. */
#include <string.h>

#include "proto/tls.h"

#define TLS_1_3 0x0304

enum { EXT_SERVER_NAME = 0, EXT_ALPN = 16, EXT_SUPPORTED_VERSIONS = 43 };

/* Bytes still to read. Taking more than there is empties it, and gives nothing. */
struct bytes { const uint8_t *p; size_t n; };

static struct bytes take(struct bytes *b, size_t n)
{
	struct bytes r = {b->p, n <= b->n ? n : 0};

	if (n > b->n)
		n = b->n;
	if (n)                          /* p is NULL where there is nothing at all */
		b->p += n;
	b->n -= n;
	return r;
}

/* A number of `size` bytes, big endian; 0 where it is not there. */
static size_t number(struct bytes *b, size_t size)
{
	struct bytes r = take(b, size);
	size_t v = 0;

	for (size_t i = 0; i < r.n; i++)
		v = v << 8 | r.p[i];
	return v;
}

/* A vector with a length of `size` bytes, as far as it is there. */
static struct bytes vector(struct bytes *b, size_t size)
{
	size_t n = number(b, size);

	return take(b, n < b->n ? n : b->n);
}

/* A name as it may be shown and stored: host names and protocol ids are letters, digits and a few signs. */
static void name_copy(char *to, size_t cap, struct bytes from)
{
	size_t n = from.n < cap - 1 ? from.n : cap - 1;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = from.p[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		to[i] = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-._:/+", c)) ? (char)c : '?';
	}
	to[n] = '\0';
}

/* GREASE (RFC 8701): numbers that mean nothing. */
static bool is_grease(size_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static void offered_take(struct bytes versions, struct tls_handshake *h)
{
	while (versions.n >= 2) {
		size_t v = number(&versions, 2);

		if (!is_grease(v) && v > h->offered && v < 0x0400)
			h->offered = (uint16_t)v;
	}
}

/* ServerNameList: entries of a type (0: host_name) and a vector. */
static void sni_take(struct bytes ext, struct tls_handshake *h)
{
	struct bytes list = vector(&ext, 2);

	if (number(&list, 1) == 0)
		name_copy(h->sni, sizeof(h->sni), vector(&list, 2));
}

static void alpn_take(struct bytes ext, struct tls_handshake *h)
{
	struct bytes list = vector(&ext, 2), first = vector(&list, 1);

	if (first.n >= 2 && is_grease((size_t)first.p[0] << 8 | first.p[1]))
		first = vector(&list, 1);
	name_copy(h->alpn, sizeof(h->alpn), first);
}

static void client_extension(size_t type, struct bytes ext, struct tls_handshake *h)
{
	if (type == EXT_SERVER_NAME)
		sni_take(ext, h);
	else if (type == EXT_ALPN)
		alpn_take(ext, h);
	else if (type == EXT_SUPPORTED_VERSIONS)
		offered_take(vector(&ext, 1), h);
}

void tls_client_hello(const uint8_t *p, size_t n, struct tls_handshake *h)
{
	struct bytes b = {p, n}, exts;

	h->offered = (uint16_t)number(&b, 2);
	take(&b, 32);
	vector(&b, 1);             /* session id */
	vector(&b, 2);             /* cipher suites */
	vector(&b, 1);             /* compression */
	exts = vector(&b, 2);
	while (exts.n >= 4) {
		size_t type = number(&exts, 2);

		client_extension(type, vector(&exts, 2), h);
	}
}

/* RFC 8446, 4.1.3: SHA-256 of "HelloRetryRequest" in the place of the random. */
static const uint8_t retry_random[32] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

bool tls_server_hello(const uint8_t *p, size_t n, struct tls_handshake *h)
{
	struct bytes b = {p, n}, random, exts;
	uint16_t version = (uint16_t)number(&b, 2);

	random = take(&b, 32);
	if (random.n == 32 && !memcmp(random.p, retry_random, 32)) {
		h->retried = true;
		return true;
	}
	vector(&b, 1);             /* session id */
	take(&b, 3);               /* cipher suite, compression */
	exts = vector(&b, 2);
	while (exts.n >= 4) {
		size_t type = number(&exts, 2);
		struct bytes ext = vector(&exts, 2);

		if (type == EXT_ALPN)
			alpn_take(ext, h);
		else if (type == EXT_SUPPORTED_VERSIONS && ext.n == 2)
			version = (uint16_t)number(&ext, 2);
	}
	h->version = version;
	return false;
}

void tls_certificate(const uint8_t *p, size_t n, struct tls_handshake *h)
{
	struct bytes b = {p, n}, list = vector(&b, 3), leaf = vector(&list, 3);

	x509_leaf_parse(leaf.p, leaf.n, &h->cert);
}

const char *tls_version_name(uint16_t version)
{
	switch (version) {
	case 0x0300: return "ssl3";
	case 0x0301: return "1.0";
	case 0x0302: return "1.1";
	case 0x0303: return "1.2";
	case TLS_1_3: return "1.3";
	}
	return NULL;
}

static const char *const alert_name[] = {
	[0] = "close_notify",
	[10] = "unexpected_message",
	[20] = "bad_record_mac",
	[21] = "decryption_failed",
	[22] = "record_overflow",
	[30] = "decompression_failure",
	[40] = "handshake_failure",
	[41] = "no_certificate",
	[42] = "bad_certificate",
	[43] = "unsupported_certificate",
	[44] = "certificate_revoked",
	[45] = "certificate_expired",
	[46] = "certificate_unknown",
	[47] = "illegal_parameter",
	[48] = "unknown_ca",
	[49] = "access_denied",
	[50] = "decode_error",
	[51] = "decrypt_error",
	[60] = "export_restriction",
	[70] = "protocol_version",
	[71] = "insufficient_security",
	[80] = "internal_error",
	[86] = "inappropriate_fallback",
	[90] = "user_canceled",
	[100] = "no_renegotiation",
	[109] = "missing_extension",
	[110] = "unsupported_extension",
	[111] = "certificate_unobtainable",
	[112] = "unrecognized_name",
	[113] = "bad_certificate_status_response",
	[114] = "bad_certificate_hash_value",
	[115] = "unknown_psk_identity",
	[116] = "certificate_required",
	[120] = "no_application_protocol",
};

const char *tls_result_name(const struct tls_handshake *h)
{
	switch ((enum tls_outcome)h->outcome) {
	case TLS_OK: return "ok";
	case TLS_UNSEEN: return "unseen";
	case TLS_CUT_SHORT: return "cut_short";
	case TLS_NOT_TLS: return "not_tls";
	case TLS_ALERT_HIDDEN: return "alert";
	case TLS_ALERT: break;
	}
	return h->alert < sizeof(alert_name) / sizeof(*alert_name) && alert_name[h->alert] ? alert_name[h->alert] : "alert";
}

const char *tls_by_name(uint8_t by)
{
	return by == TLS_BY_CLIENT ? "client" : by == TLS_BY_SERVER ? "server" : NULL;
}

bool tls_failed(const struct tls_handshake *h)
{
	return h->outcome != TLS_OK && h->outcome != TLS_UNSEEN;
}

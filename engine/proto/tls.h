/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls: what a handshake tells to somebody who only watches the packets (RFC 8446, 5246, 6066, 7301).
 *
 * Up to TLS 1.2 that is much: versions, names, the server's certificate, alerts.  In 1.3 everything behind ServerHello is
 * encrypted, so that only the sizes of records tell: an alert is 19 bytes (2, the type, a tag of 16), a Finished is more.
 */
#ifndef ROOTLE_PROTO_TLS_H
#define ROOTLE_PROTO_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/x509.h"

enum tls_outcome {
	TLS_OK = 0,
	TLS_UNSEEN,        /* bytes were missing */
	TLS_CUT_SHORT,     /* the connection ended before the handshake did, without an alert */
	TLS_ALERT,         /* `alert` says which */
	TLS_ALERT_HIDDEN,  /* encrypted: that it was one is all that is known */
	TLS_NOT_TLS,       /* the server answered with something else */
};

enum tls_by { TLS_BY_NOBODY = 0, TLS_BY_CLIENT, TLS_BY_SERVER };

struct tls_handshake {
	uint16_t version;          /* negotiated, as on the wire (0x0303: 1.2); 0: the server did not say */
	uint16_t offered;          /* the highest that the client offered; 0: not known */
	uint8_t outcome;           /* enum tls_outcome */
	uint8_t alert;             /* AlertDescription, for TLS_ALERT */
	uint8_t by;                /* enum tls_by: who sent the alert or what is not TLS */
	bool retried;              /* the server asked for another key share (HelloRetryRequest) */
	char sni[256];             /* host that the client asked for, in lower case; "": none */
	char alpn[32];             /* protocol: the one chosen, as far as that is visible, else the client's first; "": none */
	struct x509_leaf cert;     /* the server's; not_after_s 0: not seen */
	uint64_t begin_ns, end_ns;
};

/* "1.3", "1.2" …; NULL: not known. */
const char *tls_version_name(uint16_t version);
/* The word for how a handshake ended, as it is stored: "ok", "unseen", "cut_short", "alert", "not_tls", or the name of the
 * alert: "certificate_expired" (RFC 8446, 6). Static. */
const char *tls_result_name(const struct tls_handshake *h);
/* "client", "server", NULL */
const char *tls_by_name(uint8_t by);
/* Neither TLS_OK nor TLS_UNSEEN. */
bool tls_failed(const struct tls_handshake *h);

/* The bodies of handshake messages, or the first n bytes of them; what is not there stays unset. */
void tls_client_hello(const uint8_t *p, size_t n, struct tls_handshake *h);
/* True: a HelloRetryRequest; the version is then not set. */
bool tls_server_hello(const uint8_t *p, size_t n, struct tls_handshake *h);
/* Of TLS up to 1.2. */
void tls_certificate(const uint8_t *p, size_t n, struct tls_handshake *h);

#endif

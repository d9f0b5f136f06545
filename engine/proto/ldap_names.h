/* SPDX-License-Identifier: BSD-2-Clause */
/* ldap_names: results and extended operations of LDAP by name (RFC 4511, 4.1.9, and IANA's registries). */
#ifndef ROOTLE_PROTO_LDAP_NAMES_H
#define ROOTLE_PROTO_LDAP_NAMES_H

#include "proto/proto.h"

/* Never NULL. */
const char *ldap_result_name(int code);
enum req_error ldap_result_error(int code);
/* "STARTTLS" for its OID; "EXTENDED" for those that are not known. */
const char *ldap_extended_name(const uint8_t *oid, size_t n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* dns_names: the numbers of DNS by their names (IANA, Domain Name System Parameters). */
#ifndef ROOTLE_PROTO_DNS_NAMES_H
#define ROOTLE_PROTO_DNS_NAMES_H

#include "proto/proto.h"

/* "A" "AAAA" "SRV" …; NULL for one that nobody asks for. */
const char *dns_type_name(uint16_t type);
/* "NXDOMAIN" …; never NULL. */
const char *dns_status_name(int status);
/* Whose fault a status is: NXDOMAIN is an answer, FORMERR the client's, SERVFAIL and REFUSED the server's. */
enum req_error dns_status_error(int status);

#endif

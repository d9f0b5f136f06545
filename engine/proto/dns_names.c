/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/dns_names.h"

static const struct { uint16_t type; const char *name; } types[] = {
	{1, "A"}, {28, "AAAA"}, {5, "CNAME"}, {12, "PTR"}, {33, "SRV"}, {15, "MX"}, {16, "TXT"}, {6, "SOA"}, {2, "NS"},
	{65, "HTTPS"}, {64, "SVCB"}, {255, "ANY"}, {257, "CAA"}, {35, "NAPTR"}, {48, "DNSKEY"}, {43, "DS"}, {46, "RRSIG"},
	{47, "NSEC"}, {50, "NSEC3"}, {51, "NSEC3PARAM"}, {52, "TLSA"}, {44, "SSHFP"}, {99, "SPF"}, {29, "LOC"}, {13, "HINFO"},
	{39, "DNAME"}, {59, "CDS"}, {60, "CDNSKEY"}, {61, "OPENPGPKEY"}, {53, "SMIMEA"}, {256, "URI"}, {249, "TKEY"},
	{37, "CERT"}, {42, "APL"}, {45, "IPSECKEY"}, {55, "HIP"}, {62, "CSYNC"}, {63, "ZONEMD"}, {17, "RP"}, {18, "AFSDB"},
	{250, "TSIG"}, {251, "IXFR"}, {252, "AXFR"},
};

static const struct { int status; const char *name; enum req_error error; } statuses[] = {
	{0, "NOERROR", REQ_OK}, {1, "FORMERR", REQ_CLIENT_ERROR}, {2, "SERVFAIL", REQ_SERVER_ERROR}, {3, "NXDOMAIN", REQ_OK},
	{4, "NOTIMP", REQ_SERVER_ERROR}, {5, "REFUSED", REQ_SERVER_ERROR}, {6, "YXDOMAIN", REQ_CLIENT_ERROR},
	{7, "YXRRSET", REQ_CLIENT_ERROR}, {8, "NXRRSET", REQ_CLIENT_ERROR}, {9, "NOTAUTH", REQ_SERVER_ERROR},
	{10, "NOTZONE", REQ_CLIENT_ERROR}, {16, "BADVERS", REQ_CLIENT_ERROR}, {23, "BADCOOKIE", REQ_CLIENT_ERROR},
};

const char *dns_type_name(uint16_t type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type)
			return types[i].name;
	return NULL;
}

const char *dns_status_name(int status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == status)
			return statuses[i].name;
	return "RCODE";
}

enum req_error dns_status_error(int status)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == status)
			return statuses[i].error;
	return REQ_SERVER_ERROR;
}

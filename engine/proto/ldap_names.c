/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/ldap_names.h"

#include <string.h>

static const struct { int code; const char *name; enum req_error error; } results[] = {
	{0, "SUCCESS", REQ_OK}, {1, "OPERATIONS_ERROR", REQ_SERVER_ERROR}, {2, "PROTOCOL_ERROR", REQ_CLIENT_ERROR},
	{3, "TIME_LIMIT", REQ_SERVER_ERROR}, {4, "SIZE_LIMIT", REQ_OK}, {5, "COMPARE_FALSE", REQ_OK}, {6, "COMPARE_TRUE", REQ_OK},
	{7, "AUTH_METHOD", REQ_CLIENT_ERROR}, {8, "STRONGER_AUTH", REQ_CLIENT_ERROR}, {10, "REFERRAL", REQ_OK},
	{11, "ADMIN_LIMIT", REQ_SERVER_ERROR}, {12, "CRITICAL_EXTENSION", REQ_CLIENT_ERROR}, {13, "CONFIDENTIALITY", REQ_CLIENT_ERROR},
	{14, "SASL_BIND_IN_PROGRESS", REQ_OK}, {16, "NO_SUCH_ATTRIBUTE", REQ_CLIENT_ERROR}, {17, "UNDEFINED_TYPE", REQ_CLIENT_ERROR},
	{18, "INAPPROPRIATE_MATCHING", REQ_CLIENT_ERROR}, {19, "CONSTRAINT_VIOLATION", REQ_CLIENT_ERROR},
	{20, "VALUE_EXISTS", REQ_CLIENT_ERROR}, {21, "INVALID_SYNTAX", REQ_CLIENT_ERROR}, {32, "NO_SUCH_OBJECT", REQ_CLIENT_ERROR},
	{33, "ALIAS_PROBLEM", REQ_CLIENT_ERROR}, {34, "INVALID_DN", REQ_CLIENT_ERROR}, {36, "ALIAS_DEREFERENCING", REQ_CLIENT_ERROR},
	{48, "INAPPROPRIATE_AUTH", REQ_CLIENT_ERROR}, {49, "INVALID_CREDENTIALS", REQ_CLIENT_ERROR},
	{50, "INSUFFICIENT_ACCESS", REQ_CLIENT_ERROR}, {51, "BUSY", REQ_SERVER_ERROR}, {52, "UNAVAILABLE", REQ_SERVER_ERROR},
	{53, "UNWILLING", REQ_SERVER_ERROR}, {54, "LOOP", REQ_SERVER_ERROR}, {64, "NAMING_VIOLATION", REQ_CLIENT_ERROR},
	{65, "OBJECT_CLASS_VIOLATION", REQ_CLIENT_ERROR}, {66, "NOT_ON_NON_LEAF", REQ_CLIENT_ERROR}, {67, "NOT_ON_RDN", REQ_CLIENT_ERROR},
	{68, "ENTRY_EXISTS", REQ_CLIENT_ERROR}, {69, "NO_CLASS_MODS", REQ_CLIENT_ERROR}, {71, "AFFECTS_MULTIPLE_DSAS", REQ_CLIENT_ERROR},
	{80, "OTHER", REQ_SERVER_ERROR}, {118, "CANCELED", REQ_OK},
};

static const struct { const char *oid, *name; } extended[] = {
	{"1.3.6.1.4.1.1466.20037", "STARTTLS"}, {"1.3.6.1.4.1.4203.1.11.1", "PASSWORD"}, {"1.3.6.1.4.1.4203.1.11.3", "WHOAMI"},
	{"1.3.6.1.1.8", "CANCEL"}, {"1.3.6.1.1.21.1", "TXN START"}, {"1.3.6.1.1.21.3", "TXN END"},
	{"1.3.6.1.4.1.1466.101.119.1", "REFRESH"},
};

const char *ldap_result_name(int code)
{
	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++)
		if (results[i].code == code)
			return results[i].name;
	return "RESULT";
}

enum req_error ldap_result_error(int code)
{
	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++)
		if (results[i].code == code)
			return results[i].error;
	return REQ_SERVER_ERROR;
}

const char *ldap_extended_name(const uint8_t *oid, size_t n)
{
	for (size_t i = 0; i < sizeof(extended) / sizeof(*extended); i++)
		if (strlen(extended[i].oid) == n && !memcmp(extended[i].oid, oid, n))
			return extended[i].name;
	return "EXTENDED";
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/redact.h"

#include <string.h>

#include "proto/normalise.h"

static const struct { const char *protocol; enum sql_dialect dialect; } databases[] = {
	{"postgres", SQL_POSTGRES}, {"mysql", SQL_MYSQL}, {"tds", SQL_TDS}, {"clickhouse", SQL_CLICKHOUSE}, {"cassandra", SQL_POSTGRES},
};

static size_t redact_path(char *out, size_t cap, const char *op)
{
	size_t verb = strcspn(op, " ");

	return normalise_http(out, cap, op, verb, op + verb + (op[verb] == ' '), strlen(op) - verb - (op[verb] == ' '), false);
}

/* "A www.example.com": as labels again. */
static size_t redact_dns(char *out, size_t cap, const char *op)
{
	const char *name = strchr(op, ' ');
	char verb[32], wire[512];
	size_t n = 0, k;

	if (!name || (size_t)(name - op) >= sizeof(verb))
		return normalise_raw(out, cap, op, strcspn(op, " "));
	memcpy(verb, op, (size_t)(name - op));
	verb[name - op] = '\0';
	for (name++; *name && n + 64 < sizeof(wire); name += k + (name[k] == '.')) {
		k = strcspn(name, ".");
		if (!k || k > 63)
			break;
		wire[n++] = (char)k;
		memcpy(wire + n, name, k);
		n += k;
	}
	return normalise_dns(out, cap, verb, 0, (const uint8_t *)wire, n, false);
}

size_t redact_op(char *out, size_t cap, const char *protocol, const char *op)
{
	for (size_t i = 0; protocol && i < sizeof(databases) / sizeof(*databases); i++)
		if (!strcmp(databases[i].protocol, protocol))
			return normalise_sql(out, cap, databases[i].dialect, op, strlen(op), false);
	if (protocol && (!strcmp(protocol, "http") || !strcmp(protocol, "http2") || !strcmp(protocol, "grpc") || !strcmp(protocol, "fastcgi")))
		return redact_path(out, cap, op);
	if (protocol && (!strcmp(protocol, "dns") || !strcmp(protocol, "dns-tcp")))
		return redact_dns(out, cap, op);
	return normalise_raw(out, cap, op, strcspn(op, " "));
}

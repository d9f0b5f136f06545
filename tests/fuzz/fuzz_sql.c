/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as SQL and as a target: terminated, valid, and as long as said; short buffers cut.  The same bytes inside of
 * quotes, as each reading of a string writes them, and as a parameter's value: nothing of them comes out.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/normalise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *out, size_t n, size_t cap)
{
	size_t k;

	if (n >= cap || strlen(out) != n)
		abort();
	for (size_t i = 0; i < n; i += k)
		if (!(k = utf8_length(out + i, n - i)))
			abort();
}

/* before + data between quotes + behind; `with` stands before what must not end the string. */
static void check_quoted(enum sql_dialect d, const char *before, const uint8_t *data, size_t size, char with, const char *want)
{
	char *text = malloc(2 * size + strlen(before) + 2), out[64];
	size_t n = strlen(before);

	if (!text)
		abort();
	memcpy(text, before, n);
	text[n++] = '\'';
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\'' || data[i] == (uint8_t)with)
			text[n++] = with;
		text[n++] = (char)data[i];
	}
	text[n++] = '\'';
	normalise_sql(out, sizeof(out), d, text, n, false);
	if (strcmp(out, want))
		abort();
	free(text);
}

/* Up to what may end it: a semicolon, or one that an open quote or comment hides. */
static void check_value(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 8), out[64];

	if (!text)
		abort();
	memcpy(text, "SET x = ", 8);
	for (size_t i = 0; i < size; i++)
		text[8 + i] = data[i] == ';' ? ',' : (char)data[i];
	normalise_sql(out, sizeof(out), SQL_POSTGRES, text, size + 8, false);
	if (strcmp(out, "SET x = ?") && strcmp(out, "SET x ="))
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t cap = size ? 1 + data[0] * 4u : 1;
	char *out = malloc(cap);

	if (!out)
		abort();
	for (int d = SQL_POSTGRES; d <= SQL_CLICKHOUSE; d++)
		check(out, normalise_sql(out, cap, (enum sql_dialect)d, (const char *)data, size, false), cap);
	check(out, normalise_http(out, cap, "GET", 3, (const char *)data, size, false), cap);
	check(out, normalise_name(out, cap, (const char *)data, size, false), cap);
	check(out, normalise_raw(out, cap, (const char *)data, size), cap);
	free(out);
	check_quoted(SQL_POSTGRES, "SELECT ", data, size, '\'', "SELECT ?");
	check_quoted(SQL_POSTGRES, "SELECT ", data, size, '\\', "SELECT ?");
	check_quoted(SQL_POSTGRES, "SELECT E", data, size, '\\', "SELECT ?");
	check_quoted(SQL_MYSQL, "SELECT ", data, size, '\\', "SELECT ?");
	check_quoted(SQL_CLICKHOUSE, "SELECT ", data, size, '\\', "SELECT ?");
	check_quoted(SQL_TDS, "SELECT ", data, size, '\'', "SELECT ?");
	check_value(data, size);
	return 0;
}

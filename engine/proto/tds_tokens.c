/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A server's message is a stream of tokens, and rows can be skipped only with the types of their columns.  So it is read from its end:
 * the longest run of tokens with known sizes that ends with the message.  It holds what matters: DONE, errors, return values.
 */
#include "proto/tds.h"
#include "proto/wire.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_BACK 1024
#define DONE_BYTES 13
#define DONE_KNOWN 0x0133       /* flags that there are: more, error, transaction, count, attention, severe error */
#define DONE_ERROR 0x0002
#define DONE_COUNT 0x0010
#define DONE_ATTENTION 0x0020
#define DONE_SEVERE 0x0100

enum { RETURN_STATUS = 0x79, ERROR = 0xaa, INFO = 0xab, RETURN_VALUE = 0xac, LOGIN_ACK = 0xad, ENVIRONMENT = 0xe3,
       DONE = 0xfd, DONE_PROCEDURE = 0xfe, DONE_IN_PROCEDURE = 0xff };

/* A return value that is an integer: the handle of a statement. */
static size_t value_size(const uint8_t *p, size_t n)
{
	size_t head;

	if (n < 4)
		return 0;
	head = 4 + 2 * (size_t)p[3] + 1 + 4 + 2;        /* ordinal and name, status, user type, flags */
	return n >= head + 7 && p[head] == 0x26 && p[head + 1] == 4 && p[head + 2] == 4 ? head + 7 : 0;
}

/* The token at p, 0 where it is none of known size. */
static size_t token_size(const uint8_t *p, size_t n)
{
	size_t size;

	switch (p[0]) {
	case DONE: case DONE_PROCEDURE: case DONE_IN_PROCEDURE:
		return n >= DONE_BYTES && !(le16(p + 1) & ~DONE_KNOWN) && le16(p + 3) < 0x400 && !le16(p + 11) ? DONE_BYTES : 0;
	case RETURN_STATUS:
		return n >= 5 ? 5 : 0;
	case RETURN_VALUE:
		return value_size(p, n);
	case ERROR: case INFO:
		size = n >= 10 ? 3 + (size_t)le16(p + 1) : 0;
		return size >= 20 && size <= n && p[8] <= 25 ? size : 0;
	case ENVIRONMENT: case LOGIN_ACK:
		size = n >= 3 ? 3 + (size_t)le16(p + 1) : 0;
		return size >= 5 && size <= n ? size : 0;
	}
	return 0;
}

static bool tokens_end(const uint8_t *p, size_t n)
{
	uint8_t last = 0;

	while (n) {
		size_t size = token_size(p, n);

		if (!size)
			return false;
		last = p[0];
		p += size;
		n -= size;
	}
	return last == DONE || last == DONE_PROCEDURE;
}

static void token_read(struct tds_end *e, const uint8_t *p, size_t size)
{
	unsigned flags = le16(p + 1);

	switch (p[0]) {
	case DONE: case DONE_PROCEDURE: case DONE_IN_PROCEDURE:
		if (flags & DONE_COUNT && p[0] != DONE_PROCEDURE)
			e->rows += le32(p + 5) | (uint64_t)le16(p + 9) << 32;
		e->failed = e->failed || flags & (DONE_ERROR | DONE_SEVERE);
		e->cancelled = e->cancelled || flags & DONE_ATTENTION;
		break;
	case ERROR:
		if (!e->error) {
			e->error = le32(p + 3);
			e->severity = p[8];
		}
		e->failed = true;
		break;
	case RETURN_VALUE:
		e->handle = le32(p + size - 4);
		e->has_handle = true;
		break;
	}
}

bool tds_end_read(struct tds_end *e, const uint8_t *p, size_t n)
{
	size_t i = n > LOOK_BACK ? n - LOOK_BACK : 0;

	*e = (struct tds_end){0};
	while (i < n && !(token_size(p + i, n - i) && tokens_end(p + i, n - i)))
		i++;
	if (i == n)
		return false;
	for (size_t size; i < n; i += size) {
		size = token_size(p + i, n - i);
		token_read(e, p + i, size);
	}
	return true;
}

struct error {
	unsigned number;
	bool server;
	const char *name;
};

/* Ascending; from the list of the Database Engine's events and errors. */
static const struct error errors[] = {
	{102, false, "syntax error"}, {105, false, "unclosed quote"}, {137, false, "undeclared variable"},
	{156, false, "syntax error"}, {201, false, "parameter missing"}, {207, false, "invalid column"},
	{208, false, "invalid object"}, {229, false, "permission denied"}, {245, false, "conversion failed"},
	{515, false, "null not allowed"}, {547, false, "constraint conflict"}, {596, true, "session killed"},
	{601, true, "scan moved"}, {701, true, "out of memory"}, {802, true, "out of buffers"}, {823, true, "I/O error"},
	{824, true, "I/O error"}, {825, true, "I/O error"}, {911, false, "no such database"}, {913, false, "no such database"},
	{916, false, "no access to database"}, {924, true, "database in single-user mode"}, {942, true, "database offline"},
	{945, true, "database inaccessible"}, {1101, true, "filegroup full"}, {1105, true, "filegroup full"}, {1204, true, "out of locks"},
	{1205, true, "deadlock"}, {1222, true, "lock timeout"}, {1505, false, "duplicate key"}, {1785, false, "cascade paths"},
	{2601, false, "duplicate key"}, {2627, false, "duplicate key"}, {2628, false, "data too long"}, {2714, false, "object exists"},
	{2812, false, "no such procedure"}, {3906, true, "database read-only"}, {3908, true, "database in recovery"},
	{3930, false, "transaction uncommittable"}, {3960, true, "snapshot conflict"}, {3989, false, "transaction exists"},
	{4060, false, "cannot open database"}, {4064, false, "cannot open database"}, {8134, false, "division by zero"},
	{8144, false, "too many arguments"}, {8152, false, "data too long"}, {8179, false, "unknown handle"}, {8623, true, "out of plans"},
	{8628, true, "query timeout"}, {8645, true, "memory grant timeout"}, {8651, true, "out of memory"}, {9001, true, "log unavailable"},
	{9002, true, "log full"}, {10928, true, "resource limit"}, {10929, true, "resource limit"}, {17142, true, "server paused"},
	{17187, true, "server starting"}, {17809, true, "too many connections"}, {17830, true, "login timeout"},
	{18401, true, "server upgrading"}, {18451, true, "server shutting down"}, {18452, false, "login failed"},
	{18456, false, "login failed"}, {18461, true, "server in single-user mode"}, {18470, false, "account disabled"},
	{18487, false, "password expired"}, {18488, false, "password expired"}, {40197, true, "service error"},
	{40501, true, "service busy"}, {40544, true, "database full"}, {40613, true, "database unavailable"}, {49918, true, "out of resources"},
};

static int error_compare(const void *key, const void *element)
{
	unsigned k = *(const unsigned *)key, n = ((const struct error *)element)->number;

	return (k > n) - (k < n);
}

const char *tds_error(unsigned number, uint8_t severity, enum req_error *class)
{
	const struct error *e = bsearch(&number, errors, sizeof(errors) / sizeof(*errors), sizeof(*errors), error_compare);

	/* 11 to 16 are what users can mend, from 17 on it is the server's */
	*class = (e ? e->server : severity >= 17) ? REQ_SERVER_ERROR : REQ_CLIENT_ERROR;
	return e ? e->name : NULL;
}

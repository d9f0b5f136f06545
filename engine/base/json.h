/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json: a writer by begin / append / end into a growing buffer, one document or line at a time.
 *
 * Strings come out as valid UTF-8: bytes that are not part of a valid sequence become \u00XX, control characters are
 * escaped. NaN and infinities come out as null: unknown is null. Numbers print with as many digits as needed, integers
 * without a point. Misuse (end without begin, a key outside an object) is an assertion.
 */
#ifndef ROOTLE_BASE_JSON_H
#define ROOTLE_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
	char *buf;          /* NUL-terminated after every call */
	size_t len, cap;
	uint32_t depth;
	uint64_t is_array;  /* bit d: level d is an array */
	uint64_t has_item;  /* bit d: level d has an item already */
	bool pretty;        /* indent by two spaces */
	bool failed;        /* memory ran out: the text is not to be used */
};

void json_init(struct json *j, bool pretty);
void json_done(struct json *j);
void json_reset(struct json *j);

/* key is NULL inside arrays and for the document itself */
void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);

void json_string(struct json *j, const char *key, const char *s);                  /* s NULL: null */
void json_stringn(struct json *j, const char *key, const char *s, size_t n);
void json_number(struct json *j, const char *key, double v);                       /* NaN: null; rounded to 6 significant
                                                                                      digits behind the point where not whole */
void json_int(struct json *j, const char *key, int64_t v);
void json_uint(struct json *j, const char *key, uint64_t v);
void json_bool(struct json *j, const char *key, bool v);
void json_null(struct json *j, const char *key);
/* unix_ns as an RFC 3339 UTC string with milliseconds; 0 or negative: null */
void json_time(struct json *j, const char *key, int64_t unix_ns);
/* A fragment that is JSON already. */
void json_raw(struct json *j, const char *key, const char *text);

#endif

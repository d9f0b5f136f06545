/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ndjson: fills a window from a file of the interchange format, for tests of the diagnosis that must not depend on the
 * store.  Reads flat objects with one key a time, as the recorded cases have them; no escapes, no histograms.
 */
#ifndef TEST_EXPLAIN_NDJSON_H
#define TEST_EXPLAIN_NDJSON_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/window.h"

/* The text behind "key": in the line, NULL where it is not there. */
static inline const char *ndjson_find(const char *line, const char *key)
{
	char want[64];
	const char *at;

	snprintf(want, sizeof(want), "\"%s\"", key);
	at = strstr(line, want);
	if (!at)
		return NULL;
	at += strlen(want);
	return at + strspn(at, ": ");
}

static inline double ndjson_number(const char *line, const char *key)
{
	const char *at = ndjson_find(line, key);

	return at && strncmp(at, "null", 4) != 0 ? strtod(at, NULL) : NAN;
}

/* false: not there, or null */
static inline bool ndjson_string(const char *line, const char *key, char *buf, size_t cap)
{
	const char *at = ndjson_find(line, key), *end;

	if (!at || *at != '"')
		return false;
	end = strchr(++at, '"');
	if (!end || (size_t)(end - at) >= cap)
		return false;
	memcpy(buf, at, (size_t)(end - at));
	buf[end - at] = '\0';
	return true;
}

static inline int64_t ndjson_ns(const char *line, const char *key)
{
	return (int64_t)(ndjson_number(line, key) * 1e9);
}

static inline void ndjson_requests(struct window *w, const char *line)
{
	char from[256], to[256], op[256];
	uint32_t source = WIN_NONE, target;
	struct win_requests *r;

	if (!ndjson_string(line, "to", to, sizeof(to)))
		return;
	if (ndjson_string(line, "from", from, sizeof(from)))
		source = window_service(w, from);
	target = window_service(w, to);
	r = vec_push(&w->requests);
	*r = (struct win_requests){
		.t_ns = ndjson_ns(line, "t"), .dur_ns = ndjson_ns(line, "dur_s"), .edge = window_edge(w, source, target, NULL, 0),
		.op = ndjson_string(line, "op", op, sizeof(op)) ? window_op(w, op) : WIN_NONE,
		.count = ndjson_number(line, "count"), .errors = ndjson_number(line, "errors"),
		.avg_ms = ndjson_number(line, "avg_ms"), .p50_ms = ndjson_number(line, "p50_ms"),
		.p90_ms = ndjson_number(line, "p90_ms"), .p95_ms = ndjson_number(line, "p95_ms"),
		.p99_ms = ndjson_number(line, "p99_ms"), .bytes_request = NAN, .bytes_response = NAN, .rows = NAN,
	};
}

static inline void ndjson_resource(struct window *w, const char *line)
{
	char service[256], metric[128], device[128];
	bool on = ndjson_string(line, "device", device, sizeof(device));
	struct win_point *p;

	if (!ndjson_string(line, "service", service, sizeof(service)) || !ndjson_string(line, "metric", metric, sizeof(metric)))
		return;
	p = vec_push(&w->points);
	*p = (struct win_point){
		.t_ns = ndjson_ns(line, "t"), .dur_ns = ndjson_ns(line, "dur_s"),
		.series = window_series(w, window_service(w, service), metric, on ? device : NULL),
		.value = ndjson_number(line, "value"), .limit = ndjson_number(line, "limit"),
	};
}

static inline void ndjson_line(struct window *w, const char *line)
{
	char type[32], a[256], b[256];

	if (!ndjson_string(line, "type", type, sizeof(type)))
		return;
	if (!strcmp(type, "service") && ndjson_string(line, "service", a, sizeof(a)))
		window_service(w, a);
	else if (!strcmp(type, "edge") && ndjson_string(line, "from", a, sizeof(a)) && ndjson_string(line, "to", b, sizeof(b)))
		window_edge(w, window_service(w, a), window_service(w, b), NULL, 0);
	else if (!strcmp(type, "requests"))
		ndjson_requests(w, line);
	else if (!strcmp(type, "resource"))
		ndjson_resource(w, line);
}

/* Through gunzip where the name ends in .gz. false: cannot be read. */
static inline bool ndjson_load(struct window *w, const char *path)
{
	size_t n = strlen(path), cap = 0;
	char command[1200], *line = NULL;
	bool packed = n > 3 && !strcmp(path + n - 3, ".gz");
	FILE *f;

	snprintf(command, sizeof(command), "gunzip -c '%s'", path);
	f = packed ? popen(command, "r") : fopen(path, "r");
	if (!f)
		return false;
	while (getline(&line, &cap, f) > 0)
		ndjson_line(w, line);
	free(line);
	return packed ? pclose(f) == 0 : fclose(f) == 0;
}

#endif

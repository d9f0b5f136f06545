/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows: what the fact-table commands share: load the range, print rows as text or NDJSON, end with the summary line.
 */
#ifndef ROOTLE_CLI_ROWS_H
#define ROOTLE_CLI_ROWS_H

#include "base/json.h"
#include "filter.h"
#include "model/summary.h"
#include "options.h"
#include "reading.h"
#include "table.h"

#define ROWS_FAILED SIZE_MAX         /* instead of a number of rows: it failed, and that was said */

/* A fact table as one command shows it. Both return how many rows they printed. */
struct rows {
	const char *schema;          /* of the summary line: "edges/1" */
	const char *nothing;         /* for people, where there are no rows: "no requests" */
	unsigned load;               /* LOAD_… */
	bool to_now;                 /* without a range: also what came after the last tick, such as a mark */
	size_t (*text)(const struct summary *s, const struct options *o);
	size_t (*json)(const struct summary *s, const struct options *o, struct json *j);
	enum filter_rows filter;     /* what the filter options are about */
	int64_t look_back_ns;        /* followed: so much before the tick is loaded as well */
	bool drawn;                  /* text is a drawing, not lines of a table */
};

/* Filters, adds up, prints what the window has in [since_ns, until_ns). *n: rows printed. 0, or an exit code. */
int rows_show(const struct rows *rows, const struct options *o, const struct window *w, int64_t since_ns, int64_t until_ns, size_t *n);
/* What has to be loaded for it. */
unsigned rows_load(const struct rows *rows, const struct options *o);
/* Opens, loads, prints; with --follow, tick by tick (follow.h). Returns the exit code. */
int rows_command(const struct rows *rows, struct options *o);

/* {"type":"summary",…}: w NULL: nothing could be loaded because there is nothing. */
void rows_summary(const char *schema, const struct window *w, const struct range *range, size_t n);
/* "coverage": {…} of a window. */
void json_coverage(struct json *j, const struct window *w);

/* An object that begins with "type", to be filled and given to row_end(). */
void row_begin(struct json *j, const char *type);
void row_end(struct json *j);

/* count, errors, latencies, rates: the keys that requests, edges and services have in common */
void json_quantiles(struct json *j, const struct sum_latency *l);      /* error_ratio, avg_ms … max_ms: null where nothing was asked */
void json_latency(struct json *j, const struct sum_latency *l);

/* A table that, followed, has the time of the tick in front and no titles in a pipe. */
struct rows_table { struct table table; struct table_column columns[TABLE_COLUMNS_MAX]; const struct options *o; char at[16]; };
void rows_table_init(struct rows_table *t, const struct summary *s, const struct options *o, const struct table_column *columns, size_t n);
/* Begins a row; the cells follow. */
struct table *rows_table_row(struct rows_table *t);
/* Prints what there is, and frees. */
void rows_table_end(struct rows_table *t);
/* "t", "dur_s" of the tick, followed; nothing else. */
void json_tick(struct json *j, const struct summary *s, const struct options *o);

/* Names; "?" (text) or NULL (JSON) where it is not known. */
const char *service_text(const struct window *w, uint32_t service);
const char *service_name(const struct window *w, uint32_t service);

/* Is --service not given, or is one of these it? */
bool service_wanted(const struct options *o, const struct window *w, uint32_t a, uint32_t b);

#endif

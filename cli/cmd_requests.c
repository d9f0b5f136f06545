/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "out.h"
#include "rows.h"
#include "time_view.h"

#define COLUMNS 8
#define OUTCOMES_SHOWN 2

static const struct table_column columns[COLUMNS] = {
	{"FROM", false, true}, {"TO", false, true}, {"OPERATION", false, true}, {"COUNT", true}, {"ERR", true}, {"p50", true},
	{"p95", true}, {"p99", true},
};
/* where any row has something to say there */
static const struct table_column column_outcomes = {"OUTCOMES", false, true}, column_timed = {"MOST OF IT"};

static const char *op_text(const struct window *w, uint32_t op)
{
	return op < w->ops.n ? w->ops.v[op] : NULL;
}

static bool any_timed(const struct summary *s)
{
	for (size_t i = 0; i < s->ops.n; i++)
		if (s->ops.v[i].l.timing.count > 0)
			return true;
	return false;
}

/* The part that the requests spent most of their time in: "net 78 %". */
static void most_of_it(struct table *t, const struct win_timing *w)
{
	const char *name = "unknown";
	double most = win_timing_unknown(w);

	for (int i = 0; i < TIME_PARTS; i++) {
		if (w->part_ns[i] <= most)
			continue;
		most = w->part_ns[i];
		name = time_part_table[i].name;
	}
	if (w->count > 0 && w->total_ns > 0)
		table_printf(t, "%s %.0f %%", name, 100 * most / w->total_ns);
	else
		table_text(t, NULL);
}

/* What came most besides plain success: "503: 12, 404: 3". */
static void outcomes_cell(struct table *t, const struct summary *s, const struct sum_op *p)
{
	const struct sum_outcome *x;
	char cell[128] = "";
	size_t n, len = 0;

	x = summary_outcomes(s, p->edge, p->op, &n);
	for (size_t i = 0; i < n && i < OUTCOMES_SHOWN; i++) {
		const char *comma = i ? ", " : "";

		if (!x[i].detail[0] && x[i].status)
			len += (size_t)snprintf(cell + len, sizeof(cell) - len, "%s%d: %.0f", comma, x[i].status, x[i].count);
		else
			len += (size_t)snprintf(cell + len, sizeof(cell) - len, "%s%.31s: %.0f", comma,
						x[i].detail[0] ? x[i].detail : x[i].error, x[i].count);
	}
	table_text(t, cell);
}

static const struct table_column time_columns[] = {{"FROM", false, true}, {"TO", false, true}, {"OPERATION", false, true}, TIME_COLUMNS};

static size_t text_time(const struct summary *s, const struct options *o)
{
	const struct window *w = s->window;
	struct sum_call calls[SUM_CALLS_MAX];
	struct rows_table rows;

	rows_table_init(&rows, s, o, time_columns, sizeof(time_columns) / sizeof(time_columns[0]));
	for (size_t i = 0; i < s->ops.n; i++) {
		const struct sum_op *p = &s->ops.v[i];
		struct table *t = rows_table_row(&rows);

		table_text(t, service_text(w, w->edges.v[p->edge].from));
		table_text(t, service_text(w, w->edges.v[p->edge].to));
		table_text(t, op_text(w, p->op) ? op_text(w, p->op) : w->edges.v[p->edge].protocol);
		time_cells(t, w, &p->l.timing, calls, summary_calls_of_op(s, p->edge, p->op, calls));
	}
	time_end(&rows, s->ops.n);
	return s->ops.n;
}

static size_t text(const struct summary *s, const struct options *o)
{
	const struct window *w = s->window;
	struct table_column shown[COLUMNS + 2];
	struct rows_table rows;
	bool timed = any_timed(s), outcomes = s->outcomes.n > 0;
	size_t width = COLUMNS;

	if (o->time)
		return text_time(s, o);
	memcpy(shown, columns, sizeof(columns));
	if (outcomes)
		shown[width++] = column_outcomes;
	if (timed)
		shown[width++] = column_timed;
	rows_table_init(&rows, s, o, shown, width);
	for (size_t i = 0; i < s->ops.n; i++) {
		const struct sum_op *p = &s->ops.v[i];
		struct table *t = rows_table_row(&rows);

		table_text(t, service_text(w, w->edges.v[p->edge].from));
		table_text(t, service_text(w, w->edges.v[p->edge].to));
		table_text(t, op_text(w, p->op) ? op_text(w, p->op) : w->edges.v[p->edge].protocol);
		table_printf(t, "%.0f", p->l.count);
		table_percent(t, p->l.error_ratio);
		table_ms(t, p->l.p50_ms);
		table_ms(t, p->l.p95_ms);
		table_ms(t, p->l.p99_ms);
		if (outcomes)
			outcomes_cell(t, s, p);
		if (timed)
			most_of_it(t, &p->l.timing);
	}
	rows_table_end(&rows);
	return s->ops.n;
}

/* Sums over the requests that could be timed; the parts and unknown_ns make timed_ns. */
static void json_timing(struct json *j, const struct win_timing *t)
{
	bool known = t->count > 0;
	char key[32];

	json_number(j, "timed", t->count);
	json_number(j, "timed_ns", known ? t->total_ns : NAN);
	for (int i = 0; i < TIME_PARTS; i++) {
		snprintf(key, sizeof(key), "%s_ns", time_part_table[i].name);
		json_number(j, key, known ? t->part_ns[i] : NAN);
	}
	json_number(j, "unknown_ns", known ? win_timing_unknown(t) : NAN);
}

static void json_outcomes(struct json *j, const struct summary *s, const struct sum_op *p)
{
	size_t n;
	const struct sum_outcome *x = summary_outcomes(s, p->edge, p->op, &n);

	json_array(j, "outcomes");
	for (size_t i = 0; i < n; i++) {
		json_object(j, NULL);
		json_number(j, "status", x[i].status ? x[i].status : NAN);
		json_string(j, "detail", x[i].detail[0] ? x[i].detail : NULL);
		json_string(j, "error", x[i].error);
		json_number(j, "count", x[i].count);
		json_object_end(j);
	}
	json_array_end(j);
}

static void json_row(struct json *j, const struct summary *s, const struct options *o, const struct sum_op *p)
{
	const struct window *w = s->window;
	const struct win_edge *e = &w->edges.v[p->edge];

	row_begin(j, "requests");
	json_tick(j, s, o);
	if (!o->follow) {
		json_time(j, "since", s->since_ns);
		json_time(j, "until", s->until_ns);
	}
	json_string(j, "from", service_name(w, e->from));
	json_string(j, "to", service_name(w, e->to));
	json_string(j, "protocol", e->protocol);
	if (e->port)
		json_uint(j, "port", e->port);
	else
		json_null(j, "port");
	json_string(j, "op", op_text(w, p->op));
	json_latency(j, &p->l);
	json_number(j, "first_byte_avg_ms", p->l.first_byte_avg_ms);
	json_number(j, "rows", p->l.rows);
	json_number(j, "waits", p->l.waits);
	json_outcomes(j, s, p);
	json_timing(j, &p->l.timing);
	if (o->time) {
		struct sum_call calls[SUM_CALLS_MAX];

		json_time_parts(j, w, &p->l.timing, calls, summary_calls_of_op(s, p->edge, p->op, calls));
	}
	row_end(j);
}

static size_t json(const struct summary *s, const struct options *o, struct json *j)
{
	size_t n;

	for (n = 0; n < s->ops.n && !out_closed(); n++)
		json_row(j, s, o, &s->ops.v[n]);
	return n;
}

int cmd_requests(const struct command *c, struct options *o, int argc, char **argv)
{
	static const struct rows rows = {
		"requests/1", "no requests", LOAD_REQUESTS | LOAD_HISTS | LOAD_OUTCOMES | LOAD_DOWNSTREAM, false, text, json,
		FILTER_OPS,
	};

	return rows_command(&rows, o);
}

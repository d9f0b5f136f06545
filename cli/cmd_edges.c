/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "command.h"
#include "exit.h"
#include "json_edge.h"
#include "out.h"
#include "say.h"
#include "time_view.h"

static const struct table_column columns[] = {
	{"FROM", false, true}, {"TO", false, true}, {"PROTO"}, {"RATE/s", true}, {"p50", true}, {"p99", true}, {"ERR", true},
	{"REFU", true}, {"RETR", true}, {"RTT", true},
};

static const struct table_column health_columns[] = {
	{"FROM", false, true}, {"TO", false, true}, {"OPEN", true}, {"CONNECT", true}, {"RTT", true}, {"RETR", true}, {"RST", true},
	{"FAIL", true}, {"0WIN", true}, {"UNACKED", true}, {"UNREAD", true},
};

/* "postgres:5432", also where the port is part of the name already */
static void callee_text(struct table *t, const struct window *w, const struct win_edge *we)
{
	const char *name = service_text(w, we->to);
	char port[8];

	snprintf(port, sizeof(port), ":%u", we->port);
	if (we->port && !text_ends(name, port))
		table_printf(t, "%s%s", name, port);
	else
		table_text(t, name);
}

static void text_row(struct table *t, const struct window *w, const struct sum_edge *e)
{
	const struct win_edge *we = &w->edges.v[e->edge];
	bool any = e->l.count > 0;

	table_text(t, service_text(w, we->from));
	callee_text(t, w, we);
	table_text(t, we->protocol);
	table_count(t, e->l.rate_per_s);
	table_ms(t, any ? e->l.p50_ms : NAN);
	table_ms(t, any ? e->l.p99_ms : NAN);
	table_percent(t, any ? e->l.error_ratio : NAN);
	table_count(t, e->refused);
	table_count(t, e->retrans);
	table_ms(t, e->srtt_us / 1000);
}

static double plus(double a, double b)
{
	return isnan(a) ? b : isnan(b) ? a : a + b;
}

/* Bytes on the way to the callee, or those on the way back where these are more: "3.7 MB>", "12 KB<". */
static void queue_text(struct table *t, double there, double back)
{
	char buf[32];

	if (isnan(there) && isnan(back))
		table_text(t, "-");
	else if (!(there > 0) && !(back > 0))
		table_text(t, "0");
	else if (back > 0 && !(there >= back))
		table_printf(t, "%s<", size_format(buf, sizeof(buf), back));
	else
		table_printf(t, "%s>", size_format(buf, sizeof(buf), there));
}

static void health_row(struct table *t, const struct window *w, const struct sum_edge *e)
{
	const struct win_edge *we = &w->edges.v[e->edge];

	table_text(t, service_text(w, we->from));
	callee_text(t, w, we);
	table_count(t, e->open);
	table_ms(t, e->connect_max_us / 1000);
	table_ms(t, e->min_rtt_us / 1000);
	table_count(t, e->retrans);
	table_count(t, e->resets);
	table_count(t, plus(e->refused, e->timeouts));
	table_count(t, plus(e->caller.zero_windows, e->callee.zero_windows));
	queue_text(t, e->caller.send_queue_bytes, e->callee.send_queue_bytes);
	queue_text(t, e->callee.recv_queue_bytes, e->caller.recv_queue_bytes);
}

static const struct table_column time_columns[] = {{"FROM", false, true}, {"TO", false, true}, TIME_COLUMNS};

static void time_row(struct table *t, const struct window *w, const struct summary *s, const struct sum_edge *e)
{
	struct sum_call calls[SUM_CALLS_MAX];

	table_text(t, service_text(w, w->edges.v[e->edge].from));
	callee_text(t, w, &w->edges.v[e->edge]);
	time_cells(t, w, &e->l.timing, calls, summary_calls_of_edge(s, e->edge, calls));
}

static size_t text_time(const struct summary *s, const struct options *o)
{
	struct rows_table rows;

	rows_table_init(&rows, s, o, time_columns, sizeof(time_columns) / sizeof(time_columns[0]));
	for (size_t i = 0; i < s->edges.n; i++)
		time_row(rows_table_row(&rows), s->window, s, &s->edges.v[i]);
	time_end(&rows, s->edges.n);
	return s->edges.n;
}

static size_t text(const struct summary *s, const struct options *o)
{
	struct rows_table rows;

	if (o->time)
		return text_time(s, o);
	if (o->health)
		rows_table_init(&rows, s, o, health_columns, sizeof(health_columns) / sizeof(health_columns[0]));
	else
		rows_table_init(&rows, s, o, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < s->edges.n; i++)
		(o->health ? health_row : text_row)(rows_table_row(&rows), s->window, &s->edges.v[i]);
	rows_table_end(&rows);
	return s->edges.n;
}

static size_t json(const struct summary *s, const struct options *o, struct json *j)
{
	size_t n;

	for (n = 0; n < s->edges.n && !out_closed(); n++)
		json_edge(j, s, o, &s->edges.v[n]);
	return n;
}

int cmd_edges(const struct command *c, struct options *o, int argc, char **argv)
{
	static const struct rows rows = {
		"edges/1", "no edges", LOAD_REQUESTS | LOAD_HISTS | LOAD_TCP | LOAD_DOWNSTREAM, false, text, json, FILTER_EDGES,
	};

	if (o->health && o->time && !o->json)
		return say_error(EXIT_USAGE, "edges: --health and --time are two forms: give one");
	return rows_command(&rows, o);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "command.h"
#include "exit.h"
#include "out.h"
#include "rows.h"
#include "say.h"
#include "time_view.h"

static const struct table_column columns[] = {
	{"SERVICE", false, true}, {"KIND"}, {"CPU", true}, {"MEM", true}, {"IN/s", true}, {"p95", true}, {"ERR", true},
	{"OUT/s", true}, {"CONN", true}, {"RESTARTS", true},
};

static size_t text(const struct summary *s, const struct options *o)
{
	const struct window *w = s->window;
	struct rows_table rows;

	rows_table_init(&rows, s, o, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < s->services.n; i++) {
		const struct sum_service *v = &s->services.v[i];
		struct table *t = rows_table_row(&rows);

		table_text(t, service_text(w, v->service));
		table_text(t, w->services.v[v->service].kind);
		isnan(v->cpu_cores) ? table_text(t, "-") : table_printf(t, "%.2f", v->cpu_cores);
		table_bytes(t, v->mem_bytes);
		table_count(t, v->in.rate_per_s);
		table_ms(t, v->in.count > 0 ? v->in.p95_ms : NAN);
		table_percent(t, v->in.count > 0 ? v->in.error_ratio : NAN);
		table_count(t, v->out.rate_per_s);
		table_count(t, v->connections);
		table_count(t, v->restarts);
	}
	rows_table_end(&rows);
	return s->services.n;
}

static const struct table_column time_columns[] = {{"SERVICE", false, true}, TIME_COLUMNS};

static size_t text_time(const struct summary *s, const struct options *o)
{
	struct sum_call calls[SUM_CALLS_MAX];
	struct rows_table rows;

	rows_table_init(&rows, s, o, time_columns, sizeof(time_columns) / sizeof(time_columns[0]));
	for (size_t i = 0; i < s->services.n; i++) {
		const struct sum_service *v = &s->services.v[i];
		struct table *t = rows_table_row(&rows);

		table_text(t, service_text(s->window, v->service));
		time_cells(t, s->window, &v->in.timing, calls, summary_calls_of_service(s, v->service, calls));
	}
	time_end(&rows, s->services.n);
	return s->services.n;
}

static const struct table_column why_columns[] = {
	{"SERVICE"}, {"KIND"}, {"PROCESSES", true}, {"NAMED BY", false, true}, {"IMAGE", false, true},
};

static size_t text_why(const struct summary *s, const struct options *o)
{
	const struct window *w = s->window;
	struct rows_table rows;

	rows_table_init(&rows, s, o, why_columns, sizeof(why_columns) / sizeof(why_columns[0]));
	for (size_t i = 0; i < s->services.n; i++) {
		const struct sum_service *v = &s->services.v[i];
		const struct win_service *ws = &w->services.v[v->service];
		struct table *t = rows_table_row(&rows);

		table_text(t, service_text(w, v->service));
		table_text(t, ws->kind);
		table_count(t, v->processes);
		table_text(t, ws->why ? ws->why : "-");
		table_text(t, ws->image ? ws->image : "-");
	}
	rows_table_end(&rows);
	return s->services.n;
}

static void json_service(struct json *j, const struct summary *s, const struct options *o, const struct sum_service *v)
{
	const struct win_service *ws = &s->window->services.v[v->service];

	row_begin(j, "service");
	json_tick(j, s, o);
	json_string(j, "service", ws->name);
	json_string(j, "kind", ws->kind);
	json_string(j, "exe", ws->exe);
	json_string(j, "why", ws->why);
	json_string(j, "image", ws->image);
	json_string(j, "node", ws->node);
	json_number(j, "cpu_cores", v->cpu_cores);
	json_number(j, "cpu_throttled_ratio", v->cpu_throttled_s);
	json_number(j, "runq_wait_ratio", v->runq_wait_s);
	json_number(j, "disk_wait_ratio", v->disk_wait_s);
	json_number(j, "io_wait_ratio", v->io_wait_s);
	json_number(j, "mem_wait_ratio", v->mem_wait_s);
	json_number(j, "futex_wait_ratio", v->futex_wait_s);
	json_number(j, "net_wait_ratio", v->net_wait_s);
	json_number(j, "quota_wait_ratio", v->quota_wait_s);
	json_number(j, "mem_bytes", v->mem_bytes);
	json_number(j, "mem_limit_bytes", v->mem_limit_bytes);
	json_number(j, "disk_read_bytes_per_s", v->disk_read_bytes);
	json_number(j, "disk_write_bytes_per_s", v->disk_write_bytes);
	json_number(j, "threads", v->threads);
	json_number(j, "fds", v->fds);
	json_number(j, "connections", v->connections);
	json_number(j, "processes", v->processes);
	json_number(j, "restarts", v->restarts);
	json_number(j, "accept_queue", v->accept_queue);
	json_number(j, "accept_queue_limit", v->accept_queue_limit);
	json_number(j, "accept_overflows", v->accept_overflows);
	json_number(j, "inflight", v->inflight);
	json_number(j, "refused", v->refused);
	json_number(j, "count", v->in.count);
	json_number(j, "errors", v->in.errors);
	json_number(j, "in_per_s", v->in.rate_per_s);
	json_number(j, "out_per_s", v->out.rate_per_s);
	json_quantiles(j, &v->in);
	if (o->time) {
		struct sum_call calls[SUM_CALLS_MAX];

		json_time_parts(j, s->window, &v->in.timing, calls, summary_calls_of_service(s, v->service, calls));
	}
	row_end(j);
}

static size_t json(const struct summary *s, const struct options *o, struct json *j)
{
	size_t n;

	for (n = 0; n < s->services.n && !out_closed(); n++)
		json_service(j, s, o, &s->services.v[n]);
	return n;
}

int cmd_services(const struct command *c, struct options *o, int argc, char **argv)
{
	static const struct rows rows = {
		"services/1", "no services", LOAD_REQUESTS | LOAD_HISTS | LOAD_TCP | LOAD_POINTS | LOAD_DOWNSTREAM, false, text, json,
		FILTER_SERVICES,
	};
	struct rows form = rows;

	if (o->why && o->time && !o->json)
		return say_error(EXIT_USAGE, "services: --why and --time are two forms: give one");
	if (o->why)
		form.text = text_why;
	else if (o->time)
		form.text = text_time;
	return rows_command(&form, o);
}
